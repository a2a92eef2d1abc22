//! Field by field, frame by frame.

use std::collections::{BTreeMap, BTreeSet};

use framewise::tls;
use framewise_tests::peers::PdmlField;

use crate::dissect::{self, Said};
use crate::table::{ROWS, Row};
use crate::untold::UNTOLD;

/// A field of ours: protocol and name.
type Key = (&'static str, &'static str);

/// The longest sentence that a beginner is asked to read, in characters.
const LONGEST_MEANING: usize = 115;

/// What came of it so far.
#[derive(Default)]
pub(crate) struct Comparison {
    /// How often each field was compared.
    compared: BTreeMap<Key, usize>,
    /// The fields that there were, compared or not.
    met: BTreeSet<Key>,
    complaints: Vec<String>,
}

impl Comparison {
    /// The frames of a capture, as they are on the wire.
    pub(crate) fn frames(&mut self, file: &str, frames: &[Vec<u8>], theirs: &[Vec<PdmlField>]) {
        assert_eq!(frames.len(), theirs.len(), "{file}: tshark was to see every frame");
        let mut reader = dissect::Reader::default();
        for (number, (frame, theirs)) in (1..).zip(frames.iter().zip(theirs)) {
            self.alike(&format!("{file}, frame {number}"), &reader.frame(frame), theirs);
        }
    }

    /// What tshark has opened with the secrets of a capture: the handshake messages of TLS 1.3 that were sealed.
    pub(crate) fn opened(&mut self, file: &str, frames: &[Vec<PdmlField>]) {
        for (number, frame) in (1..).zip(frames) {
            for record in frame.split(|field| field.name == "tls.record") {
                let is_sealed = record.first().is_some_and(|field| field.name == "tls.record.opaque_type");
                let Some(begin) = record.iter().position(|field| field.name == "tls.handshake") else {
                    continue;
                };
                if is_sealed {
                    let inside = bytes_of(&record[begin..]);
                    let description = tls::describe_handshake(&inside, &tls::Context::default());
                    let ours: Vec<Said> = dissect::said(&description, 0).collect();
                    self.alike(&format!("{file}, frame {number}, opened"), &ours, &record[begin..]);
                }
            }
        }
    }

    fn alike(&mut self, place: &str, ours: &[Said], theirs: &[PdmlField]) {
        let mut fields: BTreeMap<Key, Vec<&Said>> = BTreeMap::new();
        for said in ours {
            self.sentence(place, said);
            self.met.insert((said.protocol, said.name));
            // What has no bytes, such as an empty session id, tshark does not show.
            if !said.place.is_empty() {
                fields.entry((said.protocol, said.name)).or_default().push(said);
            }
        }
        for (key, ours) in fields {
            match ROWS.iter().find(|row| row.ours == key) {
                Some(row) => self.list(place, row, &ours, theirs),
                None if UNTOLD.iter().any(|(untold, _)| *untold == key) => {}
                None => self.complaints.push(format!("{place}: {key:?} is neither in the table nor untold")),
            }
        }
    }

    fn list(&mut self, place: &str, row: &Row, ours: &[&Said], theirs: &[PdmlField]) {
        // tshark reads on in the packet that an error quotes; that is behind all that we compare.
        let quotes = theirs.iter().any(|field| field.name == "icmp.type" || field.name == "icmpv6.type");
        // What has no bytes is a comment of tshark's own.
        let is_it = |field: &&PdmlField| {
            row.theirs.split('|').any(|name| name == field.name) && !field.place.is_empty()
        };
        let mut theirs: Vec<_> = theirs.iter().filter(is_it).collect();
        if quotes {
            theirs.truncate(ours.len());
        }
        if row.theirs == "tcp.option_kind" {
            // Each byte behind the end of the options is another end to tshark.
            theirs.dedup_by(|a, b| a.show == "0" && b.show == "0");
        }
        // tshark tells some fields only where they mean something, and a message in the last of its segments.
        if theirs.is_empty() {
            return;
        }
        let told = |count: usize| {
            format!("{place}: {:?} is there {} times, {} {count} times", row.ours, ours.len(), row.theirs)
        };
        if theirs.len() != ours.len() {
            self.complaints.push(told(theirs.len()));
            return;
        }
        for (ours, theirs) in ours.iter().zip(theirs) {
            *self.compared.entry(row.ours).or_default() += 1;
            let is_there = !row.place || ours.has_bits || ours.place == theirs.place;
            if !(row.agree)(&ours.value, theirs) || !is_there {
                self.complaints.push(format!("{place}: {ours:?}\n    {theirs:?}"));
            }
        }
    }

    fn sentence(&mut self, place: &str, said: &Said) {
        let meaning = &said.meaning;
        let is_sentence = meaning.ends_with('.') && !meaning.contains('!') && !meaning.starts_with(' ');
        if !is_sentence || meaning.chars().count() > LONGEST_MEANING {
            self.complaints.push(format!("{place}: no plain short sentence: {said:?}"));
        }
    }

    /// Fails with all that was wrong.
    pub(crate) fn conclude(mut self) {
        for row in ROWS {
            if !self.compared.contains_key(&row.ours) {
                self.complaints.push(format!("{:?} was never compared with {}", row.ours, row.theirs));
            }
        }
        for (key, _) in UNTOLD {
            if !self.met.contains(key) {
                self.complaints.push(format!("{key:?} is said to be untold, and no frame has it"));
            }
        }
        let count = self.complaints.len();
        assert!(self.complaints.is_empty(), "{count} complaints:\n{}", self.complaints.join("\n"));
    }
}

/// The bytes that fields lie in, put together from those fields that show theirs. Where none does, zeros stand.
fn bytes_of(fields: &[PdmlField]) -> Vec<u8> {
    // A message as a whole is said to lie in the frame, its parts in what was opened; behind them comes the head of another
    // protocol, whose name has no dot.
    let parts = fields.iter().filter(|field| field.name != "tls.handshake");
    let parts: Vec<_> = parts.take_while(|field| field.name.is_empty() || field.name.contains('.')).collect();
    let mut bytes = vec![0; parts.iter().map(|field| field.place.end).max().unwrap_or(0)];
    for field in parts {
        if field.value.len() == 2 * field.place.len() {
            for (at, pair) in field.place.clone().zip(field.value.as_bytes().chunks(2)) {
                let digits = std::str::from_utf8(pair).expect("digits");
                bytes[at] = u8::from_str_radix(digits, 16).expect("hexadecimal digits");
            }
        }
    }
    bytes
}
