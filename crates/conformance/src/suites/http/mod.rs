//! HTTP/1.1. Read beside it: RFC 9112 (heads, framing, connections), RFC 9110 sections 9, 10 and 15.

mod client;
mod server;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise_core::id::{ConnId, ExchangeId, Opener};
use framewise_core::seams::exchange::{ExchangeError, ExchangeUp};
use framewise_core::seams::stream::{ConnInfo, StreamDown, StreamUp};
use framewise_core::seams::{Exchanges, Streams};

use super::{must, same};
use crate::Notes;
use crate::case::{Case, Verdict};
use crate::craft::damage::{arbitrary, damaged};
use crate::suite::{Aside, Suite};

type Script = Case<Exchanges, Streams>;

/// How long a layer may gather what it sends.
const SOON: Duration = Duration::from_secs(2);
/// The accepted connection of the server's cases.
const ACCEPTED: ConnId = ConnId::new(Opener::Lower, 0, 0);
/// The exchange of the client's cases.
const ASKED: ExchangeId = ExchangeId::new(Opener::Upper, 0, 0);
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), 49_152);
const REMOTE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(203, 0, 113, 80)), 80);

/// What an HTTP/1.1 layer must do, as a server and as a client.
pub fn http() -> Suite<Exchanges, Streams> {
    Suite::new("http", "the application", "TCP")
        .aside_outbound(|down| match down {
            StreamDown::Grant { .. } => Aside::Ignore,
            _ => Aside::No,
        })
        .aside_inbound(|up| match up {
            ExchangeUp::Writable { .. }
            | ExchangeUp::Connected { .. }
            | ExchangeUp::Refused(_)
            | ExchangeUp::Left(_) => Aside::Ignore,
            _ => Aside::No,
        })
        .keep_books_below()
        .cases(server::cases())
        .cases(client::cases())
        .garbage_after(server::accepted(Case::new("takes arbitrary bytes for a request", "law 5")), |rng| {
            data(ACCEPTED, &arbitrary(rng, 1_000))
        })
        .mutate(|message, rng| match message {
            StreamUp::Data { conn, data } => Some(StreamUp::Data { conn, data: damaged(&data, rng) }),
            _ => None,
        })
}

fn opened(conn: ConnId) -> StreamUp {
    StreamUp::Opened { conn, info: Box::new(ConnInfo { local: LOCAL, remote: REMOTE, tls: None }) }
}

fn data(conn: ConnId, bytes: &[u8]) -> StreamUp {
    StreamUp::Data { conn, data: Bytes::copy_from_slice(bytes) }
}

/// Gathers what is sent, in however many pieces, until all of it passes `check`.
fn writes(check: impl Fn(&str) -> Verdict + 'static) -> impl Fn(&StreamDown, &mut Notes) -> Verdict {
    move |down, notes| {
        let StreamDown::Send { data, .. } = down else { return Err("it is no data".into()) };
        let mut all: Vec<u8> = notes.find("sent").unwrap_or_default();
        all.extend(data);
        let text = String::from_utf8_lossy(&all).into_owned();
        notes.keep("sent", all);
        check(&text)
    }
}

/// Whether a head has this line, whatever the case of its letters.
fn has_line(text: &str, line: &str) -> Verdict {
    let found =
        text.lines().take_while(|line| !line.is_empty()).any(|found| found.eq_ignore_ascii_case(line));
    must(found, format!("the head has no line \"{line}\": {text:?}"))
}

/// Gathers a body, in however many pieces.
fn body(wanted: &'static [u8]) -> impl Fn(&ExchangeUp, &mut Notes) -> Verdict {
    move |up, notes| {
        let ExchangeUp::Body { data, .. } = up else { return Err("it is no body".into()) };
        let mut all: Vec<u8> = notes.find("body").unwrap_or_default();
        all.extend(data);
        let verdict = must(all == wanted, format!("so far {:?} came", String::from_utf8_lossy(&all)));
        notes.keep("body", all);
        verdict
    }
}

fn is_end(up: &ExchangeUp, _: &mut Notes) -> Verdict {
    must(matches!(up, ExchangeUp::End { .. }), "it is not that")
}

fn is_closed(check: fn(&Result<(), ExchangeError>) -> bool) -> impl Fn(&ExchangeUp, &mut Notes) -> Verdict {
    move |up, _| match up {
        ExchangeUp::Closed { result, .. } => must(check(result), format!("the outcome is {result:?}")),
        _ => Err("it is not the end".into()),
    }
}
