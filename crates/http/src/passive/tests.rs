use super::*;
use crate::rule::Rule;
use proptest::prelude::*;

fn requests(bytes: &[u8], cut: usize) -> Reader {
    let mut reader = Reader::of_requests(Limits::watching(), Most::default());
    bytes.chunks(cut).for_each(|piece| reader.read(piece));
    reader.end(true);
    reader
}

fn responses(bytes: &[u8], to: &Reader, cut: usize) -> Reader {
    let mut reader = Reader::of_responses(Limits::watching(), Most::default(), to.messages());
    bytes.chunks(cut).for_each(|piece| reader.read(piece));
    reader.end(true);
    reader
}

const ASKED: &[u8] = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n\
    POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\
    GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
const ANSWERED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\
    HTTP/1.1 100 Continue\r\n\r\n\
    HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n\
    HTTP/1.1 404 Not Found\r\n\r\nuntil the end";

fn data(bytes: &[u8], message: &Message) -> Vec<u8> {
    message.body.iter().flat_map(|range| bytes[range.start as usize..range.end as usize].to_vec()).collect()
}

/// Up to where messages and what is not read follow each other from the beginning on; an error if they don't.
fn accounted_for(reader: &Reader) -> Result<u64, String> {
    let messages = reader.messages().iter().map(|message| message.range.clone());
    let mut all: Vec<_> = messages.chain(reader.unread().iter().map(|(range, _)| range.clone())).collect();
    all.sort_by_key(|range| (range.start, range.end));
    let follows = |at, range: &Range<u64>| (range.start == at).then_some(range.end);
    all.iter().try_fold(0, follows).ok_or_else(|| format!("{all:?}"))
}

/// Of what messages are made.
const PARTS: [&[u8]; 10] = [
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"Host: a\r\n",
    b"Content-Length: 20\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"some bytes",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_messages_are_the_same(cut in 1_usize..200) {
        let asked = requests(ASKED, cut);
        let targets: Vec<_> = asked.messages().iter().map(|message| match &message.start {
            Start::Request { method, target } => format!("{method} {target}"),
            Start::Response { status } => status.to_string(),
        }).collect();
        prop_assert_eq!(targets, ["HEAD /", "POST /form", "GET /page"]);
        prop_assert_eq!(data(ASKED, &asked.messages()[1]), b"hello");
        let answered = responses(ANSWERED, &asked, cut);
        let found: Vec<_> = answered
            .messages()
            .iter()
            .map(|message| (message.start.clone(), message.answers, data(ANSWERED, message), message.end))
            .collect();
        let status = |status| Start::Response { status };
        prop_assert_eq!(found, vec![
            (status(200), Some(0), b"".to_vec(), End::Complete),
            (status(100), Some(1), b"".to_vec(), End::Complete),
            (status(200), Some(1), b"abcde".to_vec(), End::Complete),
            (status(404), Some(2), b"until the end".to_vec(), End::Complete),
        ]);
        for (bytes, reader) in [(ASKED, &asked), (ANSWERED, &answered)] {
            prop_assert_eq!(reader.unread(), []);
            let ranges: Vec<_> = reader.messages().iter().map(|message| message.range.clone()).collect();
            prop_assert!(ranges.windows(2).all(|two| two[0].end == two[1].start), "{:?}", ranges);
            prop_assert_eq!(ranges.last().unwrap().end, bytes.len() as u64);
        }
    }

    #[test]
    fn whatever_is_missing_all_is_accounted_for(
        parts in proptest::collection::vec((0..PARTS.len(), 0_u64..30, 0..8_u8), 0..20),
        asks in any::<bool>(),
    ) {
        let (limits, most) = (Limits::watching(), Most::default());
        let mut reader = match asks {
            true => Reader::of_requests(limits, most),
            false => Reader::of_responses(limits, most, &[]),
        };
        let mut length = 0;
        for (part, missing, gap) in parts {
            reader.read(PARTS[part]);
            length += PARTS[part].len() as u64;
            match gap {
                0 => reader.lose(),
                1 => {
                    reader.skip(missing);
                    length += missing;
                }
                _ => {}
            }
        }
        reader.end(false);
        prop_assert_eq!(accounted_for(&reader), Ok(length));
    }

    #[test]
    fn any_bytes_are_read_and_all_are_accounted_for(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let reader = requests(&bytes, 7);
        prop_assert_eq!(accounted_for(&reader), Ok(bytes.len() as u64));
    }
}

#[test]
fn a_broken_rule_ends_the_reading_and_is_named() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost : a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let reader = requests(bytes, 10);
    assert_eq!(reader.messages().len(), 1);
    let [(range, Unread::Broken(refusal))] = reader.unread() else { panic!("{:?}", reader.unread()) };
    assert_eq!((refusal.rule, range.clone()), (Rule::SpaceBeforeColon, 27..bytes.len() as u64));
}

#[test]
fn a_gap_within_a_body_is_passed_and_another_is_not() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    let begin = || {
        let mut reader = Reader::of_responses(Limits::watching(), Most::default(), &[]);
        reader.read(head);
        reader.read(&[1; 10]);
        reader
    };
    let mut within = begin();
    within.skip(80);
    within.read(&[1; 10]);
    within.read(b"HTTP/1.1 204 No Content\r\n\r\n");
    within.end(true);
    let [first, second] = within.messages() else { panic!("{:?}", within.messages()) };
    assert_eq!((first.end, first.missing, second.end), (End::Complete, 80, End::Complete));
    let [body] = &first.body[..] else { panic!("one piece, in which the gap is: {:?}", first.body) };
    assert_eq!(*body, head.len() as u64..head.len() as u64 + 100);

    let mut beyond = begin();
    beyond.skip(91);
    beyond.read(b"oops\r\n");
    beyond.end(true);
    assert_eq!(beyond.messages().len(), 1);
    let from = head.len() as u64 + 10;
    assert_eq!(beyond.unread(), [(from..from + 91 + 6, Unread::AfterGap)]);
}

#[test]
fn after_101_nothing_is_read_either_way() {
    let asked = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n\x81\x05GET /";
    let mut asked = requests(asked, 1_000);
    let answered =
        responses(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00", &asked, 1_000);
    assert!(matches!(answered.unread(), [(range, Unread::OtherProtocol)] if range.end - range.start == 2));
    asked.end_after(answered.messages()[0].answers.unwrap());
    assert_eq!(asked.messages().len(), 1);
    assert!(matches!(asked.unread(), [(range, Unread::OtherProtocol)] if range.end - range.start == 7));
}

#[test]
fn as_many_messages_and_pieces_are_kept_as_are_allowed() {
    let most = Most { messages: 2, pieces: 3 };
    let mut reader = Reader::of_requests(Limits::watching(), most);
    for _ in 0..3 {
        reader.read(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        reader.read(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
    }
    reader.end(true);
    let kept: Vec<_> = reader.messages().iter().map(|message| message.body.len()).collect();
    assert_eq!((kept, reader.pieces_left_out()), (vec![2, 1], 1));
    assert!(matches!(reader.unread(), [(_, Unread::TooMany)]));
}

#[test]
fn a_body_until_the_end_is_whole_only_if_the_sender_said_so() {
    for (closed, end) in [(true, End::Complete), (false, End::CutShort)] {
        let mut reader = Reader::of_responses(Limits::watching(), Most::default(), &[]);
        reader.read(b"HTTP/1.1 200 OK\r\n\r\nsome");
        reader.end(closed);
        assert_eq!(reader.messages()[0].end, end);
        assert_eq!(reader.messages()[0].range.end, 23);
    }
}

/// What is said of the last message once all that came has come.
fn at_the_end(reader: &Reader) -> (String, String) {
    let field = reader.messages().last().unwrap().progress(u64::MAX).unwrap();
    (field.value, field.meaning)
}

#[test]
fn only_what_came_whole_is_said_to_be_whole() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    let read = |skipped: u64, body: &[u8]| {
        let mut reader = Reader::of_responses(Limits::watching(), Most::default(), &[]);
        reader.read(head);
        reader.skip(skipped);
        reader.read(body);
        reader.end(true);
        at_the_end(&reader)
    };
    assert_eq!(read(0, b"0123456789").0, "200, whole: 39 + 10 bytes");
    assert_eq!(read(0, b"0123").0, "200, 4 of 10 bytes of body");
    assert_eq!(read(0, b"0123").1, "Its head is whole; the end of its body was not seen.");
    assert_eq!(read(4, b"456789").0, "200, 4 of 10 bytes of body not seen");
    let mut broken = Reader::of_responses(Limits::watching(), Most::default(), &[]);
    broken.read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nxyz\r\n");
    let (value, meaning) = at_the_end(&broken);
    assert_eq!(value, "200, 2 bytes of body");
    assert!(meaning.contains("breaks a rule"), "{meaning}");
}

#[test]
fn a_head_that_begins_before_a_gap_is_unread_from_its_beginning() {
    for (known, length) in [(true, 59), (false, 49)] {
        let mut reader = Reader::of_requests(Limits::watching(), Most::default());
        reader.read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        reader.read(b"GET / HTTP/1.1\r\nHo");
        if known {
            reader.skip(10)
        } else {
            reader.lose()
        }
        reader.read(b"\r\n\r\n");
        assert_eq!(reader.unread(), [(27..length, Unread::AfterGap)]);
    }
}

#[test]
fn behind_what_was_not_seen_messages_are_found_again() {
    const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
    let asked = requests(&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2), 100);
    let mut joined = Reader::of_responses(Limits::watching(), Most::default(), asked.messages());
    joined.join();
    joined.read(b"the end of a page");
    joined.read(b"HTTP/1.1 as a text has it\r\n: nonsense\r\n\r\n");
    joined.read(NO_CONTENT);
    assert_eq!(joined.unread(), [(0..58, Unread::Joined)]);
    joined.read(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    joined.skip(20);
    joined.read(b"not a head");
    joined.read(NO_CONTENT);
    joined.end(true);
    let answers: Vec<_> = joined.messages().iter().map(|message| message.answers).collect();
    assert_eq!(answers, [Some(0), Some(1), None], "which one is answered behind a gap, nobody knows");
    assert_eq!(joined.unread()[1..], [(124..154, Unread::AfterGap)]);
    assert_eq!((joined.messages_in_a_row().len(), accounted_for(&joined)), (0, Ok(181)));
}

#[test]
fn a_request_is_found_again_by_its_whole_first_line() {
    let mut reader = Reader::of_requests(Limits::watching(), Most::default());
    reader.lose();
    reader.read(b"GET /a and so on, as the text has it");
    assert_eq!(reader.messages().len(), 0);
    reader.read(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(reader.messages()[0].range, 36..64);
    assert_eq!(reader.unread(), [(0..36, Unread::AfterGap)]);
}

#[test]
fn what_a_server_of_ours_refuses_may_be_right_elsewhere() {
    let asked = requests(
        b"PROPFIND /dav HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n<>\
          TRACE / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n\
          GET /page HTTP/1.1\r\n\r\n",
        7,
    );
    assert_eq!((asked.messages().len(), asked.unread()), (3, &[][..]));
    let answered = responses(&b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na".repeat(3), &asked, 9);
    let answers: Vec<_> = answered.messages().iter().map(|message| message.answers).collect();
    assert_eq!(answers, [Some(0), Some(1), Some(2)]);
}

#[test]
fn a_rule_that_is_broken_is_named_where_the_end_is_certain_all_the_same() {
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n", "c".repeat(20_000));
    let many = (0..200).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>();
    let asked = requests(format!("{large}{many}\r\nGET / HTTP/1.1\r\n\r\n").as_bytes(), 1_000);
    assert_eq!((asked.messages().len(), asked.unread()), (2, &[][..]));
    assert!(asked.messages().iter().all(|message| message.broken.is_none()));
    let heads = [
        ("Content-Length: 5\r\nX: a\r\n b", "hello", Some(Rule::FoldedField)),
        ("Content-Length: 5\r\nContent-Length: 5", "hello", Some(Rule::LengthRepeated)),
        (
            "Content-Length: 9\r\nTransfer-Encoding: chunked",
            "2\r\nhi\r\n0\r\n\r\n",
            Some(Rule::LengthAndCoding),
        ),
        ("Transfer-Encoding: gzip, chunked", "2\r\n\x1f.\r\n0\r\n\r\n", None),
        ("Content-Length: 0", "", None),
    ];
    let message = |(fields, body, _): &(&str, &str, _)| format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}");
    let answered = responses(heads.iter().map(message).collect::<String>().as_bytes(), &asked, 9);
    let broken: Vec<_> = answered.messages().iter().map(|message| message.broken.map(|r| r.rule)).collect();
    assert_eq!((broken, answered.unread()), (heads.map(|(.., rule)| rule).to_vec(), &[][..]));
}

#[test]
fn behind_connect_another_protocol_is_spoken_once_it_is_granted() {
    let bytes =
        b"CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (answer, is_granted) in [
        (&b"HTTP/1.1 200 Established\r\nContent-Length: 9\r\n\r\n\x16\x03\x03"[..], true),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", false),
    ] {
        let mut asked = requests(bytes, 20);
        let answered = responses(answer, &asked, 20);
        assert_eq!(answered.messages()[0].answers, Some(0));
        assert_eq!(answered.messages()[0].end, End::Complete);
        let is_other = matches!(answered.unread(), [(_, Unread::OtherProtocol)]);
        assert_eq!(is_other, is_granted, "{:?}", answered.unread());
        assert_eq!(asked.messages().len(), 2);
        if is_granted {
            asked.end_after(0);
            assert!(
                matches!(asked.unread(), [(range, Unread::OtherProtocol)] if range.end - range.start == 27)
            );
        }
    }
}
