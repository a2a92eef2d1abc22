//! The contract that every layer of framewise keeps, and the few types that two neighbours share.
//!
//! ```text
//!        Upper::Down │            ▲ Upper::Up
//!   handle_outbound  ▼            │  poll_inbound
//!              ┌──────────────────────────┐
//!              │      one Layer           │◄── handle_timeout, at poll_timeout
//!              └──────────────────────────┘
//!     poll_outbound  │            ▲  handle_inbound
//!        Lower::Down ▼            │ Lower::Up
//! ```
//!
//! A [`Layer`] is one protocol as a pure state machine: no I/O, no clock, no threads, and no randomness
//! that it was not handed. What two neighbouring layers say to each other is a [`Seam`].
//! [`Over`] stacks two layers and is itself one; [`Beside`] puts two branches over one layer.
//! Whoever knows one layer knows them all: the laws stand at [`Layer`].
//!
//! # Where to look
//!
//! | to learn | read |
//! |---|---|
//! | what a layer must do | [`layer`] |
//! | who moves messages, and in which order | [`over`] |
//! | what is said between HTTP, TLS, TCP, IP and Ethernet | [`seams`] |
//! | how bytes travel without being copied | [`buf`] |
//! | how a run is watched | [`observe`] |
//! | how a layer says why it drops something | [`drops`] |
//! | how a layer explains its own header | [`describe`](mod@describe) |

#![forbid(unsafe_code)]

pub mod beside;
pub mod buf;
pub mod checksum;
pub mod cx;
pub mod describe;
pub mod drops;
pub mod id;
pub mod layer;
pub mod mac;
pub mod message;
pub mod observe;
pub mod over;
pub mod read;
pub mod rng;
pub mod seam;
pub mod seams;
pub mod time;

pub use beside::Beside;
pub use buf::Buf;
pub use cx::Cx;
pub use describe::{Description, Field, StateField};
pub use drops::DropReason;
pub use layer::Layer;
pub use mac::MacAddr;
pub use message::Message;
pub use observe::{Counters, Direction, Observer};
pub use over::Over;
pub use rng::Rng;
pub use seam::{Both, Either, Seam};
pub use time::Instant;
