//! What stops a script.

use std::any::Any;

use framewise_core::Message;

use crate::law::Law;

/// How many bytes of a message a failure shows.
const SHOWN: usize = 48;

/// Why a step can't pass.
pub(crate) struct Trouble {
    /// The law that was broken; `None` for the case's own expectation.
    pub(crate) law: Option<Law>,
    /// What was expected, where the step's own sentence doesn't say it.
    pub(crate) expected: Option<String>,
    pub(crate) came: String,
}

impl Trouble {
    pub(crate) fn unmet(came: impl Into<String>) -> Self {
        Trouble { law: None, expected: None, came: came.into() }
    }

    pub(crate) fn broken(law: Law, expected: impl Into<String>, came: impl Into<String>) -> Self {
        Trouble { law: Some(law), expected: Some(expected.into()), came: came.into() }
    }

    /// The layer panicked in `call`.
    pub(crate) fn panicked(call: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "something without words".to_owned());
        Trouble::broken(Law::BadInput, format!("{call} to return"), format!("a panic: {text}"))
    }
}

/// A message in one line, and its first bytes in another.
pub(crate) fn tell(message: &dyn Message) -> String {
    let mut text = match message.summary() {
        summary if message.kind() == "message" => summary,
        summary => format!("{}: {summary}", message.kind()),
    };
    let bytes = message.bytes();
    if !bytes.is_empty() {
        text.push_str("\nbytes:");
        bytes.iter().take(SHOWN).for_each(|byte| text.push_str(&format!(" {byte:02x}")));
        if bytes.len() > SHOWN {
            text.push_str(&format!(" and {} more", bytes.len() - SHOWN));
        }
    }
    text
}
