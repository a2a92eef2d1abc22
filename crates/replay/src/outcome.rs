//! What came of a test: whether the host did as was expected, and if not, what was first, after what, and why.

use std::fmt;
use std::time::Duration;

use framewise::core::Direction;

use crate::compare::Difference;

/// What came of a capture or a script that was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was played, in words, if it says so.
    pub title: Option<String>,
    /// What was played: a capture or a script.
    pub kind: Kind,
    /// Frames that came to the host.
    pub injected: usize,
    /// Frames of the host that were as expected.
    pub matched: usize,
    /// What was first not as expected.
    pub failure: Option<Failure>,
}

/// What was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A capture with its sidecar.
    Capture,
    /// A script.
    Script,
}

/// What was first not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where: a frame of the capture, or a line of the script.
    pub place: Place,
    /// What was wrong.
    pub wrong: Wrong,
    /// What went before, in order.
    pub before: Vec<Event>,
    /// What may have led to it, in sentences.
    pub since: Vec<String>,
}

/// Where a test went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this frame of the capture, from 1.
    Frame(usize),
    /// After the last frame of the capture that could be compared.
    After(usize),
    /// At this line of the script.
    Line {
        /// Its number, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The host has sent another frame.
    Different(Difference),
    /// The host has not sent the frame.
    Missing {
        /// What was expected, in one line.
        expected: String,
        /// Up to when it was waited for, since the run began.
        until: Duration,
    },
    /// The host has sent a frame that nobody expected.
    Unexpected {
        /// What it has sent, in one line.
        got: String,
        /// When, since the run began.
        at: Duration,
    },
    /// The application has heard something else, or nothing.
    Heard {
        /// What it was to hear.
        expected: String,
        /// What it has heard instead; `None`: nothing.
        got: Option<String>,
    },
    /// The application has heard the right thing, and at another time.
    HeardAt {
        /// What it was to hear.
        expected: String,
        /// When it was to hear it, since the run began.
        due: Duration,
        /// When it has heard it.
        at: Duration,
    },
}

/// Something that went before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The number of the frame in the capture, or of the line in the script.
    pub number: usize,
    /// When, since the run began.
    pub at: Duration,
    /// Which way a frame went, seen from the host; `None` for what the application did.
    pub direction: Option<Direction>,
    /// What it was, in one line.
    pub says: String,
    /// Who refused it and why, if somebody did.
    pub refused: Option<String>,
}

impl Outcome {
    /// Whether the host did as was expected.
    pub fn is_success(&self) -> bool {
        self.failure.is_none()
    }
}

/// How many of the steps that went before are told at most: the last ones.
const SHOWN: usize = 20;

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            None => {
                let frames = if self.injected == 1 { "frame" } else { "frames" };
                let (injected, matched) = (self.injected, self.matched);
                writeln!(f, "As expected: {injected} {frames} came, and the host sent the right {matched}.")
            }
            Some(failure) => failure.fmt(f),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left_out = self.before.len().saturating_sub(SHOWN);
        if left_out > 0 {
            writeln!(f, "      ... {left_out} before")?;
        }
        for event in self.before.iter().skip(left_out) {
            writeln!(f, "{event}")?;
        }
        writeln!(f)?;
        writeln!(f, "{}: {}", self.place, self.wrong)?;
        if let Place::Line { text, .. } = &self.place {
            writeln!(f, "  {text}")?;
        }
        for line in self.wrong.meanings() {
            writeln!(f, "  {line}")?;
        }
        for sentence in &self.since {
            writeln!(f, "  since {sentence}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = match self.direction {
            Some(Direction::Outbound) => ">",
            Some(Direction::Inbound) => "<",
            None => " ",
        };
        write!(f, "{:>5} {} {arrow} {}", self.number, Millis(self.at), self.says)?;
        match &self.refused {
            Some(why) => write!(f, " (not taken: {why})"),
            None => Ok(()),
        }
    }
}

/// A time in milliseconds, as the other views tell it.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.3}", self.0.as_secs_f64() * 1_000.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Frame(number) => write!(f, "frame {number}"),
            Place::After(number) => write!(f, "after frame {number}"),
            Place::Line { line, .. } => write!(f, "line {line}"),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Different(difference) => difference.fmt(f),
            Wrong::Missing { expected, until } => {
                let until = until.as_secs_f64() * 1_000.0;
                write!(f, "should have had {expected}, but nothing was sent up to {until:.3} ms")
            }
            Wrong::Unexpected { got, at } => {
                let at = at.as_secs_f64() * 1_000.0;
                write!(f, "should have had nothing, but was {got}, sent at {at:.3} ms")
            }
            Wrong::Heard { expected, got: Some(got) } => {
                write!(f, "the application should have heard {expected}, but heard {got}")
            }
            Wrong::Heard { expected, got: None } => {
                write!(f, "the application should have heard {expected}, but heard nothing")
            }
            Wrong::HeardAt { expected, due, at } => {
                let [due, at] = [due, at].map(|time| time.as_secs_f64() * 1_000.0);
                write!(
                    f,
                    "the application should have heard {expected} at {due:.3} ms, and did at {at:.3} ms"
                )
            }
        }
    }
}

impl Wrong {
    /// What the values mean that differ.
    fn meanings(&self) -> Vec<String> {
        let Wrong::Different(Difference::Field { expected, got, source, .. }) = self else {
            return Vec::new();
        };
        let tell = |name, meaning: &str| (!meaning.is_empty()).then(|| format!("{name}{meaning}"));
        let told = match expected.meaning == got.meaning {
            true => [tell("", &got.meaning), None],
            false => [tell("expected: ", &expected.meaning), tell("but was:  ", &got.meaning)],
        };
        let mut lines: Vec<_> = told.into_iter().flatten().collect();
        if let Some(last) = lines.last_mut().filter(|_| !source.is_empty()) {
            last.push_str(&format!(" ({source})"));
        }
        lines
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Field { layer, field, expected, got, .. } => {
                write!(f, "{layer}, {field}: should have had {}, but was {}", expected.value, got.value)
            }
            Difference::Presence { layer, field, is_missing: true } => {
                write!(f, "{layer}, {field}: should have been there, but is not")
            }
            Difference::Presence { layer, field, is_missing: false } => {
                write!(f, "{layer}, {field}: should not have been there, but is")
            }
            Difference::Data { layer, expected, got, at } if expected != got => {
                write!(f, "{layer}, data: should have had {expected} bytes, but was {got}")?;
                if at < expected.min(got) { write!(f, ", different from byte {at} on") } else { Ok(()) }
            }
            Difference::Data { layer, at, .. } => write!(f, "{layer}, data: different from byte {at} on"),
            Difference::Kind { expected, got } => write!(f, "should have had {expected}, but was {got}"),
            Difference::Time { expected, got } => {
                let [expected, got] = [expected, got].map(|time| time.as_secs_f64() * 1_000.0);
                write!(f, "right, but should have been sent at {expected:.3} ms, and was at {got:.3} ms")?;
                // Where three digits don't show it.
                if format!("{expected:.3}") == format!("{got:.3}") {
                    write!(f, " ({:.0} ns apart)", (expected - got).abs() * 1_000_000.0)
                } else {
                    Ok(())
                }
            }
        }
    }
}
