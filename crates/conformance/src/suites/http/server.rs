//! The server's half: RFC 9112 sections 2, 3, 6 and 9.

use framewise_core::seams::exchange::{BodyLength, ExchangeDown, Headers, ResponseHead, Version};
use http::StatusCode;

use super::*;

const GET: &str = "GET /shop?item=3 HTTP/1.1\r\nHost: shop.test\r\n\r\n";

pub(super) fn cases() -> Vec<Script> {
    vec![
        get(),
        in_pieces(),
        answers(),
        head(),
        keeps_alive(),
        post(),
        chunked(),
        refuses(
            Case::new("refuses a request with two framings", "RFC 9112 section 6.1"),
            "Content-Length and Transfer-Encoding together: two readers could see different ends (request smuggling).",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        refuses(
            Case::new("refuses two different Content-Lengths", "RFC 9112 section 6.3"),
            "Which of them counts? Whoever guesses can be made to read a hidden request.",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        ),
        refuses(
            Case::new("refuses a request without Host", "RFC 9112 section 3.2"),
            "One server has many names: without Host nobody knows which is asked.",
            "GET / HTTP/1.1\r\n\r\n",
        ),
        refuses(
            Case::new("refuses a space before the colon of a field", "RFC 9112 section 5.1"),
            "Some readers would take the name with the space for another field.",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        ),
        refuses(
            Case::new("refuses a Content-Length that is no number", "RFC 9112 section 6.3"),
            "Digits only: \"+4\" and \"4_0\" are numbers to some libraries, not to RFC 9110.",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd",
        ),
    ]
}

fn get() -> Script {
    Case::new("understands a GET request", "RFC 9112 sections 2 and 3")
        .hint("A request line, fields, an empty line. Without framing fields there is no body, so End follows at once.")
        .then(accepted)
        .hears("a GET request", |_| data(ACCEPTED, GET.as_bytes()))
        .expect_inbound("the request", is_shop_request)
        .expect_inbound("its end", is_end)
}

fn in_pieces() -> Script {
    let mut case = accepted(Case::new("understands a request that comes byte by byte", "RFC 9112 section 2.2"))
        .hint("TCP is a stream: a head may come in pieces of any size. Keep what came until the empty line is there.");
    let (last, before) = GET.as_bytes().split_last().unwrap_or((&0, &[]));
    for &byte in before {
        case = case.hears(format!("{:?}", char::from(byte)), move |_| data(ACCEPTED, &[byte]));
    }
    case.expect_nothing_inbound("the last byte is missing")
        .hears("the last byte", move |_| data(ACCEPTED, &[*last]))
        .expect_inbound("the request", is_shop_request)
        .expect_inbound("its end", is_end)
}

fn answers() -> Script {
    Case::new("writes a response with its length", "RFC 9112 sections 4 and 6")
        .hint("A status line, fields, an empty line, and exactly as many bytes as Content-Length says.")
        .then(accepted)
        .then(shop_request)
        .then(|case| answer(case, "page!"))
        .await_outbound(
            "the whole response",
            SOON,
            writes(|text| {
                must(text.starts_with("HTTP/1.1 200"), format!("the status line is another: {text:?}"))?;
                has_line(text, "content-length: 5")?;
                must(text.ends_with("\r\n\r\npage!"), format!("the body is not there: {text:?}"))
            }),
        )
        .await_inbound("that the exchange is over", SOON, is_closed(Result::is_ok))
}

fn head() -> Script {
    Case::new("sends no body in answer to HEAD", "RFC 9110 section 9.3.2")
        .hint("The same head as for GET, length included, and nothing after it, whatever the application gives.")
        .then(accepted)
        .hears("a HEAD request", |_| data(ACCEPTED, b"HEAD / HTTP/1.1\r\nHost: shop.test\r\n\r\n"))
        .expect_inbound("the request", |up, notes| keep_request(up, notes).map(|_| ()))
        .then(|case| answer(case, "page!"))
        .await_outbound("the head alone", SOON, writes(|text| {
            has_line(text, "content-length: 5")?;
            must(text.ends_with("\r\n\r\n"), format!("something follows the head: {text:?}"))
        }))
        .expect_no_outbound_like("a body would be read as the next response", writes(|text| {
            must(text.contains("page!"), "it is no body")
        }))
}

fn keeps_alive() -> Script {
    Case::new("answers a second request on the same connection", "RFC 9112 section 9.3")
        .hint("In HTTP/1.1 a connection persists unless someone says close.")
        .then(accepted)
        .then(shop_request)
        .then(|case| answer(case, "page!"))
        .await_outbound(
            "the response",
            SOON,
            writes(|text| must(text.ends_with("page!"), "it is not complete")),
        )
        .await_inbound("that the exchange is over", SOON, is_closed(Result::is_ok))
        .then(shop_request)
        .then(|case| answer(case, "again"))
        .await_outbound(
            "the second response",
            SOON,
            writes(|text| {
                same("the number of responses", text.matches("HTTP/1.1 200").count(), 2)?;
                must(text.ends_with("again"), "it is not complete")
            }),
        )
}

fn post() -> Script {
    Case::new("takes a body of known length", "RFC 9112 section 6.2")
        .hint("Exactly Content-Length bytes are the body, and only as many as were granted come up.")
        .then(accepted)
        .hears("a POST request with half its body", |_| {
            data(ACCEPTED, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nname=")
        })
        .expect_inbound("the request, with 10 bytes to follow", |up, notes| {
            same("the body", keep_request(up, notes)?, BodyLength::Known(10))
        })
        .expect_no_inbound_like("nothing was granted", |up, _| {
            must(matches!(up, ExchangeUp::Body { .. }), "it is no body")
        })
        .says("100 bytes may come", |notes| ExchangeDown::Grant { exchange: exchange(notes), bytes: 100 })
        .hears("the other half", |_| data(ACCEPTED, b"Nadia"))
        .await_inbound("the whole body", SOON, body(b"name=Nadia"))
        .await_inbound("its end", SOON, is_end)
}

fn chunked() -> Script {
    Case::new("takes a chunked body", "RFC 9112 section 7.1")
        .hint(
            "Each chunk has its size in hexadecimal before it; a chunk of 0 and an empty line end the body.",
        )
        .then(accepted)
        .hears("a POST request in two chunks", |_| {
            let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
            data(ACCEPTED, format!("{head}5\r\nname=\r\n5;x=y\r\nNadia\r\n0\r\n\r\n").as_bytes())
        })
        .expect_inbound("the request, with a body of unknown length", |up, notes| {
            same("the body", keep_request(up, notes)?, BodyLength::Unknown)
        })
        .says("100 bytes may come", |notes| ExchangeDown::Grant { exchange: exchange(notes), bytes: 100 })
        .await_inbound("the body without the sizes", SOON, body(b"name=Nadia"))
        .await_inbound("its end", SOON, is_end)
}

fn refuses(case: Script, hint: &'static str, request: &'static str) -> Script {
    accepted(case.hint(hint))
        .hears(format!("{request:?}"), move |_| data(ACCEPTED, request.as_bytes()))
        .expect_no_inbound_like("the application never sees it", |up, _| {
            must(matches!(up, ExchangeUp::Request(_)), "it is no request")
        })
        .await_outbound(
            "a response with status 400",
            SOON,
            writes(|text| {
                must(text.starts_with("HTTP/1.1 400"), format!("the status line is another: {text:?}"))
            }),
        )
        .await_outbound("the end of the connection", SOON, |down, _| {
            let ends = matches!(down, StreamDown::Close { .. } | StreamDown::Abort { .. });
            must(ends, "it does not end the connection")
        })
}

/// A client has connected, and there is room for all that the server says.
pub(super) fn accepted(case: Script) -> Script {
    case.hears("that a client has connected", |_| opened(ACCEPTED))
        .hears("room for 60,000 bytes", |_| StreamUp::Writable { conn: ACCEPTED, bytes: 60_000 })
}

fn shop_request(case: Script) -> Script {
    case.hears("a GET request", |_| data(ACCEPTED, GET.as_bytes()))
        .await_inbound("the request", SOON, is_shop_request)
        .await_inbound("its end", SOON, is_end)
}

fn answer(case: Script, page: &'static str) -> Script {
    case.says("200, with 5 bytes to follow", |notes| {
        let headers = Headers::from_iter([("Content-Type", "text/html")]);
        let (version, reason) = (Version::Http11, String::new());
        let head = Box::new(ResponseHead { version, status: StatusCode::OK, reason, headers });
        ExchangeDown::Respond { exchange: exchange(notes), head, body: BodyLength::Known(5) }
    })
    .says(format!("the body, {page:?}"), move |notes| ExchangeDown::Body {
        exchange: exchange(notes),
        data: Bytes::from_static(page.as_bytes()),
    })
    .says("that was all", |notes| ExchangeDown::End { exchange: exchange(notes) })
}

fn exchange(notes: &Notes) -> ExchangeId {
    notes.recall("exchange")
}

/// Notes the name of the request's exchange, and tells how long its body is.
fn keep_request(up: &ExchangeUp, notes: &mut Notes) -> Result<BodyLength, String> {
    let ExchangeUp::Request(request) = up else { return Err("it is no request".into()) };
    notes.keep("exchange", request.exchange);
    Ok(request.body)
}

fn is_shop_request(up: &ExchangeUp, notes: &mut Notes) -> Verdict {
    same("the body", keep_request(up, notes)?, BodyLength::None)?;
    let ExchangeUp::Request(request) = up else { return Err("it is no request".into()) };
    same("the method", request.head.method.as_str(), "GET")?;
    same("the target", request.head.target.as_str(), "/shop?item=3")?;
    same("Host", request.head.headers.text("host"), Some("shop.test"))
}
