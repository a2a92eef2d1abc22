//! What became of frames on their way, as only the wire knows: in runs of our own, in memory.
//!
//! The wire's word stands behind the frame that it speaks of, under the host that sent it. What a host sent is in its
//! dissection; of what was sent to it and lost there is nothing, so that is kept apart ([`Astray`]).

use std::collections::BTreeSet;
use std::net::IpAddr;

use framewise_core::read::array_at;
use framewise_core::{Direction, MacAddr};
use framewise_ethernet::Link;

use super::Refused;
use super::outline::Outline;
use crate::trace::{Crossing, Event, HostId, NoteEvent, Trace, WIRE};

/// What became of a frame on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What, in a word: `lost`, `duplicated`, `held back`, `damaged`.
    pub topic: &'static str,
    /// In words that follow the frame's name: `was lost on the way`.
    pub text: String,
}

impl Deed {
    pub(super) fn of(note: &NoteEvent) -> Self {
        Deed { topic: note.topic, text: note.text.trim_start_matches("it ").to_owned() }
    }

    /// Whether the frame never arrived.
    pub fn is_lost(&self) -> bool {
        self.topic == "lost"
    }
}

/// A frame that was sent to the host whose frames these are, and lost before it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Astray {
    /// After which of the host's frames it was sent.
    pub after: usize,
    /// When.
    pub time: std::time::Duration,
    /// What it was.
    pub bytes: Vec<u8>,
}

impl Astray {
    /// From which host to which, if there is a packet in it.
    pub fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        let outline = Outline::of(Link::Ethernet, &self.bytes)?;
        Some((outline.source, outline.destination))
    }
}

/// What the wire did to frames for our host that others sent.
pub(super) struct Fates<'t> {
    trace: &'t Trace,
    ours: HostId,
    macs: BTreeSet<MacAddr>,
    /// By host, the last frame that it sent.
    last: Vec<Option<&'t Crossing>>,
    /// What was done to frames that are on their way to us.
    coming: Vec<(&'t Crossing, Deed)>,
}

/// Frames on their way to us that are remembered.
const COMING: usize = 256;
/// Bytes that may differ between a frame and the same one damaged.
const DAMAGE: usize = 12;

impl<'t> Fates<'t> {
    pub(super) fn new(trace: &'t Trace, ours: HostId) -> Self {
        let sent = trace.crossings().filter(|crossing| {
            crossing.host == ours && crossing.is_on_the_wire() && crossing.direction == Direction::Outbound
        });
        let macs =
            sent.filter_map(|crossing| Some(MacAddr::new(array_at(trace.bytes(crossing), 6)?))).collect();
        let last = vec![None; trace.hosts().len()];
        Fates { trace, ours, macs, last, coming: Vec::new() }
    }

    /// Hears of what others do. A frame for us that was lost is told.
    pub(super) fn hear(&mut self, event: &'t Event) -> Option<&'t Crossing> {
        match event {
            Event::Crossing(crossing)
                if crossing.host != self.ours
                    && crossing.is_on_the_wire()
                    && crossing.direction == Direction::Outbound =>
            {
                *self.last.get_mut(crossing.host.0)? = Some(crossing);
                None
            }
            Event::Note(note) if note.layer == WIRE && note.host != self.ours => {
                let frame = (*self.last.get(note.host.0)?)?;
                let to = MacAddr::new(array_at(self.trace.bytes(frame), 0)?);
                let deed = Deed::of(note);
                match (self.macs.contains(&to), deed.is_lost()) {
                    (false, _) => None,
                    (true, true) => Some(frame),
                    (true, false) => {
                        if self.coming.len() >= COMING {
                            self.coming.remove(0);
                        }
                        self.coming.push((frame, deed));
                        None
                    }
                }
            }
            _ => None,
        }
    }

    /// What was done to a frame that has come.
    pub(super) fn of_arrived(&mut self, crossing: &Crossing) -> Vec<Deed> {
        let bytes = self.trace.bytes(crossing);
        let trace = self.trace;
        let mut deeds = Vec::new();
        self.coming.retain(|(sent, deed)| {
            let is_it =
                is_the_same(trace.bytes(sent), bytes, if deed.topic == "damaged" { DAMAGE } else { 0 });
            // One that arrives twice is told of both times.
            if is_it {
                deeds.push(deed.clone());
            }
            !is_it || deed.topic == "duplicated"
        });
        deeds
    }
}

/// Who refused a frame of ours, damaged on its way, beyond the wire: the host's name and what it said.
pub(super) fn refused_elsewhere(trace: &Trace, ours: HostId, event: usize) -> Option<(String, Refused)> {
    let Some(Event::Crossing(sent)) = trace.events().get(event) else { return None };
    let sent = trace.bytes(sent);
    let mut came: Vec<Option<&Crossing>> = vec![None; trace.hosts().len()];
    for event in trace.events().get(event + 1..)? {
        match event {
            Event::Crossing(crossing)
                if crossing.is_on_the_wire()
                    && crossing.direction == Direction::Inbound
                    && crossing.host != ours =>
            {
                *came.get_mut(crossing.host.0)? = Some(crossing);
            }
            Event::Drop(dropped) if dropped.host != ours => {
                let arrived = (*came.get(dropped.host.0)?).map(|crossing| trace.bytes(crossing));
                // A router has written other MAC addresses, a smaller time to live, and another checksum.
                let inside = |bytes: &'_ [u8]| bytes.get(14..).map(<[u8]>::to_vec);
                let both = arrived.and_then(inside).zip(inside(sent));
                if both.is_some_and(|(arrived, sent)| {
                    arrived != sent && is_the_same(&arrived, &sent, DAMAGE + 3)
                }) {
                    let refused = Refused { layer: dropped.layer, reason: dropped.reason };
                    return Some((trace.host_name(dropped.host).to_owned(), refused));
                }
            }
            _ => {}
        }
    }
    None
}

fn is_the_same(one: &[u8], other: &[u8], differing: usize) -> bool {
    one.len() == other.len() && one.iter().zip(other).filter(|(a, b)| a != b).count() <= differing
}
