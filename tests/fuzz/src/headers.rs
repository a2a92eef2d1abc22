//! The headers of Ethernet, ARP, IP, ICMP, NDP, TCP and UDP: parsed, explained, written and parsed again.
//!
//! The first byte says which; the others are the header. Checksums are put right first, or no fuzzer would come past them.

use std::net::{IpAddr, Ipv6Addr};

use framewise::core::{Buf, Description};
use framewise::ethernet::{self, ArpPacket, FrameView};
use framewise::ip::icmpv4::Icmpv4;
use framewise::ip::icmpv6::Icmpv6;
use framewise::ip::ndp::{self, Envelope, Ndp};
use framewise::ip::{self, Ipv4Header, Ipv6Header, extension};
use framewise::tcp::{self, segment};
use framewise::udp::header::DatagramView;

use crate::input::Input;
use crate::mend;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let which = input.byte() % KINDS.len() as u8;
    KINDS[usize::from(which)](input);
}

/// What the first byte chooses.
const KINDS: [fn(Input<'_>); 8] = [frame, arp, ipv4, ipv6, icmp, icmpv6, tcp_segment, udp_datagram];

/// The addresses that pseudo-headers have.
const ENDS: [IpAddr; 2] = [
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2)),
];

fn frame(mut input: Input<'_>) {
    let bytes = input.rest();
    explained(ethernet::describe(bytes).ok(), bytes);
    explained(ethernet::describe_vlan(bytes).ok(), bytes);
    let Ok(view) = FrameView::new(bytes) else { return };
    assert!(view.unpadded_length() <= bytes.len(), "a frame's packet lies within it");
    if let Ok(header) = ethernet::Header::of(&view) {
        assert_eq!(bytes.get(..ethernet::frame::HEADER_LENGTH), Some(&header.to_bytes()[..]));
    }
}

fn arp(mut input: Input<'_>) {
    let bytes = input.rest();
    explained(ethernet::describe_arp(bytes).ok(), bytes);
    if let Ok(packet) = ArpPacket::parse(bytes) {
        assert_eq!(ArpPacket::parse(&packet.to_bytes()).as_ref(), Ok(&packet));
    }
}

fn ipv4(mut input: Input<'_>) {
    let mut bytes = input.rest().to_vec();
    explained(ip::describe_ipv4(&bytes).ok(), &bytes);
    mend::ipv4_header(&mut bytes);
    let Ok(header) = Ipv4Header::parse(&bytes) else { return };
    explained(Some(ip::describe_ipv4(&bytes).expect("what can be parsed can be explained")), &bytes);
    let mut again = bytes.clone();
    header.emit(&mut again);
    assert_eq!(Ipv4Header::parse(&again).as_ref(), Ok(&header));
}

fn ipv6(mut input: Input<'_>) {
    let bytes = input.rest();
    explained(ip::describe_ipv6(bytes).ok(), bytes);
    let Ok(header) = Ipv6Header::parse(bytes) else { return };
    let mut again = bytes.to_vec();
    header.emit(&mut again);
    assert_eq!(again, bytes, "every bit of the header has a field");
    let walked = extension::walk(bytes, header.next_header, ip::ipv6::HEADER_LEN, 6, true);
    let Ok(extension::Chain::Fragment { fragment, offset }) = walked else { return };
    let mut emitted = [0; ip::FragmentHeader::LEN];
    fragment.emit(&mut emitted);
    let again = extension::walk(&emitted, extension::FRAGMENT, 0, 0, false);
    assert_eq!(again, Ok(extension::Chain::Fragment { fragment, offset: emitted.len() }));
    assert!(offset <= bytes.len());
}

fn icmp(mut input: Input<'_>) {
    let mut bytes = input.rest().to_vec();
    explained(ip::describe_icmp(&bytes).ok(), &bytes);
    mend::sum_at(&mut bytes, 2, Default::default());
    let _ = Icmpv4::parse(&bytes);
    explained(ip::describe_icmp(&bytes).ok(), &bytes);
}

fn icmpv6(mut input: Input<'_>) {
    let [IpAddr::V6(source), IpAddr::V6(destination)] = ENDS else { return };
    let mut bytes = input.rest().to_vec();
    explained(ip::describe_icmpv6(&bytes).ok(), &bytes);
    mend::transport(&mut bytes, ENDS, 58);
    if Icmpv6::parse(&bytes, source, destination) != Ok(Icmpv6::Neighbour) {
        return;
    }
    let envelope = Envelope { source, destination, hop_limit: 255 };
    let Ok(message) = Ndp::parse(&bytes, envelope) else { return };
    let emitted = match message {
        Ndp::NeighbourSolicitation { target, source_mac } => {
            ndp::emit_neighbour_solicitation(target, source_mac, source, destination)
        }
        Ndp::NeighbourAdvertisement { target, target_mac: Some(mac), flags } => {
            ndp::emit_neighbour_advertisement(target, mac, flags, source, destination)
        }
        _ => return,
    };
    assert_eq!(Icmpv6::parse(&emitted, source, destination), Ok(Icmpv6::Neighbour));
    assert_eq!(Ndp::parse(&emitted, envelope), Ok(message));
}

fn tcp_segment(mut input: Input<'_>) {
    let bytes = input.rest();
    explained(tcp::describe(bytes, ENDS[0], ENDS[1], None).ok(), bytes);
    let walked: usize = bytes.get(20..).map_or(0, |options| segment::walk_options(options).count());
    assert!(walked <= bytes.len(), "each option takes a byte at least");
    let Ok(header) = segment::Header::parse(bytes) else { return };
    assert!(header.length <= bytes.len());
    // Ours are padded to words, which of another's options may make more than a header can hold.
    let length = header.emitted_len();
    if length > 60 {
        return;
    }
    let mut again = vec![0; length];
    header.emit(&mut again);
    assert_eq!(segment::Header::parse(&again), Ok(segment::Header { length, ..header }));
}

fn udp_datagram(mut input: Input<'_>) {
    let mut bytes = input.rest().to_vec();
    explained(framewise::udp::describe::describe(&bytes, None).ok(), &bytes);
    mend::transport(&mut bytes, ENDS, 17);
    let Ok(view) = DatagramView::parse(&bytes) else { return };
    view.verify(ENDS[0], ENDS[1]).expect("the checksum was put right");
    let mut buf = Buf::copy_from_slice(view.data());
    view.header().emit(&mut buf, ENDS[0], ENDS[1]).expect("what came may be sent");
    assert_eq!(buf[..], bytes[..]);
}

/// What a description says about bytes must lie within them, in order.
pub(crate) fn explained(description: Option<Description>, bytes: &[u8]) {
    let Some(description) = description else { return };
    assert_eq!(description.misplaced(), None, "{description:#?} of {bytes:02x?}");
    let ranges = [&description.header, &description.payload];
    for range in ranges.into_iter().chain(description.fields.iter().map(|field| &field.bytes)) {
        assert!(range.start <= range.end && range.end <= bytes.len(), "{description:#?} of {bytes:02x?}");
    }
}
