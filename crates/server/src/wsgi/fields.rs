//! The fields of a request on its way to an application, and of its answer on its way back.
//!
//! Read RFC 9110 section 7.6.1 (what belongs to one connection), RFC 3875 section 4.1 (what a field's name becomes).

use std::net::SocketAddr;

use framewise_http::{ConnInfo, Headers, Request};

/// Fields that are about one connection alone, or that frame a message; besides those that `Connection` names.
const OF_A_CONNECTION: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
];

/// What only a server knows: a client that says it would be believed. `Proxy` is `HTTP_PROXY` to an application, by which whoever
/// it asks in turn is found (CVE-2016-5385).
const ONLY_OURS: [&str; 7] =
    ["forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "client-ip", "proxy", "expect"];
const ONLY_OURS_BEGIN: [&str; 2] = ["x-forwarded-", "x-framewise-"];

/// The head of a request as gunicorn gets it.
pub(super) fn request_head(request: &Request, thread: u16) -> Vec<u8> {
    let target = match request.query() {
        Some(query) => format!("{}?{query}", request.path()),
        None => request.path().to_owned(),
    };
    let mut out = format!("{} {target} HTTP/1.1\r\n", request.head.method).into_bytes();
    let fields = &request.head.headers;
    let named = named_by_connection(fields);
    for (name, value) in fields.iter().filter(|(name, _)| may_pass(name, &named)) {
        put(&mut out, name, value);
    }
    if !request.body.is_empty() {
        put(&mut out, "Content-Length", request.body.len().to_string().as_bytes());
    }
    let ConnInfo { local, remote, tls } = &request.connection;
    let scheme = if tls.is_some() { "https" } else { "http" };
    put(&mut out, "X-Forwarded-For", remote.ip().to_string().as_bytes());
    put(&mut out, "X-Forwarded-Proto", scheme.as_bytes());
    put(&mut out, "X-Framewise-Client", end(*remote).as_bytes());
    put(&mut out, "X-Framewise-Server", end(*local).as_bytes());
    put(&mut out, "X-Framewise-Thread", thread.to_string().as_bytes());
    put(&mut out, "Connection", b"close");
    out.extend_from_slice(b"\r\n");
    out
}

/// The fields of an answer, without those that the layer below writes itself.
pub(super) fn answer_fields(fields: &Headers) -> Headers {
    let named = named_by_connection(fields);
    let kept = fields.iter().filter(|(name, _)| !is_of_a_connection(name, &named));
    kept.map(|(name, value)| (name, value.to_vec())).collect()
}

fn put(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// An address and a port, as the wrapper takes them apart.
fn end(end: SocketAddr) -> String {
    format!("{} {}", end.ip(), end.port())
}

fn may_pass(name: &str, named: &[String]) -> bool {
    let lower = name.to_ascii_lowercase();
    // `X_Forwarded_For` is `HTTP_X_FORWARDED_FOR` to an application, too, and `SCRIPT_NAME` is more than a field.
    !name.contains('_')
        && !is_of_a_connection(name, named)
        && !ONLY_OURS.contains(&lower.as_str())
        && !ONLY_OURS_BEGIN.iter().any(|begin| lower.starts_with(begin))
}

fn is_of_a_connection(name: &str, named: &[String]) -> bool {
    let lower = name.to_ascii_lowercase();
    OF_A_CONNECTION.contains(&lower.as_str()) || named.contains(&lower)
}

/// What `Connection` says is about this connection.
fn named_by_connection(fields: &Headers) -> Vec<String> {
    let values = fields.all("connection").map(String::from_utf8_lossy);
    let names = values
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>());
    names.filter(|name| name != "host").collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use framewise_http::{Method, Params, RequestHead, Version, read_request};

    use super::*;

    #[test]
    fn what_a_client_says_of_itself_is_left_out_and_said_by_us() {
        let fields = [
            ("Host", "shop.test"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("x-forwarded-PROTO", "https"),
            ("X_Forwarded_For", "1.2.3.4"),
            ("Forwarded", "for=1.2.3.4"),
            ("X-Real-IP", "1.2.3.4"),
            ("True-Client-IP", "1.2.3.4"),
            ("Client-Ip", "1.2.3.4"),
            ("Proxy", "http://1.2.3.4/"),
            ("X-Framewise-Thread", "7"),
            ("SCRIPT_NAME", "/admin"),
            ("Connection", "keep-alive, X-Mine, Host"),
            ("X-Mine", "1"),
            ("Keep-Alive", "5"),
            ("Expect", "100-continue"),
            ("Content-Length", "99"),
            ("Transfer-Encoding", "chunked"),
            ("Cookie", "a=1"),
            ("Accept", "*/*"),
        ];
        let request = Request {
            head: RequestHead {
                method: Method::POST,
                target: "http://shop.test/a%20b?x=1&y".into(),
                version: Version::Http11,
                headers: fields.into_iter().collect(),
            },
            connection: ConnInfo {
                local: "[2001:db8::1]:80".parse().expect("an address"),
                remote: "192.0.2.9:49152".parse().expect("an address"),
                tls: None,
            },
            params: Params::default(),
            body: Bytes::from_static(b"abc"),
        };
        let head = request_head(&request, 3);
        let expected = "POST /a%20b?x=1&y HTTP/1.1\r\nHost: shop.test\r\nCookie: a=1\r\nAccept: */*\r\n\
                        Content-Length: 3\r\nX-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Proto: http\r\n\
                        X-Framewise-Client: 192.0.2.9 49152\r\nX-Framewise-Server: 2001:db8::1 80\r\n\
                        X-Framewise-Thread: 3\r\nConnection: close\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&head), expected);
        assert!(read_request(&head, &Default::default()).expect("a request").is_some());
    }

    #[test]
    fn an_answer_keeps_what_is_not_about_its_connection() {
        let fields = [
            ("Set-Cookie", "a"),
            ("Connection", "close, X-Odd"),
            ("X-Odd", "1"),
            ("Set-Cookie", "b"),
            ("Content-Length", "5"),
        ];
        let kept = answer_fields(&fields.into_iter().collect());
        assert_eq!(kept, [("Set-Cookie", "a"), ("Set-Cookie", "b")].into_iter().collect());
    }
}
