//! What a refused certificate says about itself: who signed it, and whether that is itself.
//!
//! Read first: RFC 5280 sections 4.1 (the fields) and 4.1.2.4 (names); X.690 section 8.1 (tag, length, content).
//! This reader serves the wording of errors only; nothing is trusted because of it.

use framewise_core::read::u8_at;

/// What a certificate says of its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Presented {
    /// Whether issuer and subject are the same name.
    pub(crate) self_signed: bool,
    /// The issuer's common name, or its organization.
    pub(crate) issuer: Option<String>,
    /// Whose it is: the subject's common name, or its organization. What counts are the names in the extension.
    pub(crate) subject: Option<String>,
    /// Bits of its key's modulus, where the key is of RSA.
    pub(crate) rsa_bits: Option<usize>,
}

impl Presented {
    /// Reads a certificate's DER; `None` where it isn't one.
    pub(crate) fn read(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = element(certificate)?;
        let (to_be_signed, _) = element(certificate.content)?;
        let (mut first, mut rest) = element(to_be_signed.content)?;
        if first.tag == VERSION {
            (first, rest) = element(rest)?;
        }
        let _serial_number = first;
        let (_signature, rest) = element(rest)?;
        let (issuer, rest) = element(rest)?;
        let (_validity, rest) = element(rest)?;
        let (subject, rest) = element(rest)?;
        let (key, _) = element(rest)?;
        Some(Presented {
            self_signed: issuer.content == subject.content,
            issuer: name(issuer.content),
            subject: name(subject.content),
            rsa_bits: rsa_bits(key.content),
        })
    }
}

/// `[0]`, constructed: the version, absent in certificates of version 1.
const VERSION: u8 = 0xa0;
/// 2.5.4.3 and 2.5.4.10 (RFC 5280, appendix A.1).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// 1.2.840.113549.1.1.1 (RFC 8017, appendix C).
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

/// The first element and what follows it.
fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let tag = u8_at(bytes, 0)?;
    let short = usize::from(u8_at(bytes, 1)?);
    let (length, begin) = match short {
        0..=0x7f => (short, 2),
        // The length stands in this many bytes of its own; three hold any certificate.
        0x81..=0x83 => {
            let begin = 2 + (short & 0x7f);
            let digits = bytes.get(2..begin)?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), begin)
        }
        _ => return None,
    };
    let (content, rest) = bytes.get(begin..)?.split_at_checked(length)?;
    Some((Element { tag, content }, rest))
}

/// The name of somebody, for people.
fn name(of: &[u8]) -> Option<String> {
    attribute(of, COMMON_NAME).or_else(|| attribute(of, ORGANIZATION))
}

/// The text of the first attribute of this kind in a name: a sequence of sets of pairs.
fn attribute(mut name: &[u8], kind: &[u8]) -> Option<String> {
    while let Some((set, rest)) = element(name) {
        name = rest;
        let (pair, _) = element(set.content)?;
        let (object_identifier, value) = element(pair.content)?;
        if object_identifier.content == kind {
            let (text, _) = element(value)?;
            return Some(String::from_utf8_lossy(text.content).into_owned());
        }
    }
    None
}

/// The size of an RSA key: its algorithm, then a string of bits in which the modulus is the first number (RFC 8017,
/// appendix A.1.1).
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let (algorithm, rest) = element(key)?;
    let (identifier, _) = element(algorithm.content)?;
    if identifier.content != RSA_ENCRYPTION {
        return None;
    }
    let (bits, _) = element(rest)?;
    // The first byte says how many bits of the last are unused: none.
    let (numbers, _) = element(bits.content.get(1..)?)?;
    let (modulus, _) = element(numbers.content)?;
    let leading = modulus.content.iter().position(|byte| *byte != 0)?;
    let first = u8_at(modulus.content, leading)?;
    Some((modulus.content.len() - leading) * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Presented::read(&bytes);
        }
    }
}
