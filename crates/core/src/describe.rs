//! How a layer explains the header it wrote or read.
//!
//! Each layer crate has a `describe` function beside its parser that returns a [`Description`]. Views print
//! it and know nothing of protocols themselves.
//!
//! # The order of fields
//!
//! Fields come in the order in which they stand in the bytes. Two of them either have no bit in common, or the later
//! lies within the earlier: so a whole comes before its parts, and views can fold the parts away.
//!
//! ```text
//!   control bits      ████████   the byte
//!     CWR             █          its bits, one by one
//!     …
//!     FIN                    █
//!   window                    ████████████████
//! ```
//!
//! Every bit of a header belongs to a field, reserved ones too; only in heads that are text (HTTP) what stands between the
//! words belongs to none. Beyond the header there may be fields where a message says
//! something that its layer understands, such as the packet that an ICMP error quotes. [`Description::misplaced`] and
//! [`Description::unexplained`] find what breaks these rules.

use std::fmt;
use std::ops::Range;

/// What one layer has to say about one frame, packet, segment, record or message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// The fields in order, a whole before its parts; see the [module](self).
    pub fields: Vec<Field>,
}

impl Description {
    /// The first field that begins before the one in front of it, or that lies only partly within an earlier one.
    ///
    /// ```
    /// use framewise_core::{Description, Field};
    /// let field = |bytes| Field::new("", bytes, "", "", "");
    /// let said = |fields| Description { fields, ..Description::default() };
    /// assert_eq!(said(vec![field(0..4), field(0..2), field(2..4), field(4..6)]).misplaced(), None);
    /// assert_eq!(said(vec![field(0..4), field(2..6)]).misplaced(), Some(&field(2..6)));
    /// ```
    pub fn misplaced(&self) -> Option<&Field> {
        let mut around: Vec<Range<usize>> = Vec::new();
        let mut latest = 0;
        self.fields.iter().find(|field| {
            let place = field.place();
            while around.pop_if(|earlier| earlier.end <= place.start).is_some() {}
            let sticks_out = around.last().is_some_and(|earlier| earlier.end < place.end);
            let is_behind = place.start >= latest;
            latest = place.start;
            around.push(place);
            sticks_out || !is_behind
        })
    }

    /// The bits of the header that no field explains, counted from the beginning of the bytes.
    ///
    /// ```
    /// use framewise_core::{Description, Field};
    /// let version = Field::new("version", 0..1, "4", "", "").with_bits(0..4);
    /// let said = Description { header: 0..1, fields: vec![version], ..Description::default() };
    /// assert_eq!(said.unexplained(), [4, 5, 6, 7]);
    /// ```
    pub fn unexplained(&self) -> Vec<usize> {
        let places: Vec<_> = self.fields.iter().map(Field::place).collect();
        let header = self.header.start * 8..self.header.end * 8;
        header.filter(|bit| !places.iter().any(|place| place.contains(bit))).collect()
    }
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

    /// The bits that it fills, counted from the beginning of what is described, the first bit of the first byte being 0.
    pub fn place(&self) -> Range<usize> {
        let begin = self.bytes.start * 8;
        match &self.bits {
            Some(bits) => begin + bits.start..begin + bits.end,
            None => begin..self.bytes.end * 8,
        }
    }

    /// The same field, in only these bits of its bytes.
    pub fn with_bits(mut self, bits: Range<usize>) -> Self {
        self.bits = Some(bits);
        self
    }
}

/// Which bytes of a unit that travels in pieces one of them brought: of a record in several segments, of a message in several
/// records.
///
/// ```
/// use framewise_core::describe::Part;
/// assert_eq!(Part::new(0..1_243, 16_406).to_string(), "begins: 1243 of 16406 bytes");
/// assert_eq!(Part::new(1_243..2_703, 16_406).to_string(), "goes on: bytes 1243 to 2702");
/// assert_eq!(Part::new(15_000..16_406, 16_406).to_string(), "ends: bytes 15000 to 16405");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which bytes, counted from the unit's first.
    pub bytes: Range<u64>,
    /// How many the whole unit has.
    pub length: u64,
}

impl Part {
    /// These bytes of so many.
    pub fn new(bytes: Range<u64>, length: u64) -> Self {
        Part { bytes, length }
    }

    /// Whether the unit's first byte is among them.
    pub fn begins(&self) -> bool {
        self.bytes.start == 0
    }

    /// Whether its last one is.
    pub fn ends(&self) -> bool {
        self.bytes.end >= self.length
    }

    /// Whether it is all of the unit.
    pub fn is_whole(&self) -> bool {
        self.begins() && self.ends()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.bytes.start, self.bytes.end.saturating_sub(1));
        match (self.begins(), self.ends()) {
            (true, true) => write!(f, "whole: {} bytes", self.length),
            (true, false) => write!(f, "begins: {} of {} bytes", self.bytes.end, self.length),
            (false, false) => write!(f, "goes on: bytes {first} to {last}"),
            (false, true) => write!(f, "ends: bytes {first} to {last}"),
        }
    }
}

/// Something that a layer knows once a message has crossed it: a state, a counter, a choice that was agreed on.
///
/// What is told here was seen, or follows from what was seen; nothing is read out of a layer's insides, so that it can be
/// told of anybody's capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateField {
    /// The name in the words of the RFC: `SND.UNA`.
    pub name: &'static str,
    /// The value as people write it.
    pub value: String,
    /// What this value means, in one plain sentence.
    pub meaning: String,
    /// RFC and section.
    pub source: &'static str,
    /// Whether it follows only if what was seen on its way has arrived.
    pub inferred: bool,
}

impl StateField {
    /// Something that was seen.
    pub fn new(
        name: &'static str,
        value: impl Into<String>,
        meaning: impl Into<String>,
        source: &'static str,
    ) -> Self {
        StateField { name, value: value.into(), meaning: meaning.into(), source, inferred: false }
    }

    /// The same, marked as inferred, if it is.
    pub fn inferred_if(mut self, inferred: bool) -> Self {
        self.inferred = inferred;
        self
    }
}
