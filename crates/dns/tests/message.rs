//! What is written is read again, and names compare as RFC 4343 says.

mod common;

use common::*;
use framewise_dns::record::{Data, INTERNET, Kind, Question, Record, ResponseCode, Soa};
use framewise_dns::{Message, Name};
use proptest::prelude::*;

#[test]
fn a_query_is_the_bytes_of_rfc_1035() {
    let question = Question { name: name("shop.test"), kind: Kind::A, class: 1 };
    let bytes = Message::query(0xbeef, question).emit().expect("a query");
    let expected = b"\xbe\xef\x01\0\0\x01\0\0\0\0\0\0\x04shop\x04test\0\0\x01\0\x01";
    assert_eq!(bytes, expected);
}

#[test]
fn names_compare_without_case_and_by_label() {
    assert_eq!(name("Shop.TEST"), name("shop.test."));
    assert!(name("www.shop.test").is_within(&name("Shop.test")));
    assert!(name("shop.test").is_within(&name("shop.test")));
    assert!(name("shop.test").is_within(&Name::root()));
    assert!(!name("workshop.test").is_within(&name("shop.test")), "a label is not cut");
    assert!(!name("test").is_within(&name("shop.test")));
}

#[test]
fn addresses_have_names_too() {
    assert_eq!(Name::reverse(ip("203.0.113.80")).to_string(), "80.113.0.203.in-addr.arpa");
    assert_eq!(
        Name::reverse(ip("2001:db8::80")).to_string(),
        "0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    );
}

#[test]
fn bytes_that_are_no_text_are_shown_and_not_obeyed() {
    let odd = Name::from_labels([&b"a.b\\\x1b[0m\xff"[..], b"test"]).expect("a name");
    assert_eq!(odd.to_string(), "a\\.b\\\\\\027[0m\\255.test");
}

fn names() -> impl Strategy<Value = Name> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..12), 0..5)
        .prop_map(|labels| Name::from_labels(labels.iter().map(Vec::as_slice)).expect("short enough"))
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| Data::A(octets.into())),
        any::<[u8; 16]>().prop_map(|octets| Data::Aaaa(octets.into())),
        names().prop_map(Data::Cname),
        names().prop_map(Data::Ptr),
        (names(), names(), any::<u32>(), any::<u32>()).prop_map(|(server, mailbox, serial, minimum)| {
            Data::Soa(Box::new(Soa { server, mailbox, serial, minimum }))
        }),
    ]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let record =
        (names(), any::<u32>(), data()).prop_map(|(name, ttl, data)| Record { name, class: 1, ttl, data });
    prop::collection::vec(record, 0..2)
}

prop_compose! {
    fn messages()(
        id: u16,
        flags: [bool; 5],
        code in 0u16..6,
        name in names(),
        kind in prop_oneof![Just(Kind::A), Just(Kind::Aaaa), Just(Kind::Ptr), Just(Kind::Any), Just(Kind::Other(65))],
        answers in records(),
        authority in records(),
        additional in records(),
        edns in prop::option::of(Just(0)),
    ) -> Message {
        let [response, authoritative, truncated, recursion_desired, recursion_available] = flags;
        Message {
            id, response, opcode: 0, authoritative, truncated, recursion_desired, recursion_available,
            code: ResponseCode::from(code),
            questions: vec![Question { name, kind, class: 1 }],
            answers, authority, additional, edns,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(message in messages()) {
        let bytes = message.emit().expect("a message");
        prop_assert!(bytes.len() <= 512);
        let read = Message::parse(&bytes).expect("what was written can be read");
        if read.truncated == message.truncated {
            prop_assert_eq!(read, message);
        }
    }
}

/// Found by fuzzing: such a record was written without its data, and nobody could read the message.
#[test]
fn what_was_not_looked_into_is_not_written() {
    let question = Question { name: name("shop.test"), kind: Kind::A, class: INTERNET };
    let mut message = Message::query(1, question);
    message.additional.push(record("shop.test", 300, Data::Other(Kind::Other(137))));
    let refused = message.emit().expect_err("there is nothing to write");
    assert_eq!(
        refused.to_string(),
        "the DNS message can't be written: what is in a TYPE137 record is not known"
    );
}
