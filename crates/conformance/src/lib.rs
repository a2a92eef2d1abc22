//! The conformance kit: puts any layer, ours or a student's, through the laws of the contract and its protocol's own cases.
#![forbid(unsafe_code)]
mod case;
mod check;
pub mod craft;
mod failure;
mod law;
mod ledger;
mod notes;
mod player;
mod report;
mod suite;
pub mod suites;
mod trouble;
pub use case::{Case, Verdict};
pub use check::check_layer;
pub use failure::Failure;
pub use law::Law;
pub use notes::Notes;
pub use report::Report;
pub use suite::{Aside, Flood, Suite};
