//! Captures and recorded runs, taken apart: what each byte of each frame is, and which frames brought each byte of a page.
//!
//! One mechanism for runs of our own and for captures of others. It only watches: nothing is read out of a connection's
//! insides, and nothing of a protocol is known here that its crate does not say.
//!
//! ```text
//!   pcap, pcapng, key log ──of_capture──┐                  ┌── frame(n)       its layers, their fields, in sentences
//!                                       ├──► Dissection ───┼── connection(id)  streams, gaps, TLS, HTTP messages
//!   Trace, host ────────────of_trace────┘                  ├── below(place)    ─► records ─► streams ─► frames
//!                                                          └── meanings(n, b)  a byte of a frame: field, record, message
//!
//!      Frame ──► Datagram ──► Stream ──► Record ──► Plaintext        byte spaces: see `Space`
//! ```
//!
//! Opening sorts the frames: it finds connections and the places of segments in their streams, and keeps each byte once.
//! Sentences, records and messages are made when somebody asks, so that a large capture opens at once.
//!
//! ```
//! use framewise_trace::dissect::{Dissection, Limits, Side};
//!
//! let capture = include_bytes!("../../../../pcaps/https.pcapng");
//! let dissection = Dissection::of_capture(&capture[..], "", Limits::default())?;
//! for frame in dissection.frames() {
//!     println!("{} {}", frame.number(), frame.summary());
//! }
//!
//! // Which frames brought the head of the first response?
//! let connection = dissection.connections().next().expect("one connection");
//! let stream = connection.stream(Side::Server);
//! let head = stream.place(&stream.messages()[0].head);
//! for carrier in dissection.frames_of(&head) {
//!     println!("bytes {:?} in {:?}", carrier.part, carrier.at);
//! }
//! # Ok::<(), framewise_trace::ReadError>(())
//! ```
//!
//! # What is not seen
//!
//! A stream whose SYN was not captured begins with the first number that was seen ([`Stream::is_inferred`]). What is missing
//! is a gap of known length ([`Stream::gaps`]) and never joined over: after one, TLS can't be opened any more, and HTTP only
//! goes on within a body. A segment whose checksum is wrong, or whose frame a layer refused, counts only where nothing better
//! came ([`Piece::is_doubtful`]); but one that the other side acknowledges, with nothing better before, was taken whatever its
//! sum says here, and counts as any other ([`Segment::taken_by`]). A SYN with another number begins another connection, whether
//! its receiver took it or not.
//! Of TLS nothing is opened in a connection whose hellos are missing, nor after keys were agreed on once more within TLS 1.2.

mod analysis;
mod caught;
mod connection;
mod connections;
mod consequences;
mod cut;
mod datagrams;
mod frame;
mod gather;
mod half;
mod happened;
mod layers;
mod limits;
mod outline;
mod provenance;
mod reading;
mod records;
mod session;
mod space;
mod states;
mod store;
mod told;
mod vouched;
mod ways;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use framewise_tls::passive::KeyLog;

use crate::pcapng::ReadError;
use analysis::Analysis;
use session::Session;
use states::Gossip;
use store::Store;

pub use analysis::Unusual;
pub use connection::{Application, Connection, Exchange, Stream};
pub(crate) use connections::begun_by;
pub use connections::{Beginning, Segment};
pub use consequences::{Consequence, Kind};
pub use frame::Frame;
pub use half::{Ending, Piece};
pub use happened::{Astray, Deed};
pub use layers::{Layer, Stack};
pub use limits::{LeftOut, Limits};
pub(crate) use outline::Outline;
pub use provenance::Meaning;
pub use records::{TlsRecord, Unframed};
pub use space::{Carrier, ConnectionId, DatagramId, Place, Side, Space, StreamId};
pub use states::{LayerState, Stated};
pub use store::Interface;

/// Where frames come from, and what their times count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A capture: times are since 1970.
    Capture,
    /// A recorded run of our own: times are since it began.
    Run,
}

/// Which layer refused a frame, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which layer.
    pub layer: &'static str,
    /// Why, as drops are counted.
    pub reason: &'static str,
}

/// A capture or a recorded run, taken apart.
pub struct Dissection {
    origin: Origin,
    /// Whether it is a trace, in which is told what the wire did: nothing has to be guessed.
    is_told: bool,
    store: Store,
    connections: Vec<connections::Record>,
    /// What is above TCP in each connection, once somebody has asked.
    sessions: Vec<OnceLock<Box<Session>>>,
    /// How its ends stand and what is unusual, likewise.
    analyses: Vec<OnceLock<Box<Analysis>>>,
    /// What was said about neighbours, likewise.
    gossip: OnceLock<Gossip>,
    comments: BTreeMap<u32, Vec<String>>,
    refused: BTreeMap<u32, Refused>,
    /// What was done to frames on their way, and what of those sent here never came.
    deeds: BTreeMap<u32, Vec<Deed>>,
    astray: Vec<Astray>,
    /// Who refused a frame beyond the wire: the host's name, and why.
    refused_elsewhere: BTreeMap<u32, (String, Refused)>,
    /// When the first frame was seen that has a time, likewise.
    began: OnceLock<Option<Duration>>,
    events: Vec<usize>,
    key_log: KeyLog,
    limits: Limits,
    left_out: LeftOut,
    damage: Option<ReadError>,
}

impl Dissection {
    /// When the first frame was seen that has a time: what views count from.
    pub fn began(&self) -> Option<Duration> {
        *self.began.get_or_init(|| self.frames().find_map(|frame| frame.time()))
    }

    /// Where the frames come from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What is wrong with the capture, and where, if it could not be read to its end. What came before is here.
    pub fn damage(&self) -> Option<&ReadError> {
        self.damage.as_ref()
    }

    /// How much it may hold.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What was more than that.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// The interfaces on which frames were seen.
    pub fn interfaces(&self) -> &[Interface] {
        &self.store.interfaces
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.store.frames.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.store.frames.is_empty()
    }

    /// The frame of this number, from 1.
    pub fn frame(&self, number: usize) -> Option<Frame<'_>> {
        let record = self.store.record(number)?;
        Some(Frame { dissection: self, number, record })
    }

    /// All frames in order.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = Frame<'_>> {
        let records = self.store.frames.iter().enumerate();
        records.map(|(index, record)| Frame { dissection: self, number: index + 1, record })
    }

    /// The connection of this number.
    pub fn connection(&self, id: ConnectionId) -> Option<Connection<'_>> {
        let record = self.record(id)?;
        Some(Connection { dissection: self, id, record })
    }

    /// All TCP connections in the order of their first frames.
    pub fn connections(&self) -> impl ExactSizeIterator<Item = Connection<'_>> {
        let records = self.connections.iter().enumerate();
        records.map(|(index, record)| Connection { dissection: self, id: ConnectionId(index as u32), record })
    }

    /// How long the payload of a packet is that came in fragments, if they make one.
    pub fn datagram_length(&self, id: DatagramId) -> Option<u64> {
        let datagram = self.store.datagrams.get(id)?;
        datagram.total.filter(|_| datagram.whole_at.is_some()).map(u64::from)
    }

    fn record(&self, id: ConnectionId) -> Option<&connections::Record> {
        self.connections.get(id.0 as usize)
    }
}

impl std::fmt::Debug for Dissection {
    /// How much it holds, not what.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dissection({} frames, {} connections)", self.len(), self.connections.len())
    }
}
