//! The Ethernet layer: frames, MAC addresses and ARP, as a state machine without I/O.
//!
//! ```text
//!            packets, next hop │              ▲ packets, what became of neighbours
//!          ┌───────────────────▼──────────────┴──────────────────┐
//!          │  next hop ─► neighbours ─► MAC      filter ◄─ frame │
//!          │               │    ▲                  │             │
//!          │               ▼    │ learned          ▼             │
//!          │              ARP requests, replies, conflicts       │
//!          └───────────────────┬──────────────▲──────────────────┘
//!                       frames ▼              │ frames
//! ```
//!
//! IP says *to which neighbour* a packet goes; [`Ethernet`] finds out *which station* that is, and puts 14 bytes
//! in front: whose frame it is, who sent it, and what is inside. Coming in, it keeps what is for this
//! station and drops the rest before anything in it is read.
//!
//! IPv4 neighbours are resolved here, by ARP. IPv6 neighbours are resolved by NDP, which is ICMPv6 and so
//! belongs to IP: this layer asks upward and is told (see [`Packets`](framewise_core::seams::Packets)).
//!
//! # The smallest example
//!
//! A packet for a neighbour that nobody has heard of: a question leaves first, and the answer frees the packet.
//!
//! ```
//! use framewise_core::seams::{frame::Frame, packet::{LinkControl, Packet, PacketDown}};
//! use framewise_core::{Buf, Cx, Instant, Layer, Rng, buf::{InterfaceId, NextHop}, observe::Counters};
//! use framewise_ethernet::{ArpPacket, Config, Ethernet, FrameView};
//!
//! let (mine, yours) = ("02:00:00:00:00:0a".parse()?, "02:00:00:00:00:01".parse()?);
//! let (me, router) = ([192, 0, 2, 10].into(), [192, 0, 2, 1].into());
//! let (link, mut counters) = (InterfaceId(0), Counters::default());
//! let mut cx = Cx::new(Instant::ZERO, &mut counters);
//!
//! let mut ethernet = Ethernet::new(Config::one(mine), Rng::from_seed(1));
//! let claim = LinkControl::Claim { interface: link, address: me };
//! ethernet.handle_outbound(PacketDown::Control(Box::new(claim)), &mut cx);
//!
//! let packet = Packet::new(Buf::copy_from_slice(&[0x45; 20]), link, NextHop::Neighbour(router));
//! ethernet.handle_outbound(PacketDown::Packet(packet), &mut cx);
//!
//! let question = ethernet.poll_outbound(&mut cx).expect("an ARP request goes first");
//! let view = FrameView::new(&question)?;
//! assert!(view.destination().is_broadcast());
//! let request = ArpPacket::parse(view.payload())?;
//! assert_eq!(request.target_address, router);
//!
//! let answer = request.reply(yours).to_frame(mine, yours);
//! ethernet.handle_inbound(Frame::new(answer, link), &mut cx);
//! let frame = ethernet.poll_outbound(&mut cx).expect("now the packet leaves");
//! assert_eq!(FrameView::new(&frame)?.destination(), yours);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! | to learn | read |
//! |---|---|
//! | the header, byte by byte | [`frame`], [`arp`] |
//! | how a header is explained to a person | [`describe`](mod@describe) |
//! | VLAN tags, and what captures have in Ethernet's place | [`vlan`], [`link`] |
//! | which frames are for us | [`filter`] |
//! | how a neighbour is found, kept, doubted and forgotten | `neighbours`, `table`, `waiting` |
//! | how our own addresses are claimed and defended | `claims` |
//! | how stations get addresses that don't collide | [`assign`] |

#![forbid(unsafe_code)]

pub mod arp;
pub mod assign;
mod claims;
pub mod config;
pub mod describe;
pub mod drops;
mod error;
pub mod filter;
pub mod frame;
mod layer;
pub mod link;
mod neighbours;
pub mod passive;
mod resolution;
mod table;
pub mod vlan;
mod waiting;

pub use arp::{ArpPacket, Operation};
pub use assign::MacAllocator;
pub use config::{Config, InterfaceConfig, NeighbourConfig};
pub use describe::{describe, describe_arp};
pub use error::ParseError;
pub use frame::{EtherType, FrameView, Header};
pub use framewise_core::MacAddr;
pub use layer::Ethernet;
pub use link::{Link, link_type_name};
pub use neighbours::{Neighbour, NeighbourState};
pub use vlan::describe_vlan;
