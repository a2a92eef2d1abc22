//! The resolver, asked and answered in virtual time.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::*;
use framewise_core::seams::datagram::{DatagramDown, DatagramUp};
use framewise_core::seams::resolve::{NameDown, ResolveError};
use framewise_core::seams::segment::ErrorKind;
use framewise_dns::record::{Kind, ResponseCode};
use framewise_dns::{Config, Family, Limits, Message};

/// Looks up shop.test and answers with these addresses, each of which holds for 300 s.
fn shop(rig: &mut Rig, query: u64, v4: &str, v6: &str) {
    rig.resolve(query, "shop.test");
    let (a, aaaa) = rig.pair();
    rig.reply(&a, &a.reply_with(vec![address("shop.test", 300, v4)]));
    rig.reply(&aaaa, &aaaa.reply_with(vec![address("shop.test", 300, v6)]));
}

#[test]
fn a_name_is_asked_for_and_found() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let (a, aaaa) = rig.pair();
    assert_eq!(a.remote, SocketAddr::new(ip(SERVER), 53));
    assert_eq!(a.name().to_string(), "shop.test");
    assert!(a.message.recursion_desired, "a stub asks for recursion");
    assert_ne!(a.port, aaaa.port, "each question has a port of its own");
    assert!(rig.answer().is_none(), "nothing is known yet");

    rig.reply(&a, &a.reply_with(vec![address("shop.test", 300, "203.0.113.80")]));
    assert!(rig.answer().is_none(), "the other family is waited for a little");
    rig.reply(&aaaa, &aaaa.reply_with(vec![address("shop.test", 60, "2001:db8::80")]));
    let found = rig.found(1);
    assert_eq!(found.addresses, [ip("203.0.113.80"), ip("2001:db8::80")]);
    assert_eq!(found.server, Some(ip(SERVER)));
    assert_eq!(found.ttl, Duration::from_secs(60), "the shorter of both");

    assert!(rig.answer().is_none(), "exactly one answer");
    assert!(rig.sent().is_none());
    assert!(rig.ports.is_empty(), "all ports are given back");
    assert_eq!(rig.dns_timeout(), None);
    assert_eq!(rig.counters.total(), 0);
}

impl Rig {
    fn dns_timeout(&self) -> Option<framewise_core::Instant> {
        framewise_core::Layer::poll_timeout(&self.dns)
    }
}

#[test]
fn ipv6_comes_first_where_it_is_preferred() {
    let mut rig = Rig::new(Config { prefer: Family::Ipv6, ..asking(&[SERVER]) });
    shop(&mut rig, 1, "203.0.113.80", "2001:db8::80");
    assert_eq!(rig.found(1).addresses, [ip("2001:db8::80"), ip("203.0.113.80")]);
}

#[test]
fn one_family_is_enough_after_a_moment() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let (a, _) = rig.pair();
    rig.reply(&a, &a.reply_with(vec![address("shop.test", 300, "203.0.113.80")]));
    assert!(rig.answer().is_none());
    assert!(rig.turn_clock());
    assert_eq!(rig.now.as_millis(), 50);
    assert_eq!(rig.found(1).addresses, [ip("203.0.113.80")]);
    assert!(rig.sent().is_none());
    assert!(rig.ports.is_empty(), "the other question is given up");
}

#[test]
fn a_known_name_is_not_asked_for_until_its_time_is_over() {
    let mut rig = Rig::new(asking(&[SERVER]));
    shop(&mut rig, 1, "203.0.113.80", "2001:db8::80");
    rig.found(1);
    rig.wait(Duration::from_secs(299));
    rig.resolve(2, "SHOP.test.");
    let found = rig.found(2);
    assert_eq!(found.addresses, [ip("203.0.113.80"), ip("2001:db8::80")]);
    assert_eq!(found.server, None, "nobody was asked");
    assert_eq!(found.ttl, Duration::from_secs(1), "what is left");
    assert!(rig.sent().is_none());

    rig.wait(Duration::from_secs(1));
    rig.resolve(3, "shop.test");
    rig.pair();
}

#[test]
fn a_time_to_live_is_believed_only_as_far_as_it_can_be() {
    for (ttl, expected) in [(u32::MAX, 0), (1 << 31, 0), (i32::MAX as u32, 86_400)] {
        let mut rig = Rig::new(asking(&[SERVER]));
        rig.resolve(1, "shop.test");
        let (a, aaaa) = rig.pair();
        rig.reply(&a, &a.reply_with(vec![address("shop.test", ttl, "203.0.113.80")]));
        rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
        assert_eq!(rig.found(1).ttl, Duration::from_secs(expected), "of {ttl}");
    }
}

#[test]
fn an_unanswered_question_is_asked_again_from_another_port() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let (first, _) = rig.pair();
    assert!(rig.turn_clock());
    assert_eq!(rig.now.as_millis(), 1_000);
    let (again, aaaa) = rig.pair();
    assert_ne!((first.port, first.message.id), (again.port, again.message.id));
    assert_eq!(rig.ports.len(), 2, "the first two ports are given back");

    rig.reply(&first, &first.reply_with(vec![address("shop.test", 300, "203.0.113.66")]));
    assert_eq!(rig.drops("reply to no question"), 1, "too late");
    rig.reply(&again, &again.reply_with(vec![address("shop.test", 300, "203.0.113.80")]));
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
    assert_eq!(rig.found(1).addresses, [ip("203.0.113.80")]);
}

#[test]
fn silence_ends_after_all_rounds() {
    let mut rig = Rig::new(asking(&["192.0.2.1", "192.0.2.2"]));
    rig.resolve(1, "shop.test");
    let mut asked = Vec::new();
    loop {
        asked.extend(rig.all_sent().into_iter().filter(|sent| sent.kind() == Kind::A));
        if !rig.turn_clock() {
            break;
        }
    }
    let servers: Vec<_> = asked.iter().map(|sent| sent.remote.ip()).collect();
    let round = [ip("192.0.2.1"), ip("192.0.2.2")];
    assert_eq!(servers, round.repeat(5), "each server in each round");
    assert_eq!(rig.now.as_millis(), 2 * 15_000);
    assert_eq!(rig.failed(1), ResolveError::TimedOut { name: "shop.test".into(), asked: 10 });
    assert!(rig.answer().is_none());
    assert!(rig.ports.is_empty());
}

#[test]
fn a_name_that_is_not_there_is_remembered_as_such() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shpo.test");
    let expected = ResolveError::NoSuchName { name: "shpo.test".into(), server: ip(SERVER) };
    let (a, aaaa) = rig.pair();
    for sent in [&a, &aaaa] {
        let mut reply = sent.reply(ResponseCode::NameError);
        reply.authority.push(start("test", 60));
        rig.reply(sent, &reply);
    }
    assert_eq!(rig.failed(1), expected);

    rig.wait(Duration::from_secs(59));
    rig.resolve(2, "shpo.test");
    assert_eq!(rig.failed(2), expected, "known without asking");
    rig.wait(Duration::from_secs(1));
    rig.resolve(3, "shpo.test");
    rig.pair();
}

#[test]
fn what_is_not_there_is_remembered_only_on_the_word_of_its_own_zone() {
    for authority in [vec![], vec![start("other", 60)]] {
        let mut rig = Rig::new(asking(&[SERVER]));
        rig.resolve(1, "shpo.test");
        let (a, aaaa) = rig.pair();
        for sent in [&a, &aaaa] {
            let mut reply = sent.reply(ResponseCode::NameError);
            reply.authority.clone_from(&authority);
            rig.reply(sent, &reply);
        }
        rig.failed(1);
        rig.resolve(2, "shpo.test");
        rig.pair();
    }
}

#[test]
fn a_name_without_an_address_is_told_apart_from_no_name() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "text.test");
    let (a, aaaa) = rig.pair();
    for sent in [&a, &aaaa] {
        let mut reply = sent.reply(ResponseCode::NoError);
        reply.authority.push(start("test", 60));
        rig.reply(sent, &reply);
    }
    assert_eq!(rig.failed(1), ResolveError::NoAddress { name: "text.test".into(), server: ip(SERVER) });
}

#[test]
fn a_server_that_refuses_is_left_for_the_next_at_once() {
    let mut rig = Rig::new(asking(&["192.0.2.1", "192.0.2.2"]));
    rig.resolve(1, "shop.test");
    for sent in rig.all_sent() {
        rig.reply(&sent, &sent.reply(ResponseCode::ServerFailure));
    }
    let (a, aaaa) = rig.pair();
    assert_eq!(a.remote.ip(), ip("192.0.2.2"));
    assert_eq!(rig.now.as_millis(), 0);
    rig.reply(&a, &a.reply(ResponseCode::Refused));
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::Refused));
    assert!(rig.sent().is_none(), "nobody is left to ask");
    assert_eq!(
        rig.failed(1),
        ResolveError::Refused { name: "shop.test".into(), server: ip("192.0.2.2"), code: "refused".into() }
    );
}

#[test]
fn an_unreachable_server_is_a_refusal() {
    for (kind, code) in
        [(Some(ErrorKind::PortUnreachable), "nobody listens on that port"), (None, "there is no route to it")]
    {
        let mut rig = Rig::new(asking(&[SERVER]));
        rig.resolve(1, "shop.test");
        let (a, aaaa) = rig.pair();
        let (other, remote) = (SocketAddr::new(ip("192.0.2.9"), 53), a.remote);
        rig.up(DatagramUp::Unreachable { port: a.port, remote: other, kind });
        assert_eq!(rig.drops("error about no question"), 1);
        for port in [a.port, aaaa.port] {
            rig.up(DatagramUp::Unreachable { port, remote, kind });
        }
        match rig.failed(1) {
            ResolveError::Refused { code: said, .. } => assert_eq!(said, code),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
}

/// That ARP has no answer, or a router no way, may pass: the next question may come through.
#[test]
fn a_server_that_can_not_be_reached_now_is_asked_again() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let (a, aaaa) = rig.pair();
    let kind = Some(ErrorKind::HostUnreachable);
    for port in [a.port, aaaa.port] {
        rig.up(DatagramUp::Unreachable { port, remote: a.remote, kind });
    }
    assert!(rig.answer().is_none(), "there are more rounds");
    rig.wait(Duration::from_secs(1));
    let (a, aaaa) = rig.pair();
    rig.reply(&a, &a.reply_with(vec![address("shop.test", 300, "203.0.113.80")]));
    rig.reply(&aaaa, &aaaa.reply_with(vec![address("shop.test", 300, "2001:db8::80")]));
    assert_eq!(rig.found(1).addresses.len(), 2);
}

#[test]
fn a_server_that_is_never_reached_is_a_refusal_that_says_why() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    for seconds in [1, 2, 4, 4, 4] {
        let (a, aaaa) = rig.pair();
        for port in [a.port, aaaa.port] {
            rig.up(DatagramUp::Unreachable {
                port,
                remote: a.remote,
                kind: Some(ErrorKind::HostUnreachable),
            });
        }
        rig.wait(Duration::from_secs(seconds));
    }
    match rig.failed(1) {
        ResolveError::Refused { code, .. } => assert_eq!(code, "the host does not answer"),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn aliases_are_followed_within_an_answer() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "www.shop.test");
    let (a, aaaa) = rig.pair();
    // The order of records says nothing (RFC 1034 section 3.6).
    rig.reply(
        &a,
        &a.reply_with(vec![
            address("real.test", 30, "203.0.113.80"),
            alias("shop.test", "real.test"),
            alias("www.shop.test", "shop.test"),
        ]),
    );
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
    let found = rig.found(1);
    assert_eq!(found.addresses, [ip("203.0.113.80")]);
    assert_eq!(found.ttl, Duration::from_secs(30));
}

#[test]
fn an_alias_without_its_address_is_asked_for() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "www.test");
    let (a, aaaa) = rig.pair();
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
    rig.reply(&a, &a.reply_with(vec![alias("www.test", "cdn.test")]));
    let next = rig.sent().expect("a question for the alias");
    assert_eq!((next.name(), next.kind()), (&name("cdn.test"), Kind::A));
    rig.reply(&next, &next.reply_with(vec![address("cdn.test", 300, "203.0.113.80")]));
    assert_eq!(rig.found(1).addresses, [ip("203.0.113.80")]);
}

#[test]
fn aliases_that_go_round_come_to_an_end() {
    let mut rig = Rig::new(asking(&[SERVER]));
    // In one answer …
    rig.resolve(1, "a.test");
    for sent in rig.all_sent() {
        rig.reply(&sent, &sent.reply_with(vec![alias("a.test", "b.test"), alias("b.test", "a.test")]));
    }
    match rig.failed(1) {
        ResolveError::Refused { code, .. } => assert_eq!(code, "more than 8 aliases in a row"),
        other => panic!("expected a refusal, got {other:?}"),
    }
    // … and from answer to answer.
    rig.resolve(2, "c.test");
    let mut questions = 0;
    while let Some(sent) = rig.sent() {
        questions += 1;
        assert!(questions < 100, "it asks for ever");
        let (owner, target) = match sent.name() == &name("c.test") {
            true => ("c.test", "d.test"),
            false => ("d.test", "c.test"),
        };
        rig.reply(&sent, &sent.reply_with(vec![alias(owner, target)]));
    }
    assert!(matches!(rig.failed(2), ResolveError::Refused { .. }));
}

#[test]
fn a_truncated_answer_counts_for_what_it_holds() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let (a, aaaa) = rig.pair();
    let mut reply = a.reply_with(vec![address("shop.test", 300, "203.0.113.80")]);
    reply.truncated = true;
    rig.reply(&a, &reply);
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
    assert_eq!(rig.found(1).addresses, [ip("203.0.113.80")]);

    rig.resolve(2, "many.test");
    for sent in rig.all_sent() {
        let mut reply = sent.reply(ResponseCode::NoError);
        reply.truncated = true;
        rig.reply(&sent, &reply);
    }
    assert_eq!(
        rig.failed(2).to_string(),
        "the name server 192.0.2.1 would not answer for many.test: its answer was cut short (TC) and holds no address"
    );
}

#[test]
fn only_what_answers_the_question_is_believed() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let (a, aaaa) = rig.pair();
    let mut reply = a.reply_with(vec![
        address("bank.test", 300, "203.0.113.66"),
        address("shop.test", 300, "203.0.113.80"),
        address("shop.test", 300, "2001:db8::66"),
    ]);
    reply.additional.push(address("shop.test", 300, "203.0.113.67"));
    rig.reply(&a, &reply);
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
    assert_eq!(rig.found(1).addresses, [ip("203.0.113.80")]);
    rig.resolve(2, "bank.test");
    rig.pair();
}

#[test]
fn two_who_ask_the_same_share_the_question() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    rig.resolve(2, "Shop.test");
    let (a, aaaa) = rig.pair();
    rig.reply(&a, &a.reply_with(vec![address("shop.test", 0, "203.0.113.80")]));
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
    for query in [1, 2] {
        assert_eq!(rig.found(query).addresses, [ip("203.0.113.80")], "question {query}");
    }
}

#[test]
fn a_cancelled_question_is_not_answered() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    rig.pair();
    rig.down(NameDown::Cancel { query: 1 });
    assert!(rig.sent().is_none());
    assert!(rig.ports.is_empty());
    assert_eq!(rig.dns_timeout(), None);
    rig.resolve(2, "203.0.113.80");
    rig.down(NameDown::Cancel { query: 2 });
    assert!(rig.answer().is_none());
}

#[test]
fn what_needs_no_asking_is_answered_at_once() {
    let mut rig = Rig::new(Config::default());
    for (text, expected) in [
        ("203.0.113.80", vec!["203.0.113.80"]),
        ("2001:db8::80", vec!["2001:db8::80"]),
        ("[2001:db8::80]", vec!["2001:db8::80"]),
        ("localhost", vec!["127.0.0.1", "::1"]),
        ("me.LOCALHOST.", vec!["127.0.0.1", "::1"]),
    ] {
        rig.resolve(1, text);
        let found = rig.found(1);
        let addresses: Vec<_> = found.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, expected, "{text}");
        assert_eq!(found.server, None);
    }
    rig.resolve(2, "shop.test");
    assert_eq!(rig.failed(2), ResolveError::NoServer { name: "shop.test".into() });
}

#[test]
fn a_single_label_is_a_name_and_an_odd_text_is_not() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "router");
    let (a, _) = rig.pair();
    assert_eq!(a.name().to_string(), "router");
    let long = "a".repeat(64);
    let longer = ["abcdefg"; 32].join(".");
    for (text, why) in [
        ("", "it is empty"),
        (".", "it is empty"),
        ("a..b", "it has two dots with nothing between them"),
        ("shop test", "' ' is not a letter, a digit, a hyphen or an underscore"),
        ("schön.test", "'ö' is not a letter, a digit, a hyphen or an underscore"),
        (&long, "a label has 64 bytes, and at most 63 fit"),
        (&longer, "it takes 257 bytes, and at most 255 fit"),
    ] {
        rig.resolve(2, text);
        match rig.failed(2) {
            ResolveError::BadName { why: said, .. } => assert_eq!(said, why, "{text}"),
            other => panic!("expected a bad name, got {other:?}"),
        }
    }
}

#[test]
fn a_port_that_is_taken_is_changed_for_another() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let first = rig.sent().expect("a question");
    rig.ports.retain(|port| *port != first.port);
    rig.up(DatagramUp::BindFailed { port: first.port });
    let (a, aaaa) = rig.pair();
    assert_ne!(a.port, first.port);
    rig.reply(&a, &a.reply_with(vec![address("shop.test", 300, "203.0.113.80")]));
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
    assert_eq!(rig.found(1).addresses, [ip("203.0.113.80")]);
}

#[test]
fn a_host_without_a_free_port_is_told_so() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let mut binds = 0;
    while let Some(down) = rig.poll_outbound() {
        if let DatagramDown::Bind { port } = down {
            binds += 1;
            assert!(binds < 100, "it tries for ever");
            rig.up(DatagramUp::BindFailed { port });
        }
    }
    assert_eq!(rig.failed(1), ResolveError::Busy);
}

#[test]
fn too_many_names_at_once_are_refused_and_the_others_answered() {
    let limits = Limits { lookups: 4, ..Limits::default() };
    let mut rig = Rig::new(Config { limits, ..asking(&[SERVER]) });
    for query in 0..6 {
        rig.resolve(query, &format!("n{query}.test"));
    }
    for query in 4..6 {
        assert_eq!(rig.failed(query), ResolveError::Busy);
    }
    for sent in rig.all_sent() {
        rig.reply(&sent, &sent.reply(ResponseCode::NameError));
    }
    for query in 0..4 {
        assert!(matches!(rig.failed(query), ResolveError::NoSuchName { .. }));
    }
}

#[test]
fn the_same_seed_asks_the_same_and_ids_and_ports_are_spread() {
    let run = || {
        let mut rig = Rig::new(asking(&[SERVER]));
        (0..32).for_each(|query| rig.resolve(query, &format!("n{query}.test")));
        rig.all_sent().into_iter().map(|sent| (sent.port, sent.message.id)).collect::<Vec<_>>()
    };
    let first = run();
    assert_eq!(first, run());
    let ids: std::collections::BTreeSet<_> = first.iter().map(|(_, id)| id).collect();
    assert_eq!(first.len(), 64);
    assert!(ids.len() > 60, "ids differ");
    assert!(first.iter().all(|(port, _)| *port >= 1_024));
}

#[test]
fn a_referral_is_no_answer() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    for sent in rig.all_sent() {
        let pointer = record("test", 300, framewise_dns::record::Data::Ptr(name("ns.test")));
        let referral = Message { authority: vec![pointer], ..sent.reply(ResponseCode::NoError) };
        let mut bytes = referral.emit().expect("a referral");
        // A PTR record looks like an NS record but for its number, which is what we don't write.
        let (ptr, ns) = ([0, 12, 0, 1], [0, 2, 0, 1]);
        let at = bytes.windows(4).rposition(|four| four == ptr).expect("kind and class of the record");
        bytes[at..at + 4].copy_from_slice(&ns);
        rig.datagram(sent.remote, sent.port, bytes);
    }
    match rig.failed(1) {
        ResolveError::Refused { code, .. } => assert_eq!(code, "it only names other servers to ask"),
        other => panic!("expected a refusal, got {other:?}"),
    }
}
