//! What DNS has to say about its own messages.

use framewise_core::read::u16_at;
use framewise_core::{Description, Field};

use crate::message::{HEADER, Message, MessageError};
use crate::record::{Data, Kind, Question, Record, ResponseCode};

const HEADER_SECTION: &str = "RFC 1035 §4.1.1";
const QUESTION_SECTION: &str = "RFC 1035 §4.1.2";
const RECORD_SECTION: &str = "RFC 1035 §4.1.3";

/// Most characters of a phrase in the walk.
const PHRASE: usize = 34;

/// Explains a message.
///
/// # Errors
///
/// Those of [`Message::parse`].
pub fn describe(bytes: &[u8]) -> Result<Description, MessageError> {
    let message = Message::parse(bytes)?;
    let mut fields = header_fields(&message, bytes);
    let mut walk = Walk { bytes, offset: HEADER };
    for question in &message.questions {
        fields.extend(walk.question(question));
    }
    for (name, records) in [("answer", &message.answers), ("authority", &message.authority)] {
        fields.extend(records.iter().filter_map(|record| walk.record(name, record)));
    }
    if walk.offset < bytes.len() {
        fields.push(Field::new(
            "additional",
            walk.offset..bytes.len(),
            format!("{} bytes", bytes.len() - walk.offset),
            "What may help beside the answer, or tells what the sender can do.",
            RECORD_SECTION,
        ));
    }
    Ok(Description {
        protocol: "DNS",
        unit: "message",
        outbound: shortened(phrase(&message, "asks", "answers")),
        inbound: shortened(phrase(&message, "is asked", "learnt")),
        next: if message.response { "who asked for it".to_owned() } else { "answered right here".to_owned() },
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
        (ResponseCode::NoError, None, None) => format!("{answering}: no {} there", question.kind),
        (ResponseCode::NameError, ..) => format!("{answering}: no such name"),
        (code, ..) => format!("{answering}: {code}"),
    }
}

fn shortened(phrase: String) -> String {
    if phrase.chars().count() <= PHRASE {
        return phrase;
    }
    phrase.chars().take(PHRASE - 1).chain(['…']).collect()
}

fn header_fields(message: &Message, bytes: &[u8]) -> Vec<Field> {
    let mut fields = vec![Field::new(
        "id",
        0..2,
        format!("{:#06x}", message.id),
        "Ties the answer to its question: a reply with another number is not believed.",
        HEADER_SECTION,
    )];
    fields.extend(flag_fields(message));
    let counts: [(&'static str, &str); 4] = [
        ("question count", "questions"),
        ("answer count", "records that answer it"),
        ("authority count", "records that say whose zone it is"),
        ("additional count", "records that may help"),
    ];
    for (index, (name, of)) in counts.into_iter().enumerate() {
        let offset = 4 + 2 * index;
        let count = u16_at(bytes, offset).unwrap_or_default();
        let meaning = format!("How many {of} follow: {count}.");
        fields.push(Field::new(name, offset..offset + 2, count.to_string(), meaning, HEADER_SECTION));
    }
    fields
}

fn flag_fields(message: &Message) -> Vec<Field> {
    let flag = |name, bit: usize, set: bool, yes: &str, no: &str| {
        let value = if set { "1" } else { "0" };
        let meaning = if set { yes } else { no };
        Field::new(name, 2..4, value, meaning, HEADER_SECTION).with_bits(bit..bit + 1)
    };
    let opcode = match message.opcode {
        0 => "An ordinary question.",
        _ => "Not an ordinary question.",
    };
    let code = match message.code {
        ResponseCode::NoError => "All went well.".to_owned(),
        ResponseCode::NameError => "There is no such name (people say NXDOMAIN).".to_owned(),
        code => format!("It did not go well: {code}."),
    };
    vec![
        flag("QR", 0, message.response, "This is a response.", "This is a query."),
        Field::new("opcode", 2..4, message.opcode.to_string(), opcode, HEADER_SECTION).with_bits(1..5),
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
        Field::new("response code", 2..4, message.code.to_string(), code, HEADER_SECTION).with_bits(12..16),
    ]
}

/// Goes along the sections and tells where each thing lies. It follows no pointer, so it only ever moves on.
struct Walk<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Walk<'_> {
    fn question(&mut self, question: &Question) -> Vec<Field> {
        let start = self.offset;
        let Some(end) = self.after_name().filter(|end| end + 4 <= self.bytes.len()) else {
            return Vec::new();
        };
        self.offset = end + 4;
        let kind = match question.kind {
            Kind::A => "An IPv4 address is wanted.".to_owned(),
            Kind::Aaaa => "An IPv6 address is wanted.".to_owned(),
            Kind::Ptr => "The name of an address is wanted.".to_owned(),
            kind => format!("Its {kind} record is wanted."),
        };
        let name = question.name.to_string();
        vec![
            Field::new("QNAME", start..end, name, "The name that is asked about.", QUESTION_SECTION),
            Field::new("QTYPE", end..end + 2, question.kind.to_string(), kind, QUESTION_SECTION),
            Field::new(
                "QCLASS",
                end + 2..end + 4,
                class(question.class),
                "Of which network: the Internet, today always.",
                QUESTION_SECTION,
            ),
        ]
    }

    fn record(&mut self, name: &'static str, record: &Record) -> Option<Field> {
        let start = self.offset;
        let fixed = self.after_name()?;
        let length = u16_at(self.bytes, fixed + 8)?;
        let end = fixed + 10 + usize::from(length);
        if end > self.bytes.len() {
            return None;
        }
        self.offset = end;
        let value = format!("{} {} {}", record.name, record.data.kind(), value(&record.data));
        Some(Field::new(name, start..end, value, meaning(record), RECORD_SECTION))
    }

    /// Where the name that begins here ends: after its zero, or after the pointer to its rest.
    fn after_name(&self) -> Option<usize> {
        let mut offset = self.offset;
        loop {
            match *self.bytes.get(offset)? {
                0 => return Some(offset + 1),
                length if length >= 0xc0 => return Some(offset + 2),
                length => offset += 1 + usize::from(length),
            }
        }
    }
}

fn class(class: u16) -> String {
    match class {
        crate::record::INTERNET => "IN".to_owned(),
        // RFC 3597 section 5.
        other => format!("CLASS{other}"),
    }
}

fn value(data: &Data) -> String {
    match data {
        Data::A(address) => address.to_string(),
        Data::Aaaa(address) => address.to_string(),
        Data::Cname(name) | Data::Ptr(name) => name.to_string(),
        Data::Soa(soa) => soa.server.to_string(),
        Data::Other(kind) => format!("a {kind} record"),
    }
}

fn meaning(record: &Record) -> String {
    let name = &record.name;
    let what = match &record.data {
        Data::A(address) => format!("{name} has the IPv4 address {address}"),
        Data::Aaaa(address) => format!("{name} has the IPv6 address {address}"),
        Data::Cname(target) => format!("{name} stands for {target}"),
        Data::Ptr(owner) => format!("the address belongs to {owner}"),
        Data::Soa(soa) => format!("the zone {name} is kept by {}", soa.server),
        Data::Other(kind) => format!("a {kind} record of {name}"),
    };
    format!("Says: {what}. May be remembered for {} s.", record.ttl)
}
