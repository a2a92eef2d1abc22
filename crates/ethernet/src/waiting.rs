//! Packets that wait until it is known at which MAC address their neighbour is.
//!
//! Read first: RFC 1122 section 2.3.2.2 (save at least the latest packet for each unresolved destination).

use std::collections::VecDeque;

use framewise_core::seams::packet::Packet;

use crate::neighbours::Key;

/// All waiting packets in the order in which they came. When there are too many, the oldest makes room, so that
/// neighbours who never answer can't keep the packets of one who is about to from waiting.
#[derive(Debug)]
pub(crate) struct Waiting {
    each: usize,
    total: usize,
    queue: VecDeque<(Key, Packet)>,
}

impl Waiting {
    /// At most `each` packets for one neighbour and `total` for all.
    pub(crate) fn new(each: usize, total: usize) -> Self {
        Waiting { each, total, queue: VecDeque::new() }
    }

    /// Adds a packet; gives back the one that must make room for it.
    pub(crate) fn push(&mut self, key: Key, packet: Packet) -> Option<Packet> {
        let same = self.queue.iter().filter(|(other, _)| *other == key).count();
        self.queue.push_back((key, packet));
        if same >= self.each {
            self.take(key)
        } else if self.queue.len() > self.total {
            self.queue.pop_front().map(|(_, packet)| packet)
        } else {
            None
        }
    }

    /// Takes the oldest packet for this neighbour.
    pub(crate) fn take(&mut self, key: Key) -> Option<Packet> {
        let oldest = self.queue.iter().position(|(other, _)| *other == key)?;
        self.queue.remove(oldest).map(|(_, packet)| packet)
    }
}
