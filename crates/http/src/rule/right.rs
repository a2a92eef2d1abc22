//! What would have been right: the advice that a page about a broken rule gives.

use super::Rule;

impl Rule {
    /// What to do instead, in a sentence or by an example.
    #[rustfmt::skip]
    pub const fn right(self) -> &'static str {
        match self {
            Rule::BareLineFeed | Rule::BareCarriageReturn => "End each line with both bytes, 0d 0a.",
            Rule::ControlCharacter => "Leave it out; in a target it is written as % and two digits.",
            Rule::FoldedField => "Write the field in one line, and begin the line with its name.",
            Rule::SpaceBeforeColon | Rule::FieldName | Rule::NoColon => "Write it as in: Accept: text/html",
            Rule::TooManyFields | Rule::HeadTooLong => "Send fewer and shorter fields; cookies are often what is large.",
            Rule::RequestLine => "Begin as in: GET /page HTTP/1.1",
            Rule::RequestTarget => "Write it as in: GET /two%20words?a=b HTTP/1.1",
            Rule::TargetTooLong => "Send in a body (POST) what does not fit into a target.",
            Rule::StatusLine | Rule::NotHttp => "Begin as in: HTTP/1.1 200 OK",
            Rule::TlsRecord => "Speak TLS with it: https in the place of http.",
            Rule::Version => "Ask again by HTTP/1.1.",
            Rule::Method => "Methods are written in capitals: GET",
            Rule::HostMissing | Rule::HostRepeated | Rule::HostInvalid => "Write one field as in: Host: shop.test:8080",
            Rule::HostOfOther => "Ask over a connection of its own, opened for the name in Host.",
            Rule::NotByTls => "Ask over TLS, at the port for https.",
            Rule::LengthRepeated | Rule::LengthInvalid => "Write one field as in: Content-Length: 42",
            Rule::LengthAndCoding => "Leave out Content-Length where the body comes in chunks.",
            Rule::ChunkedNotLast | Rule::CodingUnknown => "Write one field: Transfer-Encoding: chunked",
            Rule::CodingInHttp10 => "Say the body's length by Content-Length, or speak HTTP/1.1.",
            Rule::Expectation => "Leave out Expect, or write: Expect: 100-continue",
            Rule::ChunkSize | Rule::ChunkSizeOverflow | Rule::ChunkEnd => "Write a chunk as its size, CR LF, its data, CR LF; the last has the size 0.",
            Rule::ChunkSizeZeros => "Write the size without zeros in front.",
            Rule::ChunkExtension => "Leave extensions out; nobody reads them here.",
            Rule::BodyTooLong => "Send less.",
            Rule::BodyCutShort => "Send all that was announced before closing.",
            Rule::TooManyInformational => "Send the final response.",
            Rule::SwitchingProtocols => "Answer in HTTP/1.1.",
            Rule::HeadTooSlow | Rule::BodyTooSlow => "Try again over a better connection.",
            Rule::TooManyExchanges => "Try again in a moment.",
        }
    }
}
