//! UDP as a layer: who gets an arriving datagram, and from which address one leaves.
//!
//! Read first: RFC 768; RFC 1122 section 4.1.3 (what a host must do beside that: port unreachable, errors
//! passed up, the source address left to IP).
//!
//! *Outbound*, a datagram that names its source address is ready at once. Any other waits until IP has said
//! from which address its destination is reached ([`SegmentControl::Source`]), one question for each
//! destination. *Inbound*, a datagram is checked, then queued at its port.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use framewise_core::buf::ChecksumState;
use framewise_core::read::u16_at;
use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise_core::seams::segment::{
    Segment, SegmentControl, SegmentDown, SegmentError, SegmentEvent, SegmentUp, SourceRoute, UDP,
};
use framewise_core::seams::{Datagrams, Segments};
use framewise_core::{Buf, Cx, Layer};

use crate::header::{DatagramView, HEADER, Header};
use crate::ports::{Arrival, Ports};

/// The name of this layer in counters and traces.
const NAME: &str = "udp";

/// How much a UDP layer holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Ports bound at a time.
    pub ports: usize,
    /// Datagrams that wait at one port to be fetched. Of more, the newest are dropped.
    pub inbound: usize,
    /// Datagrams that wait to leave, together. Of more, the newest are dropped.
    pub outbound: usize,
    /// Datagrams for closed ports of which IP has still to tell the sender. Of more, no sender is told.
    pub refusals: usize,
}

impl Default for Config {
    /// 256 ports with 64 datagrams each, 256 on their way out, 16 refusals.
    fn default() -> Self {
        Config { ports: 256, inbound: 64, outbound: 256, refusals: 16 }
    }
}

/// UDP between the datagram seam and the segment seam.
#[derive(Debug)]
pub struct Udp {
    config: Config,
    ports: Ports,
    /// Destinations whose source address is still to be asked for.
    questions: VecDeque<IpAddr>,
    /// Datagrams whose source address has been asked for.
    waiting: VecDeque<Datagram>,
    /// Datagrams that can leave, each with its source address.
    ready: VecDeque<(IpAddr, Datagram)>,
    /// Datagrams for closed ports.
    refused: VecDeque<Segment>,
}

impl Udp {
    /// A UDP layer with no port bound.
    pub fn new(config: Config) -> Self {
        Udp {
            config,
            ports: Ports::new(config.ports, config.inbound),
            questions: VecDeque::new(),
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            refused: VecDeque::new(),
        }
    }

    fn bind(&mut self, port: u16, cx: &mut Cx) {
        if !self.ports.bind(port) {
            self.tell(DatagramUp::BindFailed { port }, cx);
        }
    }

    fn unbind(&mut self, port: u16, cx: &mut Cx) {
        let unfetched = self.ports.unbind(port).unwrap_or(0);
        for _ in 0..unfetched {
            cx.dropped(NAME, "port given back before it was fetched");
        }
    }

    fn tell(&mut self, event: DatagramUp, cx: &mut Cx) {
        if !self.ports.event(event) {
            cx.dropped(NAME, "too many events wait");
        }
    }

    fn send(&mut self, datagram: Datagram, cx: &mut Cx) {
        if let Some(reason) = self.unsendable(&datagram) {
            return cx.dropped(NAME, reason);
        }
        let destination = datagram.remote.ip();
        match datagram.local {
            Some(local) => self.ready.push_back((local, datagram)),
            None => {
                if !self.waiting.iter().any(|w| w.remote.ip() == destination) {
                    self.questions.push_back(destination);
                }
                self.waiting.push_back(datagram);
            }
        }
    }

    /// Why a datagram can't be sent, if so.
    fn unsendable(&self, datagram: &Datagram) -> Option<&'static str> {
        let remote = datagram.remote;
        // An IPv4 header of 20 bytes counts in the 65,535 of the packet; an IPv6 header does not.
        let most = match remote {
            SocketAddr::V4(_) => usize::from(u16::MAX) - 20 - HEADER,
            SocketAddr::V6(_) => usize::from(u16::MAX) - HEADER,
        };
        if !self.ports.is_bound(datagram.port) {
            Some("sent from a port that is not bound")
        } else if remote.port() == 0 {
            Some("destination port 0")
        } else if datagram.data.len() > most {
            Some("datagram too long")
        } else if datagram.local.is_some_and(|local| local.is_ipv4() != remote.is_ipv4()) {
            Some("addresses of different families")
        } else if self.waiting.len() + self.ready.len() >= self.config.outbound {
            Some("outbound queue full")
        } else {
            None
        }
    }

    /// IP has said how `destination` is reached: what waited for that can leave, or never will.
    fn routed(&mut self, destination: IpAddr, route: Option<SourceRoute>, cx: &mut Cx) {
        for datagram in std::mem::take(&mut self.waiting) {
            if datagram.remote.ip() != destination {
                self.waiting.push_back(datagram);
                continue;
            }
            match route {
                Some(route) => self.ready.push_back((route.source, datagram)),
                None => self.tell(
                    DatagramUp::Unreachable { port: datagram.port, remote: datagram.remote, kind: None },
                    cx,
                ),
            }
        }
    }

    /// An ICMP error counts only if it quotes what a bound port sent lately: anybody can write one (RFC 5927).
    fn failed(&mut self, error: &SegmentError, cx: &mut Cx) {
        let ports = (u16_at(&error.quoted, 0), u16_at(&error.quoted, 2));
        let (Some(port), Some(remote_port)) = ports else {
            return cx.dropped(NAME, "error quotes too little");
        };
        let remote = SocketAddr::new(error.destination, remote_port);
        if !self.ports.has_written(port, remote) {
            return cx.dropped(NAME, "error about nothing we sent");
        }
        let kind = Some(error.kind);
        self.tell(DatagramUp::Unreachable { port, remote, kind }, cx);
    }

    fn receive(&mut self, segment: Segment, cx: &mut Cx) {
        let header = match check(&segment) {
            Ok(header) => header,
            Err(reason) => return cx.dropped(NAME, reason),
        };
        match self.ports.room(header.destination_port) {
            Arrival::Closed => self.refuse(segment, cx),
            Arrival::Full => cx.dropped(NAME, "port's queue full"),
            Arrival::Queued => {
                let (source, destination) = (segment.source(), segment.destination());
                let mut buf = segment.0;
                buf.advance(HEADER);
                self.ports.arrive(Datagram {
                    port: header.destination_port,
                    local: Some(destination),
                    remote: SocketAddr::new(source, header.source_port),
                    data: buf.into_bytes(),
                });
            }
        }
    }

    /// Nobody has bound the port: the sender shall know, unless it wrote to many at once (RFC 1122 section 3.2.2).
    fn refuse(&mut self, segment: Segment, cx: &mut Cx) {
        let to_many = match segment.destination() {
            IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
            IpAddr::V6(address) => address.is_multicast(),
        };
        cx.dropped(NAME, "nobody has bound the port");
        if !to_many && self.refused.len() < self.config.refusals {
            self.refused.push_back(segment);
        }
    }

    /// Writes a datagram into a buffer, at the moment when it leaves.
    fn emit(&mut self, source: IpAddr, datagram: &Datagram) -> Option<Segment> {
        let header = Header { source_port: datagram.port, destination_port: datagram.remote.port() };
        let destination = datagram.remote.ip();
        let mut buf = Buf::copy_from_slice(&datagram.data);
        header.emit(&mut buf, source, destination).ok()?;
        self.ports.wrote(datagram.port, datagram.remote);
        Some(Segment::new(buf, source, destination, UDP))
    }
}

/// The header of an inbound datagram, or why it is dropped.
fn check(segment: &Segment) -> Result<Header, &'static str> {
    let view = DatagramView::parse(segment).map_err(|error| error.reason())?;
    if segment.offload().checksum == ChecksumState::Complete {
        view.verify(segment.source(), segment.destination()).map_err(|error| error.reason())?;
    }
    Ok(view.header())
}

impl Layer for Udp {
    type Upper = Datagrams;
    type Lower = Segments;

    fn name(&self) -> &'static str {
        NAME
    }

    fn handle_outbound(&mut self, message: DatagramDown, cx: &mut Cx) {
        match message {
            DatagramDown::Bind { port } => self.bind(port, cx),
            DatagramDown::Unbind { port } => self.unbind(port, cx),
            DatagramDown::Send(datagram) => self.send(datagram, cx),
        }
    }

    fn handle_inbound(&mut self, message: SegmentUp, cx: &mut Cx) {
        if message.protocol() != UDP {
            return cx.dropped(NAME, "not UDP");
        }
        match message {
            SegmentUp::Segment(segment) => self.receive(segment, cx),
            SegmentUp::Event(event) => match *event {
                SegmentEvent::Source { destination, route, .. } => self.routed(destination, route, cx),
                SegmentEvent::Error(error) => self.failed(&error, cx),
            },
        }
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<SegmentDown> {
        if let Some(segment) = self.refused.pop_front() {
            let control = SegmentControl::PortUnreachable(segment);
            return Some(SegmentDown::Control(Box::new(control)));
        }
        if let Some(destination) = self.questions.pop_front() {
            let control = SegmentControl::Source { destination, protocol: UDP };
            return Some(SegmentDown::Control(Box::new(control)));
        }
        while let Some((source, datagram)) = self.ready.pop_front() {
            match self.emit(source, &datagram) {
                Some(segment) => return Some(SegmentDown::Segment(segment)),
                None => cx.dropped(NAME, "datagram too long"),
            }
        }
        None
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<DatagramUp> {
        self.ports.next()
    }

    fn accepts(&self, message: &SegmentUp) -> bool {
        message.protocol() == UDP
    }
}
