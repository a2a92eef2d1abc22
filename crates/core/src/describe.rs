//! How a layer explains the header it wrote or read.
//!
//! Each layer crate has a `describe` function beside its parser that returns a [`Description`]. Views print
//! it and know nothing of protocols themselves.

use std::ops::Range;

/// What one layer has to say about one frame, packet, segment, record or message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The protocol as people write it: `Ethernet`, `IPv4`, `TCP`, `TLS`, `HTTP`, `ARP`.
    pub protocol: &'static str,
    /// What this layer calls its unit: `frame`, `packet`, `segment`, `datagram`, `record`, `message`.
    pub unit: &'static str,
    /// What this layer decided on the way down, in at most 34 characters: `port 443, next in order`.
    pub outbound: String,
    /// What this layer decided on the way up, in at most 34 characters: `in order, sum right`.
    pub inbound: String,
    /// Who gets the payload next, and by which number, in at most 22 characters: `protocol 6: TCP`.
    pub next: String,
    /// Which bytes are this layer's header.
    pub header: Range<usize>,
    /// Which bytes belong to the layer above. What comes after is this layer's trailer (or padding).
    pub payload: Range<usize>,
    /// The header's fields in order.
    pub fields: Vec<Field>,
}

/// One field of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in the words of the RFC: `time to live`.
    pub name: &'static str,
    /// Which bytes it is in, counted as in the [`Description`].
    pub bytes: Range<usize>,
    /// Which bits of those bytes, the first being 0, where it is not all of them.
    pub bits: Option<Range<usize>>,
    /// The value as people write it: `64`, `02:00:00:00:00:01`.
    pub value: String,
    /// What this value means, in one plain sentence.
    pub meaning: String,
    /// RFC and section: `RFC 791 §3.1`.
    pub source: &'static str,
}

impl Field {
    /// A field that fills whole bytes.
    pub fn new(
        name: &'static str,
        bytes: Range<usize>,
        value: impl Into<String>,
        meaning: impl Into<String>,
        source: &'static str,
    ) -> Self {
        Field { name, bytes, bits: None, value: value.into(), meaning: meaning.into(), source }
    }

    /// The same field, in only these bits of its bytes.
    pub fn with_bits(mut self, bits: Range<usize>) -> Self {
        self.bits = Some(bits);
        self
    }
}
