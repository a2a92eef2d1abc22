//! TCP (RFC 9293) as a layer: streams of bytes above, segments below.
//!
//! ```text
//!      Listen, Connect, Send, Grant │          ▲ Opened, Data, Writable, Closed
//!                                   ▼          │
//!   ┌──────────────────────── Tcp ─────────────────────────┐
//!   │ layer       which connection is a message for?       │
//!   │ connection  credits, the life of one connection      │
//!   │ guard       RFC 5961: is it really the peer's?       │
//!   │ engine      smoltcp's state machine, one socket each │
//!   └──────────────────────────────────────────────────────┘
//!               segments, addresses │          ▲ segments, addresses, ICMP errors
//!                                   ▼          │
//! ```
//!
//! The state machine of each connection is smoltcp's: retransmission, congestion control (CUBIC), reassembly. What is
//! ours is all around it, so that a connection costs the same beside ten thousand others, addresses and checksums are
//! our own affair, and a forged segment has to guess (RFC 5961, RFC 6528).
//!
//! | to learn | read |
//! |---|---|
//! | what a segment looks like | [`segment`] |
//! | what its header says, in sentences | [`describe`](mod@describe) |
//! | what two watched streams of segments tell | [`analysis`] |
//! | how both ends of a watched connection stand, and what is unusual | [`passive`] |
//! | what can be set | [`Config`] |
//!
//! # Alone
//!
//! ```
//! use std::net::IpAddr;
//! use framewise_core::id::{ConnId, Opener};
//! use framewise_core::seams::segment::{SegmentControl, SegmentDown, SegmentEvent, SegmentUp, SourceRoute, TCP};
//! use framewise_core::seams::stream::{Security, StreamDown};
//! use framewise_core::{Counters, Cx, Instant, Layer, Rng};
//! use framewise_tcp::segment::{Flags, Header};
//! use framewise_tcp::{Config, Tcp};
//!
//! let mut tcp = Tcp::new(Config::default(), Rng::from_seed(1));
//! let mut counters = Counters::default();
//! let mut cx = Cx::new(Instant::ZERO, &mut counters);
//!
//! let conn = ConnId::new(Opener::Upper, 0, 0);
//! let remote = "203.0.113.80:80".parse().unwrap();
//! tcp.handle_outbound(StreamDown::Connect { conn, remote, security: Security::Plain }, &mut cx);
//!
//! // It asks the layer below from which address, and is told.
//! assert!(matches!(tcp.poll_outbound(&mut cx), Some(SegmentDown::Control(_))));
//! let source: IpAddr = "192.0.2.10".parse().unwrap();
//! let answer = SegmentEvent::Source {
//!     destination: remote.ip(),
//!     protocol: TCP,
//!     route: Some(SourceRoute { source, mtu: 1_500 }),
//! };
//! tcp.handle_inbound(SegmentUp::Event(Box::new(answer)), &mut cx);
//!
//! // Then it knocks.
//! let Some(SegmentDown::Segment(syn)) = tcp.poll_outbound(&mut cx) else { panic!("no segment") };
//! let header = Header::parse(&syn).unwrap();
//! assert_eq!(header.flags, Flags::SYN);
//! assert_eq!(header.destination_port, 80);
//! assert_eq!(header.options.maximum_segment_size, Some(1_460));
//! ```

#![deny(unsafe_code)]

mod allowance;
pub mod analysis;
mod checksum;
mod config;
mod connection;
mod cookie;
pub mod describe;
pub mod drops;
mod engine;
mod flows;
mod guard;
mod layer;
mod listen;
mod outputs;
pub mod passive;
mod reset;
mod rings;
mod rto;
pub mod segment;
mod send_queue;
mod sequence;
mod time_wait;
mod timers;

pub use analysis::{Facts, Flow};
pub use checksum::Checksum;
pub use config::{Config, CongestionControl, LeastPace};
pub use describe::{describe, describe_of_length};
pub use layer::Tcp;
pub use segment::{Header, ParseError};
pub use sequence::SeqNumber;
