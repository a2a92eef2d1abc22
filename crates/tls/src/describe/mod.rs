//! What records and the messages in them say, for people.
//!
//! ```text
//!   describe(record) ──► header, and what is in the clear: hellos, alerts, all of a TLS 1.2 handshake
//!   describe_handshake(inside), describe_alert(inside) ──► what was sealed, once somebody with the keys has opened it
//! ```
//!
//! Read first: RFC 8446 sections 5.1, 5.2 and appendix D.4 (why a record of TLS 1.3 calls itself TLS 1.2).

mod alert;
mod certificate;
mod cut;
mod exchange;
mod extension;
mod hello;
mod key;
mod list;
mod message;
mod names;
mod offer;
mod proof;
mod seal;
mod told;
mod word;
mod x509;

use std::ops::Range;

use framewise_core::describe::Part;
use framewise_core::{Description, Field};

use crate::handshake;
use crate::passive::Unopened;
use crate::record::{ContentType, HEADER, Record, RecordError};
use crate::vector::Reader;
use told::Told;

pub use alert::describe_alert;
pub(crate) use alert::name as alert_name;
pub use cut::describe_cut;
pub use message::{describe_handshake, said};

/// What the one who describes knows beside the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The name of whom the bytes are for, or of whom they come from.
    pub peer: Option<String>,
    /// Whether nobody checked that the peer is the one of that name.
    pub unchecked: bool,
    /// Whether the connection speaks TLS 1.2; else 1.3.
    pub tls12: bool,
    /// Whether keys are in use, so that a handshake record or an alert of TLS 1.2 is sealed as well.
    pub sealed: bool,
    /// The number of the cipher suite, if it is known: else in TLS 1.2 it is taken for AES-GCM, which nearly everybody uses.
    pub cipher_suite: Option<u16>,
    /// What is spoken inside, if the handshake said so (RFC 7301).
    pub protocol: Option<String>,
}

/// What TLS has to say where it was not asked for: in at most 34 characters, as in a [`Description`].
pub const NOT_USED: &str = "not used: anyone can read http";

/// What a client says of its handshake that was told not to check the server's certificate.
pub const UNCHECKED: &str = "keys agreed; nobody checked with whom (insecure)";

/// What records are that travel beside a message and are none of its own: the end of a handshake, session tickets.
pub const OWN_RECORDS: &str = "what TLS itself has to say";

/// Describes the first record in `bytes`.
///
/// ```
/// use framewise_tls::{Context, describe};
/// let record = [&[23, 3, 3, 0, 52][..], &[0; 52]].concat();
/// let description = describe(&record, &Context { peer: Some("shop.test".into()), ..Context::default() })?;
/// assert_eq!(description.outbound, "only shop.test can read it");
/// assert_eq!(description.payload.len(), 35);
/// # Ok::<(), framewise_tls::record::RecordError>(())
/// ```
pub fn describe(bytes: &[u8], context: &Context) -> Result<Description, RecordError> {
    let record = Record::parse(bytes)?;
    let sealed = is_sealed(&record, context);
    let (header, payload) = parts(&record, sealed, context);
    let mut fields = header_fields(&record, sealed, context);
    fields.extend(content_fields(bytes, &record, sealed, context));
    Ok(Description {
        protocol: "TLS",
        unit: "record",
        outbound: outbound(&record, sealed, context),
        inbound: inbound(&record, sealed),
        next: next_of(record.content_type).to_owned(),
        header,
        payload,
        fields,
    })
}

/// Describes the first record in `bytes` for somebody who only watches: `inner` is what was found in it, and where in the
/// record that stands, or why it stays sealed.
///
/// ```
/// use framewise_tls::{Context, describe::describe_watched, passive::Unopened};
/// let record = [&[23, 3, 3, 0, 52][..], &[0; 52]].concat();
/// let description = describe_watched(&record, &Context::default(), Err(Unopened::TagWrong))?;
/// assert_eq!(description.inbound, "tag wrong: altered, or other key");
/// # Ok::<(), framewise_tls::record::RecordError>(())
/// ```
pub fn describe_watched(
    bytes: &[u8],
    context: &Context,
    inner: Result<(ContentType, Range<usize>), Unopened>,
) -> Result<Description, RecordError> {
    let mut description = describe(bytes, context)?;
    match inner {
        Ok((content_type, place)) => {
            description.next = next_of_opened(content_type, context);
            description.header.end = place.start;
            description.payload = place;
        }
        Err(why) => {
            description.inbound = why.in_short().to_owned();
            description.next = "nobody: it is sealed".to_owned();
        }
    }
    Ok(description)
}

/// What is said of a record, or of what is in it, by a part of it. Nobody can open a record before all of it is there: the
/// verdict stands where its end is.
///
/// ```
/// use framewise_core::describe::Part;
/// use framewise_tls::{Context, describe, describe::in_part};
/// let record = describe(&[&[23, 3, 3, 0, 52][..], &[0; 52]].concat(), &Context::default())?;
/// let end = in_part(record.clone(), &Part::new(30..57, 57));
/// assert_eq!((&*end.outbound, &*end.inbound), ("ends: bytes 30 to 56", "tag right: not altered"));
/// let begin = in_part(record, &Part::new(0..30, 57));
/// assert_eq!((&*begin.inbound, &*begin.next), ("begins: 30 of 57 bytes", "waits for the rest"));
/// # Ok::<(), framewise_tls::record::RecordError>(())
/// ```
pub fn in_part(mut description: Description, part: &Part) -> Description {
    if !part.begins() {
        description.outbound = part.to_string();
    }
    if !part.ends() {
        description.inbound = part.to_string();
        description.next = "waits for the rest".to_owned();
    }
    description
}

/// Describes what is in a record: a content that was opened, or is in the clear. Offsets count from its first byte.
///
/// ```
/// use framewise_tls::{Context, describe::describe_content, record::ContentType};
/// let description = describe_content(ContentType::Alert, &[1, 0], &Context::default());
/// assert_eq!(description.outbound, "alert: close notify");
/// ```
pub fn describe_content(content_type: ContentType, content: &[u8], context: &Context) -> Description {
    match content_type {
        ContentType::Handshake => return describe_handshake(content, context),
        ContentType::Alert => return describe_alert(content),
        ContentType::ChangeCipherSpec | ContentType::ApplicationData => {}
    }
    let is_data = content_type == ContentType::ApplicationData;
    let said = match is_data {
        true => opened(content, context),
        false => content_type.name().replace('_', " "),
    };
    let header = if is_data { 0 } else { content.len() };
    Description {
        protocol: "TLS",
        unit: "content",
        outbound: said.clone(),
        inbound: said,
        next: next_of_opened(content_type, context),
        header: 0..header,
        payload: header..content.len(),
        fields: Vec::new(),
    }
}

/// Bytes of the application that are there to read, whatever they say.
fn opened(content: &[u8], context: &Context) -> String {
    let protocol = context.protocol.as_deref().unwrap_or("the application");
    format!("opened: {} bytes of {protocol}", content.len()).chars().take(DECISION).collect()
}

fn is_sealed(record: &Record<'_>, context: &Context) -> bool {
    match record.content_type {
        ContentType::ApplicationData => true,
        ContentType::ChangeCipherSpec => false,
        ContentType::Alert | ContentType::Handshake => context.tls12 && context.sealed,
    }
}

/// Header and payload; what is left at the end is the trailer: in TLS 1.3 the true content type and the tag.
fn parts(record: &Record<'_>, sealed: bool, context: &Context) -> (Range<usize>, Range<usize>) {
    let (front, back) = match (sealed, context.tls12) {
        (false, _) => (0, 0),
        (true, true) => seal::Form::of_tls12(context.cipher_suite).around(),
        (true, false) => (0, 1 + seal::TAG),
    };
    let end = record.wire_len();
    let begin = (HEADER + front).min(end);
    (0..begin, begin..end.saturating_sub(back).max(begin))
}

fn header_fields(record: &Record<'_>, sealed: bool, context: &Context) -> Vec<Field> {
    let length = record.fragment.len();
    vec![
        Field::new(
            "content type",
            0..1,
            format!("{} ({})", record.content_type.number(), record.content_type.name()),
            content_meaning(record, sealed, context),
            "RFC 8446 §5.1",
        ),
        Field::new(
            "legacy version",
            1..3,
            format!("{:#06x} ({})", record.legacy_version, handshake::version(record.legacy_version)),
            version_meaning(record, context),
            "RFC 8446 §5.1, appendix D.4",
        ),
        Field::new(
            "length",
            3..5,
            length.to_string(),
            match sealed {
                true => format!("{length} bytes follow, the seal that shows any change included."),
                false if length == 1 => "1 byte follows.".to_owned(),
                false => format!("{length} bytes follow."),
            },
            "RFC 8446 §5.1",
        ),
    ]
}

fn content_meaning(record: &Record<'_>, sealed: bool, context: &Context) -> &'static str {
    match (record.content_type, sealed, context.tls12) {
        (ContentType::ApplicationData, _, false) => {
            "Something sealed; what it truly is, data, handshake or alert, is sealed inside as well."
        }
        (ContentType::ApplicationData, _, true) => "Bytes of the application, sealed.",
        (ContentType::Handshake, false, _) => "Part of agreeing on keys; it can't be sealed yet.",
        (ContentType::Handshake, true, _) => "The end of agreeing on keys, sealed with them already.",
        (ContentType::Alert, false, _) => "An error, or the end of the conversation.",
        (ContentType::Alert, true, _) => "An error, or the end of the conversation, sealed.",
        (ContentType::ChangeCipherSpec, _, true) => "From here on everything is sealed.",
        (ContentType::ChangeCipherSpec, _, false) => {
            "Means nothing in TLS 1.3; it is sent so that old boxes on the way see what they are used to."
        }
    }
}

fn version_meaning(record: &Record<'_>, context: &Context) -> &'static str {
    match (record.legacy_version, context.tls12) {
        (0x0303, true) => "TLS 1.2, as it says.",
        (0x0303, false) => {
            "TLS 1.3 calls itself 1.2, since old boxes on the way drop what they don't know; the hellos tell."
        }
        (0x0301, _) => {
            "A first hello calls itself TLS 1.0, so that even old servers read it. The true versions stand inside."
        }
        _ => "Ignored: the true version is agreed on in the hellos.",
    }
}

/// What can be read behind the header: the messages, or how they are sealed.
fn content_fields(bytes: &[u8], record: &Record<'_>, sealed: bool, context: &Context) -> Vec<Field> {
    let mut told = Told::default();
    let bytes = bytes.get(..record.wire_len()).unwrap_or(bytes);
    let mut reader = Reader::new(bytes, HEADER);
    match record.content_type {
        _ if sealed => seal::tell(&mut reader, context, &mut told),
        // Only TLS 1.2 sends messages in the clear that differ from those of TLS 1.3.
        ContentType::Handshake => message::tell(&mut reader, message::Dialect::Tls12, &mut told),
        ContentType::Alert => alert::tell(&mut reader, &mut told),
        ContentType::ChangeCipherSpec => {
            let meaning = "Always 1: there never was another kind.";
            let _ = told.u8(&mut reader, "change cipher spec", "RFC 5246 §7.1", |kind| {
                (kind.to_string(), meaning.into())
            });
        }
        ContentType::ApplicationData => {}
    }
    told.unread(&reader);
    told.fields
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// The walk's columns: at most 34 and 22 characters.
const DECISION: usize = 34;
const NEXT: usize = 22;

fn outbound(record: &Record<'_>, sealed: bool, context: &Context) -> String {
    if !sealed {
        return in_the_clear(record);
    }
    if context.unchecked {
        return "nobody checked who can read it".to_owned();
    }
    let peer = context.peer.as_deref().unwrap_or("the peer");
    let named = format!("only {peer} can read it");
    if named.chars().count() <= DECISION { named } else { "only the peer can read it".to_owned() }
}

fn inbound(record: &Record<'_>, sealed: bool) -> String {
    if sealed { "tag right: not altered".to_owned() } else { in_the_clear(record) }
}

fn in_the_clear(record: &Record<'_>) -> String {
    let name = match record.content_type {
        ContentType::Alert => alert::said(record.fragment),
        ContentType::Handshake => first_message(record.fragment).replace('_', " "),
        other => other.name().replace('_', " "),
    };
    let whole = format!("{name}, in the clear");
    // Which alert it is says more than that anybody can read it.
    if whole.chars().count() <= DECISION { whole } else { name.chars().take(DECISION).collect() }
}

/// Who gets what is in a record of this type.
fn next_of_opened(content_type: ContentType, context: &Context) -> String {
    let other = context.protocol.as_deref().filter(|protocol| !protocol.starts_with("http/"));
    match (content_type, other) {
        (ContentType::ApplicationData, Some(other)) => {
            format!("type 23: {other}").chars().take(NEXT).collect()
        }
        _ => next_of(content_type).to_owned(),
    }
}

fn next_of(content_type: ContentType) -> &'static str {
    match content_type {
        ContentType::ApplicationData => "type 23: HTTP",
        ContentType::Handshake => "type 22: TLS itself",
        ContentType::Alert => "type 21: TLS itself",
        ContentType::ChangeCipherSpec => "type 20: nobody",
    }
}

/// The name of the first of the messages in `bytes`.
fn first_message(bytes: &[u8]) -> &'static str {
    let Some(first) = handshake::messages(bytes).into_iter().next() else {
        return ContentType::Handshake.name();
    };
    let message = bytes.get(first.bytes.clone()).unwrap_or_default();
    if hello::is_retry(message) { "hello_retry_request" } else { first.name() }
}
