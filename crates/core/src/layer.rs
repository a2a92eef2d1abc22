//! The one contract: what every layer is, and the laws it keeps.
//!
//! # The laws
//!
//! `framewise-conformance` puts any layer through these; the numbers are those that its failures name.
//!
//! 1. **Pure.** A layer's outputs depend on nothing but its construction and the calls made, in order:
//!    no I/O, no clock but [`Cx::now`], no randomness but what it was built with. Two layers built alike
//!    and called alike say the same, byte for byte.
//! 2. **Nothing taken is lost.** What `handle_*` takes comes out of `poll_*`, is kept, or is dropped *visibly*
//!    ([`Cx::dropped`], counted by reason). Frames and packets may be dropped that way; a byte of a stream that
//!    was accepted under credit may not: its connection ends with a reason instead.
//! 3. **Bounded.** Every queue has a bound. On a credited seam the sender respects the credit; whoever
//!    exceeds it is told that by the end of the connection (`Misuse`), never by a silent loss.
//! 4. **`poll_*` gives until `None`.** Whoever called `handle_*` polls both ways until nothing comes. A poll
//!    that gave `None` gives `None` again until something is handled or the clock reaches `poll_timeout`.
//! 5. **Bad bytes are a drop, not an error.** No input makes a layer panic, hang or grow without bound. Misuse by a
//!    neighbour and the end of a connection are messages upward that carry the reason.
//! 6. **Timeouts.** `poll_timeout` tells when `handle_timeout` wants to be called next: after a call at that
//!    time it tells a later time or `None`. Calling `handle_timeout` early does no harm.
//! 7. **Pull, don't push, below.** On a seam that is not credited the upper layer offers its next message
//!    only through `poll_outbound`, made at the moment of asking; it does not run ahead of the lower side.
//! 8. **Stepping.** With [`Cx::stepping`] a composition moves nothing across its inner seams by itself;
//!    [`Layer::step`] moves at most one message across one of them, and says whether it did. The outcome of a
//!    stepped run equals that of a free one, provided that it keeps the order of a free one: what moves by itself
//!    ([`Layer::step_settle`]) goes before the application's next word, and that before anything is pulled
//!    ([`Layer::step_pull`]).

use crate::cx::Cx;
use crate::seam::Seam;
use crate::time::Instant;

/// One protocol as a pure state machine between two seams. The laws stand in the [module](self).
pub trait Layer {
    /// What this layer says and hears upward.
    type Upper: Seam;
    /// What this layer says and hears downward.
    type Lower: Seam;

    /// The layer's name in traces and counters: `http`, `tls`, `tcp`, `ip`, `ethernet`. A composition gives
    /// that of its uppermost layer.
    fn name(&self) -> &'static str;

    /// The name of the lowest layer of a composition; a single layer's own name.
    fn lowest_name(&self) -> &'static str {
        self.name()
    }

    /// Takes a message from above, on its way out.
    fn handle_outbound(&mut self, message: <Self::Upper as Seam>::Down, cx: &mut Cx);

    /// Takes a message from below, on its way in.
    fn handle_inbound(&mut self, message: <Self::Lower as Seam>::Up, cx: &mut Cx);

    /// The next message for the layer below, if there is one now.
    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<<Self::Lower as Seam>::Down>;

    /// The next message for the layer above, if there is one now.
    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<<Self::Upper as Seam>::Up>;

    /// The clock has moved: do what is due at [`Cx::now`].
    fn handle_timeout(&mut self, _cx: &mut Cx) {}

    /// When [`handle_timeout`](Self::handle_timeout) must be called next, if at all.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Whether something that was accepted from above has not arrived at the other side yet, as far as this layer can
    /// know: whoever ends a host waits until none of its layers says so.
    fn is_sending(&self) -> bool {
        false
    }

    /// Moves at most one message across one inner seam; `false` if there was none to move.
    fn step(&mut self, cx: &mut Cx) -> bool {
        self.step_settle(cx) || self.step_pull(cx)
    }

    /// Of a [step](Self::step), what a free run does at once: one message up, or pushed down.
    fn step_settle(&mut self, _cx: &mut Cx) -> bool {
        false
    }

    /// Of a [step](Self::step), what a free run does only when it is asked for something to send: one message pulled
    /// down. Called when [`poll_outbound`](Self::poll_outbound) has given `None`.
    fn step_pull(&mut self, _cx: &mut Cx) -> bool {
        false
    }

    /// Whether this message from below is for this layer. [`Beside`](crate::Beside) asks its branches in
    /// turn; TCP takes protocol 6, UDP takes 17.
    fn accepts(&self, _message: &<Self::Lower as Seam>::Up) -> bool {
        true
    }
}

/// A layer behind a pointer is a layer: that is how a student's own takes the place of ours at run time.
impl<L: Layer + ?Sized> Layer for Box<L> {
    type Upper = L::Upper;
    type Lower = L::Lower;

    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn lowest_name(&self) -> &'static str {
        (**self).lowest_name()
    }

    fn handle_outbound(&mut self, message: <Self::Upper as Seam>::Down, cx: &mut Cx) {
        (**self).handle_outbound(message, cx);
    }

    fn handle_inbound(&mut self, message: <Self::Lower as Seam>::Up, cx: &mut Cx) {
        (**self).handle_inbound(message, cx);
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<<Self::Lower as Seam>::Down> {
        (**self).poll_outbound(cx)
    }

    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<<Self::Upper as Seam>::Up> {
        (**self).poll_inbound(cx)
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        (**self).handle_timeout(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        (**self).poll_timeout()
    }

    fn is_sending(&self) -> bool {
        (**self).is_sending()
    }

    fn step(&mut self, cx: &mut Cx) -> bool {
        (**self).step(cx)
    }

    fn step_settle(&mut self, cx: &mut Cx) -> bool {
        (**self).step_settle(cx)
    }

    fn step_pull(&mut self, cx: &mut Cx) -> bool {
        (**self).step_pull(cx)
    }

    fn accepts(&self, message: &<Self::Lower as Seam>::Up) -> bool {
        (**self).accepts(message)
    }
}
