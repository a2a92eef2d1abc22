//! However bytes are cut, the result is the same; and no bytes at all make the layer panic or grow.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use bytes::Bytes;
use common::{Bench, accepted};
use framewise_core::seams::exchange::{ExchangeDown, ExchangeUp};
use framewise_core::seams::stream::StreamUp;
use framewise_http::body::{Decoded, Decoder, Encoder, Framing};
use framewise_http::{Rule, anatomy, describe, read_request, read_response};
use proptest::prelude::*;

/// What a server makes of `bytes` in these pieces: what it says upward, and what it sends.
fn serve(bytes: &[u8], cuts: &[usize]) -> (Vec<String>, String) {
    let mut bench = Bench::server();
    let mut said = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([bytes.len()]) {
        let to = to.clamp(from, bytes.len());
        bench.feed(accepted(0), &bytes[from..to]);
        from = to;
        answer_all(&mut bench, &mut said);
    }
    (said, bench.sent())
}

/// Answers each request when it is complete; bodies are gathered into one line.
fn answer_all(bench: &mut Bench, said: &mut Vec<String>) {
    loop {
        let ups = bench.ups();
        if ups.is_empty() {
            return;
        }
        for up in ups {
            match up {
                ExchangeUp::Request(request) => {
                    said.push(format!("{:?} {:?}", request.head, request.body));
                    said.push(String::new());
                    let exchange = request.exchange;
                    bench.outbound(ExchangeDown::Grant { exchange, bytes: 1 << 20 });
                }
                ExchangeUp::Body { data, .. } => {
                    let line = said.last_mut().expect("a body follows its request");
                    line.push_str(&String::from_utf8_lossy(&data));
                }
                ExchangeUp::End { exchange } => bench.answer(exchange, 200, "page"),
                ExchangeUp::Closed { result, .. } => said.push(format!("{result:?}")),
                _ => {}
            }
        }
    }
}

const CONVERSATION: &[u8] =
    b"\r\nPOST /a?b=c HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n\
    5;x=\"y\"\r\nhello\r\n006\r\n world\r\n0\r\nTrailer: x\r\n\r\n\
    PUT /b HTTP/1.1\r\nhost: [::1]:80\r\nContent-Length: 4\r\n\r\npage\
    OPTIONS * HTTP/1.1\r\nHost:\r\nX-Odd:\t a\xe9b \t\r\n\r\n\
    GET http://shop.test/c HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 07x\r\n\r\n";

#[test]
fn a_conversation_is_understood() {
    let (said, sent) = serve(CONVERSATION, &[]);
    assert_eq!(said.len(), 9, "three requests, each with its body and end: {said:#?}");
    assert_eq!(said[1], "hello world");
    assert_eq!(said[4], "page");
    assert_eq!(sent.matches("HTTP/1.1 200").count(), 3);
    assert_eq!(sent.matches("HTTP/1.1 400").count(), 1);
}

#[test]
fn byte_by_byte_is_the_same() {
    let cuts: Vec<usize> = (0..CONVERSATION.len()).collect();
    assert_eq!(serve(CONVERSATION, &cuts), serve(CONVERSATION, &[]));
}

/// What a client makes of `bytes` in these pieces, after which the server closes: heads, body, and how it ended.
fn fetch(bytes: &[u8], cuts: &[usize]) -> (Vec<String>, Vec<u8>, String) {
    let (mut bench, conn) = Bench::client();
    let (mut heads, mut body, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    let mut from = 0;
    let pieces: Vec<usize> = cuts.iter().copied().chain([bytes.len()]).collect();
    for to in pieces {
        let to = to.clamp(from, bytes.len());
        bench.feed(conn, &bytes[from..to]);
        from = to;
    }
    bench.inbound(StreamUp::PeerClosed { conn, clean: true });
    for up in bench.ups() {
        match up {
            ExchangeUp::Response { head, body, .. } => heads.push(format!("{head:?} {body:?}")),
            ExchangeUp::Body { data, .. } => body.extend_from_slice(&data),
            ExchangeUp::Closed { result, .. } => ends.push(format!("{result:?}")),
            _ => {}
        }
    }
    assert_eq!(ends.len(), 1, "an exchange has one end");
    (heads, body, ends.concat())
}

/// Each way in which a body can be framed, a cut one, and one that breaks a rule.
const RESPONSES: [&[u8]; 5] = [
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
      5;x=\"y\"\r\nhello\r\n006\r\n world\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\nhello world",
    b"HTTP/1.0 200 OK\r\n\r\nhello world",
    b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\n0\r\n\r\n",
];

#[test]
fn responses_are_understood() {
    let said = RESPONSES.map(|response| fetch(response, &[]));
    assert_eq!(said[0].0.len(), 2, "100 and 200");
    assert!(said.iter().all(|(_, body, _)| body == b"hello world"));
    assert_eq!(said.each_ref().map(|(_, _, end)| end == "Ok(())"), [true, true, true, false, false]);
}

fn decode(framing: Framing, bytes: &[u8], cuts: &[usize], credit: usize) -> (Vec<u8>, Option<u64>) {
    let mut decoder = Decoder::new(framing, 1 << 20, Default::default());
    let mut data = Vec::new();
    let mut from = 0;
    let mut input = Bytes::new();
    for to in cuts.iter().copied().chain([bytes.len()]) {
        let to = to.clamp(from, bytes.len());
        input = [&input[..], &bytes[from..to]].concat().into();
        from = to;
        loop {
            match decoder.decode(&mut input, credit) {
                Ok(Decoded::Data(piece)) => data.extend_from_slice(&piece),
                Ok(_) => break,
                Err(refusal) => return (data, Some(refusal.offset)),
            }
        }
    }
    (data, None)
}

/// Found by fuzzing: what came before the first byte too many was kept or lost as the bytes were cut.
#[test]
fn a_body_that_is_too_long_is_the_same_in_any_pieces() {
    for framing in [Framing::UntilClose, Framing::Length(20)] {
        let decode = |piece: usize| {
            let mut decoder = Decoder::new(framing, 9, Default::default());
            let mut data = Vec::new();
            for bytes in b"twelve bytes".chunks(piece) {
                let mut input = Bytes::from_static(bytes);
                loop {
                    match decoder.decode(&mut input, 100) {
                        Ok(Decoded::Data(piece)) => data.extend_from_slice(&piece),
                        Ok(_) => break,
                        Err(refusal) => return (data, Some((refusal.rule, refusal.offset))),
                    }
                }
            }
            (data, None)
        };
        for piece in 1..=12 {
            assert_eq!(decode(piece), (b"twelve by".to_vec(), Some((Rule::BodyTooLong, 10))), "{framing:?}");
        }
    }
}

/// What is said of bytes lies within them, in order.
fn explained(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Some(said) = describe(bytes) else { return Ok(()) };
    prop_assert_eq!(said.misplaced(), None, "{:#?}", said);
    prop_assert!(said.fields.iter().all(|field| field.bytes.end <= bytes.len()), "{:#?}", said);
    prop_assert!(said.fields.iter().all(|field| field.meaning.ends_with('.')), "{:#?}", said);
    Ok(())
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(0..CONVERSATION.len(), 0..20)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        prop_assert_eq!(serve(CONVERSATION, &cuts), serve(CONVERSATION, &[]));
    }

    #[test]
    fn any_split_of_a_response_gives_the_same(
        which in 0..RESPONSES.len(),
        cuts in prop::collection::vec(0usize..200, 0..20),
    ) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        prop_assert_eq!(fetch(RESPONSES[which], &cuts), fetch(RESPONSES[which], &[]));
    }

    #[test]
    fn chunks_come_back_as_they_went(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..10),
        cuts in prop::collection::vec(0usize..3_000, 0..10),
        credit in 1usize..100,
    ) {
        let mut encoder = Encoder::new(Framing::Chunked);
        let mut wire = Vec::new();
        for piece in &pieces {
            encoder.data(Bytes::from(piece.clone()), |bytes| wire.extend_from_slice(&bytes)).unwrap();
        }
        encoder.end(|bytes| wire.extend_from_slice(&bytes)).unwrap();
        let mut cuts = cuts;
        cuts.sort_unstable();
        prop_assert_eq!(decode(Framing::Chunked, &wire, &cuts, credit), (pieces.concat(), None));
    }

    #[test]
    fn any_bytes_decode_the_same_in_any_pieces(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'1'), Just(b'0')], 0..200),
        cuts in prop::collection::vec(0usize..200, 0..8),
    ) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let whole = decode(Framing::Chunked, &bytes, &[], 1_000);
        prop_assert_eq!(decode(Framing::Chunked, &bytes, &cuts, 1_000), whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let limits = Default::default();
        let _ = (read_request(&bytes, &limits), read_response(&bytes, &limits));
        explained(&bytes)?;
        let _ = anatomy(&String::from_utf8_lossy(&bytes));
        serve(&bytes, &[]);
        let (mut bench, conn) = Bench::client();
        bench.feed(conn, &bytes);
        bench.inbound(StreamUp::PeerClosed { conn, clean: false });
        prop_assert!(bench.outcome().1.is_some(), "the exchange must end");
    }

    #[test]
    fn mutated_messages_never_panic(at in 0..CONVERSATION.len(), byte in any::<u8>(), cut in 0..CONVERSATION.len()) {
        let mut bytes = CONVERSATION.to_vec();
        bytes[at] = byte;
        prop_assert_eq!(serve(&bytes, &[cut]), serve(&bytes, &[]));
        explained(&bytes)?;
    }

    #[test]
    fn a_written_head_is_read_as_it_was(
        names in prop::collection::vec("[A-Za-z][A-Za-z0-9-]{0,12}", 0..8),
        value in "[!-~]([ -~]{0,20}[!-~])?",
        path in "/([a-z0-9/?=&._-]|%[0-9a-fA-F]{2}){0,40}",
    ) {
        use framewise_core::seams::exchange::*;
        let (mut bench, reserved) = (Bench::new(Default::default()), ["host", "content-length", "transfer-encoding", "expect", "connection"]);
        let mut headers: Headers = [("Host", "shop.test")].into_iter().collect();
        for name in names.iter().filter(|name| !reserved.contains(&name.to_ascii_lowercase().as_str())) {
            headers.push(name.clone(), value.clone());
        }
        let head = RequestHead { method: http::Method::GET, target: path, version: Version::Http11, headers };
        bench.outbound(ExchangeDown::Request(Box::new(ClientRequest {
            exchange: common::asked(0),
            remote: common::REMOTE.parse().unwrap(),
            security: framewise_core::seams::stream::Security::Plain,
            head: head.clone(),
            body: BodyLength::None,
        })));
        bench.open();
        let sent = bench.sends.concat();
        let read = read_request(&sent, &Default::default()).unwrap().unwrap();
        prop_assert_eq!(read, (head, sent.len()));
    }
}
