//! The field lines of a head, each with a sentence: RFC 9110 sections 5 to 14, RFC 9111, RFC 9112 section 6.

use std::ops::Range;

use framewise_core::Field;

/// Explains a line; one that is not known is carried along.
pub(super) fn field_line(place: Range<usize>, line: &str) -> Field {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let value = value.trim();
    let known = KNOWN.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
    match known {
        Some((known, meaning, source)) => {
            let meaning = about(known, value).unwrap_or_else(|| (*meaning).to_owned());
            Field::new(known, place, value, meaning, source)
        }
        None => Field::new(
            "field",
            place,
            line,
            "A field that HTTP carries along without looking at it.",
            "RFC 9110 §5",
        ),
    }
}

/// A sentence about this very value, where there is more to say than what the field is for.
fn about(name: &str, value: &str) -> Option<String> {
    let is = |word: &str| value.eq_ignore_ascii_case(word);
    Some(match name {
        "Content-Length" if value == "0" => "No body follows the empty line.".to_owned(),
        "Content-Length" if value == "1" => "1 byte of body follows the empty line.".to_owned(),
        "Content-Length" if !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit()) => {
            let short: String = value.chars().take(20).collect();
            format!("{short} bytes of body follow the empty line.")
        }
        "Transfer-Encoding" if !is("chunked") => {
            "How the body is packed on the way; if chunked stands last, it comes in chunks.".to_owned()
        }
        "Connection" if is("close") => "The connection ends after this message's exchange.".to_owned(),
        "Connection" if is("keep-alive") => "The connection stays open for another request.".to_owned(),
        "Connection" if is("upgrade") => "Another protocol shall be spoken on this connection.".to_owned(),
        "Accept-Ranges" if is("none") => "Parts of the page can't be asked for.".to_owned(),
        "Accept-Ranges" if is("bytes") => "A part of the page may be asked for, counted in bytes.".to_owned(),
        "Cache-Control" if is("no-store") => "Nobody may keep this for later.".to_owned(),
        "Cache-Control" if is("no-cache") => {
            "It may be kept, but ask whether it changed before each use.".to_owned()
        }
        "Content-Encoding" if is("gzip") => {
            "The body is packed by gzip: unpack it before reading.".to_owned()
        }
        "Content-Encoding" if is("br") => {
            "The body is packed by brotli: unpack it before reading.".to_owned()
        }
        "If-None-Match" if value == "*" => "Do it only if there is no such page yet.".to_owned(),
        "Content-Type" => content_type(value)?.to_owned(),
        _ => return None,
    })
}

fn content_type(value: &str) -> Option<&'static str> {
    let kind = value.split(';').next().unwrap_or_default().trim();
    Some(match kind.to_ascii_lowercase().as_str() {
        "text/html" => "The body is a page in HTML, which a browser draws.",
        "text/plain" => "The body is plain text.",
        "text/css" => "The body says how pages look.",
        "text/javascript" | "application/javascript" => "The body is a program for the browser.",
        "application/json" => "The body is data for programs, in JSON.",
        "application/x-www-form-urlencoded" => "The body is a form, its fields written like a query.",
        "multipart/form-data" => "The body is a form in several parts, perhaps with files.",
        "application/octet-stream" => "The body is bytes of no particular kind.",
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/svg+xml" => "The body is a picture.",
        _ => return None,
    })
}

/// Name, what it is for, source.
#[rustfmt::skip]
const KNOWN: &[(&str, &str, &str)] = &[
    ("Host", "Which of the names that this machine serves is meant.", "RFC 9110 §7.2"),
    ("Content-Length", "How many bytes of body follow the empty line.", "RFC 9110 §8.6"),
    ("Transfer-Encoding", "The body comes in chunks, each with its size in front; one of size 0 ends it.", "RFC 9112 §6.1"),
    ("Content-Type", "What the body is, so that the reader knows what to do with it.", "RFC 9110 §8.3"),
    ("Content-Encoding", "How the body is packed.", "RFC 9110 §8.4"),
    ("Content-Language", "For readers of which language the body is.", "RFC 9110 §8.5"),
    ("Content-Location", "Where this version of the page may be had again.", "RFC 9110 §8.7"),
    ("Content-Disposition", "Whether to show the body or to keep it as a file, and by which name.", "RFC 6266 §4"),
    ("Content-Security-Policy", "From where the page may load what it needs.", "W3C CSP §3.1"),
    ("Connection", "Whether the connection is used again after this message.", "RFC 9110 §7.6.1"),
    ("Keep-Alive", "How long the connection stays open for another request.", "RFC 2068 §19.7.1"),
    ("Upgrade", "Which other protocol could be spoken here.", "RFC 9110 §7.8"),
    ("Via", "Which proxies the message has passed.", "RFC 9110 §7.6.3"),
    ("Trailer", "Which fields come behind the body.", "RFC 9110 §6.6.2"),
    ("TE", "Which ways of carrying a body the reader understands.", "RFC 9110 §10.1.4"),
    ("Date", "When the message was made.", "RFC 9110 §6.6.1"),
    ("Age", "For how many seconds somebody on the way has kept this.", "RFC 9111 §5.1"),
    ("Expires", "Until when this may be used without asking again.", "RFC 9111 §5.3"),
    ("Server", "Which program answered.", "RFC 9110 §10.2.4"),
    ("User-Agent", "Which program asks.", "RFC 9110 §10.1.5"),
    ("Referer", "On which page the link to this one was.", "RFC 9110 §10.1.3"),
    ("Origin", "From pages of which server this request comes.", "RFC 6454 §7"),
    ("Accept", "Which kinds of answer the reader understands.", "RFC 9110 §12.5.1"),
    ("Accept-Encoding", "Which ways of packing the reader can unpack.", "RFC 9110 §12.5.3"),
    ("Accept-Language", "Which languages the reader prefers.", "RFC 9110 §12.5.4"),
    ("Accept-Ranges", "Whether a part of the page may be asked for.", "RFC 9110 §14.3"),
    ("Vary", "On which fields of the request the answer depends.", "RFC 9110 §12.5.5"),
    ("Allow", "Which methods this page knows.", "RFC 9110 §10.2.1"),
    ("Location", "Where to look instead.", "RFC 9110 §10.2.2"),
    ("Link", "Other pages that belong to this one.", "RFC 8288 §3"),
    ("ETag", "The name of this version of the page.", "RFC 9110 §8.8.3"),
    ("Last-Modified", "When the page last changed.", "RFC 9110 §8.8.2"),
    ("If-Match", "Do it only if it is still this version.", "RFC 9110 §13.1.1"),
    ("If-None-Match", "Send it only if it is not this version, which I have.", "RFC 9110 §13.1.2"),
    ("If-Modified-Since", "Send it only if it changed since then.", "RFC 9110 §13.1.3"),
    ("If-Unmodified-Since", "Do it only if it has not changed since then.", "RFC 9110 §13.1.4"),
    ("If-Range", "Send the part only if it is still this version, else all of it.", "RFC 9110 §13.1.5"),
    ("Range", "Which bytes of the page are wanted.", "RFC 9110 §14.2"),
    ("Content-Range", "Which bytes of the page these are.", "RFC 9110 §14.4"),
    ("Expect", "Tell me to go on before I send the body.", "RFC 9110 §10.1.1"),
    ("Authorization", "Who asks, and the proof of it.", "RFC 9110 §11.6.2"),
    ("WWW-Authenticate", "How to say who you are.", "RFC 9110 §11.6.1"),
    ("Cookie", "What the server asked to be told again.", "RFC 6265 §4.2"),
    ("Set-Cookie", "What the server wants to be told again.", "RFC 6265 §4.1"),
    ("Cache-Control", "Whether, and how long, this may be kept for later.", "RFC 9111 §5.2"),
    ("Pragma", "An old way of asking that nothing kept is sent.", "RFC 9111 §5.4"),
    ("Retry-After", "When to ask again.", "RFC 9110 §10.2.3"),
    ("Strict-Transport-Security", "Come by https only from now on.", "RFC 6797 §6.1"),
    ("Upgrade-Insecure-Requests", "The reader would rather have the page by https.", "W3C Upgrade §3.2.1"),
    ("X-Content-Type-Options", "Believe the content type, and don't guess.", "WHATWG Fetch §3.6"),
];
