//! How far a message has come.

use framewise_core::StateField;

use super::message::{Message, Start};
use crate::body::Framing;

impl Message {
    /// What is known of it once everything before byte `reached` of its direction has come; `None`: it has not begun by then.
    pub fn progress(&self, reached: u64) -> Option<StateField> {
        let here = reached.min(self.range.end).checked_sub(self.range.start).filter(|here| *here > 0)?;
        let head = self.head.end - self.head.start;
        let body: u64 =
            self.body.iter().map(|piece| reached.min(piece.end).saturating_sub(piece.start)).sum();
        let whole: u64 = self.body.iter().map(|piece| piece.end - piece.start).sum();
        let (name, said) = match &self.start {
            Start::Request { method, target } => ("request", format!("{method} {target}")),
            Start::Response { status } => ("response", status.to_string()),
        };
        let (value, meaning) = match here {
            here if here < head => (
                format!("{here} of {head} bytes of head"),
                "Its head is not whole yet: nobody knows what it says.".to_owned(),
            ),
            _ if reached < self.range.end => {
                let of = match self.framing {
                    Framing::Length(length) => format!(" of {length}"),
                    _ => String::new(),
                };
                (
                    format!("{said}, {body}{of} bytes of body"),
                    "Its head is whole; its body is still coming.".to_owned(),
                )
            }
            _ => (
                format!("{said}, whole: {head} + {whole} bytes"),
                "All of it has come: head and body.".to_owned(),
            ),
        };
        Some(StateField::new(name, value, meaning, "RFC 9112 §2.1"))
    }
}
