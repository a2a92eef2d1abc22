//! One message's way through the layers of one host: what each adds going down, or strips going up.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Range;

use framewise_core::id::ConnId;
use framewise_core::message::Subject;
use framewise_core::{Description, Direction, Instant};
use framewise_tcp::Flow;
use framewise_tls::Context;
use framewise_tls::record;

use super::envelope::Envelope;
use crate::trace::{Crossing, Event, HostId, Trace};
use crate::wire;

/// One message's way through the layers of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Down (`Outbound`) or up (`Inbound`).
    pub direction: Direction,
    /// The frames on the wire that carried it, numbered from 1 among those of this host.
    pub frames: Vec<usize>,
    /// The super-frames that stood for some of these between this host and its device.
    pub super_frames: Vec<SuperFrame>,
    /// Frames that carried again what had been carried before.
    pub again: usize,
    /// Frames that would have carried it, but were damaged: a layer refused them.
    pub refused: Vec<usize>,
    /// When the first frame left, or the last one came.
    pub at: Instant,
    /// Bytes of all its frames.
    pub wire: u64,
    /// Bytes of the same connection that travelled in these frames, too, and belong to something else: the end of a
    /// handshake before a request, say.
    pub beside: u64,
    /// What those bytes are, in their layer's words.
    pub beside_says: &'static str,
    /// Its layers from HTTP to Ethernet, whatever the direction.
    pub steps: Vec<Step>,
}

/// One frame between a host and its device that is many on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuperFrame {
    /// Bytes of it.
    pub bytes: usize,
    /// Frames on the wire.
    pub frames: usize,
}

/// What one layer did to the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The protocol: `HTTP`, `TLS`, `TCP`, `IPv4`, `Ethernet`.
    pub protocol: &'static str,
    /// What the layer decided, in its own words.
    pub says: String,
    /// To whom it hands the message on the way up, and by which number.
    pub next: String,
    /// Bytes that it put in front, in all frames together.
    pub front: u64,
    /// Bytes that it put behind.
    pub behind: u64,
    /// Bytes of the message with what this layer adds.
    pub total: u64,
}

/// Where in a connection's streams a message is.
struct Place {
    /// Bytes of the message above TLS.
    plain: u64,
    /// The message above TLS.
    message: Vec<u8>,
    /// Where it is in the stream between TLS and TCP.
    sealed: Range<u64>,
    /// That stream, from its beginning to the message's end.
    stream: Vec<u8>,
    /// The first record that carries it, where there is one.
    record: Vec<u8>,
}

/// The way of the message that begins with event `begin` on `host`, and ends before event `end`.
pub(super) fn journey(
    trace: &Trace,
    host: HostId,
    direction: Direction,
    begin: usize,
    end: usize,
    context: &Context,
) -> Option<Journey> {
    let place = match direction {
        Direction::Outbound => sent(trace, host, begin, end),
        Direction::Inbound => received(trace, host, begin, end),
    }?;
    let found = carriers(trace, host, direction, &place)?;
    let steps = steps(direction, &place, &found, context)?;
    Some(Journey {
        direction,
        frames: found.frames.iter().map(|carrier| carrier.number).collect(),
        super_frames: found.super_frames(trace),
        again: found.again,
        refused: found.refused.clone(),
        at: match direction {
            Direction::Outbound => found.frames.first()?.crossing.now,
            Direction::Inbound => found.frames.last()?.crossing.now,
        },
        wire: found.frames.iter().map(|carrier| carrier.bytes.len() as u64).sum(),
        beside_says: if place.record.is_empty() {
            "more of this connection"
        } else {
            framewise_tls::describe::OWN_RECORDS
        },
        beside: found.payload().saturating_sub(place.sealed.end - place.sealed.start),
        steps,
    })
}

/// A stream crossing of one connection: above TLS (`http`–`tls`) or below (`tls`–`tcp`).
fn stream<'t>(event: &'t Event, host: HostId, lower: &str, kind: &str) -> Option<(ConnId, &'t Crossing)> {
    let Event::Crossing(crossing) = event else { return None };
    let is_it = crossing.host == host
        && crossing.seam == "stream"
        && crossing.kind == kind
        && crossing.lower == lower;
    match crossing.subject {
        Subject::Connection(conn) if is_it => Some((conn, crossing)),
        _ => None,
    }
}

/// Where the layers that stand above and below TLS said what is sent from event `begin` on.
fn sent(trace: &Trace, host: HostId, begin: usize, end: usize) -> Option<Place> {
    let events = &trace.events()[..end];
    let find = |from: usize, lower: &str, conn: Option<ConnId>| {
        events.iter().enumerate().skip(from).find_map(|(index, event)| {
            let (id, crossing) = stream(event, host, lower, "send")?;
            (conn.is_none_or(|c| c == id)).then_some((index, id, crossing))
        })
    };
    let (first, conn, head) = find(begin, "tls", None)?;
    let ends = |event: &Event| stream(event, host, "tls", "close").is_some_and(|(id, _)| id == conn);
    let last = events.iter().skip(first).position(ends).map_or(end, |n| first + n);
    let (first_sealed, _, piece) = find(first, "tcp", Some(conn))?;
    let collect = |range: Range<usize>, lower: &str| -> Vec<u8> {
        let of_conn = |event| stream(event, host, lower, "send").filter(|(id, _)| *id == conn);
        let pieces = trace.events()[range].iter().filter_map(of_conn);
        pieces.flat_map(|(_, crossing)| trace.bytes(crossing).iter().copied()).collect()
    };
    let before = collect(0..first_sealed, "tcp").len() as u64;
    let stream = collect(0..last, "tcp");
    Some(Place {
        plain: collect(first..last, "tls").len() as u64,
        message: trace.bytes(head).to_vec(),
        sealed: before..stream.len() as u64,
        stream,
        record: trace.bytes(piece).to_vec(),
    })
}

/// Where the layers heard the message whose first byte came up from TLS at or after event `begin`.
fn received(trace: &Trace, host: HostId, begin: usize, end: usize) -> Option<Place> {
    let events = &trace.events()[..end];
    let up = |event: &'_ Event| stream(event, host, "tls", "data").map(|(conn, c)| (conn, c.clone()));
    let (first, (conn, head)) = events.iter().enumerate().skip(begin).find_map(|(i, e)| Some((i, up(e)?)))?;
    let of_conn = |event: &Event, lower: &str| {
        stream(event, host, lower, "data").filter(|(id, _)| *id == conn).map(|(_, c)| c.clone())
    };
    let message: Vec<u8> = events[first..]
        .iter()
        .filter_map(|e| of_conn(e, "tls"))
        .flat_map(|c| trace.bytes(&c).to_vec())
        .collect();
    let last = events.iter().rposition(|e| of_conn(e, "tls").is_some())?;
    let collect = |range: Range<usize>| -> Vec<u8> {
        let pieces = trace.events()[range].iter().filter_map(|e| of_conn(e, "tcp"));
        pieces.flat_map(|c| trace.bytes(&c).to_vec()).collect()
    };
    let until_first = collect(0..first);
    let stream = collect(0..last);
    let (start, record) = first_record(&until_first, head.range.len());
    Some(Place {
        plain: message.len() as u64,
        message,
        sealed: start as u64..stream.len() as u64,
        stream,
        record,
    })
}

/// Where in the stream below TLS the records begin that gave the last `plain` bytes, and the first of them.
fn first_record(stream: &[u8], plain: usize) -> (usize, Vec<u8>) {
    if stream.len() == plain || !is_tls(stream) {
        return (stream.len().saturating_sub(plain), Vec::new());
    }
    let mut starts = Vec::new();
    let mut at = 0;
    for record in record::records(stream).map_while(Result::ok) {
        starts.push((at, record.wire_len()));
        at += record.wire_len();
    }
    let mut covered = 0;
    for &(start, length) in starts.iter().rev() {
        covered += length;
        if covered > plain {
            return (start, stream[start..(start + length).min(stream.len())].to_vec());
        }
    }
    (0, Vec::new())
}

fn is_tls(stream: &[u8]) -> bool {
    record::Record::parse(stream).is_ok()
}

/// A frame on the wire that carries a part of a stream.
struct Carrier<'t> {
    number: usize,
    /// As which it crossed between host and device, alone or joined with others.
    crossing: &'t Crossing,
    bytes: Cow<'t, [u8]>,
    envelope: Envelope,
}

/// The frames that carry a part of a stream.
struct Carriers<'t> {
    frames: Vec<Carrier<'t>>,
    facts: framewise_tcp::Facts,
    again: usize,
    refused: Vec<usize>,
}

impl Carriers<'_> {
    /// Bytes of stream in all the frames.
    fn payload(&self) -> u64 {
        self.sum(|envelope| envelope.payload.len())
    }

    fn sum(&self, size: impl Fn(&Envelope) -> usize) -> u64 {
        self.frames.iter().map(|carrier| size(&carrier.envelope) as u64).sum()
    }

    fn super_frames(&self, trace: &Trace) -> Vec<SuperFrame> {
        let mut crossings: Vec<&Crossing> = self.frames.iter().map(|carrier| carrier.crossing).collect();
        crossings.dedup_by(|a, b| std::ptr::eq(*a, *b));
        let super_frame = |c: &Crossing| SuperFrame { bytes: c.range.len(), frames: trace.wire_frames(c) };
        crossings.into_iter().map(super_frame).filter(|found| found.frames > 1).collect()
    }
}

/// The frames whose payload is a part of the message: by its place in the stream, and byte by byte.
fn carriers<'t>(trace: &'t Trace, host: HostId, direction: Direction, place: &Place) -> Option<Carriers<'t>> {
    let mut flows: BTreeMap<[SocketAddr; 2], Flow> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let (mut frames, mut first_facts, mut again, mut refused) = (Vec::new(), None, 0, Vec::new());
    for (first, crossing, was_dropped) in frames_of(trace, host) {
        for (number, bytes) in (first..).zip(wire::frames(trace.bytes(crossing), crossing.offload)) {
            let Some(envelope) = Envelope::of(&bytes) else { continue };
            let mut ends = [envelope.source, envelope.destination];
            ends.sort_unstable();
            let flow = flows.entry(ends).or_default();
            let length = envelope.payload.len();
            let facts = flow.observe(envelope.source, envelope.destination, &envelope.header, length);
            // The SYN takes the number 0, so the stream's first byte has the number 1.
            let Some(start) = u64::from(facts.sequence).checked_sub(1) else { continue };
            let payload = bytes.get(envelope.payload.clone()).unwrap_or_default();
            if crossing.direction != direction || !place.overlaps(start, length) {
                continue;
            }
            let is_it = place.holds(start, payload);
            if was_dropped {
                refused.push(number);
            } else if is_it && !seen.insert(start) {
                again += 1;
            } else if is_it {
                first_facts.get_or_insert(facts);
                frames.push(Carrier { number, crossing, bytes, envelope });
            }
        }
    }
    Some(Carriers { frames, facts: first_facts?, again, refused })
}

impl Place {
    /// Whether a segment of this length at this place of the stream has a part of the message.
    fn overlaps(&self, start: u64, length: usize) -> bool {
        length > 0 && start < self.sealed.end && start + length as u64 > self.sealed.start
    }

    /// Whether the stream has just these bytes there, as far as it is known.
    fn holds(&self, start: u64, payload: &[u8]) -> bool {
        let known = self.stream.get(start as usize..).unwrap_or_default();
        let length = known.len().min(payload.len());
        known[..length] == payload[..length]
    }
}

/// The frames of a host with their numbers on the wire from 1 (a super-frame's is that of its first), and whether a layer
/// dropped what was in them.
fn frames_of(trace: &Trace, host: HostId) -> Vec<(usize, &Crossing, bool)> {
    let mut frames: Vec<(usize, &Crossing, bool)> = Vec::new();
    let mut next = 1;
    for event in trace.events() {
        match event {
            Event::Crossing(crossing) if crossing.host == host && crossing.is_on_the_wire() => {
                frames.push((next, crossing, false));
                next += trace.wire_frames(crossing);
            }
            Event::Drop(dropped) if dropped.host == host => {
                if let Some((_, crossing, was_dropped)) = frames.last_mut() {
                    *was_dropped |= crossing.direction == Direction::Inbound;
                }
            }
            _ => {}
        }
    }
    frames
}

fn steps(direction: Direction, place: &Place, found: &Carriers<'_>, context: &Context) -> Option<Vec<Step>> {
    let Carrier { bytes: frame, envelope, .. } = found.frames.first()?;
    let sealed = place.sealed.end - place.sealed.start;
    let payload = found.payload();
    let tcp = found.sum(|e| e.tcp);
    let ip = found.sum(|e| e.ip);
    let ethernet = found.sum(|e| e.ethernet);

    let said = |description: &Description| match direction {
        Direction::Outbound => description.outbound.clone(),
        Direction::Inbound => description.inbound.clone(),
    };
    let step = |description: Description, front: u64, behind: u64, total: u64| Step {
        protocol: description.protocol,
        says: said(&description),
        next: description.next,
        front,
        behind,
        total,
    };

    let mut steps = Vec::new();
    let message = framewise_http::describe(&place.message);
    let head = message.as_ref().map_or(0, |m| m.header.len() as u64);
    steps.extend(message.map(|m| step(m, head, 0, place.plain)));
    if let (true, Ok(description)) = (is_tls(&place.record), framewise_tls::describe(&place.record, context))
    {
        let front = description.payload.start as u64;
        let around = sealed.saturating_sub(place.plain);
        steps.push(step(description, front.min(around), around.saturating_sub(front), sealed));
    } else {
        let says = framewise_tls::describe::NOT_USED.to_owned();
        steps.push(Step { protocol: "TLS", says, next: String::new(), front: 0, behind: 0, total: sealed });
    }
    let addresses = (envelope.source.ip(), envelope.destination.ip());
    let segment = frame.get(envelope.segment())?;
    let description = framewise_tcp::describe(segment, addresses.0, addresses.1, Some(&found.facts)).ok()?;
    steps.push(step(description, tcp, 0, payload + tcp));
    let packet = frame.get(envelope.packet())?;
    steps.push(step(framewise_ip::describe(packet).ok()?, ip, 0, payload + tcp + ip));
    let description = framewise_ethernet::describe(frame).ok()?;
    steps.push(step(description, ethernet, 0, payload + tcp + ip + ethernet));
    Some(steps)
}
