//! What a record's header says, for people.
//!
//! Read first: RFC 8446 sections 5.1, 5.2 and appendix D.4 (why a record of TLS 1.3 calls itself TLS 1.2).

use std::ops::Range;

use framewise_core::{Description, Field};

use crate::handshake::{self, ClientHello, Message, ServerHello};
use crate::passive::Unopened;
use crate::presented::Presented;
use crate::record::{ContentType, HEADER, Record, RecordError};

/// What the one who describes knows beside the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The name of whom the bytes are for, or of whom they come from.
    pub peer: Option<String>,
    /// Whether the connection speaks TLS 1.2; else 1.3.
    pub tls12: bool,
    /// Whether keys are in use, so that a handshake record or an alert of TLS 1.2 is sealed as well.
    pub sealed: bool,
}

/// What TLS has to say where it was not asked for: in at most 34 characters, as in a [`Description`].
pub const NOT_USED: &str = "not used: anyone can read http";

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
    if !sealed {
        fields.extend(content_fields(&record));
    }
    Ok(Description {
        protocol: "TLS",
        unit: "record",
        outbound: outbound(&record, sealed, context),
        inbound: inbound(sealed).to_owned(),
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
            description.next = next_of(content_type).to_owned();
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

/// Describes what is in a record: a content that was opened, or is in the clear. Offsets count from its first byte.
///
/// ```
/// use framewise_tls::{describe::describe_content, record::ContentType};
/// let description = describe_content(ContentType::Alert, &[1, 0]);
/// assert_eq!(description.fields[0].meaning, "The sender has said all.");
/// ```
pub fn describe_content(content_type: ContentType, content: &[u8]) -> Description {
    let fields = match content_type {
        ContentType::Handshake => handshake_fields(content, 0),
        ContentType::Alert => alert_field(content, 0).into_iter().collect(),
        ContentType::ChangeCipherSpec | ContentType::ApplicationData => Vec::new(),
    };
    let header = if content_type == ContentType::ApplicationData { 0 } else { content.len() };
    let first = handshake::messages(content).into_iter().next();
    let said = match (content_type, first) {
        (ContentType::Handshake, Some(message)) => message.name().replace('_', " "),
        (ContentType::Handshake, None) => "part of a handshake message".to_owned(),
        (other, _) => other.name().replace('_', " "),
    };
    Description {
        protocol: "TLS",
        unit: "content",
        outbound: said.clone(),
        inbound: said,
        next: next_of(content_type).to_owned(),
        header: 0..header,
        payload: header..content.len(),
        fields,
    }
}

fn is_sealed(record: &Record<'_>, context: &Context) -> bool {
    match record.content_type {
        ContentType::ApplicationData => true,
        ContentType::ChangeCipherSpec => false,
        ContentType::Alert | ContentType::Handshake => context.tls12 && context.sealed,
    }
}

/// The tag of AES-GCM and ChaCha20-Poly1305, and the nonce that AES-GCM writes in TLS 1.2.
const TAG: usize = 16;
const EXPLICIT_NONCE: usize = 8;

/// Header and payload; what is left at the end is the trailer: in TLS 1.3 the true content type and the tag.
fn parts(record: &Record<'_>, sealed: bool, context: &Context) -> (Range<usize>, Range<usize>) {
    let (front, back) = match (sealed, context.tls12) {
        (false, _) => (0, 0),
        (true, true) => (EXPLICIT_NONCE, TAG),
        (true, false) => (0, 1 + TAG),
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
                true => format!("{length} bytes follow, the seal that shows any change included"),
                false => format!("{length} bytes follow"),
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
            "TLS 1.3 calls itself 1.2 here, since old boxes on the way drop what they don't know. \
             The true version is agreed on in the hellos."
        }
        (0x0301, _) => {
            "A first hello calls itself TLS 1.0, so that even old servers read it. The true versions stand inside."
        }
        _ => "Ignored: the true version is agreed on in the hellos.",
    }
}

/// What can be read of a record that is not sealed.
fn content_fields(record: &Record<'_>) -> Vec<Field> {
    match record.content_type {
        ContentType::Handshake => handshake_fields(record.fragment, HEADER),
        ContentType::Alert => alert_field(record.fragment, HEADER).into_iter().collect(),
        ContentType::ChangeCipherSpec | ContentType::ApplicationData => Vec::new(),
    }
}

/// The fields of the messages in a content that begins at byte `at` of what is described.
fn handshake_fields(content: &[u8], at: usize) -> Vec<Field> {
    let mut fields = Vec::new();
    for message in handshake::messages(content) {
        let begin = message.bytes.start;
        fields.push(Field::new(
            "handshake message",
            begin..begin + 1,
            format!("{} ({})", message.number, message.name()),
            sentence(message.meaning()),
            "RFC 8446 §4",
        ));
        match message.number {
            1 => fields.extend(client_hello_fields(content, &message)),
            2 => fields.extend(server_hello_fields(content, &message)),
            8 => fields.extend(handshake::chosen_protocol(content, &message).map(chosen_protocol)),
            11 => fields.extend(certificate_field(content, &message)),
            _ => {}
        }
    }
    for field in &mut fields {
        field.bytes = field.bytes.start + at..field.bytes.end + at;
    }
    fields
}

fn client_hello_fields(content: &[u8], message: &Message) -> Vec<Field> {
    let hello = ClientHello::read(content, message);
    let name = hello.server_name.map(|(range, name)| {
        let meaning = "Which server is wanted, in the clear: many names may live at one address.";
        Field::new("server name", range, name, meaning, "RFC 6066 §3")
    });
    let listed = [
        (
            "supported versions",
            hello.versions,
            "The versions of TLS that the client speaks.",
            "RFC 8446 §4.2.1",
        ),
        (
            "application protocols",
            hello.alpn,
            "What the client wants to speak once keys are agreed on.",
            "RFC 7301 §3.1",
        ),
        (
            "cipher suites",
            hello.cipher_suites,
            "The ways of sealing that the client knows, the best first.",
            "RFC 8446 §4.1.2",
        ),
    ];
    let listed = listed.into_iter().filter_map(|(name, list, meaning, source)| {
        let (range, values) = list?;
        Some(Field::new(name, range, values.join(", "), meaning, source))
    });
    name.into_iter().chain(listed).collect()
}

fn server_hello_fields(content: &[u8], message: &Message) -> Vec<Field> {
    let hello = ServerHello::read(content, message);
    let meaning = match hello.is_retry() {
        true => "The version of TLS that the client is to ask for again.",
        false => "The version of TLS that is spoken from here on.",
    };
    let version = hello.version.map(|(range, number)| {
        Field::new("selected version", range, handshake::version(number), meaning, "RFC 8446 §4.2.1")
    });
    let suite = hello.cipher_suite.map(|(range, number)| {
        let meaning = "The way of sealing that the server chose among those offered.";
        Field::new("cipher suite", range, handshake::cipher_suite(number), meaning, "RFC 8446 §4.1.3")
    });
    version.into_iter().chain(suite).chain(hello.alpn.map(chosen_protocol)).collect()
}

fn chosen_protocol((range, name): (Range<usize>, String)) -> Field {
    let meaning = "What both speak above TLS, as the server chose.";
    Field::new("application protocol", range, name, meaning, "RFC 7301 §3.1")
}

/// The sender's own certificate. Which of the two versions' lists it stands in, only the certificate itself tells.
fn certificate_field(content: &[u8], message: &Message) -> Option<Field> {
    [false, true].into_iter().find_map(|tls12| {
        let place = handshake::first_certificate(content, message, tls12)?;
        let presented = Presented::read(content.get(place.clone())?)?;
        let subject = presented.subject.unwrap_or_else(|| "no name".to_owned());
        let meaning = match (presented.self_signed, presented.issuer) {
            (true, _) => "Whose key this is, by its own word.".to_owned(),
            (false, Some(issuer)) => format!("Whose key this is, by the word of {issuer}."),
            (false, None) => "Whose key this is, by the word of somebody without a name.".to_owned(),
        };
        Some(Field::new("certificate", place, subject, meaning, "RFC 8446 §4.4.2, RFC 5280 §4.1"))
    })
}

fn alert_field(content: &[u8], at: usize) -> Option<Field> {
    let [level, description] = *content.first_chunk()?;
    let (value, meaning) = match description {
        0 => ("0 (close_notify)".to_owned(), "The sender has said all."),
        number if level == 2 => (number.to_string(), "A fatal error: the connection ends here."),
        number => (number.to_string(), "A warning."),
    };
    Some(Field::new("alert", at..at + 2, value, meaning, "RFC 8446 §6"))
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// The walk's columns: at most 34 and 22 characters.
const DECISION: usize = 34;

fn outbound(record: &Record<'_>, sealed: bool, context: &Context) -> String {
    match (sealed, first_message(record)) {
        (true, _) => {
            let peer = context.peer.as_deref().unwrap_or("the peer");
            let named = format!("only {peer} can read it");
            match named.chars().count() <= DECISION {
                true => named,
                false => "only the peer can read it".to_owned(),
            }
        }
        (false, Some(message)) => format!("{}, in the clear", message.name().replace('_', " ")),
        (false, None) => format!("{}, in the clear", record.content_type.name().replace('_', " ")),
    }
}

fn inbound(sealed: bool) -> &'static str {
    if sealed { "tag right: not altered" } else { "in the clear: no keys yet" }
}

/// Who gets what is in a record of this type.
fn next_of(content_type: ContentType) -> &'static str {
    match content_type {
        ContentType::ApplicationData => "type 23: HTTP",
        ContentType::Handshake => "type 22: TLS itself",
        ContentType::Alert => "type 21: TLS itself",
        ContentType::ChangeCipherSpec => "type 20: nobody",
    }
}

fn first_message(record: &Record<'_>) -> Option<Message> {
    match record.content_type {
        ContentType::Handshake => handshake::messages(record.fragment).into_iter().next(),
        _ => None,
    }
}
