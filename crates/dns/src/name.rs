//! Domain names: labels in the case in which they came, compared without it.
//!
//! Read first: RFC 1035 sections 2.3.4 and 3.1 (lengths, labels); RFC 4343 (case); RFC 2181 section 11 (any byte
//! may stand in a label).

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

/// Bytes of the longest name on the wire, the root's zero included (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 255;
/// Bytes of the longest label (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;

/// A domain name, always complete: from the host's own label to the root.
///
/// ```
/// use framewise_dns::Name;
/// let name: Name = "Shop.test".parse()?;
/// assert_eq!(name, "shop.TEST.".parse()?);
/// assert_eq!(name.to_string(), "Shop.test");
/// # Ok::<(), framewise_dns::NameError>(())
/// ```
#[derive(Clone)]
pub struct Name(Box<[u8]>);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing there, or nothing but a dot.
    #[error("it is empty")]
    Empty,
    /// A label between two dots is empty.
    #[error("it has two dots with nothing between them")]
    EmptyLabel,
    /// A label is longer than 63 bytes.
    #[error("a label has {found} bytes, and at most {MAX_LABEL} fit")]
    LabelTooLong {
        /// How many bytes it has.
        found: usize,
    },
    /// The name is longer than 255 bytes on the wire.
    #[error("it takes {found} bytes, and at most {MAX_NAME} fit")]
    TooLong {
        /// How many bytes it takes on the wire.
        found: usize,
    },
    /// A character that no host's name has.
    #[error("{found:?} is not a letter, a digit, a hyphen or an underscore")]
    Character {
        /// Which.
        found: char,
    },
}

impl Name {
    /// The name of the root: no label at all.
    pub fn root() -> Self {
        Name(Box::default())
    }

    /// The name with these labels, the host's own first.
    ///
    /// # Errors
    ///
    /// Where a label is empty or too long, or all of them together are.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, NameError> {
        let mut wire = Vec::new();
        for label in labels {
            if label.is_empty() {
                return Err(NameError::EmptyLabel);
            }
            if label.len() > MAX_LABEL {
                return Err(NameError::LabelTooLong { found: label.len() });
            }
            wire.push(label.len() as u8);
            wire.extend_from_slice(label);
        }
        let found = wire.len() + 1;
        if found > MAX_NAME {
            return Err(NameError::TooLong { found });
        }
        Ok(Name(wire.into_boxed_slice()))
    }

    /// The name under which the owner of an address is looked up (RFC 1035 section 3.5, RFC 3596 section 2.5).
    pub fn reverse(address: IpAddr) -> Self {
        let mut labels: Vec<String> = match address {
            IpAddr::V4(address) => address.octets().iter().map(u8::to_string).collect(),
            IpAddr::V6(address) => address
                .octets()
                .iter()
                .flat_map(|octet| [octet >> 4, octet & 0x0f])
                .map(|nibble| format!("{nibble:x}"))
                .collect(),
        };
        labels.reverse();
        labels.push(if address.is_ipv4() { "in-addr" } else { "ip6" }.to_owned());
        labels.push("arpa".to_owned());
        // At most 34 labels of at most 7 bytes: always a name.
        Name::from_labels(labels.iter().map(String::as_bytes)).unwrap_or_else(|_| Name::root())
    }

    /// The labels, the host's own first.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        self.suffixes()
            .filter_map(|rest| rest.split_first())
            .filter_map(|(&length, rest)| rest.get(..usize::from(length)))
    }

    /// Whether this name is `ancestor` or lies below it.
    pub fn is_within(&self, ancestor: &Name) -> bool {
        ancestor.0.is_empty() || self.suffixes().any(|rest| rest.eq_ignore_ascii_case(&ancestor.0))
    }

    /// The wire form from each label on, the root's empty one left out.
    fn suffixes(&self) -> impl Iterator<Item = &[u8]> {
        let first = (!self.0.is_empty()).then_some(&self.0[..]);
        std::iter::successors(first, |rest| {
            let (&length, rest) = rest.split_first()?;
            rest.get(usize::from(length)..).filter(|rest| !rest.is_empty())
        })
    }

    /// The wire form in lower case. Lengths are below 64 and so never letters.
    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().map(u8::to_ascii_lowercase)
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    /// A host's name as people write it, with or without the last dot.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some(found) = text.chars().find(|c| !fits(c)) {
            return Err(NameError::Character { found });
        }
        Name::from_labels(text.split('.').map(str::as_bytes))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl fmt::Display for Name {
    /// Labels between dots, without the last one; bytes that are no plain text as `\DDD` (RFC 1035 section 5.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &byte in label {
                match byte {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(byte))?,
                    0x21..=0x7e => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
