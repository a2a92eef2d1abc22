//! One connection: from its SYN to the last word about it.
//!
//! Read RFC 9293 sections 3.3.2 (states), 3.6 (closing) and 3.9.1 (what a user may ask) before changing this file.
//!
//! ```text
//!   segment ─► guard ─► engine ─► in order? the buffer itself goes up, as far as it is granted
//!                         │        else it waits in the engine's ring, and the window closes
//!   segment ◄─ seal ◄─────┘
//! ```

use framewise_core::buf::ChecksumState;
use framewise_core::id::ConnId;
use framewise_core::seams::segment::{ErrorKind, Segment, TCP};
use framewise_core::seams::stream::{CloseReason, ConnInfo, Endpoint, StreamUp};
use framewise_core::time::earliest;
use framewise_core::{Buf, Cx, Instant};

use crate::config::Config;
use crate::engine::{Emitted, Engine, IP_HEADER_LEN, State, put_ip_header};
use crate::flows::FlowKey;
use crate::guard::{Guard, Verdict};
use crate::outputs::Outputs;
use crate::reset::{CHECKSUM_FIELD, answer, bare_segment};
use crate::rto::RetransmissionTimer;
use crate::segment::{Flags, Header, Options, sum};
use crate::sequence::SeqNumber;

/// The smallest packet that a path may shrink us to: below it, an ICMP error is more likely forged (RFC 8899, section 5.1.2).
const MIN_MTU_V4: usize = 552;
const MIN_MTU_V6: usize = 1_280;

/// Credit is told in portions of at least this part of the send buffer, unless all is acknowledged.
const CREDIT_PORTION: usize = 8;

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    name: ConnId,
    flow: FlowKey,
    engine: Engine,
    guard: Guard,
    /// What RFC 6528 adds to the engine's sequence numbers.
    offset: u32,
    /// The listener whose backlog this is in, until it is open.
    pub(crate) listener: Option<Endpoint>,
    life: Life,
    /// Whether the upper layer was told `Opened`.
    opened: bool,
    /// Bytes that may go up, and bytes that may come down.
    grant: usize,
    credit: usize,
    /// Whether the upper layer has said that it sends no more.
    closing: bool,
    /// Whether the upper layer was told that the peer sends no more.
    peer_closed: bool,
    /// Whether the peer, after both FINs, has forgotten the connection.
    peer_gone: bool,
    started: Instant,
    last_heard: Instant,
    /// Since when something waits to be acknowledged without progress, and what was the first of it.
    waiting_since: Option<Instant>,
    unacknowledged: SeqNumber,
    timer: RetransmissionTimer,
    /// Whether the last segment had been sent before.
    sent_again: bool,
    /// What the network said of this connection without ending it (RFC 1122, section 4.2.3.9).
    soft_error: Option<ErrorKind>,
    /// For the queue of connections that may have something to send, and the heap of timers.
    pub(crate) queued: bool,
    pub(crate) alarm: Option<Instant>,
}

#[derive(Debug)]
enum Life {
    Opening,
    Open,
    /// Both sides have finished; what is left in the ring waits to be granted.
    Draining,
    Over(CloseReason),
}

impl Connection {
    /// A connection of ours to `flow.remote`.
    pub(crate) fn connect(
        name: ConnId,
        flow: FlowKey,
        offset: u32,
        mtu: usize,
        config: &Config,
        now: Instant,
    ) -> Option<Self> {
        let mtu = engine_mtu(&flow, mtu.min(config.mtu));
        let engine = Engine::connect(config, mtu, flow.local.port(), flow.remote.port())?;
        Some(Connection::new(name, flow, engine, offset, now))
    }

    /// A connection that is about to be opened by the peer's SYN.
    pub(crate) fn accept(
        name: ConnId,
        flow: FlowKey,
        offset: u32,
        mtu: usize,
        config: &Config,
        now: Instant,
    ) -> Option<Self> {
        let mtu = engine_mtu(&flow, mtu.min(config.mtu));
        let engine = Engine::listen(config, mtu, flow.local.port())?;
        Some(Connection::new(name, flow, engine, offset, now))
    }

    fn new(name: ConnId, flow: FlowKey, engine: Engine, offset: u32, now: Instant) -> Self {
        Connection {
            name,
            flow,
            engine,
            guard: Guard::default(),
            offset,
            listener: None,
            life: Life::Opening,
            opened: false,
            grant: 0,
            credit: 0,
            closing: false,
            peer_closed: false,
            peer_gone: false,
            started: now,
            last_heard: now,
            waiting_since: None,
            unacknowledged: SeqNumber::default(),
            timer: RetransmissionTimer::default(),
            sent_again: false,
            soft_error: None,
            queued: false,
            alarm: None,
        }
    }

    pub(crate) fn name(&self) -> ConnId {
        self.name
    }

    pub(crate) fn set_name(&mut self, name: ConnId) {
        self.name = name;
    }

    pub(crate) fn flow(&self) -> FlowKey {
        self.flow
    }

    /// Whether the handshake is done, or was once.
    pub(crate) fn is_opened(&self) -> bool {
        self.opened
    }

    /// Why it is over, if it is.
    pub(crate) fn over(&self) -> Option<&CloseReason> {
        match &self.life {
            Life::Over(reason) => Some(reason),
            _ => None,
        }
    }

    // What the upper layer says.

    /// Takes bytes to send, which the credit bounds so that they fit.
    pub(crate) fn send(&mut self, data: &[u8], out: &mut Outputs, cx: &mut Cx) {
        if self.closing {
            return self.abort(CloseReason::Misuse("sent after Close"), out, cx);
        }
        if data.len() > self.credit {
            return self.abort(CloseReason::Misuse("sent more than the credit"), out, cx);
        }
        self.credit -= data.len();
        let taken = self.engine.send(data);
        debug_assert_eq!(taken, data.len(), "the credit promised room");
        self.note_progress(cx.now);
    }

    /// Lets `bytes` more come up.
    pub(crate) fn grant(&mut self, bytes: usize, out: &mut Outputs) {
        self.grant = self.grant.saturating_add(bytes);
        self.deliver(out);
    }

    /// Sends no more: FIN after what is left.
    pub(crate) fn close(&mut self, out: &mut Outputs, cx: &mut Cx) {
        match self.life {
            Life::Opening => self.abort(CloseReason::Aborted, out, cx),
            Life::Open if !self.closing => {
                self.closing = true;
                self.engine.close();
                self.note_progress(cx.now);
            }
            _ => {}
        }
    }

    /// Ends it here and now, with RST where the peer believes in a connection.
    pub(crate) fn abort(&mut self, reason: CloseReason, out: &mut Outputs, cx: &mut Cx) {
        let state = self.engine.state();
        let peer_knows = !matches!(state, State::Closed | State::Listen | State::SynSent | State::TimeWait);
        if peer_knows && self.over().is_none() {
            let header = self.guard.bare(Flags::RST | Flags::ACK);
            out.reply(bare_segment(&self.flow, header), cx);
        }
        self.end(reason);
    }

    // What comes from below.

    /// Takes a segment of this flow whose sum is right.
    pub(crate) fn segment_arrives(&mut self, header: Header, segment: Buf, out: &mut Outputs, cx: &mut Cx) {
        self.last_heard = cx.now;
        let payload = segment.len().saturating_sub(header.length);
        let state = self.engine.state();
        match self.guard.judge(state, header, payload) {
            Verdict::Take { header: judged, payload } => {
                let mut segment = segment;
                segment.advance(header.length);
                segment.truncate(payload);
                self.take(judged, segment, out, cx);
            }
            Verdict::Challenge(reason) => {
                cx.dropped("tcp", reason);
                if self.guard.may_challenge(cx.now) {
                    let header = self.guard.bare(Flags::ACK);
                    out.reply(bare_segment(&self.flow, header), cx);
                }
            }
            Verdict::Refuse(reason) => {
                cx.dropped("tcp", reason);
                if let Some(header) = answer(&header, payload) {
                    out.reply(bare_segment(&self.flow, header), cx);
                }
            }
            Verdict::Reset if state == State::SynSent => self.end(CloseReason::Refused),
            // After both FINs, with all of ours acknowledged, nothing is lost by it (RFC 9293, section 3.10.7.4).
            Verdict::Reset if state.is_after_both_fins() && self.engine.send_queue() == 0 => {
                self.peer_gone = true;
            }
            Verdict::Reset => self.end(CloseReason::Reset),
            Verdict::Drop(reason) => cx.dropped("tcp", reason),
        }
    }

    /// Gives the engine a segment, of which `payload` is all but the header, and sends on what comes of it.
    fn take(&mut self, header: Header, mut payload: Buf, out: &mut Outputs, cx: &mut Cx) {
        let length = payload.len();
        let inner = self.inner_header(&header);
        let in_front = IP_HEADER_LEN + inner.emitted_len();
        if in_front + length > usize::from(u16::MAX) {
            return cx.dropped("tcp", "segment too long");
        }
        // Where the header was there is room for the one that the engine sees.
        let room = payload.prepend(in_front);
        put_ip_header(room, in_front - IP_HEADER_LEN + length);
        inner.emit(&mut room[IP_HEADER_LEN..]);

        let is_next = header.sequence == self.guard.next();
        let waited = self.engine.recv_queue();
        let answer = self.engine.ingress(cx.now, &payload);
        let arrived = self.engine.recv_queue().saturating_sub(waited);
        self.guard.received(arrived);
        let state = self.engine.state();
        if state.is_after_fin() {
            self.guard.finish();
        }
        if !self.is_opened() && !state.is_opening() {
            self.open(out, cx);
        }
        // Next in order, and nothing before it in the ring: the buffer itself goes up.
        let alone = is_next && waited == 0 && length > 0 && arrived >= length;
        if alone && self.is_opened() && self.grant >= length {
            self.engine.discard(length);
            payload.advance(in_front);
            self.hand_up(payload.into_bytes(), out);
        }
        self.note_progress(cx.now);
        self.deliver(out);
        self.offer(out);
        if let Some(emitted) = answer {
            let segment = self.seal(emitted, false, cx);
            out.reply(segment, cx);
        }
    }

    /// The header as the engine sees it: its own numbering, and no options but those of a SYN.
    fn inner_header(&self, header: &Header) -> Header {
        let options = match header.has(Flags::SYN) {
            true => Options { sack: [None; 4], timestamps: None, ..header.options },
            false => Options::default(),
        };
        let acknowledgment = match header.has(Flags::ACK) {
            true => header.acknowledgment.minus(self.offset as usize),
            false => SeqNumber(0),
        };
        let known = Flags::FIN | Flags::SYN | Flags::PSH | Flags::ACK;
        Header {
            acknowledgment,
            flags: Flags(header.flags.0 & known.0),
            urgent_pointer: 0,
            checksum: 0,
            options,
            ..*header
        }
    }

    fn open(&mut self, out: &mut Outputs, cx: &mut Cx) {
        self.life = Life::Open;
        self.opened = true;
        let FlowKey { local, remote } = self.flow;
        cx.note("tcp", "connected", || match self.listener {
            None => format!("connected: my port {} to its port {}", local.port(), remote.port()),
            Some(_) => format!("connected: its port {} to my port {}", remote.port(), local.port()),
        });
        let info = ConnInfo { local, remote, tls: None };
        out.say(StreamUp::Opened { conn: self.name, info: Box::new(info) });
        self.offer(out);
    }

    /// Says `Data` from the ring as far as it is granted, and `PeerClosed` after the last of it.
    fn deliver(&mut self, out: &mut Outputs) {
        if !self.is_opened() {
            return;
        }
        while self.grant > 0 && self.engine.recv_queue() > 0 {
            let data = self.engine.recv(self.grant);
            if data.is_empty() {
                break;
            }
            self.hand_up(data, out);
        }
        if self.guard.is_finished() && self.engine.recv_queue() == 0 && !self.peer_closed {
            self.peer_closed = true;
            out.say(StreamUp::PeerClosed { conn: self.name, clean: true });
        }
    }

    fn hand_up(&mut self, data: bytes::Bytes, out: &mut Outputs) {
        self.grant -= data.len();
        out.say(StreamUp::Data { conn: self.name, data });
    }

    /// Says `Writable` for room in the send buffer that no credit was given for.
    fn offer(&mut self, out: &mut Outputs) {
        if self.closing || !matches!(self.life, Life::Open) {
            return;
        }
        let capacity = self.engine.send_capacity();
        let queue = self.engine.send_queue();
        let bytes = capacity.saturating_sub(queue).saturating_sub(self.credit);
        if bytes > 0 && (queue == 0 || bytes >= capacity / CREDIT_PORTION) {
            self.credit += bytes;
            out.say(StreamUp::Writable { conn: self.name, bytes });
        }
    }

    /// The network says that something we sent, whose sequence number was `quoted`, did not arrive (RFC 5927, RFC 5461).
    pub(crate) fn network_error(
        &mut self,
        kind: ErrorKind,
        quoted: SeqNumber,
        out: &mut Outputs,
        cx: &mut Cx,
    ) {
        if !self.guard.is_in_flight(quoted) {
            return cx.dropped("tcp", "ICMP error quotes nothing in flight");
        }
        let opening = self.engine.state().is_opening();
        match kind {
            ErrorKind::TooBig { mtu } => self.shrink(mtu, out, cx),
            ErrorKind::TimeExceeded | ErrorKind::ParameterProblem => self.soft_error = Some(kind),
            _ if opening => self.end(CloseReason::Unreachable(kind)),
            _ => self.soft_error = Some(kind),
        }
    }

    /// A link on the way takes only packets of `mtu` bytes (RFC 1191, RFC 8201).
    fn shrink(&mut self, mtu: usize, out: &mut Outputs, cx: &mut Cx) {
        let mtu = engine_mtu(&self.flow, mtu);
        if mtu >= self.engine.mtu() {
            return;
        }
        self.engine.set_mtu(mtu);
        cx.note("tcp", "mtu", || format!("a link on the way takes only {mtu} bytes: smaller segments"));
        // What was too big is lost for certain.
        self.send_again(out, cx);
    }

    /// Sends the first of what is not acknowledged again, now. An acknowledgment may be due before.
    fn send_again(&mut self, out: &mut Outputs, cx: &mut Cx) {
        for _ in 0..3 {
            self.engine.skip_to_timer(cx.now);
            let Some(emitted) = self.engine.egress(cx.now) else { return };
            let segment = self.seal(emitted, false, cx);
            let again = self.sent_again;
            out.reply(segment, cx);
            if again {
                return;
            }
        }
    }

    // What goes out.

    /// The next segment to send now.
    pub(crate) fn next_segment(&mut self, config: &Config, cx: &mut Cx) -> Option<Segment> {
        if matches!(self.life, Life::Draining | Life::Over(_)) {
            return None;
        }
        let emitted = self.engine.egress(cx.now)?;
        Some(self.seal(emitted, config.checksum_offload, cx))
    }

    /// Makes a segment of what the engine made: its place in the stream as RFC 6528 has it, addresses, sum.
    fn seal(&mut self, emitted: Emitted, offload: bool, cx: &mut Cx) -> Segment {
        let Emitted { mut segment, segment_size } = emitted;
        let mut header = Header::parse(&segment).unwrap_or_default();
        header.sequence = header.sequence.plus(self.offset as usize);
        segment[4..8].copy_from_slice(&header.sequence.0.to_be_bytes());
        let payload = segment.len().saturating_sub(header.length);
        let again = self.guard.sent(&header, payload);
        let length = header.sequence_len(payload);
        if length > 0 && self.opened {
            let end = header.sequence.plus(length);
            self.timer.sent(end, again, cx.now);
        }
        self.sent_again = again;
        if again {
            cx.note("tcp", "retransmit", || match payload {
                0 => format!("not acknowledged, sent again: {}", header.flags),
                _ => format!("not acknowledged, sent again: {payload} bytes"),
            });
        }
        let (source, destination) = (self.flow.local.ip(), self.flow.remote.ip());
        let mut segment = Segment::new(segment, source, destination, TCP);
        fill_checksum(&mut segment, offload || segment_size.is_some());
        segment.label_mut().offload.segment_size = segment_size;
        segment
    }

    // Time.

    /// When [`on_time`](Self::on_time) or [`next_segment`](Self::next_segment) is wanted next.
    pub(crate) fn wanted_at(&mut self, config: &Config, now: Instant) -> Option<Instant> {
        if matches!(self.life, Life::Draining | Life::Over(_)) {
            return None;
        }
        let timers = earliest(self.engine.poll_at(now), self.timer.expires());
        earliest(timers, self.deadline(config))
    }

    /// Gives up what has waited for too long, or sends it again.
    pub(crate) fn on_time(&mut self, config: &Config, out: &mut Outputs, cx: &mut Cx) {
        let late = self.deadline(config).is_some_and(|at| at <= cx.now);
        if late && self.over().is_none() {
            let reason = match self.soft_error {
                Some(kind) => CloseReason::Unreachable(kind),
                None => CloseReason::TimedOut,
            };
            self.abort(reason, out, cx);
        } else if self.timer.take_expired(cx.now) && self.guard.awaits_acknowledgment() {
            self.send_again(out, cx);
        }
    }

    fn deadline(&self, config: &Config) -> Option<Instant> {
        match self.life {
            Life::Opening if self.listener.is_some() => Some(self.started + config.half_open_timeout),
            Life::Opening => Some(self.started + config.connect_timeout),
            Life::Draining | Life::Over(_) => None,
            Life::Open => {
                let progress = self.waiting_since.map(|since| since + config.user_timeout);
                let silent =
                    config.keep_alive.map(|interval| self.last_heard + interval + config.user_timeout);
                let fin =
                    (self.engine.state() == State::FinWait2).then(|| self.last_heard + config.fin_timeout);
                earliest(earliest(progress, silent), fin)
            }
        }
    }

    /// Keeps count of how long something has waited to be acknowledged.
    fn note_progress(&mut self, now: Instant) {
        let progress = self.guard.unacknowledged() != self.unacknowledged;
        self.unacknowledged = self.guard.unacknowledged();
        if progress {
            let more = self.guard.awaits_acknowledgment();
            self.timer.acknowledged(self.unacknowledged, more, now);
        }
        let waits = self.guard.awaits_acknowledgment()
            || self.engine.send_queue() > 0
            || self.engine.state().awaits_ack();
        self.waiting_since = match self.waiting_since {
            _ if !waits => None,
            Some(since) if !progress => Some(since),
            _ => Some(now),
        };
    }

    // The end.

    /// Whether both sides have finished since the last time this was asked; what answers for it in TIME-WAIT, if it is to be kept.
    pub(crate) fn take_finished(&mut self, out: &mut Outputs, cx: &mut Cx) -> Option<Option<Guard>> {
        let state = self.engine.state();
        let finished = self.peer_gone || matches!(state, State::TimeWait | State::Closed);
        if !matches!(self.life, Life::Open) || !finished {
            return None;
        }
        self.life = Life::Draining;
        if self.guard.owes_acknowledgment() && !self.peer_gone {
            let header = self.guard.bare(Flags::ACK);
            out.reply(bare_segment(&self.flow, header), cx);
        }
        let guard = std::mem::take(&mut self.guard);
        self.guard.finish();
        Some((state == State::TimeWait && !self.peer_gone).then_some(guard))
    }

    /// Notes the end once everything has been handed up.
    pub(crate) fn finish_drained(&mut self) {
        if matches!(self.life, Life::Draining) && self.peer_closed {
            self.end(CloseReason::Finished);
        }
    }

    fn end(&mut self, reason: CloseReason) {
        if self.over().is_none() {
            self.life = Life::Over(reason);
        }
    }
}

/// Bytes of the largest packet for the engine, whose own header is that of IPv4: an IPv6 header takes 20 bytes more.
fn engine_mtu(flow: &FlowKey, mtu: usize) -> usize {
    let most = usize::from(u16::MAX);
    match flow.remote.is_ipv4() {
        true => mtu.clamp(MIN_MTU_V4, most),
        false => mtu.clamp(MIN_MTU_V6, most) - 20,
    }
}

/// Computes the sum, or leaves it to the device with the pseudo-header's in its place, as devices want it.
fn fill_checksum(segment: &mut Segment, offload: bool) {
    let (source, destination) = (segment.source(), segment.destination());
    let value = if offload {
        let mut pseudo = framewise_core::checksum::Sum::default();
        pseudo.add_pseudo_header(source, destination, TCP, segment.len());
        segment.label_mut().offload.checksum =
            ChecksumState::Partial { start: segment.position() as u16, field: CHECKSUM_FIELD as u16 };
        pseudo.folded()
    } else {
        sum(segment, source, destination).checksum()
    };
    segment[CHECKSUM_FIELD..CHECKSUM_FIELD + 2].copy_from_slice(&value.to_be_bytes());
}
