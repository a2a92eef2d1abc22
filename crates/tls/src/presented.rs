//! What a certificate says: whose it is, who signed it and how, from when until when, for what.
//!
//! Read first: RFC 5280 sections 4.1 (the fields), 4.1.2.4 (names), 4.1.2.5 (dates) and 4.2.1 (extensions).
//! This reader serves the wording of errors only; nothing is trusted because of it.

use std::net::IpAddr;

use crate::der::{Element, elements};
use crate::time;

/// A certificate's parts, as they lie in it.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) to_be_signed: &'a [u8],
    /// How it is signed: an identifier, perhaps parameters.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) issuer: &'a [u8],
    subject: &'a [u8],
    /// Seconds since 1970.
    pub(crate) not_before: Option<u64>,
    pub(crate) not_after: Option<u64>,
    pub(crate) key: Key<'a>,
    extensions: &'a [u8],
}

/// A public key: the content of a SubjectPublicKeyInfo.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a>(pub(crate) &'a [u8]);

/// A name that a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    Dns(String),
    Address(IpAddr),
}

impl<'a> Presented<'a> {
    /// Reads a certificate's DER; `None` where it isn't one.
    pub(crate) fn read(certificate: &'a [u8]) -> Option<Self> {
        let mut signed = Element::of(certificate)?.inside();
        let (to_be_signed, algorithm, signature) = (signed.next()?, signed.next()?, signed.next()?);
        let mut parts = to_be_signed.inside().skip_while(|part| part.tag == VERSION);
        let (_serial_number, _algorithm) = (parts.next()?, parts.next()?);
        let (issuer, validity) = (parts.next()?, parts.next()?);
        let (subject, key) = (parts.next()?, parts.next()?);
        let mut validity = validity.inside().map(|date| time::from_asn1(date.tag, date.content));
        let (not_before, not_after) = (validity.next()?, validity.next()?);
        let extensions = parts.find(|part| part.tag == EXTENSIONS);
        let extensions = extensions.and_then(|part| Element::of(part.content));
        Some(Presented {
            to_be_signed: to_be_signed.whole,
            algorithm: algorithm.content,
            signature: signature.bits()?,
            issuer: issuer.content,
            subject: subject.content,
            not_before,
            not_after,
            key: Key(key.content),
            extensions: extensions.map_or(&[], |list| list.content),
        })
    }

    /// The issuer's common name, or its organization.
    pub(crate) fn issuer(&self) -> Option<String> {
        name(self.issuer)
    }

    /// Whose it is: the subject's common name, or its organization. What counts are the [names](Self::names).
    pub(crate) fn subject(&self) -> Option<String> {
        name(self.subject)
    }

    /// The same, as [people write it](written).
    pub(crate) fn written(&self) -> Option<String> {
        written(self.subject)
    }

    /// The subject's common name.
    pub(crate) fn common_name(&self) -> Option<String> {
        attribute(self.subject, COMMON_NAME)
    }

    /// Whether it names that subject as its issuer.
    pub(crate) fn is_issued_by(&self, subject: &[u8]) -> bool {
        self.issuer == subject
    }

    /// Whether it names itself as its issuer.
    pub(crate) fn names_itself(&self) -> bool {
        self.is_issued_by(self.subject)
    }

    /// Whether it names the other as its issuer.
    pub(crate) fn names(&self, other: &Presented<'_>) -> bool {
        self.is_issued_by(other.subject)
    }

    /// Whether it is an authority's, made to sign others (RFC 5280, section 4.2.1.9).
    pub(crate) fn is_authority(&self) -> bool {
        let constraints = self.extension(BASIC_CONSTRAINTS).and_then(Element::of);
        let authority = constraints.and_then(|constraints| constraints.inside().next());
        authority.is_some_and(|authority| authority.tag == BOOLEAN && authority.content != [0])
    }

    /// Whether servers may use it: who names no purpose allows all (RFC 5280, section 4.2.1.12).
    pub(crate) fn is_for_servers(&self) -> bool {
        let purposes = self.extension(EXTENDED_KEY_USAGE).and_then(Element::of);
        purposes.is_none_or(|purposes| purposes.inside().any(|purpose| purpose.content == SERVER_AUTH))
    }

    /// The names that it is for (RFC 5280, section 4.2.1.6).
    pub(crate) fn subject_names(&self) -> Vec<Name> {
        let names = self.extension(SUBJECT_ALTERNATIVE_NAME).and_then(Element::of);
        let names = names.into_iter().flat_map(Element::inside);
        names.filter_map(|name| Name::read(name.tag, name.content)).collect()
    }

    /// The content of this extension: an identifier, perhaps a flag, and what counts packed in a string of bytes.
    fn extension(&self, kind: &[u8]) -> Option<&'a [u8]> {
        let mut extensions = elements(self.extensions);
        let extension =
            extensions.find(|extension| Element::of(extension.content).is_some_and(|id| id.content == kind));
        extension?.inside().last().map(|packed| packed.content)
    }
}

/// How a certificate is signed, for people, by the content of its algorithm identifier.
pub(crate) fn way_of_signing(algorithm: &[u8]) -> Option<Way> {
    let mut parts = elements(algorithm);
    let identifier = parts.next()?.content;
    if identifier == RSASSA_PSS {
        return Some(Way::Pss { salt: salt_length(parts.next()) });
    }
    BROKEN.iter().find(|(known, _)| *known == identifier).map(|(_, name)| Way::Broken(name))
}

/// A way of signing that is not taken, or not always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By RSA-PSS, with so many bytes of salt.
    Pss { salt: usize },
    /// By a sum that can be forged.
    Broken(&'static str),
}

/// `[2]` among the parameters; 20 where nothing is said (RFC 4055, section 3.1).
fn salt_length(parameters: Option<Element<'_>>) -> usize {
    const SALT_LENGTH: u8 = 0xa2;
    let mut parameters = parameters.into_iter().flat_map(Element::inside);
    let salt = parameters.find(|part| part.tag == SALT_LENGTH).and_then(|salt| Element::of(salt.content));
    salt.map_or(20, |salt| salt.content.iter().take(4).fold(0, |sum, digit| sum << 8 | usize::from(*digit)))
}

impl<'a> Key<'a> {
    /// Of which kind it is, and the key itself.
    pub(crate) fn parts(self) -> Option<(&'a [u8], &'a [u8])> {
        let mut parts = elements(self.0);
        let (algorithm, key) = (parts.next()?, parts.next()?);
        Some((algorithm.content, key.bits()?))
    }

    /// Of which kind it is, for people.
    pub(crate) fn kind(self) -> String {
        if let Some(bits) = self.rsa_bits() {
            return format!("RSA of {bits} bits");
        }
        let mut identifiers = self.parts().into_iter().flat_map(|(algorithm, _)| elements(algorithm));
        let (algorithm, curve) = (identifiers.next(), identifiers.next());
        let is = |of: Option<Element<'_>>, known: &[u8]| of.is_some_and(|of| of.content == known);
        let kind = KINDS.iter().find(|(known, parameter, _)| {
            is(algorithm, known) && parameter.is_none_or(|known| is(curve, known))
        });
        kind.map_or("of a kind that is not known here", |(_, _, name)| name).to_owned()
    }

    /// Bits of its modulus, where it is of RSA: the first of two numbers (RFC 8017, appendix A.1.1).
    pub(crate) fn rsa_bits(self) -> Option<usize> {
        let (algorithm, key) = self.parts()?;
        if Element::of(algorithm)?.content != RSA_ENCRYPTION {
            return None;
        }
        let modulus = Element::of(key)?.inside().next()?.content;
        let leading = modulus.iter().position(|byte| *byte != 0)?;
        let digits = modulus.get(leading..)?;
        Some(digits.len() * 8 - digits.first()?.leading_zeros() as usize)
    }
}

impl Name {
    fn read(tag: u8, content: &[u8]) -> Option<Self> {
        match tag {
            DNS_NAME => Some(Name::Dns(String::from_utf8_lossy(content).into_owned())),
            IP_ADDRESS => match content.len() {
                4 => Some(Name::Address(<[u8; 4]>::try_from(content).ok()?.into())),
                _ => Some(Name::Address(<[u8; 16]>::try_from(content).ok()?.into())),
            },
            _ => None,
        }
    }
}

/// The name of somebody, for people.
fn name(of: &[u8]) -> Option<String> {
    attribute(of, COMMON_NAME).or_else(|| attribute(of, ORGANIZATION))
}

/// The same, as such names are written: `CN=…`, or `O=…`.
pub(crate) fn written(name: &[u8]) -> Option<String> {
    let common_name = attribute(name, COMMON_NAME).map(|text| format!("CN={}", text.escape_debug()));
    common_name.or_else(|| attribute(name, ORGANIZATION).map(|text| format!("O={}", text.escape_debug())))
}

/// The text of the first attribute of this kind in a name: a sequence of sets of pairs.
fn attribute(name: &[u8], kind: &[u8]) -> Option<String> {
    let mut pairs = elements(name).flat_map(Element::inside);
    pairs.find_map(|pair| {
        let mut pair = pair.inside();
        let (identifier, value) = (pair.next()?, pair.next()?);
        (identifier.content == kind).then(|| String::from_utf8_lossy(value.content).into_owned())
    })
}

/// `[0]`, constructed: the version, absent in certificates of version 1. `[3]`: the extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const BOOLEAN: u8 = 1;
/// Among alternative names: a host's name, and an address (RFC 5280, section 4.2.1.6).
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// 2.5.4.3 and 2.5.4.10 (RFC 5280, appendix A.1).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
/// 2.5.29.17, 2.5.29.19, 2.5.29.37 and 1.3.6.1.5.5.7.3.1 (RFC 5280, section 4.2.1).
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
/// 1.2.840.113549.1.1.1 (RFC 8017, appendix C).
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// 1.2.840.113549.1.1.10 (RFC 4055, section 3.1).
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// Ways of signing by sums that can be forged (RFC 3279, section 2.2; RFC 9155).
#[rustfmt::skip]
const BROKEN: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04], "RSA with MD5"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], "RSA with SHA-1"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01], "ECDSA with SHA-1"),
];
/// 1.2.840.10045.2.1 (RFC 5480, section 2.1).
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// An identifier, that of a curve, and the name for people.
type Kind = (&'static [u8], Option<&'static [u8]>, &'static str);
/// Kinds of keys by their identifiers, that of the curve included (RFC 5480, RFC 8410, RFC 3279; SEC 2).
#[rustfmt::skip]
const KINDS: &[Kind] = &[
    (EC_PUBLIC_KEY, Some(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]), "ECDSA on P-256"),
    (EC_PUBLIC_KEY, Some(&[0x2b, 0x81, 0x04, 0x00, 0x22]), "ECDSA on P-384"),
    (EC_PUBLIC_KEY, Some(&[0x2b, 0x81, 0x04, 0x00, 0x23]), "ECDSA on P-521"),
    (EC_PUBLIC_KEY, Some(&[0x2b, 0x81, 0x04, 0x00, 0x0a]), "ECDSA on secp256k1"),
    (EC_PUBLIC_KEY, None, "ECDSA on another curve"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], None, "DSA"),
    (&[0x2b, 0x65, 0x70], None, "Ed25519"),
    (&[0x2b, 0x65, 0x71], None, "Ed448"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(read) = Presented::read(&bytes) {
                let _ = (read.is_authority(), read.is_for_servers(), read.subject_names(), read.key.kind());
            }
        }
    }
}
