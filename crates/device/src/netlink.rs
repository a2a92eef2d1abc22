//! Asking and telling the kernel about interfaces and addresses.
//!
//! Read first: netlink(7), rtnetlink(7). A message is a header, a fixed part, and attributes, each padded to four
//! bytes, numbers as the machine writes them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::MacAddr;

use crate::linux;

/// `struct nlmsghdr`: length, type, flags, sequence number, port.
const MESSAGE_HEADER: usize = 16;
/// `struct ifinfomsg`: family, padding, type, index, flags, change.
const LINK_HEADER: usize = 16;
/// `struct ifaddrmsg`: family, prefix length, flags, scope, index.
const ADDRESS_HEADER: usize = 8;
/// `struct rtattr`: length, type.
const ATTRIBUTE_HEADER: usize = 4;
/// More than one message of the kernel holds.
const ANSWER: usize = 64 * 1_024;
/// `IFF_LOWER_UP`: somebody has opened the other side of the TAP.
const LOWER_UP: u32 = 1 << 16;

/// An interface, as the kernel sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// What made it: `tun`, `veth`; `None` for hardware.
    pub(crate) kind: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) mac: Option<MacAddr>,
    pub(crate) mtu: usize,
    pub(crate) up: bool,
    pub(crate) carrier: bool,
    /// Whether what the kernel sends leaves it: a little after carrier and up.
    pub(crate) running: bool,
}

/// A conversation with the kernel's routing tables.
pub(crate) struct Netlink {
    socket: File,
    sequence: u32,
}

impl Netlink {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Netlink { socket: linux::netlink_socket()?.into(), sequence: 0 })
    }

    /// The interface of this name.
    pub(crate) fn link(&mut self, name: &str) -> io::Result<Option<Link>> {
        Ok(self.links()?.into_iter().find(|link| link.name == name))
    }

    /// All interfaces.
    pub(crate) fn links(&mut self) -> io::Result<Vec<Link>> {
        let request = Request::new(libc::RTM_GETLINK, dump(), &[0; LINK_HEADER]);
        let answers = self.ask(request)?;
        Ok(answers.iter().filter_map(|answer| parse_link(answer)).collect())
    }

    /// The addresses of an interface with their prefix lengths.
    pub(crate) fn addresses(&mut self, index: u32) -> io::Result<Vec<(IpAddr, u8)>> {
        let request = Request::new(libc::RTM_GETADDR, dump(), &[0; ADDRESS_HEADER]);
        let answers = self.ask(request)?;
        Ok(answers
            .iter()
            .filter_map(|answer| parse_address(answer))
            .filter(|(of, ..)| *of == index)
            .map(|(_, address, prefix)| (address, prefix))
            .collect())
    }

    /// Puts an address on an interface, or leaves it there. IPv6: at once, without asking whether another has it.
    pub(crate) fn add_address(&mut self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        const SCOPE_UNIVERSE: u8 = 0;
        let (family, octets, flags) = match address {
            IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec(), 0),
            IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec(), libc::IFA_F_NODAD),
        };
        let mut fixed = vec![family as u8, prefix, flags as u8, SCOPE_UNIVERSE];
        fixed.extend(index.to_ne_bytes());
        let mut request = Request::new(
            libc::RTM_NEWADDR,
            libc::NLM_F_CREATE | libc::NLM_F_REPLACE | libc::NLM_F_ACK,
            &fixed,
        );
        request.attribute(libc::IFA_LOCAL, &octets);
        request.attribute(libc::IFA_ADDRESS, &octets);
        self.ask(request).map(drop)
    }

    /// Brings an interface up.
    pub(crate) fn set_up(&mut self, index: u32) -> io::Result<()> {
        self.ask(set_link(index, libc::IFF_UP as u32)).map(drop)
    }

    /// Sets the bytes of an interface's largest packet.
    pub(crate) fn set_mtu(&mut self, index: u32, mtu: u32) -> io::Result<()> {
        let mut request = set_link(index, 0);
        request.attribute(libc::IFLA_MTU, &mtu.to_ne_bytes());
        self.ask(request).map(drop)
    }

    /// Writes a remark on an interface.
    pub(crate) fn set_alias(&mut self, index: u32, alias: &str) -> io::Result<()> {
        let mut request = set_link(index, 0);
        request.attribute(libc::IFLA_IFALIAS, alias.as_bytes());
        self.ask(request).map(drop)
    }

    /// Removes an interface that was made by software.
    pub(crate) fn delete(&mut self, index: u32) -> io::Result<()> {
        let request = Request::new(libc::RTM_DELLINK, libc::NLM_F_ACK, &link_header(index, 0));
        self.ask(request).map(drop)
    }

    /// Sends a request and collects the answers up to the acknowledgement or the end of the list.
    fn ask(&mut self, mut request: Request) -> io::Result<Vec<Vec<u8>>> {
        self.sequence += 1;
        self.socket.write_all(request.finish(self.sequence))?;
        let mut answers = Vec::new();
        let mut buffer = vec![0; ANSWER];
        loop {
            let length = self.socket.read(&mut buffer)?;
            let mut rest = buffer.get(..length).unwrap_or_default();
            while let Some((kind, message, after)) = split_message(rest) {
                rest = after;
                match kind {
                    libc::NLMSG_DONE => return Ok(answers),
                    libc::NLMSG_ERROR => return acknowledgement(message).map(|()| answers),
                    _ => answers.push(message.to_vec()),
                }
            }
        }
    }
}

/// A request under construction.
struct Request(Vec<u8>);

impl Request {
    fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(((flags | libc::NLM_F_REQUEST) as u16).to_ne_bytes());
        bytes.resize(MESSAGE_HEADER, 0);
        bytes.extend(fixed);
        Request(bytes)
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = (ATTRIBUTE_HEADER + value.len()) as u16;
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// Writes what is known last: the length and the sequence number.
    fn finish(&mut self, sequence: u32) -> &[u8] {
        let length = self.0.len() as u32;
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        &self.0
    }
}

fn dump() -> i32 {
    libc::NLM_F_DUMP
}

fn set_link(index: u32, flags: u32) -> Request {
    Request::new(libc::RTM_SETLINK, libc::NLM_F_ACK, &link_header(index, flags))
}

/// The fixed part that names an interface and the flags to be set.
fn link_header(index: u32, flags: u32) -> [u8; LINK_HEADER] {
    let mut header = [0; LINK_HEADER];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&flags.to_ne_bytes());
    header
}

/// The first message's type, what follows its header, and what follows it.
fn split_message(bytes: &[u8]) -> Option<(i32, &[u8], &[u8])> {
    let length = u32_at(bytes, 0)? as usize;
    let kind = u16_at(bytes, 4)?;
    let message = bytes.get(MESSAGE_HEADER..length)?;
    let after = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((i32::from(kind), message, after))
}

/// An error message with the number 0 says that all went well.
fn acknowledgement(message: &[u8]) -> io::Result<()> {
    match u32_at(message, 0).map(|n| n as i32) {
        Some(0) => Ok(()),
        Some(errno) => Err(io::Error::from_raw_os_error(errno.saturating_neg())),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn parse_link(message: &[u8]) -> Option<Link> {
    let flags = u32_at(message, 8)?;
    let attributes = message.get(LINK_HEADER..)?;
    let find = |kind| attribute(attributes, kind);
    Some(Link {
        index: u32_at(message, 4)?,
        name: text(find(libc::IFLA_IFNAME)?),
        kind: find(libc::IFLA_LINKINFO).and_then(|info| attribute(info, libc::IFLA_INFO_KIND)).map(text),
        alias: find(libc::IFLA_IFALIAS).map(text),
        mac: find(libc::IFLA_ADDRESS).and_then(|octets| <[u8; 6]>::try_from(octets).ok()).map(MacAddr::new),
        mtu: find(libc::IFLA_MTU).and_then(|mtu| u32_at(mtu, 0))? as usize,
        up: flags & libc::IFF_UP as u32 != 0,
        carrier: flags & LOWER_UP != 0,
        running: flags & libc::IFF_RUNNING as u32 != 0,
    })
}

fn parse_address(message: &[u8]) -> Option<(u32, IpAddr, u8)> {
    let prefix = *message.get(1)?;
    let index = u32_at(message, 4)?;
    let attributes = message.get(ADDRESS_HEADER..)?;
    let octets =
        attribute(attributes, libc::IFA_LOCAL).or_else(|| attribute(attributes, libc::IFA_ADDRESS))?;
    let address = match octets.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?).into(),
        _ => Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).into(),
    };
    Some((index, address, prefix))
}

/// The value of the first attribute of this type.
fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16_at(bytes, 0)?);
        let value = bytes.get(ATTRIBUTE_HEADER..length)?;
        if u16_at(bytes, 2)? == wanted {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    framewise_core::read::array_at(bytes, at).map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    framewise_core::read::array_at(bytes, at).map(u32::from_ne_bytes)
}
