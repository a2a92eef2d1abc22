//! What DNS has to say about its own messages.

mod header;
mod purpose;
mod sections;

use framewise_core::Description;

use crate::message::{Message, MessageError};
use crate::record::ResponseCode;

use purpose::Purpose;
use sections::value;

/// Most characters of a phrase in the walk.
const PHRASE: usize = 34;

/// Explains a message.
///
/// # Errors
///
/// Those of [`Message::parse`].
pub fn describe(bytes: &[u8]) -> Result<Description, MessageError> {
    let message = Message::parse(bytes)?;
    let purpose = Purpose::of(&message);
    let [outbound, inbound] = purpose
        .phrase(&message)
        .unwrap_or_else(|| [phrase(&message, "asks", "answers"), phrase(&message, "is asked", "learnt")]);
    let mut fields = header::fields(&message, bytes);
    fields.extend(sections::fields(&message, bytes));
    Ok(Description {
        protocol: "DNS",
        unit: "message",
        outbound: shortened(outbound),
        inbound: shortened(inbound),
        next: purpose.next(message.response).to_owned(),
        header: 0..bytes.len(),
        payload: bytes.len()..bytes.len(),
        fields,
    })
}

fn phrase(message: &Message, asking: &str, answering: &str) -> String {
    let Some(question) = message.questions.first() else {
        return format!("{answering}: {}", message.code);
    };
    if !message.response {
        return format!("{asking}: {} of {}", question.kind, question.name);
    }
    let address = message.answers.iter().find_map(|record| record.data.address());
    match (message.code, address, message.answers.first()) {
        (ResponseCode::NoError, Some(address), _) => format!("{answering}: {address}"),
        (ResponseCode::NoError, None, Some(record)) => format!("{answering}: {}", value(&record.data)),
        // Nothing was left of it, which is not to say that there is nothing (RFC 2181, section 9).
        (ResponseCode::NoError, None, None) if message.truncated => {
            format!("{answering}: cut off, ask over TCP")
        }
        (ResponseCode::NoError, None, None) => format!("{answering}: no {} there", question.kind),
        (ResponseCode::NameError, ..) => format!("{answering}: no such name"),
        (code, ..) => format!("{answering}: {code}"),
    }
}

fn shortened(phrase: String) -> String {
    if phrase.chars().count() <= PHRASE {
        return phrase;
    }
    phrase.chars().take(PHRASE - 2).chain("..".chars()).collect()
}
