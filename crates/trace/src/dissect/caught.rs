//! What looks unusual by the order of a capture, and is the capture's own doing: one packet caught twice, or behind its answer.
//!
//! Read first: RFC 791 section 3.1 and RFC 6864 section 4 (the identification, which who sends again gives anew).

use std::time::Duration;

use framewise_core::read::u16_at;
use framewise_ethernet::EtherType;
use framewise_tcp::passive::{Finding, Resent};
use framewise_tcp::segment::Flags;

use super::connections::{Record, Segment};
use super::frame::Frame;
use super::outline::Outline;
use super::{Dissection, Origin};

/// Segments before one among which the same packet is looked for.
const NEAR: usize = 32;
/// Where several places of one network are watched, a packet passes all of them within this.
const SOON: Duration = Duration::from_millis(10);
/// Without an identification only what comes again so soon is the same: no sender waits as little.
const AT_ONCE: Duration = Duration::from_micros(100);

/// What the capture did with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    /// It is in there twice: the number of the first time.
    Twice(u32),
    /// It stands behind the one of this number, and was seen before it.
    Behind(u32),
}

impl Caught {
    /// What it did with the segment of this number, of which this was found.
    pub(super) fn of(
        dissection: &Dissection,
        record: &Record,
        number: u32,
        finding: &Finding,
    ) -> Option<Self> {
        if dissection.origin != Origin::Capture || dissection.is_told {
            return None;
        }
        let twice = || twin(dissection, record, number).map(Caught::Twice);
        match *finding {
            Finding::Again { why, .. } => twice().or_else(|| behind(dissection, record, number, why)),
            Finding::DuplicateAck { .. } | Finding::OutOfOrder | Finding::KeepAlive => twice(),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Caught::Twice(_) => "captured twice",
            Caught::Behind(_) => "captured behind its answer",
        }
    }

    /// The segment that it has to do with.
    pub(super) fn other(self) -> u32 {
        match self {
            Caught::Twice(other) | Caught::Behind(other) => other,
        }
    }

    /// What that is, in a sentence; `other`: how that one is called.
    pub(super) fn told(self, other: &str) -> String {
        match self {
            Caught::Twice(_) => {
                format!(
                    "Captured twice: it is the packet of {other} once more, and nobody has sent it again."
                )
            }
            Caught::Behind(_) => format!(
                "Its time is before that of {other}, which acknowledges it: only in the capture it comes later."
            ),
        }
    }
}

fn behind(dissection: &Dissection, record: &Record, number: u32, why: Resent) -> Option<Caught> {
    let (Resent::Needlessly { acknowledged_by } | Resent::MarkNeedlessly { acknowledged_by }) = why else {
        return None;
    };
    let time = |number: u32| dissection.frame(record.segments.get(number as usize)?.frame())?.time();
    (time(number)? < time(acknowledged_by)?).then_some(Caught::Behind(acknowledged_by))
}

/// The segment shortly before that came in the same packet.
fn twin(dissection: &Dissection, record: &Record, number: u32) -> Option<u32> {
    let own = record.segments.get(number as usize)?;
    let frame = dissection.frame(own.frame())?;
    let before = (0..number).rev().take(NEAR);
    let candidates = before.filter_map(|number| Some((number, record.segments.get(number as usize)?)));
    let mut same = candidates.filter(|(_, other)| other.side == own.side && is_like(own, other));
    same.find(|(_, other)| {
        dissection
            .frame(other.frame())
            .is_some_and(|other| is_same_packet(&frame, &other, takes_numbers(own)))
    })
    .map(|(number, _)| number)
}

fn is_like(one: &Segment, other: &Segment) -> bool {
    (one.facts.sequence, one.length, one.flags) == (other.facts.sequence, other.length, other.flags)
}

fn takes_numbers(segment: &Segment) -> bool {
    segment.length > 0 || segment.flags.has(Flags::SYN) || segment.flags.has(Flags::FIN)
}

/// Whether both are one packet, but for what routers write anew.
fn is_same_packet(one: &Frame<'_>, other: &Frame<'_>, takes_numbers: bool) -> bool {
    let apart = one.time().zip(other.time()).map(|(one, other)| one.abs_diff(other));
    let Some((apart, (one, other))) = apart.zip(packet(one).zip(packet(other))) else { return false };
    let most = match one.identification {
        0 if takes_numbers => AT_ONCE,
        0 => return false,
        _ => SOON,
    };
    apart <= most && one == other
}

/// What a packet keeps on its way.
#[derive(PartialEq, Eq)]
struct Packet<'d> {
    identification: u16,
    payload: &'d [u8],
}

fn packet<'d>(frame: &Frame<'d>) -> Option<Packet<'d>> {
    let link = frame.interface()?.link()?;
    let outline = Outline::of(link, frame.bytes()).filter(|outline| outline.fragment.is_none())?;
    let (ethertype, at) = link.inside(frame.bytes())?;
    let identification = match ethertype {
        EtherType::IPV4 => u16_at(frame.bytes(), at + 4)?,
        _ => 0,
    };
    Some(Packet { identification, payload: frame.bytes().get(outline.payload)? })
}
