//! Why a server's certificate is refused: what is wrong, and with which one of its chain.
//!
//! Read first: RFC 5280 section 6 (what makes a certificate acceptable); RFC 9525 section 6 (names).

use std::net::IpAddr;

use framewise_core::seams::stream::{TlsError, TlsErrorKind};
use rustls::CertificateError;

use super::{Circumstances, tls};
use crate::blame::{Culprit, Refused, Signer};
use crate::presented::{self, Name, Way};
use crate::time::Date;
use crate::verify::{RSA_BITS, WeakKey};

/// The error for this verdict.
pub(super) fn refused(error: &CertificateError, known: &Circumstances<'_>) -> TlsError {
    use CertificateError as E;
    use TlsErrorKind as K;
    let unknown = Refused::default();
    let chain = known.findings.refused.as_ref().unwrap_or(&unknown);
    let name = known.name;
    let one = culprit(&chain.culprit, name);
    match error {
        E::ExpiredContext { not_after, .. } => {
            tls(K::CertificateExpired, format!("{one} expired on {}", Date(not_after.as_secs())))
        }
        E::Expired => tls(K::CertificateExpired, format!("{one} has expired")),
        E::NotValidYetContext { not_before, .. } => {
            let from = Date(not_before.as_secs());
            tls(K::CertificateNotYetValid, format!("{one} is valid only from {from} on"))
        }
        E::NotValidYet => tls(K::CertificateNotYetValid, format!("{one} is not valid yet")),
        E::NotValidForNameContext { .. } | E::NotValidForName => {
            tls(K::CertificateWrongName, wrong_name(name, chain))
        }
        E::Revoked => tls(K::CertificateRevoked, format!("{one} was revoked")),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            tls(K::CertificateWrongUse, format!("{one} is not made for servers"))
        }
        E::UnknownIssuer => unknown_issuer(name, chain),
        E::BadSignature => match chain.weak {
            Some(bits) => weak_key(&one, bits),
            None => tls(K::CertificateBad, format!("{one} has a signature that is wrong")),
        },
        E::BadEncoding => tls(K::CertificateBad, format!("{one} is malformed")),
        E::UnsupportedSignatureAlgorithmContext { signature_algorithm_id: how, .. } => {
            tls(K::CertificateBad, format!("{one} is signed {}", not_taken(how)))
        }
        E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            tls(K::CertificateBad, format!("{one} is signed by a key of a kind that is not taken here"))
        }
        E::Other(cause) => match cause.0.downcast_ref::<WeakKey>() {
            Some(WeakKey { bits }) => weak_key(&the_servers(name), *bits),
            None => other(name, cause.0.downcast_ref::<webpki::Error>()),
        },
        other => tls(K::CertificateBad, format!("{} is not acceptable: {other}", the_servers(name))),
    }
}

fn the_servers(name: &str) -> String {
    format!("the certificate of {name}")
}

/// Which certificate it is.
fn culprit(culprit: &Culprit, name: &str) -> String {
    match culprit {
        Culprit::Own => the_servers(name),
        Culprit::Above(Some(subject)) => format!("a certificate above that of {name}, {subject},"),
        Culprit::Above(None) => format!("a certificate above that of {name}"),
        Culprit::Unknown => format!("the certificate of {name}, or one above it,"),
    }
}

fn weak_key(one: &str, bits: usize) -> TlsError {
    let sentence = format!("{one} has a weak key: RSA of {bits} bits, at least {RSA_BITS} are wanted");
    tls(TlsErrorKind::CertificateBad, sentence)
}

fn unknown_issuer(name: &str, chain: &Refused) -> TlsError {
    let issuer = chain.issuer.as_ref().map_or_else(|| "somebody".to_owned(), |issuer| format!("{issuer:?}"));
    let (kind, what) = match chain.signer {
        // No trust would help: it is not taken for a server's.
        Signer::Itself if chain.is_authority => return of_an_authority(name),
        Signer::Itself => (
            TlsErrorKind::CertificateSelfSigned,
            "is self-signed: nobody but itself vouches for it".to_owned(),
        ),
        Signer::ItselfItSays => (
            TlsErrorKind::CertificateSelfSigned,
            "names itself as its issuer: nobody else vouches for it".to_owned(),
        ),
        Signer::Namesake => (
            TlsErrorKind::CertificateUnknownIssuer,
            format!(
                "was issued by somebody who has its own name, {issuer}, and another key, whom none of our roots knows"
            ),
        ),
        Signer::Another => (
            TlsErrorKind::CertificateUnknownIssuer,
            format!("was issued by {issuer}, whom none of our roots knows"),
        ),
    };
    tls(kind, format!("the certificate of {name} {what}"))
}

fn of_an_authority(name: &str) -> TlsError {
    tls(
        TlsErrorKind::CertificateOfAuthority,
        format!(
            "the certificate of {name} is an authority's, made to sign others (basicConstraints CA:TRUE), \
             and is not taken for a server's own, trusted or not"
        ),
    )
}

/// The way of signing that is not taken.
fn not_taken(how: &[u8]) -> String {
    match presented::way_of_signing(how) {
        Some(Way::Broken(name)) => format!("by {name}, which can be forged and is not taken any more"),
        Some(Way::Pss { salt }) => format!(
            "by RSA-PSS with a salt of {salt} bytes, and that is taken only with SHA-256, SHA-384 or SHA-512 and a salt \
             as long as the hash (RFC 8446, section 4.2.3)"
        ),
        None => "in a way that is not taken here".to_owned(),
    }
}

/// What rustls passes on as webpki said it.
fn other(name: &str, cause: Option<&webpki::Error>) -> TlsError {
    match cause {
        Some(webpki::Error::CaUsedAsEndEntity) => of_an_authority(name),
        Some(webpki::Error::NameConstraintViolation) => tls(
            TlsErrorKind::CertificateBad,
            format!("the authority behind the certificate of {name} may not vouch for that name"),
        ),
        Some(webpki::Error::EndEntityUsedAsCa) => tls(
            TlsErrorKind::CertificateBad,
            format!("a certificate in the chain of {name} vouches for another, and is no authority's"),
        ),
        Some(webpki::Error::PathLenConstraintViolated) => tls(
            TlsErrorKind::CertificateBad,
            format!("the chain of {name} is longer than one of its authorities allows"),
        ),
        Some(why) => tls(TlsErrorKind::CertificateBad, format!("the certificate of {name} {}", fault(why))),
        None => tls(TlsErrorKind::CertificateBad, format!("the certificate of {name} is not acceptable")),
    }
}

/// What seldom goes wrong.
fn fault(why: &webpki::Error) -> String {
    use webpki::Error as E;
    let fault = match why {
        E::MaximumPathDepthExceeded => "has a longer chain than the 6 authorities that are gone through",
        E::MaximumPathBuildCallsExceeded
        | E::MaximumSignatureChecksExceeded
        | E::MaximumNameConstraintComparisonsExceeded => "has a chain that would take too long to check",
        E::UnsupportedCriticalExtension => {
            "has, or one above it has, an extension that is critical and not known here (RFC 5280, section 4.2)"
        }
        E::UnsupportedCertVersion => "is, or one above it is, not of version 3 (RFC 5280, section 4.1.2.1)",
        E::SignatureAlgorithmMismatch => {
            "names two ways of signing, where both must be the same (RFC 5280, section 4.1.1.2)"
        }
        E::InvalidCertValidity => "ends before it begins",
        E::InvalidSerialNumber => "has a serial number that is none (RFC 5280, section 4.1.2.2)",
        E::EmptyEkuExtension => "is made for no use at all (RFC 5280, section 4.2.1.12)",
        E::ExtensionValueInvalid | E::MalformedExtensions => "has an extension that can't be read",
        E::MalformedDnsIdentifier => "has a name that is none",
        other => return format!("is not acceptable: {}", super::rules::words(other)),
    };
    fault.to_owned()
}

fn wrong_name(name: &str, chain: &Refused) -> String {
    let names: Vec<String> = chain.names.iter().take(MOST_NAMES).map(|one| written(one, name)).collect();
    let common_name = chain.common_name.as_ref().filter(|_| names.is_empty());
    match common_name.map(|text| text.escape_debug()) {
        Some(text) => format!(
            "the certificate is not for {name}: it has only the common name {text}, which does not count \
             (RFC 9525), and no subjectAltName"
        ),
        None => format!("the certificate is not for {name}: it is for {}", list(&names)),
    }
}

/// A name, for who wanted `asked`.
fn written(name: &Name, asked: &str) -> String {
    match name {
        Name::Dns(text) if text == asked && asked.parse::<IpAddr>().is_ok() => {
            format!("{text} as a DNS name, which an address is not (RFC 5280, section 4.2.1.6)")
        }
        Name::Dns(text) => text.escape_debug().to_string(),
        Name::Address(address) => address.to_string(),
    }
}

/// How many names of a certificate are told.
const MOST_NAMES: usize = 8;

/// `a, b or c`.
fn list(names: &[String]) -> String {
    match names.split_last() {
        None => "no name at all".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}
