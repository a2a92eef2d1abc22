//! Captures, made by hand and kept in `pcaps/`, taken apart.
#![allow(clippy::unwrap_used)]

mod craft;

use std::fs;
use std::path::Path;

use craft::{Cut, ETHERNET, RAW, fragments, pcap, segment, syn};
use etherparse::PacketBuilder;
use framewise_core::Direction;
use framewise_http::passive::{End, Start, Unread};
use framewise_trace::dissect::{
    Application, Beginning, Connection, ConnectionId, Ending, Limits, Place, Side, Space, StreamId, Unframed,
};
use framewise_trace::{CaptureReader, Dissection, Item, ReadError};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcaps").join(name)).unwrap()
}

fn fixtures() -> Vec<String> {
    let folder = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcaps")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".pcapng")).collect();
    names.sort();
    names
}

fn dissect(file: &[u8]) -> Dissection {
    Dissection::of_capture(file, "", Limits::default()).unwrap()
}

fn protocols(dissection: &Dissection, frame: usize) -> Vec<&'static str> {
    let stack = dissection.frame(frame).unwrap().layers();
    assert_eq!(stack.troubles, [""; 0], "frame {frame}");
    stack.layers.iter().map(|layer| layer.description.protocol).collect()
}

fn only(dissection: &Dissection) -> Connection<'_> {
    assert_eq!(dissection.connections().len(), 1);
    dissection.connections().next().unwrap()
}

/// The bytes of a whole stream; panics at a gap.
fn stream(dissection: &Dissection, side: Side) -> Vec<u8> {
    let stream = only(dissection).stream(side);
    dissection.bytes(&Place::new(Space::Stream(stream.id()), 0..stream.length())).expect("no gap")
}

#[test]
fn several_messages_in_several_records_are_named_by_the_first() {
    let of = |name: &str, frame: usize| dissect(&fixture(name)).frame(frame).unwrap().summary();
    assert_eq!(of("https.pcapng", 10), "TLS: server hello and 4 more");
    assert_eq!(of("tls12.pcapng", 11), "TLS: client key exchange and 1 more");
    assert_eq!(of("tls12.pcapng", 12), "TLS: finished");
}

/// Captures of pages that came whole; the others show what goes wrong, too.
const WHOLE: [&str; 6] =
    ["form.pcapng", "http.pcapng", "https.pcapng", "ipv6.pcapng", "lossy.pcapng", "tls12.pcapng"];

#[test]
fn every_fixture_is_taken_apart_to_the_last_byte() {
    for name in fixtures() {
        let dissection = dissect(&fixture(&name));
        let is_whole = WHOLE.contains(&name.as_str());
        assert!(dissection.damage().is_none() && dissection.left_out().is_nothing(), "{name}");
        assert!(!dissection.is_empty());
        for frame in dissection.frames() {
            let stack = frame.layers();
            assert!(
                !is_whole || stack.troubles.is_empty(),
                "{name}, {}: {:?}",
                frame.number(),
                stack.troubles
            );
            assert!(stack.layers.len() >= 2, "{name}, frame {}: {}", frame.number(), frame.summary());
            assert!(frame.direction().is_some() && frame.time().is_some());
            for byte in (0..frame.bytes().len()).step_by(11) {
                let meanings = dissection.meanings(frame.number(), byte);
                let last = meanings.last().unwrap();
                let value = dissection.bytes(&last.place).unwrap();
                let sealed = matches!(last.place.space, Space::Record(..) | Space::Plaintext(_));
                assert!(
                    sealed || value == [frame.bytes()[byte]],
                    "{name}, frame {}, byte {byte}",
                    frame.number()
                );
            }
        }
        if !is_whole {
            continue;
        }
        for connection in dissection.connections() {
            assert_eq!(connection.beginning(), Beginning::Asked, "{name}");
            for side in Side::BOTH {
                let stream = connection.stream(side);
                assert_eq!(stream.gaps().count(), 0, "{name}");
                assert_eq!((stream.unframed(), stream.unread()), (None, &[][..]), "{name}");
            }
            for stream in Side::BOTH.map(|side| connection.stream(side)) {
                for (number, record) in stream.records().iter().enumerate() {
                    assert_eq!(stream.record_at(record.range.start), Some(number), "{name}");
                    assert_eq!(stream.record_at(record.range.end - 1), Some(number), "{name}");
                }
                for (number, message) in stream.messages().iter().enumerate() {
                    assert_eq!(stream.message_at(message.range.start), Some(number), "{name}");
                    assert_eq!(stream.message_at(message.range.end), None, "{name}: one message each way");
                }
            }
            let exchanges = connection.exchanges();
            assert!(!exchanges.is_empty(), "{name}: no message");
            for exchange in exchanges {
                let (request, [response]) = (exchange.request.unwrap(), exchange.responses) else {
                    panic!("{name}: {exchange:?}");
                };
                assert_eq!((request.end, response.end), (End::Complete, End::Complete), "{name}");
            }
        }
    }
}

#[test]
fn an_http_fetch_is_told_from_arp_to_http() {
    let dissection = dissect(&fixture("http.pcapng"));
    assert_eq!(protocols(&dissection, 1), ["Ethernet", "ARP"]);
    assert_eq!(protocols(&dissection, 3), ["Ethernet", "IPv4", "UDP", "DNS"]);
    let frames = dissection.frames();
    let request = frames.into_iter().find(|frame| frame.summary().starts_with("HTTP: GET /")).unwrap();
    assert_eq!(protocols(&dissection, request.number()), ["Ethernet", "IPv4", "TCP", "HTTP"]);
    assert_eq!(request.direction(), Some(Direction::Outbound));
    let addresses = request.addresses().unwrap();
    assert_eq!(addresses, (only(&dissection).client().ip(), only(&dissection).server().ip()));
    let connection = only(&dissection);
    assert!(connection.tls().is_none());
    let [exchange] = connection.exchanges()[..] else { panic!("one exchange") };
    assert_eq!(exchange.asks, Side::Client);
    assert_eq!(exchange.responses[0].start, Start::Response { status: 200 });
}

#[test]
fn tls_is_opened_by_the_secrets_in_the_file() {
    // What AES-GCM has around the content: in TLS 1.3 the true type and the tag; in 1.2 a nonce and the tag.
    let around = [(5, 17), (13, 16)];
    for ((name, version), around) in
        [("https.pcapng", "TLS 1.3"), ("tls12.pcapng", "TLS 1.2")].into_iter().zip(around)
    {
        let dissection = dissect(&fixture(name));
        let connection = only(&dissection);
        let facts = connection.tls().unwrap();
        assert_eq!(facts.version_name().as_deref(), Some(version));
        assert_eq!(facts.server_name.as_deref(), Some("shop.test"));
        assert_eq!(facts.protocol.as_deref(), Some("http/1.1"));
        assert_eq!(facts.certificate.as_deref(), Some("shop.test"));
        for record in Side::BOTH.into_iter().flat_map(|side| connection.stream(side).records()) {
            let (whole, content) = (&record.range, record.content());
            let found = (content.start - whole.start, whole.end - content.end);
            assert_eq!(found, if record.is_unsealed() { around } else { (5, 0) }, "{name}");
        }
        let response = connection.stream(Side::Server);
        let head = dissection.bytes(&response.place(&response.messages()[0].head)).unwrap();
        assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"), "{name}");
        for carrier in dissection.frames_of(&response.place(&response.messages()[0].head)) {
            let Space::Frame(frame) = carrier.at.space else { panic!("{carrier:?}") };
            let found = dissection.meanings(frame, carrier.at.range.start as usize);
            let protocols: Vec<_> = found.iter().map(|meaning| meaning.layer.description.protocol).collect();
            assert_eq!(protocols, ["Ethernet", "IPv4", "TCP", "TLS", "HTTP"], "{name}");
            assert_eq!(found[4].place.range.start, carrier.part.start);
        }
    }
}

/// What the two sides of `https.pcapng` send, and the secrets.
fn https() -> ([Vec<u8>; 2], String) {
    let file = fixture("https.pcapng");
    let dissection = dissect(&file);
    let mut secrets = String::new();
    let mut reader = CaptureReader::new(&file[..]).unwrap();
    while let Some(item) = reader.next_item().unwrap() {
        if let Item::KeyLog(text) = item {
            secrets.push_str(text);
        }
    }
    (Side::BOTH.map(|side| stream(&dissection, side)), secrets)
}

#[test]
fn without_secrets_the_reason_is_told() {
    let (streams, _) = https();
    let mut frames = vec![syn(0), syn(1)];
    for side in [0, 1] {
        frames.push(segment(&streams, Cut { side, at: 0, length: streams[side].len() }));
    }
    let dissection = dissect(&pcap(ETHERNET, &frames));
    let troubles = dissection.frame(4).unwrap().layers().troubles;
    assert!(troubles[0].contains("the key log has no SERVER_HANDSHAKE_TRAFFIC_SECRET"), "{troubles:?}");
    assert!(only(&dissection).exchanges().is_empty());
    assert_eq!(only(&dissection).tls().unwrap().server_name.as_deref(), Some("shop.test"));
}

#[test]
fn a_missing_segment_is_a_gap_and_ends_what_can_be_opened() {
    let (streams, secrets) = https();
    let mut frames = vec![syn(0), syn(1)];
    let length = streams[1].len();
    frames.push(segment(&streams, Cut { side: 0, at: 0, length: streams[0].len() }));
    frames.push(segment(&streams, Cut { side: 1, at: 0, length: 200 }));
    frames.push(segment(&streams, Cut { side: 1, at: 210, length: length - 210 }));
    let dissection =
        Dissection::of_capture(&pcap(ETHERNET, &frames)[..], &secrets, Limits::default()).unwrap();
    let server = only(&dissection).stream(Side::Server);
    assert!(server.gaps().eq(std::iter::once(200..210)));
    assert_eq!(dissection.bytes(&Place::new(Space::Stream(server.id()), 190..211)), None);
    assert!(dissection.bytes(&Place::new(Space::Stream(server.id()), 210..220)).is_some());
    assert!(matches!(server.unframed(), Some((range, Unframed::Missing)) if range.contains(&200)));
    assert!(
        !only(&dissection).stream(Side::Client).messages().is_empty(),
        "the other way nothing is missing"
    );
}

#[test]
fn tags_and_the_headers_of_captures_are_layers() {
    let streams = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), Vec::new()];
    let frame = segment(&streams, Cut { side: 0, at: 0, length: streams[0].len() });
    let packet = &frame[14..];
    let sll = [&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0][..], packet].concat();
    let sll2 = [&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], packet].concat();
    let tagged = [&frame[..12], &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 5, 8, 0], packet].concat();
    let cases: [(u32, Vec<u8>, &[&str]); 9] = [
        (ETHERNET, frame.clone(), &["Ethernet"]),
        (ETHERNET, tagged, &["Ethernet", "VLAN", "VLAN"]),
        (113, sll, &["cooked"]),
        (276, sll2, &["cooked"]),
        (0, [&[2, 0, 0, 0], packet].concat(), &["loopback"]),
        (108, [&[0, 0, 0, 2], packet].concat(), &["loopback"]),
        (RAW, packet.to_vec(), &[]),
        (228, packet.to_vec(), &[]),
        (12, packet.to_vec(), &[]),
    ];
    for (link_type, frame, outer) in cases {
        let dissection = dissect(&pcap(link_type, &[frame]));
        let expected = [outer, &["IPv4", "TCP", "HTTP"]].concat();
        assert_eq!(protocols(&dissection, 1), expected, "{link_type}");
        let is_cooked = outer == ["cooked"];
        assert_eq!(dissection.frame(1).unwrap().direction(), is_cooked.then_some(Direction::Outbound));
    }
    let dissection = dissect(&pcap(105, &[vec![0; 40]]));
    assert_eq!(
        dissection.frame(1).unwrap().summary(),
        "frames of LINKTYPE_IEEE802_11 (105) are not taken apart"
    );
}

#[test]
fn fragments_are_put_together_and_each_byte_is_found() {
    let streams = [[b"GET /", &[b'a'; 300][..], b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat(), Vec::new()];
    let whole = segment(&streams, Cut { side: 0, at: 0, length: streams[0].len() });
    let mut parts = fragments(&whole, 104);
    assert_eq!(parts.len(), 4);
    parts.rotate_left(2);
    parts.insert(1, parts[0].clone());
    let dissection = dissect(&pcap(ETHERNET, &[vec![syn(0)], parts].concat()));
    assert_eq!(stream(&dissection, Side::Client), streams[0]);
    assert_eq!(protocols(&dissection, 3), ["Ethernet", "IPv4"]);
    assert_eq!(protocols(&dissection, 6), ["Ethernet", "IPv4", "TCP", "HTTP"]);
    let messages = only(&dissection).stream(Side::Client);
    let target = messages.place(&(5..305));
    let carriers = dissection.frames_of(&target);
    for byte in 5..305_u64 {
        let on: Vec<_> = carriers.iter().filter(|carrier| carrier.part.contains(&byte)).collect();
        assert!(!on.is_empty(), "byte {byte} is in no frame");
        for carrier in on {
            let Space::Frame(frame) = carrier.at.space else { panic!("{carrier:?}") };
            let at = (carrier.at.range.start + byte - carrier.part.start) as usize;
            assert_eq!(dissection.frame(frame).unwrap().bytes()[at], b'a');
        }
    }
    let again: Vec<_> =
        carriers.iter().filter(|carrier| carrier.again).map(|carrier| carrier.at.space).collect();
    assert_eq!(again, [Space::Frame(3)], "the duplicate");
    let byte = 14 + 20 + 20 + 10;
    let meanings = dissection.meanings(5, byte);
    assert!(
        meanings.iter().all(|meaning| matches!(meaning.place.space, Space::Frame(5))),
        "only the last shows what is inside"
    );
}

#[test]
fn fragments_of_ipv6_are_put_together() {
    let mut udp = [0, 7, 0, 53, 0, 0, 0, 0].to_vec();
    udp.extend([0_u8, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1]);
    udp[5] = udp.len() as u8;
    udp[6..8].copy_from_slice(&[0x12, 0x34]);
    let part = |offset: usize, more: bool| {
        let piece = if more { &udp[offset..offset + 16] } else { &udp[offset..] };
        let mut packet = vec![0x60, 0, 0, 0, 0, 8 + piece.len() as u8, 44, 64];
        packet.extend([[0x20; 16], [0x21; 16]].concat());
        packet.extend([17, 0, 0, offset as u8 | u8::from(more), 0, 0, 0, 9]);
        packet.extend(piece);
        packet
    };
    let dissection = dissect(&pcap(RAW, &[part(16, false), part(0, true)]));
    assert_eq!(protocols(&dissection, 1), ["IPv6"]);
    assert_eq!(protocols(&dissection, 2), ["IPv6", "UDP", "DNS"]);
    let id = dissection.frame(1).unwrap().datagram().unwrap();
    assert_eq!(dissection.datagram_length(id), Some(udp.len() as u64));
    assert_eq!(dissection.bytes(&Place::new(Space::Datagram(id), 0..udp.len() as u64)), Some(udp));
}

#[test]
fn overlapping_fragments_make_no_packet() {
    let streams = [vec![b'x'; 300], Vec::new()];
    let mut parts = fragments(&segment(&streams, Cut { side: 0, at: 0, length: 300 }), 104);
    let mut other = parts[1].clone();
    *other.last_mut().unwrap() = b'y';
    parts.insert(2, other);
    let dissection = dissect(&pcap(ETHERNET, &parts));
    assert_eq!(dissection.connections().len(), 0);
    let troubles = dissection.frame(3).unwrap().layers().troubles;
    assert_eq!(troubles, ["the fragments make no packet: a fragment once more, but not as before"]);
}

#[test]
fn a_capture_that_begins_in_the_middle_says_so() {
    let streams = [
        b"tail\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
    ];
    let frames = [
        segment(&streams, Cut { side: 0, at: 8, length: streams[0].len() - 8 }),
        segment(&streams, Cut { side: 1, at: 0, length: streams[1].len() }),
    ];
    let dissection = dissect(&pcap(ETHERNET, &frames));
    let connection = only(&dissection);
    assert_eq!(connection.beginning(), Beginning::Inferred);
    assert_eq!(connection.server().port(), craft::SERVER_PORT);
    assert!(connection.stream(Side::Client).is_inferred());
    assert_eq!(stream(&dissection, Side::Client), streams[0][8..]);
    let [exchange] = connection.exchanges()[..] else { panic!("one exchange") };
    assert_eq!(exchange.responses[0].start, Start::Response { status: 204 });
}

#[test]
fn what_a_device_is_to_cut_is_read_up_to_the_end_of_its_frame() {
    let streams = [b"hello".to_vec(), vec![b'x'; 40_000]];
    let mut frames = vec![syn(0), syn(1), segment(&streams, Cut { side: 1, at: 0, length: 40_000 })];
    // The length is left to the device, and so are both sums.
    frames[2][16..18].fill(0);
    frames[2][24..26].fill(0);
    let sum = {
        let mut sum = framewise_core::checksum::Sum::default();
        sum.add_pseudo_header(craft::SERVER.into(), craft::CLIENT.into(), 6, 0);
        sum.folded()
    };
    frames[2][50..52].copy_from_slice(&sum.to_be_bytes());
    let dissection = dissect(&pcap(ETHERNET, &frames));
    assert_eq!(stream(&dissection, Side::Server), streams[1]);
    let layers = dissection.frame(3).unwrap().layers();
    assert_eq!(layers.troubles, [""; 0]);
    assert!(layers.layers[2].description.inbound.ends_with("no sum needed"));
}

#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let banner = [Vec::new(), b"SSH-2.0-other\r\n".to_vec()];
    let said = segment(&banner, Cut { side: 1, at: 0, length: banner[1].len() });
    let dissection = dissect(&pcap(ETHERNET, &[syn(0), syn(1), said]));
    assert_eq!(only(&dissection).application(), Application::Unknown);
    assert_eq!(protocols(&dissection, 3), ["Ethernet", "IPv4", "TCP"]);
    let dissection = dissect(&pcap(ETHERNET, &[syn(0), syn(1)]));
    assert_eq!(only(&dissection).application(), Application::Silent);
    assert_eq!(only(&dissect(&fixture("https.pcapng"))).application(), Application::Http);
}

#[test]
fn a_capture_in_the_middle_of_tls_says_what_is_missing() {
    let (streams, secrets) = https();
    let server = &streams[1];
    // The second of two records that end the stream begins where a header of application data stands last but one.
    let headers: Vec<usize> =
        (0..server.len() - 3).filter(|at| server[*at..].starts_with(&[23, 3, 3])).collect();
    let at = *headers.last().unwrap();
    let frame = segment(&streams, Cut { side: 1, at, length: server.len() - at });
    let dissection =
        Dissection::of_capture(&pcap(ETHERNET, &[frame])[..], &secrets, Limits::default()).unwrap();
    let stack = dissection.frame(1).unwrap().layers();
    let last = stack.layers.last().unwrap();
    assert_eq!(
        (last.description.protocol, &*last.description.inbound),
        ("TLS", "sealed: its hellos were not seen")
    );
    assert!(stack.troubles[0].contains("no hello of this connection was seen"), "{:?}", stack.troubles);
}

#[test]
fn a_refused_connection_is_one_connection() {
    let mut refusal = Vec::new();
    craft::ethernet(1)
        .tcp(craft::SERVER_PORT, craft::CLIENT_PORT, 0, 0)
        .rst()
        .ack(craft::NUMBERS[0].wrapping_add(1))
        .write(&mut refusal, &[])
        .unwrap();
    let dissection = dissect(&pcap(ETHERNET, &[syn(0), refusal]));
    let connection = only(&dissection);
    assert_eq!(connection.stream(Side::Client).ending(), Ending::Reset { frame: 2 });
    assert!(connection.stream(Side::Client).gaps().eq(std::iter::empty()));
}

#[test]
fn a_new_syn_begins_another_connection_between_the_same_ends() {
    let streams = [b"first".to_vec(), Vec::new()];
    let data = segment(&streams, Cut { side: 0, at: 0, length: 5 });
    let mut again = Vec::new();
    craft::ethernet(0)
        .tcp(craft::CLIENT_PORT, craft::SERVER_PORT, 77, 65_000)
        .syn()
        .write(&mut again, &[])
        .unwrap();
    let dissection = dissect(&pcap(ETHERNET, &[syn(0), syn(0), syn(1), data, again.clone(), again]));
    let ids: Vec<_> = dissection.frames().map(|frame| frame.connection().unwrap()).collect();
    let (one, two) = (ConnectionId(0), ConnectionId(1));
    assert_eq!(ids, [one, one, one, one, two, two]);
    let first = dissection.connection(one).unwrap();
    assert_eq!(first.stream(Side::Client).length(), 5);
}

#[test]
fn what_came_before_a_capture_breaks_off_is_kept() {
    let streams = [b"hello".to_vec(), Vec::new()];
    let frames = [syn(0), segment(&streams, Cut { side: 0, at: 0, length: 5 })];
    let file = pcap(ETHERNET, &frames);
    let dissection = dissect(&file[..file.len() - 3]);
    assert_eq!(dissection.len(), 1);
    let Some(damage @ ReadError::Truncated { .. }) = dissection.damage() else { panic!("damage is told") };
    assert_eq!(damage.offset(), 24 + 16 + frames[0].len() as u64);
    assert!(matches!(
        Dissection::of_capture(&b"nothing"[..], "", Limits::default()),
        Err(ReadError::NotACapture { .. })
    ));
}

#[test]
fn a_packet_of_the_other_version_than_its_link_has_is_said() {
    let mut packet = vec![0x60, 0, 0, 0, 0, 0, 59, 64];
    packet.resize(40, 0);
    let troubles = |link_type: u32| {
        let dissection = dissect(&pcap(link_type, &[packet.clone()]));
        dissection.frame(1).unwrap().layers().troubles
    };
    assert_eq!(troubles(228), ["this is IP version 6, though LINKTYPE_IPV4 (228) has only version 4"]);
    assert!(troubles(229).is_empty() && troubles(RAW).is_empty());
}

#[test]
fn what_is_behind_a_header_that_nobody_passes_is_not_shown_and_said() {
    let troubles = |next: u8, extension: [u8; 8]| {
        let mut packet = vec![0x60, 0, 0, 0, 0, 16, next, 64];
        packet.resize(40, 0);
        packet.extend(extension);
        packet.extend([0; 8]);
        dissect(&pcap(RAW, &[packet])).frame(1).unwrap().layers().troubles
    };
    let routing =
        "what is behind the headers is not shown: routing header with a way to go (byte 42 of the packet)";
    assert_eq!(troubles(43, [17, 0, 0, 1, 0, 0, 0, 0]), [routing]);
    let option = "what is behind the headers is not shown: unknown IPv6 option (byte 42 of the packet)";
    assert_eq!(troubles(60, [17, 0, 0x9e, 4, 0, 0, 0, 0]), [option]);
}

#[test]
fn a_damaged_segment_counts_only_until_a_good_one_comes() {
    let streams = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), Vec::new()];
    let good = segment(&streams, Cut { side: 0, at: 0, length: 27 });
    let mut bad = good.clone();
    bad[60] ^= 0xff;
    let dissection = dissect(&pcap(ETHERNET, &[syn(0), bad.clone(), good]));
    let client = only(&dissection).stream(Side::Client);
    let pieces: Vec<_> = client.pieces().map(|piece| (piece.frame(), piece.is_doubtful())).collect();
    assert_eq!(pieces, [(3, false)]);
    let again: Vec<_> = client.again().iter().map(|piece| (piece.frame(), piece.is_doubtful())).collect();
    assert_eq!(again, [(2, true)]);
    let mut stray = bad.clone();
    stray[36] ^= 0x40;
    let dissection = dissect(&pcap(ETHERNET, &[syn(0), bad, stray]));
    assert_eq!(dissection.frame(3).unwrap().connection(), None, "damage in a port makes no connection");
    assert!(only(&dissection).stream(Side::Client).pieces().all(|piece| piece.is_doubtful()));
}

#[test]
fn bytes_that_came_again_but_not_as_before_are_told() {
    let before = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), Vec::new()];
    let after = [b"GET / HTTP/1.1\r\nHost: b\r\n\r\n".to_vec(), Vec::new()];
    let cut = |at, length| Cut { side: 0, at, length };
    let frames =
        [syn(0), segment(&before, cut(0, 27)), segment(&after, cut(0, 10)), segment(&after, cut(20, 7))];
    let dissection = dissect(&pcap(ETHERNET, &frames));
    let client = only(&dissection).stream(Side::Client);
    let again: Vec<_> = client.again().iter().map(|piece| (piece.frame(), piece.differs())).collect();
    assert_eq!(again, [(3, false), (4, true)]);
    assert_eq!(stream(&dissection, Side::Client), before[0], "what came first counts");
}

#[test]
fn a_capture_larger_than_the_limits_is_cut_and_says_so() {
    let streams = [vec![b'x'; 50], Vec::new()];
    let data = |at| segment(&streams, Cut { side: 0, at, length: 10 });
    let frames = [syn(0), data(0), data(10), data(20), data(30)];
    let limits = Limits { frames: 3, ..Limits::default() };
    let dissection = Dissection::of_capture(&pcap(ETHERNET, &frames)[..], "", limits).unwrap();
    assert_eq!((dissection.len(), dissection.left_out().frames), (3, 2));
    let limits = Limits { bytes: 150, ..Limits::default() };
    let dissection = Dissection::of_capture(&pcap(ETHERNET, &frames)[..], "", limits).unwrap();
    assert_eq!((dissection.len(), dissection.left_out().frames), (2, 3));
    let limits = Limits { connections: 0, ..Limits::default() };
    let dissection = Dissection::of_capture(&pcap(ETHERNET, &frames)[..], "", limits).unwrap();
    assert_eq!((dissection.connections().len(), dissection.left_out().segments), (0, 5));
    assert_eq!(protocols(&dissection, 2), ["Ethernet", "IPv4", "TCP"]);
}

/// A pcapng file of one packet without bytes, and so many comments without a letter.
fn silent_comments(count: usize) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let length = (12 + body.len() as u32).to_le_bytes();
        [&kind.to_le_bytes()[..], &length, body, &length].concat()
    };
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let packet = [&[0; 20][..], &[1, 0, 0, 0].repeat(count), &[0; 4]].concat();
    [block(0x0a0d_0d0a, &section), block(1, &[1, 0, 0, 0, 0, 0, 0, 0]), block(6, &packet)].concat()
}

#[test]
fn a_flood_of_comments_is_bounded_though_they_say_nothing() {
    let limits = Limits { bytes: 1_000, ..Limits::default() };
    let dissection = Dissection::of_capture(&silent_comments(1_000)[..], "", limits).unwrap();
    let kept = dissection.frame(1).unwrap().comments().len();
    assert!((1..100).contains(&kept), "{kept}");
    assert_eq!(dissection.left_out().comments as usize, 1_000 - kept);
}

#[test]
fn a_flood_of_tiny_records_and_messages_is_read_up_to_a_bound() {
    let empty_records = [23, 3, 3, 0, 0].repeat(10_000);
    let tiny_messages = b"GET / HTTP/1.0\r\n\r\n".repeat(3_000);
    let streams = [tiny_messages, empty_records];
    let frames = |side: usize| {
        let whole = streams[side].len();
        let cut = |at| Cut { side, at, length: (whole - at).min(1_400) };
        let data = (0..whole).step_by(1_400).map(cut).map(|cut| segment(&streams, cut));
        [syn(0), syn(1)].into_iter().chain(data).collect::<Vec<_>>()
    };
    let dissection = dissect(&pcap(ETHERNET, &frames(0)));
    let client = only(&dissection).stream(Side::Client);
    assert!(client.messages().len() < 1_100, "{}", client.messages().len());
    assert!(matches!(client.unread(), [(rest, Unread::TooMany)] if rest.end == client.length()));
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = [&head[..], &b"1\r\na\r\n".repeat(3_000), b"0\r\n\r\n"].concat();
    let whole = segment(&[Vec::new(), chunks.clone()], Cut { side: 1, at: 0, length: chunks.len() });
    let dissection = dissect(&pcap(ETHERNET, &[syn(0), syn(1), whole]));
    let server = only(&dissection).stream(Side::Server);
    let kept = server.messages()[0].body.len();
    assert_eq!((kept < 1_500, kept as u64 + server.pieces_left_out()), (true, 3_000));
    let dissection = dissect(&pcap(ETHERNET, &frames(1)));
    let server = only(&dissection).stream(Side::Server);
    assert!(server.records().len() < 1_000, "{}", server.records().len());
    assert!(matches!(server.unframed(), Some((rest, Unframed::TooMany)) if rest.end == server.length()));
}

#[test]
fn what_breaks_a_rule_is_named() {
    let streams = [b"GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_vec(), Vec::new()];
    let frames = [syn(0), segment(&streams, Cut { side: 0, at: 0, length: streams[0].len() })];
    let dissection = dissect(&pcap(ETHERNET, &frames));
    let client = only(&dissection).stream(Side::Client);
    assert!(matches!(client.unread(), [(range, Unread::Broken(_))] if range.start == 0));
    let troubles = dissection.frame(2).unwrap().layers().troubles;
    assert!(troubles[0].contains("from byte 0 on nothing is read"), "{troubles:?}");
}

#[test]
fn in_a_capture_that_begins_within_a_message_those_behind_it_are_found() {
    let asked = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
    let answered = [&b"the end of a page"[..], b"HTTP/1.1 204 No Content\r\n\r\n"].concat();
    let (rest, next) = (17, answered.len() - 17);
    let streams = [asked, answered];
    let frames = [
        segment(&streams, Cut { side: 1, at: 0, length: rest }),
        segment(&streams, Cut { side: 0, at: 0, length: streams[0].len() }),
        segment(&streams, Cut { side: 1, at: rest, length: next }),
    ];
    let dissection = dissect(&pcap(ETHERNET, &frames));
    let exchanges = only(&dissection).exchanges();
    assert_eq!((exchanges.len(), exchanges[0].responses.len()), (1, 1));
    assert!(exchanges[0].request.is_some());
    let troubles = dissection.frame(1).unwrap().layers().troubles;
    assert!(troubles[0].contains("bytes 0 to 16 are not read: the beginning was not seen"), "{troubles:?}");
    assert!(dissection.frame(3).unwrap().layers().troubles.is_empty());
}

#[test]
fn a_change_of_cipher_does_not_hide_the_hello_in_front_of_it() {
    let hello = [&[22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3][..], &[7; 32], &[0, 0x13, 1, 0]].concat();
    let streams = [Vec::new(), [&hello[..], &[20, 3, 3, 0, 1, 1]].concat()];
    let whole = Cut { side: 1, at: 0, length: streams[1].len() };
    let alone = Cut { side: 1, at: hello.len(), length: 6 };
    for (cuts, said) in [
        (vec![whole], "TLS: server hello, in the clear"),
        (vec![Cut { length: hello.len(), ..whole }, alone], "TLS: change cipher spec, in the clear"),
    ] {
        let frames = [vec![syn(1)], cuts.into_iter().map(|cut| segment(&streams, cut)).collect()].concat();
        let dissection = dissect(&pcap(ETHERNET, &frames));
        assert_eq!(dissection.frame(frames.len()).unwrap().summary(), said);
    }
}

#[test]
fn http_2_is_named_and_not_read_as_broken_http_1() {
    let streams =
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(), b"\0\0\0\x04\0\0\0\0\0".to_vec()];
    let whole = |side: usize| segment(&streams, Cut { side, at: 0, length: streams[side].len() });
    let dissection = dissect(&pcap(ETHERNET, &[syn(0), syn(1), whole(0), whole(1)]));
    let connection = only(&dissection);
    assert_eq!(connection.application(), Application::Unknown);
    for side in Side::BOTH {
        let stream = connection.stream(side);
        assert_eq!(stream.unread(), [(0..stream.length(), Unread::Http2)]);
    }
    let troubles = dissection.frame(3).unwrap().layers().troubles;
    assert!(troubles[0].contains("HTTP/2 is spoken, which is not read here"), "{troubles:?}");
}

#[test]
fn of_a_head_or_a_record_that_breaks_off_what_is_there_is_said() {
    let asked = b"GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\n".to_vec();
    let hello = [&[22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3][..], &[7; 250]].concat();
    for (stream, seen, said, trouble) in [
        (
            asked,
            25,
            "HTTP: GET /a, cut off",
            "the head that begins at byte 0 breaks off at byte 25: bytes are missing",
        ),
        (
            hello,
            30,
            "TLS: client hello, cut off",
            "from byte 30 of this stream on there are no records: bytes are missing",
        ),
    ] {
        let streams = [[&stream[..], b"more"].concat(), Vec::new()];
        let frames = [
            vec![syn(0), syn(1), segment(&streams, Cut { side: 0, at: 0, length: seen })],
            vec![segment(&streams, Cut { side: 0, at: stream.len(), length: 4 })],
        ];
        let dissection = dissect(&pcap(ETHERNET, &frames.concat()));
        let frame = dissection.frame(3).unwrap();
        assert_eq!(frame.summary(), said);
        let troubles = frame.layers().troubles;
        assert!(troubles[0].starts_with(trouble), "{troubles:?}");
        assert_eq!(dissection.frame(4).unwrap().layers().layers.len(), 3);
    }
}

#[test]
fn ipv6_neighbours_and_dns_over_ipv6_have_their_layers() {
    let mut frame = Vec::new();
    let dns = [0_u8, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1];
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv6([0x20; 16], [0x21; 16], 64)
        .udp(4_000, 53)
        .write(&mut frame, &dns)
        .unwrap();
    let dissection = dissect(&pcap(ETHERNET, &[frame]));
    assert_eq!(protocols(&dissection, 1), ["Ethernet", "IPv6", "UDP", "DNS"]);
    let dissection = dissect(&fixture("ipv6.pcapng"));
    let stacks = (1..=dissection.len()).map(|frame| protocols(&dissection, frame));
    assert!(stacks.into_iter().any(|stack| stack == ["Ethernet", "IPv6", "NDP"]));
}

#[test]
fn asking_for_what_is_not_there_gives_nothing() {
    let dissection = dissect(&fixture("https.pcapng"));
    let nowhere = StreamId { connection: ConnectionId(9), side: Side::Client };
    let stream = StreamId { connection: ConnectionId(0), side: Side::Client };
    for space in [
        Space::Frame(0),
        Space::Frame(10_000),
        Space::Stream(nowhere),
        Space::Plaintext(nowhere),
        Space::Record(stream, 10_000),
        Space::Plaintext(stream),
        Space::Stream(stream),
    ] {
        for range in [1_000_000..1_000_001, u64::MAX - 1..u64::MAX] {
            let place = Place::new(space, range);
            assert_eq!(
                (dissection.bytes(&place), dissection.frames_of(&place)),
                (None, Vec::new()),
                "{place:?}"
            );
        }
    }
    assert_eq!(dissection.meanings(0, 0), []);
    assert_eq!(dissection.meanings(1, 100_000), []);
}
