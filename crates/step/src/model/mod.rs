//! Where one stands in a dissection, and how one moves: no terminal, no clock, no file.

mod action;
mod asking;
mod fields;
mod guess;
mod histories;
mod moves;
mod search;
mod source;
mod steps;
mod ways;

#[cfg(test)]
mod tests;

use std::time::Duration;

use framewise::core::Field;
use framewise_trace::Dissection;
use framewise_trace::dissect::{Consequence, Frame, Layer, LayerState, Place, Unusual};

use crate::open::Opened;
use crate::run::Host;

pub(crate) use action::Mode;
pub use action::{Action, Position};
pub(crate) use fields::{Row, rows};
pub(crate) use guess::Guess;
pub(crate) use histories::{History, Pair, letter};
pub(crate) use search::Found;
pub use source::source;
pub(crate) use steps::{APP, Scene, is_down, number_of, sizes};

/// How long a step is shown while playing, from fast to slow.
const SPEEDS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1_000),
    Duration::from_millis(2_000),
    Duration::from_millis(4_000),
];

/// A dissection, and where one stands in it.
pub struct Stepper {
    opened: Opened,
    at: Position,
    scene: Scene,
    /// Which field is under the cursor.
    field: usize,
    guess: Option<Guess>,
    answered: Option<usize>,
    aftermath: Aftermath,
    has_bytes: bool,
    /// How things stand after the frame, while that is shown instead of fields; else nothing.
    states: Option<Vec<LayerState>>,
    /// Which of what is known is under the cursor there.
    known: usize,
    /// The courses of events, and in which one stands.
    histories: Vec<History>,
    history: usize,
    mode: Mode,
    /// Places one came from, with the field.
    came_from: Vec<(Position, usize)>,
    found: Vec<Found>,
    /// Which of them one has come to last.
    found_at: Option<usize>,
    /// A text that was found here: while one does not move on, it is under the cursor instead of the field.
    spot: Option<Place>,
    notice: Option<String>,
    speed: usize,
    /// How long this step was shown while playing.
    playing: Option<Duration>,
    is_over: bool,
}

impl Stepper {
    /// At the first step.
    pub fn new(opened: Opened) -> Self {
        let mut stepper = Stepper {
            opened,
            at: Position { frame: 1, step: 0 },
            scene: Scene::nothing(),
            field: 0,
            guess: None,
            answered: None,
            aftermath: Aftermath::default(),
            has_bytes: false,
            states: None,
            known: 0,
            histories: vec![History::first()],
            history: 0,
            mode: Mode::Walk,
            came_from: Vec::new(),
            found: Vec::new(),
            found_at: None,
            spot: None,
            notice: None,
            speed: 2,
            playing: None,
            is_over: false,
        };
        stepper.arrive(Position { frame: 1, step: 0 }, 0);
        stepper
    }

    /// Where one stands.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Whether there is nothing to walk through.
    pub fn is_empty(&self) -> bool {
        self.opened.dissection.is_empty()
    }

    /// Whether it was ended.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether it plays: then [`pass`](Self::pass) matters.
    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Does what somebody wants.
    pub fn apply(&mut self, action: Action) {
        self.notice = None;
        match action {
            Action::Play | Action::Faster | Action::Slower => {}
            _ => self.playing = None,
        }
        match action {
            Action::Next => self.go(self.after(self.at)),
            Action::Back => self.go(self.before(self.at)),
            Action::NextFrame => self.go(self.first_of(self.at.frame + 1)),
            Action::PreviousFrame => self.go(self.first_of(self.at.frame.saturating_sub(1))),
            Action::First => self.go(self.first_of(1)),
            Action::Last => self.go(self.last()),
            Action::NextOf(number) => self.go_to_layer(number, true),
            Action::PreviousOf => self.go_to_layer(0, false),
            Action::Field(by) => self.move_by(by),
            Action::Bytes => self.has_bytes = !self.has_bytes,
            Action::Ways => self.show_ways(),
            Action::Return => self.go_back(),
            Action::Guess(answer) => self.answer(answer),
            Action::State => self.show_state(),
            Action::WhatIf => self.what_if(),
            Action::OtherHistory => self.other_history(),
            Action::SideBySide => self.side_by_side(),
            Action::OtherHost => self.other_host(),
            Action::Source => self.tell_source(),
            Action::Play => self.playing = if self.is_playing() { None } else { Some(Duration::ZERO) },
            Action::Faster => self.speed = self.speed.saturating_sub(1),
            Action::Slower => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            Action::Search => self.mode = Mode::Search(String::new()),
            Action::FindNext => self.find_next(),
            Action::Goto => self.mode = Mode::Goto(String::new()),
            Action::Help => self.mode = if self.mode == Mode::Help { Mode::Walk } else { Mode::Help },
            Action::Type(character) => self.type_in(character),
            Action::Erase => self.erase(),
            Action::Accept => self.accept(),
            Action::Close => self.mode = Mode::Walk,
            Action::Quit => self.is_over = true,
        }
    }

    /// Lets time pass while it plays; it pauses at the last step.
    pub fn pass(&mut self, time: Duration) {
        let Some(shown) = self.playing else { return };
        let shown = shown.saturating_add(time);
        if shown < self.pace() {
            self.playing = Some(shown);
            return;
        }
        match self.after(self.at) {
            Some(next) => {
                self.arrive(next, 0);
                self.playing = Some(Duration::ZERO);
            }
            None => self.playing = None,
        }
    }

    pub(crate) fn pace(&self) -> Duration {
        SPEEDS.get(self.speed).copied().unwrap_or(Duration::from_secs(1))
    }

    pub(crate) fn what(&self) -> &str {
        &self.opened.what
    }

    pub(crate) fn dissection(&self) -> &Dissection {
        &self.opened.dissection
    }

    pub(crate) fn frame(&self) -> Option<Frame<'_>> {
        self.opened.dissection.frame(self.at.frame)
    }

    pub(crate) fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Which of the frame's layers works in this step.
    pub(crate) fn layer_index(&self) -> usize {
        self.scene.turned(self.at.step)
    }

    pub(crate) fn layer(&self) -> Option<&Layer> {
        self.scene.layer(self.layer_index())
    }

    pub(crate) fn fields(&self) -> &[Field] {
        self.layer().map_or(&[], |layer| &layer.description.fields)
    }

    pub(crate) fn field(&self) -> usize {
        self.field
    }

    /// Whether a text that was found is under the cursor, instead of a field.
    pub(crate) fn is_on_a_text(&self) -> bool {
        self.spot.is_some()
    }

    /// The bytes under the cursor: of a text that was found, or else of the field; `None`: of the whole layer.
    pub(crate) fn marked(&self) -> Option<Place> {
        let field = self.fields().get(self.field).filter(|field| !field.bytes.is_empty());
        self.spot.clone().or_else(|| Some(self.layer()?.place(&field?.bytes)))
    }

    pub(crate) fn guess(&self) -> Option<(&Guess, Option<usize>)> {
        self.guess.as_ref().map(|guess| (guess, self.answered))
    }

    pub(crate) fn aftermath(&self) -> &Aftermath {
        &self.aftermath
    }

    /// How the layer of this step stands after the frame, at both ends where it has two; `None`: its fields are shown.
    pub(crate) fn standing(&self) -> Option<Vec<&LayerState>> {
        let protocol = self.layer().map_or("", |layer| layer.description.protocol);
        let states = self.states.as_ref()?;
        Some(states.iter().filter(|state| kept_by(state.protocol, protocol)).collect())
    }

    /// Which of what is known is under the cursor.
    pub(crate) fn known(&self) -> usize {
        self.known
    }

    /// When it began, whichever of its hosts is looked at.
    pub(crate) fn began(&self) -> Duration {
        self.opened.began.unwrap_or_default()
    }

    /// Whose frames are looked at.
    pub(crate) fn host(&self) -> Host {
        self.opened.host
    }

    /// Whether it is a run that can be run again.
    pub(crate) fn can_run_again(&self) -> bool {
        self.opened.run.is_some()
    }

    /// The courses of events, and in which one stands.
    pub(crate) fn histories(&self) -> (&[History], usize) {
        (&self.histories, self.history)
    }

    /// Where in the source the layer of this step does this.
    pub(crate) fn source(&self) -> Option<(&'static str, &'static str)> {
        let protocol = self.layer()?.description.protocol;
        source::source(protocol, self.scene.is_down, self.opened.host == Host::Server)
    }

    pub(crate) fn mode(&self) -> &Mode {
        &self.mode
    }

    pub(crate) fn has_bytes(&self) -> bool {
        self.has_bytes
    }

    pub(crate) fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    pub(crate) fn can_return(&self) -> bool {
        !self.came_from.is_empty()
    }

    pub(crate) fn has_found(&self) -> bool {
        !self.found.is_empty()
    }

    pub(crate) fn is_first(&self) -> bool {
        self.before(self.at).is_none()
    }

    pub(crate) fn is_last(&self) -> bool {
        self.after(self.at).is_none()
    }

    fn show_state(&mut self) {
        self.known = 0;
        self.states = match self.states {
            Some(_) => None,
            None => self.frame().map(|frame| frame.states()),
        };
    }

    fn tell_source(&mut self) {
        self.notice = Some(match self.source() {
            Some((file, function)) => format!("In framewise this is crates/{file}, fn {function}."),
            None => "No single function does this.".to_owned(),
        });
    }
}

/// What is unusual about a frame, what became of it, and what never came after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Aftermath {
    pub(crate) unusual: Vec<Unusual>,
    pub(crate) consequences: Vec<Consequence>,
    pub(crate) astray: Vec<Consequence>,
}

impl Aftermath {
    fn of(dissection: &Dissection, frame: &Frame<'_>) -> Self {
        let lost = dissection.astray_after(frame.number()).iter();
        Aftermath {
            unusual: frame.unusual(),
            consequences: frame.taken_all_the_same().into_iter().chain(frame.consequences()).collect(),
            astray: lost.flat_map(|astray| dissection.consequences_of(astray)).collect(),
        }
    }
}

/// Whether what is known of `state` is the affair of the layer `protocol`.
fn kept_by(state: &str, protocol: &str) -> bool {
    let is_link = |protocol| matches!(number_of(protocol), 6) || protocol == "NDP";
    state == protocol
        || (is_link(state) && is_link(protocol))
        || (state.starts_with("IP") && protocol.starts_with("ICMP"))
        || (state == "HTTP" && protocol == "App")
}
