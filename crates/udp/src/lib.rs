//! UDP: datagrams between ports, with nothing promised but that what arrives is whole.
//!
//! ```text
//!   DNS, DHCP, …     datagrams by local port       (datagram seam)
//!   ┌────────────────────────────────────────┐
//!   │ Udp   ports with bounded queues        │
//!   └────────────────────────────────────────┘
//!   IP               8 bytes of header + data      (segment seam)
//! ```
//!
//! UDP adds two things to IP: the *ports*, which name the two programs, and a *checksum* over the data and both
//! addresses. It does not connect, order, repeat or pace; a datagram for a port that nobody has bound is
//! answered with an ICMP error, and one for a port whose queue is full is dropped and counted.
//!
//! The layer works alone:
//!
//! ```
//! use framewise_core::seams::datagram::{Datagram, DatagramDown};
//! use framewise_core::seams::segment::SegmentDown;
//! use framewise_core::{Counters, Cx, Instant, Layer};
//! use framewise_udp::{Config, Udp};
//!
//! let mut counters = Counters::default();
//! let mut cx = Cx::new(Instant::ZERO, &mut counters);
//! let mut udp = Udp::new(Config::default());
//!
//! udp.handle_outbound(DatagramDown::Bind { port: 4000 }, &mut cx);
//! udp.handle_outbound(
//!     DatagramDown::Send(Datagram {
//!         port: 4000,
//!         local: Some("192.0.2.10".parse()?),
//!         remote: "203.0.113.80:53".parse()?,
//!         data: "hello".into(),
//!     }),
//!     &mut cx,
//! );
//! let Some(SegmentDown::Segment(segment)) = udp.poll_outbound(&mut cx) else {
//!     panic!("a datagram is ready to leave");
//! };
//! assert_eq!(segment.len(), 8 + 5);
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! | to learn | read |
//! |---|---|
//! | what the eight bytes mean | [`header`] |
//! | how ports, queues and errors are handled | [`layer`] |
//! | how a header is explained to a person | [`describe`](describe::describe) |

#![forbid(unsafe_code)]

pub mod describe;
pub mod drops;
pub mod header;
pub mod layer;
mod ports;

pub use describe::{describe, describe_of_length};
pub use header::{DatagramView, Header, HeaderError};
pub use layer::{Config, Udp};
