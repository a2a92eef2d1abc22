//! One side of a pair: a TCP with an application that sends, reads and closes.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use framewise_core::buf::ChecksumState;
use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::segment::{
    Segment, SegmentControl, SegmentDown, SegmentEvent, SegmentUp, SourceRoute,
};
use framewise_core::seams::stream::{CloseReason, Endpoint, Security, StreamDown, StreamUp};
use framewise_core::seams::{Segments, Streams};
use framewise_core::{Counters, Cx, Instant, Layer};

use crate::law::Law;
use crate::ledger::Ledger;
use crate::link::Link;
use crate::trouble::Trouble;

/// How much the application lets come up at a time.
const GRANT: usize = 10_000;
/// More moves than any run needs at one instant.
const MOST: usize = 100_000;

/// Who begins.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    Connects(SocketAddr),
    Listens(SocketAddr),
}

pub(crate) struct End<L> {
    layer: L,
    pub(crate) address: IpAddr,
    role: Role,
    counters: Counters,
    ledger: Ledger,
    conn: Option<ConnId>,
    to_send: Bytes,
    writable: usize,
    closing: bool,
    expected: Vec<u8>,
    received: usize,
    peer_closed: bool,
    closed: Option<CloseReason>,
}

impl<L: Layer<Upper = Streams, Lower = Segments>> End<L> {
    pub(crate) fn new(layer: L, address: IpAddr, role: Role, to_send: Vec<u8>, expected: Vec<u8>) -> Self {
        End {
            layer,
            address,
            role,
            counters: Counters::default(),
            ledger: Ledger::default(),
            conn: None,
            to_send: to_send.into(),
            writable: 0,
            closing: false,
            expected,
            received: 0,
            peer_closed: false,
            closed: None,
        }
    }

    /// Listens, or connects.
    pub(crate) fn begin(&mut self, now: Instant, link: &mut Link) -> Result<(), Trouble> {
        let security = Security::Plain;
        match self.role {
            Role::Listens(at) => {
                let endpoint = Endpoint { address: None, port: at.port() };
                self.says(StreamDown::Listen { endpoint, security }, now)?;
            }
            Role::Connects(remote) => {
                let conn = ConnId::new(Opener::Upper, 0, 0);
                self.says(StreamDown::Connect { conn, remote, security }, now)?;
            }
        }
        self.turn(now, link)
    }

    /// Whether the connection is over and everything came.
    pub(crate) fn is_finished(&self) -> bool {
        self.closed == Some(CloseReason::Finished) && self.peer_closed && self.received == self.expected.len()
    }

    pub(crate) fn next_timeout(&mut self) -> Result<Option<Instant>, Trouble> {
        self.call("poll_timeout", Instant::ZERO, |layer, _| layer.poll_timeout())
    }

    pub(crate) fn hears(&mut self, segment: Segment, now: Instant, link: &mut Link) -> Result<(), Trouble> {
        let message = SegmentUp::Segment(segment);
        self.call("handle_inbound", now, |layer, cx| layer.handle_inbound(message, cx))?;
        self.turn(now, link)
    }

    /// Calls the layer if its time has come.
    pub(crate) fn fire(&mut self, now: Instant, link: &mut Link) -> Result<(), Trouble> {
        if self.next_timeout()?.is_none_or(|due| due > now) {
            return Ok(());
        }
        self.call("handle_timeout", now, |layer, cx| layer.handle_timeout(cx))?;
        self.turn(now, link)
    }

    /// Polls both ways, and lets the application act, until nothing moves.
    fn turn(&mut self, now: Instant, link: &mut Link) -> Result<(), Trouble> {
        for _ in 0..MOST {
            if let Some(up) = self.call("poll_inbound", now, |layer, cx| layer.poll_inbound(cx))? {
                self.ledger.comes_up(&up).map_err(|why| {
                    Trouble::broken(Law::Bounded, "the rules of the stream seam to be kept", why)
                })?;
                self.application(up, now)?;
            } else if let Some(down) = self.call("poll_outbound", now, |layer, cx| layer.poll_outbound(cx))? {
                self.network(down, now, link)?;
            } else if !self.send_more(now)? {
                return Ok(());
            }
        }
        Err(Trouble::broken(Law::PollUntilNone, "polls that give None at last", "it gives without end"))
    }

    /// What IP would do.
    fn network(&mut self, down: SegmentDown, now: Instant, link: &mut Link) -> Result<(), Trouble> {
        match down {
            SegmentDown::Segment(segment) if segment.offload().checksum == ChecksumState::Complete => {
                link.send(segment, now);
                Ok(())
            }
            SegmentDown::Segment(_) => {
                Err(Trouble::unmet("a segment left its checksum to the device, and this link has none"))
            }
            SegmentDown::Control(control) => match *control {
                SegmentControl::Source { destination, protocol } => {
                    let route = Some(SourceRoute { source: self.address, mtu: 1_500 });
                    let event =
                        SegmentUp::Event(Box::new(SegmentEvent::Source { destination, protocol, route }));
                    self.call("handle_inbound", now, |layer, cx| layer.handle_inbound(event, cx))
                }
                SegmentControl::PortUnreachable(_) | SegmentControl::Unreachable { .. } => Ok(()),
            },
        }
    }

    fn application(&mut self, up: StreamUp, now: Instant) -> Result<(), Trouble> {
        match up {
            StreamUp::Opened { conn, .. } => {
                self.conn = Some(conn);
                self.says(StreamDown::Grant { conn, bytes: GRANT }, now)
            }
            StreamUp::Data { conn, data } => {
                self.reads(&data)?;
                self.says(StreamDown::Grant { conn, bytes: data.len() }, now)
            }
            StreamUp::Writable { bytes, .. } => {
                self.writable += bytes;
                Ok(())
            }
            StreamUp::PeerClosed { .. } => {
                self.peer_closed = true;
                Ok(())
            }
            StreamUp::Closed { reason: CloseReason::Finished, .. } => {
                self.closed = Some(CloseReason::Finished);
                Ok(())
            }
            StreamUp::Closed { reason, .. } => {
                Err(Trouble::unmet(format!("the {}'s connection ended: {reason}", self.who())))
            }
            StreamUp::Asked { conn, .. } => self.says(StreamDown::Accept { conn }, now),
            StreamUp::Listening { result, .. } => result.map_err(|error| Trouble::unmet(error.to_string())),
        }
    }

    /// These bytes must be the next of what the other side sent.
    fn reads(&mut self, data: &[u8]) -> Result<(), Trouble> {
        let wanted = self.expected.get(self.received..).unwrap_or_default();
        if !wanted.starts_with(data) {
            let same = wanted.iter().zip(data).take_while(|(a, b)| a == b).count();
            let (who, at) = (self.who(), self.received + same);
            return Err(Trouble::unmet(format!("byte {at} that the {who} got is not the one that was sent")));
        }
        self.received += data.len();
        Ok(())
    }

    fn send_more(&mut self, now: Instant) -> Result<bool, Trouble> {
        let Some(conn) = self.conn.filter(|_| !self.closing) else { return Ok(false) };
        if self.to_send.is_empty() {
            self.closing = true;
            self.says(StreamDown::Close { conn }, now)?;
            return Ok(true);
        }
        let piece = self.writable.min(self.to_send.len());
        if piece == 0 {
            return Ok(false);
        }
        self.writable -= piece;
        let data = self.to_send.split_to(piece);
        self.says(StreamDown::Send { conn, data }, now)?;
        Ok(true)
    }

    fn says(&mut self, message: StreamDown, now: Instant) -> Result<(), Trouble> {
        self.ledger.said(&message);
        self.call("handle_outbound", now, |layer, cx| layer.handle_outbound(message, cx))
    }

    fn call<T>(
        &mut self,
        name: &str,
        now: Instant,
        act: impl FnOnce(&mut L, &mut Cx) -> T,
    ) -> Result<T, Trouble> {
        let (layer, counters) = (&mut self.layer, &mut self.counters);
        catch_unwind(AssertUnwindSafe(|| act(layer, &mut Cx::new(now, counters))))
            .map_err(|panic| Trouble::panicked(name, &*panic))
    }

    fn who(&self) -> &'static str {
        match self.role {
            Role::Connects(_) => "client",
            Role::Listens(_) => "server",
        }
    }

    /// How far it came.
    pub(crate) fn told(&self) -> String {
        let state = match (&self.conn, &self.closed) {
            (None, _) => "not open",
            (Some(_), None) => "still open",
            (Some(_), Some(_)) => "finished",
        };
        let end = if self.peer_closed { ", and the peer's end" } else { "" };
        let (received, expected) = (self.received, self.expected.len());
        format!("{state}; {} bytes left to send; {received} of {expected} came{end}", self.to_send.len())
    }
}
