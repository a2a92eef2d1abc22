//! The composition of `framewise::core::Over`, line by line, but for the branch that asks whether anyone watches.

use framewise::core::time::earliest;
use framewise::core::{Cx, Instant, Layer, Seam};

/// `upper` over `lower`.
pub(crate) struct Unwatched<U, L> {
    upper: U,
    lower: L,
    /// The lower layer has nothing to say upward, and was not called since it was asked.
    is_quiet: bool,
    /// Neither layer has anything to send, and neither was called since.
    is_dry: bool,
}

impl<U, L> Unwatched<U, L>
where
    U: Layer,
    L: Layer<Upper = U::Lower>,
{
    /// Puts `upper` over `lower`.
    pub(crate) fn new(upper: U, lower: L) -> Self {
        Unwatched { upper, lower, is_quiet: false, is_dry: false }
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
        self.upper.handle_inbound(message, cx);
        true
    }

    /// Moves one message down across this seam.
    fn lower_one(&mut self, cx: &mut Cx) -> bool {
        let Some(message) = self.upper.poll_outbound(cx) else {
            return false;
        };
        self.called();
        self.lower.handle_outbound(message, cx);
        true
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

impl<U, L> Layer for Unwatched<U, L>
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
