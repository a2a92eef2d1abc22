//! Handshake messages, in the clear or opened: RFC 8446 section 4; RFC 5246 section 7.4 for TLS 1.2.

use framewise_core::Description;

use super::told::Told;
use super::{Context, DECISION, certificate, exchange, hello, proof, sentence};
use crate::handshake::Message;
use crate::vector::Reader;

/// The rules by which messages are written that look different in TLS 1.2 and 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Tls12,
    Tls13,
}

/// Explains the handshake messages in `bytes`, which are in the clear or have been opened: of TLS 1.3, the inside of a
/// record. Ranges count from their first byte. A message that is not whole is explained as far as it can be known: that it
/// began.
///
/// ```
/// use framewise_tls::{Context, describe_handshake};
/// let description = describe_handshake(&[24, 0, 0, 1, 1], &Context::default());
/// assert_eq!(description.fields[0].value, "24 (key_update)");
/// assert_eq!(description.fields[2].meaning, "The sender takes a fresh key, and asks the other to do so, too.");
/// ```
pub fn describe_handshake(bytes: &[u8], context: &Context) -> Description {
    let dialect = if context.tls12 { Dialect::Tls12 } else { Dialect::Tls13 };
    let mut told = Told::default();
    tell(&mut Reader::new(bytes, 0), dialect, &mut told);
    let said = said(&crate::handshake::messages(bytes));
    Description {
        protocol: "TLS",
        unit: "message",
        outbound: said.clone(),
        inbound: said,
        next: "type 22: TLS itself".to_owned(),
        header: 0..bytes.len(),
        payload: bytes.len()..bytes.len(),
        fields: told.fields,
    }
}

/// Several messages in a few words: which comes first, and how many more there are.
pub fn said(messages: &[Message]) -> String {
    let name = messages.first().map_or("handshake", Message::name).replace('_', " ");
    let said = match messages.len() {
        0 | 1 => name,
        all => format!("{name} and {} more", all - 1),
    };
    said.chars().take(DECISION).collect()
}

/// Messages of one record that are told one by one: whole handshakes have far fewer.
const MOST_TOLD: usize = 64;

/// One message behind the other.
pub(super) fn tell(reader: &mut Reader<'_>, dialect: Dialect, told: &mut Told) {
    for _ in 0..MOST_TOLD {
        if reader.is_empty() {
            return;
        }
        if message(reader, dialect, told).is_none() {
            let meaning = "A message that does not end in these bytes: the rest is in those that follow.";
            let _ = told.all(reader, "handshake fragment", meaning, "RFC 8446 §5.1");
            return;
        }
    }
    if !reader.is_empty() {
        let meaning = "More messages than are told one by one.";
        let _ = told.all(reader, "further messages", meaning, "RFC 8446 §5.1");
    }
}

/// The header and the body of a message that is whole.
fn message(reader: &mut Reader<'_>, dialect: Dialect, told: &mut Told) -> Option<()> {
    let mut ahead = reader.clone();
    let begin = ahead.range().start;
    let number = ahead.u8()?;
    let mut body = ahead.vector24()?;
    let message = Message { number, bytes: begin..body.range().end };
    told.field(
        "handshake message",
        begin..begin + 1,
        format!("{number} ({})", message.name()),
        sentence(message.meaning()),
        "RFC 8446 §4",
    );
    let length = body.range().len();
    let meaning = match length {
        0 => "The message has no body: that it comes says all.".to_owned(),
        _ => format!("The message's body has {length} bytes."),
    };
    told.field("handshake length", begin + 1..begin + 4, length.to_string(), meaning, "RFC 8446 §4");
    let _ = tell_body(number, &mut body, dialect, told);
    told.unread(&body);
    *reader = ahead;
    Some(())
}

fn tell_body(number: u8, body: &mut Reader<'_>, dialect: Dialect, told: &mut Told) -> Option<()> {
    match (number, dialect) {
        (1, _) => hello::client(body, told),
        (2, _) => hello::server(body, told),
        (4, Dialect::Tls13) => proof::session_ticket(body, told),
        (4, Dialect::Tls12) => exchange::session_ticket(body, told),
        (8, _) => hello::encrypted_extensions(body, told),
        (11, _) => certificate::tell(body, dialect, told),
        (12, _) => exchange::server_key(body, told),
        (13, Dialect::Tls13) => proof::certificate_request(body, told),
        (13, Dialect::Tls12) => exchange::certificate_request(body, told),
        (15, _) => proof::certificate_verify(body, told),
        (16, _) => exchange::client_key(body, told),
        (20, _) => proof::finished(body, told),
        (22, _) => certificate::status(body, told),
        (24, _) => proof::key_update(body, told),
        _ => Some(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_messages_in_a_record_the_first_are_told() {
        let fields =
            |count: usize| describe_handshake(&[0, 0, 0, 0].repeat(count), &Context::default()).fields;
        assert_eq!(fields(MOST_TOLD).len(), 2 * MOST_TOLD);
        let many = fields(4_096);
        assert_eq!(many.len(), 2 * MOST_TOLD + 1);
        assert_eq!(many.last().map(|field| field.bytes.clone()), Some(4 * MOST_TOLD..4 * 4_096));
    }
}
