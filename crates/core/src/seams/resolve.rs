//! Between DNS and the application: names and their addresses.

use std::net::IpAddr;
use std::time::Duration;

use crate::message::Message;
use crate::seam::Seam;

/// The name seam.
#[derive(Debug, Clone, Copy)]
pub enum Names {}

impl Seam for Names {
    const NAME: &'static str = "name";
    type Down = NameDown;
    type Up = NameUp;
}

/// What the application says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameDown {
    /// Which addresses does `name` have?
    Resolve {
        /// The asker's number for this question.
        query: u64,
        /// The name, in ASCII, with or without the last dot.
        name: String,
    },
    /// The answer is no longer wanted.
    Cancel {
        /// The number of the question.
        query: u64,
    },
}

/// What DNS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameUp {
    /// The answer, exactly one for each question that was not cancelled.
    Resolved {
        /// The number of the question.
        query: u64,
        /// At least one address, IPv6 and IPv4 in the order in which to try them; or why there is none.
        result: Result<Addresses, ResolveError>,
    },
}

/// The addresses of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// At least one.
    pub addresses: Vec<IpAddr>,
    /// The server that was asked; `None`: known from an earlier answer.
    pub server: Option<IpAddr>,
    /// How long the answer holds.
    pub ttl: Duration,
}

/// Why a name has no address for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No server to ask.
    #[error("no name server is known to ask for {name}")]
    NoServer {
        /// The name.
        name: String,
    },
    /// The server says that there is no such name (NXDOMAIN, RFC 1035 section 4.1.1).
    #[error("there is no name {name}, says {server}")]
    NoSuchName {
        /// The name.
        name: String,
        /// Who says so.
        server: IpAddr,
    },
    /// The name exists but has no address (RFC 2308 section 2.2).
    #[error("the name {name} has no address, says {server}")]
    NoAddress {
        /// The name.
        name: String,
        /// Who says so.
        server: IpAddr,
    },
    /// No answer.
    #[error("no name server answered for {name}: asked {asked} times")]
    TimedOut {
        /// The name.
        name: String,
        /// How often it was asked for.
        asked: u32,
    },
    /// The server could or would not answer.
    #[error("the name server {server} would not answer for {name}: {code}")]
    Refused {
        /// The name.
        name: String,
        /// Who.
        server: IpAddr,
        /// The response code in the words of RFC 1035.
        code: String,
    },
    /// Not a name.
    #[error("{name:?} is not a name that DNS can carry: {why}")]
    BadName {
        /// The text.
        name: String,
        /// Why not.
        why: String,
    },
    /// Too many questions at once.
    #[error("too many names are being asked for already")]
    Busy,
}

impl Message for NameDown {
    fn summary(&self) -> String {
        match self {
            NameDown::Resolve { name, .. } => format!("which address has {name}?"),
            NameDown::Cancel { query } => format!("question {query} is no longer asked"),
        }
    }
}

impl Message for NameUp {
    fn summary(&self) -> String {
        let NameUp::Resolved { result, .. } = self;
        match result {
            Ok(found) => {
                let list: Vec<String> = found.addresses.iter().map(IpAddr::to_string).collect();
                format!("found {}", list.join(", "))
            }
            Err(error) => error.to_string(),
        }
    }
}
