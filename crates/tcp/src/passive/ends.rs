//! How the two ends of a connection stand: the variables of RFC 9293, section 3.3.1, as far as segments tell them.

use super::round_trip::{RoundTrip, Stopwatch};
use super::{Fate, Seen, Side, State};
use crate::segment::Flags;
use crate::sequence::SeqNumber;

/// A value, and whether it was seen or follows from what was seen only if nothing was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<T> {
    /// What it is.
    pub value: T,
    /// Whether it follows only if what was seen on its way has arrived.
    pub inferred: bool,
}

/// One end. Numbers count from its SYN, or the other's, which is 0; `None`: nothing told it yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Its state.
    pub state: Option<Known<State>>,
    /// SND.UNA: the first number that it has sent and that is not acknowledged, as far as it knows.
    pub unacknowledged: Option<Known<u32>>,
    /// SND.NXT: the number of what it sends next.
    pub next: Option<u32>,
    /// SND.WND: how much it may send beyond SND.UNA.
    pub send_window: Option<Known<u32>>,
    /// RCV.NXT: the number that it expects next.
    pub expected: Option<Known<u32>>,
    /// RCV.WND: how much it takes beyond RCV.NXT, as it said last.
    pub receive_window: Option<u32>,
    /// Whether SND.WND and RCV.WND count units of nobody knows how many bytes, for the SYNs were not seen.
    pub counts_unknown_units: [bool; 2],
    /// What it has beyond RCV.NXT: ranges of numbers, in order. Known only where it was captured.
    pub ahead: Vec<(u32, u32)>,
    /// The largest payload that it takes, as its SYN said.
    pub maximum_segment_size: Option<u16>,
    /// By how many bits its windows are shifted, as its SYN said.
    pub window_scale: Option<u8>,
    /// Whether windows are shifted: only where both SYNs said by how much (RFC 7323, section 2.2). `None`: not seen.
    pub scales_windows: Option<bool>,
    /// Whether its SYN said that it understands selective acknowledgments.
    pub takes_selective: bool,
    /// Whether its SYN was seen: what it did not say there, it has not got.
    pub has_begun: bool,
    /// How often it has sent numbers that it had sent before.
    pub sent_again: u32,
    /// Whether it was captured here, so that its round trips are those that it has itself.
    pub is_here: bool,
    /// Up to where what it has sent was seen.
    seen: Option<u32>,
    /// The number that its last segment acknowledged.
    said: Option<u32>,
    /// The number of its FIN.
    finish: Option<u32>,
    stopwatch: Stopwatch,
}

/// Both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    ends: [End; 2],
}

/// Ranges beyond RCV.NXT that are remembered; of more, the last ones are forgotten.
const AHEAD: usize = 64;

impl Ends {
    /// One of them.
    pub fn of(&self, side: Side) -> &End {
        let [client, server] = &self.ends;
        if side == Side::Client { client } else { server }
    }

    /// Takes the next segment.
    pub fn observe(&mut self, seen: &Seen) {
        // What is damaged may say anything; only where it was sent is it known what that was.
        if seen.fate == Fate::Lost && !seen.is_at_sender {
            return;
        }
        let [client, server] = &mut self.ends;
        let (sender, receiver) = if seen.side == Side::Client { (client, server) } else { (server, client) };
        sender.is_here |= seen.is_at_sender;
        receiver.is_here |= seen.fate == Fate::Arrived;
        sender.send(seen, receiver.finish);
        if seen.flags.has(Flags::SYN) {
            sender.agree_on_windows(receiver);
        }
        if seen.fate != Fate::Lost {
            receiver.receive(seen, sender.finish, seen.fate != Fate::Arrived);
        }
    }
}

impl End {
    /// What it has sent and that is not acknowledged, in numbers, as far as it knows.
    pub fn in_flight(&self) -> Option<u32> {
        Some(self.next?.wrapping_sub(self.unacknowledged?.value))
    }

    /// What was measured of its round trips.
    pub fn round_trip(&self) -> Option<RoundTrip> {
        self.stopwatch.measured
    }

    fn set(&mut self, value: State, inferred: bool) {
        self.state = Some(Known { value, inferred });
    }

    fn is(&self, state: State) -> bool {
        self.state.is_some_and(|known| known.value == state)
    }

    /// It sends a segment: all that follows from that was seen.
    fn send(&mut self, seen: &Seen, others_finish: Option<u32>) {
        let (flags, facts) = (seen.flags, &seen.facts);
        if flags.has(Flags::SYN) {
            self.begin(seen);
        }
        self.numbers_sent(seen);
        if !flags.has(Flags::RST) {
            self.receive_window = Some(facts.window);
            self.counts_unknown_units[1] = !facts.is_window_known;
        }
        if let Some(number) = facts.acknowledgment {
            self.says(number, seen, others_finish);
        }
        self.state_after_sending(seen);
    }

    /// What its SYN says of it.
    fn begin(&mut self, seen: &Seen) {
        self.has_begun = true;
        self.maximum_segment_size = seen.options.maximum_segment_size;
        self.window_scale = seen.options.window_scale;
        self.takes_selective = seen.options.sack_permitted;
    }

    /// Whether windows are shifted follows from both SYNs, or from one that does not say by how much.
    fn agree_on_windows(&mut self, other: &mut End) {
        let offers = [&*self, other].map(|end| end.has_begun.then_some(end.window_scale.is_some()));
        let scales = match offers {
            [Some(true), Some(true)] => Some(true),
            [Some(false), _] | [_, Some(false)] => Some(false),
            _ => None,
        };
        self.scales_windows = scales;
        other.scales_windows = scales;
    }

    fn numbers_sent(&mut self, seen: &Seen) {
        let (flags, start) = (seen.flags, SeqNumber(seen.facts.sequence));
        let end = start.plus(seen.numbers());
        let before = self.seen.map(SeqNumber);
        let acknowledged = self.unacknowledged.map(|known| SeqNumber(known.value));
        if start != end {
            let is_again = before.is_some_and(|before| start.is_before(before));
            // What was acknowledged before it was seen can't be timed.
            let is_waiting = acknowledged.is_none_or(|number| number.is_before(end));
            self.stopwatch.sent(end, seen.time, is_waiting && !is_again);
            // Where two SYNs cross, each goes out once more with its acknowledgment: nobody has missed it (section 3.5).
            let is_answer = flags.has(Flags::SYN | Flags::ACK) && self.said.is_none();
            self.sent_again += u32::from(is_again && !is_answer);
            self.seen = Some(before.map_or(end, |before| before.later(end)).0);
        }
        if !flags.has(Flags::RST) || self.next.is_none() {
            let before = self.next.map(SeqNumber).or(acknowledged);
            self.next = Some(before.map_or(end, |before| before.later(end)).0);
            self.unacknowledged.get_or_insert(Known { value: start.0, inferred: !flags.has(Flags::SYN) });
        }
        if flags.has(Flags::FIN) {
            self.finish = Some(end.minus(1).0);
        }
    }

    /// Its segment acknowledges all before `number`, so it has that.
    fn says(&mut self, number: u32, seen: &Seen, others_finish: Option<u32>) {
        let is_repeated = seen.length == 0 && self.said == Some(number);
        self.said = Some(number);
        let expected = self.expected.map(|known| known.value);
        let is_proof = expected.is_none_or(|expected| !SeqNumber(number).is_before(SeqNumber(expected)));
        // Said where it was captured, or twice, it is all that it has, whatever went past.
        if is_proof || is_repeated || seen.is_at_sender {
            self.expected = Some(Known { value: number, inferred: false });
            // What comes next in order it can't have, then: what is out of order nobody has to keep.
            self.ahead.retain(|&(from, _)| SeqNumber(number).is_before(SeqNumber(from)));
        }
        match others_finish.map(|finish| SeqNumber(finish).is_before(SeqNumber(number))) {
            Some(true) => self.takes_finish(false),
            Some(false) if seen.is_at_sender => self.lacks_finish(),
            _ => {}
        }
    }

    fn state_after_sending(&mut self, seen: &Seen) {
        let flags = seen.flags;
        let before = self.state.map(|known| known.value);
        let carries = seen.length > 0 || flags.has(Flags::FIN);
        if flags.has(Flags::RST) {
            return self.set(State::Closed, false);
        }
        if flags.has(Flags::SYN) {
            let is_early = matches!(
                before,
                None | Some(State::Closed | State::Listen | State::SynSent | State::SynReceived)
            );
            let state = if flags.has(Flags::ACK) { State::SynReceived } else { State::SynSent };
            let is_back = before == Some(State::SynReceived) && state == State::SynSent;
            if is_early && !is_back {
                self.set(state, false);
            }
            return;
        }
        match before {
            // Where the beginning was not seen, the end may be near as well.
            None => self.set(State::Established, true),
            Some(State::SynSent | State::Listen) => self.set(State::Established, false),
            Some(State::SynReceived) if carries => self.set(State::Established, false),
            Some(State::Established) if self.has_begun => self.set(State::Established, false),
            _ => {}
        }
        if flags.has(Flags::FIN) {
            match self.state.map(|known| known.value) {
                Some(State::CloseWait) => self.set(State::LastAck, false),
                Some(State::Established | State::SynReceived) | None => self.set(State::FinWait1, false),
                _ => {}
            }
        }
    }

    /// A segment comes to it, or so it seems.
    fn receive(&mut self, seen: &Seen, others_finish: Option<u32>, inferred: bool) {
        let (flags, facts) = (seen.flags, &seen.facts);
        if flags.has(Flags::RST) {
            return self.receive_reset(seen, inferred);
        }
        if flags.has(Flags::SYN) {
            self.receive_syn(seen, inferred);
        }
        let is_outside = self.is_outside(seen);
        if is_outside != Some(true) {
            self.receive_numbers(seen, inferred);
        }
        if let Some(number) = facts.acknowledgment.filter(|_| is_outside != Some(true)) {
            self.receive_acknowledgment(number, seen, inferred || is_outside.is_none());
        }
        if flags.has(Flags::FIN) || !self.ahead.is_empty() || others_finish.is_some() {
            let has_all = others_finish
                .zip(self.expected)
                .is_some_and(|(finish, expected)| SeqNumber(finish).is_before(SeqNumber(expected.value)));
            if has_all {
                let is_sure =
                    flags.has(Flags::FIN) && self.expected.is_some_and(|expected| !expected.inferred);
                self.takes_finish(inferred || !is_sure);
            }
        }
    }

    fn receive_reset(&mut self, seen: &Seen, inferred: bool) {
        let counts = match self.is(State::SynSent) {
            // Of the other's numbers it knows none yet: only one that acknowledges its SYN is for it (section 3.10.7.3).
            true => seen.facts.acknowledgment == self.next,
            false => self.expected.is_none_or(|expected| expected.value == seen.facts.sequence),
        };
        if counts {
            self.set(State::Closed, inferred);
        }
    }

    fn receive_syn(&mut self, seen: &Seen, inferred: bool) {
        let before = self.state.map(|known| known.value);
        match (before, seen.flags.has(Flags::ACK)) {
            // Whether anybody waits there, its answer will tell.
            (None | Some(State::Closed), false) => self.set(State::Listen, true),
            (Some(State::SynSent), true) if seen.facts.acknowledgment == self.next => {
                self.set(State::Established, inferred);
            }
            (Some(State::SynSent), false) => self.set(State::SynReceived, inferred),
            _ => {}
        }
    }

    /// Whether it lies outside of what this end takes, so that RFC 9293, section 3.10.7.4, has it answered, and nothing in
    /// it taken: not its acknowledgment either. `None`: that depends on what is not known to have arrived.
    fn is_outside(&self, seen: &Seen) -> Option<bool> {
        // Of two SYNs that cross, the other's comes once more with the acknowledgment, and counts.
        if seen.flags.has(Flags::SYN) {
            return Some(false);
        }
        let Some(expected) = self.expected else { return Some(false) };
        let left = SeqNumber(expected.value);
        let start = SeqNumber(seen.facts.sequence);
        let last = start.plus(seen.numbers().saturating_sub(1));
        // Where the window is shut, what takes no number is still heard at its edge.
        if self.edge().is_some_and(|edge| !start.is_before(edge.later(left.plus(1)))) {
            return Some(true);
        }
        match last.is_before(left) {
            true if expected.inferred => None,
            is_old => Some(is_old),
        }
    }

    /// The first number that it does not take, if it is known what its windows count.
    fn edge(&self) -> Option<SeqNumber> {
        let window = self.receive_window.filter(|_| self.scales_windows.is_some())?;
        Some(SeqNumber(self.expected?.value).plus(window as usize))
    }

    /// Adds what comes to what it has; what reaches beyond the window is cut off there.
    fn receive_numbers(&mut self, seen: &Seen, inferred: bool) {
        let start = SeqNumber(seen.facts.sequence);
        let end = start.plus(seen.numbers());
        let end = self.edge().filter(|edge| edge.is_before(end)).unwrap_or(end);
        let Some(expected) = self.expected else {
            // With neither SYN nor acknowledgment, it is what comes first that counts.
            self.expected = Some(Known { value: end.0, inferred: inferred || !seen.flags.has(Flags::SYN) });
            return;
        };
        let known = SeqNumber(expected.value);
        if !known.is_before(end) || !start.is_before(end) {
            return;
        }
        if known.is_before(start) {
            // Only where it was seen to arrive is it known to be there.
            if !inferred {
                self.keep_ahead(start, end);
            }
            return;
        }
        let reached = self.take_ahead(end);
        // What came before its turn may be kept, or not.
        self.expected = Some(Known { value: reached.0, inferred: inferred || reached != end });
    }

    fn keep_ahead(&mut self, start: SeqNumber, end: SeqNumber) {
        let (mut start, mut end) = (start, end);
        self.ahead.retain(|&(from, to)| {
            let (from, to) = (SeqNumber(from), SeqNumber(to));
            let is_apart = to.is_before(start) || end.is_before(from);
            if !is_apart {
                start = if from.is_before(start) { from } else { start };
                end = end.later(to);
            }
            is_apart
        });
        let at = self.ahead.iter().position(|&(from, _)| end.is_before(SeqNumber(from)));
        self.ahead.insert(at.unwrap_or(self.ahead.len()), (start.0, end.0));
        self.ahead.truncate(AHEAD);
    }

    /// How far it has all, now that it has all before `end`.
    fn take_ahead(&mut self, mut end: SeqNumber) -> SeqNumber {
        self.ahead.retain(|&(from, to)| {
            let is_reached = !end.is_before(SeqNumber(from));
            if is_reached {
                end = end.later(SeqNumber(to));
            }
            !is_reached
        });
        end
    }

    /// The other end acknowledges all before `number`.
    fn receive_acknowledgment(&mut self, number: u32, seen: &Seen, inferred: bool) {
        let acknowledged = SeqNumber(number);
        if self.next.is_some_and(|next| SeqNumber(next).is_before(acknowledged)) {
            // Of what was never seen here. It was sent nevertheless.
            self.next = Some(number);
        }
        let before = self.unacknowledged.map(|known| SeqNumber(known.value));
        if before.is_none_or(|before| before.is_before(acknowledged)) {
            self.unacknowledged = Some(Known { value: number, inferred });
            self.stopwatch.acknowledged(acknowledged, seen.time);
        }
        if before.is_none_or(|before| !acknowledged.is_before(before)) {
            self.send_window = Some(Known { value: seen.facts.window, inferred });
            self.counts_unknown_units[0] = !seen.facts.is_window_known;
        }
        let has_finished = self.finish.is_some_and(|finish| SeqNumber(finish).is_before(acknowledged));
        match self.state.map(|known| known.value) {
            Some(State::SynReceived) if !seen.flags.has(Flags::SYN) && number > 0 => {
                self.set(State::Established, inferred);
            }
            Some(State::FinWait1) if has_finished => self.set(State::FinWait2, inferred),
            Some(State::Closing) if has_finished => self.set(State::TimeWait, inferred),
            Some(State::LastAck) if has_finished => self.set(State::Closed, inferred),
            None => self.set(State::Established, true),
            _ => {}
        }
    }

    /// It has not got the other's FIN, whatever it looked like.
    fn lacks_finish(&mut self) {
        match self.state {
            Some(Known { value: State::CloseWait, inferred: true }) => self.set(State::Established, false),
            Some(Known { value: State::Closing, inferred: true }) => self.set(State::FinWait1, false),
            Some(Known { value: State::TimeWait, inferred: true }) => self.set(State::FinWait2, false),
            _ => {}
        }
    }

    /// The other's FIN has come, and all before it.
    fn takes_finish(&mut self, inferred: bool) {
        let (state, was_inferred) = match self.state {
            None => (State::CloseWait, true),
            Some(Known { value: State::SynReceived | State::Established, .. }) => (State::CloseWait, false),
            Some(Known { value: State::FinWait1, .. }) => (State::Closing, false),
            Some(Known { value: State::FinWait2, inferred }) => (State::TimeWait, inferred),
            // It is there already; but what was inferred may now be known.
            Some(Known { value: state @ (State::CloseWait | State::Closing | State::LastAck), .. })
                if !inferred =>
            {
                (state, false)
            }
            Some(_) => return,
        };
        self.set(state, inferred || was_inferred);
    }
}
