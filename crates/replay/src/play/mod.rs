//! A script played, line by line.
//!
//! A frame that the host sends waits until a line expects it. Before anything comes to the host, and at the end, none may be
//! left: what nobody expected is as wrong as what did not come.
//!
//! Here is the run, and what the application does; `peer.rs` has what comes to the host, `watch.rs` what the player sees of the
//! host's frames, `expected.rs` and `window.rs` what must be so and when, `record.rs` what is told of it.

mod expected;
mod peer;
mod record;
mod watch;
mod window;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use framewise_trace::{CaptureOptions, write_capture};

use crate::error::PlayError;
use crate::frames::{Flow, Maker};
use crate::live::Live;
use crate::outcome::{Event, Kind, Outcome, Wrong};
use crate::script::{Action, Deed, Peer, Script, Step, Timing, When};

/// How much later than at once something may be, where a script does not say: HTTP waits a millisecond for more to send, and an
/// acknowledgment that waits, waits for ten.
const SLACK: Duration = Duration::from_millis(2);
/// Who is played where nobody is named.
const NO_PORT: u16 = 0;

/// Plays a script.
///
/// ```
/// use framewise_replay::{Script, script};
/// let text = "\
/// host shop
/// mac 02:00:00:00:00:01
/// address 192.0.2.80/24
/// peer 02:00:00:00:00:02 192.0.2.20
/// 10ms < ping seq=1
///      > icmp type=0 sequence-number=1
/// ";
/// let outcome = script(&Script::read(text)?)?;
/// assert!(outcome.is_success(), "{outcome}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A step can't be done, or the host can't be made so.
pub fn script(script: &Script) -> Result<Outcome, PlayError> {
    Player::new(script)?.run().map(|(outcome, _)| outcome)
}

/// Plays a script, and gives the capture of what happened beside its outcome, and the steps that a sidecar for it has.
pub(crate) fn recorded(script: &Script) -> Result<(Outcome, Vec<u8>, String), PlayError> {
    let player = Player::new(script)?;
    let (outcome, player) = player.run()?;
    let mut capture = Vec::new();
    let options = CaptureOptions { secrets: true, ..CaptureOptions::default() };
    write_capture(&player.live.trace(), player.live.name(), &mut capture, &options)?;
    Ok((outcome, capture, player.sidecar()))
}

struct Player<'s> {
    script: &'s Script,
    live: Live,
    maker: Maker,
    /// When the step before was.
    base: Duration,
    /// The frames of the host that were looked at, and those of them that the player has answered by itself.
    looked_at: usize,
    answered: Vec<usize>,
    /// How many frames of the host were expected, or answered by the player.
    taken: usize,
    matched: usize,
    injected: usize,
    flows: BTreeMap<(IpAddr, u16), Flow>,
    /// The flow of the segment that came or went last.
    current: Option<(IpAddr, u16)>,
    events: Vec<Event>,
    /// The lines by which frames came to the host, in their order; `None`: the player has answered by itself.
    came: Vec<Option<usize>>,
    /// The deeds that were done, with their times.
    deeds: Vec<String>,
}

/// A step that went wrong.
type Stop = Option<Wrong>;

impl<'s> Player<'s> {
    fn new(script: &'s Script) -> Result<Self, PlayError> {
        let live = Live::new(script)?;
        let nobody = Peer { mac: Default::default(), address: [0, 0, 0, 0].into(), port: NO_PORT };
        let maker = Maker {
            host_mac: live.mac(),
            host_addresses: live.addresses(),
            peer: script.peer.unwrap_or(nobody),
            identification: 0,
            quoted: Vec::new(),
            last: Vec::new(),
        };
        Ok(Player {
            script,
            live,
            maker,
            base: Duration::ZERO,
            looked_at: 0,
            answered: Vec::new(),
            taken: 0,
            matched: 0,
            injected: 0,
            flows: BTreeMap::new(),
            current: None,
            events: Vec::new(),
            came: Vec::new(),
            deeds: Vec::new(),
        })
    }

    fn run(mut self) -> Result<(Outcome, Self), PlayError> {
        let mut failure = None;
        for step in &self.script.steps {
            if let Some(wrong) = self.step(step)? {
                failure = Some(self.failure(step, wrong));
                break;
            }
        }
        if let (None, Some(last)) = (&failure, self.script.steps.last()) {
            self.pass(self.base + self.slack())?;
            let wrong = self.unexpected();
            failure = wrong.map(|wrong| self.failure(last, wrong));
        }
        let outcome = Outcome {
            title: self.script.title.clone(),
            kind: Kind::Script,
            injected: self.injected,
            matched: self.matched,
            failure,
        };
        Ok((outcome, self))
    }

    fn step(&mut self, step: &Step) -> Result<Stop, PlayError> {
        match &step.action {
            Action::Do(deed) => self.perform(step, deed).map(|()| None),
            Action::Inject(injection) => self.inject(step, injection),
            Action::Expect(expectation) => self.expect(step, expectation),
            Action::Silence => self.silence(step),
            Action::Hear(heard) => self.hear(step, heard),
        }
    }

    fn slack(&self) -> Duration {
        match self.script.timing {
            Some(Timing::Within(slack)) => slack,
            _ => SLACK,
        }
    }

    /// When a step is that has one time.
    fn time_of(&self, when: When) -> Duration {
        match when {
            When::At(time) => time.max(self.live.now()),
            When::After(time) | When::Between(_, time) => self.base + time,
            When::Now | When::Then => self.base,
        }
    }

    fn perform(&mut self, step: &Step, deed: &Deed) -> Result<(), PlayError> {
        let at = self.time_of(step.when);
        self.pass(at)?;
        self.base = self.live.now();
        let nanos = self.base.as_nanos();
        let words = step.deed.as_str();
        match (step.when, deed) {
            (When::Then, Deed::Fetch(line)) => {
                self.deeds.push(format!("then {words}"));
                self.live.fetch_then(line)?;
            }
            _ => {
                self.deeds.push(format!("{nanos}ns {words}"));
                self.live.perform(deed)?;
            }
        }
        self.note(step, self.base, None, words.to_owned());
        Ok(())
    }

    /// Lets time pass, and answers those who look for a neighbour meanwhile.
    fn pass(&mut self, until: Duration) -> Result<(), PlayError> {
        loop {
            let count = self.live.sent_count();
            self.live.advance_until_sent(count, until)?;
            if !self.look()? && self.live.now() >= until {
                return Ok(());
            }
        }
    }
}
