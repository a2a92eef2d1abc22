//! A TAP and a packet socket against this machine's kernel, each in a network namespace of its own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod namespace;
mod offload;

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use framewise_core::buf::InterfaceId;
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, MacAddr};
use framewise_device::{Device, PacketSocket, Tap, TapError, interfaces, tap_setup};
use namespace::{in_own_namespace, receive};

const OURS: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);

fn host_addresses() -> Vec<(IpAddr, u8)> {
    vec![("192.0.2.1".parse().unwrap(), 24), ("2001:db8::1".parse().unwrap(), 64)]
}

fn kind(frame: &Frame) -> Option<&[u8]> {
    frame.get(12..14)
}

/// The answer to an ARP request: we have the address that was asked for (RFC 826).
fn arp_reply(request: &Frame) -> Frame {
    let mut bytes = Vec::new();
    bytes.extend(&request[6..12]);
    bytes.extend(OURS.octets());
    bytes.extend(&request[12..20]);
    bytes.extend([0, 2]);
    bytes.extend(OURS.octets());
    bytes.extend(&request[38..42]);
    bytes.extend(&request[22..32]);
    Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(0))
}

fn experimental(length: usize) -> Frame {
    let mut bytes = [&[0xff; 6][..], &OURS.octets(), &[0x88, 0xb5]].concat();
    bytes.resize(length, 7);
    Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(0))
}

fn is_experimental(frame: &Frame) -> bool {
    kind(frame) == Some(&[0x88, 0xb5])
}

#[test]
fn the_kernel_asks_by_arp_and_sends_what_it_has() {
    in_own_namespace("the_kernel_asks_by_arp_and_sends_what_it_has", || {
        tap_setup::up("fw0", &host_addresses(), None).expect("root can make a TAP");
        let mut tap = Tap::open("fw0").expect("it can be opened");
        assert_eq!(tap.mtu(), 1_500);

        let socket = UdpSocket::bind("192.0.2.1:4000").expect("the kernel has that address");
        socket.send_to(b"are you there?", "192.0.2.2:5000").unwrap();
        let request = receive(
            &mut tap,
            |frame| kind(frame) == Some(&[8, 6]) && frame.get(38..42) == Some(&[192, 0, 2, 2]),
            "an ARP request for 192.0.2.2",
        );
        assert_eq!(request[6..12], tap.host_mac().unwrap().unwrap().octets());
        assert!(tap.transmit(arp_reply(&request)).unwrap().is_none());
        let packet = receive(
            &mut tap,
            |frame| kind(frame) == Some(&[8, 0]) && frame.ends_with(b"are you there?"),
            "the datagram",
        );
        assert_eq!(packet[..6], OURS.octets());

        let parsed = etherparse::SlicedPacket::from_ethernet(&packet).unwrap();
        let Some(etherparse::TransportSlice::Udp(udp)) = parsed.transport else { panic!("UDP inside") };
        let header = udp.to_header();
        let right = header.calc_checksum_ipv4_raw([192, 0, 2, 1], [192, 0, 2, 2], udp.payload()).unwrap();
        assert_eq!(header.checksum, right, "the kernel fills checksums in before a TAP");
        assert_eq!(tap.counters().sent, 1);
        assert!(tap.counters().received >= 2);
    });
}

#[test]
fn a_tap_is_set_up_told_and_taken_down() {
    in_own_namespace("a_tap_is_set_up_told_and_taken_down", || {
        tap_setup::up("fw0", &host_addresses(), Some(1_000)).expect("root can make a TAP");
        tap_setup::up("fw0", &host_addresses(), Some(1_000)).expect("again changes nothing");
        let status = tap_setup::status().unwrap();
        assert_eq!(status.len(), 1);
        assert_eq!(status[0].name, "fw0");
        assert!(status[0].up && !status[0].carrier);
        assert_eq!(status[0].owner, Some(1_000));
        for address in host_addresses() {
            assert!(status[0].addresses.contains(&address), "{address:?} in {status:?}");
        }
        let tap = Tap::open("fw0").unwrap();
        assert!(tap_setup::status().unwrap()[0].carrier);
        drop(tap);
        tap_setup::down("fw0").expect("what framewise made it may remove");
        assert_eq!(tap_setup::status().unwrap(), []);
        assert!(matches!(tap_setup::down("fw0"), Err(TapError::Missing { .. })));
    });
}

#[test]
fn taps_on_a_bridge_carry_each_other_s_frames() {
    in_own_namespace("taps_on_a_bridge_carry_each_other_s_frames", || {
        for name in ["fw0", "fw1"] {
            tap_setup::up_on_bridge(name, "fwbr", &host_addresses(), None).expect("root can make a bridge");
        }
        let bridge = || interfaces::all().unwrap().into_iter().find(|link| link.name == "fwbr");
        let made = bridge().expect("it is there");
        for address in host_addresses() {
            assert!(made.addresses.contains(&address), "{address:?} in {made:?}");
        }
        let (mut here, mut there) = (Tap::open("fw0").unwrap(), Tap::open("fw1").unwrap());
        for tap in [&here, &there] {
            assert!(tap.wait_until_running(Duration::from_secs(5)).unwrap());
        }
        assert!(here.transmit(experimental(60)).unwrap().is_none());
        let came = receive(&mut there, is_experimental, "the frame, by the bridge");
        assert_eq!(came[..], experimental(60)[..]);
        drop((here, there));
        assert_eq!(bridge().unwrap().mac, made.mac, "its address is no port's");

        assert_eq!(tap_setup::down("fw0").unwrap(), ["fw0"]);
        assert!(bridge().is_some(), "another port is left");
        assert_eq!(tap_setup::down("fw1").unwrap(), ["fw1", "fwbr"]);
        assert!(bridge().is_none());
    });
}

#[test]
fn what_framewise_did_not_make_is_left_alone() {
    in_own_namespace("what_framewise_did_not_make_is_left_alone", || {
        let _foreign = Tap::open("other0").expect("root can make a TAP");
        for name in ["other0", "lo"] {
            assert!(matches!(tap_setup::down(name), Err(TapError::NotOurs { .. })));
            assert!(matches!(tap_setup::up(name, &host_addresses(), None), Err(TapError::NotOurs { .. })));
        }
        assert_eq!(tap_setup::status().unwrap(), []);
    });
}

#[test]
fn a_setup_that_fails_leaves_nothing() {
    in_own_namespace("a_setup_that_fails_leaves_nothing", || {
        let wrong = [("192.0.2.1".parse().unwrap(), 77)];
        let error = tap_setup::up("fw0", &wrong, None).expect_err("there is no prefix of 77 bits");
        assert_eq!(error.to_string(), "fw0: could not put its address on it");
        assert!(matches!(tap_setup::down("fw0"), Err(TapError::Missing { .. })));
        tap_setup::up_on_bridge("fw0", "fwbr", &wrong, None).expect_err("nor on a bridge");
        assert!(interfaces::all().unwrap().iter().all(|link| !link.is_ours));
    });
}

#[test]
fn refusals_say_what_to_do() {
    in_own_namespace("refusals_say_what_to_do", || {
        let _first = Tap::open("fw0").expect("root can make a TAP");
        let busy = Tap::open("fw0").expect_err("it is open already");
        assert!(matches!(busy, TapError::Busy { .. }), "{busy:?}");
        let no_tap = Tap::open("lo").expect_err("the loopback is no TAP");
        assert!(matches!(no_tap, TapError::NotATap { .. }), "{no_tap:?}");
    });
}

#[test]
fn a_bad_name_is_refused_before_the_kernel_sees_it() {
    for name in ["", "a-name-of-16-long", "tap%d", "a b", "a/b", "."] {
        assert!(matches!(Tap::open(name), Err(TapError::BadName { .. })), "{name:?}");
    }
}

#[test]
fn what_is_sent_while_the_interface_is_down_is_lost_and_counted() {
    in_own_namespace("what_is_sent_while_the_interface_is_down_is_lost_and_counted", || {
        let mut tap = Tap::open("fw0").expect("root can make a TAP");
        assert!(tap.transmit(experimental(100)).unwrap().is_none());
        assert_eq!(tap.counters().drops("the interface is down"), 1);
        tap.bring_up().unwrap();
        assert!(tap.transmit(experimental(100)).unwrap().is_none());
        assert_eq!(tap.counters().sent, 1);
    });
}

#[test]
fn a_tap_is_waited_for_until_the_kernel_sends_on_it() {
    in_own_namespace("a_tap_is_waited_for_until_the_kernel_sends_on_it", || {
        let tap = Tap::open("fwtest0").unwrap();
        assert!(!tap.wait_until_running(Duration::ZERO).unwrap(), "it is not even up");
        tap.bring_up().unwrap();
        assert!(tap.wait_until_running(Duration::from_secs(5)).unwrap());
        tap.bring_up().expect("what is up needs no rights to be up");
    });
}

#[test]
fn a_packet_socket_shares_an_interface_with_the_kernel() {
    in_own_namespace("a_packet_socket_shares_an_interface_with_the_kernel", || {
        let mut tap = Tap::open("fw0").expect("root can make a TAP");
        tap.set_mtu(1_400).unwrap();
        tap.bring_up().unwrap();
        let mut socket = PacketSocket::open("fw0").expect("root can open a packet socket");
        assert_eq!((socket.mtu(), socket.host_mac()), (1_400, tap.host_mac().unwrap()));

        assert!(socket.transmit(experimental(100)).unwrap().is_none());
        let frame = receive(&mut tap, is_experimental, "the socket's frame at the TAP");
        assert_eq!(frame, experimental(100));

        assert!(tap.transmit(experimental(200)).unwrap().is_none());
        let frame = receive(&mut socket, is_experimental, "the TAP's frame at the socket");
        assert_eq!(frame, experimental(200), "not the 100 bytes that this machine sent itself");

        assert!(tap.transmit(experimental(1_419)).unwrap().is_none());
        assert!(socket.transmit(experimental(1_419)).unwrap().is_none());
        assert_eq!(tap.counters().drops("longer than the MTU"), 1);
        assert_eq!(socket.counters().drops("longer than the MTU"), 1);
    });
}
