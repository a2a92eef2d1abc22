//! Forged, broken and too much input.

mod common;

use std::net::SocketAddr;

use common::*;
use framewise_core::seams::datagram::DatagramUp;
use framewise_core::seams::resolve::NameDown;
use framewise_dns::record::{Data, ResponseCode};
use framewise_dns::{Config, Message, MessageError, Zone, describe};
use proptest::prelude::*;

#[test]
fn forged_replies_are_counted_and_the_true_one_counts() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let (a, aaaa) = rig.pair();
    let forged = a.reply_with(vec![address("shop.test", 300, "203.0.113.66")]);
    let bytes = |message: &Message| message.emit().expect("a reply");

    rig.datagram(SocketAddr::new(ip("192.0.2.66"), 53), a.port, bytes(&forged));
    rig.datagram(SocketAddr::new(ip(SERVER), 5353), a.port, bytes(&forged));
    assert_eq!(rig.drops("reply from a server not asked"), 2);

    rig.datagram(a.remote, a.port ^ 1, bytes(&forged));
    assert_eq!(rig.drops("reply to no question"), 1);

    let id = forged.id ^ 1;
    rig.reply(&a, &Message { id, ..forged.clone() });
    assert_eq!(rig.drops("reply with another id"), 1);

    let mut other = forged.clone();
    other.questions[0].name = name("bank.test");
    rig.reply(&a, &other);
    other.questions.clear();
    rig.reply(&a, &other);
    let mut both = forged.clone();
    both.questions.extend(aaaa.message.questions.clone());
    rig.reply(&a, &both);
    assert_eq!(rig.drops("reply to another question"), 3);

    let mut query = forged.clone();
    query.response = false;
    rig.reply(&a, &query);
    assert_eq!(rig.drops("not a reply"), 1);

    rig.datagram(a.remote, a.port, vec![0; 11]);
    assert_eq!(rig.drops("malformed message"), 1);

    assert!(rig.answer().is_none(), "none of these was believed");
    rig.reply(&a, &a.reply_with(vec![address("SHOP.test", 300, "203.0.113.80")]));
    rig.reply(&aaaa, &aaaa.reply(ResponseCode::NoError));
    assert_eq!(rig.found(1).addresses, [ip("203.0.113.80")]);
}

#[test]
fn a_flood_of_guesses_changes_nothing() {
    let mut rig = Rig::new(asking(&[SERVER]));
    rig.resolve(1, "shop.test");
    let (a, _) = rig.pair();
    let reply = a.reply_with(vec![address("shop.test", 300, "203.0.113.66")]);
    for guess in 0..10_000u16 {
        if guess != a.message.id {
            rig.reply(&a, &Message { id: guess, ..reply.clone() });
        }
    }
    assert!(rig.drops("reply with another id") >= 9_999);
    assert!(rig.answer().is_none());
}

#[test]
fn endless_questions_stay_bounded() {
    let mut rig = Rig::new(asking(&[SERVER]));
    for query in 0..10_000 {
        rig.resolve(query, &format!("n{query}.test"));
    }
    let answers = std::iter::from_fn(|| rig.answer()).count() as u64;
    let sent = rig.all_sent().len();
    assert_eq!(sent, 2 * 64, "as many as there may be lookups, for two families");
    assert_eq!(answers + rig.drops("too many answers wait") + 64, 10_000);
    for query in 0..10_000 {
        rig.down(NameDown::Cancel { query });
    }
    assert!(rig.sent().is_none());
    assert!(rig.ports.is_empty());
}

/// A header with these counts, then `rest`.
fn message(counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0x81, 0x80];
    counts.iter().for_each(|count| bytes.extend(count.to_be_bytes()));
    bytes.extend_from_slice(rest);
    bytes
}

/// The cases of RFC 9267, sections 2 to 6.
#[test]
fn lying_messages_are_errors() {
    let question = b"\x04shop\x04test\0\0\x01\0\x01";
    let with = |rest: &[u8]| [&question[..], rest].concat();
    let cases: [(&str, Vec<u8>); 9] = [
        ("a pointer to itself", message([1, 0, 0, 0], b"\xc0\x0c\0\x01\0\x01")),
        ("two pointers at each other", message([1, 0, 0, 0], b"\xc0\x0e\xc0\x0c\0\x01\0\x01")),
        ("a label, then a pointer back to it", message([1, 0, 0, 0], b"\x01a\xc0\x0c\0\x01\0\x01")),
        ("a forward pointer", message([1, 0, 0, 0], b"\xc0\x12\0\x01\0\x01\x01a\0")),
        ("a pointer beyond the end", message([1, 0, 0, 0], b"\xff\xff\0\x01\0\x01")),
        ("a reserved label type", message([1, 0, 0, 0], b"\x80a\0\0\x01\0\x01")),
        ("a name without its end", message([1, 0, 0, 0], b"\x04shop\x04test")),
        (
            "data longer than the message",
            message([1, 1, 0, 0], &with(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\xff\x01\x02\x03\x04")),
        ),
        (
            "an address of five bytes",
            message([1, 1, 0, 0], &with(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x05\x01\x02\x03\x04\x05")),
        ),
    ];
    for (what, bytes) in cases {
        assert!(
            matches!(Message::parse(&bytes), Err(MessageError::Malformed { .. })),
            "{what}: {:?}",
            Message::parse(&bytes)
        );
    }
}

#[test]
fn lying_counts_are_told_before_memory_is_reserved() {
    let bytes = message([u16::MAX; 4], b"\0\0\x01\0\x01");
    assert_eq!(
        Message::parse(&bytes),
        Err(MessageError::Counts { needed: 12 + 65_535 * (5 + 3 * 11), found: 17 })
    );
    assert_eq!(Message::parse(&bytes[..11]), Err(MessageError::Truncated { needed: 12, found: 11 }));
}

#[test]
fn names_that_unfold_too_long_are_errors() {
    // Each of 16 labels of 15 bytes ends in a pointer to the one before: 257 bytes of name in few.
    let mut rest = Vec::new();
    let mut previous: Option<usize> = None;
    for _ in 0..16 {
        let here = 12 + rest.len();
        rest.push(15);
        rest.extend_from_slice(&[b'a'; 15]);
        match previous {
            Some(offset) => rest.extend_from_slice(&[0xc0, offset as u8]),
            None => rest.push(0),
        }
        previous = Some(here).filter(|here| *here < 256);
        rest.extend_from_slice(&[0, 1, 0, 1]);
    }
    let questions = 16;
    match Message::parse(&message([questions, 0, 0, 0], &rest)) {
        Ok(parsed) => assert!(
            parsed.questions.iter().all(|question| question
                .name
                .labels()
                .map(|label| label.len() + 1)
                .sum::<usize>()
                < 255)
        ),
        Err(error) => assert!(matches!(error, MessageError::Malformed { .. })),
    }
}

fn zone() -> Zone {
    Zone::new("test").and_then(|zone| zone.with("shop.test", [ip("203.0.113.80")])).expect("a zone")
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Message::parse(&bytes);
        let _ = describe(&bytes);
    }

    /// A believable header brings more of the random bytes to the parsers behind it.
    #[test]
    fn arbitrary_records_never_panic(
        counts in [0u16..3, 0u16..3, 0u16..3, 0u16..3],
        rest in prop::collection::vec(prop_oneof![Just(0u8), Just(0xc0), Just(12), 0u8..4, any::<u8>()], 0..200),
    ) {
        let bytes = message(counts, &rest);
        if let Ok(parsed) = Message::parse(&bytes) {
            let described = describe(&bytes).expect("what can be read can be described");
            prop_assert!(described.fields.iter().all(|field| field.bytes.end <= bytes.len()));
            prop_assert_eq!(described.misplaced(), None, "{:#?}", described);
            prop_assert!(described.outbound.chars().count() <= 34);
            let records = || parsed.answers.iter().chain(&parsed.authority).chain(&parsed.additional);
            let known = records().all(|record| !matches!(record.data, Data::Other(_)));
            let written = parsed.emit();
            prop_assert_eq!(written.is_ok(), known, "what can be read can be written, if it was looked into");
            prop_assert!(written.is_err() || Message::parse(&written.expect("a message")).is_ok());
        }
    }

    #[test]
    fn arbitrary_datagrams_are_dropped_or_answered(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        remote: [u8; 4],
        remote_port: u16,
    ) {
        let mut rig = Rig::new(Config { zone: Some(zone()), ..asking(&[SERVER]) });
        rig.resolve(1, "shop.test");
        let (a, _) = rig.pair();
        let remote = SocketAddr::new(remote.into(), remote_port);
        rig.datagram(remote, 53, bytes.clone());
        rig.datagram(a.remote, a.port, bytes.clone());
        rig.up(DatagramUp::Unreachable { port: 53, remote, kind: None });
        let responses = rig.all_sent().len();
        prop_assert!(responses <= 1, "at most one response");
    }

    /// One damaged byte in a true reply is never worse than an answer that is late or other.
    #[test]
    fn a_damaged_reply_never_panics(place: prop::sample::Index, value: u8) {
        let mut rig = Rig::new(asking(&[SERVER]));
        rig.resolve(1, "www.shop.test");
        let (a, _) = rig.pair();
        let reply = a.reply_with(vec![
            alias("www.shop.test", "shop.test"),
            address("shop.test", 300, "203.0.113.80"),
        ]);
        let mut bytes = reply.emit().expect("a reply");
        let place = place.index(bytes.len());
        bytes[place] = value;
        rig.datagram(a.remote, a.port, bytes);
        while rig.turn_clock() {}
        prop_assert!(rig.answer().is_some(), "the question comes to an end");
        prop_assert!(rig.answer().is_none());
    }
}
