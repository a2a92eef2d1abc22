//! URLs that are of no page: of a file, of mail, of a script. What they are made of is the same for all schemes.
//!
//! Read RFC 3986 section 3 first, and what each scheme says of its own: RFC 1738 (ftp), RFC 8089 (file), RFC 6068 (mailto),
//! RFC 6455 section 3 (ws, wss), RFC 2397 (data), RFC 3966 (tel), RFC 8141 (urn).

use framewise_core::Field;

use super::{Parts, query_fields, userinfo_field};

/// The parts that are there, and the port that is implied.
pub(super) fn fields(text: &str, parts: &Parts, url: &::url::Url) -> Vec<Field> {
    let scheme = url.scheme();
    let mut fields =
        vec![Field::new("scheme", parts.scheme.clone(), scheme, meaning_of(scheme), "RFC 3986 §3.1")];
    if let Some(place) = &parts.userinfo {
        let user = (url.username(), url.password());
        fields.push(userinfo_field(place, Some(user)));
    }
    if !parts.host.is_empty() {
        let value = url.host_str().unwrap_or_default();
        let meaning = "Which machine, by its name or its address.";
        fields.push(Field::new("host", parts.host.clone(), value, meaning, "RFC 3986 §3.2.2"));
    }
    fields.extend(port_field(parts, url));
    fields.push(path_field(parts, url));
    if let Some(place) = &parts.query {
        let meaning = "What is said beside the path; what it means is the scheme's affair.";
        fields.extend(query_fields(text, place, url.query().unwrap_or_default(), meaning));
    }
    if let Some(place) = &parts.fragment {
        let meaning = "Which part of what is found there; it is never sent.";
        let value = url.fragment().unwrap_or_default();
        fields.push(Field::new("fragment", place.clone(), value, meaning, "RFC 3986 §3.5"));
    }
    fields
}

fn port_field(parts: &Parts, url: &::url::Url) -> Option<Field> {
    let port = url.port_or_known_default()?;
    let (place, meaning) = match &parts.port {
        Some(place) => (place.clone(), "Which program of that machine.".to_owned()),
        None => (
            parts.host.end..parts.host.end,
            format!("Which program of that machine. It is not given, and {} implies {port}.", url.scheme()),
        ),
    };
    Some(Field::new("port", place, port.to_string(), meaning, "RFC 3986 §3.2.3"))
}

fn path_field(parts: &Parts, url: &::url::Url) -> Field {
    let meaning = match (parts.has_authority, parts.host.is_empty()) {
        (true, true) => "What is meant, on this computer: no host is named.",
        (true, false) => "What is meant, on that machine.",
        (false, _) => "What is meant. No machine is named, so the scheme alone says where to find it.",
    };
    Field::new("path", parts.path.clone(), url.path(), meaning, "RFC 3986 §3.3")
}

/// What a scheme says of all the rest.
fn meaning_of(scheme: &str) -> &'static str {
    match scheme {
        "ftp" => "The protocol: FTP (RFC 959), which carries files.",
        "ws" => "The protocol: WebSocket (RFC 6455), which begins as a request of HTTP.",
        "wss" => "The protocol: WebSocket (RFC 6455), protected by TLS.",
        "file" => "A file of this computer (RFC 8089): no protocol is needed for it.",
        "mailto" => "Mail (RFC 6068): the rest is an address to write to.",
        "tel" => "Telephone (RFC 3966): the rest is a number to call.",
        "data" => "The rest is the thing itself (RFC 2397): nothing is fetched.",
        "javascript" => "The rest is a program, which a browser runs: nothing is fetched.",
        "urn" => "A name (RFC 8141), which says what is meant and not where it is.",
        _ => "How all the rest is to be understood.",
    }
}

/// What is worth a word.
pub(super) fn remarks(parts: &Parts, url: &::url::Url) -> Vec<String> {
    let mut remarks =
        vec![format!("No page is fetched by {}: here; http:// and https:// are for pages.", url.scheme())];
    if !parts.has_authority {
        remarks.push("Without // there is no host in it.".to_owned());
    }
    remarks
}
