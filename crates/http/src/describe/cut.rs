//! Heads that break off: RFC 9112 section 2.1. What is there says something, too.

use framewise_core::{Description, Field};

use super::start_line::{request_line, status_line};
use super::{DECISION, fields, fit};
use crate::passive::{Kind, kind_of};

const CUT: &str = ", cut off";

/// Describes the beginning of a message of which the rest of the head was not seen; `None` if it does not begin like one.
///
/// ```
/// let cut = framewise_http::describe_cut(b"GET /a HTTP/1.1\r\nHost: shop.te").unwrap();
/// assert_eq!(cut.outbound, "GET /a, cut off");
/// assert_eq!((cut.fields[3].name, cut.fields[3].value.as_str()), ("cut line", "Host: shop.te"));
/// ```
pub fn describe_cut(bytes: &[u8]) -> Option<Description> {
    let kind = kind_of(bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (lines, rest) = bytes.split_at_checked(whole)?;
    let first = if kind == Kind::Requests { request_line } else { status_line };
    let mut fields = fields(lines, first);
    let said = said(kind, &fields);
    if !rest.is_empty() {
        let value = String::from_utf8_lossy(rest).into_owned();
        let meaning = "The beginning of a line; the rest of it was not seen.";
        fields.push(Field::new("cut line", whole..bytes.len(), value, meaning, "RFC 9112 §2.1"));
    }
    let said = fit(said, DECISION - CUT.len()) + CUT;
    Some(Description {
        protocol: "HTTP",
        unit: "message",
        outbound: said.clone(),
        inbound: said,
        next: "nobody: it is cut off".to_owned(),
        header: 0..bytes.len(),
        payload: bytes.len()..bytes.len(),
        fields,
    })
}

/// What the first line says, if it is whole.
fn said(kind: Kind, fields: &[Field]) -> String {
    let value = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.value.as_str());
    let (names, unknown) = match kind {
        Kind::Requests => (["method", "request target"], "a request"),
        Kind::Responses => (["status code", "reason phrase"], "a response"),
    };
    let words: Vec<&str> = names.into_iter().filter_map(value).collect();
    if words.is_empty() { unknown.to_owned() } else { words.join(" ") }
}
