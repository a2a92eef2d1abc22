//! Which segments reach the engine: those that belong to the connection, and nothing forged or broken.
//!
//! Read RFC 9293 section 3.10.7 (segment arrives), RFC 5961 sections 3 to 5 (RST, SYN and data from somebody who guesses) and 7
//! (how often to challenge) before changing this file.
//!
//! The guard knows the connection's variables of RFC 9293 section 3.3.1 from what it saw pass: what was sent and
//! acknowledged, what came and was offered. All are as on the wire, with the offset of RFC 6528.

use std::time::Duration;

use framewise_core::Instant;

use crate::passive::State;
use crate::segment::{Flags, Header, Options};
use crate::sequence::SeqNumber;

/// Ten in five seconds for one connection (RFC 5961, section 7, names ten for all; one count for all would
/// tell an attacker about other connections).
const CHALLENGE_INTERVAL: Duration = Duration::from_millis(500);

/// What to do with a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Give it to the engine, with this header and only this much of its payload.
    Take { header: Header, payload: usize },
    /// Drop it, and answer with an acknowledgment that shows where we are, if one is due.
    Challenge(&'static str),
    /// Drop it, and answer with RST: it is not of this connection.
    Refuse(&'static str),
    /// The peer broke the connection off.
    Reset,
    /// Drop it.
    Drop(&'static str),
}

/// What has become of a payload of which no byte came in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untaken {
    /// It waits for what is missing before it.
    Kept,
    /// All of it was there already.
    CameBefore,
    /// It lies beyond what we offered to take.
    OutOfWindow,
    /// There are as many gaps before what waits as may be.
    TooManyGaps,
}

/// What is known of one connection.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// Whether our SYN was sent.
    sent: bool,
    /// SND.UNA: the first byte that is not acknowledged.
    una: SeqNumber,
    /// The byte after the last one ever sent: SND.NXT, but it never goes back.
    max: SeqNumber,
    /// SND.WL1, SND.WL2 and the window that came with them, not shifted.
    window_sequence: SeqNumber,
    window_acknowledgment: SeqNumber,
    window: u16,
    /// The largest window that the peer offered.
    largest_window: usize,
    /// IRS: where the peer's numbers begin.
    irs: SeqNumber,
    /// RCV.NXT: the next byte that is expected.
    next: SeqNumber,
    /// The acknowledgment and the window we sent last, and the byte after the last one we ever offered to take.
    acknowledged: SeqNumber,
    offered: u16,
    edge: SeqNumber,
    /// Our window scale and the peer's; both hold once both were said.
    shift: u8,
    peer_shift: Option<u8>,
    /// Whether the peer's FIN came, and is counted in `next`.
    finished: bool,
    challenge_at: Instant,
}

impl Guard {
    /// Judges a segment with `payload` bytes of payload that came in `state`.
    pub(crate) fn judge(&mut self, state: State, header: Header, payload: usize) -> Verdict {
        match state {
            State::Listen => self.synchronize(header),
            State::SynSent => self.judge_answer(header),
            _ => self.judge_synchronized(state, header, payload),
        }
    }

    /// RFC 9293, section 3.10.7.3.
    fn judge_answer(&mut self, header: Header) -> Verdict {
        if !self.sent {
            return Verdict::Drop("nothing was sent yet");
        }
        let acknowledges = header.has(Flags::ACK);
        if acknowledges && header.acknowledgment != self.max {
            return match header.has(Flags::RST) {
                true => Verdict::Drop("RST does not fit"),
                false => Verdict::Refuse("acknowledges what was not sent"),
            };
        }
        match (header.has(Flags::RST), header.has(Flags::SYN)) {
            (true, _) if acknowledges => Verdict::Reset,
            (true, _) => Verdict::Drop("RST does not fit"),
            (false, true) => self.synchronize(header),
            (false, false) => Verdict::Drop("no SYN in the answer"),
        }
    }

    /// The peer's SYN: its numbers begin here. Data with it comes again later.
    fn synchronize(&mut self, header: Header) -> Verdict {
        self.irs = header.sequence;
        self.next = header.sequence.plus(1);
        self.acknowledged = header.sequence;
        self.edge = self.next.plus(usize::from(self.offered));
        self.peer_shift = header.options.window_scale;
        self.remember_window(&header, 0);
        if header.has(Flags::ACK) {
            self.una = header.acknowledgment;
        }
        Verdict::Take { header: Header { flags: header.flags.without(Flags::FIN), ..header }, payload: 0 }
    }

    /// RFC 9293, section 3.10.7.4, in its order but for the sequence number, which the engine checks once more.
    fn judge_synchronized(&mut self, state: State, header: Header, payload: usize) -> Verdict {
        if header.has(Flags::RST) {
            return self.judge_reset(&header);
        }
        if header.has(Flags::SYN) {
            return self.judge_syn(state, header);
        }
        if !header.has(Flags::ACK) {
            return Verdict::Drop("no ACK");
        }
        let beyond_sent = header.acknowledgment.since(self.max) > 0;
        if state == State::SynReceived && header.acknowledgment != self.max {
            return Verdict::Refuse("acknowledges what was not sent");
        }
        let too_old = header.acknowledgment.is_before(self.una.minus(self.largest_window));
        if beyond_sent || too_old {
            return Verdict::Challenge("acknowledgment out of range");
        }
        self.judge_text(header, payload)
    }

    /// RFC 5961, section 3.2: only the very next number resets; another in the window is asked about.
    fn judge_reset(&self, header: &Header) -> Verdict {
        if header.sequence == self.next {
            Verdict::Reset
        } else if self.is_in_window(header.sequence) {
            Verdict::Challenge("RST not at the next byte")
        } else {
            Verdict::Drop("RST out of the window")
        }
    }

    /// RFC 5961, section 4.2: a SYN never resets. Before the handshake is done it may be the peer's own once more.
    fn judge_syn(&mut self, state: State, header: Header) -> Verdict {
        if state != State::SynReceived || header.sequence != self.irs {
            return Verdict::Challenge("SYN in a connection");
        }
        if !header.has(Flags::ACK) {
            return Verdict::Drop("SYN repeated");
        }
        // Both sides connected at once (RFC 9293, figure 8): the rest of it is the acknowledgment.
        let acknowledgment = Header {
            sequence: header.sequence.plus(1),
            flags: header.flags.without(Flags::SYN | Flags::FIN),
            options: Options::default(),
            ..header
        };
        self.judge_synchronized(state, acknowledgment, 0)
    }

    /// Cuts off what nobody asked for, and makes up for what the engine would take wrongly.
    fn judge_text(&mut self, mut header: Header, mut payload: usize) -> Verdict {
        let end = header.sequence.plus(payload);
        if self.finished && payload > 0 && end.since(self.next) >= 0 {
            return Verdict::Drop("data after FIN");
        }
        // A FIN beyond the window is not taken with what is cut off before it.
        let excess = end.since(self.edge);
        if payload > 0 && excess > 0 {
            header.flags = header.flags.without(Flags::FIN);
            if header.sequence.is_before(self.edge) {
                payload = payload.saturating_sub(excess as usize);
            }
        }
        // The data came before, and only the FIN behind it is new: a sender may repeat both together (RFC 9293, section
        // 3.10.7.4, trims what is old), but the engine would look at neither.
        if payload > 0 && header.has(Flags::FIN) && !self.finished && end == self.next {
            header.sequence = end;
            payload = 0;
        }
        if self.is_acceptable(&header, payload) {
            self.take_acknowledgment(&mut header);
        }
        if header.acknowledgment.is_before(self.una) {
            if payload == 0 && !header.has(Flags::FIN) && self.is_in_window(header.sequence) {
                return Verdict::Drop("old acknowledgment");
            }
            // The engine would drop the data along with the old acknowledgment.
            header.acknowledgment = self.una;
        }
        Verdict::Take { header, payload }
    }

    /// SND.UNA and the window (RFC 9293, section 3.10.7.4, fifth): a segment that is older than the one the window was last
    /// taken from does not change it.
    fn take_acknowledgment(&mut self, header: &mut Header) {
        self.una = self.una.later(header.acknowledgment);
        let sequence = header.sequence.since(self.window_sequence);
        let acknowledgment = header.acknowledgment.since(self.window_acknowledgment);
        if sequence > 0 || (sequence == 0 && acknowledgment >= 0) {
            self.remember_window(header, self.peer_shift.unwrap_or(0));
        } else {
            header.window = self.window;
        }
    }

    fn remember_window(&mut self, header: &Header, shift: u8) {
        self.window_sequence = header.sequence;
        self.window_acknowledgment = header.acknowledgment;
        self.window = header.window;
        let window = usize::from(header.window) << shift;
        self.largest_window = self.largest_window.max(window);
    }

    /// RFC 9293, section 3.4: the four cases of an acceptable segment.
    fn is_acceptable(&self, header: &Header, payload: usize) -> bool {
        let length = header.sequence_len(payload);
        let last = header.sequence.plus(length.saturating_sub(1));
        match (length, self.edge == self.next) {
            (0, true) => header.sequence == self.next,
            (0, false) => self.is_in_window(header.sequence),
            (_, true) => false,
            (_, false) => self.is_in_window(header.sequence) || self.is_in_window(last),
        }
    }

    fn is_in_window(&self, sequence: SeqNumber) -> bool {
        sequence == self.next || (sequence.since(self.next) > 0 && sequence.is_before(self.edge))
    }

    /// What has become of a payload of which the engine took no byte in order. Whatever it keeps for later it acknowledges at
    /// once (RFC 5681, section 4.2).
    pub(crate) fn judge_untaken(&self, sequence: SeqNumber, payload: usize, acknowledged: bool) -> Untaken {
        if sequence.plus(payload).since(self.next) <= 0 {
            Untaken::CameBefore
        } else if !sequence.is_before(self.edge) {
            Untaken::OutOfWindow
        } else if sequence.since(self.next) > 0 && !acknowledged {
            Untaken::TooManyGaps
        } else {
            Untaken::Kept
        }
    }

    /// Notes a segment of ours on its way out. `true` if some of it was sent before.
    pub(crate) fn sent(&mut self, header: &Header, payload: usize) -> bool {
        if header.has(Flags::SYN) && !self.sent {
            self.sent = true;
            self.una = header.sequence;
            self.max = header.sequence;
            self.shift = header.options.window_scale.unwrap_or(0);
        }
        let length = header.sequence_len(payload);
        let again = length > 0 && self.una.is_before(self.max) && header.sequence.is_before(self.max);
        let end = header.sequence.plus(length);
        self.max = self.max.later(end);
        self.offered = header.window;
        if header.has(Flags::ACK) {
            let shift = if header.has(Flags::SYN) { 0 } else { self.own_shift() };
            let edge = header.acknowledgment.plus(usize::from(header.window) << shift);
            self.edge = self.edge.later(edge);
            self.acknowledged = header.acknowledgment;
        }
        again
    }

    /// Notes that `bytes` came in order.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.next = self.next.plus(bytes);
        self.edge = self.edge.later(self.next);
    }

    /// Notes that the peer's FIN came.
    pub(crate) fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.received(1);
        }
    }

    /// Whether the peer's FIN came.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether an answer to a doubtful segment is due.
    pub(crate) fn may_challenge(&mut self, now: Instant) -> bool {
        let due = now >= self.challenge_at;
        if due {
            self.challenge_at = now + CHALLENGE_INTERVAL;
        }
        due
    }

    /// The header of a segment without data that shows where we are.
    pub(crate) fn bare(&self, flags: Flags) -> Header {
        Header {
            sequence: self.acceptable(),
            acknowledgment: self.next,
            flags,
            window: self.offered,
            ..Header::default()
        }
    }

    /// SND.NXT, or where the peer's window ends if that is before: a byte sent to ask whether a closed window has opened was
    /// not taken, and a number beyond it would be none that the peer expects (RFC 9293, section 3.10.7.4; for
    /// RST RFC 5961, section 3.2).
    fn acceptable(&self) -> SeqNumber {
        let edge = self.edge();
        let is_within = !edge.is_before(self.una) && edge.is_before(self.max);
        if is_within { edge } else { self.max }
    }

    /// The byte after the last one that the peer offers to take: SND.UNA + SND.WND, both as they were said together.
    fn edge(&self) -> SeqNumber {
        let window = usize::from(self.window) << self.peer_shift.unwrap_or(0);
        self.window_acknowledgment.plus(window)
    }

    /// Bytes that the peer's window has room for beyond what was sent (RFC 9293, section 3.8.6.2.1: U).
    pub(crate) fn usable_window(&self) -> usize {
        usize::try_from(self.edge().since(self.max)).unwrap_or(0)
    }

    /// The largest window that the peer ever offered, in bytes (Max(SND.WND)).
    pub(crate) fn largest_window(&self) -> usize {
        self.largest_window
    }

    /// Whether what came was not acknowledged yet.
    pub(crate) fn owes_acknowledgment(&self) -> bool {
        self.acknowledged != self.next
    }

    /// RCV.NXT.
    pub(crate) fn next(&self) -> SeqNumber {
        self.next
    }

    /// SND.UNA.
    pub(crate) fn unacknowledged(&self) -> SeqNumber {
        self.una
    }

    /// Whether `sequence` was sent and not acknowledged yet (RFC 5927, section 4).
    pub(crate) fn is_in_flight(&self, sequence: SeqNumber) -> bool {
        self.sent && sequence.since(self.una) >= 0 && sequence.is_before(self.max)
    }

    /// How much was sent and not acknowledged yet.
    pub(crate) fn in_flight(&self) -> usize {
        usize::try_from(self.max.since(self.una)).unwrap_or(0)
    }

    /// Whether anything was sent and not acknowledged yet.
    pub(crate) fn awaits_acknowledgment(&self) -> bool {
        self.una.is_before(self.max)
    }

    fn own_shift(&self) -> u8 {
        if self.peer_shift.is_some() { self.shift } else { 0 }
    }
}
