//! A gateway: connections that end on one side, and go on from here on the other.
//!
//! ```text
//!                     ┌───────── Splice ─────────┐
//!    Opened, Data,    │  pairs of connections:   │    Connect, Send,
//!    Writable, … ────►│  what comes up on one    │───► Grant, …
//!                     │  goes down on the other  │
//!                     └──┬────────────────────┬──┘
//!              Streams   │                    │   Streams
//!                   our TCP, on a wire     anybody else's: the operating system's sockets
//! ```
//!
//! The stream seam says all that two sides have to tell each other, so a gateway is one layer over two of them:
//!
//! | on one side | on the other |
//! |---|---|
//! | `Asked` or `Opened` by a peer | `Connect` to where the peer wanted |
//! | `Opened` | `Accept`, where the peer was kept waiting |
//! | `Writable` | `Grant` of as much |
//! | `Data` | `Send` |
//! | `PeerClosed` | `Close` |
//! | `Closed`, not by both sides' will | `Refuse` with the reason, or `Abort` |
//!
//! Room on one side is all the credit that the other ever gets. So not a byte waits in here, and whoever reads slowly slows
//! the sender down, through both TCPs. One that takes nothing any more is broken off a few seconds after the other end is over.
//!
//! What goes through is not looked at: TLS passes as it is, and its ends are beyond both sides.

#![forbid(unsafe_code)]

mod config;
pub mod drops;
mod leaving;
mod pair;
mod splice;

pub use config::Config;
pub use splice::{Side, Splice};
