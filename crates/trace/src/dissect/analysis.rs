//! A connection's segments, judged one after the other: what is unusual about each, and how both ends stand after it.
//!
//! Made when somebody asks. What is unusual is kept, for it is little; the ends are kept once in a while and followed from
//! there, for nobody looks at all of them.

use framewise_tcp::Header;
use framewise_tcp::passive::{Ends, Finding, Referred, Seen, Side as TcpSide, Watch, told};
use framewise_tcp::segment::{Flags, Options};

use super::Dissection;
use super::caught::Caught;
use super::connections::{Record, Segment};
use super::frame::Frame;
use super::outline::Outline;
use super::space::{ConnectionId, Side};

/// Segments between two that the ends are kept for.
const APART: usize = 256;

/// What was made of a connection's segments.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// What is unusual, by the number of the segment, in order.
    findings: Vec<(u32, Finding)>,
    /// The ends before segment 0, [`APART`], twice that, ...
    kept: Vec<Ends>,
    /// By the number of a segment that of the next one which brings the same again, in order.
    again: Vec<(u32, u32)>,
    /// What is unusual by the capture's own doing, by the number of the segment, in order.
    caught: Vec<(u32, Caught)>,
}

/// Something unusual about a frame's segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusual {
    /// Its name in a word or two, such as `fast retransmission`.
    pub name: &'static str,
    /// What it is and why, in a sentence.
    pub sentence: String,
    /// Whether it speaks of loss, disorder or repetition.
    pub is_trouble: bool,
    /// The frame that it has to do with: what was sent before, what asked for it.
    pub frame: Option<usize>,
    /// As TCP sees it, with the numbers of the connection's segments.
    pub finding: Finding,
}

impl Analysis {
    fn of(dissection: &Dissection, record: &Record) -> Self {
        let (mut analysis, mut watch) = (Analysis::default(), Watch::default());
        for (number, segment) in (0_u32..).zip(&record.segments) {
            if (number as usize).is_multiple_of(APART) {
                analysis.kept.push(watch.ends().clone());
            }
            let seen = dissection.seen(segment);
            watch.observe(&seen, |finding| analysis.findings.push((number, finding)));
        }
        analysis.findings.shrink_to_fit();
        let caught = analysis.findings.iter().filter_map(|(number, finding)| {
            Some((*number, Caught::of(dissection, record, *number, finding)?))
        });
        analysis.caught = caught.collect();
        let again = analysis.findings.iter().filter_map(|(number, finding)| match finding {
            // What is sent again in the ordinary course of things makes up for nothing.
            Finding::Again { last: Some(last), .. } if finding.is_trouble() => Some((*last, *number)),
            _ => None,
        });
        analysis.again = again.filter(|(_, number)| analysis.caught(*number).is_none()).collect();
        analysis.again.sort_unstable();
        analysis
    }

    /// What is unusual about the segment of this number.
    pub(super) fn findings(&self, number: u32) -> impl Iterator<Item = Finding> + use<'_> {
        let begin = self.findings.partition_point(|(other, _)| *other < number);
        let rest = self.findings.get(begin..).unwrap_or_default().iter();
        rest.take_while(move |(other, _)| *other == number).map(|(_, finding)| *finding)
    }

    /// The next segment that brings what this one brought.
    pub(super) fn again(&self, number: u32) -> Option<u32> {
        let at = self.again.partition_point(|(last, _)| *last < number);
        self.again.get(at).filter(|(last, _)| *last == number).map(|(_, again)| *again)
    }

    /// What the capture did with this segment, where that makes it unusual.
    fn caught(&self, number: u32) -> Option<Caught> {
        let at = self.caught.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.caught.get(at).map(|(_, caught)| *caught)
    }

    /// All that is unusual, by the number of the segment, in order.
    pub(super) fn all(&self) -> &[(u32, Finding)] {
        &self.findings
    }

    /// How the ends stand before the segment of this number.
    fn before(&self, dissection: &Dissection, record: &Record, number: usize) -> Ends {
        let place = (number / APART).min(self.kept.len().saturating_sub(1));
        let mut ends = self.kept.get(place).cloned().unwrap_or_default();
        let from = place * APART;
        for segment in record.segments.get(from..number).unwrap_or_default() {
            ends.observe(&dissection.seen(segment));
        }
        ends
    }
}

impl Dissection {
    pub(super) fn analysis(&self, id: ConnectionId) -> Option<&Analysis> {
        let cell = self.analyses.get(id.0 as usize)?;
        let record = self.record(id)?;
        Some(cell.get_or_init(|| Box::new(Analysis::of(self, record))))
    }

    /// How both ends of a connection stand before and after the segment of this number.
    pub(super) fn ends(&self, id: ConnectionId, number: u32) -> Option<[Ends; 2]> {
        let (analysis, record) = self.analysis(id).zip(self.record(id))?;
        let before = analysis.before(self, record, number as usize);
        let mut after = before.clone();
        after.observe(&self.seen(record.segments.get(number as usize)?));
        Some([before, after])
    }

    /// A segment as somebody saw it.
    fn seen(&self, segment: &Segment) -> Seen {
        let frame = self.frame(segment.frame());
        let direction = frame.as_ref().and_then(Frame::direction);
        let time = frame.as_ref().and_then(Frame::time);
        let is_lost = segment.doubtful || self.is_lost(segment.frame());
        let options = frame.filter(|_| segment.flags.has(Flags::SYN)).map(|frame| options(&frame));
        let header = Header {
            flags: segment.flags,
            window: segment.window,
            options: options.unwrap_or_default(),
            ..Header::default()
        };
        let seen = Seen::of(&header, segment.length as usize, segment.facts, of_tcp(segment.side));
        seen.caught(direction, time, is_lost)
    }
}

/// The options of a SYN in this frame. Of one in fragments nothing is known.
fn options(frame: &Frame<'_>) -> Options {
    let link = frame.interface().and_then(|interface| interface.link());
    let outline =
        link.and_then(|link| Outline::of(link, frame.bytes())).filter(|outline| outline.fragment.is_none());
    let segment = outline.and_then(|outline| frame.bytes().get(outline.payload));
    segment.and_then(|segment| Header::parse(segment).ok()).map(|header| header.options).unwrap_or_default()
}

pub(super) fn of_tcp(side: Side) -> TcpSide {
    match side {
        Side::Client => TcpSide::Client,
        Side::Server => TcpSide::Server,
    }
}

impl Frame<'_> {
    /// What is unusual about the segment that it brought, by what was seen of its connection before.
    pub fn unusual(&self) -> Vec<Unusual> {
        let Some((connection, number)) = self.place_in_connection() else { return Vec::new() };
        let dissection = self.dissection;
        let Some((analysis, record)) = dissection.analysis(connection).zip(dissection.record(connection))
        else {
            return Vec::new();
        };
        let frame_of = |number: u32| record.segments.get(number as usize).map(Segment::frame);
        let refer = |number: u32| {
            let frame = frame_of(number).and_then(|number| dissection.frame(number));
            let time = frame.as_ref().and_then(Frame::time);
            Referred {
                name: frame.map_or("a frame".to_owned(), |frame| format!("frame {}", frame.number())),
                before: self.time().zip(time).and_then(|(now, then)| now.checked_sub(then)),
            }
        };
        let unusual = |finding: Finding| match Caught::of(dissection, record, number, &finding) {
            Some(caught) => Unusual {
                name: caught.name(),
                sentence: caught.told(&refer(caught.other()).name),
                is_trouble: false,
                frame: frame_of(caught.other()),
                finding,
            },
            None => Unusual {
                name: finding.name(),
                sentence: told(&finding, refer),
                is_trouble: finding.is_trouble(),
                frame: finding.refers_to().and_then(frame_of),
                finding,
            },
        };
        analysis.findings(number).map(unusual).collect()
    }

    /// How both ends of its connection stand before and after it.
    pub fn ends(&self) -> Option<[Ends; 2]> {
        let (connection, number) = self.place_in_connection()?;
        self.dissection.ends(connection, number)
    }
}
