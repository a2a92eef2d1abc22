//! A case: a script of acts and expectations, each with its sentence.
//!
//! Acts are what the neighbours do to the layer: the upper one [says](Case::says) something, something is
//! [heard](Case::hears) from below, time [passes](Case::wait). After each act the layer is polled both ways until
//! nothing comes. Expectations then take what came, in order.

use std::time::Duration;

use framewise_core::Seam;

use crate::law::Law;
use crate::notes::Notes;

/// What a check says about a message: fine, or what is wrong with it, as the end of a sentence.
pub type Verdict = Result<(), String>;

pub(crate) type Maker<M> = Box<dyn Fn(&Notes) -> M>;
pub(crate) type Check<M> = Box<dyn Fn(&M, &mut Notes) -> Verdict>;

/// A script for a layer between the seams `U` and `L`, playable any number of times.
///
/// ```
/// use framewise_conformance::Case;
/// use framewise_core::seams::datagram::{DatagramDown, DatagramUp};
/// use framewise_core::seams::{Datagrams, Segments};
///
/// let case: Case<Datagrams, Segments> = Case::new("port 0 can't be bound", "RFC 768")
///     .hint("Port 0 means that there is no port; nobody can answer to it.")
///     .says("bind port 0", |_| DatagramDown::Bind { port: 0 })
///     .expect_inbound("that it can't be had", |up, _| match up {
///         DatagramUp::BindFailed { port: 0 } => Ok(()),
///         _ => Err("that is something else".into()),
///     });
/// assert_eq!(case.title(), "port 0 can't be bound");
/// ```
pub struct Case<U: Seam, L: Seam> {
    pub(crate) title: &'static str,
    pub(crate) source: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) law: Option<Law>,
    pub(crate) steps: Vec<Step<U, L>>,
}

pub(crate) struct Step<U: Seam, L: Seam> {
    pub(crate) sentence: String,
    pub(crate) action: Action<U, L>,
}

pub(crate) enum Action<U: Seam, L: Seam> {
    Says(Maker<U::Down>),
    Hears(Maker<L::Up>),
    Wait(Duration),
    /// From here on nothing is polled but by expectations, one message each.
    PollOnlyWhenExpected,
    Outbound(When, Check<L::Down>),
    Inbound(When, Check<U::Up>),
    NoOutbound(Option<Check<L::Down>>),
    NoInbound(Option<Check<U::Up>>),
    Drop(Option<&'static str>),
}

/// Which message an expectation is about.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// The next that came.
    Next,
    /// Any that comes while so much time passes; what comes before is passed over.
    Within(Duration),
}

impl<U: Seam, L: Seam> Action<U, L> {
    /// Whether this is something done to the layer.
    pub(crate) fn is_act(&self) -> bool {
        matches!(self, Action::Says(_) | Action::Hears(_) | Action::Wait(_))
    }
}

impl<U: Seam, L: Seam> Case<U, L> {
    /// An empty script. The title completes "the layer …": `answers an ARP request for its own address`; `source` is
    /// where that is written.
    pub fn new(title: &'static str, source: &'static str) -> Self {
        Case { title, source, hint: "", law: None, steps: Vec::new() }
    }

    /// What a failure means and where to look, in a sentence or two.
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// A failure of this case breaks this law.
    pub fn about(mut self, law: Law) -> Self {
        self.law = Some(law);
        self
    }

    /// What the layer does when it passes.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// RFC and section.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The upper neighbour says something.
    pub fn says(self, sentence: impl Into<String>, make: impl Fn(&Notes) -> U::Down + 'static) -> Self {
        self.step(sentence, Action::Says(Box::new(make)))
    }

    /// Something comes from the lower neighbour.
    pub fn hears(self, sentence: impl Into<String>, make: impl Fn(&Notes) -> L::Up + 'static) -> Self {
        self.step(sentence, Action::Hears(Box::new(make)))
    }

    /// Time passes; the layer is called at each of its timeouts.
    pub fn wait(self, sentence: impl Into<String>, time: Duration) -> Self {
        self.step(sentence, Action::Wait(time))
    }

    /// From here on nothing is polled but by expectations, one message each: what shows whether messages are
    /// made ahead (law 7).
    pub fn poll_only_when_expected(self) -> Self {
        self.step("from here on one message at a time is asked for", Action::PollOnlyWhenExpected)
    }

    /// The next message downward must pass `check`.
    pub fn expect_outbound(
        self,
        sentence: impl Into<String>,
        check: impl Fn(&L::Down, &mut Notes) -> Verdict + 'static,
    ) -> Self {
        self.step(sentence, Action::Outbound(When::Next, Box::new(check)))
    }

    /// The next message upward must pass `check`.
    pub fn expect_inbound(
        self,
        sentence: impl Into<String>,
        check: impl Fn(&U::Up, &mut Notes) -> Verdict + 'static,
    ) -> Self {
        self.step(sentence, Action::Inbound(When::Next, Box::new(check)))
    }

    /// While `within` passes, a message downward must come that passes `check`; others before it are passed over.
    pub fn await_outbound(
        self,
        sentence: impl Into<String>,
        within: Duration,
        check: impl Fn(&L::Down, &mut Notes) -> Verdict + 'static,
    ) -> Self {
        self.step(sentence, Action::Outbound(When::Within(within), Box::new(check)))
    }

    /// While `within` passes, a message upward must come that passes `check`; others before it are passed over.
    pub fn await_inbound(
        self,
        sentence: impl Into<String>,
        within: Duration,
        check: impl Fn(&U::Up, &mut Notes) -> Verdict + 'static,
    ) -> Self {
        self.step(sentence, Action::Inbound(When::Within(within), Box::new(check)))
    }

    /// Nothing more may have come, either way.
    pub fn expect_nothing(self, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        self.expect_nothing_outbound(sentence.clone()).expect_nothing_inbound(sentence)
    }

    /// Nothing more may have come downward.
    pub fn expect_nothing_outbound(self, sentence: impl Into<String>) -> Self {
        self.step(sentence, Action::NoOutbound(None))
    }

    /// Nothing more may have come upward.
    pub fn expect_nothing_inbound(self, sentence: impl Into<String>) -> Self {
        self.step(sentence, Action::NoInbound(None))
    }

    /// None of what came downward may pass `check`. All of it is taken.
    pub fn expect_no_outbound_like(
        self,
        sentence: impl Into<String>,
        check: impl Fn(&L::Down, &mut Notes) -> Verdict + 'static,
    ) -> Self {
        self.step(sentence, Action::NoOutbound(Some(Box::new(check))))
    }

    /// None of what came upward may pass `check`. All of it is taken.
    pub fn expect_no_inbound_like(
        self,
        sentence: impl Into<String>,
        check: impl Fn(&U::Up, &mut Notes) -> Verdict + 'static,
    ) -> Self {
        self.step(sentence, Action::NoInbound(Some(Box::new(check))))
    }

    /// Something must have been dropped visibly since the last act, for this reason if one is given.
    pub fn expect_drop(self, sentence: impl Into<String>, reason: Option<&'static str>) -> Self {
        self.step(sentence, Action::Drop(reason))
    }

    /// The same script with what `more` adds: for openings that several cases share.
    pub fn then(self, more: impl FnOnce(Self) -> Self) -> Self {
        more(self)
    }

    fn step(mut self, sentence: impl Into<String>, action: Action<U, L>) -> Self {
        self.steps.push(Step { sentence: sentence.into(), action });
        self
    }
}
