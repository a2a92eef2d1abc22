//! Another station with an address of ours. Whoever asks for it is answered by either, so this is said with `--quiet`, too.
//!
//! Read first: RFC 5227 sections 2.1.1 and 2.4, RFC 4862 section 5.4, RFC 4429: with `--probe` an address is used at once and
//! asked for at the same time. If it was another's before, we give it up; if another comes later, we keep it. Without, we keep
//! it in either case: whoever floods a link with claims ends nobody.

use framewise::core::observe::Note;
use framewise::{HostId, Runner};

use crate::exit::{Failure, Kind};
use crate::output;

/// Says what the layers have heard since.
///
/// # Errors
/// An address of ours was another's before.
pub(super) fn say(runner: &mut Runner, host: HostId) -> Result<(), Failure> {
    for warning in runner.take_warnings(host) {
        if warning.topic == "taken" {
            return Err(taken(&warning));
        }
        output::say(&told(&warning));
    }
    Ok(())
}

fn taken(warning: &Note) -> Failure {
    Failure::new(Kind::Device, format!("another station answers for my address: {}", warning.text))
        .next("the same with another --address of that network")
}

fn told(warning: &Note) -> String {
    let other = if warning.topic == "duplicate" { "--mac" } else { "--address" };
    format!(
        "Take care: {}. Who asks may reach either of us; end one of the two, or serve with another {other}.\n",
        warning.text
    )
}

#[cfg(test)]
mod tests {
    use framewise::core::Instant;

    use super::*;

    fn note(topic: &'static str, text: &str) -> Note {
        Note { now: Instant::ZERO, layer: "ethernet", topic, text: text.to_owned() }
    }

    #[test]
    fn who_else_is_there_is_told_with_what_to_do() {
        let said = told(&note("conflict", "02:00:00:00:00:42 claims my address 192.0.2.10"));
        assert!(
            said.contains("02:00:00:00:00:42 claims my address 192.0.2.10") && said.contains("--address")
        );
        let said = told(&note("duplicate", "another station uses my MAC address 02:00:00:00:00:0a"));
        assert!(said.ends_with("another --mac.\n"), "{said}");
        let sentence = taken(&note("taken", "2001:db8::10 is another station's: I don't use it")).sentence();
        assert!(sentence.contains("2001:db8::10 is another"), "{sentence}");
    }
}
