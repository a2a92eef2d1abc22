//! How a connection's segments get what the engine leaves to us: their place in the stream, addresses, a sum.

use framewise_core::buf::ChecksumState;
use framewise_core::checksum::Sum;
use framewise_core::seams::segment::{Segment, TCP};
use framewise_core::{Buf, Cx};

use super::{Connection, HEADERS_LEN, Life};
use crate::config::Config;
use crate::engine::Emitted;
use crate::outputs::Outputs;
use crate::reset::CHECKSUM_FIELD;
use crate::rto::RetransmissionTimer;
use crate::segment::{Flags, Header, sum};
use crate::sequence::SeqNumber;

impl Connection {
    /// The next segment to send now.
    pub(crate) fn next_segment(&mut self, config: &Config, cx: &mut Cx) -> Option<Segment> {
        if matches!(self.life, Life::Draining | Life::Over(_)) {
            return None;
        }
        self.avoid_silly_segments();
        let emitted = self.engine.egress(cx.now)?;
        Some(self.seal(emitted, config.checksum_offload, cx))
    }

    /// The sender's side of the silly window syndrome (RFC 9293, section 3.8.6.2.1, MUST-38): where a window ends within a
    /// segment, that waits until it can go full, or has half of the largest window that the peer ever offered. The last of a
    /// message never waits, and where nothing is in flight nothing does: no acknowledgment would end the waiting. Where the
    /// congestion window is what ends, two full segments are in flight first: fewer the peer may be slow to acknowledge.
    fn avoid_silly_segments(&mut self) {
        let full = self.full_segment();
        let in_flight = self.guard.in_flight();
        let unsent = self.engine.send_queue().saturating_sub(in_flight);
        let usable = self.guard.usable_window();
        let silly = unsent > usable && usable < full.min(self.guard.largest_window() / 2);
        self.engine.hold_partial(silly || (unsent >= full && in_flight >= 2 * full));
    }

    /// The largest payload that goes into one segment (RFC 9293, section 3.7.1: Eff.snd.MSS, no options counted).
    pub(super) fn full_segment(&self) -> usize {
        usize::from(self.peer_takes).min(self.engine.mtu().saturating_sub(HEADERS_LEN))
    }

    /// Makes a segment of what the engine made: its place in the stream as RFC 6528 has it, addresses, sum.
    pub(super) fn seal(&mut self, emitted: Emitted, offload: bool, cx: &mut Cx) -> Segment {
        let Emitted { mut segment, segment_size } = emitted;
        let mut header = Header::parse(&segment).unwrap_or_default();
        header.sequence = header.sequence.plus(self.offset as usize);
        segment[4..8].copy_from_slice(&header.sequence.0.to_be_bytes());
        let payload = segment.len().saturating_sub(header.length);
        match header.has(Flags::SYN) {
            true => self.queue.begin_at(header.sequence.plus(1)),
            false => self.queue.copy_to(header.sequence, &mut segment[header.length..]),
        }
        let again = self.guard.sent(&header, payload);
        let length = header.sequence_len(payload);
        let end = header.sequence.plus(length);
        // The byte of a keep-alive was acknowledged long ago.
        if length > 0 && self.guard.unacknowledged().is_before(end) {
            match self.opened {
                true => self.timer.sent(end, again, cx.now),
                false => self.timer.sent_syn(end, again, cx.now),
            }
        }
        self.sent_again = again;
        if again {
            cx.note("tcp", "retransmit", || match payload {
                0 => format!("not acknowledged, sent again: {}", header.flags),
                _ => format!("not acknowledged, sent again: {payload} bytes"),
            });
        }
        let (source, destination) = (self.flow.local().ip(), self.flow.remote().ip());
        let mut segment = Segment::new(segment, source, destination, TCP);
        fill_checksum(&mut segment, offload || segment_size.is_some());
        segment.label_mut().offload.segment_size = segment_size;
        segment
    }

    /// The peer's SYN was answered before there was this connection, by a SYN of this number: the engine goes through it, and
    /// what it sends is counted from there.
    pub(crate) fn was_answered(&mut self, syn: Header, number: SeqNumber, out: &mut Outputs, cx: &mut Cx) {
        let length = syn.emitted_len();
        let mut segment = Buf::with_capacity(length);
        syn.emit(segment.append(length));
        self.segment_arrives(Header { length, ..syn }, segment, out, cx);
        let Some(answer) = self.engine.egress(cx.now) else { return };
        let engines = Header::parse(&answer.segment).unwrap_or_default().sequence;
        self.offset = number.0.wrapping_sub(engines.0);
        // The peer has it already. When it was sent nobody knows any more.
        drop(self.seal(answer, false, cx));
        self.timer = RetransmissionTimer::default();
    }

    /// Sends the first of what is not acknowledged again, now. An acknowledgment may be due before.
    pub(super) fn send_again(&mut self, out: &mut Outputs, cx: &mut Cx) {
        self.avoid_silly_segments();
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
}

/// Computes the sum, or leaves it to the device with the pseudo-header's in its place, as devices want it.
fn fill_checksum(segment: &mut Segment, offload: bool) {
    let (source, destination) = (segment.source(), segment.destination());
    let value = if offload {
        let mut pseudo = Sum::default();
        pseudo.add_pseudo_header(source, destination, TCP, segment.len());
        segment.label_mut().offload.checksum =
            ChecksumState::Partial { start: segment.position() as u16, field: CHECKSUM_FIELD as u16 };
        pseudo.folded()
    } else {
        sum(segment, source, destination).checksum()
    };
    segment[CHECKSUM_FIELD..CHECKSUM_FIELD + 2].copy_from_slice(&value.to_be_bytes());
}
