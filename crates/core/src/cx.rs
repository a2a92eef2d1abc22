//! What a layer is told with each call: the time, whether we are stepping, and who is watching.

use crate::observe::{Counters, Crossing, Direction, Dropped, Note, Observer};
use crate::seam::Seam;
use crate::time::Instant;

/// The context of one call into a layer.
pub struct Cx<'a> {
    /// The time of this call.
    pub now: Instant,
    /// Whether compositions hold their messages until [`Layer::step`](crate::Layer::step).
    pub stepping: bool,
    /// Who is watching, if anyone.
    pub observer: Option<&'a mut (dyn Observer + 'a)>,
    /// Where drops are counted: one set for a host, whatever its layers are.
    pub counters: &'a mut Counters,
}

impl<'a> Cx<'a> {
    /// A context that nobody watches.
    pub fn new(now: Instant, counters: &'a mut Counters) -> Self {
        Cx { now, stepping: false, observer: None, counters }
    }

    /// The same, watched by `observer`.
    pub fn observed(now: Instant, counters: &'a mut Counters, observer: &'a mut (dyn Observer + 'a)) -> Self {
        Cx { now, stepping: false, observer: Some(observer), counters }
    }

    /// Whether anyone watches: ask before making anything only for them.
    #[inline]
    pub fn is_observed(&self) -> bool {
        self.observer.is_some()
    }

    /// Counts a drop, and tells whoever watches. `reason` is a short fixed phrase that completes
    /// "dropped because …": `header checksum wrong`.
    #[cold]
    pub fn dropped(&mut self, layer: &'static str, reason: &'static str) {
        self.counters.count(layer, reason);
        if let Some(observer) = &mut self.observer {
            observer.dropped(&Dropped { now: self.now, layer, reason });
        }
    }

    /// Counts a drop of what was simply not for this host, as a shared link brings it: another station's frame, a group
    /// not listened to. Unlike [`dropped`](Self::dropped), it is no sign that something is wrong.
    #[cold]
    pub fn ignored(&mut self, layer: &'static str, reason: &'static str) {
        self.counters.count_ignored(layer, reason);
        if let Some(observer) = &mut self.observer {
            observer.ignored(&Dropped { now: self.now, layer, reason });
        }
    }

    /// Tells whoever watches something that happened in a layer, as a sentence for a person. `topic` is a
    /// fixed word by which views find it: `resolved`, `connected`, `handshake`. Free when nobody watches.
    #[inline]
    pub fn note(&mut self, layer: &'static str, topic: &'static str, text: impl FnOnce() -> String) {
        if let Some(observer) = &mut self.observer {
            observer.noted(&Note { now: self.now, layer, topic, text: text() });
        }
    }

    /// The same for what a person must hear even if nobody watches, such as that another station has our address. It is kept
    /// beside the counters, so a layer says each such thing once in a while only.
    #[cold]
    pub fn warn(&mut self, layer: &'static str, topic: &'static str, text: String) {
        let warning = Note { now: self.now, layer, topic, text };
        if let Some(observer) = &mut self.observer {
            observer.noted(&warning);
        }
        self.counters.warn(warning);
    }

    /// Tells whoever watches a TLS secret, as a line of the `SSLKEYLOGFILE` format.
    pub fn secret(&mut self, line: &str) {
        if let Some(observer) = &mut self.observer {
            observer.secret(self.now, line);
        }
    }

    /// Tells whoever watches that `message` crosses the seam `S` between the layers `upper` and `lower`.
    pub fn crossed<S: Seam>(
        &mut self,
        upper: &'static str,
        lower: &'static str,
        direction: Direction,
        message: &dyn crate::Message,
    ) {
        if let Some(observer) = &mut self.observer {
            observer.crossed(&Crossing { now: self.now, seam: S::NAME, upper, lower, direction, message });
        }
    }
}
