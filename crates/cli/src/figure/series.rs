//! What one side of a connection sends and the other says of it, over time.

use std::time::Duration;

use framewise::tcp::analysis::Order;
use framewise_trace::dissect::{Connection, Dissection, Segment, Side};

use crate::exit::{Failure, Kind};

/// One side's bytes, over time.
pub(super) struct Series {
    pub(super) sent: Vec<Sent>,
    pub(super) said: Vec<Said>,
    /// Bytes on their way, after each segment of either side.
    pub(super) flight: Vec<(Duration, u64)>,
}

/// A segment with bytes of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) time: Duration,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) kind: Sending,
}

/// How a segment stands to those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// It is new.
    New,
    /// All of it or a part was seen before.
    Again,
    /// It fills a gap.
    Late,
}

/// What the other side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) time: Duration,
    /// Up to where it has the stream.
    pub(super) has: u64,
    /// How much more it takes.
    pub(super) window: u64,
}

impl Sending {
    pub(super) fn of(order: Order) -> Self {
        match order {
            Order::Again | Order::Overlap => Sending::Again,
            Order::Filling => Sending::Late,
            Order::First | Order::Next | Order::Ahead { .. } | Order::Empty => Sending::New,
        }
    }
}

impl Series {
    /// What `side` sends; times count from the connection's first frame.
    pub(super) fn of(
        dissection: &Dissection,
        connection: &Connection<'_>,
        side: Side,
    ) -> Result<Self, Failure> {
        let time = |segment: &Segment| dissection.frame(segment.frame()).and_then(|frame| frame.time());
        let began = connection.segments().iter().filter_map(time).min();
        let began = began.ok_or_else(|| {
            Failure::new(Kind::Usage, "the frames of this capture have no times")
                .next("--kind ladder, which needs none")
        })?;
        let mut series = Series { sent: Vec::new(), said: Vec::new(), flight: Vec::new() };
        let (mut sequence, mut acknowledged) = (Unwrapped::default(), Unwrapped::default());
        let (mut end, mut has) = (0, 0);
        for segment in connection.segments() {
            let Some(time) = time(segment).map(|time| time.saturating_sub(began)) else { continue };
            if segment.side == side {
                // The SYN is number 0, the first byte 1.
                let from = sequence.take(segment.facts.sequence).saturating_sub(1);
                let to = from + u64::from(segment.length);
                end = to.max(end);
                if segment.length > 0 {
                    series.sent.push(Sent { time, from, to, kind: Sending::of(segment.facts.order) });
                }
            } else if let Some(number) = segment.facts.acknowledgment {
                // Who refuses a connection has no window.
                has = acknowledged.take(number).saturating_sub(1).max(has);
                series.said.push(Said { time, has, window: u64::from(segment.facts.window) });
            }
            series.flight.push((time, end.saturating_sub(has)));
        }
        Ok(series)
    }

    /// When the last segment was seen.
    pub(super) fn duration(&self) -> Duration {
        self.flight.iter().map(|(time, _)| *time).max().unwrap_or_default()
    }

    /// Where the last byte that was sent or acknowledged ends.
    pub(super) fn length(&self) -> u64 {
        let sent = self.sent.iter().map(|sent| sent.to);
        sent.chain(self.said.iter().map(|said| said.has)).max().unwrap_or_default()
    }
}

/// Numbers of 32 bits that go on beyond them.
#[derive(Default)]
struct Unwrapped(u64);

impl Unwrapped {
    /// The number that is nearest to the last one.
    fn take(&mut self, number: u32) -> u64 {
        let step = number.wrapping_sub(self.0 as u32) as i32;
        let here = self.0.saturating_add_signed(step.into());
        self.0 = self.0.max(here);
        here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_beyond_32_bits() {
        let mut numbers = Unwrapped::default();
        let taken = [0, 1 << 30, 1 << 31, 3 << 30, 10, u32::MAX].map(|number| numbers.take(number));
        assert_eq!(taken, [0, 1 << 30, 1 << 31, 3 << 30, (1 << 32) + 10, u32::MAX.into()]);
    }
}
