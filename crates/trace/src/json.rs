//! A trace as JSON, for programs that aren't ours.
//!
//! ```json
//! {
//!   "format": "framewise-trace", "version": 1,
//!   "hosts": ["me", "shop.test"],
//!   "bytes": "020000000002…",
//!   "events": [
//!     {"kind": "crossing", "time_ns": 0, "host": 0, "seam": "frame", "upper": "ethernet", "lower": "device",
//!      "direction": "outbound", "message": "frame", "subject": "buffer 3", "interface": 0, "summary": "…", "range": [0, 60]},
//!     {"kind": "note", "time_ns": 0, "host": 0, "layer": "ethernet", "topic": "resolved", "text": "…"}
//!   ],
//!   "stopped": null
//! }
//! ```
//!
//! Times are nanoseconds since the run began; ranges are bytes of the one string `bytes`, end excluded. A super-frame, which
//! the device cuts or has joined, has a `segment_size`: payload bytes of each frame on the wire. Secrets are in it only
//! where that is asked for. A reader refuses another `version` and ignores fields it doesn't know.

use std::io::Write;

use framewise_core::message::Subject;
use serde::Serialize;

use crate::trace::{Event, Stopped, Trace};

/// What the field `format` says.
pub const FORMAT: &str = "framewise-trace";
/// What the field `version` says: it changes when a field changes its meaning or goes.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'t> {
    format: &'static str,
    version: u32,
    hosts: &'t [String],
    bytes: String,
    events: Vec<Entry<'t>>,
    stopped: Option<End>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Entry<'t> {
    Crossing {
        time_ns: u64,
        host: usize,
        seam: &'t str,
        upper: &'t str,
        lower: &'t str,
        direction: String,
        message: &'t str,
        subject: Option<String>,
        interface: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        segment_size: Option<u16>,
        summary: &'t str,
        range: [usize; 2],
    },
    Note {
        time_ns: u64,
        host: usize,
        layer: &'t str,
        topic: &'t str,
        text: &'t str,
    },
    Drop {
        time_ns: u64,
        host: usize,
        layer: &'t str,
        reason: &'t str,
    },
    Secret {
        time_ns: u64,
        host: usize,
        line: &'t str,
    },
}

#[derive(Serialize)]
struct End {
    time_ns: u64,
    limit: &'static str,
    most: usize,
}

impl Trace {
    /// Writes the trace as one JSON document, with its TLS secrets or without.
    ///
    /// # Errors
    /// `out` can't be written.
    pub fn write_json(&self, out: impl Write, secrets: bool) -> std::io::Result<()> {
        let wanted = |event: &&Event| secrets || !matches!(event, Event::Secret(_));
        let document = Document {
            format: FORMAT,
            version: VERSION,
            hosts: self.hosts(),
            bytes: hex(self.all_bytes()),
            events: self.events().iter().filter(wanted).map(entry).collect(),
            stopped: self.stopped().map(|(now, why)| {
                let (limit, most) = match why {
                    Stopped::Events(most) => ("events", most),
                    Stopped::Bytes(most) => ("bytes", most),
                };
                End { time_ns: now.as_nanos(), limit, most }
            }),
        };
        serde_json::to_writer(out, &document).map_err(Into::into)
    }
}

fn entry(event: &Event) -> Entry<'_> {
    match event {
        Event::Crossing(crossing) => Entry::Crossing {
            time_ns: crossing.now.as_nanos(),
            host: crossing.host.0,
            seam: crossing.seam,
            upper: crossing.upper,
            lower: crossing.lower,
            direction: crossing.direction.to_string(),
            message: crossing.kind,
            subject: subject(crossing.subject),
            interface: crossing.interface.map(|interface| interface.0),
            segment_size: crossing.offload.segment_size,
            summary: &crossing.summary,
            range: [crossing.range.start, crossing.range.end],
        },
        Event::Note(note) => Entry::Note {
            time_ns: note.now.as_nanos(),
            host: note.host.0,
            layer: note.layer,
            topic: note.topic,
            text: &note.text,
        },
        Event::Drop(dropped) => Entry::Drop {
            time_ns: dropped.now.as_nanos(),
            host: dropped.host.0,
            layer: dropped.layer,
            reason: dropped.reason,
        },
        Event::Secret(secret) => {
            Entry::Secret { time_ns: secret.now.as_nanos(), host: secret.host.0, line: &secret.line }
        }
    }
}

fn subject(subject: Subject) -> Option<String> {
    match subject {
        Subject::None => None,
        Subject::Buffer(number) => Some(format!("buffer {number}")),
        Subject::Connection(conn) => Some(format!("connection {conn}")),
        Subject::Exchange(exchange) => Some(format!("exchange {exchange}")),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
