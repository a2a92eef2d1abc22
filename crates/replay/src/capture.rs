//! A capture played: what came to the host then comes to it again, and what it sends is compared with what it sent then.

use std::time::Duration;

use framewise::core::{Direction, MacAddr};
use framewise::ethernet::FrameView;
use framewise_trace::dissect::{Frame, Limits};
use framewise_trace::pcapng::SIMULATED_EPOCH;
use framewise_trace::{CaptureReader, Dissection, Item};

use crate::compare::{Difference, Seen, difference};
use crate::error::PlayError;
use crate::live::Live;
use crate::outcome::{Event, Failure, Kind, Outcome, Place, Wrong};
use crate::script::{Action, Deed, Script, Start, Timing, When};
use crate::since;
use crate::translate::Translation;

/// Frames of the longest capture that is played.
const MOST_FRAMES: usize = 100_000;
/// The longest time between a capture's beginning and its end.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// LINKTYPE_ETHERNET.
const ETHERNET: u32 = 1;

/// A frame of the capture.
struct Captured {
    number: usize,
    at: Duration,
    direction: Direction,
    bytes: Vec<u8>,
}

/// Plays a capture against the live host that its sidecar describes.
///
/// ```no_run
/// use framewise_replay::{Script, capture};
/// let sidecar = Script::read(include_str!("../../../pcaps/http.replay"))?;
/// let outcome = capture(include_bytes!("../../../pcaps/http.pcapng"), &sidecar)?;
/// assert!(outcome.is_success(), "{outcome}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The capture can't be read or played, or the host can't be made as the sidecar says.
pub fn capture(file: &[u8], sidecar: &Script) -> Result<Outcome, PlayError> {
    let mut live = Live::new(sidecar)?;
    let frames = read(file, sidecar, live.mac())?;
    let expected = Dissection::of_capture(file, "", Limits::default())?;
    let sent = || frames.iter().filter(|frame| frame.direction == Direction::Outbound);
    if sent().next().is_none() {
        return Err(PlayError::Nothing { mac: live.mac() });
    }
    if let Some(chosen) = sidecar.compared.nowhere(sent().filter_map(|frame| expected.frame(frame.number))) {
        return Err(PlayError::Nowhere { what: chosen.to_string() });
    }
    play(&mut live, &frames, sidecar)?;
    let got = Dissection::of_trace(&live.trace(), live.name(), Limits::default());
    Ok(judge(&frames, &expected, &got, sidecar, live.now()))
}

/// Reads the frames of a capture, with their times in the run.
fn read(file: &[u8], sidecar: &Script, mac: MacAddr) -> Result<Vec<Captured>, PlayError> {
    let mut reader = CaptureReader::new(file)?;
    let mut frames: Vec<Captured> = Vec::new();
    let (mut directions, mut is_ours) = (Vec::new(), true);
    let mut zero = match sidecar.start {
        Start::Simulated => Some(SIMULATED_EPOCH),
        Start::At(nanos) => Some(Duration::from_nanos(nanos)),
        Start::FirstFrame => None,
    };
    while let Some(item) = reader.next_item()? {
        let Item::Packet(packet) = item else { continue };
        let frame = frames.len() + 1;
        if frame > MOST_FRAMES {
            return Err(PlayError::TooMuch);
        }
        if packet.interface.link_type != ETHERNET {
            return Err(PlayError::Link { frame });
        }
        if packet.bytes.len() < packet.original_length as usize {
            return Err(PlayError::Cut { frame });
        }
        let time = packet.time.ok_or(PlayError::NoTime { frame })?;
        let at = since(*zero.get_or_insert(time), time, sidecar.start, frame)?;
        // Clocks of computers are set back now and then; a run's never is.
        let at = frames.last().map_or(at, |before| at.max(before.at));
        let told = packet.direction();
        let direction = direction_of(packet.bytes, mac);
        is_ours &= told.is_some() && (told == Some(Direction::Inbound) || direction == Direction::Outbound);
        directions.push(told.unwrap_or(direction));
        frames.push(Captured { number: frame, at, direction, bytes: packet.bytes.to_vec() });
    }
    // What a capture says of directions counts where it was made at our host: there, all that left came from its address.
    if is_ours && directions.contains(&Direction::Outbound) {
        frames.iter_mut().zip(directions).for_each(|(frame, told)| frame.direction = told);
    }
    Ok(frames)
}

/// How long after the run's zero a frame was seen.
fn since(zero: Duration, time: Duration, start: Start, frame: usize) -> Result<Duration, PlayError> {
    let (since, wrong) = match start {
        Start::FirstFrame => (Some(time.saturating_sub(zero)), PlayError::TooLong { frame }),
        Start::Simulated | Start::At(_) => (time.checked_sub(zero), PlayError::Outside { frame }),
    };
    since.filter(|since| *since <= LONGEST).ok_or(wrong)
}

/// What comes from the host's own MAC address, it has sent.
fn direction_of(frame: &[u8], mac: MacAddr) -> Direction {
    match FrameView::new(frame) {
        Ok(frame) if frame.source() == mac => Direction::Outbound,
        _ => Direction::Inbound,
    }
}

/// Gives the host what came to it, and has its application do what it did.
fn play(live: &mut Live, frames: &[Captured], sidecar: &Script) -> Result<(), PlayError> {
    let mut deeds = deeds(sidecar, frames)?.into_iter().peekable();
    let mut translation = Translation::default();
    let (mut learnt, mut sent) = (0, Vec::new());
    for frame in frames {
        // What comes at the same moment comes first, as it does in every run.
        while let Some((at, step, deed)) = deeds.next_if(|(at, ..)| *at < frame.at) {
            live.advance(at)?;
            perform(live, step, deed)?;
        }
        if frame.direction == Direction::Outbound {
            sent.push(frame);
            continue;
        }
        // Up to when this arrives, so that all is known that the host has sent before it.
        live.advance(frame.at.saturating_sub(Duration::from_nanos(1)))?;
        while let (Some(then), Some((_, now))) = (sent.get(learnt), live.sent(learnt)) {
            translation.learn(&then.bytes, &now);
            learnt += 1;
        }
        live.give(&translation.apply(&frame.bytes), frame.at)?;
    }
    for (at, step, deed) in deeds {
        live.advance(at)?;
        perform(live, step, deed)?;
    }
    wait(live, frames, sidecar.timing)
}

/// Lets time pass until the last frame has been sent that may still be right.
fn wait(live: &mut Live, frames: &[Captured], timing: Option<Timing>) -> Result<(), PlayError> {
    let last = frames.last().map_or(Duration::ZERO, |frame| frame.at);
    let sent = frames.iter().filter(|frame| frame.direction == Direction::Outbound).count();
    match timing {
        None => live.advance(last),
        Some(Timing::Within(slack)) => live.advance(last + slack),
        Some(Timing::Free) => {
            live.advance(last)?;
            live.advance_until_sent(sent.saturating_sub(1), last + Timing::PATIENCE)
        }
    }
}

/// A deed of the host's application: when, whether it follows on the one before, and what.
type Timed<'s> = (Duration, When, &'s Deed);

/// The deeds of a sidecar. The first, unless it has a time, is done when the host sends the capture's first frame, which
/// follows from it; where something came first, at the run's beginning.
fn deeds<'s>(sidecar: &'s Script, frames: &[Captured]) -> Result<Vec<Timed<'s>>, PlayError> {
    let first = frames.first().filter(|frame| frame.direction == Direction::Outbound);
    let mut at = first.map_or(Duration::ZERO, |frame| frame.at);
    let mut deeds = Vec::new();
    for step in &sidecar.steps {
        let Action::Do(deed) = &step.action else { return Err(PlayError::Steps { line: step.line }) };
        at = match step.when {
            When::At(time) => time,
            When::After(time) => at + time,
            When::Now | When::Then | When::Between(..) => at,
        };
        deeds.push((at, step.when, deed));
    }
    Ok(deeds)
}

fn perform(live: &mut Live, timed: When, deed: &Deed) -> Result<(), PlayError> {
    match (timed, deed) {
        (When::Then, Deed::Fetch(line)) => live.fetch_then(line),
        _ => live.perform(deed),
    }
}

/// Compares, frame by frame, and stops at the first that differs. The run went on up to `end`.
fn judge(
    frames: &[Captured],
    expected: &Dissection,
    got: &Dissection,
    sidecar: &Script,
    end: Duration,
) -> Outcome {
    let sent: Vec<_> = frames.iter().filter(|frame| frame.direction == Direction::Outbound).collect();
    let outbound = |frame: &Frame<'_>| frame.direction() == Some(Direction::Outbound);
    let live: Vec<_> = got.frames().filter(outbound).collect();
    let mut matched = 0;
    let failure = loop {
        let (Some(then), now) = (sent.get(matched), live.get(matched)) else {
            break unexpected(frames, live.get(matched));
        };
        let Some(theirs) = expected.frame(then.number) else { break None };
        let theirs = Seen { dissection: expected, frame: theirs };
        let Some(&ours) = now else { break Some(missing(then, &theirs, end)) };
        let ours = Seen { dissection: got, frame: ours };
        let wrong =
            difference(&theirs, &ours, &sidecar.compared).or_else(|| time(then, &ours, sidecar.timing));
        let Some(wrong) = wrong else {
            matched += 1;
            continue;
        };
        // Where the frame behind it is the right one, this is one too many.
        let is_one_too_many = live.get(matched + 1).is_some_and(|next| {
            difference(&theirs, &Seen { dissection: got, frame: *next }, &sidecar.compared).is_none()
        });
        let is_late_or_early = matches!(wrong, Difference::Time { .. });
        let wrong = match is_one_too_many && !is_late_or_early {
            true => Wrong::Unexpected { got: ours.frame.summary(), at: since_begin(&ours.frame) },
            false => Wrong::Different(wrong),
        };
        break Some((Place::Frame(then.number), wrong));
    };
    let injected = frames.len() - sent.len();
    let failure = failure.map(|(place, wrong)| {
        let until = match &place {
            Place::Frame(number) => *number,
            _ => frames.len() + 1,
        };
        let since = since::explain(&wrong, got, matched, &numbers(frames), "frame");
        Failure { before: before(frames, expected, got, until), place, wrong, since }
    });
    Outcome { title: sidecar.title.clone(), kind: Kind::Capture, injected, matched, failure }
}

/// The numbers in the capture of the frames that came to the host.
fn numbers(frames: &[Captured]) -> Vec<Option<usize>> {
    let inbound = frames.iter().filter(|frame| frame.direction == Direction::Inbound);
    inbound.map(|frame| Some(frame.number)).collect()
}

fn since_begin(frame: &Frame<'_>) -> Duration {
    frame.time().unwrap_or_default()
}

fn time(then: &Captured, now: &Seen<'_>, timing: Option<Timing>) -> Option<Difference> {
    let slack = match timing {
        None => Duration::ZERO,
        Some(Timing::Within(slack)) => slack,
        Some(Timing::Free) => return None,
    };
    let (expected, got) = (then.at, since_begin(&now.frame));
    (expected.abs_diff(got) > slack).then_some(Difference::Time { expected, got })
}

fn missing(then: &Captured, theirs: &Seen<'_>, until: Duration) -> (Place, Wrong) {
    (Place::Frame(then.number), Wrong::Missing { expected: theirs.frame.summary(), until })
}

/// What the host has sent beyond what it sent in the capture, before the capture's end.
fn unexpected(frames: &[Captured], more: Option<&Frame<'_>>) -> Option<(Place, Wrong)> {
    let last = frames.last()?;
    let more = more.filter(|frame| since_begin(frame) <= last.at)?;
    let wrong = Wrong::Unexpected { got: more.summary(), at: since_begin(more) };
    Some((Place::After(last.number), wrong))
}

/// The frames before this one, as they were in the capture, and who of the live host refused which.
fn before(frames: &[Captured], expected: &Dissection, got: &Dissection, until: usize) -> Vec<Event> {
    let mut inbound = got.frames().filter(|frame| frame.direction() == Some(Direction::Inbound));
    let mut events = Vec::new();
    for frame in frames.iter().take_while(|frame| frame.number < until) {
        let live = (frame.direction == Direction::Inbound).then(|| inbound.next()).flatten();
        let refused = live.and_then(|live| live.refused());
        events.push(Event {
            number: frame.number,
            at: frame.at,
            direction: Some(frame.direction),
            says: expected.frame(frame.number).map_or_else(String::new, |frame| frame.summary()),
            refused: refused.map(|refused| format!("{}, {}", refused.layer, refused.reason)),
        });
    }
    events
}
