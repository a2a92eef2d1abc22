//! IPv4 and IPv6. Read beside it: RFC 791, RFC 792, RFC 1122 section 3, RFC 8200, RFC 4443, RFC 4861, RFC 5722.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::Buf;
use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::checksum::checksum;
use framewise_core::read::{array_at, u8_at, u16_at};
use framewise_core::seams::packet::{Packet, PacketDown, PacketUp};
use framewise_core::seams::segment::{Segment, SegmentControl, SegmentDown, SegmentEvent, SegmentUp, UDP};
use framewise_core::seams::{Packets, Segments};

use super::{must, same};
use crate::Notes;
use crate::case::{Case, Verdict};
use crate::craft::damage::{arbitrary, damage};
use crate::craft::ip::{Ipv4, icmp, icmpv6, ipv6, transport_checksum_is_right};
use crate::suite::{Aside, Flood, Suite};

type Script = Case<Segments, Packets>;

const LINK: InterfaceId = InterfaceId(0);
/// The payload of most packets here; IP doesn't look into it.
const PAYLOAD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWX";

/// How the layer under test was set up: one interface with an MTU of 1,500 bytes, and no forwarding.
#[derive(Clone, Copy, Debug)]
pub struct IpSetup {
    /// Its IPv4 address, in a network of 24 bits.
    pub v4: Ipv4Addr,
    /// The IPv4 router.
    pub gateway: Ipv4Addr,
    /// Its IPv6 address, in a network of 64 bits.
    pub v6: Ipv6Addr,
}

impl Default for IpSetup {
    fn default() -> Self {
        IpSetup {
            v4: Ipv4Addr::new(192, 0, 2, 10),
            gateway: Ipv4Addr::new(192, 0, 2, 1),
            v6: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10),
        }
    }
}

impl IpSetup {
    /// A neighbour on the same link.
    fn peer(self) -> Ipv4Addr {
        let [a, b, c, _] = self.v4.octets();
        Ipv4Addr::new(a, b, c, 9)
    }

    fn peer_v6(self) -> Ipv6Addr {
        let mut octets = self.v6.octets();
        octets[15] = 9;
        octets.into()
    }

    /// A host that only the router knows the way to.
    fn far(self) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, 113, 80)
    }

    /// The IPv4 packet from the neighbour to us.
    fn inbound(self, payload: &[u8]) -> Vec<u8> {
        Ipv4::new(self.peer(), self.v4, UDP).with(payload)
    }
}

/// What an IP layer of a host must do.
pub fn ip(setup: IpSetup) -> Suite<Segments, Packets> {
    Suite::new("ip", "the transport", "Ethernet")
        .aside_outbound(|down| match down {
            // Which addresses are claimed is Ethernet's to know, and no packet.
            PacketDown::Control(_) => Aside::Ignore,
            PacketDown::Packet(_) => Aside::No,
        })
        .cases([source(setup), sends(setup), gateway(setup), sends_v6(setup)])
        .cases([
            delivers(setup),
            delivers_v6(setup),
            bad_header_sum(setup),
            lying_length(setup),
            stranger(setup),
        ])
        .cases([
            echo(setup),
            echo_v6(setup),
            no_echo_to_all(setup),
            solicited(setup),
            solicited_from_afar(setup),
        ])
        .cases([fragments(setup), overlap(setup), splits(setup), too_short(setup)])
        .flood(flood(setup))
        .garbage(|rng| came(&arbitrary(rng, 120)))
        .mutate(|message, rng| match message {
            PacketUp::Packet(mut packet) => {
                damage(&mut packet, rng);
                Some(PacketUp::Packet(packet))
            }
            PacketUp::Event(_) => None,
        })
}

fn source(setup: IpSetup) -> Script {
    let peer = IpAddr::V4(setup.peer());
    Case::new("tells a transport from which address it sends", "RFC 1122 section 3.4")
        .hint("GET_SRCADDR and GET_MAXSIZES of RFC 1122: answered at once, from the route.")
        .says(format!("how do I reach {peer}?"), move |_| {
            SegmentDown::Control(Box::new(SegmentControl::Source { destination: peer, protocol: UDP }))
        })
        .expect_inbound(format!("{} and an MTU of 1,500 bytes", setup.v4), move |up, _| match up {
            SegmentUp::Event(event) => match **event {
                SegmentEvent::Source { destination, route: Some(route), .. } => {
                    same("the destination", destination, peer)?;
                    same("the source", route.source, IpAddr::V4(setup.v4))?;
                    same("the MTU", route.mtu, 1_500)
                }
                _ => Err("it is no route".into()),
            },
            SegmentUp::Segment(_) => Err("it is a segment".into()),
        })
}

fn sends(setup: IpSetup) -> Script {
    Case::new("puts a right IPv4 header in front of a segment", "RFC 791 section 3.1")
        .hint("Version 4, the header's length in words, the total length, a TTL, the protocol, the checksum of the header.")
        .says(format!("a segment for {}", setup.peer()), move |_| segment(setup.v4, setup.peer()))
        .expect_outbound("the packet, to the neighbour itself", move |down, _| {
            let packet = packet(down)?;
            right_v4_header(packet, setup.v4, setup.peer())?;
            same("the next hop", packet.next_hop(), NextHop::Neighbour(setup.peer().into()))?;
            must(packet.ends_with(PAYLOAD), "the segment in it is another")
        })
        .expect_nothing("one packet is enough")
}

fn gateway(setup: IpSetup) -> Script {
    let IpSetup { v4, gateway, .. } = setup;
    Case::new("hands a packet for a far network to the router", "RFC 1122 section 3.3.1")
        .hint("The destination stays the far host; only the next hop is the router's address.")
        .says(format!("a segment for {}", setup.far()), move |_| segment(v4, setup.far()))
        .expect_outbound(format!("the packet, with {gateway} as next hop"), move |down, _| {
            let packet = packet(down)?;
            right_v4_header(packet, v4, setup.far())?;
            same("the next hop", packet.next_hop(), NextHop::Neighbour(gateway.into()))
        })
}

fn sends_v6(setup: IpSetup) -> Script {
    Case::new("puts a right IPv6 header in front of a segment", "RFC 8200 section 3")
        .hint("Forty bytes, no checksum; the payload length does not count the header.")
        .says(format!("a segment for {}", setup.peer_v6()), move |_| {
            let buf = Buf::copy_from_slice(PAYLOAD);
            SegmentDown::Segment(Segment::new(buf, setup.v6.into(), setup.peer_v6().into(), UDP))
        })
        .expect_outbound("the packet", move |down, _| {
            let packet = packet(down)?;
            same("the version", u8_at(packet, 0).map(|byte| byte >> 4), Some(6))?;
            same("the payload length", u16_at(packet, 4), Some(PAYLOAD.len() as u16))?;
            same("the next header", u8_at(packet, 6), Some(UDP))?;
            must(u8_at(packet, 7).is_some_and(|limit| limit > 0), "the hop limit is 0")?;
            same("the source", array_at(packet, 8), Some(setup.v6.octets()))?;
            same("the destination", array_at(packet, 24), Some(setup.peer_v6().octets()))?;
            must(packet.ends_with(PAYLOAD), "the segment in it is another")
        })
}

fn delivers(setup: IpSetup) -> Script {
    Case::new("delivers a segment without header and padding", "RFC 791 section 3.1")
        .hint("A frame of at least 60 bytes may carry a shorter packet: the total length says where it ends.")
        .hears("a packet with 6 bytes of padding", move |_| {
            let mut bytes = setup.inbound(PAYLOAD);
            bytes.extend([0; 6]);
            came(&bytes)
        })
        .expect_inbound("the segment with both addresses", is_segment(setup.peer().into(), setup.v4.into()))
        .expect_nothing("one segment came")
}

fn delivers_v6(setup: IpSetup) -> Script {
    Case::new("delivers a segment that came by IPv6", "RFC 8200 section 3")
        .hint("The payload length counts from after the forty bytes of the header.")
        .hears("an IPv6 packet", move |_| came(&ipv6(setup.peer_v6(), setup.v6, UDP, 64, PAYLOAD)))
        .expect_inbound(
            "the segment with both addresses",
            is_segment(setup.peer_v6().into(), setup.v6.into()),
        )
}

fn bad_header_sum(setup: IpSetup) -> Script {
    Case::new("drops a packet whose header checksum is wrong", "RFC 1122 section 3.2.1.2")
        .hint("A host verifies the sum over the header of every packet and silently discards what is wrong.")
        .hears("a packet whose TTL was altered and the checksum not", move |_| {
            let mut bytes = setup.inbound(PAYLOAD);
            bytes[8] = 63;
            came(&bytes)
        })
        .expect_drop("its checksum is wrong", None)
        .expect_nothing("no answer to what can't be trusted")
}

fn lying_length(setup: IpSetup) -> Script {
    Case::new("drops a packet that says it is longer than it is", "RFC 791 section 3.1")
        .hint("Compare the total length with the bytes that came.")
        .hears("a packet whose last 4 bytes are missing", move |_| {
            let bytes = setup.inbound(PAYLOAD);
            came(&bytes[..bytes.len() - 4])
        })
        .expect_drop("its length is a lie", None)
        .expect_nothing("its length is a lie")
}

fn stranger(setup: IpSetup) -> Script {
    Case::new("drops a packet for another host", "RFC 1122 section 3.2.1.3")
        .hint("A host is no router: what is not for one of its addresses it silently discards.")
        .hears(format!("a packet for {}", setup.far()), move |_| {
            came(&Ipv4::new(setup.peer(), setup.far(), UDP).with(PAYLOAD))
        })
        .expect_drop("it is for another", None)
        .expect_nothing("it is for another")
}

fn echo(setup: IpSetup) -> Script {
    Case::new("answers a ping", "RFC 792, RFC 1122 section 3.2.2.6")
        .hint("The same identifier, number and data go back, as type 0, from the address that was asked.")
        .hears("an ICMP echo request with 4 bytes", move |_| {
            let request = icmp(8, 0, &[0x12, 0x34, 0, 1, b'p', b'i', b'n', b'g']);
            came(&Ipv4::new(setup.peer(), setup.v4, 1).with(&request))
        })
        .expect_outbound("the echo reply", move |down, _| {
            let packet = packet(down)?;
            same("the protocol", u8_at(packet, 9), Some(1))?;
            same("the source", array_at(packet, 12), Some(setup.v4.octets()))?;
            same("the destination", array_at(packet, 16), Some(setup.peer().octets()))?;
            let reply = packet.get(20..).unwrap_or_default();
            same("the type", u8_at(reply, 0), Some(0))?;
            same("the sum over all", checksum(reply), 0)?;
            same("what was sent back", reply.get(4..), Some(&b"\x12\x34\0\x01ping"[..]))
        })
}

fn echo_v6(setup: IpSetup) -> Script {
    let (local, peer) = (setup.v6, setup.peer_v6());
    Case::new("answers a ping by IPv6", "RFC 4443 section 4.2")
        .hint("Type 129; the checksum counts the addresses too.")
        .hears("an ICMPv6 echo request", move |_| {
            let request = icmpv6(peer, local, 128, 0, &[0x12, 0x34, 0, 1, b'p', b'i', b'n', b'g']);
            came(&ipv6(peer, local, 58, 64, &request))
        })
        .expect_outbound("the echo reply", move |down, _| {
            let packet = packet(down)?;
            let reply = packet.get(40..).unwrap_or_default();
            same("the type", u8_at(reply, 0), Some(129))?;
            let right = transport_checksum_is_right(local.into(), peer.into(), 58, reply);
            must(right, "its checksum is wrong")?;
            same("what was sent back", reply.get(4..), Some(&b"\x12\x34\0\x01ping"[..]))
        })
}

fn no_echo_to_all(setup: IpSetup) -> Script {
    let [a, b, c, _] = setup.v4.octets();
    Case::new("does not answer a ping to everybody", "RFC 1122 section 3.2.2.6")
        .hint("One forged packet to a broadcast address would make the whole link answer its victim.")
        .hears("an ICMP echo request to the network's broadcast address", move |_| {
            let request = icmp(8, 0, &[0, 1, 0, 1]);
            let to_all = Ipv4::new(setup.peer(), Ipv4Addr::new(a, b, c, 255), 1).with(&request);
            let mut buf = Buf::copy_from_slice(&to_all);
            buf.label_mut().next_hop = NextHop::Broadcast;
            PacketUp::Packet(Packet(buf))
        })
        .expect_nothing_outbound("an answer would help an attacker")
}

fn solicitation(setup: IpSetup, hop_limit: u8) -> PacketUp {
    let mut body = vec![0; 4];
    body.extend(setup.v6.octets());
    // The asker's MAC address as an option (RFC 4861 section 4.6.1).
    body.extend([1, 1, 2, 0, 0, 0, 0, 9]);
    let asked = icmpv6(setup.peer_v6(), setup.v6, 135, 0, &body);
    came(&ipv6(setup.peer_v6(), setup.v6, 58, hop_limit, &asked))
}

fn solicited(setup: IpSetup) -> Script {
    Case::new("answers a neighbour solicitation for its own address", "RFC 4861 section 7.2.4")
        .hint("What ARP is for IPv4: type 136 with the address and an option that holds our MAC address.")
        .hears(format!("neighbour solicitation: who has {}?", setup.v6), move |_| solicitation(setup, 255))
        .expect_outbound("the neighbour advertisement, with hop limit 255", move |down, _| {
            let packet = packet(down)?;
            same("the hop limit", u8_at(packet, 7), Some(255))?;
            let answer = packet.get(40..).unwrap_or_default();
            same("the type", u8_at(answer, 0), Some(136))?;
            same("the address", array_at(answer, 8), Some(setup.v6.octets()))
        })
}

fn solicited_from_afar(setup: IpSetup) -> Script {
    Case::new("drops a neighbour solicitation that passed a router", "RFC 4861 section 7.1.1")
        .hint("A hop limit of 255 proves that the sender is on the link: each router takes one off.")
        .hears("the same with hop limit 254", move |_| solicitation(setup, 254))
        .expect_drop("it is from beyond the link", None)
        .expect_nothing("it is from beyond the link")
}

fn fragments(setup: IpSetup) -> Script {
    Case::new("puts fragments together in whatever order", "RFC 791 section 3.2")
        .hint("Offsets count units of 8 bytes; the packet is whole when the last fragment and all before it are there.")
        .hears("the second fragment, which is the last", move |_| fragment(setup, 7, false, 2, &PAYLOAD[16..]))
        .expect_nothing("the first is missing")
        .hears("the first fragment", move |_| fragment(setup, 7, true, 0, &PAYLOAD[..16]))
        .expect_inbound("the whole segment", is_segment(setup.peer().into(), setup.v4.into()))
        .expect_nothing("there is no more")
}

fn overlap(setup: IpSetup) -> Script {
    Case::new("never puts overlapping fragments together", "RFC 5722, RFC 8200 section 4.5, RFC 1858")
        .hint("Which of two versions of a byte counts? Attackers live on different answers: the datagram is given up.")
        .hears("a first fragment of 16 bytes", move |_| fragment(setup, 8, true, 0, &PAYLOAD[..16]))
        .hears("a last fragment that begins at byte 8", move |_| fragment(setup, 8, false, 1, b"ijklmnopqrstuvwx"))
        .expect_nothing_inbound("nobody knows which bytes are meant")
}

fn splits(setup: IpSetup) -> Script {
    Case::new("splits a datagram that is longer than the MTU", "RFC 791 section 3.2")
        .hint("All but the last fragment carry a multiple of 8 bytes and the flag that more follow.")
        .says("a UDP datagram of 2,000 bytes", move |_| {
            let buf = Buf::copy_from_slice(&[7; 2_000]);
            SegmentDown::Segment(Segment::new(buf, setup.v4.into(), setup.peer().into(), UDP))
        })
        .expect_outbound("a first fragment, within the MTU", |down, notes| {
            let packet = packet(down)?;
            must(packet.len() <= 1_500, "it is longer than the MTU")?;
            same("the flags and the offset", u16_at(packet, 6), Some(0x2000))?;
            must((packet.len() - 20).is_multiple_of(8), "its data is no multiple of 8 bytes")?;
            notes.keep("identification", u16_at(packet, 4));
            notes.keep("first", packet.len() - 20);
            Ok(())
        })
        .expect_outbound("the rest, with the same identification", |down, notes| {
            let packet = packet(down)?;
            let first: usize = notes.recall("first");
            same("the identification", u16_at(packet, 4), notes.recall("identification"))?;
            same("the flags and the offset", u16_at(packet, 6), Some((first / 8) as u16))?;
            same("the data's length", packet.len() - 20, 2_000 - first)?;
            same("the header's sum", packet.get(..20).map(checksum), Some(0))
        })
        .expect_nothing("two fragments are all")
}

fn too_short(setup: IpSetup) -> Script {
    Case::new("drops less than a header", "RFC 791 section 3.1")
        .hint("Nineteen bytes have no destination address. Ask for the length before reading.")
        .hears("19 bytes", move |_| came(&setup.inbound(PAYLOAD)[..19]))
        .expect_drop("there is no whole header", None)
        .expect_nothing("there is no whole header")
}

fn flood(setup: IpSetup) -> Flood<Segments, Packets> {
    let opening = Case::new("keeps a bounded number of segments for the transport", "RFC 1122 section 3.3");
    Flood::new("a packet for this host", opening, 20_000, 8_192, move |_| came(&setup.inbound(PAYLOAD)))
}

/// A packet in a frame for this station.
fn came(bytes: &[u8]) -> PacketUp {
    let nobody = NextHop::Neighbour(Ipv4Addr::UNSPECIFIED.into());
    PacketUp::Packet(Packet::new(Buf::copy_from_slice(bytes), LINK, nobody))
}

fn fragment(setup: IpSetup, identification: u16, more: bool, offset: u16, data: &[u8]) -> PacketUp {
    let whole = Ipv4::new(setup.peer(), setup.v4, UDP);
    came(&Ipv4 { identification, fragment: (more, offset), ..whole }.with(data))
}

fn segment(source: Ipv4Addr, destination: Ipv4Addr) -> SegmentDown {
    let buf = Buf::copy_from_slice(PAYLOAD);
    SegmentDown::Segment(Segment::new(buf, source.into(), destination.into(), UDP))
}

fn packet(down: &PacketDown) -> Result<&Packet, String> {
    match down {
        PacketDown::Packet(packet) => Ok(packet),
        PacketDown::Control(_) => Err("it is no packet".into()),
    }
}

fn right_v4_header(packet: &Packet, source: Ipv4Addr, destination: Ipv4Addr) -> Verdict {
    same("the first byte (version and header length)", u8_at(packet, 0), Some(0x45))?;
    same("the total length", u16_at(packet, 2), Some(20 + PAYLOAD.len() as u16))?;
    must(u8_at(packet, 8).is_some_and(|ttl| ttl > 0), "the TTL is 0")?;
    same("the protocol", u8_at(packet, 9), Some(UDP))?;
    same("the source", array_at(packet, 12), Some(source.octets()))?;
    same("the destination", array_at(packet, 16), Some(destination.octets()))?;
    same("the sum over the header", packet.get(..20).map(checksum), Some(0))
}

fn is_segment(source: IpAddr, destination: IpAddr) -> impl Fn(&SegmentUp, &mut Notes) -> Verdict {
    move |up, _| match up {
        SegmentUp::Segment(segment) => {
            same("the source", segment.source(), source)?;
            same("the destination", segment.destination(), destination)?;
            same("the protocol", segment.protocol(), UDP)?;
            must(segment[..] == *PAYLOAD, "its bytes are not those in the packet")
        }
        SegmentUp::Event(_) => Err("it is an event".into()),
    }
}
