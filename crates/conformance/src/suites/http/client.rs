//! The client's half: RFC 9112 sections 3, 4, 6 and 8.

use framewise_core::seams::exchange::{
    BodyLength, ClientRequest, ExchangeDown, Headers, RequestHead, Version,
};
use framewise_core::seams::stream::{CloseReason, Security};
use http::Method;

use super::*;

pub(super) fn cases() -> Vec<Script> {
    vec![get(), chunked(), until_close(), cut_short(), cut_chunked(), informational(), lying(), unreachable()]
}

fn get() -> Script {
    Case::new("asks for a page and reads it", "RFC 9112 sections 3 and 4")
        .hint("Method, target and version in one line, Host among the fields; the answer's length is in its head.")
        .then(asked)
        .hears("200 with 5 bytes", |notes| answer(notes, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npage!"))
        .await_inbound("the head", SOON, is_status(200))
        .await_inbound("the body", SOON, body(b"page!"))
        .await_inbound("its end", SOON, is_end)
        .await_inbound("that the exchange is over", SOON, is_closed(Result::is_ok))
}

fn chunked() -> Script {
    Case::new("reads a chunked response in pieces", "RFC 9112 section 7.1")
        .hint("A chunk, and its size too, may be cut anywhere.")
        .then(asked)
        .hears("a head and the first half of a size", |notes| {
            answer(notes, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1")
        })
        .hears("the second half and half of the chunk", |notes| answer(notes, "0\r\n01234567"))
        .hears("the rest", |notes| answer(notes, "89abcdef\r\n0\r\n\r\n"))
        .await_inbound("the head", SOON, is_status(200))
        .await_inbound("16 bytes of body", SOON, body(b"0123456789abcdef"))
        .await_inbound("its end", SOON, is_end)
        .await_inbound("that the exchange is over", SOON, is_closed(Result::is_ok))
}

fn until_close() -> Script {
    Case::new("reads a body that ends with the connection", "RFC 9112 section 6.3")
        .hint("Without framing fields the body goes on until the peer has cleanly sent all.")
        .then(asked)
        .hears("200 and \"page!\", without a length", |notes| answer(notes, "HTTP/1.1 200 OK\r\n\r\npage!"))
        .await_inbound("the body", SOON, body(b"page!"))
        .expect_no_inbound_like("more may come", is_end)
        .hears("that the peer has sent all", |notes| StreamUp::PeerClosed { conn: conn(notes), clean: true })
        .await_inbound("its end", SOON, is_end)
        .await_inbound("that the exchange is over", SOON, is_closed(Result::is_ok))
}

fn cut_short() -> Script {
    Case::new("never takes a body cut short for a page", "RFC 9112 section 8")
        .hint(
            "Fewer bytes than Content-Length said: the exchange fails, however cleanly the connection ended.",
        )
        .then(asked)
        .hears("200 with 3 of 5 bytes", |notes| {
            answer(notes, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npag")
        })
        .hears("that the peer has sent all", |notes| StreamUp::PeerClosed { conn: conn(notes), clean: true })
        .await_inbound("that the body was cut short", SOON, is_truncated)
}

fn cut_chunked() -> Script {
    Case::new("never takes a chunked body without its last chunk for a page", "RFC 9112 section 8")
        .hint("Only the chunk of size 0 is the end.")
        .then(asked)
        .hears("one chunk", |notes| {
            answer(notes, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\npage!\r\n")
        })
        .hears("that the peer has sent all", |notes| StreamUp::PeerClosed { conn: conn(notes), clean: true })
        .await_inbound("that the body was cut short", SOON, is_truncated)
}

fn informational() -> Script {
    Case::new("goes on reading after an informational response", "RFC 9110 section 15.2")
        .hint("A response with status 1xx has no body and is followed by the real one.")
        .then(asked)
        .hears("103, and then 200", |notes| {
            answer(notes, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        })
        .await_inbound("the real head", SOON, is_status(200))
        .await_inbound("that the exchange is over", SOON, is_closed(Result::is_ok))
}

fn lying() -> Script {
    Case::new("refuses what is not HTTP", "RFC 9112 section 4")
        .hint("What does not begin with a status line is an error that says so, not a page.")
        .then(asked)
        .hears("\"SSH-2.0-OpenSSH\"", |notes| answer(notes, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n"))
        .await_inbound(
            "that it is no HTTP",
            SOON,
            is_closed(|result| matches!(result, Err(ExchangeError::NotHttp { .. }))),
        )
}

fn unreachable() -> Script {
    Case::new("tells why there is no connection", "the exchange seam")
        .hint("The reason from below is the reason of the exchange.")
        .then(asks)
        .hears("that it was refused", |notes| StreamUp::Closed {
            conn: conn(notes),
            reason: CloseReason::Refused,
        })
        .await_inbound(
            "that it was refused",
            SOON,
            is_closed(|result| matches!(result, Err(ExchangeError::Connection(CloseReason::Refused)))),
        )
}

fn asks(case: Script) -> Script {
    case.says("GET /, please", |_| {
        let headers = Headers::from_iter([("Host", "shop.test")]);
        let head = RequestHead { method: Method::GET, target: "/".into(), version: Version::Http11, headers };
        let (security, body) = (Security::Plain, BodyLength::None);
        ExchangeDown::Request(Box::new(ClientRequest {
            exchange: ASKED,
            remote: REMOTE,
            security,
            head,
            body,
        }))
    })
    .says("1,000 bytes may come", |_| ExchangeDown::Grant { exchange: ASKED, bytes: 1_000 })
    .says("the request is complete", |_| ExchangeDown::End { exchange: ASKED })
    .await_outbound("a connection to the server", SOON, |down, notes| match down {
        StreamDown::Connect { conn, remote, security: Security::Plain } => {
            notes.keep("conn", *conn);
            same("the peer", *remote, REMOTE)
        }
        _ => Err("it is not that".into()),
    })
}

/// The request has been sent.
fn asked(case: Script) -> Script {
    asks(case)
        .hears("that it is open", |notes| opened(conn(notes)))
        .hears("room for 60,000 bytes", |notes| StreamUp::Writable { conn: conn(notes), bytes: 60_000 })
        .await_outbound(
            "the request",
            SOON,
            writes(|text| {
                must(
                    text.starts_with("GET / HTTP/1.1\r\n"),
                    format!("the request line is another: {text:?}"),
                )?;
                has_line(text, "host: shop.test")?;
                must(text.ends_with("\r\n\r\n"), "the head is not complete")
            }),
        )
}

fn conn(notes: &Notes) -> ConnId {
    notes.recall("conn")
}

fn answer(notes: &Notes, text: &str) -> StreamUp {
    data(conn(notes), text.as_bytes())
}

fn is_status(wanted: u16) -> impl Fn(&ExchangeUp, &mut Notes) -> Verdict {
    move |up, _| match up {
        ExchangeUp::Response { head, .. } => same("the status", head.status.as_u16(), wanted),
        _ => Err("it is no response".into()),
    }
}

fn is_truncated(up: &ExchangeUp, notes: &mut Notes) -> Verdict {
    is_closed(|result| matches!(result, Err(ExchangeError::Truncated { .. })))(up, notes)
}
