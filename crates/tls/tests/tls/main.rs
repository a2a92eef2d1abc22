//! The layer over streams that split, merge, starve and lie. One file a topic.

mod authority;
mod certificates;
mod common;
mod describe;
mod determinism;
mod handshake;
mod hostile;
mod transfer;
