//! DNS: messages parsed and written; a resolver with a question under way, a server and a relay that hear anything.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use framewise::core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise::core::seams::lookup::{LookupDown, LookupUp};
use framewise::core::seams::resolve::{NameDown, NameUp};
use framewise::core::{Counters, Cx, Instant, Layer, Rng};
use framewise::dns::{self, Config, Dns, Message, Relay, Zone};

use crate::headers::explained;
use crate::input::Input;

/// Whom the resolver asks.
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Runs the target. The first byte chooses; then come datagrams with their length in front.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 4 {
        0 => message(input.rest()),
        1 => resolver(input),
        2 => server(input),
        _ => relay(input),
    }
}

fn message(bytes: &[u8]) {
    explained(dns::describe(bytes).ok(), bytes);
    let Ok(message) = Message::parse(bytes) else { return };
    if let Ok(emitted) = message.emit() {
        let again = Message::parse(&emitted).expect("what was written can be read");
        assert_eq!(again, message);
    }
}

/// A datagram of at most 1,023 bytes.
fn datagram<'a>(input: &mut Input<'a>) -> &'a [u8] {
    let length = input.below(1_024);
    input.take(length)
}

fn from(remote: SocketAddr, port: u16, data: &[u8]) -> DatagramUp {
    let local = Some(Ipv4Addr::new(192, 0, 2, 10).into());
    DatagramUp::Datagram(Datagram { port, local, remote, data: data.to_vec().into() })
}

/// Replies from the server that was asked, with the id and (where told so) the question of what was asked.
fn resolver(mut input: Input<'_>) {
    let mut resolver = Dns::new(Config { servers: vec![SERVER], ..Config::default() }, Rng::from_seed(1));
    let (mut counters, mut now) = (Counters::default(), Instant::ZERO);
    let name = "shop.test".to_owned();
    let mut cx = Cx::new(now, &mut counters);
    resolver.handle_outbound(NameDown::Resolve { query: 7, name }, &mut cx);
    let (mut asked, mut answers) = (Vec::new(), 0);
    loop {
        let mut cx = Cx::new(now, &mut counters);
        while let Some(down) = resolver.poll_outbound(&mut cx) {
            if let DatagramDown::Send(query) = down {
                assert_eq!(query.remote, SocketAddr::new(SERVER, dns::PORT));
                assert!(Message::parse(&query.data).is_ok(), "what is asked can be read");
                asked.push(query);
            }
        }
        while let Some(NameUp::Resolved { query, result }) = resolver.poll_inbound(&mut cx) {
            assert_eq!(query, 7);
            assert!(result.is_err() || result.is_ok_and(|found| !found.addresses.is_empty()));
            answers += 1;
        }
        assert!(answers <= 1, "one question has one answer");
        if !input.is_empty() {
            let how = input.byte();
            let mut reply = datagram(&mut input).to_vec();
            let query = asked.get(usize::from(how >> 2) % asked.len().max(1));
            if let Some(query) = query.filter(|_| how & 1 != 0) {
                answer_to(query, &mut reply, how & 2 != 0);
                resolver.handle_inbound(from(query.remote, query.port, &reply), &mut cx);
            } else {
                let remote = SocketAddr::new(SERVER, dns::PORT);
                resolver.handle_inbound(from(remote, 50_000 + u16::from(how), &reply), &mut cx);
            }
        } else {
            let Some(next) = resolver.poll_timeout() else { break };
            assert!(next < Instant::from_secs(100_000), "a question's end comes");
            now = now.max(next);
            resolver.handle_timeout(&mut Cx::new(now, &mut counters));
        }
    }
    assert_eq!(answers, 1, "each question is answered, if only by giving up");
}

/// Writes the id of `query` into `reply`, and its question in front of what follows the header.
fn answer_to(query: &Datagram, reply: &mut Vec<u8>, with_question: bool) {
    let id = query.data.get(..2).unwrap_or_default();
    if with_question && reply.len() >= 12 {
        let question = query.data.get(12..).unwrap_or_default().iter().copied();
        reply.splice(12..12, question);
    }
    if let Some(place) = reply.get_mut(..2) {
        place.copy_from_slice(id);
    }
}

fn server(mut input: Input<'_>) {
    let addresses = [Ipv4Addr::new(203, 0, 113, 80).into()];
    let zone = Zone::new("test").and_then(|zone| zone.with("shop.test", addresses));
    let zone = zone.expect("the zone's names are good");
    let config = Config { zone: Some(zone), ..Config::default() };
    let limit = config.limits.responses;
    let mut server = Dns::new(config, Rng::from_seed(1));
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    let mut heard = 0;
    while !input.is_empty() {
        let port = input.word();
        let query = datagram(&mut input);
        server.handle_inbound(from(SocketAddr::new(SERVER, port), dns::PORT, query), &mut cx);
        heard += 1;
    }
    let mut said = 0;
    while let Some(down) = server.poll_outbound(&mut cx) {
        if let DatagramDown::Send(response) = down {
            assert!(response.data.len() <= 512, "without EDNS no more fits (RFC 1035, section 4.2.1)");
            let message = Message::parse(&response.data).expect("a response can be read");
            assert!(message.response, "a server only answers");
            said += 1;
        }
    }
    assert!(said <= heard.min(limit), "no query begets two responses, and few wait");
}

fn relay(mut input: Input<'_>) {
    let limit = 8;
    let mut relay = Relay::new(limit);
    let (mut counters, mut open, mut heard, mut said) = (Counters::default(), Vec::new(), 0, 0);
    while !input.is_empty() {
        let mut cx = Cx::new(Instant::ZERO, &mut counters);
        let how = input.byte();
        if how & 1 == 0 {
            let query = datagram(&mut input);
            let remote = SocketAddr::new(SERVER, u16::from(how) + 1);
            relay.handle_inbound(from(remote, dns::PORT, query), &mut cx);
            heard += 1;
        } else if !open.is_empty() {
            let question = open.swap_remove(usize::from(how) % open.len());
            let addresses = (0..input.byte() % 64).map(|last| Ipv4Addr::new(198, 51, 100, last).into());
            relay.handle_outbound(LookupDown::Answer { question, result: Ok(addresses.collect()) }, &mut cx);
        }
        while let Some(LookupUp::Asked { question, .. }) = relay.poll_inbound(&mut cx) {
            open.push(question);
        }
        assert!(open.len() <= limit, "no more than {limit} questions are under way");
        while let Some(down) = relay.poll_outbound(&mut cx) {
            if let DatagramDown::Send(response) = down {
                assert!(Message::parse(&response.data).is_ok_and(|response| response.response));
                said += 1;
            }
        }
    }
    assert!(said <= heard, "no query begets two responses");
}
