//! What records say of themselves.

use framewise_core::Description;
use framewise_tls::handshake::messages;
use framewise_tls::record::{ContentType, LONGEST_FRAGMENT, Record, RecordError, records};
use framewise_tls::{Context, Versions, describe};
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
        let context = Context { peer: Some("shop.test".into()), tls12, sealed: true };
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
        let context = Context { peer: Some("a.very.long.name.below.shop.test".into()), tls12, sealed };
        if let Ok(description) = describe(&bytes, &context) {
            prop_assert!(description.outbound.chars().count() <= 34, "{}", description.outbound);
            prop_assert!(description.inbound.chars().count() <= 34);
            prop_assert!(description.next.chars().count() <= 22);
            for field in &description.fields {
                prop_assert!(field.bytes.end <= bytes.len(), "{field:?}");
            }
            prop_assert!(description.payload.end <= bytes.len());
        }
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
