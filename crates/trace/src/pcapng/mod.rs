//! Captures as other programs read and write them.
//!
//! Read first: draft-ietf-opsawg-pcapng sections 3 (blocks), 4.1 to 4.4 (section, interface, packets) and 4.7
//! (decryption secrets); draft-ietf-opsawg-pcap section 4 for the older format, which is only read.

pub(crate) mod custom;
mod error;
mod item;
mod read;
pub(crate) mod write;

pub use error::ReadError;
pub use item::{Interface, Item, Packet};
pub use read::{CaptureReader, LONGEST_BLOCK, MOST_INTERFACES};
pub use write::{CaptureOptions, CaptureWriter, SIMULATED_EPOCH, write_capture};

/// A block with what decrypts the packets that follow it (draft-ietf-opsawg-pcapng, section 4.7).
const DECRYPTION_SECRETS_BLOCK: u32 = 0x0a;
/// The type of secrets that are an `SSLKEYLOGFILE`: "TLSK".
const TLS_KEY_LOG: u32 = 0x544c_534b;
