//! What a message is made of: questions, records, and the numbers that name them.
//!
//! Read first: RFC 1035 sections 3.2 (records), 4.1 (message); RFC 3596 section 2.1 (AAAA).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::name::Name;

/// What kind of record, or of question (RFC 1035 section 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An IPv4 address.
    A,
    /// A name server.
    Ns,
    /// The name that this name stands for.
    Cname,
    /// The start of a zone.
    Soa,
    /// The name of an address.
    Ptr,
    /// An IPv6 address.
    Aaaa,
    /// In a question only: whatever there is.
    Any,
    /// Any other.
    Other(u16),
}

impl From<u16> for Kind {
    fn from(number: u16) -> Self {
        match number {
            1 => Kind::A,
            2 => Kind::Ns,
            5 => Kind::Cname,
            6 => Kind::Soa,
            12 => Kind::Ptr,
            28 => Kind::Aaaa,
            255 => Kind::Any,
            other => Kind::Other(other),
        }
    }
}

impl From<Kind> for u16 {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::A => 1,
            Kind::Ns => 2,
            Kind::Cname => 5,
            Kind::Soa => 6,
            Kind::Ptr => 12,
            Kind::Aaaa => 28,
            Kind::Any => 255,
            Kind::Other(number) => number,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::A => "A",
            Kind::Ns => "NS",
            Kind::Cname => "CNAME",
            Kind::Soa => "SOA",
            Kind::Ptr => "PTR",
            Kind::Aaaa => "AAAA",
            Kind::Any => "ANY",
            // RFC 3597 section 5.
            Kind::Other(number) => return write!(f, "TYPE{number}"),
        })
    }
}

/// The class of the Internet (RFC 1035 section 3.2.4).
pub const INTERNET: u16 = 1;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name.
    pub name: Name,
    /// Which kind of its records.
    pub kind: Kind,
    /// Of which class: [`INTERNET`].
    pub class: u16,
}

/// One thing that is known about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name.
    pub name: Name,
    /// Of which class: [`INTERNET`].
    pub class: u16,
    /// For how many seconds it may be remembered.
    pub ttl: u32,
    /// What is known.
    pub data: Data,
}

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// The name has this IPv4 address.
    A(Ipv4Addr),
    /// The name has this IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name stands for this one.
    Cname(Name),
    /// The address has this name.
    Ptr(Name),
    /// The zone begins here.
    Soa(Box<Soa>),
    /// Something else, which we don't look into.
    Other(Kind),
}

/// The start of a zone (RFC 1035 section 3.3.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// The zone's first name server.
    pub server: Name,
    /// The mailbox of who answers for it, its at sign written as a dot.
    pub mailbox: Name,
    /// The version of the zone.
    pub serial: u32,
    /// For how many seconds it may be remembered that something is not there (RFC 2308 section 4).
    pub minimum: u32,
}

impl Data {
    /// Which kind of record has such data.
    pub fn kind(&self) -> Kind {
        match self {
            Data::A(_) => Kind::A,
            Data::Aaaa(_) => Kind::Aaaa,
            Data::Cname(_) => Kind::Cname,
            Data::Ptr(_) => Kind::Ptr,
            Data::Soa(_) => Kind::Soa,
            Data::Other(kind) => *kind,
        }
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Data::A(address) => Some((*address).into()),
            Data::Aaaa(address) => Some((*address).into()),
            _ => None,
        }
    }
}

impl From<IpAddr> for Data {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Data::A(address),
            IpAddr::V6(address) => Data::Aaaa(address),
        }
    }
}

/// How it went (RFC 1035 section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseCode {
    /// Well.
    NoError,
    /// The server could not read the question.
    FormatError,
    /// The server has a problem of its own.
    ServerFailure,
    /// There is no such name.
    NameError,
    /// The server does not know this kind of question.
    NotImplemented,
    /// The server won't.
    Refused,
    /// Another.
    Other(u16),
}

impl ResponseCode {
    /// The server speaks no such version of EDNS (RFC 6891 section 9).
    pub const BAD_VERSION: ResponseCode = ResponseCode::Other(16);
}

impl From<u16> for ResponseCode {
    fn from(number: u16) -> Self {
        match number {
            0 => ResponseCode::NoError,
            1 => ResponseCode::FormatError,
            2 => ResponseCode::ServerFailure,
            3 => ResponseCode::NameError,
            4 => ResponseCode::NotImplemented,
            5 => ResponseCode::Refused,
            other => ResponseCode::Other(other),
        }
    }
}

impl From<ResponseCode> for u16 {
    fn from(code: ResponseCode) -> Self {
        match code {
            ResponseCode::NoError => 0,
            ResponseCode::FormatError => 1,
            ResponseCode::ServerFailure => 2,
            ResponseCode::NameError => 3,
            ResponseCode::NotImplemented => 4,
            ResponseCode::Refused => 5,
            ResponseCode::Other(number) => number,
        }
    }
}

impl fmt::Display for ResponseCode {
    /// The words of RFC 1035.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ResponseCode::NoError => "no error",
            ResponseCode::FormatError => "format error",
            ResponseCode::ServerFailure => "server failure",
            ResponseCode::NameError => "name error",
            ResponseCode::NotImplemented => "not implemented",
            ResponseCode::Refused => "refused",
            ResponseCode::Other(number) => return write!(f, "response code {number}"),
        })
    }
}
