//! What is unusual about a segment, and which earlier one it has to do with.
//!
//! Read first: RFC 9293 sections 3.8.1 (timeouts) and 3.8.6 (windows, probes), RFC 5681 section 3.2 (three duplicate
//! acknowledgments), RFC 1122 section 4.2.3.6 (keep-alives). The names and the rules are those by which Wireshark's
//! `tcp.analysis` goes, so that both say the same of a capture (`tests/tests/memory_states.rs`).

use std::collections::VecDeque;

use super::Seen;
use crate::segment::Flags;
use crate::sequence::SeqNumber;

/// Something unusual about a segment. Segments are named by their numbers in the order in which they were seen, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It brings what was sent before.
    Again {
        /// When that was sent last, if it was seen.
        last: Option<u32>,
        /// Why it is sent again.
        why: Resent,
    },
    /// It comes after some that were sent later: something on the way overtook it.
    OutOfOrder,
    /// What comes before it was not seen: it was lost, or is yet to come.
    Missing {
        /// How many bytes.
        bytes: u32,
    },
    /// It acknowledges what was never seen here.
    AcknowledgesUnseen {
        /// How many bytes of it.
        bytes: u32,
    },
    /// It acknowledges once more what was acknowledged before: something else has come, and not what is missing.
    DuplicateAck {
        /// How many of these there were, with this one.
        count: u32,
        /// The first that said the same.
        of: u32,
    },
    /// Its sender can take nothing at present.
    ZeroWindow,
    /// It fills all that its receiver has said it can take.
    WindowFull,
    /// It only says that more, or less, can be taken.
    WindowUpdate {
        /// How much it was before.
        before: u32,
        /// Whether that is in bytes: where the SYNs were not seen, nobody knows what windows count.
        is_known: bool,
    },
    /// One byte beyond a closed window, to hear whether it has opened.
    ZeroWindowProbe {
        /// The segment that closed it.
        closed_by: Option<u32>,
    },
    /// Says of such a byte that the window is still closed.
    ZeroWindowProbeAck {
        /// The probe.
        of: u32,
    },
    /// Brings nothing new, to hear whether the other is still there.
    KeepAlive,
    /// Says that it is.
    KeepAliveAck {
        /// What asked.
        of: u32,
    },
}

/// Why bytes are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resent {
    /// No acknowledgment came in time.
    Timeout,
    /// Acknowledgments told that it is missing.
    Told {
        /// The last of them.
        by: u32,
    },
    /// For nothing: it had been acknowledged.
    Needlessly {
        /// By which segment.
        acknowledged_by: u32,
    },
    /// A SYN or FIN without a byte, likewise. It has a name of its own, as Wireshark calls only bytes needless.
    MarkNeedlessly {
        /// By which segment it was acknowledged.
        acknowledged_by: u32,
    },
    /// It came first with the SYN, and the answer took the SYN alone, as it may (RFC 7413, section 4.2.1).
    NotTaken {
        /// That answer.
        by: u32,
    },
}

/// Segments of a side that are remembered, so that it is known when bytes were sent last.
const REMEMBERED: usize = 16_384;
/// Of those, as many that are acknowledged, for what is sent again needlessly.
const ACKNOWLEDGED: usize = 64;
/// A retransmission so soon after a duplicate acknowledgment was called for by it.
const PROMPT: u64 = 20_000_000;
/// While no round trip is known, what overtakes others does so within this.
const OVERTAKING: u64 = 3_000_000;

/// What was seen of one side.
#[derive(Clone, Debug, Default)]
struct Half {
    /// The number after the highest that was seen, and when that was.
    next: Option<SeqNumber>,
    next_time: u64,
    /// Up to where an acknowledgment says nothing new of what was seen.
    acknowledgeable: Option<SeqNumber>,
    /// Where the payload begins that came with its SYN, if some did.
    early: Option<SeqNumber>,
    /// Its window as it stood in its last segment, in bytes, and whether it is known that it is bytes.
    window: Option<(u16, u32, bool)>,
    closed_by: Option<u32>,
    knows_scale: bool,
    acknowledgment: Option<SeqNumber>,
    acknowledged_at: u64,
    /// The segment that said so first, the one that said so last, and how many said so again.
    first_to_say: u32,
    last_to_say: u32,
    duplicates: u32,
    last: Last,
    sent: VecDeque<Sent>,
}

/// What the last segment of a side was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Ordinary,
    KeepAlive(u32),
    Probe(u32),
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    start: SeqNumber,
    end: SeqNumber,
    number: u32,
}

/// Watches a connection for what is unusual.
#[derive(Clone, Debug, Default)]
pub(super) struct Judge {
    halves: [Half; 2],
    /// When the last SYN without ACK was seen, and how long the handshake took from there.
    syn_at: Option<u64>,
    handshake: Option<u64>,
}

impl Judge {
    /// Takes the segment of this number, and hands what is unusual about it to `found`.
    pub(super) fn observe(&mut self, seen: &Seen, number: u32, mut found: impl FnMut(Finding)) {
        self.time_handshake(seen);
        let [one, two] = &mut self.halves;
        let (sender, other) = if seen.side.index() == 0 { (one, two) } else { (two, one) };
        let mut look = Look { seen, number, sender, other, handshake: self.handshake };
        let last = look.window_and_acknowledgment(&mut found);
        look.number_acknowledged(&mut found);
        if last == Last::Ordinary || matches!(last, Last::Probe(_)) {
            look.sent_before(&mut found);
        }
        look.remember(last);
    }

    fn time_handshake(&mut self, seen: &Seen) {
        let has_syn = seen.flags.has(Flags::SYN);
        match (has_syn, seen.flags.has(Flags::ACK), self.syn_at) {
            (true, false, _) => self.syn_at = Some(seen.nanos()),
            (false, true, Some(at)) if self.handshake.is_none() => {
                self.handshake = Some(seen.nanos().saturating_sub(at));
            }
            _ => {}
        }
    }
}

/// A look at one segment.
struct Look<'j> {
    seen: &'j Seen,
    number: u32,
    sender: &'j mut Half,
    other: &'j mut Half,
    handshake: Option<u64>,
}

impl Look<'_> {
    fn sequence(&self) -> SeqNumber {
        SeqNumber(self.seen.facts.sequence)
    }

    fn acknowledgment(&self) -> Option<SeqNumber> {
        self.seen.facts.acknowledgment.map(SeqNumber)
    }

    /// The number behind its payload.
    fn payload_end(&self) -> SeqNumber {
        self.sequence().plus(self.seen.length as usize)
    }

    fn marks(&self) -> bool {
        self.seen.flags.has(Flags::SYN) || self.seen.flags.has(Flags::FIN)
    }

    fn end(&self) -> SeqNumber {
        self.payload_end().plus(usize::from(self.marks()))
    }

    fn is_plain(&self) -> bool {
        !self.marks() && !self.seen.flags.has(Flags::RST)
    }

    /// What the segment says of windows and acknowledgments; what kind of a probe it is.
    fn window_and_acknowledgment(&mut self, found: &mut impl FnMut(Finding)) -> Last {
        let (length, window, next) = (self.seen.length, self.seen.window, self.sender.next);
        let is_next = next == Some(self.sequence());
        let theirs = self.other.window;
        if length == 1 && is_next && theirs.is_some_and(|(raw, ..)| raw == 0) {
            found(Finding::ZeroWindowProbe { closed_by: self.other.closed_by });
            return Last::Probe(self.number);
        }
        if window == 0 && self.is_plain() {
            found(Finding::ZeroWindow);
        }
        if let Some(next) = next
            && next.is_before(self.sequence())
            && !self.seen.flags.has(Flags::RST)
        {
            found(Finding::Missing { bytes: self.sequence().since(next) as u32 });
        }
        let mut last = Last::Ordinary;
        if length <= 1 && self.is_plain() && next.is_some_and(|next| self.sequence().plus(1) == next) {
            found(Finding::KeepAlive);
            last = Last::KeepAlive(self.number);
        }
        if self.fills_window() {
            found(Finding::WindowFull);
        }
        let repeats = length == 0
            && is_next
            && self.is_plain()
            && self.acknowledgment().is_some()
            && self.acknowledgment() == self.sender.acknowledgment;
        let before = self.sender.window.filter(|_| repeats);
        if let Some(before) = before {
            self.repeats(before, found);
        }
        last
    }

    /// A bare acknowledgment that acknowledges nothing new.
    fn repeats(&mut self, (raw, before, is_known): (u16, u32, bool), found: &mut impl FnMut(Finding)) {
        let window = self.seen.window;
        match (window == raw, window, self.other.last) {
            (false, 1.., _) => found(Finding::WindowUpdate { before, is_known }),
            (true, 1.., Last::KeepAlive(of)) => found(Finding::KeepAliveAck { of }),
            (true, 0, Last::Probe(of)) => found(Finding::ZeroWindowProbeAck { of }),
            (true, 1.., _) => {
                self.sender.duplicates += 1;
                let (count, of) = (self.sender.duplicates, self.sender.first_to_say);
                found(Finding::DuplicateAck { count, of });
            }
            _ => {}
        }
    }

    fn fills_window(&self) -> bool {
        let Some((_, window, _)) = self.other.window.filter(|_| self.other.knows_scale) else { return false };
        let edge = self.other.acknowledgment.map(|number| number.plus(window as usize));
        self.seen.length > 0 && self.is_plain() && edge == Some(self.payload_end())
    }

    fn number_acknowledged(&mut self, found: &mut impl FnMut(Finding)) {
        let Some(number) = self.acknowledgment() else { return };
        if self.sender.acknowledgment != Some(number) {
            self.sender.duplicates = 0;
            self.sender.first_to_say = self.number;
        }
        let Some(known) = self.other.acknowledgeable else { return };
        if known.is_before(number) {
            found(Finding::AcknowledgesUnseen { bytes: number.since(known) as u32 });
            self.other.acknowledgeable = self.other.next.map(|next| next.later(number));
        }
    }

    /// Whether it was sent before, or was overtaken.
    fn sent_before(&mut self, found: &mut impl FnMut(Finding)) {
        if self.seen.length == 0 && !self.marks() {
            return;
        }
        let Some(next) = self.sender.next else { return };
        // Where two SYNs cross, each side sends its own once more, with the acknowledgment of the other (RFC 9293, section
        // 3.5): that is the first time that it acknowledges anything, and nothing was lost.
        if self.seen.flags.has(Flags::SYN | Flags::ACK) && self.sender.acknowledgment.is_none() {
            return;
        }
        let (start, end) = (self.sequence(), self.payload_end());
        if self.is_due_again() {
            let why = Resent::NotTaken { by: self.other.first_to_say };
            return found(Finding::Again { last: self.last_sent(), why });
        }
        if let Some(acknowledged) = self.other.acknowledgment.filter(|_| self.seen.length > 0)
            && !acknowledged.is_before(end)
        {
            let why = Resent::Needlessly { acknowledged_by: self.other.first_to_say };
            return found(Finding::Again { last: self.last_sent(), why });
        }
        // The byte of a probe is sent again with those behind it: that is no retransmission.
        let behind_probe = self.seen.length > 1 && start.plus(1) == next;
        if !start.is_before(next) || behind_probe {
            return;
        }
        let since = |time: u64| self.seen.nanos().saturating_sub(time);
        let is_asked_for = self.other.duplicates >= 2
            && self.other.acknowledgment == Some(start)
            && since(self.other.acknowledged_at) < PROMPT;
        if is_asked_for {
            let why = Resent::Told { by: self.other.last_to_say };
            return found(Finding::Again { last: self.last_sent(), why });
        }
        let is_soon = since(self.sender.next_time) < self.handshake.unwrap_or(OVERTAKING);
        if is_soon && next != self.end() && !self.is_waiting() {
            return found(Finding::OutOfOrder);
        }
        let is_acknowledged = self.other.acknowledgment.is_some_and(|number| !number.is_before(self.end()));
        let why = match is_acknowledged {
            true => Resent::MarkNeedlessly { acknowledged_by: self.other.first_to_say },
            false => Resent::Timeout,
        };
        found(Finding::Again { last: self.last_sent(), why });
    }

    /// Whether it brings for the first time since then what came with the SYN, of which only the SYN was taken.
    fn is_due_again(&self) -> bool {
        let is_early = self.seen.length > 0 && self.sender.early == Some(self.sequence());
        is_early && !self.seen.flags.has(Flags::SYN) && self.other.acknowledgment == self.sender.early
    }

    /// Whether one segment has brought all of this, and is not acknowledged.
    fn is_waiting(&self) -> bool {
        let (start, end) = (self.sequence(), self.payload_end());
        let acknowledged = self.other.acknowledgment;
        self.sender.sent.iter().any(|sent| {
            let is_open = acknowledged.is_none_or(|number| number.is_before(sent.end));
            is_open && !start.is_before(sent.start) && !sent.end.is_before(end)
        })
    }

    /// The last segment that brought some of this.
    fn last_sent(&self) -> Option<u32> {
        let (start, end) = (self.sequence(), self.end());
        let overlaps = |sent: &&Sent| sent.start.is_before(end) && start.is_before(sent.end);
        self.sender.sent.iter().rev().find(overlaps).map(|sent| sent.number)
    }

    fn remember(self, last: Last) {
        let (start, end, is_probe) = (self.sequence(), self.end(), matches!(last, Last::Probe(_)));
        let (seen, number) = (self.seen, self.number);
        let acknowledgment = self.acknowledgment();
        let sender = self.sender;
        if !is_probe && sender.next.is_none_or(|next| next.is_before(end)) {
            sender.next = Some(end);
            sender.next_time = seen.nanos();
        }
        if !is_probe && sender.acknowledgeable.is_none_or(|known| known == start) {
            sender.acknowledgeable = sender.next;
        }
        sender.early = match (seen.flags.has(Flags::SYN) && seen.length > 0, sender.early) {
            (true, _) => Some(start.plus(1)),
            // What has come once more since is sent again for the usual reasons.
            (false, early) => early.filter(|early| seen.length == 0 || *early != start),
        };
        if start != end {
            if sender.sent.len() >= REMEMBERED {
                sender.sent.pop_front();
            }
            sender.sent.push_back(Sent { start, end, number });
        }
        if seen.window == 0 && sender.window.is_none_or(|(raw, ..)| raw > 0) {
            sender.closed_by = Some(number);
        }
        sender.window = Some((seen.window, seen.facts.window, seen.facts.is_window_known));
        sender.knows_scale |= seen.flags.has(Flags::SYN);
        sender.last = last;
        if let Some(acknowledgment) = acknowledgment {
            sender.acknowledgment = Some(acknowledgment);
            sender.acknowledged_at = seen.nanos();
            sender.last_to_say = number;
            let sent = &mut self.other.sent;
            while sent.len() > ACKNOWLEDGED
                && sent.front().is_some_and(|sent| !acknowledgment.is_before(sent.end))
            {
                sent.pop_front();
            }
        }
    }
}
