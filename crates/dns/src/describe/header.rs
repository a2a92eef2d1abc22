//! The twelve bytes in front of every message: RFC 1035 section 4.1.1; RFC 4035 section 3 (the bits AD and CD).

use framewise_core::Field;
use framewise_core::read::{u8_at, u16_at};

use super::purpose::Purpose;
use crate::message::Message;
use crate::record::ResponseCode;

const SOURCE: &str = "RFC 1035 §4.1.1";

pub(super) fn fields(message: &Message, bytes: &[u8]) -> Vec<Field> {
    let mut fields = vec![Field::new(
        "id",
        0..2,
        format!("{:#06x}", message.id),
        "Ties the answer to its question: a reply with another number is not believed.",
        SOURCE,
    )];
    fields.extend(flag_fields(message, u8_at(bytes, 3).unwrap_or(0)));
    for (index, &(_, name, of)) in Purpose::of(message).sections().iter().enumerate() {
        let offset = 4 + 2 * index;
        let count = u16_at(bytes, offset).unwrap_or_default();
        let meaning = format!("How many {of} follow: {count}.");
        fields.push(Field::new(name, offset..offset + 2, count.to_string(), meaning, SOURCE));
    }
    fields
}

/// `low` is the second of the two bytes that the flags are in.
fn flag_fields(message: &Message, low: u8) -> Vec<Field> {
    let flag = |name, bit: usize, set: bool, yes: &str, no: &str| {
        let value = if set { "1" } else { "0" };
        let meaning = if set { yes } else { no };
        let source = if matches!(name, "AD" | "CD") { "RFC 4035 §3" } else { SOURCE };
        Field::new(name, 2..4, value, meaning, source).with_bits(bit..bit + 1)
    };
    let opcode = match message.opcode {
        0 => "An ordinary question.",
        4 => "A notice that a zone has changed.",
        5 => "A change to a zone.",
        _ => "Not an ordinary question.",
    };
    let request = match Purpose::of(message) {
        Purpose::Query => "This is a query.",
        Purpose::Notify | Purpose::Update => "This is a request.",
    };
    let code = match message.code {
        ResponseCode::NoError if !message.response => "Means nothing in a request.".to_owned(),
        ResponseCode::NoError => "All went well.".to_owned(),
        ResponseCode::NameError => "There is no such name (people say NXDOMAIN).".to_owned(),
        code => format!("It did not go well: {code}."),
    };
    vec![
        flag("QR", 0, message.response, "This is a response.", request),
        Field::new("opcode", 2..4, message.opcode.to_string(), opcode, SOURCE).with_bits(1..5),
        flag(
            "AA",
            5,
            message.authoritative,
            "The server speaks for this zone itself.",
            "Not from who runs the zone itself.",
        ),
        flag(
            "TC",
            6,
            message.truncated,
            "Not all of it fitted in: something is missing.",
            "Nothing was cut off.",
        ),
        flag(
            "RD",
            7,
            message.recursion_desired,
            "If you don't know it, please ask others.",
            "Answer only from what you know.",
        ),
        flag(
            "RA",
            8,
            message.recursion_available,
            "This server asks others where it must.",
            "No offer to ask others.",
        ),
        flag(
            "Z",
            9,
            low & 0x40 != 0,
            "Should be 0; whoever reads it passes over it.",
            "Nothing is said here.",
        ),
        flag(
            "AD",
            10,
            low & 0x20 != 0,
            "The server has checked the signatures on what it says.",
            "No word of signatures having been checked.",
        ),
        flag(
            "CD",
            11,
            low & 0x10 != 0,
            "Whoever asks checks signatures itself.",
            "Whoever asks leaves it to the server to check signatures.",
        ),
        Field::new("response code", 2..4, message.code.to_string(), code, SOURCE).with_bits(12..16),
    ]
}
