//! Ethernet and ARP. Read beside it: RFC 826, RFC 894, RFC 1122 section 2.3, RFC 5227 section 2.4, RFC 2464.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::seams::frame::Frame;
use framewise_core::seams::packet::{LinkControl, LinkEvent, Packet, PacketDown, PacketUp};
use framewise_core::seams::{Frames, Packets};
use framewise_core::{Buf, MacAddr};

use super::{must, same};
use crate::case::{Case, Verdict};
use crate::craft::damage::{arbitrary, damage};
use crate::craft::ethernet::{ARP, Arp, HEADER, IPV4, IPV6, destination, ethertype, frame, source};
use crate::craft::ip::{Ipv4, ipv6};
use crate::suite::{Aside, Flood, Suite};

type Script = Case<Packets, Frames>;

const LINK: InterfaceId = InterfaceId(0);
/// The other station on the link, and a third one.
const PEER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 9]);
const THIRD: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0x33]);
const PEER_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const PEER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);

/// How the layer under test was set up.
#[derive(Clone, Copy, Debug)]
pub struct EthernetSetup {
    /// The MAC address of its interface 0, whose MTU is 1,500 bytes.
    pub mac: MacAddr,
    /// The IPv4 address that the suite lets it claim.
    pub address: Ipv4Addr,
}

impl Default for EthernetSetup {
    fn default() -> Self {
        EthernetSetup { mac: MacAddr::new([2, 0, 0, 0, 0, 0x0a]), address: Ipv4Addr::new(192, 0, 2, 10) }
    }
}

/// What an Ethernet layer with ARP must do.
pub fn ethernet(setup: EthernetSetup) -> Suite<Packets, Frames> {
    // Who announces an address when it is claimed (RFC 5227) may do so.
    let announcement = |frame: &Frame| {
        Arp::of_frame(frame).is_some_and(|arp| arp.sender.1 == arp.target.1 || arp.sender.1.is_unspecified())
    };
    Suite::new("ethernet", "IP", "the wire")
        .aside_outbound(move |frame| if announcement(frame) { Aside::Ignore } else { Aside::No })
        .cases([answers(setup), stays_silent(setup), resolves(setup), gives_up(setup), defends(setup)])
        .cases([groups_v4(setup), groups_v6(setup), ndp(setup)])
        .cases([
            delivers(setup),
            broadcast(setup),
            others(setup),
            own_source(setup),
            runt(setup),
            tagged(setup),
        ])
        .flood(flood(setup))
        .garbage(|rng| Frame::new(Buf::copy_from_slice(&arbitrary(rng, 100)), LINK))
        .mutate(|mut frame, rng| {
            damage(&mut frame, rng);
            Some(frame)
        })
}

fn answers(setup: EthernetSetup) -> Script {
    let EthernetSetup { mac, address } = setup;
    Case::new("answers an ARP request for its own address", "RFC 826")
        .hint("Whoever asks for an address of ours is sent our MAC address, in a frame to the asker alone.")
        .then(claim(setup))
        .hears(format!("ARP request, who has {address}? tell {PEER_ADDRESS}"), move |_| {
            Arp::request((PEER, PEER_ADDRESS), address).to_frame(MacAddr::BROADCAST)
        })
        .expect_outbound(format!("an ARP reply to {PEER}"), move |frame, _| {
            let arp = Arp::of_frame(frame).ok_or("it is no ARP packet")?;
            same("the operation", arp.operation, 2)?;
            same("the frame's destination", destination(frame), Some(PEER))?;
            same("the frame's source", source(frame), Some(mac))?;
            same("the sender", arp.sender, (mac, address))?;
            same("the target", arp.target, (PEER, PEER_ADDRESS))
        })
        .expect_nothing("one answer is enough")
}

fn stays_silent(setup: EthernetSetup) -> Script {
    Case::new("leaves an ARP request for another's address alone", "RFC 826")
        .hint("Only the station that has the address answers; two answers would be a conflict.")
        .then(claim(setup))
        .hears("ARP request, who has 192.0.2.77?", |_| {
            Arp::request((PEER, PEER_ADDRESS), Ipv4Addr::new(192, 0, 2, 77)).to_frame(MacAddr::BROADCAST)
        })
        .expect_nothing("the address is somebody else's")
}

fn resolves(setup: EthernetSetup) -> Script {
    let EthernetSetup { mac, address } = setup;
    Case::new("asks for a neighbour's MAC address before it sends", "RFC 826, RFC 1122 section 2.3.2")
        .hint("The first packet waits while its next hop is asked for, and leaves when the answer comes.")
        .then(claim(setup))
        .says(
            format!("a packet for {PEER_ADDRESS}"),
            packet_to(NextHop::Neighbour(PEER_ADDRESS.into()), v4(setup)),
        )
        .expect_outbound(format!("an ARP request to all: who has {PEER_ADDRESS}?"), asks(setup))
        .expect_nothing_outbound("the packet waits for the answer")
        .hears(format!("ARP reply, {PEER_ADDRESS} is at {PEER}"), move |_| {
            Arp::reply((PEER, PEER_ADDRESS), (mac, address)).to_frame(mac)
        })
        .expect_outbound(format!("the packet, to {PEER}"), carries(PEER, setup, IPV4, v4(setup)))
        .says("another packet for it", packet_to(NextHop::Neighbour(PEER_ADDRESS.into()), v4(setup)))
        .expect_outbound("the packet at once", carries(PEER, setup, IPV4, v4(setup)))
}

fn gives_up(setup: EthernetSetup) -> Script {
    Case::new("hands a packet back whose next hop does not answer", "RFC 1122 section 2.3.2")
        .hint("A packet may not vanish: ask again, at most once a second, then tell IP that nobody is there.")
        .then(claim(setup))
        .says(
            format!("a packet for {PEER_ADDRESS}"),
            packet_to(NextHop::Neighbour(PEER_ADDRESS.into()), v4(setup)),
        )
        .expect_outbound(format!("an ARP request: who has {PEER_ADDRESS}?"), asks(setup))
        .await_outbound("the same question again", Duration::from_secs(10), asks(setup))
        .await_inbound("the packet, as unreachable", Duration::from_secs(120), move |up, _| match up {
            PacketUp::Event(event) => match &**event {
                LinkEvent::Unreachable { packet } => {
                    must(packet[..] == v4(setup)[..], "it is not the packet as it was sent")
                }
                _ => Err("it is another event".into()),
            },
            PacketUp::Packet(_) => Err("it is a packet that came".into()),
        })
}

fn defends(setup: EthernetSetup) -> Script {
    let address = setup.address;
    Case::new("tells IP when another station claims its address", "RFC 5227 section 2.4")
        .hint("Two stations with one address steal each other's packets; somebody has to be told.")
        .then(claim(setup))
        .hears(format!("gratuitous ARP, {address} is at {THIRD}"), move |_| {
            Arp::request((THIRD, address), address).to_frame(MacAddr::BROADCAST)
        })
        .expect_inbound(format!("a conflict with {THIRD}"), move |up, _| match up {
            PacketUp::Event(event) => match &**event {
                LinkEvent::Conflict { address: Some(claimed), mac, .. } => {
                    same("the address", *claimed, IpAddr::V4(address))?;
                    same("the other's MAC address", *mac, THIRD)
                }
                _ => Err("it is another event".into()),
            },
            PacketUp::Packet(_) => Err("it is a packet".into()),
        })
}

fn groups_v4(setup: EthernetSetup) -> Script {
    let group = Ipv4Addr::new(224, 128, 0, 251);
    let mac = MacAddr::new([0x01, 0, 0x5e, 0, 0, 0xfb]);
    Case::new("maps an IPv4 group to its MAC address", "RFC 1112 section 6.4")
        .hint("01:00:5e, then the last 23 bits of the group's address: the bit before them is left out.")
        .says(
            format!("a packet for the group {group}"),
            packet_to(NextHop::Multicast(group.into()), v4(setup)),
        )
        .expect_outbound(
            format!("the packet, to {mac}, without a question"),
            carries(mac, setup, IPV4, v4(setup)),
        )
}

fn groups_v6(setup: EthernetSetup) -> Script {
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 9);
    let mac = MacAddr::new([0x33, 0x33, 0xff, 0, 0, 9]);
    Case::new("maps an IPv6 group to its MAC address", "RFC 2464 section 7")
        .hint("33:33, then the last 32 bits of the group's address.")
        .says(format!("a packet for the group {group}"), packet_to(NextHop::Multicast(group.into()), v6()))
        .expect_outbound(format!("the packet, to {mac}"), carries(mac, setup, IPV6, v6()))
}

fn ndp(setup: EthernetSetup) -> Script {
    Case::new("asks IP for an IPv6 neighbour and is told", "RFC 4861 section 7.2")
        .hint("IPv6 neighbours are found by ICMPv6, which is IP's: Ethernet asks upward and keeps the packet meanwhile.")
        .says(format!("a packet for {PEER_V6}"), packet_to(NextHop::Neighbour(PEER_V6.into()), v6()))
        .expect_inbound(format!("the question who has {PEER_V6}"), |up, _| match up {
            PacketUp::Event(event) => match &**event {
                LinkEvent::Resolve { address, .. } => same("the address", *address, IpAddr::V6(PEER_V6)),
                _ => Err("it is another event".into()),
            },
            PacketUp::Packet(_) => Err("it is a packet".into()),
        })
        .expect_nothing_outbound("the packet waits")
        .says(format!("{PEER_V6} is at {PEER}"), |_| {
            let address = IpAddr::V6(PEER_V6);
            let known = LinkControl::Neighbour { interface: LINK, address, mac: Some(PEER), replace: true };
            PacketDown::Control(Box::new(known))
        })
        .expect_outbound(format!("the packet, to {PEER}"), carries(PEER, setup, IPV6, v6()))
}

fn delivers(setup: EthernetSetup) -> Script {
    Case::new("delivers a frame for its own MAC address without the header", "RFC 894")
        .hint("Fourteen bytes come off; what is left is IP's.")
        .hears("a frame for this station with an IPv4 packet", move |_| {
            frame(setup.mac, PEER, IPV4, &v4(setup))
        })
        .expect_inbound("the packet, as one for this station", move |up, _| match up {
            PacketUp::Packet(packet) => {
                must(packet[..] == v4(setup)[..], "its bytes are not those in the frame")?;
                let for_us = matches!(packet.next_hop(), NextHop::Neighbour(_));
                must(for_us, format!("its next hop is {:?}, not this station", packet.next_hop()))
            }
            PacketUp::Event(_) => Err("it is an event".into()),
        })
}

fn broadcast(setup: EthernetSetup) -> Script {
    Case::new("delivers a broadcast frame as one", "RFC 1122 section 2.4")
        .hint("IP must know that a packet came by a broadcast of the link: such a packet is never answered by an error.")
        .hears("a frame for all stations", move |_| frame(MacAddr::BROADCAST, PEER, IPV4, &v4(setup)))
        .expect_inbound("the packet, as one for everybody", |up, _| match up {
            PacketUp::Packet(packet) => same("the next hop", packet.next_hop(), NextHop::Broadcast),
            PacketUp::Event(_) => Err("it is an event".into()),
        })
}

fn others(setup: EthernetSetup) -> Script {
    Case::new("drops a frame for another station", "IEEE 802.3, RFC 894")
        .hint("Compare the first six bytes with the station's own address before anything else is read.")
        .hears(format!("a frame for {THIRD}"), move |_| frame(THIRD, PEER, IPV4, &v4(setup)))
        .expect_drop("the frame is another's", None)
        .expect_nothing("the frame is another's")
}

fn own_source(setup: EthernetSetup) -> Script {
    Case::new("drops a frame from its own MAC address", "IEEE 802.3")
        .hint("This station did not send it, so another uses its address.")
        .hears(format!("a broadcast from {}", setup.mac), move |_| {
            frame(MacAddr::BROADCAST, setup.mac, IPV4, &v4(setup))
        })
        .expect_drop("it can't be right", None)
        .expect_no_inbound_like("no packet goes up", |up, _| {
            must(matches!(up, PacketUp::Packet(_)), "it is no packet")
        })
}

fn runt(setup: EthernetSetup) -> Script {
    Case::new("drops a frame shorter than its header", "RFC 894")
        .hint("Thirteen bytes have no EtherType. Ask for the length before reading.")
        .hears("13 bytes", move |_| {
            let mut short = frame(setup.mac, PEER, IPV4, &[]);
            short.truncate(HEADER - 1);
            short
        })
        .expect_drop("there is no whole header", None)
        .expect_nothing("there is nothing to deliver")
}

fn tagged(setup: EthernetSetup) -> Script {
    Case::new("drops a frame with a VLAN tag", "IEEE 802.1Q")
        .hint("EtherType 0x8100 is a tag, not a packet: the four bytes after it are not an IP header.")
        .hears("a tagged frame", move |_| frame(setup.mac, PEER, 0x8100, &[0, 5, 8, 0, 0x45, 0, 0, 20]))
        .expect_drop("this station is in no VLAN", None)
        .expect_nothing("there is nothing to deliver")
}

fn flood(setup: EthernetSetup) -> Flood<Packets, Frames> {
    let opening =
        Case::new("keeps a bounded number of packets for IP", "RFC 1122 section 2.4").then(claim(setup));
    Flood::new("a frame for this station", opening, 20_000, 8_192, move |_| {
        frame(setup.mac, PEER, IPV4, &v4(setup))
    })
}

fn claim(setup: EthernetSetup) -> impl FnOnce(Script) -> Script {
    let address = setup.address;
    // Time for a station that probes and announces before it uses an address (RFC 5227 section 2.1).
    move |case| {
        case.says(format!("{address} is mine"), move |_| {
            PacketDown::Control(Box::new(LinkControl::Claim { interface: LINK, address }))
        })
        .wait("time to make sure that nobody else has it", Duration::from_secs(15))
    }
}

fn packet_to(next_hop: NextHop, bytes: Vec<u8>) -> impl Fn(&crate::Notes) -> PacketDown {
    move |_| PacketDown::Packet(Packet::new(Buf::copy_from_slice(&bytes), LINK, next_hop))
}

fn asks(setup: EthernetSetup) -> impl Fn(&Frame, &mut crate::Notes) -> Verdict {
    move |frame, _| {
        same("the EtherType", ethertype(frame), Some(ARP))?;
        let arp = Arp::of_frame(frame).ok_or("it is no ARP packet for IPv4 over Ethernet")?;
        same("the operation", arp.operation, 1)?;
        must(destination(frame).is_some_and(|to| to.is_broadcast() || to == PEER), "it does not go to all")?;
        same("the sender", arp.sender, (setup.mac, setup.address))?;
        same("the address asked for", arp.target.1, PEER_ADDRESS)
    }
}

fn carries(
    to: MacAddr,
    setup: EthernetSetup,
    kind: u16,
    packet: Vec<u8>,
) -> impl Fn(&Frame, &mut crate::Notes) -> Verdict {
    move |frame, _| {
        same("the destination", destination(frame), Some(to))?;
        same("the source", source(frame), Some(setup.mac))?;
        same("the EtherType", ethertype(frame), Some(kind))?;
        let whole = frame.get(HEADER..).is_some_and(|payload| payload.starts_with(&packet));
        must(whole, "the packet in it is another")
    }
}

fn v4(setup: EthernetSetup) -> Vec<u8> {
    Ipv4::new(setup.address, PEER_ADDRESS, 17).with(b"a page that travels")
}

fn v6() -> Vec<u8> {
    ipv6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10), PEER_V6, 17, 64, b"a page that travels")
}
