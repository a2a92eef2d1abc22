//! The record of a run: what is told where something was wrong, and the sidecar by which the run's capture can be played.

use std::time::Duration;

use framewise::core::Direction;

use super::Player;
use crate::outcome::{Event, Failure, Place, Wrong};
use crate::script::Step;
use crate::since;

impl Player<'_> {
    pub(super) fn note(&mut self, step: &Step, at: Duration, direction: Option<Direction>, says: String) {
        self.events.push(Event { number: step.line, at, direction, says, refused: None });
    }

    pub(super) fn failure(&self, step: &Step, wrong: Wrong) -> Failure {
        let got = self.live.dissection();
        let mut before = self.events.clone();
        // Who refused what came: the frames that came are in the order of their lines.
        let inbound = got.frames().filter(|frame| frame.direction() == Some(Direction::Inbound));
        for (line, frame) in self.came.iter().zip(inbound) {
            let event = before.iter_mut().find(|event| Some(event.number) == *line);
            if let (Some(refused), Some(event)) = (frame.refused(), event) {
                event.refused = Some(format!("{}, {}", refused.layer, refused.reason));
            }
        }
        let place = Place::Line { line: step.line, text: step.text.clone() };
        let since = since::explain(&wrong, &got, self.taken, &self.came, "line");
        Failure { place, wrong, before, since }
    }

    /// The sidecar by which the capture of this run can be played.
    pub(super) fn sidecar(&self) -> String {
        let scripts_own = |line: &&String| {
            let name = line.split_whitespace().next().unwrap_or_default();
            !["peer", "neighbours", "times"].contains(&name)
        };
        let settings: Vec<_> = self.script.preamble.iter().filter(scripts_own).cloned().collect();
        let mut text = settings.join("\n");
        text.push_str("\n\n");
        self.deeds.iter().for_each(|deed| text.push_str(&format!("{deed}\n")));
        text
    }
}
