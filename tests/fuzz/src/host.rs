//! The whole way in of a host: frames of a true handshake, altered on the way with their checksums put right, and frames of
//! the fuzzer's own. Whatever came, the server goes on to serve others.

use std::time::Duration;

use framewise::Fetch;
use framewise::drops::explain;

use crate::input::Input;
use crate::mend;
use crate::rig::{self, CLIENT, FRIEND, Hands, Honest, Rig};

/// Edits that one input may make: after them everything is honest.
const MOST_EDITS: usize = 200;
/// Frames kept to be said again.
const REMEMBERED: usize = 64;

/// Runs the target: one edit after another, each of a few bytes.
pub fn run(bytes: &[u8]) {
    let mut rig = Rig::new();
    let mut hands = Hostile::new(bytes);
    while !hands.input.is_empty() && hands.edits < MOST_EDITS {
        hands.edits += 1;
        let kind = hands.input.byte();
        let fetch = match kind % 4 {
            0 => Fetch::get("http://shop.test/n/3000"),
            1 => Fetch::get("https://shop.test/n/3000"),
            2 => Fetch::post("http://shop.test/n/10", "text/plain", rig::body(5_000)),
            _ => {
                rig.pass(Duration::from_millis(u64::from(hands.input.word())), &mut hands);
                continue;
            }
        };
        let _ = rig.fetch(CLIENT, fetch);
        rig.exchange(&mut hands);
    }
    serves_others(&mut rig);
}

/// What was learned of a liar is forgotten at last; then another is served as if nothing had been.
fn serves_others(rig: &mut Rig) {
    rig.pass(Duration::from_secs(3_600), &mut Honest);
    for scheme in ["http", "https"] {
        let fetch = rig.fetch(FRIEND, Fetch::get(format!("{scheme}://shop.test/n/20000")));
        let fetch = fetch.expect("a friend may fetch");
        rig.pass(Duration::from_secs(600), &mut Honest);
        let page = rig.finished(FRIEND, fetch).expect("ten minutes are enough");
        let page = page.unwrap_or_else(|error| panic!("{scheme}: the server serves others, but: {error}"));
        assert!(page.body == rig::body(20_000), "byte for byte");
    }
    for (host, counters) in rig.runner.all_counters() {
        for (layer, reason, _) in counters.iter() {
            assert!(explain(layer, reason).is_some(), "{host}: nobody explains {reason:?} of {layer}");
        }
    }
}

/// Does to frames what the input says.
struct Hostile<'a> {
    input: Input<'a>,
    edits: usize,
    heard: Vec<Vec<u8>>,
    held: Vec<Vec<u8>>,
}

impl<'a> Hostile<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Hostile { input: Input::new(bytes), edits: 0, heard: Vec::new(), held: Vec::new() }
    }

    /// Overwrites, cuts or lengthens a frame, as often as the input says.
    fn alter(&mut self, frame: &mut Vec<u8>) {
        for _ in 0..1 + self.input.byte() % 4 {
            let how = self.input.byte();
            let at = self.input.below(frame.len().max(1));
            match how % 4 {
                0 => frame.truncate(at),
                1 => frame.extend_from_slice(self.input.piece()),
                2 => {
                    let bytes = self.input.take(usize::from(how >> 4) + 1);
                    frame.iter_mut().skip(at).zip(bytes).for_each(|(place, byte)| *place = *byte);
                }
                // Among the headers, where a small change means most.
                _ => {
                    let (at, by) = (at % 74, self.input.byte());
                    frame.iter_mut().skip(at).take(1).for_each(|place| *place = place.wrapping_add(by));
                }
            }
        }
        if !self.input.byte().is_multiple_of(4) {
            mend::frame(frame);
        }
    }
}

impl Hands for Hostile<'_> {
    fn frame(&mut self, _from: usize, mut frame: Vec<u8>, pass: &mut dyn FnMut(Vec<u8>)) {
        if self.edits >= MOST_EDITS || self.input.is_empty() {
            return pass(frame);
        }
        self.edits += 1;
        if self.heard.len() < REMEMBERED {
            self.heard.push(frame.clone());
        }
        match self.input.byte() % 12 {
            0..=3 => pass(frame),
            4 => {}
            5 => {
                pass(frame.clone());
                pass(frame);
            }
            6 => self.held.push(frame),
            7 => {
                pass(frame);
                std::mem::take(&mut self.held).into_iter().for_each(pass);
            }
            8 | 9 => {
                self.alter(&mut frame);
                pass(frame);
            }
            10 => {
                let at = self.input.below(self.heard.len());
                let mut again = self.heard.get(at).cloned().unwrap_or_default();
                self.alter(&mut again);
                pass(frame);
                pass(again);
            }
            _ => {
                let mut own = frame.get(..14).unwrap_or_default().to_vec();
                own.extend_from_slice(self.input.piece());
                mend::frame(&mut own);
                pass(own);
                pass(frame);
            }
        }
    }
}
