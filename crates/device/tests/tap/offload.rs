//! A TAP with offload, against this machine's kernel.

use std::net::UdpSocket;
use std::time::Duration;

use framewise_core::buf::ChecksumState;
use framewise_core::seams::frame::Frame;
use framewise_device::offload::complete;
use framewise_device::tap_offload::FEATURES;
use framewise_device::{Capabilities, Device, Offloading, Tap, TapError, TapOptions, tap_setup};

use super::{arp_reply, experimental, host_addresses, is_experimental, kind};
use crate::namespace::{in_own_namespace, receive};

const ON: TapOptions = TapOptions { offload: Offloading::On, features: FEATURES };
/// No kernel knows all of these.
const TOO_MUCH: u32 = FEATURES | 1 << 31;

fn is_ipv4(frame: &Frame) -> bool {
    kind(frame) == Some(&[8, 0])
}

/// What the kernel sends when it is asked to send a datagram: ARP before, then the datagram.
fn datagram(tap: &mut Tap) -> Frame {
    let socket = UdpSocket::bind("192.0.2.1:0").expect("the kernel has that address");
    socket.send_to(b"are you there?", "192.0.2.2:5000").unwrap();
    let for_us = |frame: &Frame| kind(frame) == Some(&[8, 6]) && frame.get(38..42) == Some(&[192, 0, 2, 2]);
    let asked = |frame: &Frame| for_us(frame) || (is_ipv4(frame) && frame.ends_with(b"are you there?"));
    let first = receive(tap, asked, "an ARP request or the datagram itself");
    if is_ipv4(&first) {
        return first;
    }
    assert!(tap.transmit(arp_reply(&first)).unwrap().is_none());
    receive(tap, asked, "the datagram")
}

fn has_right_sum(datagram: &Frame) -> bool {
    let parsed = etherparse::SlicedPacket::from_ethernet(datagram).unwrap();
    let Some(etherparse::TransportSlice::Udp(udp)) = parsed.transport else { panic!("UDP inside") };
    let header = udp.to_header();
    let right = header.calc_checksum_ipv4_raw([192, 0, 2, 1], [192, 0, 2, 2], udp.payload()).unwrap();
    header.checksum == right
}

#[test]
fn the_kernel_leaves_checksums_to_a_tap_with_offload() {
    in_own_namespace("the_kernel_leaves_checksums_to_a_tap_with_offload", || {
        tap_setup::up("fw0", &host_addresses(), None).expect("root can make a TAP");
        let mut tap = Tap::open_with("fw0", ON).expect("this kernel offers offload");
        assert_eq!(tap.capabilities(), Capabilities { checksums: true, segmentation: true });
        let unfinished = datagram(&mut tap);
        assert!(matches!(
            unfinished.offload_facts().checksum,
            ChecksumState::Partial { start: 34, field: 6 }
        ));
        assert!(!has_right_sum(&unfinished));
        let finished = complete(unfinished).expect("the facts fit").next().expect("one frame");
        assert!(has_right_sum(&finished));
    });
}

#[test]
fn what_was_agreed_on_does_not_outlive_the_agreement() {
    in_own_namespace("what_was_agreed_on_does_not_outlive_the_agreement", || {
        tap_setup::up("fw0", &host_addresses(), None).expect("root can make a TAP");
        drop(Tap::open_with("fw0", ON).expect("this kernel offers offload"));
        let mut plain = Tap::open("fw0").expect("it can be opened again");
        assert_eq!(plain.capabilities(), Capabilities::default());
        let finished = datagram(&mut plain);
        assert_eq!(finished.offload_facts().checksum, ChecksumState::Complete);
        assert!(has_right_sum(&finished), "the kernel fills checksums in before a plain TAP");
    });
}

#[test]
fn where_offload_is_refused_frames_are_plain() {
    in_own_namespace("where_offload_is_refused_frames_are_plain", || {
        tap_setup::up("fw0", &host_addresses(), None).expect("root can make a TAP");
        let refused = TapOptions { offload: Offloading::Auto, features: TOO_MUCH };
        let mut tap = Tap::open_with("fw0", refused).expect("it goes without");
        assert_eq!(tap.capabilities(), Capabilities::default());
        assert!(has_right_sum(&datagram(&mut tap)));
        drop(tap);
        let demanded = Tap::open_with("fw0", TapOptions { offload: Offloading::On, ..refused });
        assert!(matches!(demanded, Err(TapError::NoOffload { .. })), "{demanded:?}");
    });
}

#[test]
fn frames_that_leave_nothing_to_do_pass_as_they_are() {
    in_own_namespace("frames_that_leave_nothing_to_do_pass_as_they_are", || {
        let mut tap = Tap::open_with("fw0", ON).expect("root can make a TAP");
        assert!(tap.transmit(experimental(100)).unwrap().is_none());
        assert_eq!(tap.counters().drops("the interface is down"), 1);
        tap.bring_up().unwrap();
        assert!(tap.wait_until_running(Duration::from_secs(5)).unwrap());
        let mut socket = framewise_device::PacketSocket::open("fw0").expect("root can open a packet socket");
        assert!(tap.transmit(experimental(200)).unwrap().is_none());
        assert_eq!(receive(&mut socket, is_experimental, "the TAP's frame"), experimental(200));
        assert!(socket.transmit(experimental(300)).unwrap().is_none());
        assert_eq!(receive(&mut tap, is_experimental, "the socket's frame"), experimental(300));
        assert!(tap.transmit(experimental(1_519)).unwrap().is_none());
        assert_eq!(tap.counters().drops("longer than the MTU"), 1);
    });
}
