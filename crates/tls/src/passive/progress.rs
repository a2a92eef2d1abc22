//! How far a handshake has come, and what was agreed on by then.
//!
//! Read first: RFC 8446 section 2 (the full handshake), RFC 5246 section 7.3.

use framewise_core::StateField;

use super::{Facts, Side};
use crate::handshake::Message;

/// What both sides have said so far: the types of their handshake messages in order, and whether they sent data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What each side has sent: client, server. Of more than [`MOST_LISTED`], the list says that there are more.
    pub messages: [Vec<u8>; 2],
    /// How many records of each side were sealed.
    pub sealed: [u64; 2],
    /// Whether a sealed record could not be opened, so that what it says is not known.
    pub is_hidden: bool,
}

/// Handshake messages of one side that are listed.
pub const MOST_LISTED: usize = 64;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const FINISHED: u8 = 20;

impl Progress {
    fn has(&self, side: Side, number: u8) -> bool {
        let [client, server] = &self.messages;
        let messages = if side == Side::Client { client } else { server };
        messages.contains(&number)
    }

    /// Where it stands, in a word or two, and what that means.
    fn stage(&self) -> (&'static str, &'static str) {
        let finished = [Side::Client, Side::Server].map(|side| self.has(side, FINISHED));
        match (finished, self.has(Side::Client, CLIENT_HELLO), self.has(Side::Server, SERVER_HELLO)) {
            ([true, true], ..) => {
                ("done", "Both have proved that they saw the same handshake: data may flow.")
            }
            ([false, true], ..) => {
                ("server finished", "The server has proved itself; the client's proof is awaited.")
            }
            ([true, false], ..) => {
                ("client finished", "The client has proved itself; the server's proof is awaited.")
            }
            (_, _, true) => ("keys chosen", "Both halves of the keys are there: what follows can be sealed."),
            (_, true, false) => {
                ("offered", "The client has said what it can do, and waits for the server's choice.")
            }
            _ => ("not begun", "No hello has come yet, or none was seen."),
        }
    }

    /// What is known now of a connection of which `facts` is known in the end.
    pub fn fields(&self, facts: &Facts) -> Vec<StateField> {
        let (stage, meaning) = self.stage();
        let field = StateField::new("handshake", stage, meaning, "RFC 8446 §2");
        let mut fields = vec![field.inferred_if(self.is_hidden && stage != "done")];
        for (name, messages) in ["client has sent", "server has sent"].into_iter().zip(&self.messages) {
            if !messages.is_empty() {
                fields.push(StateField::new(
                    name,
                    listed(messages),
                    "Its handshake messages so far.",
                    "RFC 8446 §4",
                ));
            }
        }
        if self.has(Side::Client, CLIENT_HELLO) {
            fields.extend(facts.server_name.as_ref().map(|name| {
                StateField::new(
                    "server name",
                    name,
                    "Which of its names the client asked the server for.",
                    "RFC 6066 §3",
                )
            }));
        }
        if self.has(Side::Server, SERVER_HELLO) {
            self.chosen(facts, &mut fields);
        }
        for (name, count) in ["client sealed", "server sealed"].into_iter().zip(self.sealed) {
            if count > 0 {
                let meaning = "So many of its records were sealed; their number is part of each seal.";
                fields.push(StateField::new(name, count.to_string(), meaning, "RFC 8446 §5.3"));
            }
        }
        fields
    }

    fn chosen(&self, facts: &Facts, fields: &mut Vec<StateField>) {
        fields.extend(facts.version_name().map(|version| {
            StateField::new("version", version, "The version that the server chose.", "RFC 8446 §4.1.3")
        }));
        fields.extend(facts.cipher_suite_name().map(|suite| {
            StateField::new(
                "cipher suite",
                suite,
                "How records are sealed, as the server chose.",
                "RFC 8446 §4.1.3",
            )
        }));
        let is_tls13 = facts.version == Some(0x0304);
        if !is_tls13 || self.has(Side::Server, ENCRYPTED_EXTENSIONS) {
            fields.extend(facts.protocol.as_ref().map(|protocol| {
                StateField::new(
                    "protocol",
                    protocol,
                    "What is spoken inside, as the server chose.",
                    "RFC 7301 §3.2",
                )
            }));
        }
        if self.has(Side::Server, CERTIFICATE) {
            fields.extend(facts.certificate.as_ref().map(|name| {
                let by = facts.certificate_issuer.as_deref().unwrap_or("nobody known");
                let meaning = format!("Who the server says that it is; {by} says so, too.");
                StateField::new("certificate", name, meaning, "RFC 8446 §4.4.2")
            }));
        }
    }
}

fn listed(messages: &[u8]) -> String {
    let name = |number: &u8| Message { number: *number, bytes: 0..0 }.name();
    let mut names: Vec<String> = Vec::new();
    let mut repeats = 1;
    for name in messages.iter().take(MOST_LISTED).map(name) {
        match names.last_mut() {
            Some(last) if last.split(" x").next() == Some(name) => {
                repeats += 1;
                *last = format!("{name} x{repeats}");
            }
            _ => {
                repeats = 1;
                names.push(name.to_owned());
            }
        }
    }
    if messages.len() > MOST_LISTED {
        names.push("and more".to_owned());
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_messages_the_first_are_listed() {
        let said = |count: usize| listed(&[CLIENT_HELLO, FINISHED].repeat(count / 2));
        assert_eq!(said(MOST_LISTED).matches(", ").count(), MOST_LISTED - 1);
        assert!(!said(MOST_LISTED).contains("more"));
        assert_eq!(said(10_000).matches(", ").count(), MOST_LISTED);
        assert!(said(10_000).ends_with(", and more"));
    }
}
