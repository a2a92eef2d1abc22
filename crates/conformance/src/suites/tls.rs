//! TLS, as far as it can be driven without keys. Read beside it: RFC 8446 sections 4.1.2, 5.1 and 6, RFC 6066 section 3.
//!
//! What needs keys is seen only when two layers talk to each other.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use framewise_core::id::{ConnId, Opener};
use framewise_core::read::{u8_at, u16_at};
use framewise_core::seams::Streams;
use framewise_core::seams::stream::{CloseReason, ConnInfo, Security, StreamDown, StreamUp, TlsErrorKind};

use super::{must, same};
use crate::Notes;
use crate::case::{Case, Verdict};
use crate::craft::damage::{arbitrary, damaged};
use crate::law::Law;
use crate::suite::{Aside, Suite};

type Script = Case<Streams, Streams>;

const CONN: ConnId = ConnId::new(Opener::Upper, 0, 0);
const SOON: Duration = Duration::from_secs(2);

/// How the layer under test was set up: to connect as a client.
#[derive(Clone, Copy, Debug)]
pub struct TlsSetup {
    /// The name that the server must have.
    pub name: &'static str,
    /// Where it is.
    pub remote: SocketAddr,
}

impl Default for TlsSetup {
    fn default() -> Self {
        TlsSetup { name: "shop.test", remote: SocketAddr::new(Ipv4Addr::new(203, 0, 113, 80).into(), 443) }
    }
}

/// What a TLS layer must do.
pub fn tls(setup: TlsSetup) -> Suite<Streams, Streams> {
    Suite::new("tls", "HTTP", "TCP")
        .aside_outbound(|down| match down {
            StreamDown::Grant { .. } => Aside::Ignore,
            // TCP says Closed exactly once about every connection.
            StreamDown::Abort { conn } => {
                Aside::Answer(StreamUp::Closed { conn: *conn, reason: CloseReason::Aborted })
            }
            _ => Aside::No,
        })
        .keep_books_above()
        .keep_books_below()
        .cases([plain(setup), plain_end(setup), hello(setup), under_credit(setup)])
        .cases([no_tls(setup), oversize(setup), alert(setup), cut_short(setup), silence(setup), reset(setup)])
        .garbage_after(handshake(Case::new("takes arbitrary bytes for a handshake", "law 5"), setup), |rng| {
            data(&arbitrary(rng, 1_000))
        })
        .mutate(|message, rng| match message {
            StreamUp::Data { conn, data } => Some(StreamUp::Data { conn, data: damaged(&data, rng) }),
            _ => None,
        })
}

fn plain(setup: TlsSetup) -> Script {
    Case::new("lets a plain connection through untouched", "the stream seam")
        .hint("Security::Plain means that there is nothing to do: every message passes in both directions.")
        .then(|case| opens(case, setup, Security::Plain))
        .expect_inbound("that it is open", |up, _| {
            must(matches!(up, StreamUp::Opened { .. }), "it is not that")
        })
        .hears("room for 100 bytes", |_| StreamUp::Writable { conn: CONN, bytes: 100 })
        .expect_inbound("room for 100 bytes", |up, _| {
            must(matches!(up, StreamUp::Writable { bytes: 100, .. }), "it is not that")
        })
        .says("send \"page\"", |_| StreamDown::Send { conn: CONN, data: Bytes::from_static(b"page") })
        .expect_outbound("\"page\", as it is", |down, _| same("what is sent", sent(down)?, b"page"))
        .says("5 bytes may come", |_| StreamDown::Grant { conn: CONN, bytes: 5 })
        .hears("\"hello\"", |_| data(b"hello"))
        .expect_inbound("\"hello\", as it is", |up, _| match up {
            StreamUp::Data { data, .. } => same("the data", &data[..], b"hello"),
            _ => Err("it is no data".into()),
        })
}

fn plain_end(setup: TlsSetup) -> Script {
    Case::new("lets the end of a plain connection through", "the stream seam")
        .hint("A FIN is a clean end of a plain connection; nobody expects close_notify there.")
        .then(|case| opens(case, setup, Security::Plain))
        .expect_inbound("that it is open", |up, _| {
            must(matches!(up, StreamUp::Opened { .. }), "it is not that")
        })
        .hears("that the peer has sent all", |_| StreamUp::PeerClosed { conn: CONN, clean: true })
        .expect_inbound("the same, clean", |up, _| {
            must(matches!(up, StreamUp::PeerClosed { clean: true, .. }), "it is not that")
        })
        .says("nothing more to send", |_| StreamDown::Close { conn: CONN })
        .expect_outbound("the same", |down, _| {
            must(matches!(down, StreamDown::Close { .. }), "it is not that")
        })
        .hears("that it is finished", |_| StreamUp::Closed { conn: CONN, reason: CloseReason::Finished })
        .expect_inbound("the same", is_closed(|reason| *reason == CloseReason::Finished))
}

fn hello(setup: TlsSetup) -> Script {
    handshake(Case::new("begins with a ClientHello that names the server", "RFC 8446 section 4.1.2, RFC 6066 section 3"), setup)
        .hint("A record of type 22 with a handshake message of type 1; the server's name stands in it in clear (SNI).")
        .expect_nothing_inbound("it is not open before both sides are done")
}

fn under_credit(setup: TlsSetup) -> Script {
    Case::new("sends its ClientHello within the credit below", "the stream seam")
        .about(Law::Bounded)
        .hint("What TLS itself has to say needs room below like anything else.")
        .then(|case| opens(case, setup, secure(setup)))
        .hears("room for 10 bytes", |_| StreamUp::Writable { conn: CONN, bytes: 10 })
        .expect_no_outbound_like("more than 10 bytes have no room", |down, _| {
            must(sent(down)?.len() > 10, "it has room")
        })
        .hears("room for 10,000 bytes", |_| StreamUp::Writable { conn: CONN, bytes: 10_000 })
        .await_outbound("the rest of the ClientHello", SOON, |down, _| sent(down).map(|_| ()))
}

fn no_tls(setup: TlsSetup) -> Script {
    handshake(Case::new("ends at a peer that does not speak TLS", "RFC 8446 section 5.1"), setup)
        .hint("A first byte that is no content type is the end, with a reason that says what came.")
        .hears("\"HTTP/1.1 400 Bad Request\"", |_| data(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        .await_inbound("the end, for TLS's reason", Duration::from_secs(30), is_tls_failure)
}

fn oversize(setup: TlsSetup) -> Script {
    handshake(Case::new("ends at a record that is too long", "RFC 8446 section 5.2"), setup)
        .hint("A record holds at most 2¹⁴ + 256 bytes. Whoever announces more wants memory.")
        .hears("a record that announces 40,000 bytes", |_| data(&[22, 3, 3, 0x9c, 0x40, 2, 0, 0, 40]))
        .await_inbound("the end, for TLS's reason", Duration::from_secs(30), is_tls_failure)
}

fn alert(setup: TlsSetup) -> Script {
    handshake(Case::new("tells of the peer's alert", "RFC 8446 section 6.2"), setup)
        .hint("Level 2, description 40 (handshake_failure): the peer says why it can't go on.")
        .hears("a fatal alert: handshake_failure", |_| data(&[21, 3, 3, 0, 2, 2, 40]))
        .await_inbound("the end, with the alert as reason", Duration::from_secs(30), |up, notes| {
            is_closed(|reason| {
                matches!(reason, CloseReason::Tls(error)
                    if matches!(error.kind, TlsErrorKind::Alert | TlsErrorKind::NothingInCommon))
            })(up, notes)
        })
}

fn cut_short(setup: TlsSetup) -> Script {
    handshake(Case::new("does not take a connection for open that ends in its handshake", "RFC 8446 section 6.1"), setup)
        .hint("An end without close_notify may be an attacker's; before the handshake is done nothing was proved at all.")
        .hears("that the peer has sent all", |_| StreamUp::PeerClosed { conn: CONN, clean: true })
        .await_inbound("the end, with a reason", Duration::from_secs(30), |up, notes| {
            is_closed(|reason| *reason != CloseReason::Finished)(up, notes)
        })
}

fn silence(setup: TlsSetup) -> Script {
    handshake(Case::new("gives a silent server up", "RFC 8446 appendix C"), setup)
        .hint("A peer that accepts and says nothing would hold the connection for ever.")
        .await_inbound("the end", Duration::from_secs(300), is_closed(|_| true))
}

fn reset(setup: TlsSetup) -> Script {
    handshake(Case::new("passes a reset in the handshake on", "the stream seam"), setup)
        .hint("The reason is TCP's and must not be hidden behind one of TLS.")
        .hears("that it was reset", |_| StreamUp::Closed { conn: CONN, reason: CloseReason::Reset })
        .await_inbound("the end, as a reset", SOON, is_closed(|reason| *reason == CloseReason::Reset))
}

fn secure(setup: TlsSetup) -> Security {
    Security::Tls(Some(Arc::from(setup.name)))
}

/// The connection below is there.
fn opens(case: Script, setup: TlsSetup, security: Security) -> Script {
    let remote = setup.remote;
    let what = if security.is_tls() { "by TLS" } else { "plain" };
    case.says(format!("connect to {remote}, {what}"), move |_| StreamDown::Connect {
        conn: CONN,
        remote,
        security: security.clone(),
    })
    .expect_outbound("a plain connection to it", move |down, _| match down {
        StreamDown::Connect { conn, remote: to, security: Security::Plain } if *conn == CONN => {
            same("the peer", *to, remote)
        }
        _ => Err("it is not that".into()),
    })
    .hears("that it is open", move |_| {
        let local = SocketAddr::new(Ipv4Addr::new(192, 0, 2, 10).into(), 49_152);
        StreamUp::Opened { conn: CONN, info: Box::new(ConnInfo { local, remote, tls: None }) }
    })
}

/// The ClientHello has been sent.
fn handshake(case: Script, setup: TlsSetup) -> Script {
    opens(case, setup, secure(setup))
        .hears("room for 65,536 bytes", |_| StreamUp::Writable { conn: CONN, bytes: 65_536 })
        .await_outbound("a ClientHello with the server's name", SOON, move |down, _| {
            let record = sent(down)?;
            same("the content type", u8_at(record, 0), Some(22))?;
            must(u16_at(record, 3).is_some_and(|length| length <= 1 << 14), "the record is too long")?;
            same("the handshake's type", u8_at(record, 5), Some(1))?;
            let named = record.windows(setup.name.len()).any(|window| window == setup.name.as_bytes());
            must(named, "the server's name is not in it")
        })
}

fn data(bytes: &[u8]) -> StreamUp {
    StreamUp::Data { conn: CONN, data: Bytes::copy_from_slice(bytes) }
}

fn sent(down: &StreamDown) -> Result<&[u8], String> {
    match down {
        StreamDown::Send { data, .. } => Ok(data),
        _ => Err("it is no data".into()),
    }
}

fn is_tls_failure(up: &StreamUp, notes: &mut Notes) -> Verdict {
    is_closed(|reason| matches!(reason, CloseReason::Tls(_)))(up, notes)
}

fn is_closed(check: fn(&CloseReason) -> bool) -> impl Fn(&StreamUp, &mut Notes) -> Verdict {
    move |up, _| match up {
        StreamUp::Closed { reason, .. } => must(check(reason), format!("the reason is \"{reason}\"")),
        _ => Err("it is not the end".into()),
    }
}
