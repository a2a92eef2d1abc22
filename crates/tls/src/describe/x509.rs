//! What a certificate says, part by part: RFC 5280 sections 4.1 and 4.2.1.6; X.690 section 8.1 (tag, length, content).
//!
//! Read here for its places: nothing is trusted because of it, and what counts is decided by rustls. What is not as it
//! should be ends the reading, and the certificate is then shown as a whole.

use std::ops::Range;

use super::told::{Told, hex};
use crate::vector::Reader;

const SOURCE: &str = "RFC 5280 §4.1";

/// A certificate as a whole, then those of its parts that people look at.
pub(super) fn tell(certificate: &Reader<'_>, is_first: bool, told: &mut Told) {
    let length = certificate.range().len();
    let whole = match is_first {
        true => "The sender's own certificate: its name and its public key, signed by an issuer.",
        false => "A certificate that leads further towards an issuer who is known.",
    };
    told.field("certificate", certificate.range(), format!("{length} bytes"), whole, SOURCE);
    if let Some(parts) = Parts::read(certificate.clone()) {
        parts.tell(told);
    }
}

/// An element: its tag, where it lies as a whole, and what is in it.
#[derive(Clone)]
struct Element<'a> {
    tag: u8,
    place: Range<usize>,
    content: Reader<'a>,
}

impl<'a> Element<'a> {
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        let begin = from.range().start;
        let mut ahead = from.clone();
        let tag = ahead.u8()?;
        let short = usize::from(ahead.u8()?);
        let length = match short {
            0..=0x7f => short,
            // The length stands in this many bytes of its own; three hold any certificate.
            0x81 => ahead.u8()?.into(),
            0x82 => ahead.u16()?.into(),
            0x83 => ahead.u24()? as usize,
            _ => return None,
        };
        let content = ahead.take(length)?;
        *from = ahead;
        Some(Element { tag, place: begin..content.range().end, content })
    }

    /// The elements in this one.
    fn inside(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let mut content = self.content.clone();
        std::iter::from_fn(move || Element::read(&mut content))
    }

    fn text(&self) -> String {
        self.content.text()
    }

    /// The text of a name's attribute of this kind: a name is a sequence of sets of pairs.
    fn attribute(&self, kind: &[u8]) -> Option<String> {
        let mut pairs = self.inside().flat_map(|set| set.inside());
        pairs.find_map(|pair| {
            let mut pair = pair.inside();
            let (identifier, value) = (pair.next()?, pair.next()?);
            (identifier.content.rest() == kind).then(|| value.text())
        })
    }

    /// The attributes that are known here, as people write them.
    fn name(&self) -> String {
        let kinds = [("CN", COMMON_NAME), ("O", ORGANIZATION), ("C", COUNTRY)];
        let known =
            kinds.into_iter().filter_map(|(short, kind)| Some(format!("{short}={}", self.attribute(kind)?)));
        known.collect::<Vec<_>>().join(", ")
    }
}

/// Object identifiers 2.5.4.3, 2.5.4.10 and 2.5.4.6 (RFC 5280, appendix A.1), and 2.5.29.17 (section 4.2.1.6).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// Tags: `[0]`, the version, which the first version of certificates lacks; `[3]`, the extensions; the two kinds of time.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const UTC_TIME: u8 = 0x17;
/// Among alternative names: a host's name, and an address (RFC 5280, section 4.2.1.6).
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// The parts of a certificate that are told.
struct Parts<'a> {
    serial_number: Element<'a>,
    signature: Element<'a>,
    issuer: Element<'a>,
    not_before: Element<'a>,
    not_after: Element<'a>,
    subject: Element<'a>,
    key: Element<'a>,
    names: Vec<Element<'a>>,
}

impl<'a> Parts<'a> {
    fn read(mut certificate: Reader<'a>) -> Option<Self> {
        let to_be_signed = Element::read(&mut certificate)?.inside().next()?;
        let mut parts = to_be_signed.inside().skip_while(|element| element.tag == VERSION);
        let (serial_number, signature, issuer) = (parts.next()?, parts.next()?, parts.next()?);
        let (validity, subject, key) = (parts.next()?, parts.next()?, parts.next()?);
        let mut validity = validity.inside();
        Some(Parts {
            serial_number,
            signature,
            issuer,
            not_before: validity.next()?,
            not_after: validity.next()?,
            subject,
            key,
            names: parts.find(|element| element.tag == EXTENSIONS).map(alternative_names).unwrap_or_default(),
        })
    }

    fn tell(&self, told: &mut Told) {
        let serial = &self.serial_number.content;
        let meaning = "The issuer gives each certificate another number.";
        told.field("serial number", serial.range(), hex(serial.rest()), meaning, "RFC 5280 §4.1.2.2");
        algorithm(&self.signature, "certificate signature algorithm", told);
        let is_own = self.issuer.content.rest() == self.subject.content.rest();
        let meaning = match is_own {
            true => "The same as the subject: it vouches for itself.",
            false => "Who says that all this is true, and has signed it.",
        };
        told.field("issuer", self.issuer.place.clone(), self.issuer.name(), meaning, "RFC 5280 §4.1.2.4");
        time(&self.not_before, "not before", "Before this moment the certificate is not valid.", told);
        time(&self.not_after, "not after", "After this moment the certificate is not valid any more.", told);
        let meaning = "Whose certificate this is. Names of hosts are looked for further down, not here.";
        told.field("subject", self.subject.place.clone(), self.subject.name(), meaning, "RFC 5280 §4.1.2.6");
        let bytes = format!("{} bytes", self.key.place.len());
        let meaning = "The public half of the key; the sender proves next that it has the secret half.";
        told.field("subject public key", self.key.place.clone(), bytes, meaning, "RFC 5280 §4.1.2.7");
        self.names.iter().for_each(|name| alternative_name(name, told));
    }
}

/// The names in the extension that holds them: an identifier, perhaps a flag, and the names packed in a string of bytes.
fn alternative_names(extensions: Element<'_>) -> Vec<Element<'_>> {
    let extensions = extensions.inside().flat_map(|list| list.inside());
    let content = extensions.filter_map(|extension| {
        let mut parts = extension.inside();
        let is_it = parts.next()?.content.rest() == SUBJECT_ALTERNATIVE_NAME;
        let mut packed = parts.last().filter(|_| is_it)?.content;
        Element::read(&mut packed)
    });
    content.flat_map(|names| names.inside()).collect()
}

fn alternative_name(name: &Element<'_>, told: &mut Told) {
    const SOURCE: &str = "RFC 5280 §4.2.1.6";
    let place = name.content.range();
    match name.tag {
        DNS_NAME => {
            let meaning =
                "A name that the certificate is good for; the one that was asked for must be among them.";
            told.field("DNS name", place, name.text(), meaning, SOURCE);
        }
        IP_ADDRESS => {
            let meaning = "An address that the certificate is good for.";
            told.field("IP address", place, address(name.content.rest()), meaning, SOURCE);
        }
        _ => {
            let meaning = "A name of another kind that the certificate is good for.";
            told.field("other name", place, hex(name.content.rest()), meaning, SOURCE);
        }
    }
}

fn address(octets: &[u8]) -> String {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return std::net::Ipv4Addr::from(octets).to_string();
    }
    match <[u8; 16]>::try_from(octets) {
        Ok(octets) => std::net::Ipv6Addr::from(octets).to_string(),
        Err(_) => hex(octets),
    }
}

/// Object identifiers of the ways to sign that are common (RFC 5758, RFC 8410, RFC 8017).
#[rustfmt::skip]
const ALGORITHMS: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], "ecdsa-with-SHA256"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03], "ecdsa-with-SHA384"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], "sha256WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c], "sha384WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], "sha1WithRSAEncryption"),
    (&[0x2b, 0x65, 0x70], "Ed25519"),
];

fn algorithm(element: &Element<'_>, name: &'static str, told: &mut Told) {
    let identifier = element.inside().next().map(|identifier| identifier.content.rest().to_vec());
    let identifier = identifier.unwrap_or_default();
    let known = ALGORITHMS.iter().find(|(known, _)| *known == identifier.as_slice()).map(|(_, name)| *name);
    let meaning = match known {
        Some("sha1WithRSAEncryption") => "How the issuer has signed: by SHA-1, which is broken.",
        Some(_) => "How the issuer has signed.",
        None => "How the issuer has signed: in a way that is not known here.",
    };
    let value = known.map_or_else(|| hex(&identifier), str::to_owned);
    told.field(name, element.place.clone(), value, meaning, "RFC 5280 §4.1.2.3");
}

fn time(element: &Element<'_>, name: &'static str, meaning: &'static str, told: &mut Told) {
    let digits = element.text();
    let value = written(element.tag, &digits).unwrap_or(digits);
    told.field(name, element.content.range(), value, meaning, "RFC 5280 §4.1.2.5");
}

/// `260101000000Z` or `20260101000000Z` as `2026-01-01 00:00:00 UTC`: a year of two digits is one from 1950 to 2049.
fn written(tag: u8, digits: &str) -> Option<String> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            (format!("{}{year}", if year < "50" { "20" } else { "19" }), rest)
        }
        _ => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
    };
    let part = |at: usize| rest.get(2 * at..2 * at + 2);
    let (month, day) = (part(0)?, part(1)?);
    Some(format!("{year}-{month}-{day} {}:{}:{} UTC", part(2)?, part(3)?, part(4)?))
}
