//! Between IP and what stands above it: segments and datagrams with their addresses.
//!
//! A TCP of one's own needs little: ask for a [source address](SegmentControl::Source), send and
//! receive [`Segment`]s.

use std::net::IpAddr;

use super::buffer_message;
use crate::buf::{Buf, Offload};
use crate::message::{Message, Subject};
use crate::seam::Seam;

/// The protocol number of TCP (RFC 9293).
pub const TCP: u8 = 6;
/// The protocol number of UDP (RFC 768).
pub const UDP: u8 = 17;

/// The segment seam.
#[derive(Debug, Clone, Copy)]
pub enum Segments {}

impl Seam for Segments {
    const NAME: &'static str = "segment";
    type Down = SegmentDown;
    type Up = SegmentUp;
}

buffer_message! {
    /// A TCP segment or UDP datagram with its header, and the addresses between which it travels.
    Segment
}

impl Segment {
    /// The bytes `buf`, from `source` to `destination`, of protocol number `protocol`.
    pub fn new(mut buf: Buf, source: IpAddr, destination: IpAddr, protocol: u8) -> Self {
        let label = buf.label_mut();
        label.source = source;
        label.destination = destination;
        label.protocol = protocol;
        Segment(buf)
    }

    /// From which host's address.
    pub fn source(&self) -> IpAddr {
        self.label().source
    }

    /// To which host's address.
    pub fn destination(&self) -> IpAddr {
        self.label().destination
    }

    /// [`TCP`] or [`UDP`].
    pub fn protocol(&self) -> u8 {
        self.label().protocol
    }

    /// What is left to the device, or was done by it.
    pub fn offload(&self) -> Offload {
        self.label().offload
    }
}

/// What a transport says to IP.
#[derive(Debug)]
pub enum SegmentDown {
    /// Send this.
    Segment(Segment),
    /// Tell or do this.
    Control(Box<SegmentControl>),
}

/// What a transport asks of IP beside sending.
#[derive(Debug)]
pub enum SegmentControl {
    /// Which source address and which MTU towards this destination? Answered at once by [`SegmentEvent::Source`].
    /// (`GET_SRCADDR` and `GET_MAXSIZES` of RFC 1122, section 3.4.)
    Source {
        /// Where it shall go.
        destination: IpAddr,
        /// The protocol number of whoever asks: [`TCP`] or [`UDP`].
        protocol: u8,
    },
    /// Nobody listens on the port that this inbound datagram names: tell its sender by ICMP (RFC 1122, section 4.1.3.1).
    PortUnreachable(Segment),
    /// This inbound segment asked for something that can't be reached from here: tell its sender by ICMP, as a router
    /// beyond us would (RFC 792, RFC 4443 section 3.1). Of `kind` only what says *unreachable* can be told.
    Unreachable {
        /// What came, with its header.
        segment: Segment,
        /// In which way its destination can't be reached.
        kind: ErrorKind,
    },
}

/// What IP says to a transport.
#[derive(Debug)]
pub enum SegmentUp {
    /// This came.
    Segment(Segment),
    /// This happened.
    Event(Box<SegmentEvent>),
}

/// What IP tells a transport beside segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SegmentEvent {
    /// The answer to [`SegmentControl::Source`].
    Source {
        /// Where it shall go.
        destination: IpAddr,
        /// The protocol number of whoever asked: [`TCP`] or [`UDP`].
        protocol: u8,
        /// Our address on the way there and the MTU in bytes, IP header included; `None`: no route.
        route: Option<SourceRoute>,
    },
    /// What was sent did not arrive, or a router says so (RFC 792, RFC 4443). Judge it by RFC 5927 before acting on it.
    Error(SegmentError),
}

/// How a destination is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceRoute {
    /// Our address on the way there.
    pub source: IpAddr,
    /// Bytes of the largest packet, IP header included.
    pub mtu: usize,
}

/// An error about something we sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Our address, as it stood in what we sent.
    pub source: IpAddr,
    /// Where it should have gone.
    pub destination: IpAddr,
    /// The protocol number of what we sent.
    pub protocol: u8,
    /// The first bytes of the segment or datagram that we sent: at least its ports, often 8 bytes.
    pub quoted: Vec<u8>,
    /// Who says so: a router or the destination; our own address where we found out ourselves.
    pub reporter: IpAddr,
}

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No way to the network (ICMP type 3 code 0; ICMPv6 type 1 code 0).
    NetworkUnreachable,
    /// The host does not answer (ICMP type 3 code 1; ICMPv6 type 1 code 3).
    HostUnreachable,
    /// The host has no such protocol (ICMP type 3 code 2; ICMPv6 type 4 code 1).
    ProtocolUnreachable,
    /// Nobody listens on that port (ICMP type 3 code 3; ICMPv6 type 1 code 4).
    PortUnreachable,
    /// A rule forbids it (ICMP type 3 codes 9, 10 and 13; ICMPv6 type 1 codes 1, 5 and 6).
    Prohibited,
    /// It was too big for a link on the way (ICMP type 3 code 4; ICMPv6 type 2).
    TooBig {
        /// The largest packet that link takes, in bytes; never below the minimum of its IP version.
        mtu: usize,
    },
    /// It went around for too long (ICMP type 11; ICMPv6 type 3).
    TimeExceeded,
    /// A header field was not understood (ICMP type 12; ICMPv6 type 4).
    ParameterProblem,
}

impl ErrorKind {
    /// What went wrong, as the end of a sentence: `the host does not answer`.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::NetworkUnreachable => "no way to the network",
            ErrorKind::HostUnreachable => "the host does not answer",
            ErrorKind::ProtocolUnreachable => "the host does not speak that protocol",
            ErrorKind::PortUnreachable => "nobody listens on that port",
            ErrorKind::Prohibited => "a rule on the way forbids it",
            ErrorKind::TooBig { .. } => "too big for a link on the way",
            ErrorKind::TimeExceeded => "it went through too many routers",
            ErrorKind::ParameterProblem => "a header field was not understood",
        }
    }
}

impl SegmentUp {
    /// The protocol number that this is about: what a transport [accepts](crate::Layer::accepts).
    pub fn protocol(&self) -> u8 {
        match self {
            SegmentUp::Segment(segment) => segment.protocol(),
            SegmentUp::Event(event) => match &**event {
                SegmentEvent::Source { protocol, .. } => *protocol,
                SegmentEvent::Error(error) => error.protocol,
            },
        }
    }
}

fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        TCP => "TCP segment",
        UDP => "UDP datagram",
        _ => "payload",
    }
}

fn segment_summary(segment: &Segment) -> String {
    let what = protocol_name(segment.protocol());
    format!("{what} of {} bytes, {} to {}", segment.len(), segment.source(), segment.destination())
}

impl Message for SegmentDown {
    fn summary(&self) -> String {
        match self {
            SegmentDown::Segment(segment) => segment_summary(segment),
            SegmentDown::Control(control) => match &**control {
                SegmentControl::Source { destination, .. } => format!("how do I reach {destination}?"),
                SegmentControl::PortUnreachable(segment) => {
                    format!("nobody listens here for {}", segment_summary(segment))
                }
                SegmentControl::Unreachable { segment, kind } => {
                    format!("{}: {}", kind.as_str(), segment_summary(segment))
                }
            },
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            SegmentDown::Segment(_) => "segment",
            SegmentDown::Control(_) => "control",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            SegmentDown::Segment(segment) => segment,
            SegmentDown::Control(_) => &[],
        }
    }

    fn subject(&self) -> Subject {
        match self {
            SegmentDown::Segment(segment) => Subject::Buffer(segment.serial()),
            SegmentDown::Control(_) => Subject::None,
        }
    }
}

impl Message for SegmentUp {
    fn summary(&self) -> String {
        match self {
            SegmentUp::Segment(segment) => segment_summary(segment),
            SegmentUp::Event(event) => match &**event {
                SegmentEvent::Source { destination, route: Some(route), .. } => {
                    format!("{destination} is reached from {}, MTU {}", route.source, route.mtu)
                }
                SegmentEvent::Source { destination, route: None, .. } => format!("no route to {destination}"),
                SegmentEvent::Error(error) => {
                    format!("{} says of {}: {}", error.reporter, error.destination, error.kind.as_str())
                }
            },
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            SegmentUp::Segment(_) => "segment",
            SegmentUp::Event(_) => "event",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            SegmentUp::Segment(segment) => segment,
            SegmentUp::Event(_) => &[],
        }
    }

    fn subject(&self) -> Subject {
        match self {
            SegmentUp::Segment(segment) => Subject::Buffer(segment.serial()),
            SegmentUp::Event(_) => Subject::None,
        }
    }
}
