//! A link in virtual time on which a test says, step by step, what happens to one Ethernet layer.
//!
//! When an expectation fails, the steps so far are told with it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::observe::{Counters, Note, Observer};
use framewise_core::seams::frame::Frame;
use framewise_core::seams::packet::{LinkControl, LinkEvent, Packet, PacketDown, PacketUp};
use framewise_core::{Buf, Cx, Instant, Layer, MacAddr, Rng};
use framewise_ethernet::{ArpPacket, Config, EtherType, Ethernet, FrameView, Header, NeighbourState};

pub(crate) const LINK: InterfaceId = InterfaceId(0);
pub(crate) const MY_MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0x0a]);
pub(crate) const ME: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
pub(crate) const ROUTER_MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(crate) const OTHER_MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0x66]);
pub(crate) const ROUTER_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

#[derive(Default)]
struct Watcher(Vec<Note>);

impl Observer for Watcher {
    fn noted(&mut self, note: &Note) {
        self.0.push(note.clone());
    }
}

pub(crate) struct Script {
    pub(crate) ethernet: Ethernet,
    pub(crate) now: Instant,
    counters: Counters,
    watcher: Watcher,
    steps: Vec<String>,
}

impl Script {
    /// A station with my MAC address that has claimed my IPv4 address silently.
    pub(crate) fn start() -> Self {
        let mut script = Script::with(Config::one(MY_MAC));
        script.claim(ME);
        script
    }

    pub(crate) fn with(config: Config) -> Self {
        Script {
            ethernet: Ethernet::new(config, Rng::from_seed(7)),
            now: Instant::from_secs(100),
            counters: Counters::default(),
            watcher: Watcher::default(),
            steps: Vec::new(),
        }
    }

    fn call<T>(&mut self, step: String, call: impl FnOnce(&mut Ethernet, &mut Cx) -> T) -> T {
        self.steps.push(format!("{}  {step}", self.now));
        let mut cx = Cx::observed(self.now, &mut self.counters, &mut self.watcher);
        call(&mut self.ethernet, &mut cx)
    }

    /// What a person must hear, watched or not.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        self.counters.take_warnings().into_iter().map(|warning| warning.text).collect()
    }

    /// Fails the test, with the steps that led here.
    #[track_caller]
    pub(crate) fn fail(&self, should: &str, but: &str) -> ! {
        let from = self.steps.len().saturating_sub(30);
        let steps: Vec<String> =
            (from + 1..).zip(&self.steps[from..]).map(|(n, s)| format!("{n:4}. {s}")).collect();
        panic!(
            "\n{}\n      should have {should},\n      but {but}\n      drops: {:?}",
            steps.join("\n"),
            self.counters.iter().collect::<Vec<_>>()
        );
    }

    #[track_caller]
    pub(crate) fn check(&self, holds: bool, should: &str) {
        if !holds {
            self.fail(should, "did not");
        }
    }

    // What happens.

    pub(crate) fn claim(&mut self, address: Ipv4Addr) {
        self.control(LinkControl::Claim { interface: LINK, address });
    }

    pub(crate) fn control(&mut self, control: LinkControl) {
        self.call(format!("IP says {control:?}"), |ethernet, cx| {
            ethernet.handle_outbound(PacketDown::Control(Box::new(control)), cx);
        });
    }

    /// IP sends a packet of 20 bytes that ends with `mark`.
    pub(crate) fn send(&mut self, to: impl Into<IpAddr>, mark: u8) {
        self.send_bytes(NextHop::Neighbour(to.into()), &ip_packet(mark));
    }

    pub(crate) fn send_bytes(&mut self, next_hop: NextHop, bytes: &[u8]) {
        self.send_buf(next_hop, Buf::copy_from_slice(bytes));
    }

    pub(crate) fn send_buf(&mut self, next_hop: NextHop, buf: Buf) {
        let packet = Packet::new(buf, LINK, next_hop);
        let step = format!("IP sends {} bytes to {next_hop:?}", packet.len());
        self.call(step, |ethernet, cx| {
            ethernet.handle_outbound(PacketDown::Packet(packet), cx);
        });
    }

    pub(crate) fn receive(&mut self, frame: &[u8]) {
        self.receive_buf(Buf::copy_from_slice(frame));
    }

    pub(crate) fn receive_buf(&mut self, buf: Buf) {
        let step = format!("a frame arrives: {:02x?}", &buf[..buf.len().min(48)]);
        let frame = Frame::new(buf, LINK);
        self.call(step, |ethernet, cx| ethernet.handle_inbound(frame, cx));
    }

    pub(crate) fn receive_arp(&mut self, to: MacAddr, packet: ArpPacket) {
        let frame = packet.to_frame(to, packet.sender_mac);
        self.receive(&frame);
    }

    /// `mac` answers that it has `address`.
    pub(crate) fn answer(&mut self, address: Ipv4Addr, mac: MacAddr) {
        self.receive_arp(MY_MAC, ArpPacket::request(MY_MAC, ME, address).reply(mac));
    }

    /// Time goes on, with every timeout kept.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            match self.ethernet.poll_timeout() {
                Some(due) if due <= end => {
                    self.now = self.now.max(due);
                    self.call("a timer is due".to_owned(), |ethernet, cx| ethernet.handle_timeout(cx));
                    let next = self.ethernet.poll_timeout();
                    self.check(next.is_none_or(|next| next > due), "set a later timer or none");
                }
                _ => break,
            }
        }
        self.now = end;
    }

    // What comes of it.

    pub(crate) fn poll_frame(&mut self) -> Option<Vec<u8>> {
        let frame =
            self.call("the device asks for a frame".to_owned(), |ethernet, cx| ethernet.poll_outbound(cx));
        frame.map(|frame| frame.to_vec())
    }

    pub(crate) fn poll_up(&mut self) -> Option<PacketUp> {
        self.call("IP asks for a message".to_owned(), |ethernet, cx| ethernet.poll_inbound(cx))
    }

    #[track_caller]
    pub(crate) fn expect_no_frame(&mut self) {
        if let Some(frame) = self.poll_frame() {
            self.fail("sent nothing", &format!("sent {frame:02x?}"));
        }
    }

    /// An ARP packet leaves to `destination`.
    #[track_caller]
    pub(crate) fn expect_arp(&mut self, destination: MacAddr) -> ArpPacket {
        let Some(frame) = self.poll_frame() else {
            self.fail("sent an ARP packet", "sent nothing");
        };
        let header = Header::parse(&frame).expect("a valid header");
        let expected = Header { destination, source: MY_MAC, ethertype: EtherType::ARP };
        if header != expected {
            self.fail(&format!("sent {expected:?}"), &format!("sent {header:?}"));
        }
        ArpPacket::parse(&frame[14..]).expect("a valid ARP packet")
    }

    /// The question who has `address` leaves to `destination`.
    #[track_caller]
    pub(crate) fn expect_question(&mut self, destination: MacAddr, address: Ipv4Addr) {
        let packet = self.expect_arp(destination);
        let expected = ArpPacket::request(MY_MAC, ME, address);
        if packet != expected {
            self.fail(&format!("asked {expected:?}"), &format!("sent {packet:?}"));
        }
    }

    /// The packet with this mark leaves to `destination`.
    #[track_caller]
    pub(crate) fn expect_packet(&mut self, destination: MacAddr, mark: u8) {
        let Some(frame) = self.poll_frame() else {
            self.fail(&format!("sent packet {mark}"), "sent nothing");
        };
        let view = FrameView::new(&frame).expect("a frame");
        if view.destination() != destination || view.payload() != ip_packet(mark) {
            self.fail(&format!("sent packet {mark} to {destination}"), &format!("sent {frame:02x?}"));
        }
    }

    #[track_caller]
    pub(crate) fn expect_nothing_up(&mut self) {
        if let Some(message) = self.poll_up() {
            self.fail("told IP nothing", &format!("told {message:?}"));
        }
    }

    #[track_caller]
    pub(crate) fn expect_event(&mut self) -> LinkEvent {
        match self.poll_up() {
            Some(PacketUp::Event(event)) => *event,
            other => self.fail("told IP of an event", &format!("told {other:?}")),
        }
    }

    /// The packet with this mark comes back.
    #[track_caller]
    pub(crate) fn expect_unreachable(&mut self, mark: u8) {
        match self.expect_event() {
            LinkEvent::Unreachable { packet } if packet[..] == ip_packet(mark) => {}
            other => self.fail(&format!("given packet {mark} back"), &format!("told {other:?}")),
        }
    }

    #[track_caller]
    pub(crate) fn expect_conflict(&mut self, address: Option<Ipv4Addr>, mac: MacAddr) {
        match self.expect_event() {
            LinkEvent::Conflict { interface: LINK, address: a, mac: m }
                if a == address.map(IpAddr::V4) && m == mac => {}
            other => self.fail(&format!("told of {mac} with {address:?}"), &format!("told {other:?}")),
        }
    }

    /// Nothing leaves, nothing goes up.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self) {
        self.expect_no_frame();
        self.expect_nothing_up();
    }

    #[track_caller]
    pub(crate) fn expect_drops(&self, reason: &str, times: u64) {
        let found = self.drops(reason);
        if found != times {
            self.fail(&format!("dropped {times} for {reason:?}"), &format!("dropped {found}"));
        }
    }

    pub(crate) fn drops(&self, reason: &str) -> u64 {
        self.counters.drops("ethernet", reason)
    }

    pub(crate) fn total_drops(&self) -> u64 {
        self.counters.total()
    }

    /// What was noted under a topic.
    pub(crate) fn notes(&self, topic: &str) -> Vec<&str> {
        let notes = self.watcher.0.iter().filter(|note| note.topic == topic);
        notes.map(|note| note.text.as_str()).collect()
    }

    pub(crate) fn state(&self, address: impl Into<IpAddr>) -> Option<NeighbourState> {
        let address = address.into();
        self.ethernet.neighbours().find(|n| n.address == address).map(|n| n.state)
    }

    /// The router's address is asked for and known from here on.
    #[track_caller]
    pub(crate) fn resolve_router(&mut self) {
        self.send(ROUTER, 0);
        self.expect_question(MacAddr::BROADCAST, ROUTER);
        self.answer(ROUTER, ROUTER_MAC);
        self.expect_packet(ROUTER_MAC, 0);
        self.expect_silence();
    }
}

/// Twenty bytes that begin like an IPv4 header and end with `mark`.
pub(crate) fn ip_packet(mark: u8) -> [u8; 20] {
    let mut packet = [0; 20];
    packet[0] = 0x45;
    packet[3] = 20;
    packet[19] = mark;
    packet
}

/// An IPv4 frame around [`ip_packet`].
pub(crate) fn ip_frame(destination: MacAddr, source: MacAddr, mark: u8) -> Vec<u8> {
    frame(destination, source, EtherType::IPV4, &ip_packet(mark))
}

pub(crate) fn frame(destination: MacAddr, source: MacAddr, ethertype: EtherType, payload: &[u8]) -> Vec<u8> {
    let header = Header { destination, source, ethertype };
    [&header.to_bytes()[..], payload].concat()
}

pub(crate) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}
