//! A composition is a layer: DNS over UDP, between the name seam and the segment seam, with a suite written on the spot.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use framewise_conformance::craft::{dns, udp};
use framewise_conformance::{Aside, Case, Law, Notes, Suite, Verdict, check_layer};
use framewise_core::seams::resolve::{NameDown, NameUp};
use framewise_core::seams::segment::{
    Segment, SegmentControl, SegmentDown, SegmentEvent, SegmentUp, SourceRoute,
};
use framewise_core::seams::{Names, Segments};
use framewise_core::{Over, Rng};
use framewise_dns::Dns;
use framewise_udp::Udp;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn server() -> SocketAddr {
    SocketAddr::new(address("192.0.2.1"), 53)
}

/// What is asked in a query, and from which of our ports.
fn query(segment: &Segment) -> Option<(dns::Question, SocketAddr)> {
    let port = u16::from_be_bytes([*segment.first()?, *segment.get(1)?]);
    Some((dns::Question::read(segment.get(8..)?)?, SocketAddr::new(segment.source(), port)))
}

fn answer((question, asker): &(dns::Question, SocketAddr), records: &[Vec<u8>]) -> SegmentUp {
    udp::heard(server(), *asker, &udp::bytes(server(), *asker, &question.answer(0, records)))
}

/// IP knows the way, and the server has no IPv6 addresses.
fn neighbour(down: &SegmentDown) -> Aside<SegmentUp> {
    match down {
        SegmentDown::Control(control) => match **control {
            SegmentControl::Source { destination, protocol } => {
                let route = Some(SourceRoute { source: address("192.0.2.10"), mtu: 1_500 });
                let event = SegmentEvent::Source { destination, protocol, route };
                Aside::Answer(SegmentUp::Event(Box::new(event)))
            }
            SegmentControl::PortUnreachable(_) | SegmentControl::Unreachable { .. } => Aside::No,
        },
        SegmentDown::Segment(segment) => match query(segment) {
            Some(query) if query.0.kind == dns::AAAA => Aside::Answer(answer(&query, &[])),
            _ => Aside::No,
        },
    }
}

fn suite() -> Suite<Names, Segments> {
    let soon = Duration::from_secs(1);
    let resolves = Case::new("resolves a name over UDP", "RFC 1035")
        .says("which address has shop.test?", |_| NameDown::Resolve { query: 1, name: "shop.test".into() })
        .await_outbound("the question in a datagram", soon, |down, notes: &mut Notes| -> Verdict {
            let SegmentDown::Segment(segment) = down else { return Err("it is no datagram".into()) };
            notes.keep("query", query(segment).ok_or("it is no query")?);
            Ok(())
        })
        .hears("the answer", |notes| {
            answer(&notes.recall("query"), &[dns::address(address("203.0.113.80"), 60)])
        })
        .await_inbound("the address", soon, |up, _| {
            let NameUp::Resolved { result, .. } = up;
            let found = result.as_ref().map_err(|error| error.to_string())?;
            match found.addresses[..] {
                [found] if found == address("203.0.113.80") => Ok(()),
                _ => Err("it is another".into()),
            }
        });
    Suite::new("dns over udp", "the application", "IP").aside_outbound(neighbour).case(resolves)
}

#[test]
fn a_composition_keeps_the_laws() {
    let make = || {
        let config = framewise_dns::Config { servers: vec![server().ip()], ..Default::default() };
        Over::new(Dns::new(config, Rng::from_seed(1)), Udp::new(Default::default()))
    };
    let report = check_layer(make, &suite()).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.laws().any(|(law, runs)| law == Law::Stepping && runs == 1), "{report}");
}
