//! What went wrong, told so that it can be put right.

use std::fmt;

use crate::law::Law;

/// A failed case or a broken law: the steps so far, what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) protocol: &'static str,
    pub(crate) case: String,
    pub(crate) source: &'static str,
    pub(crate) law: Option<Law>,
    /// What was done and expected before, one sentence each.
    pub(crate) steps: Vec<String>,
    pub(crate) expected: String,
    pub(crate) came: String,
    pub(crate) hint: &'static str,
}

impl Failure {
    pub(crate) fn new(details: Details) -> Self {
        Failure(Box::new(details))
    }

    /// The protocol of the suite.
    pub fn protocol(&self) -> &'static str {
        self.0.protocol
    }

    /// The law that was broken; `None` for a failure of a protocol's case.
    pub fn law(&self) -> Option<Law> {
        self.0.law
    }

    /// The title of the case in which it happened.
    pub fn case(&self) -> &str {
        &self.0.case
    }

    /// Which step failed, counted from 1.
    pub fn step(&self) -> usize {
        self.0.steps.len() + 1
    }

    /// The steps before the one that failed.
    pub fn steps(&self) -> &[String] {
        &self.0.steps
    }

    /// What should have been.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What was.
    pub fn came(&self) -> &str {
        &self.0.came
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { protocol, case, source, law, steps, expected, came, hint } = self;
        let failed = steps.len() + 1;
        match law {
            Some(law) => writeln!(f, "{protocol}: {law} was broken in the case \"{case}\" at step {failed}")?,
            None => writeln!(f, "{protocol}: the case \"{case}\" failed at step {failed} ({source})")?,
        }
        for (index, step) in steps.iter().enumerate() {
            writeln!(f, "{:>4}  {step}", index + 1)?;
        }
        writeln!(f, "{failed:>4}  expected {expected}")?;
        let mut lines = came.lines();
        write!(f, "      came: {}", lines.next().unwrap_or("nothing"))?;
        for line in lines {
            write!(f, "\n            {line}")?;
        }
        let meaning = law.map_or(*hint, Law::meaning);
        if meaning.is_empty() { Ok(()) } else { write!(f, "\nWhat it means: {meaning}") }
    }
}
