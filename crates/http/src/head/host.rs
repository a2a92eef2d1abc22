//! Which server a request is for: by Host, or by the authority of a target that is a URL.
//!
//! Read RFC 9112 sections 3.2, 3.2.2 and 3.3, RFC 9110 sections 4.2, 7.2 and 7.4 first.

use std::net::IpAddr;

use framewise_core::seams::exchange::{RequestHead, Version};
use framewise_core::seams::stream::TlsInfo;

use super::rules::is_percent_encoded;
use crate::rule::Rule;

/// The scheme of a target in absolute form, and its authority.
pub(super) fn origin(target: &[u8]) -> Option<(Scheme, &[u8])> {
    [("http://", Scheme::Http), ("https://", Scheme::Https)].into_iter().find_map(|(begin, scheme)| {
        let (first, rest) = target.split_at_checked(begin.len())?;
        let host = rest.split(|b| matches!(b, b'/' | b'?')).next()?;
        first.eq_ignore_ascii_case(begin.as_bytes()).then_some((scheme, host))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// Judges the Host of a request: one, of the right form. In HTTP/1.0 there need be none.
pub(super) fn check_host(head: &RequestHead) -> Result<(), Rule> {
    let mut hosts = head.headers.all("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version == Version::Http11 => Err(Rule::HostMissing),
        (Some(_), Some(_)) => Err(Rule::HostRepeated),
        (Some(host), None) if !is_host(host) => Err(Rule::HostInvalid),
        _ => Ok(()),
    }
}

/// Puts the authority of a target in absolute form in Host's place, which then does not count (RFC 9112, section 3.2.2).
pub(super) fn host_of_target(head: &mut RequestHead) {
    if let Some((_, host)) = origin(head.target.as_bytes()) {
        let host = host.to_owned();
        head.headers.set("Host", host);
    }
}

/// Judges whether a request came by the connection that it may come by (RFC 9110, section 7.4): one for https by TLS, and by
/// TLS one for the host whose certificate the client asked for. An address is never asked for so (RFC 6066, section 3).
pub(crate) fn check_connection(head: &RequestHead, tls: Option<&TlsInfo>) -> Result<(), Rule> {
    let Some(tls) = tls else {
        let is_secure = origin(head.target.as_bytes()).is_some_and(|(scheme, _)| scheme == Scheme::Https);
        return if is_secure { Err(Rule::NotByTls) } else { Ok(()) };
    };
    let (Some(asked), Some(host)) = (&tls.server_name, head.headers.text("host")) else {
        return Ok(());
    };
    let name = without_port(host);
    let is_same = name.trim_end_matches('.').eq_ignore_ascii_case(asked.trim_end_matches('.'));
    if is_same || name.is_empty() || is_address(name) { Ok(()) } else { Err(Rule::HostOfOther) }
}

/// The name or address in a Host of the right form.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_address(name: &str) -> bool {
    name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// `uri-host [ ":" port ]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2). It may be empty. A comma, which the grammar
/// allows in a name and no name has, is what joins two Host fields into one (RFC 9110, section 5.3).
pub(crate) fn is_host(value: &[u8]) -> bool {
    let (name, port) = match value {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|b| *b == b']') else {
                return false;
            };
            let (address, after) = rest.split_at(end);
            let text = std::str::from_utf8(address).unwrap_or_default();
            if text.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            (&[][..], after.get(1..).unwrap_or_default())
        }
        _ => {
            let end = value.iter().position(|b| *b == b':').unwrap_or(value.len());
            value.split_at(end)
        }
    };
    let named = name.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+;=%".contains(b));
    let named = named && is_percent_encoded(name);
    let port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    named && port
}
