//! Two libraries that others wrote read every frame of our runs, and must find in it what our layers say of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use etherparse::{LinkSlice, NetSlice, SlicedPacket, TransportSlice};
use framewise::core::{Description, MacAddr};
use framewise::device::ImpairmentConfig;
use framewise::{Fetch, World, WorldConfig};
use framewise_tests::memory::{record, world};
use framewise_trace::Trace;
use pnet::packet::Packet;
use pnet::packet::arp::ArpPacket;
use pnet::packet::ethernet::{EtherTypes, EthernetPacket};
use pnet::packet::icmp::{self, IcmpPacket};
use pnet::packet::icmpv6::{self, Icmpv6Packet};
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::{self, Ipv4Packet};
use pnet::packet::ipv6::Ipv6Packet;
use pnet::packet::tcp::{self, TcpPacket};
use pnet::packet::udp::{self, UdpPacket};

/// What a reader makes of a frame: each protocol's fields by their RFC names, and whether its checksum is right.
type Reading = BTreeMap<(&'static str, &'static str), String>;

const ETHERNET: &[&str] = &["destination", "source"];
const ARP: &[&str] = &[
    "operation",
    "sender hardware address",
    "sender protocol address",
    "target hardware address",
    "target protocol address",
];
const IPV4: &[&str] = &[
    "internet header length",
    "total length",
    "time to live",
    "protocol",
    "header checksum",
    "source address",
    "destination address",
];
const IPV6: &[&str] =
    &["payload length", "next header", "hop limit", "source address", "destination address"];
const TCP: &[&str] = &[
    "source port",
    "destination port",
    "sequence number",
    "data offset",
    "window",
    "checksum",
    "urgent pointer",
];
const UDP: &[&str] = &["source port", "destination port", "length", "checksum"];
const ICMP: &[&str] = &["type", "code", "checksum"];
/// Says that a protocol's checksum is right; how many bytes its payload has.
const SUM: &str = "is the sum right";
const PAYLOAD: &str = "bytes of payload";

fn put(reading: &mut Reading, protocol: &'static str, names: &[&'static str], values: &[&dyn ToString]) {
    assert_eq!(names.len(), values.len(), "{protocol}: a value for each name");
    for (name, value) in names.iter().zip(values) {
        reading.insert((protocol, name), value.to_string());
    }
}

fn sum(value: u16) -> String {
    format!("{value:#06x}")
}

/// What our own layers say: the values of the fields that they describe.
fn ours(frame: &[u8]) -> Reading {
    let mut reading = Reading::new();
    let mut take = |description: &Description, names: &[&'static str]| {
        // Neighbour discovery is ICMPv6, which is what others call it.
        let protocol = if description.protocol == "NDP" { "ICMPv6" } else { description.protocol };
        for name in names {
            let field = description.fields.iter().find(|field| field.name == *name);
            let value = field.map_or_else(|| "not described".to_owned(), |field| field.value.clone());
            reading.insert((protocol, name), value);
        }
        let payload = description.payload.len().to_string();
        reading.insert((protocol, PAYLOAD), payload);
        if ["IPv4", "TCP", "UDP", "ICMP"].contains(&protocol) {
            reading.insert((protocol, SUM), (!description.inbound.contains("wrong")).to_string());
        }
    };
    let ethernet = framewise::ethernet::describe(frame).expect("our own frame can be read");
    take(&ethernet, ETHERNET);
    let packet = &frame[ethernet.payload.clone()];
    if frame[12..14] == [8, 6] {
        take(&framewise::ethernet::describe_arp(packet).expect("our own ARP can be read"), ARP);
        return reading;
    }
    let ip = framewise::ip::describe(packet).expect("our own packet can be read");
    take(&ip, if ip.protocol == "IPv4" { IPV4 } else { IPV6 });
    let (source, destination) = addresses(packet);
    let inside = &packet[ip.payload.clone()];
    match if source.is_ipv4() { packet[9] } else { packet[6] } {
        1 => {
            take(&framewise::ip::describe::describe_icmp(inside).expect("our own message can be read"), ICMP)
        }
        6 => {
            take(&framewise::tcp::describe(inside, source, destination, None).expect("our own segment"), TCP)
        }
        17 => take(
            &framewise::udp::describe(inside, Some((source, destination))).expect("our own datagram"),
            UDP,
        ),
        58 => take(
            &framewise::ip::describe::describe_icmpv6(inside).expect("our own message can be read"),
            ICMP,
        ),
        other => panic!("protocol {other} was not to be sent"),
    }
    reading
}

fn addresses(packet: &[u8]) -> (IpAddr, IpAddr) {
    let v4 = |at: usize| IpAddr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).expect("four bytes"));
    let v6 = |at: usize| IpAddr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).expect("sixteen bytes"));
    if packet[0] >> 4 == 4 { (v4(12), v4(16)) } else { (v6(8), v6(24)) }
}

fn by_pnet(frame: &[u8]) -> Reading {
    let mut reading = Reading::new();
    let ethernet = EthernetPacket::new(frame).expect("long enough for a header");
    put(&mut reading, "Ethernet", ETHERNET, &[&ethernet.get_destination(), &ethernet.get_source()]);
    match ethernet.get_ethertype() {
        EtherTypes::Arp => {
            let arp = ArpPacket::new(ethernet.payload()).expect("long enough for ARP");
            let (operation, size) = (arp.get_operation().0, ArpPacket::minimum_packet_size());
            let values: [&dyn ToString; 5] = [
                &operation,
                &arp.get_sender_hw_addr(),
                &arp.get_sender_proto_addr(),
                &arp.get_target_hw_addr(),
                &arp.get_target_proto_addr(),
            ];
            put(&mut reading, "ARP", ARP, &values);
            put(&mut reading, "Ethernet", &[PAYLOAD], &[&size]);
        }
        EtherTypes::Ipv4 => {
            let packet = Ipv4Packet::new(ethernet.payload()).expect("long enough for IPv4");
            put(&mut reading, "Ethernet", &[PAYLOAD], &[&packet.get_total_length()]);
            let values: [&dyn ToString; 7] = [
                &packet.get_header_length(),
                &packet.get_total_length(),
                &packet.get_ttl(),
                &packet.get_next_level_protocol().0,
                &sum(packet.get_checksum()),
                &packet.get_source(),
                &packet.get_destination(),
            ];
            put(&mut reading, "IPv4", IPV4, &values);
            let is_right = ipv4::checksum(&packet) == packet.get_checksum();
            put(&mut reading, "IPv4", &[SUM, PAYLOAD], &[&is_right, &packet.payload().len()]);
            let ends = (packet.get_source().into(), packet.get_destination().into());
            pnet_transport(&mut reading, packet.get_next_level_protocol().0, packet.payload(), ends);
        }
        EtherTypes::Ipv6 => {
            let packet = Ipv6Packet::new(ethernet.payload()).expect("long enough for IPv6");
            put(&mut reading, "Ethernet", &[PAYLOAD], &[&(packet.get_payload_length() + 40)]);
            let values: [&dyn ToString; 5] = [
                &packet.get_payload_length(),
                &packet.get_next_header().0,
                &packet.get_hop_limit(),
                &packet.get_source(),
                &packet.get_destination(),
            ];
            put(&mut reading, "IPv6", IPV6, &values);
            put(&mut reading, "IPv6", &[PAYLOAD], &[&packet.payload().len()]);
            let ends = (packet.get_source().into(), packet.get_destination().into());
            pnet_transport(&mut reading, packet.get_next_header().0, packet.payload(), ends);
        }
        other => panic!("EtherType {other} was not to be sent"),
    }
    reading
}

fn pnet_transport(reading: &mut Reading, protocol: u8, bytes: &[u8], ends: (IpAddr, IpAddr)) {
    match pnet::packet::ip::IpNextHeaderProtocol(protocol) {
        IpNextHeaderProtocols::Tcp => {
            let segment = TcpPacket::new(bytes).expect("long enough for TCP");
            let right = match ends {
                (IpAddr::V4(from), IpAddr::V4(to)) => tcp::ipv4_checksum(&segment, &from, &to),
                (IpAddr::V6(from), IpAddr::V6(to)) => tcp::ipv6_checksum(&segment, &from, &to),
                _ => panic!("one version at both ends"),
            };
            let values: [&dyn ToString; 7] = [
                &segment.get_source(),
                &segment.get_destination(),
                &segment.get_sequence(),
                &segment.get_data_offset(),
                &segment.get_window(),
                &sum(segment.get_checksum()),
                &segment.get_urgent_ptr(),
            ];
            put(reading, "TCP", TCP, &values);
            let payload = bytes.len() - usize::from(segment.get_data_offset()) * 4;
            put(reading, "TCP", &[SUM, PAYLOAD], &[&(right == segment.get_checksum()), &payload]);
        }
        IpNextHeaderProtocols::Udp => {
            let datagram = UdpPacket::new(bytes).expect("long enough for UDP");
            let right = match ends {
                (IpAddr::V4(from), IpAddr::V4(to)) => udp::ipv4_checksum(&datagram, &from, &to),
                (IpAddr::V6(from), IpAddr::V6(to)) => udp::ipv6_checksum(&datagram, &from, &to),
                _ => panic!("one version at both ends"),
            };
            let (length, found) = (datagram.get_length(), datagram.get_checksum());
            let values: [&dyn ToString; 4] =
                [&datagram.get_source(), &datagram.get_destination(), &length, &sum(found)];
            put(reading, "UDP", UDP, &values);
            put(reading, "UDP", &[SUM, PAYLOAD], &[&(right == found), &datagram.payload().len()]);
        }
        IpNextHeaderProtocols::Icmp => {
            let message = IcmpPacket::new(bytes).expect("long enough for ICMP");
            let (kind, code) = (message.get_icmp_type().0, message.get_icmp_code().0);
            put(reading, "ICMP", ICMP, &[&kind, &code, &sum(message.get_checksum())]);
            put(reading, "ICMP", &[SUM], &[&(icmp::checksum(&message) == message.get_checksum())]);
        }
        IpNextHeaderProtocols::Icmpv6 => {
            let message = Icmpv6Packet::new(bytes).expect("long enough for ICMPv6");
            let (IpAddr::V6(from), IpAddr::V6(to)) = ends else { panic!("ICMPv6 goes over IPv6") };
            let (kind, code) = (message.get_icmpv6_type().0, message.get_icmpv6_code().0);
            put(reading, "ICMPv6", ICMP, &[&kind, &code, &sum(message.get_checksum())]);
            let is_right = icmpv6::checksum(&message, &from, &to) == message.get_checksum();
            put(reading, "ICMPv6", &[SUM], &[&is_right]);
        }
        other => panic!("protocol {other} was not to be sent"),
    }
}

fn by_etherparse(frame: &[u8]) -> Reading {
    let mut reading = Reading::new();
    let packet = SlicedPacket::from_ethernet(frame).expect("etherparse reads it");
    let Some(LinkSlice::Ethernet2(link)) = &packet.link else { panic!("an Ethernet header") };
    let [destination, source] = [link.destination(), link.source()].map(MacAddr::new);
    put(&mut reading, "Ethernet", ETHERNET, &[&destination, &source]);
    match packet.net.as_ref().expect("something inside the frame") {
        NetSlice::Arp(arp) => {
            let arp = arp.to_packet().try_eth_ipv4().expect("for IPv4 over Ethernet");
            let values: [&dyn ToString; 5] = [
                &arp.operation.0,
                &MacAddr::new(arp.sender_mac),
                &Ipv4Addr::from(arp.sender_ipv4),
                &MacAddr::new(arp.target_mac),
                &Ipv4Addr::from(arp.target_ipv4),
            ];
            put(&mut reading, "ARP", ARP, &values);
        }
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            let (source, destination) = (header.source(), header.destination());
            let values: [&dyn ToString; 7] = [
                &header.ihl(),
                &header.total_len(),
                &header.ttl(),
                &header.protocol().0,
                &sum(header.header_checksum()),
                &Ipv4Addr::from(source),
                &Ipv4Addr::from(destination),
            ];
            put(&mut reading, "IPv4", IPV4, &values);
            let is_right = header.header_checksum() == header.to_header().calc_header_checksum();
            put(&mut reading, "IPv4", &[SUM, PAYLOAD], &[&is_right, &ip.payload().payload.len()]);
            if let Some(TransportSlice::Tcp(tcp)) = &packet.transport {
                let right = tcp.calc_checksum_ipv4(source, destination).expect("not too long");
                put(&mut reading, "TCP", &[SUM], &[&(right == tcp.checksum())]);
            }
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            let (source, destination) = (header.source(), header.destination());
            let values: [&dyn ToString; 5] = [
                &header.payload_length(),
                &header.next_header().0,
                &header.hop_limit(),
                &Ipv6Addr::from(source),
                &Ipv6Addr::from(destination),
            ];
            put(&mut reading, "IPv6", IPV6, &values);
            put(&mut reading, "IPv6", &[PAYLOAD], &[&ip.payload().payload.len()]);
            match &packet.transport {
                Some(TransportSlice::Tcp(tcp)) => {
                    let right = tcp.calc_checksum_ipv6(source, destination).expect("not too long");
                    put(&mut reading, "TCP", &[SUM], &[&(right == tcp.checksum())]);
                }
                Some(TransportSlice::Icmpv6(message)) => {
                    put(&mut reading, "ICMPv6", &[SUM], &[&message.is_checksum_valid(source, destination)]);
                }
                _ => {}
            }
        }
    }
    etherparse_transport(&mut reading, packet.transport.as_ref());
    reading
}

fn etherparse_transport(reading: &mut Reading, transport: Option<&TransportSlice<'_>>) {
    match transport {
        Some(TransportSlice::Tcp(tcp)) => {
            let values: [&dyn ToString; 7] = [
                &tcp.source_port(),
                &tcp.destination_port(),
                &tcp.sequence_number(),
                &tcp.data_offset(),
                &tcp.window_size(),
                &sum(tcp.checksum()),
                &tcp.urgent_pointer(),
            ];
            put(reading, "TCP", TCP, &values);
            put(reading, "TCP", &[PAYLOAD], &[&tcp.payload().len()]);
        }
        Some(TransportSlice::Udp(udp)) => {
            let values: [&dyn ToString; 4] =
                [&udp.source_port(), &udp.destination_port(), &udp.length(), &sum(udp.checksum())];
            put(reading, "UDP", UDP, &values);
            put(reading, "UDP", &[PAYLOAD], &[&udp.payload().len()]);
        }
        Some(TransportSlice::Icmpv4(message)) => {
            let values: [&dyn ToString; 3] =
                [&message.type_u8(), &message.code_u8(), &sum(message.checksum())];
            put(reading, "ICMP", ICMP, &values);
        }
        Some(TransportSlice::Icmpv6(message)) => {
            let values: [&dyn ToString; 3] =
                [&message.type_u8(), &message.code_u8(), &sum(message.checksum())];
            put(reading, "ICMPv6", ICMP, &values);
        }
        Some(_) | None => {}
    }
}

/// Every frame on the wires of a run, as it left.
#[track_caller]
fn judge(trace: &Trace) -> BTreeMap<&'static str, usize> {
    let mut seen = BTreeMap::new();
    assert_eq!(trace.stopped(), None, "the recording holds the whole run");
    for host in ["me", "router", "shop.test"] {
        for (number, crossing) in trace.frames(host).enumerate() {
            let frame = trace.bytes(crossing);
            let ours = ours(frame);
            for (name, oracle) in [("pnet", by_pnet(frame)), ("etherparse", by_etherparse(frame))] {
                for (&(protocol, field), value) in &oracle {
                    let said = ours.get(&(protocol, field)).map(String::as_str);
                    // An ICMPv6 message alone doesn't tell: its sum covers the addresses, too.
                    let said = if (protocol, field) == ("ICMPv6", SUM) { Some("true") } else { said };
                    let of = format!("{host}, frame {number}, {protocol}, {field}");
                    assert_eq!(said, Some(value.as_str()), "{of}: ours, then {name}'s");
                    if field == SUM {
                        assert_eq!(
                            value, "true",
                            "{host}, frame {number}: {name} finds {protocol}'s checksum wrong"
                        );
                    }
                }
            }
            for protocol in
                ours.keys().map(|&(protocol, _)| protocol).collect::<std::collections::BTreeSet<_>>()
            {
                *seen.entry(protocol).or_default() += 1;
            }
        }
    }
    seen
}

fn run(config: &WorldConfig, urls: &[&str]) -> (World, Trace) {
    let mut world = world(config);
    let recorder = record(&mut world);
    for url in urls {
        let fetch = Fetch::get(*url).max_time(Duration::from_secs(60));
        // What comes of it is judged elsewhere: here every frame counts, those of failures too.
        let _ = world.runner.host(world.me).fetch(fetch);
    }
    let trace = recorder.borrow().trace();
    (world, trace)
}

#[test]
fn the_oracles_agree_about_pages() {
    let urls = [
        "http://shop.test/",
        "https://shop.test/",
        "http://[2001:db8:2::80]/large",
        "https://shop.test/large",
    ];
    let (_, trace) = run(&WorldConfig { seed: 1, ..WorldConfig::default() }, &urls);
    let seen = judge(&trace);
    for protocol in ["Ethernet", "ARP", "IPv4", "IPv6", "TCP", "UDP", "ICMPv6"] {
        assert!(
            seen.get(protocol).is_some_and(|&times| times > 1),
            "too little of {protocol} was there: {seen:?}"
        );
    }
}

#[test]
fn the_oracles_agree_about_failures() {
    let urls = [
        "http://203.0.113.99/",
        "http://198.51.100.1/",
        "http://[2001:db8:2::99]/",
        "http://[2001:db8:9::1]/",
        "http://shop.test:81/",
        "https://shop.test:80/",
        "http://nowhere.test/",
    ];
    let (_, trace) = run(&WorldConfig { seed: 2, ..WorldConfig::default() }, &urls);
    let seen = judge(&trace);
    assert!(seen.get("ICMP").is_some_and(|&times| times > 1), "no ICMP error was there: {seen:?}");
}

#[test]
fn the_oracles_agree_about_what_is_sent_again() {
    let impairment =
        ImpairmentConfig { loss: 0.05, duplication: 0.05, reordering: 0.2, ..ImpairmentConfig::default() };
    let urls = ["https://shop.test/large", "http://shop.test/large"];
    let (_, trace) = run(&WorldConfig { seed: 3, impairment, ..WorldConfig::default() }, &urls);
    judge(&trace);
    assert!(
        trace.notes().any(|note| note.topic == "retransmit"),
        "nothing was sent again, so nothing was shown"
    );
}
