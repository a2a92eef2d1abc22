//! Recording a run as it happens.

use std::collections::BTreeMap;
use std::ops::Range;

use framewise_core::message::Subject;
use framewise_core::observe::{self, Dropped, Note};
use framewise_core::{Instant, Observer};

use crate::store::{Moved, Store};
use crate::trace::{Crossing, DropEvent, Event, HostId, NoteEvent, Secret, Stopped, Trace};

/// How much a recording may hold. What happens after that is not recorded, and the trace says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Crossings, notes, drops and secrets together.
    pub events: usize,
    /// Bytes of messages.
    pub bytes: usize,
}

impl Default for Limits {
    /// A million events and 256 MiB.
    fn default() -> Self {
        Limits { events: 1_000_000, bytes: 256 * 1_024 * 1_024 }
    }
}

/// An observer that keeps what it sees.
///
/// Hosts tell their names by [`Observer::host`]; what is seen before belongs to a host without a name.
#[derive(Debug, Default)]
pub struct Recorder {
    trace: Trace,
    store: Store,
    limits: Limits,
    /// The host that speaks now, once there is one.
    host: Option<HostId>,
    /// Buffers by the numbers that they have among those of their thread.
    buffers: BTreeMap<u64, u64>,
}

impl Recorder {
    /// A recorder with the usual [`Limits`].
    pub fn new() -> Self {
        Recorder::default()
    }

    /// A recorder that stops at these limits.
    pub fn with_limits(limits: Limits) -> Self {
        Recorder { limits, ..Recorder::default() }
    }

    /// How many events it holds: where the next one will be.
    pub fn len(&self) -> usize {
        self.trace.events.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.trace.events.is_empty()
    }

    /// What was recorded so far, copied.
    pub fn trace(&self) -> Trace {
        let mut trace = self.trace.clone();
        trace.bytes = self.store.bytes().to_vec();
        trace
    }

    /// What was recorded.
    pub fn into_trace(self) -> Trace {
        let mut trace = self.trace;
        trace.bytes = self.store.into_bytes();
        trace
    }

    /// Whether one more event may be recorded.
    fn has_room(&mut self, now: Instant) -> bool {
        if self.trace.stopped.is_none() && self.trace.events.len() >= self.limits.events {
            self.stop(now, Stopped::Events(self.limits.events));
        }
        self.trace.stopped.is_none()
    }

    fn stop(&mut self, now: Instant, why: Stopped) {
        self.trace.stopped = Some((now, why));
    }

    fn current_host(&mut self) -> HostId {
        if self.host.is_none() {
            self.host("");
        }
        self.host.unwrap_or(HostId(0))
    }

    /// Keeps the bytes of a message and moves the ranges that this moves.
    fn keep(&mut self, host: HostId, subject: Subject, bytes: &[u8]) -> Option<Range<usize>> {
        let buffer = match subject {
            Subject::Buffer(serial) => Some(serial),
            _ => None,
        };
        let event = self.trace.events.len();
        let (range, moved) = self.store.keep(host, buffer, bytes, event, self.limits.bytes)?;
        if let Some(moved) = moved {
            self.move_ranges(&moved);
        }
        Some(range)
    }

    fn move_ranges(&mut self, moved: &Moved) {
        let later = self.trace.events.get_mut(moved.first_event..).unwrap_or_default();
        for event in later {
            if let Event::Crossing(Crossing { range, .. }) = event
                && range.start >= moved.from
                && range.start < range.end
            {
                *range = range.start + moved.by..range.end + moved.by;
            }
        }
    }

    fn renumber(&mut self, subject: Subject) -> Subject {
        let Subject::Buffer(serial) = subject else {
            return subject;
        };
        let next = self.buffers.len() as u64;
        Subject::Buffer(*self.buffers.entry(serial).or_insert(next))
    }
}

impl Observer for Recorder {
    fn host(&mut self, name: &str) {
        let known = self.trace.host(name);
        self.host = known.or_else(|| {
            self.trace.hosts.push(name.to_owned());
            Some(HostId(self.trace.hosts.len() - 1))
        });
    }

    fn crossed(&mut self, crossing: &observe::Crossing<'_>) {
        if !self.has_room(crossing.now) {
            return;
        }
        let host = self.current_host();
        let subject = crossing.message.subject();
        let Some(range) = self.keep(host, subject, crossing.message.bytes()) else {
            return self.stop(crossing.now, Stopped::Bytes(self.limits.bytes));
        };
        let subject = self.renumber(subject);
        self.trace.events.push(Event::Crossing(Crossing {
            now: crossing.now,
            host,
            seam: crossing.seam,
            upper: crossing.upper,
            lower: crossing.lower,
            direction: crossing.direction,
            kind: crossing.message.kind(),
            subject,
            interface: crossing.message.interface(),
            offload: crossing.message.offload_facts(),
            summary: crossing.message.summary(),
            range,
        }));
    }

    fn noted(&mut self, note: &Note) {
        if !self.has_room(note.now) {
            return;
        }
        let host = self.current_host();
        self.trace.events.push(Event::Note(NoteEvent {
            now: note.now,
            host,
            layer: note.layer,
            topic: note.topic,
            text: note.text.clone(),
        }));
    }

    fn dropped(&mut self, dropped: &Dropped) {
        if !self.has_room(dropped.now) {
            return;
        }
        let host = self.current_host();
        self.trace.events.push(Event::Drop(DropEvent {
            now: dropped.now,
            host,
            layer: dropped.layer,
            reason: dropped.reason,
        }));
    }

    fn secret(&mut self, now: Instant, line: &str) {
        if !self.has_room(now) {
            return;
        }
        let host = self.current_host();
        self.trace.events.push(Event::Secret(Secret { now, host, line: line.to_owned() }));
    }
}
