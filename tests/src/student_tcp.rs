//! A TCP as a student might write it: one segment in flight, no options but the segment size, everything on one page.
//!
//! It only connects; it does not listen. What it leaves out a real one needs: congestion control (one segment
//! congests nothing), TIME-WAIT, measuring the round trip, defences against forged segments. It uses nothing of our
//! own TCP crate, so that it shows what the two seams alone ask for.
//!
//! Read first: RFC 9293 sections 3.1 (header), 3.4 (sequence numbers), 3.5 and 3.6 (opening and closing).

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use framewise::core::checksum::Sum;
use framewise::core::id::ConnId;
use framewise::core::read::{u16_at, u32_at};
use framewise::core::seams::segment::{
    ErrorKind, Segment, SegmentControl, SegmentDown, SegmentEvent, SegmentUp, TCP,
};
use framewise::core::seams::stream::{CloseReason, ConnInfo, ListenError, StreamDown, StreamUp};
use framewise::core::seams::{Segments, Streams};
use framewise::core::{Buf, Cx, Instant, Layer, Rng};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
/// Payload of a segment, whatever the MTU: what every IPv6 link carries (RFC 8200 section 5).
const SEGMENT: usize = 1_220;
/// Bytes that wait to be sent, for each connection.
const BUFFER: usize = 16 * 1_024;
/// How often a segment is sent before its peer counts as gone, and how long the first wait is; each next is twice that.
const TRIES: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(1);

/// The layer.
pub struct StudentTcp {
    connections: BTreeMap<ConnId, Connection>,
    rng: Rng,
    next_port: u16,
    down: VecDeque<SegmentDown>,
    up: VecDeque<StreamUp>,
}

/// One connection, from `Connect` to `Closed`.
struct Connection {
    remote: SocketAddr,
    local: SocketAddr,
    /// SYN and ACK have been exchanged.
    is_open: bool,
    /// What waits to be sent, and whether a FIN comes after it.
    unsent: BytesMut,
    is_closing: bool,
    /// The one segment that the peer has not acknowledged.
    in_flight: Option<InFlight>,
    /// The next sequence number that we send.
    next: u32,
    /// The next one that we expect, and for how many bytes the upper layer has room.
    expected: u32,
    granted: usize,
    /// Whether each side's FIN has been acknowledged.
    fin_acknowledged: bool,
    peer_closed: bool,
}

/// A segment on its way.
struct InFlight {
    flags: u8,
    data: Bytes,
    tries: u32,
    resend_at: Instant,
}

/// What of a header this TCP understands.
struct Heard {
    flags: u8,
    sequence: u32,
    acknowledged: u32,
    data: std::ops::Range<usize>,
}

impl StudentTcp {
    /// A TCP without connections, whose sequence numbers are drawn from `rng`.
    pub fn new(mut rng: Rng) -> Self {
        let next_port = 49_152 + rng.below(8_192) as u16;
        let (down, up) = (VecDeque::new(), VecDeque::new());
        StudentTcp { connections: BTreeMap::new(), rng, next_port, down, up }
    }

    fn connect(&mut self, conn: ConnId, remote: SocketAddr) {
        let unknown = if remote.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
        let local = SocketAddr::new(unknown, self.next_port);
        self.next_port = self.next_port.checked_add(1).unwrap_or(49_152);
        self.connections.insert(conn, Connection::new(remote, local, self.rng.next_u32()));
        let control = SegmentControl::Source { destination: remote.ip(), protocol: TCP };
        self.down.push_back(SegmentDown::Control(Box::new(control)));
    }

    /// IP says from which address its destination is reached: the SYN can go.
    fn routed(&mut self, destination: IpAddr, source: Option<IpAddr>, now: Instant) {
        let waits = |c: &Connection| c.remote.ip() == destination && c.local.ip().is_unspecified();
        let waiting: Vec<_> =
            self.connections.iter().filter(|(_, c)| waits(c)).map(|(&conn, _)| conn).collect();
        for conn in waiting {
            match (source, self.connections.get_mut(&conn)) {
                (Some(source), Some(connection)) => {
                    connection.local.set_ip(source);
                    connection.launch(SYN, Bytes::new(), now);
                    self.transmit(conn);
                }
                _ => self.close(conn, CloseReason::NoRoute),
            }
        }
    }

    /// Sends the segment in flight, for the first time or again.
    fn transmit(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get(&conn) else { return };
        let Some(segment) = &connection.in_flight else { return };
        let sequence = connection.next.wrapping_sub(segment.length());
        self.down.push_back(connection.segment(segment.flags, sequence, &segment.data));
    }

    fn acknowledge(&mut self, conn: ConnId) {
        if let Some(connection) = self.connections.get(&conn) {
            self.down.push_back(connection.segment(ACK, connection.next, &[]));
        }
    }

    /// Puts the next segment on its way, if nothing is.
    fn advance(&mut self, conn: ConnId, now: Instant) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if !connection.is_open || connection.in_flight.is_some() || connection.fin_acknowledged {
            return;
        }
        let size = connection.unsent.len().min(SEGMENT);
        let data = connection.unsent.split_to(size).freeze();
        match (data.is_empty(), connection.is_closing) {
            (false, _) => connection.launch(ACK, data, now),
            (true, true) => connection.launch(FIN | ACK, data, now),
            (true, false) => return,
        }
        self.transmit(conn);
    }

    fn close(&mut self, conn: ConnId, reason: CloseReason) {
        if self.connections.remove(&conn).is_some() {
            self.up.push_back(StreamUp::Closed { conn, reason });
        }
    }

    fn find(&self, local: SocketAddr, remote: SocketAddr) -> Option<ConnId> {
        let is_it = |c: &Connection| c.local == local && c.remote == remote;
        self.connections.iter().find(|(_, c)| is_it(c)).map(|(&conn, _)| conn)
    }

    fn receive(&mut self, segment: &Segment, cx: &mut Cx) {
        let mut sum = Sum::default();
        sum.add_pseudo_header(segment.source(), segment.destination(), TCP, segment.len());
        sum.add(segment);
        if !sum.is_valid() {
            return cx.dropped("student", "checksum wrong");
        }
        let ports = (u16_at(segment, 2), u16_at(segment, 0));
        let (Some(heard), (Some(to), Some(from))) = (Heard::parse(segment), ports) else {
            return cx.dropped("student", "segment too short");
        };
        let local = SocketAddr::new(segment.destination(), to);
        let remote = SocketAddr::new(segment.source(), from);
        match self.find(local, remote) {
            Some(conn) => self.heard(conn, &heard, segment, cx.now),
            None => cx.dropped("student", "no such connection"),
        }
    }

    fn heard(&mut self, conn: ConnId, heard: &Heard, segment: &[u8], now: Instant) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if heard.flags & RST != 0 {
            let reason = if connection.is_open { CloseReason::Reset } else { CloseReason::Refused };
            return self.close(conn, reason);
        }
        if let Some(sent) = connection.take_acknowledged(heard) {
            if sent.flags & SYN != 0 {
                return self.open(conn, heard, now);
            }
            if !sent.data.is_empty() {
                self.up.push_back(StreamUp::Writable { conn, bytes: sent.data.len() });
            }
        }
        self.deliver(conn, heard, segment);
        self.advance(conn, now);
        self.finish(conn);
    }

    /// The SYN is answered.
    fn open(&mut self, conn: ConnId, heard: &Heard, now: Instant) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        connection.is_open = true;
        connection.expected = heard.sequence.wrapping_add(1);
        let info = ConnInfo { local: connection.local, remote: connection.remote, tls: None };
        self.up.push_back(StreamUp::Opened { conn, info: Box::new(info) });
        self.up.push_back(StreamUp::Writable { conn, bytes: BUFFER });
        self.acknowledge(conn);
        self.advance(conn, now);
    }

    /// Takes what comes in order and for what there is room, and asks for all else again.
    fn deliver(&mut self, conn: ConnId, heard: &Heard, segment: &[u8]) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let has_fin = heard.flags & FIN != 0;
        let data = segment.get(heard.data.clone()).unwrap_or_default();
        if !connection.is_open || (data.is_empty() && !has_fin && heard.flags & SYN == 0) {
            return;
        }
        let fits = data.len() <= connection.granted && !connection.peer_closed;
        if heard.flags & SYN == 0 && heard.sequence == connection.expected && fits {
            connection.expected = connection.expected.wrapping_add(data.len() as u32 + u32::from(has_fin));
            connection.granted -= data.len();
            connection.peer_closed = has_fin;
            if !data.is_empty() {
                self.up.push_back(StreamUp::Data { conn, data: Bytes::copy_from_slice(data) });
            }
            if has_fin {
                self.up.push_back(StreamUp::PeerClosed { conn, clean: true });
            }
        }
        self.acknowledge(conn);
    }

    /// It is over when both have said so and heard it.
    fn finish(&mut self, conn: ConnId) {
        if self.connections.get(&conn).is_some_and(|c| c.fin_acknowledged && c.peer_closed) {
            self.close(conn, CloseReason::Finished);
        }
    }
}

impl Connection {
    fn new(remote: SocketAddr, local: SocketAddr, initial: u32) -> Self {
        Connection {
            remote,
            local,
            is_open: false,
            unsent: BytesMut::new(),
            is_closing: false,
            in_flight: None,
            next: initial,
            expected: 0,
            granted: 0,
            fin_acknowledged: false,
            peer_closed: false,
        }
    }

    fn launch(&mut self, flags: u8, data: Bytes, now: Instant) {
        let segment = InFlight { flags, data, tries: 1, resend_at: now + PATIENCE };
        self.next = self.next.wrapping_add(segment.length());
        self.in_flight = Some(segment);
    }

    /// The segment in flight, if this acknowledges it.
    fn take_acknowledged(&mut self, heard: &Heard) -> Option<InFlight> {
        if heard.flags & ACK == 0 || heard.acknowledged != self.next {
            return None;
        }
        let sent = self.in_flight.take()?;
        self.fin_acknowledged |= sent.flags & FIN != 0;
        Some(sent)
    }

    /// Writes a segment (RFC 9293 section 3.1); a SYN carries the segment size as its only option.
    fn segment(&self, flags: u8, sequence: u32, data: &[u8]) -> SegmentDown {
        let header = if flags & SYN != 0 { 24 } else { 20 };
        let acknowledged = if flags & ACK != 0 { self.expected } else { 0 };
        let window = self.granted.min(usize::from(u16::MAX)) as u16;
        let mut buf = Buf::copy_from_slice(data);
        let bytes = buf.prepend(header);
        bytes.fill(0);
        bytes[0..2].copy_from_slice(&self.local.port().to_be_bytes());
        bytes[2..4].copy_from_slice(&self.remote.port().to_be_bytes());
        bytes[4..8].copy_from_slice(&sequence.to_be_bytes());
        bytes[8..12].copy_from_slice(&acknowledged.to_be_bytes());
        bytes[12] = (header as u8 / 4) << 4;
        bytes[13] = flags;
        bytes[14..16].copy_from_slice(&window.to_be_bytes());
        if flags & SYN != 0 {
            bytes[20..22].copy_from_slice(&[2, 4]);
            bytes[22..24].copy_from_slice(&(SEGMENT as u16).to_be_bytes());
        }
        let (source, destination) = (self.local.ip(), self.remote.ip());
        let mut sum = Sum::default();
        sum.add_pseudo_header(source, destination, TCP, buf.len());
        sum.add(&buf);
        buf[16..18].copy_from_slice(&sum.checksum().to_be_bytes());
        SegmentDown::Segment(Segment::new(buf, source, destination, TCP))
    }
}

impl InFlight {
    /// In sequence numbers: SYN and FIN take one each.
    fn length(&self) -> u32 {
        self.data.remaining() as u32 + u32::from(self.flags & (SYN | FIN) != 0)
    }
}

impl Heard {
    fn parse(segment: &[u8]) -> Option<Self> {
        let offset = usize::from(*segment.get(12)? >> 4) * 4;
        let flags = *segment.get(13)?;
        let data = offset..segment.len();
        segment.get(data.clone())?;
        Some(Heard { flags, sequence: u32_at(segment, 4)?, acknowledged: u32_at(segment, 8)?, data })
    }
}

impl Layer for StudentTcp {
    type Upper = Streams;
    type Lower = Segments;

    fn name(&self) -> &'static str {
        "student"
    }

    fn accepts(&self, message: &SegmentUp) -> bool {
        message.protocol() == TCP
    }

    fn handle_outbound(&mut self, message: StreamDown, cx: &mut Cx) {
        match message {
            StreamDown::Connect { conn, remote, .. } => self.connect(conn, remote),
            StreamDown::Listen { endpoint, .. } => {
                let result = Err(ListenError::TooMany { limit: 0 });
                self.up.push_back(StreamUp::Listening { endpoint, result });
            }
            StreamDown::Unlisten { .. } => {}
            StreamDown::Send { conn, data } => {
                let Some(connection) = self.connections.get_mut(&conn) else { return };
                if connection.unsent.len() + data.len() > BUFFER || connection.is_closing {
                    return self.close(conn, CloseReason::Misuse("more than the credit"));
                }
                connection.unsent.extend_from_slice(&data);
                self.advance(conn, cx.now);
            }
            StreamDown::Grant { conn, bytes } => {
                let Some(connection) = self.connections.get_mut(&conn) else { return };
                let was_narrow = connection.granted < 2 * SEGMENT;
                connection.granted = connection.granted.saturating_add(bytes);
                if connection.is_open && was_narrow {
                    self.acknowledge(conn);
                }
            }
            StreamDown::Close { conn } => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    connection.is_closing = true;
                    self.advance(conn, cx.now);
                }
            }
            // This TCP asks about no connection.
            StreamDown::Accept { .. } | StreamDown::Refuse { .. } => {}
            StreamDown::Abort { conn } => {
                if let Some(connection) = self.connections.get(&conn).filter(|c| c.is_open) {
                    self.down.push_back(connection.segment(RST | ACK, connection.next, &[]));
                }
                self.close(conn, CloseReason::Aborted);
            }
        }
    }

    fn handle_inbound(&mut self, message: SegmentUp, cx: &mut Cx) {
        let event = match message {
            SegmentUp::Segment(segment) => return self.receive(&segment, cx),
            SegmentUp::Event(event) => *event,
        };
        match event {
            SegmentEvent::Source { destination, route, .. } => {
                self.routed(destination, route.map(|route| route.source), cx.now);
            }
            SegmentEvent::Error(error) => {
                let (Some(from), Some(to)) = (u16_at(&error.quoted, 0), u16_at(&error.quoted, 2)) else {
                    return;
                };
                let (local, remote) =
                    (SocketAddr::new(error.source, from), SocketAddr::new(error.destination, to));
                let opening = |c: &ConnId| self.connections.get(c).is_some_and(|c| !c.is_open);
                // Its segments are never too big.
                if let Some(conn) = self.find(local, remote).filter(opening)
                    && !matches!(error.kind, ErrorKind::TooBig { .. })
                {
                    self.close(conn, CloseReason::Unreachable(error.kind));
                }
            }
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<SegmentDown> {
        self.down.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<StreamUp> {
        self.up.pop_front()
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        let is_due = |c: &Connection| c.in_flight.as_ref().is_some_and(|s| s.resend_at <= cx.now);
        let due: Vec<_> = self.connections.iter().filter(|(_, c)| is_due(c)).map(|(&conn, _)| conn).collect();
        for conn in due {
            let Some(segment) = self.connections.get_mut(&conn).and_then(|c| c.in_flight.as_mut()) else {
                continue;
            };
            if segment.tries == TRIES {
                self.close(conn, CloseReason::TimedOut);
                continue;
            }
            segment.resend_at = cx.now + PATIENCE * (1 << segment.tries);
            segment.tries += 1;
            self.transmit(conn);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.connections.values().filter_map(|c| c.in_flight.as_ref()).map(|s| s.resend_at).min()
    }
}
