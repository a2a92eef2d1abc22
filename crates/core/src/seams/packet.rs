//! Between Ethernet and IP: packets with their next hop, and what both must know about neighbours.
//!
//! ARP (IPv4) is Ethernet's own affair. NDP (IPv6) is ICMPv6 and so IP's: Ethernet asks by
//! [`LinkEvent::Resolve`] and is told by [`LinkControl::Neighbour`].

use std::net::{IpAddr, Ipv4Addr};

use super::buffer_message;
use crate::buf::{Buf, InterfaceId, NextHop};
use crate::mac::MacAddr;
use crate::message::{Message, Subject};
use crate::seam::Seam;

/// The packet seam.
#[derive(Debug, Clone, Copy)]
pub enum Packets {}

impl Seam for Packets {
    const NAME: &'static str = "packet";
    type Down = PacketDown;
    type Up = PacketUp;
}

buffer_message! {
    /// An IP packet, from its header on, without the padding of the frame where the length field is shorter.
    Packet
}

impl Packet {
    /// A packet that leaves by `interface` to `next_hop`.
    pub fn new(mut buf: Buf, interface: InterfaceId, next_hop: NextHop) -> Self {
        let label = buf.label_mut();
        label.interface = interface;
        label.next_hop = next_hop;
        Packet(buf)
    }

    /// The interface it came from or leaves by.
    pub fn interface(&self) -> InterfaceId {
        self.label().interface
    }

    /// Outbound: to whom it is handed on the link. Inbound: `Neighbour` for a frame to our own MAC address,
    /// else `Multicast` or `Broadcast` (the address in it says nothing).
    pub fn next_hop(&self) -> NextHop {
        self.label().next_hop
    }
}

/// What IP says to Ethernet.
#[derive(Debug)]
pub enum PacketDown {
    /// Send this.
    Packet(Packet),
    /// Know this.
    Control(Box<LinkControl>),
}

/// What IP tells Ethernet beside packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkControl {
    /// This IPv4 address is ours on this interface: answer ARP for it, and watch for others who claim it (RFC 5227).
    Claim {
        /// Where.
        interface: InterfaceId,
        /// Which.
        address: Ipv4Addr,
    },
    /// This address is no longer ours.
    Release {
        /// Where.
        interface: InterfaceId,
        /// Which.
        address: Ipv4Addr,
    },
    /// What NDP found out about an IPv6 neighbour.
    Neighbour {
        /// On which interface.
        interface: InterfaceId,
        /// Whose address it is.
        address: IpAddr,
        /// Its MAC address, or `None` if it did not answer: then its waiting packets come back as `Unreachable`.
        mac: Option<MacAddr>,
        /// Whether an entry with another MAC address may be replaced (the override flag of RFC 4861 section 4.4).
        replace: bool,
    },
}

/// What Ethernet says to IP.
#[derive(Debug)]
pub enum PacketUp {
    /// This came.
    Packet(Packet),
    /// This happened.
    Event(Box<LinkEvent>),
}

/// What Ethernet tells IP beside packets.
#[derive(Debug)]
pub enum LinkEvent {
    /// A packet waits for the MAC address of this IPv6 neighbour: ask by NDP. Said once per resolution.
    Resolve {
        /// On which interface.
        interface: InterfaceId,
        /// Whose MAC address is wanted.
        address: IpAddr,
    },
    /// This packet could not be delivered: its next hop did not answer, or too many waited for it.
    Unreachable {
        /// The packet, with its IP header.
        packet: Packet,
    },
    /// Another station claims an address of ours.
    Conflict {
        /// On which interface.
        interface: InterfaceId,
        /// The IP address, or `None` where it is our MAC address that is seen from elsewhere.
        address: Option<IpAddr>,
        /// The other's MAC address.
        mac: MacAddr,
    },
}

impl Message for PacketDown {
    fn summary(&self) -> String {
        match self {
            PacketDown::Packet(packet) => match packet.next_hop() {
                NextHop::Neighbour(next) => format!("{} bytes to {next}", packet.len()),
                NextHop::Multicast(group) => format!("{} bytes to the group {group}", packet.len()),
                NextHop::Broadcast => format!("{} bytes to everybody", packet.len()),
            },
            PacketDown::Control(control) => match &**control {
                LinkControl::Claim { address, .. } => format!("{address} is mine"),
                LinkControl::Release { address, .. } => format!("{address} is no longer mine"),
                LinkControl::Neighbour { address, mac: Some(mac), .. } => format!("{address} is at {mac}"),
                LinkControl::Neighbour { address, mac: None, .. } => format!("{address} does not answer"),
            },
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            PacketDown::Packet(_) => "packet",
            PacketDown::Control(_) => "control",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            PacketDown::Packet(packet) => packet,
            PacketDown::Control(_) => &[],
        }
    }

    fn subject(&self) -> Subject {
        match self {
            PacketDown::Packet(packet) => Subject::Buffer(packet.serial()),
            PacketDown::Control(_) => Subject::None,
        }
    }
}

impl Message for PacketUp {
    fn summary(&self) -> String {
        match self {
            PacketUp::Packet(packet) => format!("{} bytes", packet.len()),
            PacketUp::Event(event) => match &**event {
                LinkEvent::Resolve { address, .. } => format!("who has {address}?"),
                LinkEvent::Unreachable { packet } => match packet.next_hop() {
                    NextHop::Neighbour(next) => format!("{next} can't be reached"),
                    _ => "a packet can't be delivered".to_owned(),
                },
                LinkEvent::Conflict { address: Some(address), mac, .. } => {
                    format!("{mac} claims my address {address}")
                }
                LinkEvent::Conflict { address: None, mac, .. } => {
                    format!("another station uses my MAC address {mac}")
                }
            },
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            PacketUp::Packet(_) => "packet",
            PacketUp::Event(_) => "event",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            PacketUp::Packet(packet) => packet,
            PacketUp::Event(_) => &[],
        }
    }

    fn subject(&self) -> Subject {
        match self {
            PacketUp::Packet(packet) => Subject::Buffer(packet.serial()),
            PacketUp::Event(_) => Subject::None,
        }
    }
}
