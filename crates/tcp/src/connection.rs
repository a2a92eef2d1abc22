//! One connection: from its SYN to the last word about it.
//!
//! Read RFC 9293 sections 3.3.2 (states), 3.6 (closing) and 3.9.1 (what a user may ask) before changing this file.
//!
//! ```text
//!   segment ─► guard ─► engine ─► in order? the buffer itself goes up, as far as it is granted
//!                         │        else it waits in the engine's ring, and the window closes
//!   segment ◄─ seal ◄─────┘
//!               └─ the bytes, out of the queue of what is to be sent
//! ```

mod idle;
mod inbound;
mod outbound;
mod pace;
mod upper;

use framewise_core::id::ConnId;
use framewise_core::seams::segment::{ErrorKind, Segment};
use framewise_core::seams::stream::{CloseReason, Endpoint};
use framewise_core::time::earliest;
use framewise_core::{Cx, Instant};

use crate::allowance::{Allowance, Budget};
use crate::config::Config;
use crate::engine::{Engine, IP_HEADER_LEN};
use crate::flows::FlowKey;
use crate::guard::Guard;
use crate::outputs::Outputs;
use crate::passive::State;
use crate::reset::bare_segment;
use crate::rings::Arena;
use crate::rto::RetransmissionTimer;
use crate::segment::Flags;
use crate::send_queue::SendQueue;
use crate::sequence::SeqNumber;
use pace::Pace;

/// The smallest packet that a path may shrink us to: below it, an ICMP error is more likely forged (RFC 8899, section 5.1.2).
const MIN_MTU_V4: usize = 552;
const MIN_MTU_V6: usize = 1_280;

/// Bytes of the engine's headers, its stand-in for IP's included.
const HEADERS_LEN: usize = IP_HEADER_LEN + 20;

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    name: ConnId,
    flow: FlowKey,
    engine: Engine,
    guard: Guard,
    /// What the engine sends, or has sent and may send again.
    queue: SendQueue,
    /// What RFC 6528 adds to the engine's sequence numbers.
    offset: u32,
    /// The listener whose backlog this is in, until it is open.
    pub(crate) listener: Option<Endpoint>,
    life: Life,
    /// The peer's SYN, while the upper layer is asked whether to take the connection.
    pub(crate) held: Option<Segment>,
    /// Whether the upper layer was told `Asked`.
    pub(crate) asked: bool,
    /// Whether the upper layer was told `Opened`.
    opened: bool,
    /// Bytes that may go up, and bytes that may come down.
    grant: usize,
    credit: usize,
    allowance: Allowance,
    /// Whether the upper layer has said that it sends no more.
    closing: bool,
    /// Whether the upper layer was told that the peer sends no more.
    peer_closed: bool,
    /// Whether the peer, after both FINs, has forgotten the connection.
    peer_gone: bool,
    started: Instant,
    /// When a segment last came that was taken for the peer's.
    last_heard: Instant,
    /// In FIN-WAIT-2, since when the peer owes us its next byte or its FIN.
    owes_fin_since: Instant,
    /// Since when something waits to be acknowledged without progress, and what was the first of it.
    waiting_since: Option<Instant>,
    unacknowledged: Option<SeqNumber>,
    /// While something waits, how fast the peer takes it.
    pace: Option<Pace>,
    timer: RetransmissionTimer,
    /// Whether the last segment had been sent before.
    sent_again: bool,
    /// Whether anything was received or sent since memory was given back, and how far what came out of order reaches.
    touched: bool,
    gap_until: Option<SeqNumber>,
    /// What the network said of this connection without ending it (RFC 1122, section 4.2.3.9).
    soft_error: Option<ErrorKind>,
    /// The largest payload that the peer takes, once its SYN has come.
    peer_takes: u16,
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
    /// A connection of ours to the flow's remote end.
    pub(crate) fn connect(
        name: ConnId,
        flow: FlowKey,
        offset: u32,
        mtu: usize,
        (config, arena, budget): (&Config, &Arena, &Budget),
        now: Instant,
    ) -> Option<Self> {
        let mtu = engine_mtu(&flow, mtu.min(config.mtu));
        let engine = Engine::connect(config, arena, mtu, flow.local().port(), flow.remote().port())?;
        Some(Connection::new(name, flow, engine, offset, Allowance::new(budget), now))
    }

    /// A connection that is about to be opened by the peer's SYN.
    pub(crate) fn accept(
        name: ConnId,
        flow: FlowKey,
        offset: u32,
        mtu: usize,
        (config, arena, budget): (&Config, &Arena, &Budget),
        now: Instant,
    ) -> Option<Self> {
        let mtu = engine_mtu(&flow, mtu.min(config.mtu));
        let engine = Engine::listen(config, arena, mtu, flow.local().port())?;
        Some(Connection::new(name, flow, engine, offset, Allowance::new(budget), now))
    }

    fn new(
        name: ConnId,
        flow: FlowKey,
        engine: Engine,
        offset: u32,
        allowance: Allowance,
        now: Instant,
    ) -> Self {
        Connection {
            name,
            flow,
            engine,
            guard: Guard::default(),
            queue: SendQueue::default(),
            offset,
            listener: None,
            life: Life::Opening,
            held: None,
            asked: false,
            opened: false,
            grant: 0,
            credit: 0,
            allowance,
            closing: false,
            peer_closed: false,
            peer_gone: false,
            started: now,
            last_heard: now,
            owes_fin_since: now,
            waiting_since: None,
            unacknowledged: None,
            pace: None,
            timer: RetransmissionTimer::default(),
            sent_again: false,
            touched: false,
            gap_until: None,
            soft_error: None,
            peer_takes: u16::MAX,
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

    pub(crate) fn state(&self) -> State {
        self.engine.state()
    }

    pub(crate) fn flow(&self) -> FlowKey {
        self.flow
    }

    /// Whether the handshake is done, or was once.
    pub(crate) fn is_opened(&self) -> bool {
        self.opened
    }

    /// Whether the upper layer has heard its name.
    pub(crate) fn is_known(&self) -> bool {
        self.opened || self.asked
    }

    /// The upper layer takes it: its time begins now.
    pub(crate) fn begin_anew(&mut self, now: Instant) {
        self.started = now;
        self.last_heard = now;
    }

    /// Why it is over, if it is.
    pub(crate) fn over(&self) -> Option<&CloseReason> {
        match &self.life {
            Life::Over(reason) => Some(reason),
            _ => None,
        }
    }

    // Time.

    /// When [`on_time`](Self::on_time) or [`next_segment`](Self::next_segment) is wanted next.
    pub(crate) fn wanted_at(&mut self, config: &Config, now: Instant) -> Option<Instant> {
        if matches!(self.life, Life::Draining | Life::Over(_)) {
            return None;
        }
        let timers = earliest(self.engine.poll_at(now), self.timer.expires());
        let patience = earliest(self.deadline(config), self.pace_deadline(config));
        earliest(timers, earliest(self.idle_at(), patience))
    }

    /// Gives up what has waited for too long, or sends it again; gives back what an idle one does not need.
    pub(crate) fn on_time(&mut self, config: &Config, out: &mut Outputs, cx: &mut Cx) {
        let late = self.deadline(config).is_some_and(|at| at <= cx.now);
        let slow = matches!(self.life, Life::Open) && self.is_too_slow(config, cx.now);
        if slow {
            cx.dropped("tcp", "peer too slow");
        }
        if (late || slow) && self.over().is_none() {
            let reason = match self.soft_error {
                Some(kind) => CloseReason::Unreachable(kind),
                None => CloseReason::TimedOut,
            };
            self.abort(reason, out, cx);
        } else if self.timer.take_expired(cx.now) && self.guard.awaits_acknowledgment() {
            self.send_again(out, cx);
        }
        self.give_back_memory(cx.now);
    }

    fn deadline(&self, config: &Config) -> Option<Instant> {
        match self.life {
            Life::Opening if self.listener.is_some() && self.held.is_none() => {
                Some(self.started + config.half_open_timeout)
            }
            Life::Opening => Some(self.started + config.connect_timeout),
            Life::Draining | Life::Over(_) => None,
            Life::Open => {
                let progress = self.waiting_since.map(|since| since + config.user_timeout);
                let silent =
                    config.keep_alive.map(|interval| self.last_heard + interval + config.user_timeout);
                earliest(earliest(progress, silent), self.fin_deadline(config))
            }
        }
    }

    /// How long the peer has for its FIN. While what came waits for our own user, the peer can't be blamed.
    fn fin_deadline(&self, config: &Config) -> Option<Instant> {
        let owes = self.engine.state() == State::FinWait2 && self.engine.recv_queue() == 0;
        owes.then(|| self.owes_fin_since + config.fin_timeout)
    }

    /// Keeps count of how long something has waited to be acknowledged.
    fn note_progress(&mut self, now: Instant) {
        let unacknowledged = self.guard.unacknowledged();
        let before = self.unacknowledged.replace(unacknowledged);
        let progress = before != Some(unacknowledged);
        let taken = before.map_or(0, |before| unacknowledged.since(before).unsigned_abs());
        if progress {
            self.soft_error = None;
            self.allowance.grow(taken as usize, self.engine.send_capacity());
            let more = self.guard.awaits_acknowledgment();
            self.timer.acknowledged(unacknowledged, more, now);
        }
        let waits = self.awaits_something();
        self.waiting_since = match self.waiting_since {
            _ if !waits => None,
            Some(since) if !progress => Some(since),
            _ => Some(now),
        };
        self.note_pace(waits, taken, now);
    }

    fn awaits_something(&self) -> bool {
        self.guard.awaits_acknowledgment() || self.engine.send_queue() > 0 || self.engine.state().awaits_ack()
    }

    /// Whether bytes or a FIN of ours are still to be sent or acknowledged.
    pub(crate) fn is_sending(&self) -> bool {
        matches!(self.life, Life::Open) && self.awaits_something()
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
    match flow.remote().is_ipv4() {
        true => mtu.clamp(MIN_MTU_V4, most),
        false => mtu.clamp(MIN_MTU_V6, most) - 20,
    }
}

/// The largest segment that fits into packets of `mtu` bytes (RFC 6691: without options).
pub(crate) fn path_segment_size(flow: &FlowKey, mtu: usize) -> u16 {
    (engine_mtu(flow, mtu) - HEADERS_LEN) as u16
}
