//! The lines of JSON in a trace. Written by hand, for there are several for each frame; what is text is escaped by serde.

use std::fmt::{Display, Write as _};
use std::ops::Range;
use std::time::Duration;

use framewise_core::Instant;
use framewise_core::observe::{Crossing, Dropped, Note};

use super::{FORMAT, VERSION};

/// Lines that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
}

/// The beginning of a crossing's line.
pub(super) fn crossing(number: u64, crossing: &Crossing<'_>) -> String {
    let mut line = String::with_capacity(256);
    let _ = write!(
        line,
        "{{\"kind\":\"crossing\",\"event\":{number},\"time_ns\":{},\"seam\":\"{}\",\"upper\":\"{}\",\"lower\":\"{}\",\"direction\":\"{}\",\"message\":\"{}\"",
        crossing.now.as_nanos(),
        crossing.seam,
        crossing.upper,
        crossing.lower,
        crossing.direction,
        crossing.message.kind(),
    );
    if let Some(interface) = crossing.message.interface() {
        let _ = write!(line, ",\"interface\":{}", interface.0);
    }
    line
}

/// A connection's or an exchange's name as a number.
pub(super) fn key<K>(id: framewise_core::id::Id<K>) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    id.index().hash(&mut hasher);
    id.to_string().hash(&mut hasher);
    hasher.finish()
}

impl Lines {
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
    }

    /// The first line of a trace.
    pub(super) fn begin(&mut self, host: &str, epoch: Duration) {
        let _ = writeln!(
            self.text,
            "{{\"kind\":\"trace\",\"format\":\"{FORMAT}\",\"version\":{VERSION},\"host\":{},\"epoch_ns\":{}}}",
            text(host),
            epoch.as_nanos(),
        );
    }

    /// The last.
    pub(super) fn end(&mut self, events: u64, frames: u64) {
        let _ = writeln!(self.text, "{{\"kind\":\"end\",\"events\":{events},\"frames\":{frames}}}");
    }

    /// A crossing whose bytes are these of a frame; of `count` frames, if a super-frame stands for several.
    pub(super) fn with_frame(&mut self, line: &str, frame: u64, count: u64, range: Range<usize>) {
        let _ = write!(self.text, "{line},\"frame\":{frame}");
        if count > 1 {
            let _ = write!(self.text, ",\"frames\":{count}");
        }
        let _ = writeln!(self.text, ",\"range\":[{},{}]}}", range.start, range.end);
    }

    /// A crossing whose bytes are in no one frame.
    pub(super) fn without_frame(&mut self, line: &str, length: usize) {
        self.text.push_str(line);
        if length > 0 {
            let _ = write!(self.text, ",\"length\":{length}");
        }
        self.text.push_str("}\n");
    }

    /// A crossing whose bytes are these of what was said on a connection, or in an exchange, at that seam and that way.
    pub(super) fn in_stream(&mut self, line: &str, what: &str, name: &str, range: Range<u64>) {
        let _ = write!(self.text, "{line},\"{what}\":\"{name}\"");
        if !range.is_empty() {
            let _ = write!(self.text, ",\"range\":[{},{}]", range.start, range.end);
        }
        self.text.push_str("}\n");
    }

    pub(super) fn note(&mut self, number: u64, note: &Note, frame: u64) {
        let _ = writeln!(
            self.text,
            "{{\"kind\":\"note\",\"event\":{number},\"time_ns\":{},\"layer\":\"{}\",\"topic\":\"{}\",\"text\":{},\"frame\":{frame}}}",
            note.now.as_nanos(),
            note.layer,
            note.topic,
            text(&note.text),
        );
    }

    pub(super) fn dropped(&mut self, number: u64, dropped: &Dropped, frame: u64) {
        let _ = writeln!(
            self.text,
            "{{\"kind\":\"drop\",\"event\":{number},\"time_ns\":{},\"layer\":\"{}\",\"reason\":{},\"frame\":{frame}}}",
            dropped.now.as_nanos(),
            dropped.layer,
            text(dropped.reason),
        );
    }

    /// A frame that was sent to this host, and never came.
    pub(super) fn lost(&mut self, number: u64, note: &Note, by: &str, after: u64, bytes: &[u8]) {
        let _ = writeln!(
            self.text,
            "{{\"kind\":\"lost\",\"event\":{number},\"time_ns\":{},\"sender\":{},\"after_frame\":{after},\"bytes\":\"{}\"}}",
            note.now.as_nanos(),
            text(by),
            crate::json::hex(bytes),
        );
    }

    /// What a frame has changed about one end of a connection.
    pub(super) fn state(&mut self, frame: u64, now: Instant, side: &str, ends: [&dyn Display; 2], set: &str) {
        let _ = writeln!(
            self.text,
            "{{\"kind\":\"state\",\"time_ns\":{},\"frame\":{frame},\"protocol\":\"TCP\",\"client\":\"{}\",\"server\":\"{}\",\"side\":\"{side}\",\"set\":{{{set}}}}}",
            now.as_nanos(),
            ends[0],
            ends[1],
        );
    }
}

/// A text as JSON.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
