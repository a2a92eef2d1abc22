//! Why a server's certificate is refused: what is wrong, and with which one of its chain.
//!
//! Read first: RFC 5280 section 6 (what makes a certificate acceptable); RFC 9525 section 6 (names).

use framewise_core::seams::stream::{TlsError, TlsErrorKind};
use rustls::CertificateError;

use super::{Circumstances, tls};
use crate::blame::{Culprit, Refused, Signer};
use crate::presented::Name;
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
        E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => tls(
            K::CertificateBad,
            format!(
                "the certificate of {name}, or one above it, is signed in a way that is not taken any more"
            ),
        ),
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
        Some(why) => tls(
            TlsErrorKind::CertificateBad,
            format!("the certificate of {name} is not acceptable ({why:?})"),
        ),
        None => tls(TlsErrorKind::CertificateBad, format!("the certificate of {name} is not acceptable")),
    }
}

fn wrong_name(name: &str, chain: &Refused) -> String {
    let names: Vec<String> = chain.names.iter().take(MOST_NAMES).map(written).collect();
    format!("the certificate is not for {name}: it is for {}", list(&names))
}

fn written(name: &Name) -> String {
    match name {
        Name::Dns(name) => name.escape_debug().to_string(),
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
