//! The control bits of a segment, together and one by one: RFC 9293 section 3.1; RFC 3168 section 6.1 (ECE and CWR).

use framewise_core::Field;

use crate::segment::{Flags, Header};

const SOURCE: &str = "RFC 9293 §3.1";

/// The reserved bits, which share `byte` with the data offset; the control bits as a whole; each of them.
pub(super) fn fields(header: &Header, byte: u8) -> Vec<Field> {
    let flags = header.flags;
    let mut fields = vec![
        reserved(byte & 0x0f),
        Field::new("control bits", 13..14, flags.to_string(), together(flags), SOURCE),
    ];
    fields.extend(BITS.iter().enumerate().map(|(place, bit)| bit.field(place, flags)));
    fields
}

fn reserved(value: u8) -> Field {
    let meaning = match value {
        0 => "Nothing is said here.",
        1 => "The last of these bits is tried out for counting congestion more exactly.",
        _ => "Should be 0 until somebody finds a use for it; whoever reads it passes over it.",
    };
    Field::new("reserved", 12..13, value.to_string(), meaning, SOURCE).with_bits(4..8)
}

/// A control bit, and what it means to be set and not to be.
struct Bit {
    name: &'static str,
    flag: Flags,
    /// In a few words, for the sum of them.
    short: &'static str,
    set: &'static str,
    not_set: &'static str,
    source: &'static str,
}

impl Bit {
    fn field(&self, place: usize, flags: Flags) -> Field {
        let set = flags.has(self.flag);
        let meaning = match (set, self.flag == Flags::ECE && flags.has(Flags::SYN)) {
            (true, true) => "The sender understands marks of congestion.",
            (true, false) => self.set,
            (false, _) => self.not_set,
        };
        let value = if set { "1" } else { "0" };
        Field::new(self.name, 13..14, value, meaning, self.source).with_bits(place..place + 1)
    }
}

/// In the order of the header.
const BITS: [Bit; 8] = [
    Bit {
        name: "CWR",
        flag: Flags::CWR,
        short: "CWR: the sender slowed down.",
        set: "The sender has heard of congestion, and slowed down.",
        not_set: "The sender has not slowed down because of congestion just now.",
        source: "RFC 3168 §6.1",
    },
    Bit {
        name: "ECE",
        flag: Flags::ECE,
        short: "ECE: a router reported congestion.",
        set: "A packet came here with a router's mark: it was near its limit.",
        not_set: "No router's mark of congestion came here.",
        source: "RFC 3168 §6.1",
    },
    Bit {
        name: "URG",
        flag: Flags::URG,
        short: "URG: the urgent pointer counts.",
        set: "The urgent pointer counts.",
        not_set: "The urgent pointer means nothing.",
        source: SOURCE,
    },
    Bit {
        name: "ACK",
        flag: Flags::ACK,
        short: "ACK: the acknowledgment number counts.",
        set: "The acknowledgment number counts.",
        not_set: "The acknowledgment number means nothing: the sender has heard nothing yet, or breaks off.",
        source: SOURCE,
    },
    Bit {
        name: "PSH",
        flag: Flags::PSH,
        short: "PSH: hand it on without waiting for more.",
        set: "Hand on what came without waiting for more.",
        not_set: "More may be waited for before it is handed on.",
        source: SOURCE,
    },
    Bit {
        name: "RST",
        flag: Flags::RST,
        short: "RST: the connection is broken off.",
        set: "The connection is broken off, or there was none.",
        not_set: "The connection goes on.",
        source: SOURCE,
    },
    Bit {
        name: "SYN",
        flag: Flags::SYN,
        short: "SYN: numbers begin here.",
        set: "A connection begins: this is the number from which the sender counts.",
        not_set: "No connection begins here.",
        source: SOURCE,
    },
    Bit {
        name: "FIN",
        flag: Flags::FIN,
        short: "FIN: the sender has sent all.",
        set: "The sender has sent all that it had to say.",
        not_set: "The sender may say more.",
        source: SOURCE,
    },
];

/// What those that are set mean, the most telling first.
fn together(flags: Flags) -> String {
    const TELLING: [Flags; 8] =
        [Flags::SYN, Flags::ACK, Flags::PSH, Flags::FIN, Flags::RST, Flags::URG, Flags::ECE, Flags::CWR];
    let set = TELLING.into_iter().filter(|flag| flags.has(*flag));
    let short = |flag| BITS.iter().find(|bit| bit.flag == flag).map(|bit| bit.short);
    let said: Vec<_> = set.filter_map(short).collect();
    match said.is_empty() {
        true => "None is set, which no connection sends.".to_owned(),
        false => said.join(" "),
    }
}
