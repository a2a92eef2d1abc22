//! Asking and telling the kernel about interfaces, addresses and routes.
//!
//! Read first: netlink(7), rtnetlink(7). What a message is made of is in `message`.

mod message;

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::MacAddr;

use self::message::{Request, acknowledgement, attribute, nested, split, text, u32_at};
use crate::linux;

/// `struct ifinfomsg`: family, padding, type, index, flags, change.
const LINK_HEADER: usize = 16;
/// `struct ifaddrmsg`: family, prefix length, flags, scope, index.
const ADDRESS_HEADER: usize = 8;
/// `struct rtmsg`: family, lengths of both addresses, type of service, table, protocol, scope, type, flags.
const ROUTE_HEADER: usize = 12;
/// More than one message of the kernel holds.
const ANSWER: usize = 64 * 1_024;
/// `IFF_LOWER_UP`: somebody has opened the other side of the TAP.
const LOWER_UP: u32 = 1 << 16;
/// `IFLA_TUN_OWNER`, within the facts about a TAP: whose it is.
const TUN_OWNER: u16 = 1;

/// An interface, as the kernel sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// What made it: `tun`, `veth`, `bridge`; `None` for hardware.
    pub(crate) kind: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) mac: Option<MacAddr>,
    pub(crate) mtu: usize,
    pub(crate) up: bool,
    pub(crate) carrier: bool,
    /// Whether what the kernel sends leaves it: a little after carrier and up.
    pub(crate) running: bool,
    /// The bridge that it is a port of.
    pub(crate) bridge: Option<u32>,
    /// The user who may open this TAP without rights.
    pub(crate) owner: Option<u32>,
}

/// Which way the kernel sends packets to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The interface.
    pub(crate) index: u32,
    /// The router, where there is one.
    pub(crate) gateway: Option<IpAddr>,
    /// Whether the address is the kernel's own.
    pub(crate) is_own: bool,
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
        let request = Request::new(libc::RTM_GETLINK, libc::NLM_F_DUMP, &[0; LINK_HEADER]);
        let answers = self.ask(request)?;
        Ok(answers.iter().filter_map(|answer| parse_link(answer)).collect())
    }

    /// All addresses: of which interface, and with their prefix lengths.
    pub(crate) fn addresses(&mut self) -> io::Result<Vec<(u32, IpAddr, u8)>> {
        let request = Request::new(libc::RTM_GETADDR, libc::NLM_F_DUMP, &[0; ADDRESS_HEADER]);
        let answers = self.ask(request)?;
        Ok(answers.iter().filter_map(|answer| parse_address(answer)).collect())
    }

    /// Which way packets to this address go; `None`: no route leads there.
    pub(crate) fn way_to(&mut self, address: IpAddr) -> io::Result<Option<Way>> {
        let (family, octets) = family_and_octets(address);
        let mut fixed = [0; ROUTE_HEADER];
        fixed[0] = family;
        fixed[1] = (octets.len() * 8) as u8;
        let mut request = Request::new(libc::RTM_GETROUTE, 0, &fixed);
        request.attribute(libc::RTA_DST, &octets);
        match self.ask(request) {
            Ok(answers) => Ok(answers.iter().find_map(|answer| parse_way(answer))),
            Err(error) if is_no_route(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts an address on an interface, or leaves it there. IPv6: at once, without asking whether another has it.
    pub(crate) fn add_address(&mut self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        const SCOPE_UNIVERSE: u8 = 0;
        let (family, octets) = family_and_octets(address);
        let flags = if address.is_ipv6() { libc::IFA_F_NODAD } else { 0 };
        let mut fixed = vec![family, prefix, flags as u8, SCOPE_UNIVERSE];
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

    /// Makes a bridge, a switch in the kernel.
    pub(crate) fn add_bridge(&mut self, name: &str) -> io::Result<()> {
        let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL | libc::NLM_F_ACK;
        let mut request = Request::new(libc::RTM_NEWLINK, flags, &[0; LINK_HEADER]);
        request.attribute(libc::IFLA_IFNAME, &[name.as_bytes(), &[0]].concat());
        request.attribute(libc::IFLA_LINKINFO, &nested(libc::IFLA_INFO_KIND, b"bridge"));
        self.ask(request).map(drop)
    }

    /// Makes an interface a port of a bridge.
    pub(crate) fn set_bridge(&mut self, index: u32, bridge: u32) -> io::Result<()> {
        let mut request = set_link(index, 0);
        request.attribute(libc::IFLA_MASTER, &bridge.to_ne_bytes());
        self.ask(request).map(drop)
    }

    /// Gives an interface this MAC address.
    pub(crate) fn set_mac(&mut self, index: u32, mac: MacAddr) -> io::Result<()> {
        let mut request = set_link(index, 0);
        request.attribute(libc::IFLA_ADDRESS, &mac.octets());
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

    /// Sends a request and collects the answers up to the acknowledgement, the end of the list, or the one answer
    /// that there is to a question about one thing.
    fn ask(&mut self, mut request: Request) -> io::Result<Vec<Vec<u8>>> {
        self.sequence += 1;
        self.socket.write_all(request.finish(self.sequence))?;
        let mut answers = Vec::new();
        let mut buffer = vec![0; ANSWER];
        loop {
            let length = self.socket.read(&mut buffer)?;
            let mut rest = buffer.get(..length).unwrap_or_default();
            while let Some((kind, message, after)) = split(rest) {
                rest = after;
                match kind {
                    libc::NLMSG_DONE => return Ok(answers),
                    libc::NLMSG_ERROR => return acknowledgement(message).map(|()| answers),
                    _ => answers.push(message.to_vec()),
                }
            }
            if !request.has_an_end() {
                return Ok(answers);
            }
        }
    }
}

fn family_and_octets(address: IpAddr) -> (u8, Vec<u8>) {
    match address {
        IpAddr::V4(address) => (libc::AF_INET as u8, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6 as u8, address.octets().to_vec()),
    }
}

fn is_no_route(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EACCES | libc::EINVAL))
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

fn parse_link(message: &[u8]) -> Option<Link> {
    let flags = u32_at(message, 8)?;
    let attributes = message.get(LINK_HEADER..)?;
    let find = |kind| attribute(attributes, kind);
    let about = |kind| find(libc::IFLA_LINKINFO).and_then(|info| attribute(info, kind));
    let kind = about(libc::IFLA_INFO_KIND).map(text);
    let tun = about(libc::IFLA_INFO_DATA).filter(|_| kind.as_deref() == Some("tun"));
    Some(Link {
        index: u32_at(message, 4)?,
        name: text(find(libc::IFLA_IFNAME)?),
        kind,
        alias: find(libc::IFLA_IFALIAS).map(text),
        mac: find(libc::IFLA_ADDRESS).and_then(|octets| <[u8; 6]>::try_from(octets).ok()).map(MacAddr::new),
        mtu: find(libc::IFLA_MTU).and_then(|mtu| u32_at(mtu, 0))? as usize,
        up: flags & libc::IFF_UP as u32 != 0,
        carrier: flags & LOWER_UP != 0,
        running: flags & libc::IFF_RUNNING as u32 != 0,
        bridge: find(libc::IFLA_MASTER).and_then(|index| u32_at(index, 0)),
        owner: tun.and_then(|tun| attribute(tun, TUN_OWNER)).and_then(|owner| u32_at(owner, 0)),
    })
}

fn parse_address(message: &[u8]) -> Option<(u32, IpAddr, u8)> {
    let prefix = *message.get(1)?;
    let index = u32_at(message, 4)?;
    let attributes = message.get(ADDRESS_HEADER..)?;
    let octets =
        attribute(attributes, libc::IFA_LOCAL).or_else(|| attribute(attributes, libc::IFA_ADDRESS))?;
    Some((index, parse_ip(octets)?, prefix))
}

fn parse_way(message: &[u8]) -> Option<Way> {
    let kind = *message.get(7)?;
    let attributes = message.get(ROUTE_HEADER..)?;
    Some(Way {
        index: attribute(attributes, libc::RTA_OIF).and_then(|index| u32_at(index, 0))?,
        gateway: attribute(attributes, libc::RTA_GATEWAY).and_then(parse_ip),
        is_own: kind == libc::RTN_LOCAL,
    })
}

fn parse_ip(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?).into()),
        _ => Some(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).into()),
    }
}
