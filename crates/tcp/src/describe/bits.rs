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
        let meaning = match (set, agreement(self.flag, flags)) {
            (true, Some((_, meaning))) => meaning,
            (true, None) => self.set,
            (false, _) => self.not_set,
        };
        let value = if set { "1" } else { "0" };
        Field::new(self.name, 13..14, value, meaning, self.source).with_bits(place..place + 1)
    }
}

/// What ECE or CWR means where a SYN agrees on marks of congestion, and nobody speaks of any yet: in a few words, and in a
/// sentence. `None` of other bits and segments (RFC 3168, section 6.1.1).
fn agreement(bit: Flags, flags: Flags) -> Option<(&'static str, &'static str)> {
    if !flags.has(Flags::SYN) || (bit != Flags::ECE && bit != Flags::CWR) {
        return None;
    }
    let (is_answer, others) = (flags.has(Flags::ACK), [Flags::ECE, Flags::CWR].map(|bit| flags.has(bit)));
    Some(match (is_answer, others, bit == Flags::ECE) {
        (false, [true, true], true) => (
            "ECE: offers to report congestion.",
            "With CWR in a SYN: the sender offers to report the marks of congestion that reach it.",
        ),
        (false, [true, true], false) => (
            "CWR: offers to heed such reports.",
            "With ECE in a SYN: the sender offers to slow down when such marks are reported to it.",
        ),
        (true, [true, false], _) => (
            "ECE: accepts reports of congestion.",
            "In the answer to a SYN, without CWR: the sender reports marks of congestion, and heeds reports.",
        ),
        (false, ..) => (
            "One of ECE and CWR alone offers nothing.",
            "In a SYN it means something only together with the other one: nothing is offered.",
        ),
        (true, ..) => (
            "With CWR nothing is accepted.",
            "In the answer to a SYN only ECE without CWR accepts marks of congestion: here nothing is accepted.",
        ),
    })
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
    let usual = |flag| BITS.iter().find(|bit| bit.flag == flag).map(|bit| bit.short);
    let short = |flag| agreement(flag, flags).map(|(short, _)| short).or_else(|| usual(flag));
    let mut said: Vec<_> = set.filter_map(short).collect();
    said.dedup();
    match said.is_empty() {
        true => "None is set, which no connection sends.".to_owned(),
        false => said.join(" "),
    }
}
