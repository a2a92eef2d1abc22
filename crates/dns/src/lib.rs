//! DNS: which addresses has a name? A stub resolver that asks servers, and a small server that answers for a zone.
//!
//! ```text
//!   the application   names, addresses              (name seam)
//!   ┌──────────────────────────────────────────┐
//!   │ Dns   lookups ─► questions ─► cache      │
//!   │       zone ─► responses, on port 53      │
//!   └──────────────────────────────────────────┘
//!   UDP               queries and responses         (datagram seam)
//! ```
//!
//! The resolver asks for IPv4 (A) and IPv6 (AAAA) addresses at once, each question from a random port under a
//! random number, and takes an answer only from the server asked, to that port, number and question: whoever
//! can't see the question must guess all of them. What it learnt it remembers for as long as the server allows.
//!
//! Asking and answering, each layer alone, joined by hand:
//!
//! ```
//! use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
//! use framewise_core::seams::resolve::{NameDown, NameUp};
//! use framewise_core::{Counters, Cx, Instant, Layer, Rng};
//! use framewise_dns::{Config, Dns, Zone};
//!
//! let zone = Zone::new("test")?.with("shop.test", ["203.0.113.80".parse()?])?;
//! let mut server = Dns::new(Config { zone: Some(zone), ..Config::default() }, Rng::from_seed(1));
//! let servers = vec!["192.0.2.1".parse()?];
//! let mut resolver = Dns::new(Config { servers, ..Config::default() }, Rng::from_seed(2));
//!
//! let mut counters = Counters::default();
//! let mut cx = Cx::new(Instant::ZERO, &mut counters);
//! resolver.handle_outbound(NameDown::Resolve { query: 1, name: "shop.test".into() }, &mut cx);
//! // What is sent to the one is what comes to the other: only the ends change places.
//! let turned = |sent: Datagram, by: &str| -> DatagramUp {
//!     let remote = std::net::SocketAddr::new(by.parse().expect("an address"), sent.port);
//!     DatagramUp::Datagram(Datagram { port: sent.remote.port(), local: Some(sent.remote.ip()), remote, data: sent.data })
//! };
//! while let Some(down) = resolver.poll_outbound(&mut cx) {
//!     if let DatagramDown::Send(query) = down {
//!         server.handle_inbound(turned(query, "192.0.2.10"), &mut cx);
//!     }
//! }
//! while let Some(down) = server.poll_outbound(&mut cx) {
//!     if let DatagramDown::Send(response) = down {
//!         resolver.handle_inbound(turned(response, "192.0.2.1"), &mut cx);
//!     }
//! }
//! let Some(NameUp::Resolved { result, .. }) = resolver.poll_inbound(&mut cx) else {
//!     panic!("the name is resolved");
//! };
//! assert_eq!(result?.addresses, ["203.0.113.80".parse::<std::net::IpAddr>()?]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to learn | read |
//! |---|---|
//! | what can be set | [`config`] |
//! | how a message is made up | [`message`], [`record`] |
//! | what a zone answers | [`zone`] |
//! | how a server asks somebody else | [`relay`] |
//! | how a message is explained to a person | [`describe`](describe::describe) |
//!
//! Not here: recursion, TCP (a truncated answer counts for what it holds), DNSSEC.

#![forbid(unsafe_code)]

mod cache;
pub mod config;
pub mod describe;
pub mod drops;
pub mod layer;
mod lookup;
pub mod message;
pub mod name;
mod question;
pub mod record;
pub mod relay;
mod reply;
mod resolver;
mod server;
pub mod zone;

pub use config::{Config, Family, Limits};
pub use describe::describe;
pub use layer::Dns;
pub use message::{Message, MessageError};
pub use name::{Name, NameError};
pub use question::PORT;
pub use relay::Relay;
pub use zone::Zone;
