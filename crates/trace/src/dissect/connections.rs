//! Which segment belongs to which connection, and where in its stream.
//!
//! Read first: RFC 9293 sections 3.5 (how a connection begins) and 3.6.1 (half closed).
//!
//! Nobody tells whoever watches that a connection is over and its ports are used again: a SYN with another number does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::Range;

use framewise_tcp::segment::Flags;
use framewise_tcp::{Facts, Flow, Header};

use super::gather::Payload;
use super::half::{Half, Piece};
use super::outline::Outline;
use super::space::{ConnectionId, DatagramId, Side};

/// How the beginning of a connection was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// By its first SYN.
    Asked,
    /// By the SYN of the one that was asked: the capture began after the other.
    Answered,
    /// Not at all: the capture began in the middle. Who is the client is guessed from the ports, and where the streams
    /// begin is the first number that was seen.
    Inferred,
}

/// A segment of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub(super) frame: u32,
    /// Who sent it.
    pub side: Side,
    /// What is known of its place in the connection.
    pub facts: Facts,
    /// Bytes of payload, on the wire.
    pub length: u32,
    /// Which bytes of the stream those are that were captured; `None`: there are none.
    pub(super) at: Option<u64>,
    pub(super) captured: u32,
    /// Where the payload begins, in the frame or in the datagram.
    pub(super) offset: u32,
    /// The control bits.
    pub flags: Flags,
    /// The window as it stands in the header.
    pub(super) window: u16,
    /// Its checksum is wrong, or a layer refused it where it was captured.
    pub(super) doubtful: bool,
    /// Its checksum is wrong, and this frame shows that it was taken all the same.
    pub(super) taken: Option<NonZeroU32>,
}

impl Segment {
    /// The number of its frame; of a packet in fragments, the last one.
    pub fn frame(&self) -> usize {
        self.frame as usize
    }

    /// Which bytes of its sender's stream it carries, as far as they were captured.
    pub fn range(&self) -> Option<Range<u64>> {
        let at = self.at.filter(|_| self.captured > 0)?;
        Some(at..at + u64::from(self.captured))
    }

    /// The number of the frame that shows that it was taken though its checksum is wrong: by an acknowledgment.
    pub fn taken_by(&self) -> Option<usize> {
        self.taken.map(|frame| frame.get() as usize)
    }
}

/// A connection, as far as it was seen.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    pub(super) beginning: Beginning,
    pub(super) segments: Vec<Segment>,
    pub(super) halves: [Half; 2],
}

/// The two ends, the smaller first, and where they were seen.
type Key = (u16, SocketAddr, SocketAddr);

#[derive(Default)]
pub(super) struct Connections {
    all: Vec<Record>,
    flows: Vec<Flow>,
    current: BTreeMap<Key, u32>,
}

/// A segment that was seen.
pub(super) struct Arrival<'a> {
    pub(super) frame: u32,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) header: &'a Header,
    /// Bytes of payload on the wire.
    pub(super) length: usize,
    /// Bytes of payload that were captured.
    pub(super) captured: usize,
    pub(super) datagram: Option<DatagramId>,
    /// Where the payload begins, in the frame or in the datagram.
    pub(super) offset: usize,
    /// Its checksum is wrong, or a layer refused it where it was captured.
    pub(super) doubtful: bool,
    /// Connections are told apart by this, too.
    pub(super) network: u16,
}

impl Connections {
    /// Takes a segment: to which connection it belongs, and which of its segments it is. `None`: there are too many.
    pub(super) fn add(
        &mut self,
        arrival: &Arrival<'_>,
        most: usize,
        same: impl Fn(&Piece, &Piece) -> bool,
    ) -> Option<(ConnectionId, u32)> {
        let id = self.find_or_begin(arrival, most)?;
        let connection = self.all.get_mut(id as usize)?;
        let flow = self.flows.get_mut(id as usize)?;
        let number = u32::try_from(connection.segments.len()).ok()?;
        connection.add(arrival, flow, same);
        Some((ConnectionId(id), number))
    }

    /// All connections in the order of their first frames.
    pub(super) fn records_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        self.all.iter_mut()
    }

    /// All connections, when nothing comes any more.
    pub(super) fn close(mut self) -> Vec<Record> {
        for connection in &mut self.all {
            connection.halves.iter_mut().for_each(Half::close);
        }
        self.all
    }

    /// Whether the segment makes no connection known: a damaged one that asks for none may have any ports.
    pub(super) fn is_stray(&self, arrival: &Arrival<'_>) -> bool {
        arrival.doubtful && !arrival.header.has(Flags::SYN) && self.known(arrival).is_none()
    }

    fn known(&self, arrival: &Arrival<'_>) -> Option<u32> {
        let id = *self.current.get(&arrival.key())?;
        let connection = self.all.get(id as usize)?;
        (!connection.is_over_for(arrival)).then_some(id)
    }

    fn find_or_begin(&mut self, arrival: &Arrival<'_>, most: usize) -> Option<u32> {
        let known = self.known(arrival);
        if known.is_some() {
            return known;
        }
        let key = arrival.key();
        if self.all.len() >= most {
            self.current.remove(&key);
            return None;
        }
        let id = u32::try_from(self.all.len()).ok()?;
        self.current.insert(key, id);
        self.all.push(Record::begun_by(arrival));
        self.flows.push(Flow::default());
        Some(id)
    }
}

/// How the first segment of a connection shows its beginning, and who is its client and who its server, by where the segment
/// comes from and where it goes.
pub(crate) fn begun_by(header: &Header, way: [SocketAddr; 2]) -> (Beginning, [SocketAddr; 2]) {
    let [source, destination] = way;
    let (beginning, client_sent) = match (header.has(Flags::SYN), header.has(Flags::ACK)) {
        (true, false) => (Beginning::Asked, true),
        (true, true) => (Beginning::Answered, false),
        // Servers have small ports that are known to all, clients large ones that nobody need know.
        _ => (Beginning::Inferred, source.port() >= destination.port()),
    };
    (beginning, if client_sent { way } else { [destination, source] })
}

impl Record {
    fn begun_by(arrival: &Arrival<'_>) -> Self {
        let (beginning, [client, server]) = begun_by(arrival.header, [arrival.source, arrival.destination]);
        Record { client, server, beginning, segments: Vec::new(), halves: Default::default() }
    }

    pub(super) fn half(&self, side: Side) -> &Half {
        let [client, server] = &self.halves;
        if side == Side::Client { client } else { server }
    }

    /// Whether this segment begins another connection between the same ends.
    fn is_over_for(&self, arrival: &Arrival<'_>) -> bool {
        let (half, number) = (self.half(self.side(arrival.source)), arrival.header.sequence);
        let is_elsewhere = match arrival.doubtful {
            false => half.begins_elsewhere(number),
            true => half.seems_to_begin_elsewhere(number),
        };
        arrival.header.has(Flags::SYN) && is_elsewhere
    }

    fn side(&self, source: SocketAddr) -> Side {
        if source == self.client { Side::Client } else { Side::Server }
    }

    /// Takes a segment, and what it tells of those that come after it.
    pub(super) fn add(
        &mut self,
        arrival: &Arrival<'_>,
        flow: &mut Flow,
        same: impl Fn(&Piece, &Piece) -> bool,
    ) {
        let observe = |flow: &mut Flow| {
            flow.observe(arrival.source, arrival.destination, arrival.header, arrival.length)
        };
        // Nobody took a damaged one: what it says counts for nothing that comes later.
        let facts = if arrival.doubtful { observe(&mut flow.clone()) } else { observe(flow) };
        self.take(arrival, facts, same);
    }

    fn take(&mut self, arrival: &Arrival<'_>, facts: Facts, same: impl Fn(&Piece, &Piece) -> bool) {
        let header = arrival.header;
        let side = self.side(arrival.source);
        let mut segment = Segment {
            frame: arrival.frame,
            side,
            facts,
            length: arrival.length as u32,
            at: None,
            captured: arrival.captured as u32,
            offset: arrival.offset as u32,
            flags: header.flags,
            window: header.window,
            doubtful: arrival.doubtful,
            taken: None,
        };
        let [client, server] = &mut self.halves;
        let (half, other) = if side == Side::Client { (client, server) } else { (server, client) };
        if !arrival.doubtful {
            half.note(arrival);
            if header.has(Flags::ACK) {
                other.acknowledge(header.acknowledgment);
            }
            if header.has(Flags::RST) {
                half.reset.get_or_insert(arrival.frame);
                other.reset.get_or_insert(arrival.frame);
            }
        } else if header.has(Flags::SYN) {
            half.doubtful_syn.get_or_insert(header.sequence);
        }
        if arrival.captured > 0 {
            segment.at = half.place(header.sequence.plus(usize::from(header.has(Flags::SYN))));
            match segment.at {
                Some(at) => half.take(arrival.piece(at), same),
                None => half.outside += 1,
            }
        }
        self.segments.push(segment);
    }
}

impl Half {
    /// Notes where the stream begins and ends.
    fn note(&mut self, arrival: &Arrival<'_>) {
        let header = arrival.header;
        match header.has(Flags::SYN) {
            true => self.begin(header.sequence),
            // The first number that is seen counts, as in `Flow`, whether bytes come with it or not. Who refuses a connection
            // has no number of its own.
            false if !header.has(Flags::RST) => _ = self.place(header.sequence),
            false => {}
        }
        if header.has(Flags::FIN) && self.finished.is_none() {
            let first = header.sequence.plus(usize::from(header.has(Flags::SYN)));
            let end = self.place(first).map(|at| at + arrival.length as u64);
            self.finished = end.map(|end| (end, arrival.frame));
        }
    }
}

impl<'a> Arrival<'a> {
    /// The segment with this header, which nobody has doubts about.
    pub(super) fn of(frame: u32, outline: &Outline, header: &'a Header, payload: &Payload<'_>) -> Self {
        Arrival {
            frame,
            source: SocketAddr::new(outline.source, header.source_port),
            destination: SocketAddr::new(outline.destination, header.destination_port),
            header,
            length: payload.length.saturating_sub(header.length),
            captured: payload.bytes.len().saturating_sub(header.length),
            datagram: payload.datagram,
            offset: payload.offset + header.length,
            doubtful: false,
            network: 0,
        }
    }

    fn key(&self) -> Key {
        let (a, b) = (self.source, self.destination);
        (self.network, a.min(b), a.max(b))
    }

    fn piece(&self, at: u64) -> Piece {
        Piece {
            at,
            length: self.captured as u32,
            frame: self.frame,
            datagram: self.datagram,
            offset: self.offset as u32,
            doubtful: self.doubtful,
            differs: false,
        }
    }
}
