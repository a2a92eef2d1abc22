//! Taking frames in, one after the other: where they belong is found at once, what they say only when somebody asks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use framewise_core::Direction;
use framewise_core::seams::segment::TCP;
use framewise_tcp::{Checksum, Header};
use framewise_tls::passive::KeyLog;

use super::connections::{Arrival, Connections};
use super::datagrams;
use super::half::Piece;
use super::happened::{Astray, Deed};
use super::limits::{LeftOut, Limits};
use super::outline::Outline;
use super::space::{ConnectionId, DatagramId};
use super::store::{Belongs, Interface, NO_TIME, Record, Store};
use super::{Dissection, Origin, Refused};

/// A frame as it comes in.
pub(super) struct Seen<'a> {
    pub(super) time: Option<u64>,
    pub(super) interface: u16,
    pub(super) direction: Option<Direction>,
    pub(super) bytes: &'a [u8],
    pub(super) original_length: u32,
    pub(super) refused: Option<Refused>,
    /// Which of a run's events it is.
    pub(super) event: Option<usize>,
    /// Connections of different networks have nothing to do with each other.
    pub(super) network: u16,
}

/// A dissection that is being made.
pub(super) struct Gather {
    limits: Limits,
    pub(super) store: Store,
    pub(super) connections: Connections,
    comments: BTreeMap<u32, Vec<String>>,
    pub(super) refused: BTreeMap<u32, Refused>,
    deeds: BTreeMap<u32, Vec<Deed>>,
    astray: Vec<Astray>,
    /// The event that each frame of a run is; empty for a capture.
    events: Vec<usize>,
    /// The number of an interface by its kind of link and its name.
    interfaces: BTreeMap<u32, BTreeMap<String, u16>>,
    key_log: KeyLog,
    /// Bytes of comments.
    said: usize,
    left_out: LeftOut,
}

/// The parts of an IP packet's payload that a segment was read from.
pub(super) struct Payload<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// How long it was on the wire.
    pub(super) length: usize,
    pub(super) datagram: Option<DatagramId>,
    /// Where it begins in the frame; 0 in a datagram.
    pub(super) offset: usize,
}

impl<'a> Payload<'a> {
    pub(super) fn of_frame(bytes: &'a [u8], outline: &Outline) -> Option<Self> {
        let bytes = Cow::Borrowed(bytes.get(outline.payload.clone())?);
        Some(Payload { bytes, length: outline.length, datagram: None, offset: outline.payload.start })
    }

    pub(super) fn of_datagram(id: DatagramId, bytes: Vec<u8>) -> Self {
        Payload { length: bytes.len(), bytes: Cow::Owned(bytes), datagram: Some(id), offset: 0 }
    }
}

impl Gather {
    pub(super) fn new(limits: Limits, key_log: &str) -> Self {
        Gather {
            limits,
            store: Store::default(),
            connections: Connections::default(),
            comments: BTreeMap::new(),
            refused: BTreeMap::new(),
            deeds: BTreeMap::new(),
            astray: Vec::new(),
            events: Vec::new(),
            interfaces: BTreeMap::new(),
            key_log: KeyLog::parse(key_log),
            said: 0,
            left_out: LeftOut::default(),
        }
    }

    /// The number of an interface, which is known from then on. A file with more than 65,535 has the others share a number that
    /// is none's.
    pub(super) fn interface(&mut self, name: Option<&str>, link_type: u32) -> u16 {
        let known = name.map(beginning);
        let names = self.interfaces.entry(link_type).or_default();
        if let Some(&number) = names.get(known.unwrap_or_default()) {
            return number;
        }
        let Some(number) =
            u16::try_from(self.store.interfaces.len()).ok().filter(|number| *number < u16::MAX)
        else {
            return u16::MAX;
        };
        names.insert(known.unwrap_or_default().to_owned(), number);
        self.store.interfaces.push(Interface { name: known.map(str::to_owned), link_type });
        number
    }

    pub(super) fn secrets(&mut self, text: &str) {
        self.key_log.add(text);
    }

    /// Takes a frame. `false`: it is left out, since there are too many.
    pub(super) fn frame(&mut self, seen: &Seen<'_>) -> bool {
        let most = self.limits.frames.min(u32::MAX as usize - 1);
        if self.store.frames.len() >= most || seen.bytes.len() > self.room() || self.left_out.frames > 0 {
            self.left_out.frames += 1;
            return false;
        }
        let time = seen.time.unwrap_or(NO_TIME);
        let record = Record::seen(time, seen.interface, seen.direction, seen.original_length);
        self.store.push(record, seen.bytes);
        self.events.extend(seen.event);
        let number = self.store.frames.len();
        if let Some(refused) = seen.refused {
            self.refused.insert(number as u32, refused);
        }
        let belongs = self.place(number, seen);
        if let (Some(belongs), Some(record)) = (belongs, self.store.frames.last_mut()) {
            record.belongs = belongs;
        }
        true
    }

    /// Bytes that may still be held.
    fn room(&self) -> usize {
        self.limits.bytes.saturating_sub(self.store.held()).saturating_sub(self.said)
    }

    /// How many frames were taken.
    pub(super) fn len(&self) -> usize {
        self.store.frames.len()
    }

    /// Notes what was said about the frame that was taken last.
    pub(super) fn comment(&mut self, text: &str) {
        self.comment_on(self.store.frames.len(), text);
    }

    /// Notes that a layer refused a frame that was taken before.
    pub(super) fn refuse(&mut self, frame: usize, refused: Refused) {
        if self.store.record(frame).is_some_and(|record| record.direction == Some(Direction::Inbound)) {
            self.refused.entry(frame as u32).or_insert(refused);
        }
    }

    /// Notes what was said about a frame that was taken before.
    pub(super) fn comment_on(&mut self, frame: usize, text: &str) {
        // An empty one takes room, too.
        let cost = text.len() + size_of::<String>();
        if self.left_out.frames > 0 || cost > self.room() {
            self.left_out.comments += 1;
            return;
        }
        self.said += cost;
        self.comments.entry(frame as u32).or_default().push(text.to_owned());
    }

    /// Notes what was done on its way to the frame that was taken last.
    pub(super) fn deed(&mut self, deed: Deed) {
        self.deed_to(self.store.frames.len(), deed);
    }

    /// Notes what was done on its way to a frame that was taken before.
    pub(super) fn deed_to(&mut self, frame: usize, deed: Deed) {
        let cost = deed.text.len() + size_of::<Deed>();
        if self.left_out.frames == 0 && cost <= self.room() {
            self.said += cost;
            self.deeds.entry(frame as u32).or_default().push(deed);
        }
    }

    /// Notes a frame that never came, after those that were taken and so many that are still to be.
    pub(super) fn astray(&mut self, waiting: usize, time: Duration, bytes: &[u8]) {
        self.astray_after(self.store.frames.len() + waiting, time, bytes);
    }

    /// Notes a frame that never came, sent after the one of this number.
    pub(super) fn astray_after(&mut self, after: usize, time: Duration, bytes: &[u8]) {
        let cost = bytes.len() + size_of::<Astray>();
        if self.left_out.frames > 0 || cost > self.room() {
            return;
        }
        self.said += cost;
        self.astray.push(Astray { after, time, bytes: bytes.to_vec() });
    }

    pub(super) fn finish(mut self, origin: Origin) -> Dissection {
        self.store.datagrams.close();
        self.astray.sort_by_key(|astray| astray.after);
        self.vouch();
        let connections = self.connections.close();
        Dissection {
            origin,
            store: self.store,
            sessions: connections.iter().map(|_| OnceLock::new()).collect(),
            analyses: connections.iter().map(|_| OnceLock::new()).collect(),
            gossip: OnceLock::new(),
            began: OnceLock::new(),
            connections,
            comments: self.comments,
            refused: self.refused,
            deeds: self.deeds,
            astray: self.astray,
            refused_elsewhere: BTreeMap::new(),
            is_told: false,
            events: self.events,
            left_out: LeftOut { secrets: self.key_log.left_out() as u64, ..self.left_out },
            key_log: self.key_log,
            limits: self.limits,
            damage: None,
        }
    }

    /// Finds what the frame is part of.
    fn place(&mut self, number: usize, seen: &Seen<'_>) -> Option<Belongs> {
        let record = self.store.record(number)?;
        let link = self.store.link(record)?;
        let outline = Outline::of(link, seen.bytes)?;
        let is_refused = seen.refused.is_some() || outline.damaged;
        let Some(fragment) = outline.fragment else {
            let payload = Payload::of_frame(seen.bytes, &outline)?;
            let (connection, segment) = self.segment(number, seen, &outline, &payload, is_refused)?;
            return Some(Belongs::Segment(connection, segment));
        };
        if is_refused || outline.payload.len() < outline.length {
            return None;
        }
        let id = self.fragment(number, seen, &outline, fragment)?;
        let whole = self.whole(id, number);
        let segment = whole.and_then(|bytes| {
            let payload = Payload::of_datagram(id, bytes);
            let protocol = self.store.datagrams.get(id)?.protocol;
            self.segment(number, seen, &Outline { protocol, ..outline }, &payload, false)
        });
        Some(match segment {
            Some((connection, segment)) => Belongs::LastFragment(id, connection, segment),
            None => Belongs::Fragment(id),
        })
    }

    fn fragment(
        &mut self,
        number: usize,
        seen: &Seen<'_>,
        outline: &Outline,
        fragment: super::outline::Fragment,
    ) -> Option<DatagramId> {
        let arrival = datagrams::Arrival {
            source: outline.source,
            destination: outline.destination,
            protocol: outline.protocol,
            fragment,
            frame: number as u32,
            payload: outline.payload.clone(),
            time: seen.time.unwrap_or_default(),
        };
        // The datagrams are taken out for the while in which the frames are looked at.
        let mut datagrams = std::mem::take(&mut self.store.datagrams);
        let id = datagrams.add(&arrival, &self.limits, |frame, offset, length| {
            let range = offset as usize..offset as usize + length as usize;
            self.store.frame(frame as usize).get(range).unwrap_or_default().to_vec()
        });
        self.store.datagrams = datagrams;
        if id.is_none() {
            self.left_out.fragments += 1;
        }
        id
    }

    /// The payload of a packet that has just become whole.
    pub(super) fn whole(&self, id: DatagramId, number: usize) -> Option<Vec<u8>> {
        let datagram = self.store.datagrams.get(id)?;
        let total = datagram.total.filter(|_| datagram.whole_at == Some(number as u32))?;
        self.store.datagram(id, &(0..total.into()))
    }

    fn segment(
        &mut self,
        number: usize,
        seen: &Seen<'_>,
        outline: &Outline,
        payload: &Payload<'_>,
        refused: bool,
    ) -> Option<(ConnectionId, u32)> {
        if outline.protocol != TCP {
            return None;
        }
        let header = Header::parse(&payload.bytes).ok()?;
        let checksum = Checksum::of(&payload.bytes, payload.length, outline.source, outline.destination);
        let arrival = Arrival {
            doubtful: refused || checksum == Checksum::Wrong,
            network: seen.network,
            ..Arrival::of(number as u32, outline, &header, payload)
        };
        if self.connections.is_stray(&arrival) {
            return None;
        }
        let store = &self.store;
        let same = |a: &Piece, b: &Piece| store.piece(a) == store.piece(b);
        let place = self.connections.add(&arrival, self.limits.connections, same);
        if place.is_none() {
            self.left_out.segments += 1;
        }
        place
    }
}

/// As much of an interface's name as is kept.
fn beginning(name: &str) -> &str {
    const LONGEST: usize = 256;
    let end = (0..=LONGEST.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name.get(..end.unwrap_or_default()).unwrap_or_default()
}
