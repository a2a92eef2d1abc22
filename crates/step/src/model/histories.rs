//! What if: runs of the same seed in which one thing was done differently, side by side; and the same run at the other host.

use std::time::Duration;

use framewise_trace::dissect::{Dissection, Frame, Space};

use super::Stepper;
use super::action::{Mode, Position};
use crate::open::Opened;
use crate::run::{Change, Host};

/// Histories there may be; more would only confuse.
const MOST: usize = 8;
/// Frames that are compared.
const COMPARED: usize = 5_000;
/// How long a frame is held back, if that is chosen: longer than a retransmission timer takes.
const HELD: Duration = Duration::from_millis(300);
/// The window, if a smaller one is chosen: less than two full segments.
const WINDOW: usize = 2_000;

/// Something that can be done differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What, to choose from.
    pub(crate) text: String,
    /// What has then been done, in a few words.
    pub(crate) done: String,
    pub(crate) change: Change,
}

/// One course of events.
pub(crate) struct History {
    /// What was done differently from the one that it branched off; empty for the first.
    pub(crate) change: String,
    /// The one that it branched off.
    pub(crate) parent: usize,
    /// It, while one stands in another.
    away: Option<Opened>,
    /// Where one stood in it.
    at: Position,
}

impl History {
    pub(super) fn first() -> Self {
        History { change: String::new(), parent: 0, away: None, at: Position { frame: 1, step: 0 } }
    }
}

/// A frame of one history and the frame of the same number of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) frame: usize,
    /// In a line each, the older history first.
    pub(crate) sides: [Option<String>; 2],
    pub(crate) is_same: bool,
}

/// The name of a history: A, B, ...
pub(crate) fn letter(history: usize) -> char {
    char::from(b'A' + u8::try_from(history).unwrap_or(25).min(25))
}

impl Stepper {
    /// What could be done differently about this frame.
    pub(super) fn what_if(&mut self) {
        let why_not = match (&self.opened.run, self.opened.host) {
            (None, _) => Some(
                "A capture is as it was: nobody can run it again. A URL of the world in memory can be, such as \
                 framewise step https://shop.test/",
            ),
            (_, Host::Server) => Some("What happens on my wire is changed: Tab goes back to my side."),
            _ if self.histories.len() >= MOST => Some("There are as many histories as can be kept."),
            _ => None,
        };
        match why_not {
            Some(why) => self.notice = Some(why.to_owned()),
            None => self.mode = Mode::WhatIf(self.choices(), 0),
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let frame = self.at.frame;
        let choice = |text: String, done: String, change| Choice { text, done, change };
        let flip = match self.bit_under_the_cursor() {
            Some((name, bit)) => choice(
                format!("flip the first bit of its {name}, bit {} of byte {}", bit % 8, bit / 8),
                format!("a bit of the {name} of frame {frame} is flipped"),
                Change::Flip(frame, Some(bit)),
            ),
            None => choice(
                "flip its last bit".to_owned(),
                format!("the last bit of frame {frame} is flipped"),
                Change::Flip(frame, None),
            ),
        };
        vec![
            choice(format!("lose frame {frame}"), format!("frame {frame} is lost"), Change::Drop(frame)),
            choice(
                format!("hold frame {frame} back for {} ms", HELD.as_millis()),
                format!("frame {frame} is held back"),
                Change::Delay(frame, HELD),
            ),
            flip,
            choice(
                format!("let me take only {WINDOW} bytes at a time, from the beginning"),
                format!("my window is {WINDOW} bytes"),
                Change::Window(WINDOW),
            ),
        ]
    }

    /// The field under the cursor, and its first bit in this frame, if it is there as it stands.
    fn bit_under_the_cursor(&self) -> Option<(&'static str, usize)> {
        let field = self.fields().get(self.field).filter(|field| !field.bytes.is_empty())?;
        let place = self.layer()?.place(&field.bytes);
        let bit = field.bits.as_ref().map_or(0, |bits| bits.start);
        let is_here = place.space == Space::Frame(self.at.frame);
        is_here.then_some((field.name, usize::try_from(place.range.start).ok()? * 8 + bit))
    }

    /// Runs again with this done differently, and goes to where the two histories part.
    pub(super) fn branch(&mut self, choice: &Choice) {
        let Some(run) = self.opened.run.clone() else { return };
        let run = run.with(choice.change);
        let opened = run.and_then(|run| {
            let dissection = run.dissected(Host::Me)?;
            Ok(Opened::new(&self.opened.what, dissection, Some(run)))
        });
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return self.notice = Some(format!("{error}.")),
        };
        let number = self.histories.len();
        let parent = self.history;
        let first = first_difference(&self.opened.dissection, &opened.dissection);
        self.histories.push(History {
            change: choice.done.clone(),
            parent,
            away: Some(opened),
            // At the same step, if it is the same frame: the layer that one looks at is the one that one asks about.
            at: first
                .filter(|frame| *frame != self.at.frame)
                .map_or(self.at, |frame| Position { frame, step: 0 }),
        });
        self.enter(number);
        let parted = match first {
            Some(frame) => format!("They part at frame {frame}."),
            None => "Nothing else differs.".to_owned(),
        };
        let done = &choice.done;
        self.notice = Some(format!(
            "History {}: {done}. {parted} v: to {}; d: side by side.",
            letter(number),
            letter(parent)
        ));
    }

    /// Goes to the next history, the one after the last being the first.
    pub(super) fn other_history(&mut self) {
        if self.histories.len() < 2 {
            self.notice = Some(self.only_one().to_owned());
            return;
        }
        let next = (self.history + 1) % self.histories.len();
        let at = self.at;
        self.enter(next);
        // The same frame, where there is one: that is what one wants to compare.
        if self.opened.dissection.frame(at.frame).is_some() {
            self.arrive(at, 0);
        }
        let change = self.histories.get(next).map_or("", |history| &history.change);
        let change = if change.is_empty() { "as it was" } else { change };
        self.notice = Some(format!("History {}: {change}.", letter(next)));
    }

    /// Why there is one history only.
    fn only_one(&self) -> &'static str {
        match self.opened.run {
            Some(_) => "There is one history only: b makes another.",
            None => "A capture has one history only: it is as it was, and nobody can run it again.",
        }
    }

    /// Leaves this history for another, at the place where one stood in it.
    fn enter(&mut self, number: usize) {
        let Some(mut opened) = self.histories.get_mut(number).and_then(|history| history.away.take()) else {
            return;
        };
        same_host(&mut opened, self.opened.host);
        let left = std::mem::replace(&mut self.opened, opened);
        if let Some(history) = self.histories.get_mut(self.history) {
            history.away = Some(left);
            history.at = self.at;
        }
        self.history = number;
        let at = self.histories.get(number).map_or(Position { frame: 1, step: 0 }, |history| history.at);
        self.look_anew();
        self.arrive(at, 0);
    }

    /// This history and the one that it branched off, or for the first the one that branched off it.
    pub(super) fn side_by_side(&mut self) {
        if self.histories.len() < 2 {
            self.notice = Some(self.only_one().to_owned());
            return;
        }
        let other = self.compared();
        let host = self.opened.host;
        if let Some(away) = self.histories.get_mut(other).and_then(|history| history.away.as_mut()) {
            same_host(away, host);
        }
        let pairs = self.pairs();
        let first = pairs.iter().position(|pair| !pair.is_same).unwrap_or(0);
        self.mode = Mode::Compare(pairs, first);
    }

    /// The history that this one is compared with.
    pub(crate) fn compared(&self) -> usize {
        let children = self.histories.iter().enumerate().skip(1);
        let mut children = children.filter(|(_, history)| history.parent == self.history);
        match self.history {
            0 => children.next_back().map_or(1, |(number, _)| number),
            own => self.histories.get(own).map_or(0, |history| history.parent),
        }
    }

    fn pairs(&self) -> Vec<Pair> {
        let other = self.compared();
        let Some(away) = self.histories.get(other).and_then(|history| history.away.as_ref()) else {
            return Vec::new();
        };
        let (own, away) = (&self.opened.dissection, &away.dissection);
        let (older, newer) = if other < self.history { (away, own) } else { (own, away) };
        let pair = |frame: usize| {
            let sides = [older.frame(frame), newer.frame(frame)];
            let is_same = matches!(&sides, [Some(one), Some(other)] if is_same(one, other));
            Pair { frame, is_same, sides: sides.map(|frame| frame.map(|frame| line(&frame))) }
        };
        (1..=older.len().max(newer.len()).min(COMPARED)).map(pair).collect()
    }

    /// The same run as the other host has it, at the frame that is the same packet there.
    pub(super) fn other_host(&mut self) {
        let Some(run) = self.opened.run.clone() else {
            self.notice =
                Some("A capture was made at one place: what the other host had is not known.".to_owned());
            return;
        };
        let host = self.opened.host.other();
        let dissection = match run.dissected(host) {
            Ok(dissection) => dissection,
            Err(error) => return self.notice = Some(format!("{error}.")),
        };
        let frame = self.frame().map(|frame| counterpart(&frame, &dissection)).unwrap_or(1);
        self.opened.dissection = dissection;
        self.opened.host = host;
        self.look_anew();
        self.arrive(Position { frame, step: 0 }, 0);
        self.notice = Some(format!("This is what {} sends and receives. Tab: the other side.", host.name()));
    }

    /// Forgets what was found and remembered of other frames.
    fn look_anew(&mut self) {
        self.scene = super::Scene::nothing();
        self.found.clear();
        self.found_at = None;
        self.came_from.clear();
    }
}

/// Has a history be seen from this host.
fn same_host(opened: &mut Opened, host: Host) {
    if opened.host == host {
        return;
    }
    let dissection = opened.run.as_ref().and_then(|run| run.dissected(host).ok());
    if let Some(dissection) = dissection {
        opened.dissection = dissection;
        opened.host = host;
    }
}

/// The first frame in which two histories differ.
fn first_difference(one: &Dissection, other: &Dissection) -> Option<usize> {
    let longer = one.len().max(other.len());
    let differs = |number: &usize| match (one.frame(*number), other.frame(*number)) {
        (Some(one), Some(other)) => !is_same(&one, &other),
        (one, other) => one.is_some() || other.is_some(),
    };
    let first = (1..=longer).find(differs);
    // A frame that never came leaves no trace but what is missing: the frames before it are the same.
    let astray = other
        .astray()
        .iter()
        .map(|astray| astray.after.max(1))
        .next()
        .filter(|_| one.astray() != other.astray());
    match (first, astray) {
        (Some(first), Some(astray)) => Some(first.min(astray).min(other.len())),
        (first, astray) => first.or(astray).map(|number| number.min(other.len())),
    }
}

/// Whether nothing about two frames differs: bytes, time, way, what was done to them.
fn is_same(one: &Frame<'_>, other: &Frame<'_>) -> bool {
    one.bytes() == other.bytes()
        && one.time() == other.time()
        && one.direction() == other.direction()
        && one.deeds() == other.deeds()
        && one.refused() == other.refused()
}

/// A frame in a line.
fn line(frame: &Frame<'_>) -> String {
    let arrow = if super::is_down(frame) { '>' } else { '<' };
    let fate = frame.deeds().first().map(|deed| format!(" ({})", deed.topic)).unwrap_or_default();
    let refused =
        frame.refused().map(|refused| format!(" (refused by {})", refused.layer)).unwrap_or_default();
    format!("{:>3}{arrow}{fate}{refused} {}", frame.number(), frame.summary())
}

/// The frame of another host that holds the same packet, or the first that comes after it.
fn counterpart(frame: &Frame<'_>, there: &Dissection) -> usize {
    let (summary, time) = (frame.summary(), frame.time().unwrap_or_default());
    // What is sent here arrives there later, and the other way round.
    let is_it = |other: &Frame<'_>| other.direction() != frame.direction() && other.summary() == summary;
    let distance = |other: &Frame<'_>| other.time().unwrap_or_default().abs_diff(time);
    let same = there.frames().filter(is_it).min_by_key(distance);
    let near = || there.frames().min_by_key(distance);
    same.or_else(near).map_or(1, |frame| frame.number())
}
