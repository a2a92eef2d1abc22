//! Two connections that are one for those at their ends.

use framewise_core::id::ConnId;

use crate::splice::Side;

/// A connection that a peer opened, and the one that we opened for it on the other side.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The side on which the peer is.
    pub(crate) origin: Side,
    /// The peer's connection there.
    pub(crate) accepted: ConnId,
    /// How it stands with that, and with ours.
    pub(crate) ends: [End; 2],
}

/// The peer's connection among the [ends](Pair::ends), and ours.
pub(crate) const PEERS: usize = 0;
pub(crate) const OURS: usize = 1;

/// One of the two connections.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) stage: Stage,
    /// Bytes for which there is room here, and which the other end has not been granted yet.
    pub(crate) room: usize,
    /// Whether the other end's peer has sent all, and this end is not told yet.
    pub(crate) owes_close: bool,
    /// Whether this end was told to end, or will be once it has taken what it was sent.
    pub(crate) is_ending: bool,
    /// Bytes that may be sent here now, and the most that ever were: as many again once all that was sent is taken.
    credit: usize,
    most: usize,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The peer waits for our word.
    Asked,
    /// It is being opened.
    Opening,
    Open,
    /// Its last word was said.
    Over,
}

impl Pair {
    /// A peer's connection at this stage, and ours that is about to be opened.
    pub(crate) fn new(origin: Side, accepted: ConnId, stage: Stage) -> Self {
        Pair { origin, accepted, ends: [End::at(stage), End::at(Stage::Opening)] }
    }

    /// The side of an end, and the name of the connection there. `key` is the pair's, which is that of our connection.
    pub(crate) fn place(&self, end: usize, key: ConnId) -> (Side, ConnId) {
        if end == PEERS { (self.origin, self.accepted) } else { (self.origin.other(), key) }
    }

    /// Whether both connections are over.
    pub(crate) fn is_over(&self) -> bool {
        self.ends.iter().all(|end| end.stage == Stage::Over)
    }
}

impl End {
    fn at(stage: Stage) -> Self {
        End { stage, room: 0, owes_close: false, is_ending: false, credit: 0, most: 0 }
    }

    /// There is room for `bytes` more here.
    pub(crate) fn has_room(&mut self, bytes: usize) {
        self.room += bytes;
        self.credit += bytes;
        self.most = self.most.max(self.credit);
    }

    /// So many bytes are sent here.
    pub(crate) fn is_sent(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_sub(bytes);
    }

    /// Whether all that was sent here is taken.
    pub(crate) fn is_drained(&self) -> bool {
        self.credit == self.most
    }

    /// Whether data and ends may be passed on to and from it.
    pub(crate) fn is_usable(&self) -> bool {
        self.stage == Stage::Open && !self.is_ending
    }
}
