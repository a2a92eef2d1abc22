//! What a layer has passed.

use std::fmt;

use crate::law::Law;

/// The cases and laws that a layer passed, as a short table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub(crate) protocol: &'static str,
    pub(crate) cases: Vec<(String, &'static str)>,
    pub(crate) laws: Vec<(Law, usize)>,
}

impl Report {
    /// The protocol of the suite.
    pub fn protocol(&self) -> &'static str {
        self.protocol
    }

    /// The titles of the cases that passed, each with its source.
    pub fn cases(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.cases.iter().map(|(title, source)| (title.as_str(), *source))
    }

    /// The laws that held, each with the number of runs in which it was put to the layer. A law that the suite has
    /// no means to test is not among them.
    pub fn laws(&self) -> impl Iterator<Item = (Law, usize)> + '_ {
        self.laws.iter().copied()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { protocol, cases, laws } = self;
        writeln!(f, "{protocol}: {} cases passed, {} laws held", cases.len(), laws.len())?;
        let width = cases.iter().map(|(title, _)| title.chars().count()).max().unwrap_or(0);
        for (title, source) in cases {
            writeln!(f, "  passed  {title:width$}  {source}")?;
        }
        for (law, runs) in laws {
            writeln!(f, "  held    {law}, {runs} run{}", if *runs == 1 { "" } else { "s" })?;
        }
        Ok(())
    }
}
