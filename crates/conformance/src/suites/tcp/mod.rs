//! TCP. Read beside it: RFC 9293 sections 3.4 to 3.10, RFC 5961, RFC 6298.

mod data;
mod ends;
mod handshake;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::segment::{SegmentDown, SegmentUp};
use framewise_core::seams::stream::{CloseReason, Endpoint, Security, StreamDown, StreamUp};
use framewise_core::seams::{Segments, Streams};

use super::udp::{damaged_segment, route_answer};
use super::{must, same};
use crate::Notes;
use crate::case::{Case, Verdict};
use crate::craft::damage::arbitrary;
use crate::craft::tcp::{ACK, SYN, Seg, heard};
use crate::suite::{Aside, Flood, Suite};

type Script = Case<Streams, Segments>;

/// The peer's first sequence number.
const PEER_FIRST: u32 = 1_000;
/// How long an acknowledgment may wait for company (RFC 9293 section 3.8.6.3: less than half a second).
const SOON: Duration = Duration::from_millis(500);
/// The peer's MSS: the smallest that needs no option (RFC 9293 section 3.7.1).
const MSS: usize = 536;

/// Which addresses the suite uses. A TCP layer of its own knows none; it is told by the answer to its question
/// to IP.
#[derive(Clone, Copy, Debug)]
pub struct TcpSetup {
    /// Our address, and the port that the suite lets the layer listen on.
    pub local: SocketAddr,
    /// The peer's address, and the port that it listens on and connects from.
    pub remote: SocketAddr,
}

impl Default for TcpSetup {
    fn default() -> Self {
        TcpSetup {
            local: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 10).into(), 80),
            remote: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 9).into(), 5_000),
        }
    }
}

/// What a TCP layer must do.
pub fn tcp(setup: TcpSetup) -> Suite<Streams, Segments> {
    Suite::new("tcp", "the application", "IP")
        .aside_outbound(move |down| route_answer(down, setup.local.ip()))
        .aside_inbound(|up| if matches!(up, StreamUp::Writable { .. }) { Aside::Ignore } else { Aside::No })
        .keep_books_above()
        .cases(handshake::cases(setup))
        .cases(data::cases(setup))
        .cases(ends::cases(setup))
        .flood(syn_flood(setup))
        .flood(stray_flood(setup))
        .garbage(move |rng| heard(setup.remote, setup.local, &arbitrary(rng, 64)))
        .mutate(damaged_segment)
}

fn syn_flood(setup: TcpSetup) -> Flood<Streams, Segments> {
    let opening = Case::new("survives a flood of SYNs with bounded memory", "RFC 4987")
        .then(|case| listening(case, setup));
    Flood::new("a SYN, each from another port", opening, 20_000, 8_192, move |number| {
        let mut from = setup.remote;
        from.set_port(1_024 + (number % 60_000) as u16);
        let syn = Seg::new(from.port(), setup.local.port(), SYN, number, 0);
        heard(from, setup.local, &syn.to_bytes(from, setup.local))
    })
}

fn stray_flood(setup: TcpSetup) -> Flood<Streams, Segments> {
    let opening =
        Case::new("answers a flood of stray segments with bounded memory", "RFC 9293 section 3.10.7.1");
    Flood::new("a segment of no connection", opening, 20_000, 8_192, move |number| {
        from_peer(setup, Seg::new(setup.remote.port(), setup.local.port(), ACK, number, 77))
    })
}

// Openings that cases share.

/// The layer listens.
fn listening(case: Script, setup: TcpSetup) -> Script {
    let endpoint = Endpoint { address: None, port: setup.local.port() };
    case.says(format!("accept connections on port {}", endpoint.port), move |_| StreamDown::Listen {
        endpoint,
        security: Security::Plain,
    })
    .expect_inbound("that it listens", |up, _| match up {
        StreamUp::Listening { result: Ok(()), .. } => Ok(()),
        _ => Err("it does not listen".into()),
    })
}

/// A peer has connected: its next byte is number 1,001, the layer's is `isn` + 1, the name is `conn`.
fn accepted(case: Script, setup: TcpSetup) -> Script {
    listening(case, setup)
        .hears("SYN, number 1000", move |_| {
            from_peer(setup, seg(setup, SYN, PEER_FIRST, 0).maximum_segment_size(MSS as u16))
        })
        .await_outbound("SYN and ACK, acknowledging 1001", SOON, move |down, notes| {
            let segment = flags(down, SYN | ACK)?;
            same("the acknowledgment", segment.acknowledgment, PEER_FIRST + 1)?;
            same("the source port", segment.source_port, setup.local.port())?;
            same("the destination port", segment.destination_port, setup.remote.port())?;
            notes.keep("isn", segment.sequence);
            Ok(())
        })
        .hears("ACK of that", move |notes| from_peer(setup, reply(setup, notes, ACK, 0)))
        .await_inbound("that the connection is open", SOON, |up, notes| match up {
            StreamUp::Opened { conn, .. } => {
                notes.keep("conn", *conn);
                Ok(())
            }
            _ => Err("that does not say so".into()),
        })
}

/// The same, and the application lets `bytes` come up.
fn granted(case: Script, setup: TcpSetup, bytes: usize) -> Script {
    accepted(case, setup)
        .says(format!("{bytes} bytes may come"), move |notes| StreamDown::Grant { conn: conn(notes), bytes })
}

// Words of the scripts.

fn connection() -> ConnId {
    ConnId::new(Opener::Upper, 0, 0)
}

fn conn(notes: &Notes) -> ConnId {
    notes.recall("conn")
}

/// The layer's next sequence number, `sent` bytes after its SYN.
fn next(notes: &Notes, sent: u32) -> u32 {
    notes.recall::<u32>("isn").wrapping_add(1).wrapping_add(sent)
}

/// A segment of the peer to the port on which the layer listens.
fn seg(setup: TcpSetup, flags: u8, sequence: u32, acknowledgment: u32) -> Seg {
    Seg::new(setup.remote.port(), setup.local.port(), flags, sequence, acknowledgment)
}

/// The peer's segment at its byte `at`, acknowledging the layer's SYN.
fn reply(setup: TcpSetup, notes: &Notes, flags: u8, at: u32) -> Seg {
    seg(setup, flags, PEER_FIRST + 1 + at, next(notes, 0))
}

fn from_peer(setup: TcpSetup, segment: Seg) -> SegmentUp {
    heard(setup.remote, setup.local, &segment.to_bytes(setup.remote, setup.local))
}

/// A segment that the layer sends.
fn read(down: &SegmentDown) -> Result<Seg, String> {
    match down {
        SegmentDown::Segment(segment) => Seg::read(segment),
        SegmentDown::Control(_) => Err("it is a question to IP".into()),
    }
}

/// A segment with exactly these flags, PSH left aside.
fn flags(down: &SegmentDown, wanted: u8) -> Result<Seg, String> {
    let segment = read(down)?;
    let found = segment.flags & 0x17;
    must(found == wanted, format!("its flags are {}, not {}", flag_names(found), flag_names(wanted)))?;
    Ok(segment)
}

/// A bare or carrying ACK of everything up to the peer's byte `at`.
fn acknowledges(at: u32) -> impl Fn(&SegmentDown, &mut Notes) -> Verdict {
    move |down, _| {
        let segment = flags(down, ACK)?;
        same("the acknowledgment", segment.acknowledgment, PEER_FIRST + 1 + at)
    }
}

fn flag_names(flags: u8) -> String {
    let names =
        [(SYN, "SYN"), (ACK, "ACK"), (crate::craft::tcp::FIN, "FIN"), (crate::craft::tcp::RST, "RST")];
    let set: Vec<&str> = names.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join("+") }
}

fn is_data(data: &'static [u8]) -> impl Fn(&StreamUp, &mut Notes) -> Verdict {
    move |up, _| match up {
        StreamUp::Data { data: came, .. } => must(came == data, "the bytes are others"),
        _ => Err("it is no data".into()),
    }
}

fn any_data(up: &StreamUp, _: &mut Notes) -> Verdict {
    must(matches!(up, StreamUp::Data { .. }), "it is no data")
}

fn is_closed(check: fn(&CloseReason) -> bool) -> impl Fn(&StreamUp, &mut Notes) -> Verdict {
    move |up, _| match up {
        StreamUp::Closed { reason, .. } => must(check(reason), format!("the reason is \"{reason}\"")),
        _ => Err("it is not the end".into()),
    }
}
