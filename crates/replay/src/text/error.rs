//! What is wrong with a script, and where.

use std::fmt;

use super::near::near;

/// Why a script can't be read: the place, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct TextError {
    /// The line, from 1.
    pub line: usize,
    /// The column of the word that is meant, from 1, counted in characters.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a word of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Something else belongs here.
    Expected {
        /// What: `a time such as 5ms`.
        expected: &'static str,
        /// What stands here instead; `None`: the line ends.
        found: Option<String>,
    },
    /// No setting, step or key has this name.
    Unknown {
        /// What kind of name: `setting`, `step`, `key`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: &'static [&'static str],
    },
    /// This may be said once.
    Twice(String),
    /// A setting after the first step.
    Late(String),
    /// A text whose end is missing.
    Unclosed,
    /// A backslash that is followed by nothing that it could mean.
    Escape,
    /// More than a script may have.
    TooMuch {
        /// Of what: `bytes`, `steps`.
        of: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Two things that can't both be.
    Conflict(&'static str),
    /// The clock would have to run backwards.
    Backwards,
}

/// The longest word that is repeated in an error, in characters.
const SHOWN: usize = 40;

/// A word as an error shows it: short, and without what would command a terminal.
pub(crate) fn shown(word: &str) -> String {
    let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut short: String = word.chars().take(SHOWN).map(printable).collect();
    if word.chars().count() > SHOWN {
        short.push_str("..");
    }
    short
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Expected { expected, found: Some(found) } => {
                write!(f, "expected {expected}, found `{found}`")
            }
            Problem::Expected { expected, found: None } => {
                write!(f, "expected {expected}, and the line ends")
            }
            Problem::Unknown { kind, name, known } => match near(name, known) {
                Some(meant) => write!(f, "there is no {kind} `{name}`; did you mean `{meant}`?"),
                None => write!(f, "there is no {kind} `{name}`; there are {}", known.join(", ")),
            },
            Problem::Twice(name) => write!(f, "`{name}` was said before"),
            Problem::Late(name) => write!(f, "the setting `{name}` stands after the first step"),
            Problem::Unclosed => write!(f, "the text that begins here has no closing \""),
            Problem::Escape => write!(f, "expected one of \\n \\r \\t \\\\ \\\" \\x41 after the backslash"),
            Problem::TooMuch { of, limit } => write!(f, "more than {limit} {of}"),
            Problem::Conflict(why) => f.write_str(why),
            Problem::Backwards => write!(f, "this time is before that of the step above"),
        }
    }
}
