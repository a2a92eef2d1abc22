//! IPv4, IPv6, ICMP and NDP as one layer: which host a segment goes to, and which way.
//!
//! ```text
//!        TCP, UDP        segments and their addresses
//!   ────────┬──────────────────────────▲──────────────── segment seam
//!           ▼                          │
//!     route, header,            for me? true? whole?
//!     path MTU, split           put together, ICMP ──► answered here
//!           │        ┌── forward ──┐   │
//!           ▼        ▲             ▼   │
//!   ────────┬──────────────────────────┴──────────────── packet seam
//!        Ethernet        packets and their next hop
//! ```
//!
//! [`Ip`] is a [`Layer`](framewise_core::Layer): it never waits, reads no clock and does no I/O. Going down, the
//! header is written in front of the segment in the same buffer; going up, it is passed over. TCP's and UDP's checksums
//! are theirs; this layer hands them the addresses that these need.
//!
//! It answers echo requests, tells sources what is wrong with their packets (within a rate), brings such messages about
//! our own packets up to the transport, finds IPv6 neighbours for Ethernet, and forwards where it is told to be a router.
//!
//! # Alone
//!
//! ```
//! use framewise_core::seams::packet::PacketDown;
//! use framewise_core::seams::segment::{Segment, SegmentDown, UDP};
//! use framewise_core::{Buf, Counters, Cx, Instant, Layer, Rng};
//! use framewise_ip::{Config, InterfaceConfig, Ip};
//!
//! let mac = "02:00:00:00:00:0a".parse()?;
//! let interface = InterfaceConfig::new(mac, ["192.0.2.10/24".parse()?]);
//! let config = Config { interfaces: vec![interface], ..Config::default() }.with_gateway("192.0.2.1".parse()?);
//! let mut ip = Ip::new(config, Rng::from_seed(1));
//!
//! let mut counters = Counters::default();
//! let mut cx = Cx::new(Instant::ZERO, &mut counters);
//! let datagram = Buf::copy_from_slice(b"8 bytes of UDP header, then this");
//! let segment = Segment::new(datagram, "192.0.2.10".parse()?, "203.0.113.80".parse()?, UDP);
//! ip.handle_outbound(SegmentDown::Segment(segment), &mut cx);
//!
//! // First it says which address is its own, for ARP; then comes the packet.
//! assert!(matches!(ip.poll_outbound(&mut cx), Some(PacketDown::Control(_))));
//! let Some(PacketDown::Packet(packet)) = ip.poll_outbound(&mut cx) else { panic!("a packet") };
//! let explained = framewise_ip::describe(&packet)?;
//! assert_eq!(explained.outbound, "to 203.0.113.80, far end");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Decisions
//!
//! - Weak host model (RFC 1122, section 3.3.4.2): a packet for any address of ours is taken on any interface; a
//!   link-local one only on its own.
//! - TCP is never split: what is too big comes back as `TooBig`. UDP and ICMP are split at the source. A super-segment
//!   that the device will cut is left whole.
//! - An inbound packet's header stays in the buffer's headroom. An ICMP error that the transport asks for quotes it from
//!   there; where it is not (it had options, or the transport made a copy), an equal one is made from the addresses.
//! - Memory for fragments is fixed. When it is used up, the source that holds most of it loses.
//! - Redirects and source routes are not followed. No MLD is spoken: switches that prune groups need it, ours don't.
//! - Errors are believed about path MTUs only between 576 (IPv4) or 1,280 bytes (IPv6) and what was sent. Those about
//!   TCP's segments go up, and TCP keeps what is true of them for that connection; only for datagrams over IPv6 is a
//!   path's MTU remembered here.

#![forbid(unsafe_code)]

mod autoconfigure;
pub mod cidr;
pub mod config;
pub mod describe;
pub mod drops;
pub mod error;
pub mod extension;
mod forward;
mod fragment;
mod heard;
pub mod icmpv4;
pub mod icmpv6;
mod identification;
mod inbound;
mod interface;
pub mod ipv4;
pub mod ipv6;
mod layer;
mod messages;
pub mod ndp;
mod neighbours;
mod outbound;
pub mod passive;
mod path_mtu;
mod queue;
mod rate_limit;
mod reassembly;
mod resolve;
mod routes;

pub use cidr::Cidr;
pub use config::{Config, InterfaceConfig, Limits, Route};
pub use describe::{
    describe, describe_icmp, describe_icmpv6, describe_icmpv6_between, describe_ipv4, describe_ipv6,
};
pub use error::ParseError;
pub use extension::FragmentHeader;
pub use ipv4::Ipv4Header;
pub use ipv6::Ipv6Header;
pub use layer::Ip;
