//! Devices that are full, runs that are stepped, and what a host can't be given.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use framewise::core::buf::InterfaceId;
use framewise::core::seams::frame::Frame;
use framewise::core::{Buf, MacAddr};
use framewise::device::wire::WireConfig;
use framewise::device::{Device, DeviceCounters};
use framewise::tls::{Crypto, SimulatedCrypto, TimeSource};
use framewise::world::EPOCH;
use framewise::{HostConfig, HostId, Interface, Plug, Runner};

/// The outside of a device: what comes in, what went out, and whether it is full.
#[derive(Clone, Default)]
struct Socket {
    inbound: Rc<RefCell<VecDeque<Frame>>>,
    outbound: Rc<RefCell<Vec<Frame>>>,
    is_full: Rc<Cell<bool>>,
}

struct Fake(Socket, DeviceCounters);

impl Device for Fake {
    fn transmit(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        if self.0.is_full.get() {
            return Ok(Some(frame));
        }
        self.0.outbound.borrow_mut().push(frame);
        Ok(None)
    }
    fn receive(&mut self) -> io::Result<Option<Frame>> {
        Ok(self.0.inbound.borrow_mut().pop_front())
    }
    fn mtu(&self) -> usize {
        1_500
    }
    #[cfg(unix)]
    fn readable_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        None
    }
    fn counters(&self) -> &DeviceCounters {
        &self.1
    }
}

impl Socket {
    fn plug(&self) -> Plug {
        Plug::Device(Box::new(Fake(self.clone(), DeviceCounters::default())))
    }

    /// Someone asks who has this address (RFC 826).
    fn ask_for(&self, address: Ipv4Addr) {
        let [sender_mac, zero] = [[0x02, 0, 0, 0, 0xff, 1], [0; 6]];
        let [a, b, c, _] = address.octets();
        let ethernet = [&[0xff; 6][..], &sender_mac, &[0x08, 0x06]].concat();
        let arp =
            [&[0, 1, 8, 0, 6, 4, 0, 1][..], &sender_mac, &[a, b, c, 200], &zero, &address.octets()].concat();
        let buf = Buf::copy_from_slice(&[ethernet, arp].concat());
        self.inbound.borrow_mut().push_back(Frame::new(buf, InterfaceId(0)));
    }

    fn sent(&self) -> usize {
        self.outbound.borrow().len()
    }
}

const NEAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

/// A host with two devices.
fn two_devices() -> (Runner, HostId, [Socket; 2]) {
    let mut runner = Runner::simulated(1).expect("a Runner");
    let randomness = runner.randomness("host");
    let crypto = SimulatedCrypto::never_on_a_real_device(randomness.fork("tls"));
    let tls = framewise::tls::Config::new(TimeSource::starting_at(EPOCH), Crypto::Simulated(crypto));
    let interface = |n: u8, address: Ipv4Addr| {
        let cidr = format!("{address}/24").parse().expect("an address");
        Interface::new(MacAddr::new([0x02, 0, 0, 0, 0, n]), [cidr])
    };
    let config = HostConfig::new("two", vec![interface(1, NEAR), interface(2, FAR)], tls);
    let stack = config.stack(&randomness).expect("a stack");
    let sockets = [Socket::default(), Socket::default()];
    let host = runner.add_host("two", stack, sockets.iter().map(Socket::plug).collect());
    // IP tells Ethernet its addresses.
    runner.turn().expect("a run in memory");
    (runner, host, sockets)
}

#[test]
fn a_step_takes_frames_from_devices() {
    let (mut runner, _, [near, far]) = two_devices();
    near.ask_for(NEAR);
    far.ask_for(FAR);
    let mut steps = 0;
    while runner.step().unwrap() {
        steps += 1;
        assert!(steps < 1_000, "there is an end to it");
    }
    assert_eq!((near.sent(), far.sent()), (1, 1), "both were answered");
}

#[test]
fn a_full_device_holds_up_no_other_interface() {
    let (mut runner, host, [near, far]) = two_devices();
    near.is_full.set(true);
    near.ask_for(NEAR);
    runner.turn().unwrap();
    far.ask_for(FAR);
    runner.turn().unwrap();
    assert_eq!((near.sent(), far.sent()), (0, 1));
    near.is_full.set(false);
    runner.turn().unwrap();
    assert_eq!((near.sent(), far.sent()), (1, 1), "what waited has gone, too");
    assert_eq!(runner.counters(host).total(), 0);
}

#[test]
fn what_waits_for_a_full_device_has_a_bound() {
    let (mut runner, host, [near, _]) = two_devices();
    near.is_full.set(true);
    for _ in 0..1_100 {
        near.ask_for(NEAR);
    }
    runner.run_for(Duration::from_secs(1)).unwrap();
    let dropped = runner.counters(host).drops("device", "queue to the device is full");
    assert_eq!(dropped, 100, "1,000 wait, and the others are counted");
    near.is_full.set(false);
    runner.turn().unwrap();
    assert_eq!(near.sent(), 1_000);
}

#[test]
#[cfg(unix)]
fn a_foreign_descriptor_is_looked_at_in_simulated_time() {
    use std::io::{Read, Write};

    let (mut runner, _, _) = two_devices();
    let (read, mut write) = io::pipe().unwrap();
    let came = Rc::new(Cell::new(0));
    let counted = came.clone();
    let mut reader = read.try_clone().unwrap();
    runner.watch(read.into(), move |_| {
        counted.set(counted.get() + reader.read(&mut [0; 16]).unwrap());
        true
    });
    write.write_all(b"ab").unwrap();
    runner.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(came.get(), 2);
    write.write_all(b"c").unwrap();
    while runner.step().unwrap() {}
    assert_eq!(came.get(), 3, "a stepped run looks, too");
}

#[test]
#[should_panic(expected = "a host has at most 256 interfaces, many was given 257")]
fn more_plugs_than_interfaces_are_refused() {
    let mut runner = Runner::simulated(1).unwrap();
    let wire = runner.add_wire(WireConfig::default());
    let stack = {
        let randomness = runner.randomness("host");
        let crypto = SimulatedCrypto::never_on_a_real_device(randomness.fork("tls"));
        let tls = framewise::tls::Config::new(TimeSource::starting_at(EPOCH), Crypto::Simulated(crypto));
        HostConfig::new("many", Vec::new(), tls).stack(&randomness).unwrap()
    };
    runner.add_host("many", stack, (0..257).map(|_| Plug::Wire(wire)).collect());
}
