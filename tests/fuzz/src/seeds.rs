//! What the fuzzer begins with: what the captures in `pcaps` hold, in the form that each target reads, and some by hand.

use framewise::ethernet::frame::HEADER_LENGTH;
use framewise::ip::{Ipv4Header, Ipv6Header};
use framewise::tcp::Header;
use framewise_trace::{CaptureReader, Item};

/// The seeds of a target, none longer than the fuzzer reads.
///
/// `captures` are the contents of capture files.
pub fn of(target: &str, captures: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let frames: Vec<Vec<u8>> = captures.iter().flat_map(|capture| frames(capture)).collect();
    let mut seeds: Vec<Vec<u8>> = match target {
        "headers" => frames.iter().flat_map(|frame| headers(frame)).collect(),
        "names" => frames.iter().filter_map(|frame| payload(frame, UDP)).flat_map(names).collect(),
        "text" => frames
            .iter()
            .filter_map(|frame| payload(frame, TCP))
            .flat_map(text)
            .chain(TEXT.map(Vec::from))
            .collect(),
        "files" => {
            let records =
                frames.iter().filter_map(|frame| payload(frame, TCP)).map(|bytes| with(&[3], bytes));
            captures.iter().map(|capture| with(&[0], capture)).chain(records).chain(supers(&frames)).collect()
        }
        "exchanges" => exchanges(&frames),
        _ => acts(),
    };
    seeds.iter_mut().for_each(|seed| seed.truncate(LONGEST));
    seeds.sort();
    seeds.dedup();
    seeds
}

/// Bytes of an input at most.
pub const LONGEST: usize = 4_096;

const TCP: u8 = 6;
const UDP: u8 = 17;

fn with(front: &[u8], bytes: &[u8]) -> Vec<u8> {
    [front, bytes].concat()
}

fn frames(capture: &[u8]) -> Vec<Vec<u8>> {
    let Ok(mut reader) = CaptureReader::new(capture) else { return Vec::new() };
    let mut frames = Vec::new();
    while let Ok(Some(item)) = reader.next_item() {
        if let Item::Packet(packet) = item {
            frames.push(packet.bytes.to_vec());
        }
    }
    frames
}

/// What IP carries in a frame: its protocol, and its bytes.
fn carried(frame: &[u8]) -> Option<(u8, &[u8])> {
    let packet = frame.get(HEADER_LENGTH..)?;
    if let Ok(header) = Ipv4Header::parse(packet) {
        return Some((header.protocol, packet.get(header.header_len..header.total_len)?));
    }
    let header = Ipv6Header::parse(packet).ok()?;
    Some((header.next_header, packet.get(40..40 + header.payload_len)?))
}

/// What TCP or UDP carries in a frame.
fn payload(frame: &[u8], wanted: u8) -> Option<&[u8]> {
    let (_, bytes) = carried(frame).filter(|(protocol, _)| *protocol == wanted)?;
    let length = if wanted == UDP { 8 } else { Header::parse(bytes).ok()?.length };
    bytes.get(length..).filter(|payload| !payload.is_empty())
}

/// A frame, and each header of it by itself.
fn headers(frame: &[u8]) -> Vec<Vec<u8>> {
    let mut seeds = vec![with(&[0], frame)];
    let packet = frame.get(HEADER_LENGTH..).unwrap_or_default();
    match (frame.get(12..14), carried(frame)) {
        (Some([8, 6]), _) => seeds.push(with(&[1], packet)),
        (Some(kind), Some((protocol, bytes))) => {
            seeds.push(with(&[if kind == [8, 0] { 2 } else { 3 }], packet));
            let number =
                [(1, 4), (58, 5), (TCP, 6), (UDP, 7)].into_iter().find(|(known, _)| *known == protocol);
            seeds.extend(number.map(|(_, number)| with(&[number], bytes)));
        }
        _ => {}
    }
    seeds
}

/// A message by itself, as a reply with and without its own question, as a query to a server and to a relay.
fn names(message: &[u8]) -> Vec<Vec<u8>> {
    let length = (message.len() as u16).to_be_bytes();
    let heard = with(&length, message);
    let mut bare = message.to_vec();
    if let Some(at) = message.get(12..).and_then(|rest| rest.iter().position(|byte| *byte == 0)) {
        bare.drain(12..usize::min(message.len(), 12 + at + 5));
    }
    let bare = with(&(bare.len() as u16).to_be_bytes(), &bare);
    vec![
        with(&[0], message),
        with(&[1, 1], &heard),
        with(&[1, 3], &bare),
        [&[1, 3], &bare[..], &[7], &bare[..]].concat(),
        with(&[2, 0xc0, 0], &heard),
        [&[3, 8], &heard[..], &[1, 2]].concat(),
    ]
}

/// A message's head as a request, as a response, and what is behind it as chunks.
fn text(bytes: &[u8]) -> Vec<Vec<u8>> {
    vec![with(&[0, 0, 9], bytes), with(&[1, 0, 9], bytes)]
}

const TEXT: [&[u8]; 12] = [
    b"\x02\x02\xff\xff\x00\x10\x01\x00\x055;x=\"y\"\r\nhello\r\n006\r\n world\r\n0\r\nTrailer: x\r\n\r\nNEXT",
    b"\x02\x00\x00\x05\xff\xff\x00\x02\x01\x00\x03hello",
    b"\x02\x01\x00\x00\xff\xff\x00\x02\x01\x00\x03until the end",
    b"\x03https://u:p@shop.test:8443/a/../b?c=d&e#f\n//other.test/x",
    b"\x03[2001:db8::1]:80/%41%zz\n?q",
    b"\x04\x02bytes=3-7",
    b"\x04\x02bytes=-5",
    b"\x04\x22*\x0dTue, 15 Nov 1994 08:12:31 GMT",
    b"\x04\x41\x09%2e%2e/x/\x04gzip",
    b"\x05host h\nmac 02:00:00:00:00:01\naddress 192.0.2.80/24\npeer 02:00:00:00:00:02 192.0.2.20 4\nlisten 80\n\
        10ms < tcp S win=1 mss=1460\n> tcp SA ack=1\nhears data \"a\\x41\"\n+1s..2s silence # over\n",
    b"\x05world me\nwindow 4096\ncompare everything except TCP/window chance\ntimes 5ms\nfetch http://shop.test/\n",
    b"\x00\x00\x10POST /a?b=c HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n",
];

/// Frames of TCP, to be cut into pieces of 500 bytes and of 1.
fn supers(frames: &[Vec<u8>]) -> impl Iterator<Item = Vec<u8>> {
    let large = frames.iter().filter(|frame| payload(frame, TCP).is_some());
    large.flat_map(|frame| {
        [[2, 3, 0, 34, 0, 16, 1, 244], [2, 3, 0, 34, 0, 16, 0, 1], [1, 1, 1, 54, 0, 244, 1, 34]].map(
            |front| {
                if front[0] == 1 {
                    with(&[&front[..], &[0, 16, 0]].concat(), frame)
                } else {
                    with(&front, frame)
                }
            },
        )
    })
}

/// What servers and clients hear.
fn exchanges(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let spoken = frames.iter().filter_map(|frame| payload(frame, TCP));
    let heard = spoken.flat_map(|bytes| {
        let kind = u8::from(bytes.starts_with(b"HTTP/"));
        [with(&[kind, 3, 0, 9, 0, 40, 0, 80], bytes), with(&[kind | 16, 0, 5, 1, 0, 9], bytes)]
    });
    let by_hand: [&[u8]; 4] = [
        b"\x00\x02\x00\x20\x00\x60POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x00\x01\x00\x20PUT /b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\npage",
        b"\x01\x01\x00\x20HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"\x09\x01\x00\x20HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end",
    ];
    heard.chain(by_hand.map(Vec::from)).collect()
}

/// Acts of which only the fuzzer knows what they will come to: rising and falling numbers, and repetitions.
fn acts() -> Vec<Vec<u8>> {
    let rising = |step: usize| (0..200).map(|at| (at * step) as u8).collect::<Vec<u8>>();
    let quiet = |every: usize| (0..200).map(|at| if at % every == 0 { 8 + at as u8 } else { 0 }).collect();
    [1, 3, 7, 11, 29].map(rising).into_iter().chain([5, 9, 17].map(quiet)).collect()
}
