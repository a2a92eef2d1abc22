//! Frames that a script has the peer send, written in full: lengths, checksums, numbers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise::core::checksum::Sum;
use framewise::core::{Buf, MacAddr};
use framewise::ethernet::{ArpPacket, EtherType, FrameView, Header, Operation};
use framewise::ip::ndp::{AdvertisementFlags, emit_neighbour_advertisement, emit_neighbour_solicitation};
use framewise::ip::{FragmentHeader, Ipv4Header, Ipv6Header, icmpv4, icmpv6, ipv4, ipv6, ndp};
use framewise::tcp::SeqNumber;
use framewise::tcp::segment::{Flags, Header as TcpHeader, Options};
use framewise::udp;

use crate::script::{ArpKind, Content, Injection, Peer, Segment};

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const FRAGMENT: u8 = 44;
/// What neighbours say to each other has come over no router (RFC 4861, section 7.1).
const NDP_HOP_LIMIT: u8 = 255;
const HOP_LIMIT: u8 = 64;
/// Where the peer's own sequence numbers begin. Any number does; this one makes sums by heart easy.
pub(crate) const PEER_ISN: u32 = 1_000;
/// The window of a segment that says nothing of it.
const WINDOW: u16 = 65_535;

/// What is known of a connection between the host and the peer. The numbers count from the SYN.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    pub(crate) host_port: u16,
    /// The host's first sequence number, once it has sent a SYN.
    pub(crate) host_isn: Option<u32>,
    /// Up to where the host has sent, and the peer.
    pub(crate) host_next: u32,
    pub(crate) peer_next: u32,
}

/// What frames are made from.
pub(crate) struct Maker {
    pub(crate) host_mac: MacAddr,
    pub(crate) host_addresses: Vec<IpAddr>,
    pub(crate) peer: Peer,
    /// Numbers the packets.
    pub(crate) identification: u16,
    /// The packet that the host sent last, which an error quotes.
    pub(crate) quoted: Vec<u8>,
    /// The frame that came last.
    pub(crate) last: Vec<u8>,
}

/// Why a frame can't be made.
pub(crate) type Unmade = &'static str;

impl Maker {
    /// The frames of an injection: one, or as many as it has fragments.
    pub(crate) fn make(&mut self, injection: &Injection, flow: &Flow) -> Result<Vec<Vec<u8>>, Unmade> {
        self.identification = self.identification.wrapping_add(1);
        let between = self.addresses(injection);
        match &injection.content {
            Content::Frame(bytes) => Ok(vec![bytes.clone()]),
            Content::Again if self.last.is_empty() => Err("no frame has come yet that could come again"),
            Content::Again => Ok(vec![self.last.clone()]),
            Content::Arp { kind, about } => Ok(vec![self.arp(*kind, *about, injection)?]),
            Content::Solicitation { about } => self.ndp(*about, injection, true),
            Content::Advertisement { about } => self.ndp(*about, injection, false),
            content => {
                let (from, to) = between?;
                let (protocol, mut payload) = match content {
                    Content::Tcp(segment) => (TCP, segment_bytes(segment, flow, self.peer.port, from, to)?),
                    Content::Udp { from: port, to: at, data } => {
                        (UDP, datagram(port.unwrap_or(self.peer.port), *at, data, from, to)?)
                    }
                    Content::Ping { identifier, sequence, length } => {
                        ping(*identifier, *sequence, *length, from, to)
                    }
                    _ => self.error(content, from, to)?,
                };
                if injection.is_damaged {
                    damage(protocol, &mut payload);
                }
                self.packets(injection, protocol, &payload, from, to)
            }
        }
    }

    /// From which address to which; both of one version.
    fn addresses(&self, injection: &Injection) -> Result<(IpAddr, IpAddr), Unmade> {
        let from = injection.from.unwrap_or(self.peer.address);
        let same = |address: &&IpAddr| address.is_ipv4() == from.is_ipv4();
        let to = injection.to.or_else(|| self.host_addresses.iter().find(same).copied());
        let to = to.filter(|to| same(&to));
        to.map(|to| (from, to)).ok_or("the host has no address of that version")
    }

    fn arp(&self, kind: ArpKind, about: IpAddr, injection: &Injection) -> Result<Vec<u8>, Unmade> {
        let IpAddr::V4(about) = about else { return Err("ARP is for IPv4") };
        let mac = injection.mac.unwrap_or(self.peer.mac);
        let (packet, to) = match kind {
            ArpKind::Request => {
                let IpAddr::V4(own) = injection.from.unwrap_or(self.peer.address) else {
                    return Err("ARP is for IPv4, and the peer's address is of IPv6");
                };
                (ArpPacket::request(mac, own, about), MacAddr::BROADCAST)
            }
            ArpKind::Probe => (ArpPacket::probe(mac, about), MacAddr::BROADCAST),
            ArpKind::Announcement => (ArpPacket::announcement(mac, about), MacAddr::BROADCAST),
            ArpKind::Reply => {
                let asked = ArpPacket::request(self.host_mac, self.host_address_v4(injection)?, about);
                (asked.reply(mac), self.host_mac)
            }
        };
        Ok(packet.to_frame(injection.to_mac.unwrap_or(to), mac).to_vec())
    }

    fn host_address_v4(&self, injection: &Injection) -> Result<Ipv4Addr, Unmade> {
        let candidates = injection.to.iter().chain(&self.host_addresses);
        let first = candidates.filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        first.into_iter().next().ok_or("the host has no address of IPv4")
    }

    fn ndp(&self, about: IpAddr, injection: &Injection, asks: bool) -> Result<Vec<Vec<u8>>, Unmade> {
        let IpAddr::V6(about) = about else { return Err("NDP is for IPv6") };
        let mac = injection.mac.unwrap_or(self.peer.mac);
        let own = match injection.from.unwrap_or(self.peer.address) {
            IpAddr::V6(own) => own,
            IpAddr::V4(_) => ipv6::link_local(mac),
        };
        let (message, to, to_mac) = if asks {
            let group = ipv6::solicited_node(about);
            (emit_neighbour_solicitation(about, Some(mac), own, group).to_vec(), group, group_mac(group))
        } else {
            let host = self.host_addresses.iter().find_map(|address| match address {
                IpAddr::V6(address) => Some(*address),
                IpAddr::V4(_) => None,
            });
            let to = match injection.to {
                Some(IpAddr::V6(to)) => to,
                _ => host.ok_or("the host has no address of IPv6")?,
            };
            let flags = AdvertisementFlags { router: false, solicited: true, replace: true };
            (emit_neighbour_advertisement(about, mac, flags, own, to).to_vec(), to, self.host_mac)
        };
        let packet = packet_v6(ICMPV6, injection.time_to_live.unwrap_or(NDP_HOP_LIMIT), &message, own, to);
        Ok(vec![ethernet(injection.to_mac.unwrap_or(to_mac), mac, EtherType::IPV6, &packet)])
    }

    /// An ICMP error about what the host sent last.
    fn error(&self, content: &Content, from: IpAddr, to: IpAddr) -> Result<(u8, Vec<u8>), Unmade> {
        let Content::Error { kind, code, mtu } = content else { return Err("this can't be sent") };
        if self.quoted.is_empty() {
            return Err("the host has sent no packet yet that an error could be about");
        }
        Ok(match (from, to) {
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let message = icmpv6::message(*kind, *code, mtu.to_be_bytes(), &self.quoted, from, to);
                (ICMPV6, message.to_vec())
            }
            // Only the lower half of the four bytes is the MTU (RFC 1191, section 4).
            _ => {
                let rest = (*mtu & 0xffff).to_be_bytes();
                (icmpv4::PROTOCOL, icmpv4::error(*kind, *code, rest, &self.quoted).to_vec())
            }
        })
    }

    /// Packets around a payload: one, or fragments in the order that is asked for.
    fn packets(
        &self,
        injection: &Injection,
        protocol: u8,
        payload: &[u8],
        from: IpAddr,
        to: IpAddr,
    ) -> Result<Vec<Vec<u8>>, Unmade> {
        let time_to_live = injection.time_to_live.unwrap_or(HOP_LIMIT);
        let size = injection.fragments.unwrap_or(payload.len().max(1));
        let is_split = size < payload.len();
        let mut pieces = Vec::new();
        for (index, piece) in payload.chunks(size).enumerate() {
            let (at, more) = (index * size, (index + 1) * size < payload.len());
            pieces.push(match (from, to) {
                (IpAddr::V4(from), IpAddr::V4(to)) => {
                    let header = Ipv4Header {
                        header_len: ipv4::HEADER_LEN,
                        traffic_class: 0,
                        total_len: ipv4::HEADER_LEN + piece.len(),
                        identification: self.identification,
                        dont_fragment: !is_split,
                        more_fragments: more,
                        fragment_offset: at,
                        time_to_live,
                        protocol,
                        source: from,
                        destination: to,
                    };
                    let mut bytes = vec![0; ipv4::HEADER_LEN];
                    header.emit(&mut bytes);
                    bytes.extend(piece);
                    bytes
                }
                (IpAddr::V6(from), IpAddr::V6(to)) if is_split => {
                    let fragment = FragmentHeader {
                        next_header: protocol,
                        fragment_offset: at,
                        more_fragments: more,
                        identification: self.identification.into(),
                    };
                    let mut bytes = vec![0; FragmentHeader::LEN];
                    fragment.emit(&mut bytes);
                    bytes.extend(piece);
                    packet_v6(FRAGMENT, time_to_live, &bytes, from, to)
                }
                (IpAddr::V6(from), IpAddr::V6(to)) => packet_v6(protocol, time_to_live, piece, from, to),
                _ => return Err("both addresses must be of one version of IP"),
            });
        }
        let kind = if from.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
        let mac = injection.mac.unwrap_or(self.peer.mac);
        let frame = |packet: &Vec<u8>| {
            let too_long = "a packet is longer than 65535 bytes";
            (packet.len() <= usize::from(u16::MAX)).then_some(()).ok_or(too_long)?;
            Ok(ethernet(injection.to_mac.unwrap_or(self.host_mac), mac, kind, packet))
        };
        match &injection.order {
            None => pieces.iter().map(frame).collect(),
            Some(order) => {
                let piece = |number: &usize| number.checked_sub(1).and_then(|index| pieces.get(index));
                order.iter().map(|number| frame(piece(number).ok_or("there is no such fragment")?)).collect()
            }
        }
    }
}

fn ethernet(to: MacAddr, from: MacAddr, ethertype: EtherType, payload: &[u8]) -> Vec<u8> {
    let header = Header { destination: to, source: from, ethertype };
    [&header.to_bytes()[..], payload].concat()
}

/// The MAC address of a group of IPv6 (RFC 2464, section 7).
fn group_mac(group: Ipv6Addr) -> MacAddr {
    let [.., a, b, c, d] = group.octets();
    MacAddr::new([0x33, 0x33, a, b, c, d])
}

fn packet_v6(
    next_header: u8,
    hop_limit: u8,
    payload: &[u8],
    source: Ipv6Addr,
    destination: Ipv6Addr,
) -> Vec<u8> {
    let mut bytes = vec![0; ipv6::HEADER_LEN];
    let payload_len = payload.len();
    let header = Ipv6Header {
        traffic_class: 0,
        flow_label: 0,
        payload_len,
        next_header,
        hop_limit,
        source,
        destination,
    };
    header.emit(&mut bytes);
    bytes.extend(payload);
    bytes
}

fn segment_bytes(
    segment: &Segment,
    flow: &Flow,
    peer_port: u16,
    from: IpAddr,
    to: IpAddr,
) -> Result<Vec<u8>, Unmade> {
    let host_isn = flow.host_isn.unwrap_or_default();
    let has_ack = segment.flags.has(Flags::ACK);
    let acknowledgment = segment.acknowledgment.unwrap_or(if has_ack { flow.host_next } else { 0 });
    let shift = if has_ack { host_isn } else { 0 };
    let mut options = Options {
        maximum_segment_size: segment.options.maximum_segment_size,
        window_scale: segment.options.window_scale,
        sack_permitted: segment.options.sack_permitted,
        ..Options::default()
    };
    for (place, (first, after)) in options.sack.iter_mut().zip(&segment.options.sack) {
        let number = |relative: u32| SeqNumber(relative.wrapping_add(host_isn));
        *place = Some((number(*first), number(*after)));
    }
    let host_port = segment.to_port.unwrap_or(flow.host_port);
    if host_port == 0 {
        return Err("to which port? The host has none yet; say to-port=");
    }
    let header = TcpHeader {
        source_port: segment.from_port.unwrap_or(peer_port),
        destination_port: host_port,
        sequence: SeqNumber(segment.sequence.unwrap_or(flow.peer_next).wrapping_add(PEER_ISN)),
        acknowledgment: SeqNumber(acknowledgment.wrapping_add(shift)),
        flags: segment.flags,
        window: segment.window.unwrap_or(WINDOW),
        options,
        ..TcpHeader::default()
    };
    let mut bytes = vec![0; header.emitted_len()];
    header.emit(&mut bytes);
    bytes.extend(&segment.data);
    put_sum(&mut bytes, 16, TCP, from, to);
    Ok(bytes)
}

fn datagram(from_port: u16, to_port: u16, data: &[u8], from: IpAddr, to: IpAddr) -> Result<Vec<u8>, Unmade> {
    let header = udp::Header { source_port: from_port, destination_port: to_port };
    let mut bytes = Buf::copy_from_slice(data);
    header.emit(&mut bytes, from, to).map_err(|_| "a datagram is longer than 65535 bytes")?;
    Ok(bytes.to_vec())
}

fn ping(identifier: u16, sequence: u16, length: usize, from: IpAddr, to: IpAddr) -> (u8, Vec<u8>) {
    let data = crate::text::filler(length);
    let [rest_a, rest_b] = [identifier.to_be_bytes(), sequence.to_be_bytes()];
    match (from, to) {
        (IpAddr::V6(_), IpAddr::V6(_)) => {
            const ECHO_REQUEST_V6: u8 = 128;
            let mut bytes = [&[ECHO_REQUEST_V6, 0, 0, 0][..], &rest_a, &rest_b, &data].concat();
            put_sum(&mut bytes, 2, ICMPV6, from, to);
            (ICMPV6, bytes)
        }
        _ => {
            let mut bytes = [&[icmpv4::ECHO_REQUEST, 0, 0, 0][..], &rest_a, &rest_b, &data].concat();
            let sum = framewise::core::checksum::checksum(&bytes);
            bytes[2..4].copy_from_slice(&sum.to_be_bytes());
            (icmpv4::PROTOCOL, bytes)
        }
    }
}

/// Writes the checksum over a pseudo-header and `bytes`, in which it stands at `at`.
fn put_sum(bytes: &mut [u8], at: usize, protocol: u8, from: IpAddr, to: IpAddr) {
    let mut sum = Sum::default();
    sum.add_pseudo_header(from, to, protocol, bytes.len());
    sum.add(bytes);
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&sum.checksum().to_be_bytes());
    }
}

/// Turns over a bit of the checksum.
fn damage(protocol: u8, payload: &mut [u8]) {
    let at = match protocol {
        TCP => 17,
        UDP => 7,
        _ => 3,
    };
    if let Some(byte) = payload.get_mut(at) {
        *byte ^= 1;
    }
}

/// Whom a frame of the host asks for, if it looks for a neighbour.
pub(crate) fn wanted_neighbour(frame: &[u8]) -> Option<IpAddr> {
    let view = FrameView::new(frame).ok()?;
    match view.ethertype() {
        EtherType::ARP => {
            let packet = ArpPacket::parse(view.payload()).ok()?;
            let asks =
                packet.operation == Operation::Request && !packet.is_probe() && !packet.is_announcement();
            asks.then(|| packet.target_address.into())
        }
        EtherType::IPV6 => {
            let packet = view.payload();
            let header = Ipv6Header::parse(packet).ok()?;
            let message = packet.get(ipv6::HEADER_LEN..)?;
            let is_solicitation = header.next_header == ICMPV6
                && message.first() == Some(&ndp::NEIGHBOUR_SOLICITATION)
                && !header.source.is_unspecified();
            let target = message.get(8..24).filter(|_| is_solicitation)?;
            <[u8; 16]>::try_from(target).ok().map(|target| IpAddr::from(Ipv6Addr::from(target)))
        }
        _ => None,
    }
}
