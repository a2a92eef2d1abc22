//! The rules of RFC 9112 that a message can break, each with its name, its section and the answer it gets.

mod right;

use std::fmt;

use framewise_core::seams::exchange::ExchangeError;
use http::StatusCode;

use crate::config::Limits;

/// A rule of HTTP/1.1 that a message broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // each is said in full by `Rule::sentence`
pub enum Rule {
    BareLineFeed,
    BareCarriageReturn,
    ControlCharacter,
    FoldedField,
    SpaceBeforeColon,
    FieldName,
    NoColon,
    TooManyFields,
    HeadTooLong,
    RequestLine,
    RequestTarget,
    TargetTooLong,
    StatusLine,
    NotHttp,
    TlsRecord,
    Version,
    Method,
    HostMissing,
    HostRepeated,
    HostInvalid,
    HostOfOther,
    NotByTls,
    LengthRepeated,
    LengthInvalid,
    LengthAndCoding,
    ChunkedNotLast,
    CodingUnknown,
    CodingInHttp10,
    Expectation,
    ChunkSize,
    ChunkSizeOverflow,
    ChunkSizeZeros,
    ChunkExtension,
    ChunkEnd,
    BodyTooLong,
    BodyCutShort,
    TooManyInformational,
    SwitchingProtocols,
    HeadTooSlow,
    BodyTooSlow,
    TooManyExchanges,
}

/// Name of a rule's kind, sentence, source, status: one row for each rule.
type Row = (&'static str, &'static str, &'static str, StatusCode);

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 41] = [
        Rule::BareLineFeed,
        Rule::BareCarriageReturn,
        Rule::ControlCharacter,
        Rule::FoldedField,
        Rule::SpaceBeforeColon,
        Rule::FieldName,
        Rule::NoColon,
        Rule::TooManyFields,
        Rule::HeadTooLong,
        Rule::RequestLine,
        Rule::RequestTarget,
        Rule::TargetTooLong,
        Rule::StatusLine,
        Rule::NotHttp,
        Rule::TlsRecord,
        Rule::Version,
        Rule::Method,
        Rule::HostMissing,
        Rule::HostRepeated,
        Rule::HostInvalid,
        Rule::HostOfOther,
        Rule::NotByTls,
        Rule::LengthRepeated,
        Rule::LengthInvalid,
        Rule::LengthAndCoding,
        Rule::ChunkedNotLast,
        Rule::CodingUnknown,
        Rule::CodingInHttp10,
        Rule::Expectation,
        Rule::ChunkSize,
        Rule::ChunkSizeOverflow,
        Rule::ChunkSizeZeros,
        Rule::ChunkExtension,
        Rule::ChunkEnd,
        Rule::BodyTooLong,
        Rule::BodyCutShort,
        Rule::TooManyInformational,
        Rule::SwitchingProtocols,
        Rule::HeadTooSlow,
        Rule::BodyTooSlow,
        Rule::TooManyExchanges,
    ];

    /// Its name in a few words, as drops are counted by.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The rule in one sentence without a full stop.
    pub const fn sentence(self) -> &'static str {
        self.row().1
    }

    /// RFC and section.
    pub const fn source(self) -> &'static str {
        self.row().2
    }

    /// What a server answers to whoever breaks it.
    pub const fn status(self) -> StatusCode {
        self.row().3
    }

    /// The field that this rule is about, if it is about one.
    pub(crate) const fn field(self) -> Option<&'static str> {
        match self {
            Rule::HostRepeated | Rule::HostInvalid | Rule::HostOfOther => Some("host"),
            Rule::LengthRepeated | Rule::LengthInvalid => Some("content-length"),
            Rule::LengthAndCoding | Rule::ChunkedNotLast | Rule::CodingUnknown | Rule::CodingInHttp10 => {
                Some("transfer-encoding")
            }
            Rule::Expectation => Some("expect"),
            _ => None,
        }
    }

    #[rustfmt::skip]
    const fn row(self) -> Row {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        const LARGE: StatusCode = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        match self {
            Rule::BareLineFeed => ("bare line feed", "a line ends with CR LF; here is LF alone", "RFC 9112 §2.2", BAD),
            Rule::BareCarriageReturn => ("bare carriage return", "a line ends with CR LF; here is CR alone", "RFC 9112 §2.2", BAD),
            Rule::ControlCharacter => ("control character", "a head holds no control characters but HTAB in values", "RFC 9110 §5.5", BAD),
            Rule::FoldedField => ("folded field", "a field is one line; a line must not begin with white space", "RFC 9112 §5.2", BAD),
            Rule::SpaceBeforeColon => ("space before colon", "between a field's name and its colon is no white space", "RFC 9112 §5.1", BAD),
            Rule::FieldName => ("field name", "a field's name is a token: letters, digits and !#$%&'*+-.^_`|~", "RFC 9110 §5.1", BAD),
            Rule::NoColon => ("no colon", "a field is a name, a colon and a value; here is no colon", "RFC 9112 §5", BAD),
            Rule::TooManyFields => ("too many fields", "the head has more fields than this side takes", "RFC 6585 §5", LARGE),
            Rule::HeadTooLong => ("head too long", "the head is longer than this side takes", "RFC 6585 §5", LARGE),
            Rule::RequestLine => ("request line", "a request begins with method, target and version, one space between each", "RFC 9112 §3", BAD),
            Rule::RequestTarget => ("request target", "a target is /path, a URL with a host, or *, in ASCII; in a path % has two digits", "RFC 9112 §3.2", BAD),
            Rule::TargetTooLong => ("target too long", "the request target is longer than this side takes", "RFC 9110 §15.5.15", StatusCode::URI_TOO_LONG),
            Rule::StatusLine => ("status line", "a response begins with a version, three digits from 100 on, and a phrase", "RFC 9112 §4", BAD),
            Rule::NotHttp => ("no HTTP", "a response begins with HTTP/ in capitals; this begins otherwise", "RFC 9112 §2.3", BAD),
            Rule::TlsRecord => ("TLS record", "an answer begins with its version; this one begins as a record of TLS does", "RFC 9112 §4, RFC 8446 §5.1", BAD),
            Rule::Version => ("version", "the version spoken here is HTTP/1.1 (or HTTP/1.0)", "RFC 9110 §15.6.6", StatusCode::HTTP_VERSION_NOT_SUPPORTED),
            Rule::Method => ("unknown method", "the methods known here are GET, HEAD, POST, PUT, DELETE, OPTIONS and PATCH", "RFC 9110 §15.6.2", StatusCode::NOT_IMPLEMENTED),
            Rule::HostMissing => ("host missing", "a request of HTTP/1.1 names its host", "RFC 9112 §3.2", BAD),
            Rule::HostRepeated => ("host repeated", "a request names its host once", "RFC 9112 §3.2", BAD),
            Rule::HostInvalid => ("host invalid", "Host is one name or address, and perhaps a colon and a port", "RFC 9110 §7.2", BAD),
            Rule::HostOfOther => ("host of another certificate", "a connection serves the host whose certificate its client asked for", "RFC 9110 §7.4", StatusCode::MISDIRECTED_REQUEST),
            Rule::NotByTls => ("https without TLS", "what has a URL of https is answered over TLS alone", "RFC 9110 §7.4", StatusCode::MISDIRECTED_REQUEST),
            Rule::LengthRepeated => ("content-length repeated", "Content-Length is said once", "RFC 9112 §6.3", BAD),
            Rule::LengthInvalid => ("content-length invalid", "Content-Length is decimal digits alone, below 2 to the 64", "RFC 9110 §8.6", BAD),
            Rule::LengthAndCoding => ("content-length with transfer-encoding", "a message has Content-Length or Transfer-Encoding, not both", "RFC 9112 §6.1", BAD),
            Rule::ChunkedNotLast => ("chunked not last", "chunked is the last transfer coding, and applied once", "RFC 9112 §6.1", BAD),
            Rule::CodingUnknown => ("unknown transfer coding", "the only transfer coding known here is chunked", "RFC 9112 §6.1", StatusCode::NOT_IMPLEMENTED),
            Rule::CodingInHttp10 => ("transfer-encoding in HTTP/1.0", "HTTP/1.0 has no Transfer-Encoding", "RFC 9112 §6.1", BAD),
            Rule::Expectation => ("unknown expectation", "the only expectation known is 100-continue", "RFC 9110 §10.1.1", StatusCode::EXPECTATION_FAILED),
            Rule::ChunkSize => ("chunk size", "a chunk begins with its size in hexadecimal digits alone", "RFC 9112 §7.1", BAD),
            Rule::ChunkSizeOverflow => ("chunk size overflow", "a chunk's size must fit 64 bits", "RFC 9112 §7.1", BAD),
            Rule::ChunkSizeZeros => ("chunk size of many zeros", "a chunk's size begins with few zeros: at most 256 in one, 16384 in a body", "RFC 9112 §7.1", BAD),
            Rule::ChunkExtension => ("chunk extension", "chunk extensions are short, each and together, and hold no control characters", "RFC 9112 §7.1.1", BAD),
            Rule::ChunkEnd => ("chunk end", "a chunk's data is followed by CR LF", "RFC 9112 §7.1", BAD),
            Rule::BodyTooLong => ("body too long", "the body is longer than this side takes", "RFC 9110 §15.5.14", StatusCode::PAYLOAD_TOO_LARGE),
            Rule::BodyCutShort => ("body cut short", "the body must be as long as its framing says", "RFC 9112 §8", BAD),
            Rule::TooManyInformational => ("too many 1xx responses", "informational responses must come to an end", "RFC 9110 §15.2", BAD),
            Rule::SwitchingProtocols => ("unasked 101", "a server switches protocols only when asked", "RFC 9110 §15.2.2", BAD),
            Rule::HeadTooSlow => ("head too slow", "the head took too long to come", "RFC 9110 §15.5.9", StatusCode::REQUEST_TIMEOUT),
            Rule::BodyTooSlow => ("body too slow", "the body came too slowly", "RFC 9110 §15.5.9", StatusCode::REQUEST_TIMEOUT),
            Rule::TooManyExchanges => ("too many exchanges", "there are as many requests under way as this side takes", "RFC 9110 §15.6.4", StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.sentence(), self.source())
    }
}

/// A message that broke a rule, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("http: {rule}, at byte {offset} of the message")]
pub struct Refusal {
    /// Which rule.
    pub rule: Rule,
    /// Where, counted from the beginning of the message.
    pub offset: u64,
}

impl Refusal {
    pub(crate) fn new(rule: Rule, offset: usize) -> Self {
        Refusal { rule, offset: offset as u64 }
    }

    /// The same of a part of a message that so many bytes come before.
    pub(crate) fn behind(self, bytes: usize) -> Self {
        Refusal { offset: self.offset.saturating_add(bytes as u64), ..self }
    }

    /// How an application hears of it.
    pub(crate) fn into_error(self, limits: &Limits) -> ExchangeError {
        match self.rule {
            Rule::HeadTooLong => ExchangeError::TooLong { what: "the head", limit: limits.head_bytes },
            Rule::TlsRecord => ExchangeError::SpeaksTls,
            Rule::HeadTooSlow => ExchangeError::TimedOut("the head"),
            Rule::BodyTooSlow => ExchangeError::TimedOut("the body"),
            rule => ExchangeError::Malformed {
                rule: format!("{} ({})", self.sentence(limits), rule.source()),
                offset: self.offset,
            },
        }
    }

    /// The rule in one sentence, with the number that these limits have for it.
    pub(crate) fn sentence(&self, limits: &Limits) -> String {
        let limit = match self.rule {
            Rule::TooManyFields => format!(", which is {}", limits.fields),
            Rule::HeadTooLong => format!(", which is {} bytes", limits.head_bytes),
            Rule::TargetTooLong => format!(", which is {} bytes", limits.target_bytes),
            _ => String::new(),
        };
        self.rule.sentence().to_owned() + &limit
    }
}
