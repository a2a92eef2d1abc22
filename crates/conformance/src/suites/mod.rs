//! The protocols' own cases, one file each, written against the seams with raw bytes: any layer between the
//! same seams passes through them, whoever made it.
//!
//! Each suite is told how the layer under test was set up; the `Default` of its setup says which addresses and names it
//! assumes.

mod dns;
mod ethernet;
mod http;
mod ip;
mod tcp;
mod tls;
mod udp;

pub use dns::{DnsSetup, dns};
pub use ethernet::{EthernetSetup, ethernet};
pub use http::http;
pub use ip::{IpSetup, ip};
pub use tcp::{TcpSetup, tcp};
pub use tls::{TlsSetup, tls};
pub use udp::{UdpSetup, udp};

use crate::case::Verdict;

/// Fine if `is`; else what is wrong, as the end of a sentence.
fn must(is: bool, otherwise: impl Into<String>) -> Verdict {
    if is { Ok(()) } else { Err(otherwise.into()) }
}

/// Fine if both are the same; else which value this `what` has.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Verdict {
    must(found == wanted, format!("{what} is {found:?}, not {wanted:?}"))
}
