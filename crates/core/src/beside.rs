//! Two branches side by side over one lower layer, as TCP and UDP stand over IP.

use crate::cx::Cx;
use crate::layer::Layer;
use crate::seam::{Both, Either, Seam};
use crate::time::{Instant, earliest};

/// `left` and `right` over the same lower seam, as one layer.
///
/// A message from below goes to the first branch that [accepts](Layer::accepts) it; what neither accepts is a
/// counted drop. Going down the branches take turns, so that a busy one starves nobody.
#[derive(Debug, Default, Clone)]
pub struct Beside<A, B> {
    left: A,
    right: B,
    /// Whose turn it is to be asked first: not that of the one that said something last.
    right_first: bool,
    /// While stepping: the first has nothing to say, not even after a pull inside.
    first_is_dry: bool,
}

impl<A, B> Beside<A, B>
where
    A: Layer,
    B: Layer<Lower = A::Lower>,
{
    /// Puts `left` beside `right`.
    pub fn new(left: A, right: B) -> Self {
        Beside { left, right, right_first: false, first_is_dry: false }
    }

    /// The left branch.
    pub fn left(&self) -> &A {
        &self.left
    }

    /// The right branch.
    pub fn right(&self) -> &B {
        &self.right
    }

    /// Asks one branch for something to send.
    fn ask(&mut self, right: bool, cx: &mut Cx) -> Option<<A::Lower as Seam>::Down> {
        if right { self.right.poll_outbound(cx) } else { self.left.poll_outbound(cx) }
    }

    /// Pulls one message inside one branch.
    fn pull(&mut self, right: bool, cx: &mut Cx) -> bool {
        if right { self.right.step_pull(cx) } else { self.left.step_pull(cx) }
    }
}

impl<A, B> Layer for Beside<A, B>
where
    A: Layer,
    B: Layer<Lower = A::Lower>,
{
    type Upper = Both<A::Upper, B::Upper>;
    type Lower = A::Lower;

    fn name(&self) -> &'static str {
        self.left.name()
    }

    fn lowest_name(&self) -> &'static str {
        self.left.lowest_name()
    }

    fn handle_outbound(&mut self, message: <Self::Upper as Seam>::Down, cx: &mut Cx) {
        self.first_is_dry = false;
        match message {
            Either::Left(message) => self.left.handle_outbound(message, cx),
            Either::Right(message) => self.right.handle_outbound(message, cx),
        }
    }

    fn handle_inbound(&mut self, message: <Self::Lower as Seam>::Up, cx: &mut Cx) {
        self.first_is_dry = false;
        if self.left.accepts(&message) {
            self.left.handle_inbound(message, cx);
        } else if self.right.accepts(&message) {
            self.right.handle_inbound(message, cx);
        } else {
            cx.dropped("beside", "no layer above takes it");
        }
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<<Self::Lower as Seam>::Down> {
        if let Some(message) = self.ask(self.right_first, cx) {
            self.right_first = !self.right_first;
            self.first_is_dry = false;
            return Some(message);
        }
        // In a free run the first has been asked to its depth; while stepping, only `step_pull` finds out.
        if cx.stepping && !self.first_is_dry {
            return None;
        }
        let message = self.ask(!self.right_first, cx)?;
        self.first_is_dry = false;
        Some(message)
    }

    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<<Self::Upper as Seam>::Up> {
        if let Some(message) = self.left.poll_inbound(cx) {
            return Some(Either::Left(message));
        }
        self.right.poll_inbound(cx).map(Either::Right)
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.first_is_dry = false;
        self.left.handle_timeout(cx);
        self.right.handle_timeout(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.left.poll_timeout(), self.right.poll_timeout())
    }

    fn is_sending(&self) -> bool {
        self.left.is_sending() || self.right.is_sending()
    }

    fn step_settle(&mut self, cx: &mut Cx) -> bool {
        let moved = self.left.step_settle(cx) || self.right.step_settle(cx);
        self.first_is_dry &= !moved;
        moved
    }

    fn step_pull(&mut self, cx: &mut Cx) -> bool {
        if self.pull(self.right_first, cx) {
            return true;
        }
        // The second may have something ready, which is asked for before anything is pulled inside it.
        let was_dry = std::mem::replace(&mut self.first_is_dry, true);
        was_dry && self.pull(!self.right_first, cx)
    }

    fn accepts(&self, message: &<Self::Lower as Seam>::Up) -> bool {
        self.left.accepts(message) || self.right.accepts(message)
    }
}
