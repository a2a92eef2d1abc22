//! A finished recording, and the questions that views ask of it.

use std::collections::BTreeSet;
use std::ops::Range;

use framewise_core::buf::{InterfaceId, Offload};
use framewise_core::message::Subject;
use framewise_core::{Direction, Instant};

use crate::wire;

/// One of the hosts of a run, counted from 0 in the order in which they were first heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// The layer that notes are of which tell what became of a frame on its way: no host's, and none knows.
///
/// They stand behind the crossing of the frame that they speak of, under the host that sent it; their topic is `lost`,
/// `duplicated`, `held back` or `damaged`.
pub const WIRE: &str = "wire";

/// What was observed, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message crossed a seam.
    Crossing(Crossing),
    /// A layer said something about what it did.
    Note(NoteEvent),
    /// A layer dropped something.
    Drop(DropEvent),
    /// A layer told a TLS secret.
    Secret(Secret),
}

/// A message that crossed a seam.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// When.
    pub now: Instant,
    /// On which host.
    pub host: HostId,
    /// The seam's name: `frame`, `packet`, `segment`, `stream`, `exchange`.
    pub seam: &'static str,
    /// The layer above the seam.
    pub upper: &'static str,
    /// The layer below the seam.
    pub lower: &'static str,
    /// Which way.
    pub direction: Direction,
    /// Which of the seam's messages this is, as one fixed word.
    pub kind: &'static str,
    /// What ties the message to others. Buffers are numbered anew from 0, so that a run's recording
    /// is the same however many buffers the program used before it.
    pub subject: Subject,
    /// By which interface, for a frame.
    pub interface: Option<InterfaceId>,
    /// What is left to the device, or was done by it, for a frame. The place of a partial checksum counts from its first byte.
    pub offload: Offload,
    /// One line for a person.
    pub summary: String,
    /// Where its bytes are in [`Trace::all_bytes`]. Those of a packet lie within those of its frame.
    pub range: Range<usize>,
}

/// What a layer said about what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteEvent {
    /// When.
    pub now: Instant,
    /// On which host.
    pub host: HostId,
    /// Which layer.
    pub layer: &'static str,
    /// A fixed word by which a view finds this note.
    pub topic: &'static str,
    /// The sentence.
    pub text: String,
}

/// Something that a layer dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropEvent {
    /// When.
    pub now: Instant,
    /// On which host.
    pub host: HostId,
    /// Which layer.
    pub layer: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// A TLS secret, as a line of the `SSLKEYLOGFILE` format.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// When.
    pub now: Instant,
    /// On which host.
    pub host: HostId,
    /// The line.
    pub line: String,
}

impl std::fmt::Debug for Secret {
    /// Without the secret: it shall not end in a log by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} of host {})", self.now, self.host.0)
    }
}

/// Why a recording ended before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// As many events as it may hold.
    Events(usize),
    /// As many bytes as it may hold.
    Bytes(usize),
}

/// A finished recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub(crate) hosts: Vec<String>,
    pub(crate) events: Vec<Event>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) stopped: Option<(Instant, Stopped)>,
}

impl Trace {
    /// The hosts' names, by [`HostId`].
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<HostId> {
        self.hosts.iter().position(|host| host == name).map(HostId)
    }

    /// The name of a host; empty for one that isn't there.
    pub fn host_name(&self, host: HostId) -> &str {
        self.hosts.get(host.0).map_or("", String::as_str)
    }

    /// Everything, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The messages that crossed seams, in order.
    pub fn crossings(&self) -> impl Iterator<Item = &Crossing> {
        self.events.iter().filter_map(|event| match event {
            Event::Crossing(crossing) => Some(crossing),
            _ => None,
        })
    }

    /// What layers said, in order.
    pub fn notes(&self) -> impl Iterator<Item = &NoteEvent> {
        self.events.iter().filter_map(|event| match event {
            Event::Note(note) => Some(note),
            _ => None,
        })
    }

    /// What layers dropped, in order.
    pub fn drops(&self) -> impl Iterator<Item = &DropEvent> {
        self.events.iter().filter_map(|event| match event {
            Event::Drop(dropped) => Some(dropped),
            _ => None,
        })
    }

    /// The TLS secrets that were told, in order.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.events.iter().filter_map(|event| match event {
            Event::Secret(secret) => Some(secret),
            _ => None,
        })
    }

    /// The TLS secrets of all hosts as a key log, each line once: both ends of a connection tell the same.
    pub fn key_log(&self) -> String {
        let mut known = BTreeSet::new();
        self.secrets()
            .filter(|secret| known.insert(secret.line.as_str()))
            .flat_map(|secret| [secret.line.as_str(), "\n"])
            .collect()
    }

    /// The frames that a host sent and received, in order: what crossed between it and its devices.
    pub fn frames<'t>(&'t self, host: &str) -> impl Iterator<Item = &'t Crossing> + use<'t> {
        let host = self.host(host);
        self.crossings().filter(move |crossing| Some(crossing.host) == host && crossing.is_on_the_wire())
    }

    /// How many frames on the wire a frame stands for: one, or as many as the device cuts it into or has joined to it.
    pub fn wire_frames(&self, frame: &Crossing) -> usize {
        wire::count(self.bytes(frame), frame.offload)
    }

    /// The bytes of a message.
    pub fn bytes(&self, crossing: &Crossing) -> &[u8] {
        self.bytes.get(crossing.range.clone()).unwrap_or_default()
    }

    /// The bytes of all messages, each held once; [`Crossing::range`] is a range of these.
    pub fn all_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When and why the recording ended before the run, if it did.
    pub fn stopped(&self) -> Option<(Instant, Stopped)> {
        self.stopped
    }
}

impl Crossing {
    /// Whether this is a frame between the lowest layer and a device.
    pub fn is_on_the_wire(&self) -> bool {
        is_on_the_wire(self.seam, self.lower)
    }
}

pub(crate) fn is_on_the_wire(seam: &str, lower: &str) -> bool {
    seam == "frame" && lower == "device"
}
