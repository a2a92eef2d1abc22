//! Moving: step by step, frame by frame, layer by layer, and back to where one came from.

use framewise_trace::dissect::Layer;

use super::action::Position;
use super::guess::{self, Guess};
use super::steps::{Scene, is_down, number_of, stack_of};
use super::{Aftermath, Stepper};

/// Frames that are looked through, at most, for the next event of a layer.
const FAR: usize = 100_000;
/// Places that are remembered to return to.
const REMEMBERED: usize = 100;

impl Stepper {
    /// Takes apart where one arrives. What a step looks like depends on where it is, and not on how one came there.
    pub(super) fn arrive(&mut self, to: Position, field: usize) {
        let Some(frame) = self.opened.dissection.frame(to.frame) else { return };
        if to.frame != self.at.frame || self.scene.is_nothing() {
            self.scene = Scene::of(&self.opened.dissection, &frame);
            self.aftermath = Aftermath::of(&self.opened.dissection, &frame);
            self.states = self.states.is_some().then(|| frame.states());
        }
        self.at = Position { frame: to.frame, step: to.step.min(self.scene.steps() - 1) };
        self.known = 0;
        self.field = field.min(self.fields().len().saturating_sub(1));
        self.guess = self.question();
        self.answered = None;
        self.spot = None;
    }

    /// What may be asked about the next step.
    pub(super) fn question(&self) -> Option<Guess> {
        let next = self.after(self.at)?;
        if next.frame == self.at.frame {
            let layer = self.scene.layer(self.scene.turned(next.step))?;
            return guess::about(&self.opened.dissection, next.frame, layer);
        }
        let frame = self.opened.dissection.frame(next.frame)?;
        let layers = stack_of(&frame).layers;
        let layer = if is_down(&frame) { layers.last()? } else { layers.first()? };
        guess::about(&self.opened.dissection, next.frame, layer)
    }

    pub(super) fn go(&mut self, to: Option<Position>) {
        match to {
            Some(to) => self.arrive(to, 0),
            None => self.notice = Some("There is nothing further that way.".to_owned()),
        }
    }

    /// Goes where one would want to come back from.
    pub(super) fn leap(&mut self, frame: usize, layer: usize, field: usize) {
        self.remember();
        self.arrive(Position { frame, step: 0 }, 0);
        let step = self.scene.turned(layer);
        self.arrive(Position { frame, step }, field);
    }

    pub(super) fn remember(&mut self) {
        if self.came_from.len() >= REMEMBERED {
            self.came_from.remove(0);
        }
        self.came_from.push((self.at, self.field));
    }

    pub(super) fn go_back(&mut self) {
        match self.came_from.pop() {
            Some((to, field)) => self.arrive(to, field),
            None => {
                self.notice = Some("You came here step by step: there is nowhere to return to.".to_owned())
            }
        }
    }

    pub(super) fn after(&self, at: Position) -> Option<Position> {
        if at.step + 1 < self.scene.steps() {
            return Some(Position { step: at.step + 1, ..at });
        }
        self.first_of(at.frame + 1)
    }

    pub(super) fn before(&self, at: Position) -> Option<Position> {
        if at.step > 0 {
            return Some(Position { step: at.step - 1, ..at });
        }
        self.last_of(at.frame.checked_sub(1)?)
    }

    pub(super) fn first_of(&self, frame: usize) -> Option<Position> {
        self.opened.dissection.frame(frame).map(|_| Position { frame, step: 0 })
    }

    pub(super) fn last_of(&self, frame: usize) -> Option<Position> {
        let layers = stack_of(&self.opened.dissection.frame(frame)?).layers.len();
        Some(Position { frame, step: layers.saturating_sub(1) })
    }

    pub(super) fn last(&self) -> Option<Position> {
        self.last_of(self.opened.dissection.len())
    }

    /// The next frame, or the one before, in which a layer works.
    pub(super) fn go_to_layer(&mut self, number: u8, is_forward: bool) {
        let own = self.layer().map(|layer| layer.description.protocol);
        let is_it = |layer: &Layer| match number {
            0 => Some(layer.description.protocol) == own,
            _ => number_of(layer.description.protocol) == number,
        };
        let at = self.at.frame;
        let mut there =
            (1..=FAR).map_while(|by| if is_forward { at.checked_add(by) } else { at.checked_sub(by) });
        let found = there.find_map(|number| {
            let frame = self.opened.dissection.frame(number)?;
            Some((number, stack_of(&frame).layers.iter().rposition(is_it)?))
        });
        match found {
            Some((frame, layer)) => {
                self.arrive(Position { frame, step: 0 }, 0);
                let step = self.scene.turned(layer);
                self.arrive(Position { frame, step }, 0);
            }
            None => self.notice = Some("That layer does nothing more that way.".to_owned()),
        }
    }
}
