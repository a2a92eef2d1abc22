//! Who else is on the link: asked by ARP and NDP, with frames of our own.
//!
//! Read first: RFC 5227 sections 1.1 and 2.1.1 (a probe), RFC 4862 section 5.4 (the same for IPv6).
//!
//! All questions are probes: they claim no address, so that no neighbour learns from them what will not be so. And
//! they come from a MAC address that is nobody's: the answer of a station that has ours would never reach us, since a
//! switch does not send a frame back to where it takes its addressee to be.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use framewise::core::buf::InterfaceId;
use framewise::core::seams::frame::Frame;
use framewise::core::{Buf, MacAddr};
use framewise::device::interfaces;
use framewise::ethernet::filter::group_address;
use framewise::ethernet::{ArpPacket, EtherType, FrameView, Header};
use framewise::ip::extension::ICMPV6;
use framewise::ip::icmpv6::Icmpv6;
use framewise::ip::ipv6::{self, Ipv6Header};
use framewise::ip::ndp::{self, Envelope, Ndp};

use super::Check;
use super::link::nth;
use crate::args::{DeviceName, TapHost};
use crate::live::{self, Opened};

/// How long answers are waited for. On a link they take less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a question is put.
const TIMES: u32 = 3;

pub(super) fn look(device: DeviceName<'_>, args: &TapHost, can_open: bool) -> Vec<Check> {
    let open = |why: &str| {
        ["neighbour", "duplicates"]
            .map(|name| Check::open(name, "Ethernet", format!("not asked: {why}")))
            .into()
    };
    if !can_open {
        return open("the device can't be opened yet");
    }
    let (peers, named) = peers(device, args);
    let mut opened = match live::open(device, crate::args::Offload::Off)
        .and_then(|opened| live::give_up_rights().map(|()| opened))
    {
        Ok(opened) => opened,
        Err(failure) => {
            let mend = format!("sudo framewise doctor {}", option(device));
            return vec![Check::fails("neighbour", "Ethernet", failure.sentence(), mend)];
        }
    };
    let ours = args.mac.unwrap_or_else(|| opened.made_up_mac());
    let suspects = known_to_the_kernel(device.name(), ours, args);
    let own = args.address.iter().map(|cidr| cidr.address);
    let wanted: Vec<_> = own.chain(peers.iter().copied()).chain(suspects.iter().copied()).collect();
    let heard = match ask(&mut opened, ours, &wanted, &peers) {
        Ok(heard) => heard,
        Err(error) => {
            let mend = format!("sudo ip link set {} up", device.name());
            return vec![Check::fails("neighbour", "Ethernet", error.to_string(), mend)];
        }
    };
    vec![neighbour(device, args, &peers, named, &heard), duplicates(device, args, ours, &suspects, &heard)]
}

/// Whom to ask: the gateways, or else the kernel itself. And whether they were named on the command line.
fn peers(device: DeviceName<'_>, args: &TapHost) -> (Vec<IpAddr>, bool) {
    if !args.gateway.is_empty() {
        return (args.gateway.clone(), true);
    }
    // On a packet socket the kernel does not hear us, so it can't be asked.
    let DeviceName::Tap(name) = device else { return (Vec::new(), false) };
    let all = interfaces::all().unwrap_or_default();
    let bridge = all.iter().find(|link| link.name == name).and_then(|link| link.bridge.clone());
    let network = bridge.as_deref().unwrap_or(name);
    let there = all.iter().filter(|link| link.name == network).flat_map(|link| &link.addresses);
    let asked = |address: &IpAddr| args.address.iter().any(|cidr| cidr.contains(*address));
    (there.map(|(address, _)| *address).filter(asked).collect(), false)
}

/// What was heard: who has which address, and whether somebody else uses our MAC address.
#[derive(Default)]
struct Heard {
    stations: Vec<(IpAddr, MacAddr)>,
    from_our_mac: bool,
}

impl Heard {
    fn who_has(&self, address: IpAddr) -> Option<MacAddr> {
        self.stations.iter().find(|(its, _)| *its == address).map(|(_, mac)| *mac)
    }
}

/// Asks a few times who has these addresses, and listens until all peers have answered.
fn ask(opened: &mut Opened, ours: MacAddr, wanted: &[IpAddr], peers: &[IpAddr]) -> io::Result<Heard> {
    let nobody = made_up_mac()?;
    let mut heard = Heard { from_our_mac: opened.is_the_kernels(ours), ..Heard::default() };
    for _ in 0..TIMES {
        for &address in wanted {
            send(opened, probe(nobody, address))?;
        }
        let end = Instant::now() + PATIENCE / TIMES;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match opened.device.receive()? {
                Some(frame) => note(&frame, ours, wanted, &mut heard),
                None => wait(opened, left)?,
            }
        }
        if !peers.is_empty() && peers.iter().all(|&peer| heard.who_has(peer).is_some()) {
            break;
        }
    }
    Ok(heard)
}

/// A MAC address that is nobody's: locally administered, and for the rest up to chance.
fn made_up_mac() -> io::Result<MacAddr> {
    let [_, a, b, c, d, e, ..] = framewise::entropy()?;
    Ok(MacAddr::new([2, a, b, c, d, e]))
}

fn send(opened: &mut Opened, frame: Buf) -> io::Result<()> {
    // What the device can't take now is asked again.
    opened.device.transmit(Frame::new(frame, InterfaceId::default())).map(drop)
}

fn wait(opened: &Opened, limit: Duration) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let Some(descriptor) = opened.device.readable_fd() else { return Ok(()) };
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
    poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&limit)).map(drop).or_else(
        |error| match error {
            rustix::io::Errno::INTR => Ok(()),
            error => Err(error.into()),
        },
    )
}

/// Who has this address? Asked without having one.
fn probe(from: MacAddr, address: IpAddr) -> Buf {
    match address {
        IpAddr::V4(address) => ArpPacket::probe(from, address).to_frame(MacAddr::BROADCAST, from),
        IpAddr::V6(address) => solicitation(from, address),
    }
}

/// A neighbour solicitation, to the group of those whose addresses end as this one (RFC 4861, section 4.3).
fn solicitation(from: MacAddr, target: Ipv6Addr) -> Buf {
    let (source, destination) = (Ipv6Addr::UNSPECIFIED, ipv6::solicited_node(target));
    let mut buf = ndp::emit_neighbour_solicitation(target, None, source, destination);
    let header = Ipv6Header {
        traffic_class: 0,
        flow_label: 0,
        payload_len: buf.len(),
        next_header: ICMPV6,
        hop_limit: ndp::HOP_LIMIT,
        source,
        destination,
    };
    header.emit(buf.prepend(ipv6::HEADER_LEN));
    let group = group_address(destination.into());
    let header = Header { destination: group, source: from, ethertype: EtherType::IPV6 };
    buf.prepend(header.to_bytes().len()).copy_from_slice(&header.to_bytes());
    buf
}

/// Keeps what was asked for, the first answer to each question: a busy link says much more.
fn note(frame: &Frame, ours: MacAddr, wanted: &[IpAddr], heard: &mut Heard) {
    let Ok(view) = FrameView::new(frame) else { return };
    heard.from_our_mac |= view.source() == ours;
    let answer = station(&view).filter(|(address, _)| wanted.contains(address));
    heard.stations.extend(answer.filter(|(address, _)| heard.who_has(*address).is_none()));
}

/// Who says in this frame that an address is theirs.
fn station(view: &FrameView<'_>) -> Option<(IpAddr, MacAddr)> {
    match view.ethertype() {
        EtherType::ARP => {
            let packet = ArpPacket::parse(view.payload()).ok().filter(|packet| !packet.is_probe())?;
            Some((packet.sender_address.into(), packet.sender_mac))
        }
        EtherType::IPV6 => {
            let header =
                Ipv6Header::parse(view.payload()).ok().filter(|header| header.next_header == ICMPV6)?;
            let message = view.payload().get(ipv6::HEADER_LEN..)?.get(..header.payload_len)?;
            Icmpv6::parse(message, header.source, header.destination).ok()?;
            let envelope = Envelope {
                source: header.source,
                destination: header.destination,
                hop_limit: header.hop_limit,
            };
            match Ndp::parse(message, envelope) {
                Ok(Ndp::NeighbourAdvertisement { target, target_mac, .. }) => {
                    Some((target.into(), target_mac.unwrap_or(view.source())))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn neighbour(device: DeviceName<'_>, args: &TapHost, peers: &[IpAddr], named: bool, heard: &Heard) -> Check {
    let silent = peers.iter().find(|&&peer| heard.who_has(peer).is_none());
    let (name, protocol) = ("neighbour", "Ethernet");
    match (silent, peers.first()) {
        (Some(peer), _) => {
            let says = format!("nobody here answers for {peer}");
            let mend = match device {
                DeviceName::Tap(tap) if named => {
                    let prefix =
                        args.address.iter().find(|cidr| cidr.contains(*peer)).map_or(24, |c| c.prefix);
                    format!("sudo framewise tap up {tap} --address {peer}/{prefix}")
                }
                _ => format!("ip neighbour show dev {}     (tells who is there)", device.name()),
            };
            Check::fails(name, protocol, says, mend)
        }
        (None, Some(peer)) => {
            let mac = heard.who_has(*peer).map_or_else(String::new, |mac| mac.to_string());
            Check::works(name, protocol, format!("{peer} answers from {mac}"))
        }
        (None, None) => Check::open(name, protocol, "nobody to ask: say whom by --gateway"),
    }
}

fn duplicates(
    device: DeviceName<'_>,
    args: &TapHost,
    ours: MacAddr,
    suspects: &[IpAddr],
    heard: &Heard,
) -> Check {
    let (name, protocol) = ("duplicates", "Ethernet");
    let option = option(device);
    let taken = args.address.iter().find_map(|cidr| Some((cidr, heard.who_has(cidr.address)?)));
    if let Some((cidr, mac)) = taken {
        let next = nth(cidr.address, 1).unwrap_or(cidr.address);
        let says = format!("{} belongs to {mac} already", cidr.address);
        let mend = format!("framewise doctor {option} --address {next}/{}", cidr.prefix);
        return Check::fails(name, protocol, says, mend);
    }
    let same = suspects.iter().find(|&&suspect| heard.who_has(suspect) == Some(ours));
    if same.is_some() || heard.from_our_mac {
        let whose = same.map_or_else(String::new, |address| format!(", {address},"));
        let says = format!("another station{whose} has my MAC address {ours}");
        let addresses: String = args.address.iter().map(|cidr| format!(" --address {cidr}")).collect();
        let mend = format!("framewise doctor {option}{addresses}     (without --mac)");
        return Check::fails(name, protocol, says, mend);
    }
    Check::works(name, protocol, format!("nobody else has my addresses, or {ours}"))
}

/// How the command line names a device.
fn option(device: DeviceName<'_>) -> String {
    match device {
        DeviceName::Tap(name) => format!("--tap {name}"),
        DeviceName::Interface(name) => format!("--interface {name}"),
    }
}

/// Neighbours that the kernel knows at our MAC address, and whose IP addresses are none of ours (`/proc/net/arp`: address,
/// kind, flags, MAC address, mask, interface). It may be ourselves that it remembers, from an earlier run.
fn known_to_the_kernel(device: &str, ours: MacAddr, args: &TapHost) -> Vec<IpAddr> {
    let all = interfaces::all().unwrap_or_default();
    let bridge = all.iter().find(|link| link.name == device).and_then(|link| link.bridge.as_deref());
    let network = bridge.unwrap_or(device);
    let table = std::fs::read_to_string("/proc/net/arp").unwrap_or_default();
    let suspect = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [address, _, _, mac, _, interface] = fields[..] else { return None };
        let address = address.parse().ok()?;
        let is_ours = args.address.iter().any(|cidr| cidr.address == address);
        let same = mac.parse::<MacAddr>().is_ok_and(|mac| mac == ours);
        (same && interface == network && !is_ours).then_some(address)
    };
    table.lines().skip(1).filter_map(suspect).collect()
}
