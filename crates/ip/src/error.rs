//! Why bytes are not the header they should be.

use thiserror::Error;

/// Why a header could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// The bytes end before the header does.
    #[error("{layer} at offset {offset} needs {needed} bytes, there are {found}")]
    Truncated {
        /// The protocol.
        layer: &'static str,
        /// Where it begins, or where the missing part does.
        offset: usize,
        /// How many bytes it needs from there.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// A field has a value that it must not have.
    #[error("{layer} at offset {offset}: {reason} (found {found}, needed {needed})")]
    Field {
        /// The protocol.
        layer: &'static str,
        /// Where the field is.
        offset: usize,
        /// What is wrong, as the counter of drops names it.
        reason: &'static str,
        /// What it had to be: the value, or the limit.
        needed: usize,
        /// What it was.
        found: usize,
    },
    /// The bytes were altered on the way.
    #[error("{layer} checksum at offset {offset} is {found:#06x}, but these bytes need {needed:#06x}")]
    Checksum {
        /// The protocol.
        layer: &'static str,
        /// Where the checksum's field is.
        offset: usize,
        /// What these bytes add up to.
        needed: u16,
        /// What the field says.
        found: u16,
    },
}

impl ParseError {
    /// The reason under which a layer counts a drop for this.
    pub fn reason(&self) -> &'static str {
        match *self {
            ParseError::Truncated { layer, .. } => match layer {
                "IPv4" => "IPv4 packet cut short",
                "IPv6" => "IPv6 packet cut short",
                "ICMP" => "ICMP message cut short",
                "ICMPv6" => "ICMPv6 message cut short",
                "NDP" => "NDP message cut short",
                _ => "packet cut short",
            },
            ParseError::Field { reason, .. } => reason,
            ParseError::Checksum { layer, .. } => match layer {
                "IPv4" => "IPv4 header checksum wrong",
                "ICMP" => "ICMP checksum wrong",
                _ => "ICMPv6 checksum wrong",
            },
        }
    }
}

/// `Ok` if there are `needed` bytes at `offset`.
pub(crate) fn require(
    bytes: &[u8],
    layer: &'static str,
    offset: usize,
    needed: usize,
) -> Result<(), ParseError> {
    let found = bytes.len().saturating_sub(offset);
    if found >= needed {
        return Ok(());
    }
    Err(ParseError::Truncated { layer, offset, needed, found })
}
