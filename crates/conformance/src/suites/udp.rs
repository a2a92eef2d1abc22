//! UDP. Read beside it: RFC 768, RFC 1122 section 4.1.3, RFC 8200 section 8.1.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use framewise_core::Buf;
use framewise_core::buf::ChecksumState;
use framewise_core::read::u16_at;
use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise_core::seams::segment::{
    Segment, SegmentControl, SegmentDown, SegmentEvent, SegmentUp, SourceRoute, UDP,
};
use framewise_core::seams::{Datagrams, Segments};

use super::{must, same};
use crate::case::{Case, Verdict};
use crate::craft::damage::{arbitrary, damage};
use crate::craft::ip::{transport_checksum, transport_checksum_is_right};
use crate::craft::udp::{bytes, heard, without_checksum};
use crate::suite::{Aside, Flood, Suite};

type Script = Case<Datagrams, Segments>;

/// Which addresses the suite uses. A UDP layer of its own knows none.
#[derive(Clone, Copy, Debug)]
pub struct UdpSetup {
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

impl Default for UdpSetup {
    fn default() -> Self {
        UdpSetup {
            local: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 10).into(), 4_000),
            remote: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 9).into(), 53),
        }
    }
}

const HELLO: &[u8] = b"hello";

/// What a UDP layer must do.
pub fn udp(setup: UdpSetup) -> Suite<Datagrams, Segments> {
    Suite::new("udp", "the user", "IP")
        .aside_outbound(move |down| route_answer(down, setup.local.ip()))
        .cases([sends(setup), asks_for_source(setup), never_zero(setup)])
        .cases([delivers(setup), empty(setup), no_checksum(setup), wrong_checksum(setup)])
        .cases([no_checksum_v6(setup), lying_length(setup), short(setup), closed(setup), unbound(setup)])
        .flood(flood(setup))
        .garbage(move |rng| heard(setup.remote, setup.local, &arbitrary(rng, 64)))
        .mutate(damaged_segment)
}

/// IP's answer to the question from which address a destination is reached.
pub(super) fn route_answer(down: &SegmentDown, source: IpAddr) -> Aside<SegmentUp> {
    match down {
        SegmentDown::Control(control) => match **control {
            SegmentControl::Source { destination, protocol } => {
                let route = Some(SourceRoute { source, mtu: 1_500 });
                let event = SegmentEvent::Source { destination, protocol, route };
                Aside::Answer(SegmentUp::Event(Box::new(event)))
            }
            SegmentControl::PortUnreachable(_) | SegmentControl::Unreachable { .. } => Aside::No,
        },
        SegmentDown::Segment(_) => Aside::No,
    }
}

/// The same segment with a fault in its bytes.
pub(super) fn damaged_segment(message: SegmentUp, rng: &mut framewise_core::Rng) -> Option<SegmentUp> {
    match message {
        SegmentUp::Segment(mut segment) => {
            damage(&mut segment, rng);
            Some(SegmentUp::Segment(segment))
        }
        SegmentUp::Event(_) => None,
    }
}

fn bind(setup: UdpSetup) -> impl FnOnce(Script) -> Script {
    let port = setup.local.port();
    move |case| {
        case.says(format!("bring me what comes to port {port}"), move |_| DatagramDown::Bind { port })
            .expect_nothing_inbound("the port can be had")
    }
}

fn sends(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("sends a datagram with its ports, length and checksum", "RFC 768")
        .hint("Eight bytes in front: both ports, the length with the header, and the sum over the pseudo-header too.")
        .then(bind(setup))
        .says(format!("\"hello\" to {remote}"), move |_| send(setup, Some(local.ip()), HELLO))
        .expect_outbound("the datagram", move |down, _| {
            let segment = segment(down)?;
            same("the source address", segment.source(), local.ip())?;
            same("the destination address", segment.destination(), remote.ip())?;
            same("the protocol", segment.protocol(), UDP)?;
            same("the source port", u16_at(segment, 0), Some(local.port()))?;
            same("the destination port", u16_at(segment, 2), Some(remote.port()))?;
            same("the length", u16_at(segment, 4), Some(13))?;
            right_checksum(segment)?;
            must(segment.ends_with(HELLO), "the data is not what was sent")
        })
        .expect_nothing("one datagram was sent")
}

fn asks_for_source(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("lets IP choose the source address", "RFC 1122 section 4.1.3.5")
        .hint("Where no address is given, ask IP (SegmentControl::Source) and write down its answer.")
        .then(bind(setup))
        .says(format!("\"hello\" to {remote}, from whichever address"), move |_| send(setup, None, HELLO))
        .expect_outbound("the datagram, from the address that IP told", move |down, _| {
            let segment = segment(down)?;
            same("the source address", segment.source(), local.ip())?;
            right_checksum(segment)
        })
}

fn never_zero(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    // Two bytes that make the sum of all others whole: the checksum computed is 0.
    let rest = transport_checksum(local.ip(), remote.ip(), UDP, &without_checksum(local, remote, &[0, 0]));
    let data = rest.to_be_bytes();
    Case::new("writes a checksum of 0 as ffff", "RFC 768")
        .hint("0 in the field says that there is no checksum; in ones' complement ffff is the other zero.")
        .then(bind(setup))
        .says("two bytes whose checksum is 0", move |_| send(setup, Some(local.ip()), &data))
        .expect_outbound("the datagram with the checksum ffff", |down, _| {
            let segment = segment(down)?;
            let offloaded = segment.offload().checksum != ChecksumState::Complete;
            must(offloaded || u16_at(segment, 6) == Some(0xffff), "the checksum field is not ffff")
        })
}

fn delivers(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("delivers a datagram to the port that is bound", "RFC 768")
        .hint("The user is told the data, from whom it came, and to which of our addresses.")
        .then(bind(setup))
        .hears("\"hello\" to that port", move |_| heard(remote, local, &bytes(remote, local, HELLO)))
        .expect_inbound("the datagram", is_datagram(setup, HELLO))
        .expect_nothing("one datagram came")
}

fn empty(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("delivers an empty datagram", "RFC 768")
        .hint("A length of 8 is a datagram without data, and its arrival is all that it says.")
        .then(bind(setup))
        .hears("a datagram without data", move |_| heard(remote, local, &bytes(remote, local, b"")))
        .expect_inbound("a datagram without data", is_datagram(setup, b""))
}

fn no_checksum(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("takes a datagram without a checksum over IPv4", "RFC 768")
        .hint("A checksum field of 0 over IPv4 means that the sender computed none.")
        .then(bind(setup))
        .hears("\"hello\" with a checksum of 0", move |_| {
            heard(remote, local, &without_checksum(remote, local, HELLO))
        })
        .expect_inbound("the datagram", is_datagram(setup, HELLO))
}

fn no_checksum_v6(setup: UdpSetup) -> Script {
    let v6 = |last: u16, port| {
        let address = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
        SocketAddr::new(address.into(), port)
    };
    let (local, remote) = (v6(0x10, setup.local.port()), v6(9, 53));
    Case::new("drops a datagram without a checksum over IPv6", "RFC 8200 section 8.1")
        .hint("IPv6 has no header checksum, so UDP's must be there.")
        .then(bind(setup))
        .hears("\"hello\" over IPv6 with a checksum of 0", move |_| {
            heard(remote, local, &without_checksum(remote, local, HELLO))
        })
        .expect_drop("nobody vouches for it", None)
        .expect_nothing("nobody vouches for it")
}

fn wrong_checksum(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("drops a datagram whose checksum is wrong", "RFC 1122 section 4.1.3.4")
        .hint("Sum the pseudo-header and all bytes, checksum included: the result must be ffff.")
        .then(bind(setup))
        .hears("\"hello\" with one bit turned over", move |_| {
            let mut damaged = bytes(remote, local, HELLO);
            damaged[9] ^= 1;
            heard(remote, local, &damaged)
        })
        .expect_drop("its checksum is wrong", None)
        .expect_nothing("a damaged datagram is nobody's")
}

fn lying_length(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("drops a datagram that says it is longer than it is", "RFC 768")
        .hint("Compare the length field with the bytes that came before slicing by it.")
        .then(bind(setup))
        .hears("13 bytes with 200 in the length field", move |_| {
            let mut lying = without_checksum(remote, local, HELLO);
            lying[5] = 200;
            heard(remote, local, &lying)
        })
        .expect_drop("its length is a lie", None)
        .expect_nothing("its length is a lie")
}

fn short(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("drops less than a header", "RFC 768")
        .hint("Seven bytes have no checksum field. Ask for the length before reading.")
        .then(bind(setup))
        .hears("7 bytes", move |_| heard(remote, local, &bytes(remote, local, b"")[..7]))
        .expect_drop("there is no whole header", None)
        .expect_nothing("there is no whole header")
}

fn closed(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    Case::new("tells the sender that nobody listens on a port", "RFC 1122 section 4.1.3.1")
        .hint("Give the datagram back to IP as SegmentControl::PortUnreachable: IP writes the ICMP message.")
        .hears("\"hello\" to a port that nobody has bound", move |_| {
            heard(remote, local, &bytes(remote, local, HELLO))
        })
        .expect_outbound("word to IP that the port can't be reached", |down, _| match down {
            SegmentDown::Control(control) => {
                must(matches!(**control, SegmentControl::PortUnreachable(_)), "it is another question")
            }
            SegmentDown::Segment(_) => Err("it is a datagram".into()),
        })
        .expect_nothing_inbound("nobody has bound the port")
}

fn unbound(setup: UdpSetup) -> Script {
    let UdpSetup { local, remote } = setup;
    let port = local.port();
    Case::new("delivers nothing to a port that was given back", "RFC 768")
        .hint("After Unbind the port is as closed as one that was never bound.")
        .then(bind(setup))
        .says(format!("done with port {port}"), move |_| DatagramDown::Unbind { port })
        .hears("\"hello\" to that port", move |_| heard(remote, local, &bytes(remote, local, HELLO)))
        .expect_nothing_inbound("the port is closed")
}

fn flood(setup: UdpSetup) -> Flood<Datagrams, Segments> {
    let UdpSetup { local, remote } = setup;
    let opening =
        Case::new("keeps a bounded number of datagrams for a slow user", "RFC 768").then(bind(setup));
    Flood::new("\"hello\" to the port that is bound", opening, 20_000, 4_096, move |_| {
        heard(remote, local, &bytes(remote, local, HELLO))
    })
}

fn send(setup: UdpSetup, local: Option<IpAddr>, data: &[u8]) -> DatagramDown {
    let data = Bytes::copy_from_slice(data);
    DatagramDown::Send(Datagram { port: setup.local.port(), local, remote: setup.remote, data })
}

fn segment(down: &SegmentDown) -> Result<&Segment, String> {
    match down {
        SegmentDown::Segment(segment) => Ok(segment),
        SegmentDown::Control(_) => Err("it is a question to IP".into()),
    }
}

fn right_checksum(segment: &Segment) -> Verdict {
    let buf: &Buf = segment;
    let complete = segment.offload().checksum == ChecksumState::Complete;
    let right = transport_checksum_is_right(segment.source(), segment.destination(), UDP, buf);
    must(!complete || right, "its checksum is wrong")
}

fn is_datagram(setup: UdpSetup, data: &'static [u8]) -> impl Fn(&DatagramUp, &mut crate::Notes) -> Verdict {
    move |up, _| match up {
        DatagramUp::Datagram(datagram) => {
            same("the port", datagram.port, setup.local.port())?;
            same("our address", datagram.local, Some(setup.local.ip()))?;
            same("the sender", datagram.remote, setup.remote)?;
            must(datagram.data == data, "the data is not what was sent")
        }
        _ => Err("it is no datagram".into()),
    }
}
