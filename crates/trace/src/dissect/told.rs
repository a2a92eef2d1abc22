//! What a trace tells beside its frames: what layers noted and refused, what became of frames on their way.
//!
//! A trace of ours is a capture with lines of JSON between the packets (`docs/src/trace-format.md`). What can be found by watching
//! the frames is found so, and not read: one code serves all captures.

use std::borrow::Cow;
use std::time::Duration;

use framewise_core::drops::DropReason;
use serde::Deserialize;

use super::Refused;
use super::gather::Gather;
use super::happened::Deed;
use crate::trace::WIRE;

/// The version of the format that is read; of another one only the frames are.
const VERSION: u32 = 2;

/// A trace that is being read.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Whether its first line says that it is one of this version.
    is_known: bool,
    /// Since 1970, when its times began.
    epoch: Duration,
}

/// A line. What is not known here is skipped, so that a later writer may say more.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'l> {
    Trace {
        version: u32,
        #[serde(default)]
        epoch_ns: u64,
    },
    Note {
        #[serde(borrow)]
        layer: Cow<'l, str>,
        #[serde(borrow)]
        topic: Cow<'l, str>,
        #[serde(borrow)]
        text: Cow<'l, str>,
        frame: usize,
    },
    Drop {
        #[serde(borrow)]
        layer: Cow<'l, str>,
        #[serde(borrow)]
        reason: Cow<'l, str>,
        frame: usize,
    },
    Lost {
        time_ns: u64,
        after_frame: usize,
        #[serde(borrow)]
        bytes: Cow<'l, str>,
    },
    #[serde(other)]
    Other,
}

/// What most lines begin with that say nothing of which the frames do not tell.
const PASSED_OVER: [&str; 2] = ["{\"kind\":\"crossing\"", "{\"kind\":\"state\""];

impl Told {
    /// Whether there are lines of a trace, in words that are known here.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Takes the lines of a block. What is no line of a trace is passed over.
    pub(super) fn hear(&mut self, lines: &str, gather: &mut Gather) {
        let wanted = |line: &&str| !PASSED_OVER.iter().any(|begin| line.starts_with(begin));
        for line in lines.lines().filter(wanted) {
            if let Ok(line) = serde_json::from_str::<Line<'_>>(line) {
                self.take(line, gather);
            }
        }
    }

    fn take(&mut self, line: Line<'_>, gather: &mut Gather) {
        match line {
            Line::Trace { version, epoch_ns } => {
                self.is_known = version == VERSION;
                self.epoch = Duration::from_nanos(epoch_ns);
            }
            _ if !self.is_known => {}
            Line::Note { frame, .. } | Line::Drop { frame, .. } if !(1..=gather.len()).contains(&frame) => {}
            Line::Note { layer, topic, text, frame } if layer == WIRE => {
                let Some(topic) = topic_of(&topic) else { return };
                gather.deed_to(frame, Deed { topic, text: text.trim_start_matches("it ").to_owned() });
            }
            Line::Note { layer, text, frame, .. } => gather.comment_on(frame, &format!("{layer}: {text}")),
            Line::Drop { layer, reason, frame } => {
                gather.comment_on(frame, &format!("{layer} dropped this: {reason}"));
                if let Some(refused) = refused(&layer, &reason) {
                    gather.refuse(frame, refused);
                }
            }
            Line::Lost { time_ns, after_frame, bytes } => {
                let Some(bytes) = unhex(&bytes) else { return };
                let time = self.epoch.saturating_add(Duration::from_nanos(time_ns));
                gather.astray_after(after_frame, time, &bytes);
            }
            Line::Other => {}
        }
    }
}

/// The words that the wire uses; others say nothing here.
fn topic_of(topic: &str) -> Option<&'static str> {
    ["lost", "duplicated", "held back", "damaged"].into_iter().find(|known| *known == topic)
}

/// The layer's own words for it, if it has them.
fn refused(layer: &str, reason: &str) -> Option<Refused> {
    let all: [&[DropReason]; 7] = [
        &framewise_ethernet::drops::DROPS,
        &framewise_ip::drops::DROPS,
        &framewise_tcp::drops::DROPS,
        &framewise_udp::drops::DROPS,
        &framewise_dns::drops::DROPS,
        &framewise_tls::drops::DROPS,
        &framewise_http::drops::DROPS,
    ];
    let drop = all.into_iter().flatten().find(|drop| drop.layer == layer && drop.reason == reason)?;
    Some(Refused { layer: drop.layer, reason: drop.reason })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| Some((digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?) as u8);
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(pair).collect())?
}
