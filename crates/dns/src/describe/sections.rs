//! Questions and records, and what they say: RFC 1035 sections 3.2, 4.1.2 and 4.1.3; RFC 6891 section 6.1 (EDNS).

use std::ops::Range;

use framewise_core::Field;
use framewise_core::read::{u8_at, u16_at, u32_at};

use super::purpose::{Purpose, class, class_meaning};
use crate::message::{HEADER, Message};
use crate::record::{Data, Kind, Question, Record};

const QUESTION: &str = "RFC 1035 §4.1.2";
const RECORD: &str = "RFC 1035 §4.1.3";
const EDNS: &str = "RFC 6891 §6.1";

/// A record that is none: it says what its sender can do (RFC 6891, section 6.1.1).
const OPT: u16 = 41;

/// What stands behind the header.
pub(super) fn fields(message: &Message, bytes: &[u8]) -> Vec<Field> {
    let mut walk = Walk { bytes, offset: HEADER };
    let purpose = Purpose::of(message);
    let mut fields = Vec::new();
    for question in &message.questions {
        fields.extend(walk.question(question, purpose).unwrap_or_default());
    }
    let sections = [&message.answers, &message.authority, &message.additional];
    let names = purpose.sections().iter().skip(1);
    for (index, (records, &(name, ..))) in sections.into_iter().zip(names).enumerate() {
        // The counts were held against the message's size when it was read.
        let count = u16_at(bytes, 6 + 2 * index).unwrap_or(0);
        let mut records = records.iter().peekable();
        for _ in 0..count {
            let Some(place) = walk.next_record() else { break };
            // Those by which the sender tells of itself are not among the message's records.
            let record = records.next_if(|record| u16::from(record.data.kind()) == place.kind);
            fields.extend(record_fields(bytes, name, &place, record, purpose));
        }
    }
    if walk.offset < bytes.len() {
        let (rest, count) = (walk.offset..bytes.len(), bytes.len() - walk.offset);
        let meaning = "More than the header promises: nobody reads it.";
        fields.push(Field::new("trailing bytes", rest, format!("{count} bytes"), meaning, RECORD));
    }
    fields
}

/// Goes along the sections and tells where each thing lies. It follows no pointer, so it only ever moves on.
struct Walk<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// Where a record and its parts lie.
struct Place {
    start: usize,
    /// Where its name ends, and its type begins.
    fixed: usize,
    end: usize,
    kind: u16,
}

impl Walk<'_> {
    fn question(&mut self, question: &Question, purpose: Purpose) -> Option<Vec<Field>> {
        let start = self.offset;
        let end = self.after_name().filter(|end| end + 4 <= self.bytes.len())?;
        self.offset = end + 4;
        let kind = match question.kind {
            Kind::A => "An IPv4 address is wanted.".to_owned(),
            Kind::Aaaa => "An IPv6 address is wanted.".to_owned(),
            Kind::Ptr => "The name of an address is wanted.".to_owned(),
            Kind::Any => "Whatever there is is wanted.".to_owned(),
            kind => format!("Its {kind} record is wanted."),
        };
        let asked =
            (["QNAME", "QTYPE", "QCLASS"], ["The name that is asked about.", kind.as_str()], QUESTION);
        let (names, [of_name, of_kind], source) = purpose.zone().unwrap_or(asked);
        let [name, kind, class_name] = names;
        let class = (class(question.class), class_meaning(question.class));
        Some(vec![
            Field::new(name, start..end, question.name.to_string(), of_name, source),
            Field::new(kind, end..end + 2, question.kind.to_string(), of_kind, source),
            Field::new(class_name, end + 2..end + 4, class.0, class.1, source),
        ])
    }

    fn next_record(&mut self) -> Option<Place> {
        let start = self.offset;
        let fixed = self.after_name()?;
        let end = fixed + 10 + usize::from(u16_at(self.bytes, fixed + 8)?);
        if end > self.bytes.len() {
            return None;
        }
        self.offset = end;
        Some(Place { start, fixed, end, kind: u16_at(self.bytes, fixed)? })
    }

    /// Where the name that begins here ends: after its zero, or after the pointer to its rest.
    fn after_name(&self) -> Option<usize> {
        let mut offset = self.offset;
        loop {
            match u8_at(self.bytes, offset)? {
                0 => return Some(offset + 1),
                length if length >= 0xc0 => return Some(offset + 2),
                length => offset += 1 + usize::from(length),
            }
        }
    }
}

/// A record as a whole, then its parts.
fn record_fields(
    bytes: &[u8],
    section: &'static str,
    place: &Place,
    record: Option<&Record>,
    purpose: Purpose,
) -> Vec<Field> {
    let whole = place.start..place.end;
    match record {
        Some(record) => {
            let said = format!("{} {} {}", record.name, record.data.kind(), value(&record.data));
            let of_purpose = purpose.meaning(section, record);
            let (meaning, source) = of_purpose.clone().unwrap_or_else(|| (meaning(record), RECORD));
            let mut fields = vec![Field::new(section, whole, said, meaning, source)];
            let says = of_purpose.map_or_else(|| says(record), |(meaning, _)| meaning);
            fields.extend(parts(bytes, place, record, says));
            fields
        }
        None if place.kind == OPT => edns_fields(bytes, section, place),
        None => {
            let said = a_record(Kind::from(place.kind));
            vec![Field::new(section, whole, said, "By this the sender proves who it is.", RECORD)]
        }
    }
}

fn parts(bytes: &[u8], place: &Place, record: &Record, says: String) -> Vec<Field> {
    let (at, kind) = (place.fixed, record.data.kind());
    let pointer = u16_at(bytes, place.start).filter(|word| *word >= 0xc000);
    let name = match pointer {
        Some(word) => {
            format!("The name that this is about; it is not repeated, it stands at byte {}.", word & 0x3fff)
        }
        None => "The name that this is about.".to_owned(),
    };
    let length = place.end - at - 10;
    let mut fields = vec![
        Field::new("NAME", place.start..at, record.name.to_string(), name, RECORD),
        Field::new("TYPE", at..at + 2, kind.to_string(), kind_meaning(kind), "RFC 1035 §3.2.2"),
        Field::new("CLASS", at + 2..at + 4, class(record.class), class_meaning(record.class), RECORD),
        Field::new("TTL", at + 4..at + 8, record.ttl.to_string(), lifetime(record.ttl), RECORD),
        Field::new(
            "RDLENGTH",
            at + 8..at + 10,
            length.to_string(),
            format!("{length} bytes of data follow."),
            RECORD,
        ),
    ];
    // What has no bytes stands nowhere.
    if length > 0 {
        fields.push(Field::new("RDATA", at + 10..place.end, value(&record.data), says, RECORD));
    }
    fields
}

fn kind_meaning(kind: Kind) -> String {
    match kind {
        Kind::A => "The data is an IPv4 address.".to_owned(),
        Kind::Aaaa => "The data is an IPv6 address.".to_owned(),
        Kind::Cname => "The data is the name that this name stands for.".to_owned(),
        Kind::Ptr => "The data is the name of an address.".to_owned(),
        Kind::Ns => "The data is the name of a server that knows this zone.".to_owned(),
        Kind::Soa => "The data tells who keeps this zone, and how long it is true.".to_owned(),
        kind => format!("The data is that of {}.", a_record(kind)),
    }
}

fn lifetime(seconds: u32) -> String {
    match seconds {
        0 => "It must not be remembered at all.".to_owned(),
        _ => format!("It may be remembered for {seconds} s."),
    }
}

/// An OPT record uses the parts of a record for other things.
fn edns_fields(bytes: &[u8], section: &'static str, place: &Place) -> Vec<Field> {
    let at = place.fixed;
    let (size, flags) = (u16_at(bytes, at + 2).unwrap_or(0), u32_at(bytes, at + 4).unwrap_or(0));
    let version = flags >> 16 & 0xff;
    let signatures = match flags & 0x8000 {
        0 => "Signatures are not asked for.",
        _ => "Signatures are wanted, too.",
    };
    let number = |name, place: Range<usize>, value: u32, meaning: &str| {
        Field::new(name, place, value.to_string(), meaning, EDNS)
    };
    let options = place.end - at - 10;
    let whole = format!("EDNS version {version}, messages up to {size} bytes");
    let mut fields = vec![
        Field::new(
            section,
            place.start..place.end,
            whole,
            "No record: it tells what the sender can do beyond what DNS could at first.",
            EDNS,
        ),
        Field::new("NAME", place.start..at, ".", "Always the root's.", EDNS),
        Field::new("TYPE", at..at + 2, "OPT", "Says that this is no record, but about the sender.", EDNS),
        number("UDP payload size", at + 2..at + 4, size.into(), "The longest message that the sender takes."),
        number("extended response code", at + 4..at + 5, flags >> 24, "The upper bits of the response code."),
        number("EDNS version", at + 5..at + 6, version, "The version of these extensions."),
        number("DO", at + 6..at + 8, flags >> 15 & 1, signatures).with_bits(0..1),
        number("reserved", at + 6..at + 8, flags & 0x7fff, "Nothing is said here.").with_bits(1..16),
        number("RDLENGTH", at + 8..at + 10, options as u32, &format!("{options} bytes of options follow.")),
    ];
    if options > 0 {
        let meaning = "Options, each with its number and length; they are not read here.";
        let value = format!("{options} bytes");
        fields.push(Field::new("EDNS options", at + 10..place.end, value, meaning, "RFC 6891 §6.1.2"));
    }
    fields
}

/// A record of this kind, with the article that its name has when it is spoken.
fn a_record(kind: Kind) -> String {
    let article = match kind {
        Kind::A | Kind::Aaaa | Kind::Any | Kind::Ns | Kind::Soa => "an",
        Kind::Cname | Kind::Ptr | Kind::Other(_) => "a",
    };
    format!("{article} {kind} record")
}

pub(super) fn value(data: &Data) -> String {
    match data {
        Data::A(address) => address.to_string(),
        Data::Aaaa(address) => address.to_string(),
        Data::Cname(name) | Data::Ptr(name) => name.to_string(),
        Data::Soa(soa) => soa.server.to_string(),
        Data::Other(kind) => a_record(*kind),
    }
}

/// What the whole of a record says.
fn meaning(record: &Record) -> String {
    format!("Says: {}. May be remembered for {} s.", statement(record), record.ttl)
}

/// The same of its data alone.
fn says(record: &Record) -> String {
    let statement = statement(record);
    let mut letters = statement.chars();
    match record.data {
        // A name keeps its letters as they are.
        Data::A(_) | Data::Aaaa(_) | Data::Cname(_) => format!("{statement}."),
        _ => letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .chain(['.'])
            .collect(),
    }
}

fn statement(record: &Record) -> String {
    let name = &record.name;
    match &record.data {
        Data::A(address) => format!("{name} has the IPv4 address {address}"),
        Data::Aaaa(address) => format!("{name} has the IPv6 address {address}"),
        Data::Cname(target) => format!("{name} stands for {target}"),
        Data::Ptr(owner) => format!("the address belongs to {owner}"),
        Data::Soa(soa) => format!("the zone {name} is kept by {}", soa.server),
        Data::Other(kind) => format!("{} of {name}", a_record(*kind)),
    }
}
