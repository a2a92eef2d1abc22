//! What a connection does with a segment, and with what the network says about its own.
//!
//! Read RFC 9293 section 3.10.7 (segment arrives), RFC 5927 and RFC 5461 (ICMP errors) before changing this file.

use std::time::Duration;

use framewise_core::seams::segment::ErrorKind;
use framewise_core::seams::stream::CloseReason;
use framewise_core::{Buf, Cx};

use super::{Connection, engine_mtu};
use crate::engine::{IP_HEADER_LEN, put_ip_header};
use crate::guard::{Untaken, Verdict};
use crate::outputs::Outputs;
use crate::passive::State;
use crate::reset::{answer, bare_segment};
use crate::segment::{Flags, Header, Options, default_segment_size};
use crate::sequence::SeqNumber;

/// How long an attempt to connect goes on though the network says that there is no way, or that the host does not answer (RFC
/// 5461, section 4.1 on giving up after all): a route may be on its way, so the SYN is said once more; and over a lossy link, a
/// neighbour may be asked in vain once.
fn perseverance(kind: ErrorKind) -> Duration {
    match kind {
        ErrorKind::NetworkUnreachable => Duration::from_secs(1),
        _ => Duration::from_secs(8),
    }
}

impl Connection {
    /// Takes a segment of this flow whose sum is right.
    pub(crate) fn segment_arrives(&mut self, header: Header, segment: Buf, out: &mut Outputs, cx: &mut Cx) {
        if self.held.is_some() {
            return cx.ignored("tcp", "it is being asked about");
        }
        let payload = segment.len().saturating_sub(header.length);
        let state = self.engine.state();
        match self.guard.judge(state, header, payload) {
            Verdict::Take { header: judged, payload } => {
                // Only this is a sign of life: anybody can send what is dropped.
                self.last_heard = cx.now;
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
        if header.has(Flags::SYN) {
            let told = header.options.maximum_segment_size;
            self.peer_takes = told.unwrap_or_else(|| default_segment_size(self.flow.remote().ip()));
        }
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
        let is_beyond = self.guard.next().is_before(header.sequence);
        let waited = self.engine.recv_queue();
        let unsent = self.engine.send_queue();
        let before = self.engine.state();
        let answer = self.engine.ingress(cx.now, &payload);
        let arrived = self.engine.recv_queue().saturating_sub(waited);
        if length > 0 && arrived == 0 {
            count_untaken(self.guard.judge_untaken(header.sequence, length, answer.is_some()), cx);
        }
        self.guard.received(arrived);
        self.queue.acknowledge(unsent.saturating_sub(self.engine.send_queue()));
        if length > 0 {
            self.touch();
            self.note_reach(header.sequence.plus(length));
        }
        let state = self.engine.state();
        if state.is_after_fin() {
            self.guard.finish();
        }
        if before != state || arrived > 0 {
            self.owes_fin_since = cx.now;
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
        } else if is_beyond && length == 0 && header.has(Flags::FIN) {
            // What is missing before it is sent again the sooner (RFC 5681, section 4.2).
            out.reply(bare_segment(&self.flow, self.guard.bare(Flags::ACK)), cx);
        }
    }

    /// The header as the engine sees it: its own numbering, and no options but those of a SYN. Of a segment size beyond what the
    /// path takes it is not told: its congestion window counts in these (RFC 5681, section 2).
    fn inner_header(&self, header: &Header) -> Header {
        let options = match header.has(Flags::SYN) {
            true => Options {
                maximum_segment_size: Some(self.full_segment() as u16),
                sack: [None; 4],
                timestamps: None,
                ..header.options
            },
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
            // No verdict about the host yet (RFC 1122, section 4.2.3.9): who is connected to waits for its own timer.
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
                if self.listener.is_some() || cx.now - self.started < perseverance(kind) =>
            {
                self.soft_error = Some(kind)
            }
            _ if opening => self.end(CloseReason::Unreachable(kind)),
            _ => self.soft_error = Some(kind),
        }
    }

    /// A link on the way takes only packets of `mtu` bytes (RFC 1191, RFC 8201).
    fn shrink(&mut self, mtu: usize, out: &mut Outputs, cx: &mut Cx) {
        let smaller = engine_mtu(&self.flow, mtu);
        if smaller >= self.engine.mtu() {
            return;
        }
        self.engine.set_mtu(smaller);
        cx.note("tcp", "mtu", || format!("a link on the way takes only {mtu} bytes: smaller segments"));
        // What was too big is lost for certain.
        self.send_again(out, cx);
    }
}

/// Counts a payload that was not taken in order, if it is not kept, either.
#[cold]
fn count_untaken(untaken: Untaken, cx: &mut Cx) {
    match untaken {
        Untaken::Kept => {}
        // Nothing is refused: that it came again, whoever watches sees without being told.
        Untaken::CameBefore => cx.counters.count("tcp", "it came before"),
        Untaken::OutOfWindow => cx.dropped("tcp", "out of the window"),
        Untaken::TooManyGaps => cx.dropped("tcp", "too many gaps"),
    }
}
