//! A suite: the cases of one protocol, and what is needed to put its layer through the laws.

use framewise_core::{Rng, Seam};

use crate::case::Case;
use crate::ledger::Ledger;

/// What a suite does with a message that a script should not have to mention.
pub enum Aside<Answer> {
    /// Nothing: it is for the script.
    No,
    /// It is passed over.
    Ignore,
    /// It is passed over and answered at once: IP's answer to which source address, say.
    Answer(Answer),
}

type AsideOut<L> = Box<dyn Fn(&<L as Seam>::Down) -> Aside<<L as Seam>::Up>>;
type AsideIn<U> = Box<dyn Fn(&<U as Seam>::Up) -> Aside<<U as Seam>::Down>>;
type Garbage<L> = Box<dyn Fn(&mut Rng) -> <L as Seam>::Up>;
type Mutate<L> = Box<dyn Fn(<L as Seam>::Up, &mut Rng) -> Option<<L as Seam>::Up>>;
type Watch<M> = Box<dyn Fn(&mut Ledger, &M) -> Result<(), String>>;

/// Everything that a layer between the seams `U` and `L` is put through.
pub struct Suite<U: Seam, L: Seam> {
    pub(crate) protocol: &'static str,
    pub(crate) upper: &'static str,
    pub(crate) lower: &'static str,
    pub(crate) cases: Vec<Case<U, L>>,
    pub(crate) floods: Vec<Flood<U, L>>,
    pub(crate) aside_outbound: Option<AsideOut<L>>,
    pub(crate) aside_inbound: Option<AsideIn<U>>,
    pub(crate) garbage: Option<(Case<U, L>, Garbage<L>)>,
    pub(crate) mutate: Option<Mutate<L>>,
    pub(crate) watches: Watches<U, L>,
}

/// Keeps the books of the stream seams that the layer touches.
pub(crate) struct Watches<U: Seam, L: Seam> {
    pub(crate) upper_down: Option<Watch<U::Down>>,
    pub(crate) upper_up: Option<Watch<U::Up>>,
    pub(crate) lower_down: Option<Watch<L::Down>>,
    pub(crate) lower_up: Option<Watch<L::Up>>,
}

/// Many messages from below while nobody polls: queues must stay bounded, and nothing may vanish (laws 2 and 3).
pub struct Flood<U: Seam, L: Seam> {
    pub(crate) sentence: &'static str,
    pub(crate) opening: Case<U, L>,
    pub(crate) make: Box<dyn Fn(u32) -> L::Up>,
    pub(crate) count: u32,
    pub(crate) at_most: usize,
}

impl<U: Seam, L: Seam> Flood<U, L> {
    /// After `opening`, `count` messages of `make` at once; then at most `at_most` messages may come out, and each of the
    /// `count` must have come out, been answered, or been counted as dropped.
    pub fn new(
        sentence: &'static str,
        opening: Case<U, L>,
        count: u32,
        at_most: usize,
        make: impl Fn(u32) -> L::Up + 'static,
    ) -> Self {
        Flood { sentence, opening, make: Box::new(make), count, at_most }
    }
}

impl<U: Seam, L: Seam> Suite<U, L> {
    /// A suite without cases. `upper` and `lower` are what the neighbours are called in failures: `IP`, `the wire`.
    pub fn new(protocol: &'static str, upper: &'static str, lower: &'static str) -> Self {
        Suite {
            protocol,
            upper,
            lower,
            cases: Vec::new(),
            floods: Vec::new(),
            aside_outbound: None,
            aside_inbound: None,
            garbage: None,
            mutate: None,
            watches: Watches { upper_down: None, upper_up: None, lower_down: None, lower_up: None },
        }
    }

    /// Adds a case.
    pub fn case(mut self, case: Case<U, L>) -> Self {
        self.cases.push(case);
        self
    }

    /// Adds cases.
    pub fn cases(mut self, cases: impl IntoIterator<Item = Case<U, L>>) -> Self {
        self.cases.extend(cases);
        self
    }

    /// Adds a flood.
    pub fn flood(mut self, flood: Flood<U, L>) -> Self {
        self.floods.push(flood);
        self
    }

    /// Keeps some messages downward from the scripts, and answers them.
    pub fn aside_outbound(mut self, aside: impl Fn(&L::Down) -> Aside<L::Up> + 'static) -> Self {
        self.aside_outbound = Some(Box::new(aside));
        self
    }

    /// Keeps some messages upward from the scripts, and answers them.
    pub fn aside_inbound(mut self, aside: impl Fn(&U::Up) -> Aside<U::Down> + 'static) -> Self {
        self.aside_inbound = Some(Box::new(aside));
        self
    }

    /// Makes messages of arbitrary content for law 5.
    pub fn garbage(self, make: impl Fn(&mut Rng) -> L::Up + 'static) -> Self {
        self.garbage_after(Case::new("takes arbitrary bytes", "law 5"), make)
    }

    /// The same after an opening: on the stream seam the neighbour keeps its rules, and only the bytes are arbitrary.
    pub fn garbage_after(mut self, opening: Case<U, L>, make: impl Fn(&mut Rng) -> L::Up + 'static) -> Self {
        self.garbage = Some((opening, Box::new(make)));
        self
    }

    /// Damages a valid message for law 5; `None` where there are no bytes from outside in it.
    pub fn mutate(mut self, mutate: impl Fn(L::Up, &mut Rng) -> Option<L::Up> + 'static) -> Self {
        self.mutate = Some(Box::new(mutate));
        self
    }

    /// How many cases there are.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// The titles of the cases, in order.
    pub fn titles(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.cases.iter().map(|case| case.title)
    }
}

impl<L: Seam> Suite<framewise_core::seams::Streams, L> {
    /// Keeps the books of the stream seam above (credit, and that `Closed` is the last word): laws 2 and 3.
    pub fn keep_books_above(mut self) -> Self {
        self.watches.upper_down = Some(Box::new(|ledger, message| {
            ledger.said(message);
            Ok(())
        }));
        self.watches.upper_up = Some(Box::new(Ledger::comes_up));
        self
    }
}

impl<U: Seam> Suite<U, framewise_core::seams::Streams> {
    /// Keeps the books of the stream seam below (the credit that was given is not exceeded): law 3.
    pub fn keep_books_below(mut self) -> Self {
        self.watches.lower_down = Some(Box::new(Ledger::goes_down));
        self.watches.lower_up = Some(Box::new(|ledger, message| {
            ledger.heard(message);
            Ok(())
        }));
        self
    }
}
