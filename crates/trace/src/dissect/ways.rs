//! The ways in: a capture of anybody's, a run of our own.

use std::io::Read;
use std::time::Duration;

use framewise_core::Direction;

use super::gather::{Gather, Seen};
use super::happened::{self, Deed, Fates};
use super::limits::Limits;
use super::told::Told;
use super::{Dissection, Origin, Refused};
use crate::pcapng::{CaptureReader, Item, Packet, ReadError};
use crate::trace::{Crossing, Event, HostId, Trace, WIRE};
use crate::wire;

/// LINKTYPE_ETHERNET.
const ETHERNET: u32 = 1;

impl Dissection {
    /// Takes a capture apart: pcapng or pcap, with the secrets that are in it and those of `key_log`, a text in the
    /// SSLKEYLOGFILE format that may be empty.
    ///
    /// A capture that breaks off is taken apart up to there; [`damage`](Self::damage) tells what is wrong, and where.
    ///
    /// # Errors
    /// It begins like no capture.
    pub fn of_capture(input: impl Read, key_log: &str, limits: Limits) -> Result<Self, ReadError> {
        let mut reader = CaptureReader::new(input)?;
        let mut gather = Gather::new(limits, key_log);
        let mut told = Told::default();
        let damage = loop {
            match reader.next_item() {
                Ok(Some(Item::Packet(packet))) => take_packet(&mut gather, &packet),
                Ok(Some(Item::KeyLog(text))) => gather.secrets(text),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            reader.take_told().iter().for_each(|lines| told.hear(lines, &mut gather));
        };
        reader.take_told().iter().for_each(|lines| told.hear(lines, &mut gather));
        let mut dissection = gather.finish(Origin::Capture);
        dissection.damage = damage;
        dissection.is_told = told.is_known();
        Ok(dissection)
    }

    /// Takes apart what a host of a recorded run sent and received, with the run's own secrets. Frames are those on the wire:
    /// a super-frame is as many as its device makes of it, or has joined to it. Of a host that is not in the trace there are
    /// none.
    pub fn of_trace(trace: &Trace, host: &str, limits: Limits) -> Self {
        let mut gather = Gather::new(limits, &trace.key_log());
        let Some(host) = trace.host(host) else { return gather.finish(Origin::Run) };
        let mut fates = Fates::new(trace, host);
        let mut waiting: Option<Waiting<'_>> = None;
        for (number, event) in trace.events().iter().enumerate() {
            match event {
                Event::Crossing(crossing) if crossing.host == host && crossing.is_on_the_wire() => {
                    let mut next = Waiting::new(number, crossing);
                    if crossing.direction == Direction::Inbound {
                        next.deeds = fates.of_arrived(crossing);
                    }
                    if let Some(frame) = waiting.replace(next) {
                        frame.take(trace, &mut gather);
                    }
                }
                _ => waiting.iter_mut().for_each(|frame| frame.hear(event, host)),
            }
            if let Some(lost) = fates.hear(event) {
                let waits = waiting.as_ref().map_or(0, |frame| trace.wire_frames(frame.crossing));
                gather.astray(waits, Duration::from_nanos(lost.now.as_nanos()), trace.bytes(lost));
            }
        }
        if let Some(frame) = waiting {
            frame.take(trace, &mut gather);
        }
        let mut dissection = gather.finish(Origin::Run);
        dissection.find_who_refused(trace, host);
        dissection
    }

    /// Finds who beyond the wire refused what was damaged on it.
    fn find_who_refused(&mut self, trace: &Trace, ours: HostId) {
        for (number, deeds) in &self.deeds {
            let event = self.events.get(*number as usize - 1);
            let Some(event) = event.filter(|_| deeds.iter().any(|deed| deed.topic == "damaged")) else {
                continue;
            };
            if let Some(refused) = happened::refused_elsewhere(trace, ours, *event) {
                self.refused_elsewhere.insert(*number, refused);
            }
        }
    }
}

fn take_packet(gather: &mut Gather, packet: &Packet<'_>) {
    let interface = gather.interface(packet.interface.name.as_deref(), packet.interface.link_type);
    let link = framewise_ethernet::Link::of_capture(packet.interface.link_type);
    gather.frame(&Seen {
        time: packet.time.and_then(|time| u64::try_from(time.as_nanos()).ok()),
        interface,
        direction: packet.direction().or_else(|| link?.direction(packet.bytes)),
        bytes: packet.bytes,
        original_length: packet.original_length,
        refused: None,
        event: None,
        // Of two interfaces of one capture each may have seen one way of a connection.
        network: 0,
    });
    packet.comments().for_each(|comment| gather.comment(comment));
}

/// A frame of our own, until it is known what its host's layers said of it.
struct Waiting<'t> {
    event: usize,
    crossing: &'t Crossing,
    comments: Vec<String>,
    refused: Option<Refused>,
    /// What was done to it on its way.
    deeds: Vec<Deed>,
}

impl<'t> Waiting<'t> {
    fn new(event: usize, crossing: &'t Crossing) -> Self {
        Waiting { event, crossing, comments: Vec::new(), refused: None, deeds: Vec::new() }
    }

    fn hear(&mut self, event: &Event, ours: HostId) {
        match event {
            Event::Note(note) if note.host == ours && note.layer == WIRE => {
                self.deeds.push(Deed::of(note));
            }
            Event::Note(note) if note.host == ours => {
                self.comments.push(format!("{}: {}", note.layer, note.text));
            }
            Event::Drop(dropped) if dropped.host == ours => {
                self.comments.push(format!("{} dropped this: {}", dropped.layer, dropped.reason));
                if self.crossing.direction == Direction::Inbound && self.refused.is_none() {
                    self.refused = Some(Refused { layer: dropped.layer, reason: dropped.reason });
                }
            }
            _ => {}
        }
    }

    fn take(self, trace: &Trace, gather: &mut Gather) {
        let crossing = self.crossing;
        let number = crossing.interface.unwrap_or_default().0;
        let interface = gather.interface(Some(&format!("eth{number}")), ETHERNET);
        for bytes in wire::frames(trace.bytes(crossing), crossing.offload) {
            gather.frame(&Seen {
                time: Some(crossing.now.as_nanos()),
                interface,
                direction: Some(crossing.direction),
                bytes: &bytes,
                original_length: bytes.len() as u32,
                refused: self.refused,
                event: Some(self.event),
                // A router sees a segment on two of its interfaces, which is not the segment once more.
                network: number.into(),
            });
        }
        self.comments.iter().for_each(|comment| gather.comment(comment));
        // Of what a super-frame stands for, nobody says which it was.
        if trace.wire_frames(crossing) == 1 {
            self.deeds.into_iter().for_each(|deed| gather.deed(deed));
        }
    }
}
