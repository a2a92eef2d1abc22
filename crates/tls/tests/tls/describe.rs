//! What records say of themselves.

use framewise_core::Description;
use framewise_tls::describe::describe_content;
use framewise_tls::handshake::messages;
use framewise_tls::record::{ContentType, LONGEST_FRAGMENT, Record, RecordError, records};
use framewise_tls::{Context, Versions, describe, describe_alert, describe_handshake};
use proptest::prelude::*;

use crate::common::{App, Pair, Way, client_config, server_config};

fn run(versions: Versions) -> (Vec<u8>, Vec<u8>) {
    let (mut client, mut server) = (client_config(7), server_config(7));
    (client.versions, server.versions) = (versions, versions);
    let mut pair = Pair::new(client, server);
    pair.connect(0, "shop.test", App::sending(vec![b'q'; 35]));
    (pair.log(0, Way::ToServer).0.to_vec(), pair.log(0, Way::ToClient).0.to_vec())
}

fn value<'a>(description: &'a Description, name: &str) -> &'a str {
    let field = description.fields.iter().find(|field| field.name == name);
    field.map_or("(no such field)", |field| &field.value)
}

#[test]
fn a_client_hello_says_what_it_asks_for() {
    let (bytes, _) = run(Versions::Both);
    let hello = describe(&bytes, &Context::default()).expect("a record");
    assert_eq!(value(&hello, "content type"), "22 (handshake)");
    assert_eq!(value(&hello, "legacy version"), "0x0301 (TLS 1.0)");
    assert_eq!(value(&hello, "handshake message"), "1 (client_hello)");
    assert_eq!(value(&hello, "server name"), "shop.test");
    assert_eq!(value(&hello, "application protocols"), "http/1.1");
    assert_eq!(value(&hello, "supported versions"), "TLS 1.3, TLS 1.2");
    assert!(value(&hello, "cipher suites").starts_with("TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256"));
    let name = hello.fields.iter().find(|field| field.name == "server name").expect("named");
    assert!(bytes[name.bytes.clone()].ends_with(b"shop.test"), "the place is the name's");
    assert_eq!(hello.outbound, "client hello, in the clear");
    assert_eq!(hello.inbound, "client hello, in the clear");
}

#[test]
fn an_alert_in_the_clear_has_its_name_and_so_has_a_hello_that_asks_again() {
    let said = |bytes: &[u8]| describe(bytes, &Context::default()).expect("a record").outbound;
    assert_eq!(said(&[21, 3, 3, 0, 2, 2, 48]), "alert: unknown ca, in the clear");
    assert_eq!(said(&[21, 3, 3, 0, 2, 2, 70]), "alert: protocol version");
    let hello = |random: &[u8]| [&[22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3], random, &[0, 0x13, 1, 0]].concat();
    assert_eq!(said(&hello(&[7; 32])), "server hello, in the clear");
    let retry = ring::digest::digest(&ring::digest::SHA256, b"HelloRetryRequest");
    assert_eq!(said(&hello(retry.as_ref())), "hello retry request, in the clear");
}

#[test]
fn what_is_opened_says_what_is_spoken() {
    let context = Context { protocol: Some("h2".into()), ..Context::default() };
    let described = describe_content(ContentType::ApplicationData, &[0; 70], &context);
    assert_eq!(
        (described.outbound.as_str(), described.next.as_str()),
        ("opened: 70 bytes of h2", "type 23: h2")
    );
}

#[test]
fn every_bit_of_a_hello_is_explained_and_oddities_are_named() {
    let (bytes, answer) = run(Versions::Both);
    let hello = describe(&bytes, &Context::default()).expect("a record");
    let whole = Description { header: 0..hello.payload.end, ..hello.clone() };
    assert_eq!((whole.unexplained(), whole.misplaced()), (vec![], None));
    let meaning = |description: &Description, name: &str| {
        let field = description.fields.iter().find(|field| field.name == name);
        field.map(|field| field.meaning.clone()).unwrap_or_else(|| panic!("there should be a field {name:?}"))
    };
    assert!(meaning(&hello, "session id").contains("no use in TLS 1.3"));
    assert!(meaning(&hello, "hello version").contains("says 1.2 here as well"));
    let extensions = hello.fields.iter().filter(|field| field.name == "extension");
    assert!(extensions.clone().count() >= 8 && extensions.clone().all(|field| field.value != "unknown"));

    let answer = describe(&answer, &Context::default()).expect("a record");
    assert_eq!(value(&answer, "handshake message"), "2 (server_hello)");
    assert_eq!(value(&answer, "chosen cipher suite"), "0x1302 (TLS_AES_256_GCM_SHA384)");
    assert_eq!(value(&answer, "selected version"), "0x0304 (TLS 1.3)");
    assert_eq!(value(&answer, "key share group"), "29 (x25519)");
    let whole = Description { header: 0..answer.payload.end, ..answer.clone() };
    assert_eq!((whole.unexplained(), whole.misplaced()), (vec![], None));
}

#[test]
fn every_message_of_a_tls_1_2_handshake_is_explained() {
    let (to_server, to_client) = run(Versions::Only12);
    let (mut named, mut at) = (Vec::new(), 0);
    for record in records(&to_client).map_while(Result::ok) {
        let bytes = &to_client[at..at + record.wire_len()];
        at += record.wire_len();
        if record.content_type == ContentType::Handshake {
            let said = describe(bytes, &Context::default()).expect("a record");
            let whole = Description { header: 0..bytes.len(), ..said };
            assert_eq!((whole.unexplained(), whole.misplaced()), (vec![], None), "{whole:#?}");
            named.extend(whole.fields.into_iter().map(|field| (field.name, field.value)));
        } else {
            break;
        }
    }
    let has = |name, value: &str| named.iter().any(|field| field.0 == name && field.1.contains(value));
    assert!(has("subject", "CN=shop.test") && has("DNS name", "shop.test"), "{named:#?}");
    assert!(has("not after", " UTC") && has("named curve", "x25519") && has("signature length", "64"));
    assert!(!to_server.is_empty());
}

#[test]
fn what_was_sealed_is_explained_once_it_is_open() {
    let finished = [&[20, 0, 0, 12][..], &[7; 12]].concat();
    let ticket = [4, 0, 0, 20, 0, 0, 0, 60, 0, 0, 0, 1, 1, 9, 0, 2, 5, 5, 0, 4, 0x1a, 0x1a, 0, 0];
    let inside = [&finished[..], &ticket[..23]].concat();
    let said = describe_handshake(&inside, &Context::default());
    assert_eq!(said.outbound, "finished");
    assert_eq!(value(&said, "verify data"), "07".repeat(12));
    assert_eq!(value(&said, "handshake fragment").len(), 2 * 23, "a message that is not whole");
    let said = describe_handshake(&[&finished[..], &[24, 0, 0, 1, 0]].concat(), &Context::default());
    assert_eq!((said.misplaced(), said.unexplained()), (None, vec![]));
    assert_eq!(value(&said, "key update request"), "0 (update_not_requested)");

    let said = describe_alert(&[2, 40]);
    assert_eq!(said.outbound, "alert: handshake failure");
    assert_eq!(value(&said, "alert level"), "2 (fatal)");
}

#[test]
fn grease_is_called_what_it_is() {
    let hello = [vec![3, 3], vec![1; 32], vec![0, 0, 2, 0x3a, 0x3a, 1, 0, 0, 4, 0x4a, 0x4a, 0, 0]].concat();
    let message = [&[1, 0, 0, hello.len() as u8][..], &hello].concat();
    let said = describe_handshake(&message, &Context::default());
    assert_eq!((said.misplaced(), said.unexplained()), (None, vec![]));
    assert_eq!(value(&said, "cipher suite"), "0x3a3a (GREASE)");
    assert_eq!(value(&said, "extension"), "GREASE");
    let cipher = said.fields.iter().find(|field| field.name == "cipher suite").expect("described");
    assert!(cipher.meaning.starts_with("GREASE: means nothing"));
}

#[test]
fn a_sealed_request_has_its_envelope_around_it() {
    for (versions, tls12, before, after) in
        [(Versions::Only13, false, 5, 17), (Versions::Only12, true, 13, 16)]
    {
        let (bytes, _) = run(versions);
        let mut offset = 0;
        let sealed = records(&bytes)
            .filter_map(|record| {
                let record = record.expect("whole");
                let begin = offset;
                offset += record.wire_len();
                (record.content_type == ContentType::ApplicationData).then_some(begin..offset)
            })
            .find(|range| range.len() == 35 + before + after)
            .expect("the request");
        let context = Context { peer: Some("shop.test".into()), tls12, sealed: true, ..Context::default() };
        let description = describe(&bytes[sealed.clone()], &context).expect("a record");
        assert_eq!(description.header, 0..before);
        assert_eq!(description.payload, before..before + 35);
        assert_eq!(description.outbound, "only shop.test can read it");
        assert_eq!(description.inbound, "tag right: not altered");
        assert_eq!(description.next, "type 23: HTTP");
        let version =
            description.fields.iter().find(|field| field.name == "legacy version").expect("a field");
        assert_eq!(version.meaning.contains("calls itself 1.2"), !tls12);
    }
}

#[test]
fn the_servers_flight_in_tls_1_2_names_its_messages() {
    let (_, bytes) = run(Versions::Only12);
    let numbers: Vec<_> = records(&bytes)
        .map_while(Result::ok)
        .take_while(|record| record.content_type == ContentType::Handshake)
        .flat_map(|record| messages(record.fragment))
        .map(|message| message.name())
        .collect();
    assert_eq!(numbers, ["server_hello", "certificate", "server_key_exchange", "server_hello_done"]);
}

#[test]
fn errors_say_where_and_how_much() {
    assert_eq!(Record::parse(&[22, 3]), Err(RecordError::TooShort { offset: 0, needed: 5, found: 2 }));
    assert_eq!(
        Record::parse(&[22, 3, 3, 0, 9, 1]),
        Err(RecordError::TooShort { offset: 0, needed: 14, found: 6 })
    );
    assert_eq!(Record::parse(b"HTTP/1.1"), Err(RecordError::UnknownType { offset: 0, found: b'H' }));
    let found = LONGEST_FRAGMENT + 1;
    let [high, low] = u16::try_from(found).expect("fits").to_be_bytes();
    assert_eq!(Record::parse(&[23, 3, 3, high, low]), Err(RecordError::TooLong { offset: 3, found }));
}

/// The fields lie within the bytes, in order, and say what they say in sentences.
fn check(description: &Description, bytes: &[u8]) -> Result<(), TestCaseError> {
    prop_assert_eq!(description.misplaced(), None, "{:#?}", description);
    prop_assert_eq!(description.unexplained(), [0; 0], "{:#?}", description);
    for field in &description.fields {
        prop_assert!(field.bytes.end <= bytes.len() && field.meaning.ends_with('.'), "{field:?}");
    }
    prop_assert!(description.payload.end <= bytes.len() && description.header.end <= bytes.len());
    Ok(())
}

proptest! {
    #[test]
    fn anything_is_described_or_refused(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..300),
        kind in 20u8..24,
        tls12: bool,
        sealed: bool,
    ) {
        if let [first, _, _, high, low, fragment @ ..] = &mut bytes[..] {
            let [h, l] = u16::try_from(fragment.len()).expect("short").to_be_bytes();
            (*first, *high, *low) = (kind, h, l);
            if let [message, ..] = fragment {
                *message = 1;
            }
        }
        let context =
            Context { peer: Some("a.very.long.name.below.shop.test".into()), tls12, sealed, ..Context::default() };
        if let Ok(description) = describe(&bytes, &context) {
            prop_assert!(description.outbound.chars().count() <= 34, "{}", description.outbound);
            prop_assert!(description.inbound.chars().count() <= 34);
            prop_assert!(description.next.chars().count() <= 22);
            check(&description, &bytes)?;
        }
    }

    #[test]
    fn whatever_was_inside_is_described(
        kind in prop_oneof![0u8..26, any::<u8>()],
        body in proptest::collection::vec(any::<u8>(), 0..300),
        rest in proptest::collection::vec(any::<u8>(), 0..20),
        tls12: bool,
    ) {
        let [high, low] = u16::try_from(body.len()).expect("short").to_be_bytes();
        let bytes = [&[kind, 0, high, low][..], &body, &rest].concat();
        let context = Context { tls12, ..Context::default() };
        let description = describe_handshake(&bytes, &context);
        prop_assert_eq!(description.unexplained(), [0; 0]);
        check(&description, &bytes)?;
        check(&describe_alert(&rest), &rest)?;
    }

    /// Hellos that are right up to their extensions, so that these are read.
    #[test]
    fn any_extensions_are_described(
        kind in 1u8..3,
        extensions in proptest::collection::vec(
            (prop_oneof![0u16..60, any::<u16>()], proptest::collection::vec(any::<u8>(), 0..60)), 0..6,
        ),
    ) {
        let mut list = Vec::new();
        for (number, content) in &extensions {
            list.extend(number.to_be_bytes());
            list.extend(u16::try_from(content.len()).expect("short").to_be_bytes());
            list.extend(content);
        }
        let mut body = [&[3, 3][..], &[7; 32], &[0]].concat();
        body.extend(if kind == 1 { vec![0, 2, 0x13, 1, 1, 0] } else { vec![0x13, 1, 0] });
        body.extend(u16::try_from(list.len()).expect("short").to_be_bytes());
        body.extend(&list);
        let [high, low] = u16::try_from(body.len()).expect("short").to_be_bytes();
        let bytes = [&[kind, 0, high, low][..], &body].concat();
        let description = describe_handshake(&bytes, &Context::default());
        prop_assert_eq!(description.unexplained(), [0; 0]);
        let told = description.fields.iter().filter(|field| field.name == "extension").count();
        prop_assert_eq!(told, extensions.len());
        check(&description, &bytes)?;
    }

    #[test]
    fn records_are_read_as_they_were_written(
        fragments in proptest::collection::vec((20u8..24, proptest::collection::vec(any::<u8>(), 0..100)), 0..6),
    ) {
        let mut bytes = Vec::new();
        for (kind, fragment) in &fragments {
            let [high, low] = u16::try_from(fragment.len()).expect("short").to_be_bytes();
            bytes.extend([*kind, 3, 3, high, low]);
            bytes.extend(fragment);
        }
        let read: Vec<_> = records(&bytes)
            .map(|record| record.map(|record| (record.content_type.number(), record.fragment.to_vec())))
            .collect::<Result<_, _>>()
            .expect("whole");
        prop_assert_eq!(read, fragments);
    }
}
