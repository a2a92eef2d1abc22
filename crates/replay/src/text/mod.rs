//! Scripts and sidecars as text: one grammar for both.
//!
//! ```text
//!   host shop                            settings, each once, before the first step
//!   mac 02:00:00:00:00:01
//!   address 192.0.2.80/24
//!   peer 02:00:00:00:00:02 192.0.2.20 40000
//!
//!           listen 80                    steps: a time, what happens
//!   10ms  < tcp S win=65535 mss=1460     a frame comes to the host
//!         > tcp SA ack=1                 the host is to send one
//! ```
//!
//! Errors name the line, the column and what was expected there.

mod error;
mod fields;
mod near;
mod settings;
mod steps;
mod values;
mod wire;
mod words;

pub use error::{Problem, TextError};
pub(crate) use steps::filler;

use crate::script::Script;
use settings::Settings;
use words::Words;

/// Bytes of the longest script that is read.
pub const LONGEST: usize = 1 << 20;
/// Steps of the longest script.
pub const MOST_STEPS: usize = 10_000;

impl Script {
    /// Reads a script or a sidecar.
    ///
    /// ```
    /// use framewise_replay::Script;
    /// let wrong = Script::read("host me\nmac 02:00:00:00:00:01\nwidow 4096\n").unwrap_err();
    /// assert!(wrong.to_string().starts_with("line 3, column 1: there is no setting `widow`"));
    /// ```
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(text: &str) -> Result<Script, TextError> {
        if text.len() > LONGEST {
            let problem = Problem::TooMuch { of: "bytes", limit: LONGEST };
            return Err(TextError { line: 1, column: 1, problem });
        }
        let mut settings = Settings::default();
        for (number, line) in (1..).zip(text.lines()) {
            read_line(number, line, &mut settings)?;
        }
        settings.finish()
    }
}

fn read_line(number: usize, line: &str, settings: &mut Settings) -> Result<(), TextError> {
    let mut words = Words::of(number, line)?;
    let Some(first) = words.peek() else { return Ok(()) };
    let column = first.column;
    if settings.read(&mut words, line)? {
        return words.finish();
    }
    if settings.script.steps.len() >= MOST_STEPS {
        return Err(words.error(column, Problem::TooMuch { of: "steps", limit: MOST_STEPS }));
    }
    let step = steps::read(&mut words)?;
    words.finish()?;
    settings.script.steps.push(step);
    Ok(())
}
