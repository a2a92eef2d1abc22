//! The conformance kit: puts any layer, ours or a student's, through the laws of the contract and through its
//! protocol's own cases, and tells a failure as numbered steps, what was expected and what came.
//!
//! ```text
//!                 ┌── cases: "answers an ARP request for its own address" (RFC 826), …
//!   check_layer ──┤                                                      ──► Report, or the first Failure
//!        │        └── laws 1 to 8, read off further runs of the same scripts, garbage and floods
//!        ▼
//!   a fresh layer per run, called as the Runner calls it, in virtual time
//! ```
//!
//! The suites are written against the [seams](framewise_core::seams) with raw bytes alone, so it does not matter how a
//! layer is made: [`check_layer`] is given a closure that makes a fresh one. [`check_pair`] lets two TCPs talk to each
//! other over a bad link.
//!
//! # The smallest example
//!
//! A layer that does nothing at all, put through the suite of UDP:
//!
//! ```
//! use framewise_conformance::{check_layer, suites};
//! use framewise_core::seams::{Datagrams, Segments, datagram::*, segment::*};
//! use framewise_core::{Cx, Layer};
//!
//! struct Lazy;
//!
//! impl Layer for Lazy {
//!     type Upper = Datagrams;
//!     type Lower = Segments;
//!     fn name(&self) -> &'static str { "lazy" }
//!     fn handle_outbound(&mut self, _: DatagramDown, _: &mut Cx) {}
//!     fn handle_inbound(&mut self, _: SegmentUp, _: &mut Cx) {}
//!     fn poll_outbound(&mut self, _: &mut Cx) -> Option<SegmentDown> { None }
//!     fn poll_inbound(&mut self, _: &mut Cx) -> Option<DatagramUp> { None }
//! }
//!
//! let failure = check_layer(|| Lazy, &suites::udp(Default::default())).unwrap_err();
//! assert_eq!(failure.to_string(), "\
//! udp: the case \"sends a datagram with its ports, length and checksum\" failed at step 4 (RFC 768)
//!    1  the user says: bring me what comes to port 4000
//!    2  expected for the user nothing more: the port can be had
//!    3  the user says: \"hello\" to 192.0.2.9:53
//!    4  expected for IP: the datagram
//!       came: nothing
//! What it means: Eight bytes in front: both ports, the length with the header, and the sum over the pseudo-header too.");
//! ```
//!
//! # How the laws are put to a layer
//!
//! | law | by |
//! |---|---|
//! | 1 pure | each script is played again, and again with someone watching: the same messages, byte for byte, at the same time |
//! | 2 nothing lost | in a [`Flood`] each message must come out or be counted as dropped |
//! | 3 bounded | a flood may leave no more than its bound; the books of stream seams are kept in every run |
//! | 4 polls | after every act both polls are asked until `None`, and then once more |
//! | 5 bad bytes | arbitrary messages, and each script with damaged ones: no panic, no endless polling, no other law broken |
//! | 6 timeouts | each `handle_timeout` must be followed by a later `poll_timeout`; early calls must change nothing |
//! | 7 pull | a case that asks for one message, lets the layer learn something, and asks for the next |
//! | 8 stepping | each script is played stepping: the same messages in each direction |
//!
//! A composition of layers is a layer: [`check_layer`] takes it with a [`Suite`] between its outer seams.
//!
//! # Where to look
//!
//! | to learn | read |
//! |---|---|
//! | how a script is written | [`Case`] |
//! | what else a suite needs | [`Suite`] |
//! | the protocols' cases | [`suites`] |
//! | raw frames, packets, segments by hand | [`craft`] |

#![forbid(unsafe_code)]

mod case;
mod check;
pub mod craft;
mod end;
mod failure;
mod law;
mod ledger;
mod link;
mod notes;
mod pair;
mod player;
mod report;
mod suite;
pub mod suites;
mod trouble;

pub use case::{Case, Verdict};
pub use check::check_layer;
pub use failure::Failure;
pub use law::Law;
pub use ledger::Ledger;
pub use notes::Notes;
pub use pair::{PairRun, PairSuite, Weather, check_pair};
pub use report::Report;
pub use suite::{Aside, Flood, Suite};
