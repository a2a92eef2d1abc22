//! Whom a server that only this computer reaches answers: requests for a name that is known to mean this computer.
//!
//! A hostile page can make its own name mean 127.0.0.1 once it is loaded (DNS rebinding), and the browser then lets it read
//! what is served there. The name stands in the request's Host, so such requests are told apart.

use std::net::IpAddr;
use std::sync::Arc;

use framewise::http::{
    Answer, ConnInfo, Handler, Intake, Problem, RefusedRequest, Request, StatusCode, Version,
};

/// Answers only what is asked of an own name.
pub(crate) struct OwnHost(pub(crate) Arc<dyn Handler>);

impl Handler for OwnHost {
    fn handle(&self, request: Request, answer: Answer) {
        match asks_for_us(&request) {
            true => self.0.handle(request, answer),
            false => answer.respond(misdirected().answer(&request)),
        }
    }

    fn wants_body(&self, request: &Request) -> bool {
        asks_for_us(request) && self.0.wants_body(request)
    }

    fn refused(&self, refused: &RefusedRequest) {
        self.0.refused(refused);
    }

    fn left(&self, connection: &ConnInfo) {
        self.0.left(connection);
    }

    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        asks_for_us(request).then(|| self.0.intake(request)).flatten()
    }
}

fn misdirected() -> Problem {
    let wrong = "This server is for this computer alone.";
    let right = "Ask for localhost, a name below .test, or an address.";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, wrong, right).by("RFC 9110 §15.5.20")
}

/// Whether a request names a host of ours, in its target or in Host, whose place that takes. In HTTP/1.0 it may name none: no
/// browser is as old.
fn asks_for_us(request: &Request) -> bool {
    match request.header("Host") {
        Some(host) => is_own(host),
        None => request.head.version == Version::Http10,
    }
}

/// Whether a Host is an address, or a name that no public name server gives an address (RFC 6761).
fn is_own(host: &str) -> bool {
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = without_port.trim_matches(['[', ']']);
    let name = without_port.trim_end_matches('.').to_ascii_lowercase();
    let is_below =
        |zone: &str| name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    bare.parse::<IpAddr>().is_ok() || is_below("localhost") || is_below("test")
}

#[cfg(test)]
mod tests {
    use framewise::http::{Limits, Params, read_request};

    use super::*;

    #[test]
    fn a_request_may_name_its_host_in_any_way_that_its_version_knows() {
        for (head, is_ours) in [
            ("GET /a.txt HTTP/1.0", true),
            ("GET http://localhost/a.txt HTTP/1.0", true),
            ("GET http://evil.example/a.txt HTTP/1.0", false),
            ("GET /a.txt HTTP/1.0\r\nHost: evil.example", false),
            ("GET /a.txt HTTP/1.1\r\nHost: localhost", true),
            ("GET /a.txt HTTP/1.1\r\nHost: evil.example", false),
            ("GET /a.txt HTTP/1.1\r\nHost:", false),
            ("GET http://127.0.0.1/a.txt HTTP/1.1\r\nHost: evil.example", true),
            ("GET http://evil.example/a.txt HTTP/1.1\r\nHost: localhost", false),
        ] {
            let bytes = format!("{head}\r\n\r\n");
            let (parsed, _) = read_request(bytes.as_bytes(), &Limits::default()).unwrap().unwrap();
            let end = "127.0.0.1:80".parse().unwrap();
            let connection = ConnInfo { local: end, remote: end, tls: None };
            let request =
                Request { head: parsed, connection, params: Params::default(), body: Default::default() };
            assert_eq!(asks_for_us(&request), is_ours, "{head}");
        }
    }

    #[test]
    fn own_names_and_addresses_are_told_from_others() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "a.localhost",
            "shop.test.",
            "shop.test:80",
        ] {
            assert!(is_own(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "evilest", "127.0.0.1.evil.example:8080", "", ":80"]
        {
            assert!(!is_own(host), "{host}");
        }
    }
}
