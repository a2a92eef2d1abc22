//! Looking further: fields, ways, guesses, and what is typed.

use framewise_trace::dissect::Place;

use super::action::Mode;
use super::{Stepper, fields, search, ways};

/// Characters of what is typed.
const LONGEST: usize = 60;

impl Stepper {
    pub(super) fn move_by(&mut self, by: isize) {
        match &mut self.mode {
            Mode::Ways(ways, at) => *at = moved(*at, by, ways.len()),
            Mode::WhatIf(choices, at) => *at = moved(*at, by, choices.len()),
            Mode::Compare(pairs, at) => *at = moved(*at, by, pairs.len()),
            _ if self.states.is_some() => {
                let rows = self.standing().unwrap_or_default().first().map_or(0, |state| state.fields.len());
                self.known = moved(self.known, by, rows);
            }
            _ => {
                self.spot = None;
                self.field = fields::moved(self.fields(), self.field, by);
            }
        }
    }

    pub(super) fn show_ways(&mut self) {
        let place = self.layer().zip(self.frame()).map(|(layer, frame)| {
            let place = self.marked().unwrap_or_else(|| Place::new(layer.space, layer.here.clone()));
            ways::of(&self.opened.dissection, &frame, layer, &place)
        });
        match place.filter(|ways| !ways.is_empty()) {
            Some(ways) => self.mode = Mode::Ways(ways, 0),
            None => self.notice = Some("No frame is known that carried it.".to_owned()),
        }
    }

    pub(super) fn answer(&mut self, answer: usize) {
        if self.guess.as_ref().is_some_and(|guess| answer < guess.answers.len()) {
            self.answered = Some(answer);
        }
    }

    pub(super) fn type_in(&mut self, character: char) {
        match &mut self.mode {
            Mode::Search(text) if text.chars().count() < LONGEST => text.push(character),
            Mode::Goto(text) if character.is_ascii_digit() && text.len() < 9 => text.push(character),
            _ => {}
        }
    }

    pub(super) fn erase(&mut self) {
        if let Mode::Search(text) | Mode::Goto(text) = &mut self.mode {
            text.pop();
        }
    }

    pub(super) fn accept(&mut self) {
        match std::mem::replace(&mut self.mode, Mode::Walk) {
            Mode::Search(text) => {
                self.found = search::find(&self.opened.dissection, &text);
                match self.found.is_empty() {
                    true => {
                        self.notice =
                            Some(format!("{text:?} is in no message that can be read, and no field."))
                    }
                    false => {
                        self.found_at = None;
                        self.find_next();
                    }
                }
            }
            Mode::Goto(text) => {
                let last = self.opened.dissection.len();
                let number: usize = text.parse().unwrap_or(0);
                match self.first_of(number) {
                    Some(to) => {
                        self.remember();
                        self.arrive(to, 0);
                    }
                    None => {
                        self.notice = Some(format!("There is no such frame: there are frames 1 to {last}."))
                    }
                }
            }
            Mode::Ways(ways, at) => {
                if let Some(way) = ways.get(at) {
                    self.leap(way.frame, way.layer, way.field);
                }
            }
            Mode::WhatIf(choices, at) => {
                if let Some(choice) = choices.get(at) {
                    self.branch(choice);
                }
            }
            Mode::Compare(pairs, at) => {
                let to = pairs.get(at).and_then(|pair| self.first_of(pair.frame));
                self.go(to);
            }
            Mode::Walk | Mode::Help => {}
        }
    }

    /// The next place of the text: the first behind where one stands, and then one after the other, round and round.
    pub(super) fn find_next(&mut self) {
        let here = (self.at.frame, self.layer_index(), 0, 0);
        let next = match self.found_at {
            Some(last) => last + 1,
            None => self.found.iter().position(|found| found.order() >= here).unwrap_or(0),
        };
        let count = self.found.len();
        let next = next.checked_rem(count).and_then(|next| Some((next, self.found.get(next)?.clone())));
        match next {
            Some((number, found)) => {
                self.leap(found.frame, found.layer, found.field);
                self.found_at = Some(number);
                self.has_bytes |= found.place.is_some();
                self.spot = found.place;
                self.notice = Some(format!("Place {} of {count}.", number + 1));
            }
            None => self.notice = Some("Nothing was searched for: / does.".to_owned()),
        }
    }
}

/// A place among so many, by so many further on.
fn moved(at: usize, by: isize, count: usize) -> usize {
    at.saturating_add_signed(by).min(count.saturating_sub(1))
}
