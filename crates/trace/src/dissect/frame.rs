//! One frame, and what is known of it at once.

use std::net::IpAddr;
use std::time::Duration;

use framewise_core::Direction;

use super::connections::Segment;
use super::layers::Stack;
use super::outline::Outline;
use super::space::{ConnectionId, DatagramId};
use super::store::{Belongs, Interface, NO_TIME, Record};
use super::{Dissection, Refused};

/// A frame of a dissection.
#[derive(Clone, Copy)]
pub struct Frame<'d> {
    pub(super) dissection: &'d Dissection,
    pub(super) number: usize,
    pub(super) record: &'d Record,
}

impl<'d> Frame<'d> {
    /// Its number, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// When it was seen: since 1970 in a capture, since the run began in a run of our own. `None`: nobody says.
    pub fn time(&self) -> Option<Duration> {
        (self.record.time != NO_TIME).then(|| Duration::from_nanos(self.record.time))
    }

    /// On which interface.
    pub fn interface(&self) -> Option<&'d Interface> {
        self.dissection.store.interfaces.get(usize::from(self.record.interface))
    }

    /// Which way it went, seen from where it was captured, if that is known.
    pub fn direction(&self) -> Option<Direction> {
        self.record.direction
    }

    /// Its bytes, as many as were captured.
    pub fn bytes(&self) -> &'d [u8] {
        self.dissection.store.frame(self.number)
    }

    /// How long it was on the wire, in bytes.
    pub fn original_length(&self) -> usize {
        self.record.original as usize
    }

    /// What was written about it: comments of a capture, what our own layers noted.
    pub fn comments(&self) -> &'d [String] {
        self.dissection.comments.get(&(self.number as u32)).map_or(&[], Vec::as_slice)
    }

    /// Who refused it and why, where that is known: in runs of our own.
    pub fn refused(&self) -> Option<Refused> {
        self.dissection.refused.get(&(self.number as u32)).copied()
    }

    /// Which layer refuses it, as far as anybody can tell: who did so in a run of our own; else TCP, where its sum is wrong.
    pub fn refused_by(&self) -> Option<&'static str> {
        let by_tcp = self.is_doubtful().then_some("tcp");
        self.refused().map(|refused| refused.layer).or(by_tcp)
    }

    /// For a run of our own: which of the trace's events it is, as a place in [`Trace::events`](crate::Trace::events). The
    /// frames that one super-frame stands for are all the same event.
    pub fn event(&self) -> Option<usize> {
        self.dissection.events.get(self.number.checked_sub(1)?).copied()
    }

    /// Its layers, the outermost first, each with its fields.
    pub fn layers(&self) -> Stack {
        super::layers::layers(self)
    }

    /// One line: the innermost protocol, and what it says.
    pub fn summary(&self) -> String {
        self.layers().summary()
    }

    /// From which host to which, if there is a packet in it.
    pub fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        let outline = Outline::of(self.interface()?.link()?, self.bytes())?;
        Some((outline.source, outline.destination))
    }

    /// The connection that it is part of.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.place_in_connection().map(|(connection, _)| connection)
    }

    /// The segment of that connection which it brought: itself, or with it the last fragment.
    pub fn segment(&self) -> Option<&'d Segment> {
        let (connection, number) = self.place_in_connection()?;
        self.dissection.record(connection)?.segments.get(number as usize)
    }

    /// The packet in fragments that it is part of.
    pub fn datagram(&self) -> Option<DatagramId> {
        match self.record.belongs {
            Belongs::Fragment(id) | Belongs::LastFragment(id, ..) => Some(id),
            Belongs::Nowhere | Belongs::Segment(..) => None,
        }
    }

    pub(super) fn place_in_connection(&self) -> Option<(ConnectionId, u32)> {
        match self.record.belongs {
            Belongs::Segment(connection, number) | Belongs::LastFragment(_, connection, number) => {
                Some((connection, number))
            }
            Belongs::Nowhere | Belongs::Fragment(_) => None,
        }
    }
}
