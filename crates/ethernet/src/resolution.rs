//! From a next hop to a MAC address: asking, answering, learning, and what comes of no answer.
//!
//! Read first: RFC 826 "Packet Reception", RFC 1122 section 2.3.2, RFC 5227 section 2.4, RFC 4861 section 7.2.

use std::net::{IpAddr, Ipv4Addr};

use framewise_core::buf::InterfaceId;
use framewise_core::read::array_at;
use framewise_core::seams::frame::Frame;
use framewise_core::seams::packet::{LinkControl, LinkEvent, Packet};
use framewise_core::{Cx, MacAddr};

use crate::arp::{ArpPacket, Operation};
use crate::claims::{Asker, Conflict, Say};
use crate::frame::HEADER_LENGTH;
use crate::layer::{Ethernet, NAME};
use crate::neighbours::{Due, Heard, Key, Learned, Route};

/// Where a frame names its source.
const SOURCE: usize = 6;

/// Going out.
impl Ethernet {
    pub(crate) fn send_to_neighbour(&mut self, key: Key, packet: Packet, cx: &mut Cx) {
        match self.neighbours.route(key, cx.now) {
            Route::Send(mac) => self.send_to(mac, packet, cx),
            Route::SendAndAsk(mac) => {
                self.send_to(mac, packet, cx);
                self.ask(key, mac, cx);
            }
            Route::Wait => self.wait(key, packet, cx),
            Route::WaitAndAsk { displaced } => {
                if let Some(displaced) = displaced {
                    self.displace(displaced, cx);
                }
                self.wait(key, packet, cx);
                self.ask(key, MacAddr::BROADCAST, cx);
            }
            Route::Failed => self.unreachable(packet, cx),
            Route::Full => {
                cx.dropped(NAME, "neighbour table full");
                self.unreachable(packet, cx);
            }
        }
    }

    fn wait(&mut self, key: Key, packet: Packet, cx: &mut Cx) {
        if let Some(displaced) = self.waiting.push(key, packet) {
            self.unreachable(displaced, cx);
        }
    }

    /// Gives a packet back to IP, which tells whoever sent it.
    pub(crate) fn unreachable(&mut self, packet: Packet, cx: &mut Cx) {
        self.push_event(LinkEvent::Unreachable { packet }, cx);
    }

    /// Asks where a neighbour is: for IPv4 by an ARP request to `whom`, for IPv6 by asking IP to ask.
    fn ask(&mut self, key: Key, whom: MacAddr, cx: &mut Cx) {
        let Key { interface, address } = key;
        let target = match address {
            IpAddr::V4(target) => target,
            IpAddr::V6(_) => return self.push_event(LinkEvent::Resolve { interface, address }, cx),
        };
        match self.claims.asker(interface, target) {
            Asker::Ready(me) => self.send_arp(interface, whom, |mac| ArpPacket::request(mac, me, target), cx),
            Asker::NotBefore(time) => self.neighbours.postpone(key, time),
        }
    }

    /// Sends the ARP packet that `make` makes with the interface's own MAC address.
    fn send_arp(
        &mut self,
        interface: InterfaceId,
        destination: MacAddr,
        make: impl FnOnce(MacAddr) -> ArpPacket,
        cx: &mut Cx,
    ) {
        if let Some(mac) = self.mac(interface) {
            let frame = make(mac).to_frame(destination, mac);
            self.push_outbound(Frame::new(frame, interface), cx);
        }
    }

    fn send_waiting(&mut self, key: Key, mac: MacAddr, cx: &mut Cx) {
        while let Some(packet) = self.waiting.take(key) {
            self.send_to(mac, packet, cx);
        }
    }

    /// A neighbour that has not answered yet made room for another.
    fn displace(&mut self, key: Key, cx: &mut Cx) {
        cx.dropped(NAME, "neighbour table full");
        cx.note(NAME, "unresolved", || format!("{} is given up: too many are asked for", key.address));
        self.return_waiting(key, cx);
    }

    fn return_waiting(&mut self, key: Key, cx: &mut Cx) {
        while let Some(packet) = self.waiting.take(key) {
            self.unreachable(packet, cx);
        }
    }
}

/// Coming in.
impl Ethernet {
    /// An ARP packet: conflict first, then learning, then the answer, as RFC 5227 and RFC 826 have it. What
    /// neither teaches nor asks us anything is a counted drop.
    pub(crate) fn receive_arp(&mut self, frame: &Frame, cx: &mut Cx) {
        let interface = frame.interface();
        let packet = match ArpPacket::parse(frame.get(HEADER_LENGTH..).unwrap_or_default()) {
            Ok(packet) => packet,
            Err(error) => return cx.dropped(NAME, error.reason()),
        };
        if self.mac(interface) == Some(packet.sender_mac) {
            return self.duplicate(interface, cx);
        }
        // ARP has no checksum: that both headers name the same station is all that tells a damaged binding, which
        // would lead every packet astray until it is doubted.
        if array_at(frame, SOURCE) != Some(packet.sender_mac.octets()) {
            return cx.dropped(NAME, "ARP sender is not the frame's");
        }
        if let Some(conflict) = self.claims.examine(interface, &packet, cx.now) {
            return self.contest(interface, &packet, conflict, cx);
        }
        let asks_us =
            packet.operation == Operation::Request && self.claims.is_used(interface, packet.target_address);
        let learned = !packet.is_probe() && self.learn_from(interface, &packet, asks_us, cx);
        if asks_us {
            self.send_arp(interface, packet.sender_mac, |mac| packet.reply(mac), cx);
        } else if !learned {
            cx.ignored(NAME, "ARP for another station");
        }
    }

    /// RFC 826: merge what is known already; add what is new only if it is for us.
    fn learn_from(&mut self, interface: InterfaceId, packet: &ArpPacket, asks_us: bool, cx: &mut Cx) -> bool {
        let key = Key { interface, address: IpAddr::V4(packet.sender_address) };
        let heard = if asks_us { Heard::ToUs } else { Heard::InPassing };
        self.learn(key, packet.sender_mac, heard, cx)
    }

    /// Takes in that a neighbour is said to be at `mac`; `false` if that is nothing to us.
    fn learn(&mut self, key: Key, mac: MacAddr, heard: Heard, cx: &mut Cx) -> bool {
        let address = key.address;
        match self.neighbours.hear(key, mac, heard, cx.now) {
            Learned::Nothing => return false,
            Learned::Confirmed => {}
            Learned::Full => cx.dropped(NAME, "neighbour table full"),
            Learned::Noticed => cx.note(NAME, "noticed", || format!("{address} is at {mac}")),
            Learned::Resolved => {
                cx.note(NAME, "resolved", || format!("{address} is at {mac}"));
                self.send_waiting(key, mac, cx);
            }
            Learned::Moved { from } => {
                cx.note(NAME, "moved", || format!("{address} is now at {mac}, no longer at {from}"));
            }
            Learned::Conflict { with, ask } => {
                cx.dropped(NAME, "conflicting neighbour binding");
                cx.note(NAME, "conflict", || format!("{mac} says it is {address}, which I know at {with}"));
                if ask {
                    self.ask(key, with, cx);
                }
            }
        }
        true
    }

    /// Another station has, or wants, an address of ours.
    fn contest(&mut self, interface: InterfaceId, packet: &ArpPacket, conflict: Conflict, cx: &mut Cx) {
        cx.dropped(NAME, "another station claims my address");
        let mac = packet.sender_mac;
        let address = if packet.is_probe() { packet.target_address } else { packet.sender_address };
        if conflict.tell {
            match conflict.lost {
                true => cx.warn(NAME, "taken", format!("{mac} has {address} already: I don't use it")),
                false => cx.warn(NAME, "conflict", format!("{mac} claims my address {address}")),
            }
            let event = LinkEvent::Conflict { interface, address: Some(IpAddr::V4(address)), mac };
            self.push_event(event, cx);
        }
        if conflict.defend {
            self.announce(interface, address, cx);
        }
    }

    fn announce(&mut self, interface: InterfaceId, address: Ipv4Addr, cx: &mut Cx) {
        let announcement = |mac| ArpPacket::announcement(mac, address);
        self.send_arp(interface, MacAddr::BROADCAST, announcement, cx);
    }
}

/// What IP says, and what time brings.
impl Ethernet {
    pub(crate) fn control(&mut self, control: LinkControl, cx: &mut Cx) {
        match control {
            LinkControl::Claim { interface, address } => self.claim(interface, address, cx),
            LinkControl::Release { interface, address } => self.claims.release(interface, address),
            LinkControl::Neighbour { interface, address, mac, replace } => {
                let key = Key { interface, address };
                self.take_neighbour(key, mac, Heard::ByNdp { replace }, cx);
            }
        }
    }

    fn claim(&mut self, interface: InterfaceId, address: Ipv4Addr, cx: &mut Cx) {
        if self.mac(interface).is_none() {
            return cx.dropped(NAME, "unknown interface");
        }
        if !self.claims.claim(interface, address, cx.now) {
            cx.dropped(NAME, "too many addresses claimed");
        }
    }

    fn take_neighbour(&mut self, key: Key, mac: Option<MacAddr>, heard: Heard, cx: &mut Cx) {
        match mac {
            Some(mac) if !mac.is_unicast() => cx.dropped(NAME, "neighbour's address is no station"),
            Some(mac) => {
                self.learn(key, mac, heard, cx);
            }
            None => {
                if let Some(due) = self.neighbours.fail(key, cx.now) {
                    self.follow(due, cx);
                }
            }
        }
    }

    pub(crate) fn advance_claims(&mut self, cx: &mut Cx) {
        while let Some(say) = self.claims.next(cx.now) {
            match say {
                Say::Probe(interface, address) => {
                    let probe = |mac| ArpPacket::probe(mac, address);
                    self.send_arp(interface, MacAddr::BROADCAST, probe, cx);
                }
                Say::Announce(interface, address, first) => {
                    if first {
                        cx.note(NAME, "claimed", || format!("{address} is mine: nobody objected"));
                    }
                    self.announce(interface, address, cx);
                }
            }
        }
    }

    pub(crate) fn advance_neighbours(&mut self, cx: &mut Cx) {
        while let Some(due) = self.neighbours.expire(cx.now) {
            self.follow(due, cx);
        }
    }

    fn follow(&mut self, due: Due, cx: &mut Cx) {
        match due {
            Due::Ask(key) => self.ask(key, MacAddr::BROADCAST, cx),
            Due::Failed(key) => {
                cx.note(NAME, "unresolved", || format!("{} does not answer", key.address));
                self.return_waiting(key, cx);
            }
            Due::Lost(key, mac) => {
                cx.note(NAME, "lost", || format!("{} no longer answers at {mac}", key.address));
            }
        }
    }
}
