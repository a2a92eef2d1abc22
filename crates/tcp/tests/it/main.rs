//! TCP, tried: two hosts joined by a link in virtual time, and single segments made by hand.

// In a test a panic is the verdict, in its helpers too.
#![allow(clippy::unwrap_used)]

mod asking;
mod cookies;
mod ends;
mod errors;
mod guard;
mod header;
mod hostile;
mod idle;
mod life;
mod opening;
mod openings;
mod pair;
mod pieces;
mod retransmission;
mod stand;
mod stranger;
mod transfer;
mod watching;
