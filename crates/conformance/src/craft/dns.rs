//! DNS messages (RFC 1035 section 4).

use std::net::IpAddr;

use framewise_core::read::u16_at;

/// Type A: an IPv4 address.
pub const A: u16 = 1;
/// Type CNAME: the name's real name.
pub const CNAME: u16 = 5;
/// Type AAAA: an IPv6 address (RFC 3596).
pub const AAAA: u16 = 28;

/// What a query asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The number by which the answer is known.
    pub id: u16,
    /// The flags of the header.
    pub flags: u16,
    /// The name, in small letters, labels between dots.
    pub name: String,
    /// [`A`], [`AAAA`], …
    pub kind: u16,
    /// The question section as it was written: an answer repeats it.
    pub section: Vec<u8>,
}

impl Question {
    /// The question in a query, if it has exactly one.
    pub fn read(query: &[u8]) -> Option<Self> {
        if u16_at(query, 4)? != 1 {
            return None;
        }
        let mut labels = Vec::new();
        let mut at = 12;
        loop {
            let length = usize::from(*query.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            let label = query.get(at..at + length).filter(|_| length < 64)?;
            labels.push(String::from_utf8_lossy(label).to_lowercase());
            at += length;
        }
        Some(Question {
            id: u16_at(query, 0)?,
            flags: u16_at(query, 2)?,
            name: labels.join("."),
            kind: u16_at(query, at)?,
            section: query.get(12..at + 4)?.to_vec(),
        })
    }

    /// An answer with this response code and these records.
    pub fn answer(&self, code: u16, records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.id.to_be_bytes().to_vec();
        // QR, RD and RA: a response, recursion wanted and to be had.
        bytes.extend((0x8180 | code).to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend((records.len() as u16).to_be_bytes());
        bytes.extend([0, 0, 0, 0]);
        bytes.extend(&self.section);
        records.iter().for_each(|record| bytes.extend(record));
        bytes
    }
}

/// A record of an address, whose owner's name stands in the question: a pointer to byte 12 (section 4.1.4).
pub fn address(address: IpAddr, ttl: u32) -> Vec<u8> {
    address_of(&[0xc0, 12], address, ttl)
}

/// A record of an address with this owner's name.
pub fn address_of(owner: &[u8], address: IpAddr, ttl: u32) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => record(owner, A, ttl, &address.octets()),
        IpAddr::V6(address) => record(owner, AAAA, ttl, &address.octets()),
    }
}

/// An alias of the name in the question.
pub fn alias(target: &[u8], ttl: u32) -> Vec<u8> {
    record(&[0xc0, 12], CNAME, ttl, target)
}

/// A name written out.
pub fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

fn record(owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = owner.to_vec();
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(ttl.to_be_bytes());
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
    bytes
}
