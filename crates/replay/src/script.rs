//! What a script or a sidecar says, once it is read.
//!
//! The grammar is in the book, in the chapter "Write a replay test".

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise::core::MacAddr;
use framewise::ip::Cidr;
use framewise::tcp::segment::Flags;

use crate::compare::Compared;
use crate::pins::Pins;

/// A script, or the sidecar of a capture: the host, and step by step what happens to it.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The host that runs live.
    pub host: HostSettings,
    /// What is pinned, so that tuning elsewhere changes nothing here.
    pub pins: Pins,
    /// Who is played at the other end, in scripts.
    pub peer: Option<Peer>,
    /// Whether the player answers ARP and NDP for the peer and the gateways by itself.
    pub answers_neighbours: bool,
    /// Whether the application takes what comes only when a step says so.
    pub reads_by_hand: bool,
    /// What is compared of what the host sends; for captures.
    pub compared: Compared,
    /// When frames must be sent; to the nanosecond in a capture, within 2 ms in a script, unless said otherwise.
    pub timing: Option<Timing>,
    /// Which moment of the capture is the run's zero.
    pub start: Start,
    /// Text about the test, as it stands.
    pub title: Option<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The lines of the settings as they were written: what a sidecar made of this script begins with.
    pub(crate) preamble: Vec<String>,
}

/// Which host runs live.
#[derive(Clone, Debug)]
pub struct HostSettings {
    /// My computer of the world in memory, whatever else is said here.
    pub is_of_world: bool,
    /// Its name, which separates its randomness from that of others.
    pub name: String,
    /// Everything random follows from it.
    pub seed: u64,
    /// Its MAC address.
    pub mac: Option<MacAddr>,
    /// Its addresses with their networks.
    pub addresses: Vec<Cidr>,
    /// Its routers.
    pub gateways: Vec<IpAddr>,
    /// Its name servers.
    pub name_servers: Vec<IpAddr>,
    /// Names that it knows without asking.
    pub known: Vec<(String, IpAddr)>,
    /// Bytes of the largest packet.
    pub mtu: Option<usize>,
    /// Whether it probes and announces its addresses.
    pub announces: bool,
    /// Whether addresses of IPv6 come first.
    pub prefers_ipv6: bool,
    /// Seconds since 1970 at the run's zero, for certificates.
    pub clock: Option<u64>,
    /// Ports where the built-in site is served, and whether over TLS.
    pub serves: Vec<(u16, bool)>,
}

impl Default for HostSettings {
    fn default() -> Self {
        HostSettings {
            is_of_world: false,
            name: "host".to_owned(),
            seed: 1,
            mac: None,
            addresses: Vec::new(),
            gateways: Vec::new(),
            name_servers: Vec::new(),
            known: Vec::new(),
            mtu: None,
            announces: false,
            prefers_ipv6: false,
            clock: None,
            serves: Vec::new(),
        }
    }
}

/// Who is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its MAC address.
    pub mac: MacAddr,
    /// Its address.
    pub address: IpAddr,
    /// Its port, for TCP and UDP.
    pub port: u16,
}

/// When what the host sends must be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// So much sooner or later than expected at most.
    Within(Duration),
    /// At any time, up to a minute later.
    Free,
}

impl Timing {
    /// How long something is waited for that may be at any time.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
}

/// Which moment of a capture is the run's zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The one at which simulated runs begin in captures.
    #[default]
    Simulated,
    /// That of the first frame.
    FirstFrame,
    /// This one, in nanoseconds since 1970.
    At(u64),
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its line, from 1.
    pub line: usize,
    /// The line as it was written, one space between its words, and without its comment.
    pub text: String,
    /// The same without its time.
    pub deed: String,
    /// When.
    pub when: When,
    /// What.
    pub action: Action,
}

/// When a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At once after the step before.
    Now,
    /// So long after the run's beginning.
    At(Duration),
    /// So long after the step before.
    After(Duration),
    /// At some time between these, counted from the step before; only for what the host is to do.
    Between(Duration, Duration),
    /// When the fetch before is done.
    Then,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// The host's application does something.
    Do(Deed),
    /// A frame comes to the host.
    Inject(Box<Injection>),
    /// The host is to send a frame.
    Expect(Expectation),
    /// The host is to send nothing up to this time.
    Silence,
    /// The application is to hear something.
    Hear(Heard),
}

/// What the application does.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Fetches a page.
    Fetch(FetchLine),
    /// Listens on this port.
    Listen(u16),
    /// Connects.
    Connect(SocketAddr),
    /// Sends these bytes on the connection that was opened last.
    Send(Bytes),
    /// Takes so many bytes more.
    Grant(usize),
    /// Has nothing more to send.
    Close,
    /// Gives up.
    Abort,
}

/// A page to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchLine {
    /// The URL.
    pub url: String,
    /// The method.
    pub method: String,
    /// Fields of the head.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Option<Bytes>,
    /// Whether the body's length is not told before.
    pub is_chunked: bool,
    /// How many redirects are followed.
    pub redirects: usize,
}

/// What the application hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The connection is there.
    Opened,
    /// So many bytes came since the last time.
    Data(usize),
    /// These bytes did.
    Text(Vec<u8>),
    /// The peer sends no more.
    PeerClosed,
    /// The connection is over; the reason contains these words.
    Closed(String),
}

/// A frame that comes to the host.
#[derive(Clone, Debug)]
pub struct Injection {
    /// What is in it.
    pub content: Content,
    /// From which address, where it is not the peer's.
    pub from: Option<IpAddr>,
    /// From which MAC address, where it is not the peer's.
    pub mac: Option<MacAddr>,
    /// To which MAC address, where it is not the host's.
    pub to_mac: Option<MacAddr>,
    /// To which address, where it is not the host's first of that version.
    pub to: Option<IpAddr>,
    /// The packet's time to live or hop limit.
    pub time_to_live: Option<u8>,
    /// In fragments that carry at most so many bytes.
    pub fragments: Option<usize>,
    /// Which of the fragments comes first, second, and so on; all in order unless given.
    pub order: Option<Vec<usize>>,
    /// Whether the checksum of what the packet carries is wrong.
    pub is_damaged: bool,
}

impl Injection {
    /// This, from the peer to the host, and nothing special about it.
    pub fn of(content: Content) -> Self {
        Injection {
            content,
            from: None,
            mac: None,
            to_mac: None,
            to: None,
            time_to_live: None,
            fragments: None,
            order: None,
            is_damaged: false,
        }
    }
}

impl Script {
    /// Whether the host's application speaks to TCP itself: where it neither fetches nor serves pages.
    pub(crate) fn has_sockets(&self) -> bool {
        let fetches = |step: &Step| matches!(step.action, Action::Do(Deed::Fetch(_)));
        self.host.serves.is_empty() && !self.steps.iter().any(fetches)
    }
}

/// What is in a frame that comes to the host.
#[derive(Clone, Debug)]
pub enum Content {
    /// A segment of TCP.
    Tcp(Segment),
    /// A datagram of UDP.
    Udp {
        /// From which port, where it is not the peer's.
        from: Option<u16>,
        /// To which port.
        to: u16,
        /// What is in it.
        data: Bytes,
    },
    /// An echo request.
    Ping {
        /// The identifier.
        identifier: u16,
        /// The sequence number.
        sequence: u16,
        /// Bytes of data.
        length: usize,
    },
    /// An ICMP error that quotes the last packet that the host sent.
    Error {
        /// Its type, of ICMP or ICMPv6 as the peer's address has it.
        kind: u8,
        /// Its code.
        code: u8,
        /// The MTU, where it tells one.
        mtu: u32,
    },
    /// ARP: `request`, `reply`, `probe` or `announcement`.
    Arp {
        /// Which.
        kind: ArpKind,
        /// About which address.
        about: IpAddr,
    },
    /// NDP: who has this address?
    Solicitation {
        /// About which address.
        about: IpAddr,
    },
    /// NDP: I have this address.
    Advertisement {
        /// About which address.
        about: IpAddr,
    },
    /// These bytes as they are.
    Frame(Vec<u8>),
    /// The frame that came last, once more.
    Again,
}

/// What an ARP packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpKind {
    /// Who has the address?
    Request,
    /// The sender has it.
    Reply,
    /// Has anybody the address, which the sender wants for itself (RFC 5227)?
    Probe,
    /// The sender has it from now on.
    Announcement,
}

/// A segment of TCP. Its numbers count from the beginning of each stream: the SYN is 0, the first byte 1.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// The control bits.
    pub flags: Flags,
    /// The sequence number; next in order unless given.
    pub sequence: Option<u32>,
    /// The acknowledgment number; all that came unless given, with ACK.
    pub acknowledgment: Option<u32>,
    /// The window as it is in the header.
    pub window: Option<u16>,
    /// The options.
    pub options: SegmentOptions,
    /// The data.
    pub data: Bytes,
    /// From which port, where it is not the peer's.
    pub from_port: Option<u16>,
    /// To which port, where it is not that of the last segment.
    pub to_port: Option<u16>,
}

/// The options of a segment.
#[derive(Clone, Debug, Default)]
pub struct SegmentOptions {
    /// The maximum segment size.
    pub maximum_segment_size: Option<u16>,
    /// The window scale.
    pub window_scale: Option<u8>,
    /// Whether SACK is permitted.
    pub sack_permitted: bool,
    /// Blocks that came out of order, counted as the acknowledgment number.
    pub sack: Vec<(u32, u32)>,
}

/// A frame that the host is to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The layer that is looked at, as it is called: `TCP`; `None`: any frame.
    pub protocol: Option<String>,
    /// Fields that must have these values.
    pub fields: Vec<(String, String)>,
    /// The bytes of payload of that layer.
    pub length: Option<usize>,
    /// The payload of that layer.
    pub data: Option<Vec<u8>>,
}
