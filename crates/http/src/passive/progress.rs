//! How far a message has come.

use framewise_core::StateField;

use super::message::{End, Message, Start};
use crate::body::Framing;

impl Message {
    /// What is known of it once everything before byte `reached` of its direction has come; `None`: it has not begun by then.
    pub fn progress(&self, reached: u64) -> Option<StateField> {
        let here = reached.min(self.range.end).checked_sub(self.range.start).filter(|here| *here > 0)?;
        let head = self.head.end - self.head.start;
        let name = match &self.start {
            Start::Request { .. } => "request",
            Start::Response { .. } => "response",
        };
        let (value, meaning) = match here {
            here if here < head => (
                format!("{here} of {head} bytes of head"),
                "Its head is not whole yet: nobody knows what it says.".to_owned(),
            ),
            _ if reached < self.range.end => {
                (self.part_of_body(reached), "Its head is whole; its body is still coming.".to_owned())
            }
            _ => self.at_its_end(head),
        };
        Some(StateField::new(name, value, meaning, "RFC 9112 §2.1"))
    }

    /// What is known of it once all of it that ever comes has come.
    fn at_its_end(&self, head: u64) -> (String, String) {
        let part = || self.part_of_body(self.range.end);
        match (self.end, self.missing) {
            (End::Complete, 0) => (
                format!("{}, whole: {head} + {} bytes", self.said(), self.body_until(u64::MAX)),
                "All of it has come: head and body.".to_owned(),
            ),
            (End::Complete, missing) => (
                format!("{}, {missing} of {} bytes of body not seen", self.said(), self.body_until(u64::MAX)),
                "It ends where it should; in its body, something was not seen.".to_owned(),
            ),
            (End::CutShort, _) => (part(), "Its head is whole; the end of its body was not seen.".to_owned()),
            (End::Broken(refusal), _) => {
                (part(), format!("Its head is whole; its body breaks a rule: {}.", refusal.rule))
            }
        }
    }

    fn part_of_body(&self, reached: u64) -> String {
        let of = match self.framing {
            Framing::Length(length) => format!(" of {length}"),
            Framing::Chunked | Framing::UntilClose => String::new(),
        };
        format!("{}, {}{of} bytes of body", self.said(), self.body_until(reached))
    }

    /// How much of its body stands before byte `reached`.
    fn body_until(&self, reached: u64) -> u64 {
        self.body.iter().map(|piece| reached.min(piece.end).saturating_sub(piece.start)).sum()
    }

    /// What its first line says, in a word or two.
    fn said(&self) -> String {
        match &self.start {
            Start::Request { method, target } => format!("{method} {target}"),
            Start::Response { status } => status.to_string(),
        }
    }
}
