//! What became of a frame, who noticed, and what it caused.
//!
//! What the wire did is known of runs of our own. The rest is found by watching, and so in anybody's capture: who sends bytes
//! again, after which acknowledgments, and how long everybody waited.

use std::ops::Range;
use std::time::Duration;

use framewise_core::Direction;
use framewise_tcp::Header;
use framewise_tcp::passive::{Finding, Resent};
use framewise_tcp::segment::Flags;

use super::connections::Segment;
use super::frame::Frame;
use super::happened::{Astray, Deed};
use super::outline::Outline;
use super::space::{ConnectionId, Side};
use super::{Dissection, Origin, Refused};

/// What a consequence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the wire did to the frame.
    Happened,
    /// Somebody noticed.
    Noticed,
    /// It had something else happen.
    Caused,
}

/// Something that became of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// What kind of thing.
    pub kind: Kind,
    /// What, in a sentence.
    pub sentence: String,
    /// The frame in which it shows.
    pub frame: Option<usize>,
}

impl Consequence {
    fn new(kind: Kind, frame: Option<usize>, sentence: String) -> Self {
        Consequence { kind, sentence, frame }
    }
}

/// Segments that are looked through for the one that brings the same again.
const FAR: usize = 4_096;
/// Frames that are looked through for a question that is asked again.
const NEAR: usize = 1_000;

impl<'d> Frame<'d> {
    /// What was done to it on its way, where that is known: in runs of our own, in memory.
    pub fn deeds(&self) -> &'d [Deed] {
        self.dissection.deeds.get(&(self.number() as u32)).map_or(&[], Vec::as_slice)
    }

    /// Whether there is anything to be told of what became of it; cheaper than asking what.
    pub fn has_consequences(&self) -> bool {
        let again = || {
            let (id, number) = self.place_in_connection()?;
            self.dissection.analysis(id)?.again(number)
        };
        let is_refused = self.refused().is_some() || self.refused_elsewhere().is_some();
        !self.deeds().is_empty() || is_refused || again().is_some() || self.is_doubtful()
    }

    /// What became of it, who noticed, and what it caused, in this order. Of a frame that simply arrived: nothing.
    pub fn consequences(&self) -> Vec<Consequence> {
        let mut told: Vec<Consequence> = self
            .deeds()
            .iter()
            .map(|deed| Consequence::new(Kind::Happened, None, format!("It {}.", deed.text)))
            .collect();
        let is_harmed = !told.is_empty() || self.refused().is_some() || self.is_doubtful();
        if let Some(refused) = self.refused() {
            let sentence = format!("Here {} refused it: {}.", refused.layer, refused.reason);
            told.push(Consequence::new(Kind::Noticed, Some(self.number()), sentence));
        }
        if self.is_doubtful() && self.refused().is_none() && self.refused_elsewhere().is_none() {
            let sentence = "Its TCP checksum is wrong: whoever gets it throws it away.".to_owned();
            told.push(Consequence::new(Kind::Noticed, Some(self.number()), sentence));
        }
        if let Some((host, refused)) = self.refused_elsewhere() {
            let sentence = format!("At {host} {} refused it: {}.", refused.layer, refused.reason);
            told.push(Consequence::new(Kind::Noticed, None, sentence));
        }
        match self.place_in_connection() {
            Some((id, number)) => self.made_up_for(id, number, is_harmed, &mut told),
            // Who gets an answer that it does not want asks for nothing.
            None if !self.deeds().is_empty() => told.extend(self.asked_again()),
            None => {}
        }
        let is_damaged = self.deeds().iter().any(|deed| deed.topic == "damaged");
        if is_damaged && told.iter().all(|told| told.kind == Kind::Happened) && self.is_seen_at_its_end() {
            let sentence = "Nobody noticed: it was taken as it came.".to_owned();
            told.push(Consequence::new(Kind::Noticed, None, sentence));
        }
        told
    }

    /// Why its segment counts though its checksum is wrong, if it was taken all the same.
    pub fn taken_all_the_same(&self) -> Option<Consequence> {
        let segment = self.segment()?;
        let sentence = format!("Its TCP checksum is {}", wrong_yet_taken(segment)?);
        Some(Consequence::new(Kind::Noticed, segment.taken_by(), sentence))
    }

    /// Whether it is known what its receiver made of it: that is us, or a host of the same run.
    fn is_seen_at_its_end(&self) -> bool {
        self.direction() == Some(Direction::Inbound) || self.dissection.origin == Origin::Run
    }

    /// Who refused it beyond the wire, and why.
    fn refused_elsewhere(&self) -> Option<&'d (String, Refused)> {
        self.dissection.refused_elsewhere.get(&(self.number() as u32))
    }

    /// Whether its checksum is wrong, as far as a segment's place tells.
    pub(super) fn is_doubtful(&self) -> bool {
        self.segment().is_some_and(|segment| segment.doubtful)
    }

    /// The segment that brings the same again, and who had it do so.
    fn made_up_for(&self, id: ConnectionId, number: u32, is_harmed: bool, told: &mut Vec<Consequence>) {
        let Some((record, analysis)) = self.dissection.record(id).zip(self.dissection.analysis(id)) else {
            return;
        };
        let Some(own) = record.segments.get(number as usize) else { return };
        let wanted = numbers(own);
        // Of a damaged one nobody noticed by the numbers that it was sent again.
        let by_its_place = || {
            let later = record.segments.get(number as usize + 1..).unwrap_or_default();
            let mut later = (number + 1..).zip(later.iter().take(FAR));
            let is_it = |s: &Segment| s.side == own.side && !s.doubtful && overlaps(&numbers(s), &wanted);
            later.find(|(_, segment)| is_it(segment)).map(|(number, _)| number).filter(|_| is_harmed)
        };
        let Some(again) = analysis.again(number).or_else(by_its_place) else { return };
        let Some(segment) = record.segments.get(again as usize) else { return };
        let why = analysis.findings(again).find_map(|finding| match finding {
            Finding::Again { why, .. } => Some(why),
            _ => None,
        });
        let gap = Gap { dissection: self.dissection, id, side: own.side, start: own.facts.sequence };
        told.extend(gap.noticed(number + 1..again, why));
        let waited = self.dissection.between(self.number(), segment.frame());
        let frame = segment.frame();
        let sentence = match why {
            Some(Resent::Needlessly { .. } | Resent::MarkNeedlessly { .. }) => {
                format!("Frame {frame} brings the same again, for nothing{waited}.")
            }
            _ => format!("Frame {frame} brings the same again{waited}."),
        };
        told.push(Consequence::new(Kind::Caused, Some(frame), sentence));
    }

    /// The frame that asks, or says, the same once more.
    fn asked_again(&self) -> Option<Consequence> {
        let summary = self.summary();
        let later = (self.number() + 1..).take(NEAR).map_while(|number| self.dissection.frame(number));
        let mut same =
            later.filter(|frame| frame.direction() == self.direction() && frame.summary() == summary);
        let again = same.next()?;
        let waited = self.dissection.between(self.number(), again.number());
        let sentence = format!("Frame {} says the same again{waited}.", again.number());
        Some(Consequence::new(Kind::Caused, Some(again.number()), sentence))
    }
}

/// Bytes that are missing at the receiver, from one number on.
struct Gap<'d> {
    dissection: &'d Dissection,
    id: ConnectionId,
    /// Whose bytes.
    side: Side,
    start: u32,
}

impl Gap<'_> {
    /// Who noticed that they were missing, among the segments of these numbers; `why`: what the sender went by.
    fn noticed(&self, among: Range<u32>, why: Option<Resent>) -> Option<Consequence> {
        let analysis = self.dissection.analysis(self.id)?;
        let record = self.dissection.record(self.id)?;
        let from = analysis.all().partition_point(|(number, _)| *number < among.start);
        let until = analysis.all().partition_point(|(number, _)| *number < among.end);
        let findings = analysis.all().get(from..until).unwrap_or_default();
        let (mut duplicates, mut first_duplicate, mut missing) = (0, None, None);
        for (number, finding) in findings.iter().take(FAR) {
            let Some(segment) = record.segments.get(*number as usize) else { continue };
            let asks = segment.side != self.side && segment.facts.acknowledgment == Some(self.start);
            match finding {
                Finding::DuplicateAck { .. } if asks => {
                    duplicates += 1;
                    first_duplicate.get_or_insert(segment.frame());
                }
                Finding::Missing { .. } if segment.side == self.side => {
                    missing.get_or_insert(segment.frame());
                }
                _ => {}
            }
        }
        let told = |frame, sentence| Some(Consequence::new(Kind::Noticed, Some(frame), sentence));
        match (first_duplicate, missing, why) {
            (Some(frame), ..) => {
                let said = match duplicates {
                    1 => format!("in frame {frame} it acknowledged the same once more"),
                    2 => format!("twice from frame {frame} on it acknowledged the same"),
                    _ => format!("{duplicates} times from frame {frame} on it acknowledged the same"),
                };
                told(frame, format!("The receiver noticed: {said}, since this was missing."))
            }
            (None, Some(frame), _) => {
                told(frame, format!("Frame {frame} came, and showed that something before it is missing."))
            }
            (None, None, Some(Resent::Timeout)) => Some(Consequence::new(
                Kind::Noticed,
                None,
                "Nobody but its sender noticed, when no acknowledgment came in time.".to_owned(),
            )),
            _ => None,
        }
    }
}

impl Dissection {
    /// Frames that were sent to the host whose frames these are, and that never came: what only the wire knows.
    pub fn astray(&self) -> &[Astray] {
        &self.astray
    }

    /// Those of them that were sent after the frame of this number, and before the next one came.
    pub fn astray_after(&self, number: usize) -> &[Astray] {
        let begin = self.astray.partition_point(|astray| astray.after < number);
        let end = self.astray.partition_point(|astray| astray.after <= number);
        self.astray.get(begin..end).unwrap_or_default()
    }

    /// What a frame that never came was, and what made up for it.
    pub fn consequences_of(&self, astray: &Astray) -> Vec<Consequence> {
        let sentence = format!("A frame of {} bytes to this host was lost on the way.", astray.bytes.len());
        let mut told = vec![Consequence::new(Kind::Happened, None, sentence)];
        if let Some((id, number, sequence)) = self.segment_astray(astray) {
            let Some((record, side)) = self.record(id).zip(self.side_astray(id, astray)) else { return told };
            let wanted = sequence.clone();
            let later =
                (number..).zip(record.segments.get(number as usize..).unwrap_or_default().iter().take(FAR));
            let mut bringing =
                later.filter(|(_, s)| s.side == side && !s.doubtful && overlaps(&numbers(s), &wanted));
            let Some((again, segment)) = bringing.next() else { return told };
            let gap = Gap { dissection: self, id, side, start: sequence.start as u32 };
            told.extend(gap.noticed(number..again, None));
            let frame = segment.frame();
            let waited = self.frame(frame).and_then(|frame| frame.time()?.checked_sub(astray.time));
            let waited = waited.map(later_by).unwrap_or_default();
            told.push(Consequence::new(
                Kind::Caused,
                Some(frame),
                format!("Frame {frame} brings the same again{waited}."),
            ));
        }
        told
    }

    /// The connection of a segment that never came, the number of the one that came next, and its numbers.
    fn segment_astray(&self, astray: &Astray) -> Option<(ConnectionId, u32, Range<u64>)> {
        let (outline, header) = outline_of(astray)?;
        let source = std::net::SocketAddr::new(outline.source, header.source_port);
        let destination = std::net::SocketAddr::new(outline.destination, header.destination_port);
        let ends = [(source, destination), (destination, source)];
        let connections = self.connections().filter(|c| ends.contains(&(c.client(), c.server())));
        let connection = connections.last()?;
        let segments = connection.segments();
        let number = segments.partition_point(|segment| segment.frame() <= astray.after);
        let side = if connection.client() == source { Side::Client } else { Side::Server };
        // What its numbers count from is told by any other segment of that side.
        let known = segments.iter().find(|segment| segment.side == side && !segment.doubtful)?;
        let known_number = self.header_of(known.frame())?.sequence;
        let ahead = header.sequence.since(known_number);
        let start = u64::from(known.facts.sequence).checked_add_signed(i64::from(ahead))?;
        let length = header.sequence_len(outline.payload.len().saturating_sub(header.length)) as u64;
        Some((connection.id(), u32::try_from(number).ok()?, start..start + length))
    }

    fn side_astray(&self, id: ConnectionId, astray: &Astray) -> Option<Side> {
        let (outline, header) = outline_of(astray)?;
        let source = std::net::SocketAddr::new(outline.source, header.source_port);
        Some(if self.connection(id)?.client() == source { Side::Client } else { Side::Server })
    }

    fn header_of(&self, frame: usize) -> Option<Header> {
        let frame = self.frame(frame)?;
        let outline = Outline::of(frame.interface()?.link()?, frame.bytes())?;
        Header::parse(frame.bytes().get(outline.payload)?).ok()
    }

    /// Whether the frame of this number never arrived, as the wire says.
    pub(super) fn is_lost(&self, number: usize) -> bool {
        self.deeds.get(&(number as u32)).is_some_and(|deeds| deeds.iter().any(Deed::is_lost))
            || self.refused_elsewhere.contains_key(&(number as u32))
    }

    /// How long after one frame the other came, as the end of a sentence.
    fn between(&self, first: usize, second: usize) -> String {
        let time = |number| self.frame(number).and_then(|frame| frame.time());
        let waited = time(first).zip(time(second)).and_then(|(first, second)| second.checked_sub(first));
        waited.map(later_by).unwrap_or_default()
    }
}

fn later_by(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    if millis < 10.0 { format!(", {millis:.3} ms later") } else { format!(", {millis:.0} ms later") }
}

/// A frame that never came was Ethernet, for it was ours.
fn outline_of(astray: &Astray) -> Option<(Outline, Header)> {
    let outline = Outline::of(framewise_ethernet::Link::Ethernet, &astray.bytes)?;
    let header = Header::parse(astray.bytes.get(outline.payload.clone())?).ok()?;
    Some((outline, header))
}

/// What is said of a checksum that is wrong, where the segment was taken all the same.
pub(super) fn wrong_yet_taken(segment: &Segment) -> Option<String> {
    let by = format!("frame {}", segment.taken_by()?);
    Some(framewise_tcp::describe::wrong_yet_taken(&by, !numbers(segment).is_empty()))
}

/// The numbers that a segment takes up.
fn numbers(segment: &Segment) -> Range<u64> {
    let start = u64::from(segment.facts.sequence);
    let marks = u64::from(segment.flags.has(Flags::SYN)) + u64::from(segment.flags.has(Flags::FIN));
    start..start + u64::from(segment.length) + marks
}

fn overlaps(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}
