//! The server: what it answers, what it refuses, and that resolver and server understand each other.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::*;
use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise_core::seams::resolve::ResolveError;
use framewise_dns::record::{Data, INTERNET, Kind, Question, ResponseCode};
use framewise_dns::{Config, Limits, Message, Zone, describe};

const CLIENT: &str = "192.0.2.10:40000";

fn zone() -> Zone {
    Zone::new("test")
        .and_then(|zone| zone.with("shop.test", [ip("203.0.113.80"), ip("2001:db8::80")]))
        .and_then(|zone| zone.with("deep.down.test", [ip("203.0.113.81")]))
        .and_then(|zone| zone.with("example.org", [ip("203.0.113.82")]))
        .expect("a zone")
        .with_ttl(120)
}

fn server() -> Rig {
    let mut rig = Rig::new(Config { zone: Some(zone()), ..Config::default() });
    assert_eq!(rig.poll_outbound(), Some(DatagramDown::Bind { port: 53 }));
    rig.ports.push(53);
    assert_eq!(rig.poll_outbound(), None);
    rig
}

fn query(name: &str, kind: Kind) -> Message {
    let question = Question { name: common::name(name), kind, class: INTERNET };
    Message::query(0x1234, question)
}

fn ask(rig: &mut Rig, message: &Message) -> Option<Message> {
    let remote: SocketAddr = CLIENT.parse().expect("an address");
    rig.datagram(remote, 53, message.emit().expect("a query"));
    let sent = rig.sent()?;
    assert_eq!((sent.port, sent.remote), (53, remote));
    Some(sent.message)
}

fn answers(name: &str, kind: Kind) -> Message {
    ask(&mut server(), &query(name, kind)).expect("a response")
}

#[test]
fn the_addresses_of_a_name() {
    let response = answers("SHOP.test", Kind::A);
    assert!(response.response && response.authoritative && !response.recursion_available);
    assert!(response.recursion_desired, "copied from the query");
    assert_eq!((response.id, response.code), (0x1234, ResponseCode::NoError));
    assert_eq!(response.questions[0].name.to_string(), "SHOP.test", "the question as it was asked");
    assert_eq!(response.answers, [address("shop.test", 120, "203.0.113.80")]);
    let response = answers("shop.test", Kind::Aaaa);
    assert_eq!(response.answers, [address("shop.test", 120, "2001:db8::80")]);
    let response = answers("shop.test", Kind::Any);
    assert_eq!(response.answers.len(), 1, "one kind is enough for ANY");
}

#[test]
fn the_name_of_an_address() {
    let response = answers("80.113.0.203.in-addr.arpa", Kind::Ptr);
    assert_eq!(response.answers[0].data, Data::Ptr(name("shop.test")));
    assert_eq!(answers("99.113.0.203.in-addr.arpa", Kind::Ptr).code, ResponseCode::Refused);
}

#[test]
fn what_is_not_there_comes_with_the_zones_start() {
    for (asked, kind, code) in [
        ("shpo.test", Kind::A, ResponseCode::NameError),
        ("x.shop.test", Kind::A, ResponseCode::NameError),
        ("deep.down.test", Kind::Aaaa, ResponseCode::NoError),
        ("down.test", Kind::A, ResponseCode::NoError),
        ("test", Kind::A, ResponseCode::NoError),
        ("shop.test", Kind::Other(16), ResponseCode::NoError),
    ] {
        let response = answers(asked, kind);
        assert_eq!(response.code, code, "{asked} {kind}");
        assert!(response.answers.is_empty() && response.authoritative);
        let [start] = &response.authority[..] else {
            panic!("one record of authority for {asked}, got {:?}", response.authority);
        };
        assert_eq!((&start.name, start.data.kind()), (&name("test"), Kind::Soa));
    }
    assert_eq!(answers("test", Kind::Soa).answers[0].data.kind(), Kind::Soa);
}

#[test]
fn outside_its_zone_it_refuses() {
    for asked in ["shop.example", "org", "x.example.org", "testing"] {
        let response = answers(asked, Kind::A);
        assert_eq!(response.code, ResponseCode::Refused, "{asked}");
        assert!(!response.authoritative && response.authority.is_empty());
    }
    assert_eq!(answers("example.org", Kind::A).answers.len(), 1, "put in by itself");
}

#[test]
fn odd_queries_get_their_code() {
    let mut rig = server();
    let mut code = |message: &Message| ask(&mut rig, message).map(|response| response.code);
    let good = query("shop.test", Kind::A);
    let opcode = Message { opcode: 2, ..good.clone() };
    assert_eq!(code(&opcode), Some(ResponseCode::NotImplemented));
    let mut two = good.clone();
    two.questions.extend(good.questions.clone());
    assert_eq!(code(&two), Some(ResponseCode::FormatError));
    let mut none = good.clone();
    none.questions.clear();
    assert_eq!(code(&none), Some(ResponseCode::FormatError));
    let mut chaos = good.clone();
    chaos.questions[0].class = 3;
    assert_eq!(code(&chaos), Some(ResponseCode::Refused));
    let future = Message { edns: Some(1), ..good.clone() };
    assert_eq!(code(&future), Some(ResponseCode::BAD_VERSION));
    let edns = Message { edns: Some(0), ..good };
    assert_eq!(code(&edns), Some(ResponseCode::NoError));
    let response = ask(&mut rig, &edns).expect("a response");
    assert_eq!(response.edns, Some(0), "who speaks EDNS is answered in it (RFC 6891 section 7)");
}

#[test]
fn it_never_answers_a_response() {
    let mut rig = server();
    let message = Message::response_to(&query("shop.test", Kind::A), ResponseCode::NoError);
    assert!(ask(&mut rig, &message).is_none());
    assert_eq!(rig.drops("response to a server"), 1);
    rig.datagram(CLIENT.parse().expect("an address"), 53, vec![0xff; 40]);
    assert!(rig.sent().is_none());
    assert_eq!(rig.drops("malformed message"), 1);
    let bytes = query("shop.test", Kind::A).emit().expect("a query");
    rig.datagram("192.0.2.10:0".parse().expect("an address"), 53, bytes);
    assert!(rig.sent().is_none());
    assert_eq!(rig.drops("query from port 0"), 1);
}

#[test]
fn a_flood_of_queries_keeps_few_responses() {
    let mut rig = server();
    let bytes = query("shop.test", Kind::A).emit().expect("a query");
    for _ in 0..1_000 {
        rig.datagram(CLIENT.parse().expect("an address"), 53, bytes.clone());
    }
    assert_eq!(rig.all_sent().len(), Limits::default().responses);
    assert_eq!(rig.drops("too many responses wait"), 1_000 - 64);
}

#[test]
fn no_response_is_longer_than_512_bytes() {
    let many = (0..100u8).map(|last| [203, 0, 113, last].into());
    let zone = Zone::new("test").and_then(|zone| zone.with("many.test", many)).expect("a zone");
    let mut rig = Rig::new(Config { zone: Some(zone), ..Config::default() });
    rig.sent();
    let response = ask(&mut rig, &query("many.test", Kind::A)).expect("a response");
    assert!(response.truncated, "it says that something is missing");
    assert_eq!(response.answers.len(), (512 - 12 - 15) / 16, "as many as fit");
}

#[test]
fn a_query_to_a_group_is_answered_from_an_address_of_this_host() {
    let mut rig = server();
    rig.up(DatagramUp::Datagram(Datagram {
        port: 53,
        local: Some(ip("224.0.0.251")),
        remote: CLIENT.parse().expect("an address"),
        data: query("shop.test", Kind::A).emit().expect("a query").into(),
    }));
    match rig.poll_outbound() {
        Some(DatagramDown::Send(datagram)) => assert_eq!(datagram.local, None),
        other => panic!("expected a response, got {other:?}"),
    }
}

/// Carries datagrams between the resolver at 192.0.2.10 and the server at 192.0.2.1.
fn carry(resolver: &mut Rig, server: &mut Rig) {
    while let Some(query) = resolver.sent() {
        let from = SocketAddr::new(ip("192.0.2.10"), query.port);
        server.datagram(from, 53, query.message.emit().expect("a query"));
        if let Some(response) = server.sent() {
            let from = SocketAddr::new(ip(SERVER), 53);
            resolver.datagram(from, response.remote.port(), response.message.emit().expect("a response"));
        }
    }
}

#[test]
fn resolver_and_server_understand_each_other() {
    let (mut resolver, mut server) = (Rig::new(asking(&[SERVER])), server());
    resolver.resolve(1, "shop.test");
    carry(&mut resolver, &mut server);
    let found = resolver.found(1);
    assert_eq!(found.addresses, [ip("203.0.113.80"), ip("2001:db8::80")]);
    assert_eq!(found.ttl, Duration::from_secs(120));

    resolver.resolve(2, "deep.down.test");
    carry(&mut resolver, &mut server);
    assert_eq!(resolver.found(2).addresses, [ip("203.0.113.81")], "one family is an answer");

    resolver.resolve(3, "shpo.test");
    carry(&mut resolver, &mut server);
    assert!(matches!(resolver.failed(3), ResolveError::NoSuchName { .. }));
    resolver.resolve(4, "down.test");
    carry(&mut resolver, &mut server);
    assert!(matches!(resolver.failed(4), ResolveError::NoAddress { .. }));
    resolver.resolve(5, "elsewhere.example");
    carry(&mut resolver, &mut server);
    assert!(matches!(resolver.failed(5), ResolveError::Refused { .. }));

    for (query, name) in [(6, "shop.test"), (7, "shpo.test"), (8, "down.test")] {
        resolver.resolve(query, name);
        assert!(resolver.sent().is_none(), "{name} is remembered");
        assert!(resolver.answer().is_some());
    }
    assert_eq!(resolver.counters.total() + server.counters.total(), 0);
}

#[test]
fn an_answer_that_was_cut_off_does_not_say_that_there_is_nothing() {
    let mut response = answers("shop.test", Kind::A);
    response.answers.clear();
    let said = |response: &Message| {
        let bytes = response.emit().expect("a response");
        describe(&bytes).expect("a message").inbound
    };
    assert_eq!(said(&response), "learnt: no A there");
    response.truncated = true;
    assert_eq!(said(&response), "learnt: cut off, ask over TCP");
}

#[test]
fn a_description_explains_query_and_response() {
    let asked = query("shop.test", Kind::A);
    let described = describe(&asked.emit().expect("a query")).expect("a message");
    assert_eq!(described.outbound, "asks: A of shop.test");
    assert_eq!(described.inbound, "is asked: A of shop.test");

    let response = answers("shop.test", Kind::A).emit().expect("a response");
    let described = describe(&response).expect("a message");
    assert_eq!(described.outbound, "answers: 203.0.113.80");
    assert_eq!(described.inbound, "learnt: 203.0.113.80");
    assert_eq!((described.misplaced(), described.unexplained()), (None, vec![]));
    let field = |name| described.fields.iter().find(|field| field.name == name).expect(name);
    assert_eq!(field("AA").value, "1");
    assert_eq!(field("QNAME").bytes, 12..23);
    assert_eq!(field("answer").bytes.end, response.len());
    assert_eq!(
        field("answer").meaning,
        "Says: shop.test has the IPv4 address 203.0.113.80. May be remembered for 120 s."
    );

    let missing = answers("shpo.test", Kind::A).emit().expect("a response");
    assert_eq!(describe(&missing).expect("a message").inbound, "learnt: no such name");
}

/// A message of these four counts, with what follows them: the zone `a.test` first, which others point to.
fn of_a_zone(opcode: u8, counts: [u8; 3], rest: &[&[u8]]) -> framewise_core::Description {
    let mut bytes = vec![0, 7, opcode << 3, 0, 0, 1, 0, counts[0], 0, counts[1], 0, counts[2]];
    bytes.extend(b"\x01a\x04test\0\0\x06\0\x01");
    rest.iter().for_each(|record| bytes.extend(*record));
    describe(&bytes).expect("a message")
}

/// RFC 2136: zone, prerequisite, update, additional.
#[test]
fn a_change_to_a_zone_is_no_question() {
    let there_is_none = b"\xc0\x0c\0\x01\0\xfe\0\0\0\0\0\0";
    let all_go = b"\xc0\x0c\0\xff\0\xff\0\0\0\0\0\0";
    let one_comes = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";
    let told = of_a_zone(5, [1, 2, 0], &[there_is_none, all_go, one_comes]);
    assert_eq!(
        (told.outbound.as_str(), told.next.as_str()),
        ("asks to change: a.test", "who keeps the zone")
    );
    let field = |name| told.fields.iter().find(|field| field.name == name).expect(name);
    assert_eq!(field("QR").meaning, "This is a request.");
    assert_eq!(field("ZNAME").meaning, "The zone that is to be changed.");
    assert_eq!(field("update count").meaning, "How many changes follow: 2.");
    assert_eq!(field("prerequisite").meaning, "Only if there are no A records of a.test.");
    assert_eq!(field("CLASS").value, "NONE");
    let updates = told.fields.iter().filter(|field| field.name == "update");
    let said: Vec<_> = updates.map(|field| (field.meaning.as_str(), field.source)).collect();
    let source = "RFC 2136 §2.5";
    let wanted = [
        ("All records of a.test are to go.", source),
        ("This is to be added to the A records of a.test.", source),
    ];
    assert_eq!(said, wanted);
    assert!(told.fields.iter().all(|field| !field.bytes.is_empty()), "what has no bytes stands nowhere");
    assert_eq!((told.misplaced(), told.unexplained()), (None, vec![]));
}

/// RFC 1996.
#[test]
fn a_notice_that_a_zone_has_changed_is_no_question() {
    let told = of_a_zone(4, [0; 3], &[]);
    assert_eq!(
        (told.outbound.as_str(), told.inbound.as_str()),
        ("says: a.test has changed", "is told: a.test changed")
    );
}
