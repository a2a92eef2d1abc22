//! A layer below a stream seam, with the seam's books kept beside it: whoever breaks a rule of it is found at once.

use framewise::core::seams::Streams;
use framewise::core::seams::stream::{StreamDown, StreamUp};
use framewise::core::{Cx, Instant, Layer, Seam};
use framewise_conformance::Ledger;

/// The layer, and the books of the seam above it.
#[derive(Debug)]
pub struct Kept<L> {
    layer: L,
    ledger: Ledger,
}

impl<L> Kept<L> {
    /// Keeps books for `layer`.
    pub fn new(layer: L) -> Self {
        Kept { layer, ledger: Ledger::default() }
    }
}

impl<L: Layer<Upper = Streams>> Layer for Kept<L> {
    type Upper = Streams;
    type Lower = L::Lower;

    fn name(&self) -> &'static str {
        self.layer.name()
    }

    fn lowest_name(&self) -> &'static str {
        self.layer.lowest_name()
    }

    fn handle_outbound(&mut self, message: StreamDown, cx: &mut Cx) {
        if let Err(why) = self.ledger.goes_down(&message) {
            panic!("above {}: {why}", self.layer.name());
        }
        self.ledger.said(&message);
        self.layer.handle_outbound(message, cx);
    }

    fn handle_inbound(&mut self, message: <L::Lower as Seam>::Up, cx: &mut Cx) {
        self.layer.handle_inbound(message, cx);
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<<L::Lower as Seam>::Down> {
        self.layer.poll_outbound(cx)
    }

    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<StreamUp> {
        let message = self.layer.poll_inbound(cx)?;
        if let Err(why) = self.ledger.comes_up(&message) {
            panic!("{}: {why}", self.layer.name());
        }
        self.ledger.heard(&message);
        Some(message)
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.layer.handle_timeout(cx);
        let next = self.layer.poll_timeout();
        assert!(next.is_none_or(|next| next > cx.now), "{}: {next:?} is due already", self.layer.name());
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.layer.poll_timeout()
    }

    fn is_sending(&self) -> bool {
        self.layer.is_sending()
    }

    fn step_settle(&mut self, cx: &mut Cx) -> bool {
        self.layer.step_settle(cx)
    }

    fn step_pull(&mut self, cx: &mut Cx) -> bool {
        self.layer.step_pull(cx)
    }

    fn accepts(&self, message: &<L::Lower as Seam>::Up) -> bool {
        self.layer.accepts(message)
    }
}
