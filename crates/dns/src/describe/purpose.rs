//! What a message is for, by its opcode, and what its parts are called then: RFC 1035 section 4.1.1 (a query), RFC 1996 section 3
//! (NOTIFY), RFC 2136 sections 2 and 3 (UPDATE).

use crate::message::Message;
use crate::record::{INTERNET, Kind, Record, ResponseCode};

/// The classes that are none (RFC 2136, sections 2.4 and 2.5; RFC 1035, section 3.2.5).
const NONE: u16 = 254;
const ANY: u16 = 255;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Something is asked, or something that is not known here.
    Query,
    /// A zone has changed.
    Notify,
    /// A zone is to be changed.
    Update,
}

/// The names of the four sections, of their counts, and what these count.
type Sections = [(&'static str, &'static str, &'static str); 4];

const QUERY: Sections = [
    ("question", "question count", "questions"),
    ("answer", "answer count", "records that answer it"),
    ("authority", "authority count", "records that say whose zone it is"),
    ("additional", "additional count", "records that may help"),
];
const NOTIFY: Sections = [
    ("question", "question count", "names of what has changed"),
    ("answer", "answer count", "records as they are now"),
    ("authority", "authority count", "records that say whose zone it is"),
    ("additional", "additional count", "records that may help"),
];
const UPDATE: Sections = [
    ("zone", "zone count", "zones to be changed"),
    ("prerequisite", "prerequisite count", "conditions, without which nothing is changed,"),
    ("update", "update count", "changes"),
    ("additional", "additional count", "records that may help"),
];

impl Purpose {
    pub(super) fn of(message: &Message) -> Self {
        match message.opcode {
            4 => Purpose::Notify,
            5 => Purpose::Update,
            _ => Purpose::Query,
        }
    }

    pub(super) fn sections(self) -> &'static Sections {
        match self {
            Purpose::Query => &QUERY,
            Purpose::Notify => &NOTIFY,
            Purpose::Update => &UPDATE,
        }
    }

    /// What the message says, in the words of who sends it and of who gets it; `None`: what it asks or answers says it.
    pub(super) fn phrase(self, message: &Message) -> Option<[String; 2]> {
        let zone = &message.questions.first()?.name;
        Some(match (self, message.response, message.code) {
            (Purpose::Query, ..) => return None,
            (Purpose::Notify, false, _) => {
                [format!("says: {zone} has changed"), format!("is told: {zone} changed")]
            }
            (Purpose::Update, false, _) => {
                [format!("asks to change: {zone}"), format!("is to change: {zone}")]
            }
            (Purpose::Notify, true, ResponseCode::NoError) => {
                [format!("has heard of: {zone}"), format!("was heard: {zone}")]
            }
            (Purpose::Update, true, ResponseCode::NoError) => {
                [format!("has changed: {zone}"), format!("is changed: {zone}")]
            }
            (_, true, code) => [format!("answers: {code}"), format!("learnt: {code}")],
        })
    }

    pub(super) fn next(self, response: bool) -> &'static str {
        match (self, response) {
            (Purpose::Query, true) => "who asked for it",
            (_, true) => "who sent the request",
            (Purpose::Query, false) => "answered right here",
            (Purpose::Notify, false) => "who keeps a copy of it",
            (Purpose::Update, false) => "who keeps the zone",
        }
    }

    /// What the first section's parts are called, and what name and type mean, if they are no question.
    pub(super) fn zone(self) -> Option<([&'static str; 3], [&'static str; 2], &'static str)> {
        match self {
            Purpose::Query => None,
            Purpose::Notify => Some((
                ["QNAME", "QTYPE", "QCLASS"],
                ["The name of what has changed.", "The kind of record that has changed."],
                "RFC 1996 §3.7",
            )),
            Purpose::Update => Some((
                ["ZNAME", "ZTYPE", "ZCLASS"],
                ["The zone that is to be changed.", "Always SOA: a zone is named by its start."],
                "RFC 2136 §2.3",
            )),
        }
    }

    /// What a record says in this section, if it is no record that answers something, and where that stands.
    pub(super) fn meaning(self, section: &str, record: &Record) -> Option<(String, &'static str)> {
        if self != Purpose::Update {
            return None;
        }
        let (name, kind) = (&record.name, record.data.kind());
        Some(match section {
            "prerequisite" => (condition(record), "RFC 2136 §2.4"),
            "update" => {
                let change = match (record.class, kind) {
                    (ANY, Kind::Any) => format!("All records of {name} are to go."),
                    (ANY, kind) => format!("All {kind} records of {name} are to go."),
                    (NONE, kind) => {
                        format!("Of the {kind} records of {name}, the one with this data is to go.")
                    }
                    _ => format!("This is to be added to the {kind} records of {name}."),
                };
                (change, "RFC 2136 §2.5")
            }
            _ => return None,
        })
    }
}

fn condition(record: &Record) -> String {
    let (name, kind) = (&record.name, record.data.kind());
    match (record.class, kind) {
        (ANY, Kind::Any) => format!("Only if there is any record of {name}."),
        (NONE, Kind::Any) => format!("Only if there is no record of {name}."),
        (ANY, kind) => format!("Only if there are {kind} records of {name}."),
        (NONE, kind) => format!("Only if there are no {kind} records of {name}."),
        (_, kind) => format!("Only if the {kind} records of {name} are these."),
    }
}

/// What a class is called.
pub(super) fn class(class: u16) -> String {
    match class {
        INTERNET => "IN".to_owned(),
        NONE => "NONE".to_owned(),
        ANY => "ANY".to_owned(),
        // RFC 3597 section 5.
        other => format!("CLASS{other}"),
    }
}

/// What it means.
pub(super) fn class_meaning(class: u16) -> &'static str {
    match class {
        INTERNET => "Of the Internet, today always.",
        NONE => "Of none: this tells what must not be there, or is to go.",
        ANY => "Of any: whichever network it is.",
        _ => "Of another network than the Internet, or used for something else.",
    }
}
