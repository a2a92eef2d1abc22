//! The composition of `framewise::core::Over`, line by line, but for the branch that asks whether anyone watches.

use framewise::core::time::earliest;
use framewise::core::{Cx, Instant, Layer, Seam};

/// `upper` over `lower`.
pub(crate) struct Unwatched<U, L> {
    upper: U,
    lower: L,
}

impl<U, L> Unwatched<U, L>
where
    U: Layer,
    L: Layer<Upper = U::Lower>,
{
    pub(crate) fn new(upper: U, lower: L) -> Self {
        Unwatched { upper, lower }
    }

    fn lift(&mut self, cx: &mut Cx) -> bool {
        let Some(message) = self.lower.poll_inbound(cx) else {
            return false;
        };
        self.upper.handle_inbound(message, cx);
        true
    }

    fn lower_one(&mut self, cx: &mut Cx) -> bool {
        let Some(message) = self.upper.poll_outbound(cx) else {
            return false;
        };
        self.lower.handle_outbound(message, cx);
        true
    }

    fn settle(&mut self, cx: &mut Cx) {
        if cx.stepping {
            return;
        }
        loop {
            let mut moved = false;
            while self.lift(cx) {
                moved = true;
            }
            while <U::Lower as Seam>::CREDITED && self.lower_one(cx) {
                moved = true;
            }
            if !moved {
                return;
            }
        }
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
        self.upper.handle_outbound(message, cx);
        if <U::Lower as Seam>::CREDITED {
            self.settle(cx);
        }
    }

    fn handle_inbound(&mut self, message: <Self::Lower as Seam>::Up, cx: &mut Cx) {
        self.lower.handle_inbound(message, cx);
        self.settle(cx);
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<<Self::Lower as Seam>::Down> {
        loop {
            if let Some(message) = self.lower.poll_outbound(cx) {
                return Some(message);
            }
            if cx.stepping || !self.lower_one(cx) {
                return None;
            }
            self.settle(cx);
        }
    }

    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<<Self::Upper as Seam>::Up> {
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
        self.lower.handle_timeout(cx);
        self.upper.handle_timeout(cx);
        self.settle(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.upper.poll_timeout(), self.lower.poll_timeout())
    }

    fn step(&mut self, cx: &mut Cx) -> bool {
        self.lower.step(cx) || self.lower_one(cx) || self.lift(cx) || self.upper.step(cx)
    }

    fn accepts(&self, message: &<Self::Lower as Seam>::Up) -> bool {
        self.lower.accepts(message)
    }
}
