//! `framewise doctor`: what works here, and for each failure the command that mends it.
//!
//! | looked at | in | with |
//! |---|---|---|
//! | this computer: clock, names, rights, drivers | `computer` | files of the kernel's |
//! | a device: whose it is, who has it, which way leads there | `link` | netlink |
//! | the others on it | `ask` | frames: ARP and NDP |
//!
//! Nothing is changed, and rights are given up before the first frame leaves.

mod ask;
mod computer;
mod link;
mod render;

use crate::args::{self, DeviceName};
use crate::exit::{Failure, Kind};
use crate::output;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// What is looked at, in a word or two.
    pub(crate) name: &'static str,
    /// The protocol that needs it, for its colour.
    pub(crate) protocol: &'static str,
    pub(crate) verdict: Verdict,
    /// What was seen.
    pub(crate) says: String,
}

/// What came of looking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It works.
    Works,
    /// It does not, and this command mends it.
    Fails { mend: String },
    /// Nobody asked for it, or something before it fails.
    Open,
}

impl Check {
    fn works(name: &'static str, protocol: &'static str, says: impl Into<String>) -> Self {
        Check { name, protocol, verdict: Verdict::Works, says: says.into() }
    }

    fn fails(
        name: &'static str,
        protocol: &'static str,
        says: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Check { name, protocol, verdict: Verdict::Fails { mend: mend.into() }, says: says.into() }
    }

    fn open(name: &'static str, protocol: &'static str, says: impl Into<String>) -> Self {
        Check { name, protocol, verdict: Verdict::Open, says: says.into() }
    }

    fn is_failure(&self) -> bool {
        matches!(self.verdict, Verdict::Fails { .. })
    }
}

/// Checks that belong together.
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) checks: Vec<Check>,
}

pub(crate) fn run(args: &args::Doctor) -> Result<(), Failure> {
    if args.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    let computer = computer::look(args);
    let has_driver = !computer.iter().any(|check| check.is_failure() && check.name == computer::DRIVER);
    let mut groups = vec![Group { title: "THIS COMPUTER".to_owned(), checks: computer }];
    if let Some(device) = args.host.device() {
        let mut checks = link::look(device, &args.host);
        let is_barred =
            checks.iter().any(|check| check.is_failure() && link::BARS_OPENING.contains(&check.name));
        let needs_driver = matches!(device, DeviceName::Tap(_));
        let can_open = !is_barred && (has_driver || !needs_driver);
        checks.extend(ask::look(device, &args.host, can_open));
        groups.push(Group { title: format!("THE LINK {}", device.name()), checks });
    }
    if args.json {
        output::print(&render::as_json(&groups))?;
    } else {
        output::print_coloured(&render::as_text(&groups))?;
    }
    judge(&groups)
}

/// The exit code, and of several failures the first to mend.
fn judge(groups: &[Group]) -> Result<(), Failure> {
    let checks: Vec<_> = groups.iter().flat_map(|group| &group.checks).collect();
    let failures: Vec<_> = checks.iter().filter(|check| check.is_failure()).collect();
    let Some(first) = failures.first() else { return Ok(()) };
    let sentence = format!("{} of {} checks failed, the first: {}", failures.len(), checks.len(), first.name);
    let failure = Failure::new(Kind::Device, sentence);
    Err(match &first.verdict {
        Verdict::Fails { mend } => failure.next(mend.clone()),
        _ => failure,
    })
}
