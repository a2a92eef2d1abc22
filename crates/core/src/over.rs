//! One layer over another: the only place where messages move between layers.
//!
//! ```text
//!   handle_outbound ─► upper ─┐ pushed (credited) or pulled   ▲ poll_inbound
//!                             ▼                               │
//!   poll_outbound  ◄─ lower ──┘          every message up ────┘◄─ handle_inbound
//! ```
//!
//! # The order of moves
//!
//! *Inbound*, each message that the lower layer has is given to the upper at once. *Outbound*, a credited seam is
//! emptied downward whenever the upper layer was called, and what the lower layer answers goes up before the next
//! message goes down; any other seam is asked for one message only when the lower layer has nothing left to send.
//! While stepping, nothing moves but by [`step`](Layer::step), one message at a time and in this same order.
//!
//! A layer that had nothing to say has nothing until it is called again (law 4): in a free run it is not asked meanwhile.

use crate::cx::Cx;
use crate::layer::Layer;
use crate::message::Message;
use crate::observe::Direction;
use crate::seam::Seam;
use crate::time::{Instant, earliest};

/// `upper` over `lower`, as one layer.
#[derive(Debug, Default, Clone)]
pub struct Over<U, L> {
    upper: U,
    lower: L,
    /// The lower layer has nothing to say upward, and was not called since it was asked.
    is_quiet: bool,
    /// Neither layer has anything to send, and neither was called since.
    is_dry: bool,
}

impl<U, L> Over<U, L>
where
    U: Layer,
    L: Layer<Upper = U::Lower>,
{
    /// Puts `upper` over `lower`.
    pub fn new(upper: U, lower: L) -> Self {
        Over { upper, lower, is_quiet: false, is_dry: false }
    }

    /// The upper layer.
    pub fn upper(&self) -> &U {
        &self.upper
    }

    /// The lower layer.
    pub fn lower(&self) -> &L {
        &self.lower
    }

    /// Both layers, to be changed from outside: neither may be called through this while messages wait.
    pub fn parts_mut(&mut self) -> (&mut U, &mut L) {
        self.called();
        (&mut self.upper, &mut self.lower)
    }

    /// Either layer is called: what was found about them counts no more.
    fn called(&mut self) {
        self.is_quiet = false;
        self.is_dry = false;
    }

    /// Moves one message up across this seam.
    fn lift(&mut self, cx: &mut Cx) -> bool {
        if self.is_quiet {
            return false;
        }
        self.is_dry = false;
        let Some(message) = self.lower.poll_inbound(cx) else {
            self.is_quiet = !cx.stepping;
            return false;
        };
        let message = match cx.is_observed() {
            true => self.observe(message, Direction::Inbound, cx),
            false => message,
        };
        self.upper.handle_inbound(message, cx);
        true
    }

    /// Moves one message down across this seam.
    fn lower_one(&mut self, cx: &mut Cx) -> bool {
        let Some(message) = self.upper.poll_outbound(cx) else {
            return false;
        };
        let message = match cx.is_observed() {
            true => self.observe(message, Direction::Outbound, cx),
            false => message,
        };
        self.called();
        self.lower.handle_outbound(message, cx);
        true
    }

    /// Tells whoever watches that a message crosses this seam. The message comes and goes by value, so that nobody's
    /// pointer to it keeps it in memory while nobody watches.
    #[cold]
    #[inline(never)]
    fn observe<M: Message>(&self, message: M, direction: Direction, cx: &mut Cx) -> M {
        cx.crossed::<U::Lower>(self.upper.lowest_name(), self.lower.name(), direction, &message);
        message
    }

    /// Moves what moves by itself: everything up, and down whatever is pushed. Whether anything did.
    fn settle(&mut self, cx: &mut Cx) -> bool {
        let mut moved = false;
        while !cx.stepping && (self.lift(cx) || self.push_one(cx)) {
            moved = true;
        }
        moved
    }

    /// Moves one message down across this seam, if it is one that is pushed across.
    fn push_one(&mut self, cx: &mut Cx) -> bool {
        <U::Lower as Seam>::CREDITED && self.lower_one(cx)
    }

    /// Moves one message down across this seam, if it is one that is pulled across.
    fn pull_one(&mut self, cx: &mut Cx) -> bool {
        !<U::Lower as Seam>::CREDITED && self.lower_one(cx)
    }
}

impl<U, L> Layer for Over<U, L>
where
    U: Layer,
    L: Layer<Upper = U::Lower>,
{
    type Upper = U::Upper;
    type Lower = L::Lower;

    fn name(&self) -> &'static str {
        self.upper.name()
    }

    fn lowest_name(&self) -> &'static str {
        self.lower.lowest_name()
    }

    fn handle_outbound(&mut self, message: <Self::Upper as Seam>::Down, cx: &mut Cx) {
        self.called();
        self.upper.handle_outbound(message, cx);
        if <U::Lower as Seam>::CREDITED {
            self.settle(cx);
        }
    }

    fn handle_inbound(&mut self, message: <Self::Lower as Seam>::Up, cx: &mut Cx) {
        self.called();
        self.lower.handle_inbound(message, cx);
        self.settle(cx);
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<<Self::Lower as Seam>::Down> {
        while !self.is_dry {
            self.is_quiet = false;
            if let Some(message) = self.lower.poll_outbound(cx) {
                return Some(message);
            }
            // Inside the lower layer something may have moved until it knew that it has nothing: a refusal, an error. What
            // that begot may have given it something.
            if self.settle(cx) {
                continue;
            }
            if cx.stepping {
                return None;
            }
            if self.lower_one(cx) {
                // The lower layer may have answered at once: a source address, a refusal, credit.
                self.settle(cx);
            } else {
                self.is_dry = true;
            }
        }
        None
    }

    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<<Self::Upper as Seam>::Up> {
        // What moves inside the upper layer until it knows may give it something to send.
        self.is_dry = false;
        loop {
            if let Some(message) = self.upper.poll_inbound(cx) {
                return Some(message);
            }
            if cx.stepping || !self.lift(cx) {
                return None;
            }
            self.settle(cx);
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.called();
        // The upper first: what the lower has to say about the time is said when all timers have run.
        self.upper.handle_timeout(cx);
        self.lower.handle_timeout(cx);
        self.settle(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.upper.poll_timeout(), self.lower.poll_timeout())
    }

    fn is_sending(&self) -> bool {
        self.upper.is_sending() || self.lower.is_sending()
    }

    fn step_settle(&mut self, cx: &mut Cx) -> bool {
        self.called();
        self.lower.step_settle(cx) || self.upper.step_settle(cx) || self.lift(cx) || self.push_one(cx)
    }

    fn step_pull(&mut self, cx: &mut Cx) -> bool {
        self.called();
        self.lower.step_pull(cx)
            || self.pull_one(cx)
            || self.upper.step_pull(cx)
            // Once more: a branch of `Beside` that turned out to have nothing has made way for the other.
            || self.pull_one(cx)
            || self.upper.step_pull(cx)
    }

    fn accepts(&self, message: &<Self::Lower as Seam>::Up) -> bool {
        self.lower.accepts(message)
    }
}
