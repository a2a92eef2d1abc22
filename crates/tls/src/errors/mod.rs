//! What went wrong, in the words of someone who wants to help: rustls' errors become ours.
//!
//! Read first: RFC 8446 section 6.2 (alerts); RFC 5280 section 6 (what makes a certificate acceptable).

mod certificate;
mod rules;

use framewise_core::seams::stream::{TlsError, TlsErrorKind};
use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};

use crate::board::Findings;
use crate::describe;
use crate::record::{self, ContentType};

/// What is known about a connection whose handshake or record failed.
pub(crate) struct Circumstances<'a> {
    pub(crate) client: bool,
    /// The name that the client asked for.
    pub(crate) name: &'a str,
    /// The first bytes that the peer ever sent.
    pub(crate) first: &'a [u8],
    /// Whether the handshake was done.
    pub(crate) open: bool,
    /// Whether the server wanted a certificate of us.
    pub(crate) asked_for_certificate: bool,
    pub(crate) findings: Findings,
}

/// The error for this failure.
pub(crate) fn explain(error: &Error, known: &Circumstances<'_>) -> TlsError {
    match error {
        Error::InvalidCertificate(error) => certificate::refused(error, known),
        Error::AlertReceived(alert) => received(*alert, known),
        Error::DecryptError => {
            tls(TlsErrorKind::Altered, "a sealed record did not open: it was altered on its way to us")
        }
        Error::PeerIncompatible(why) => tls(TlsErrorKind::NothingInCommon, incompatible(why)),
        Error::NoApplicationProtocol => tls(
            TlsErrorKind::NothingInCommon,
            "none of the protocols that the client offered by ALPN is served here",
        ),
        Error::PeerMisbehaved(PeerMisbehaved::TooManyEmptyFragments) => {
            tls(TlsErrorKind::Protocol, "the peer floods us with empty records")
        }
        Error::PeerMisbehaved(PeerMisbehaved::TooManyWarningAlertsReceived) => {
            tls(TlsErrorKind::Protocol, "the peer floods us with warning alerts")
        }
        Error::PeerMisbehaved(PeerMisbehaved::TooManyKeyUpdateRequests) => {
            tls(TlsErrorKind::Protocol, "the peer floods us with key updates")
        }
        Error::PeerMisbehaved(why) => {
            tls(TlsErrorKind::Protocol, format!("the peer breaks the rules of TLS: {}", rules::broken(why)))
        }
        Error::PeerSentOversizedRecord | Error::InvalidMessage(InvalidMessage::MessageTooLarge) => tls(
            TlsErrorKind::Protocol,
            "the peer sent a record longer than TLS allows (16,384 bytes of content)",
        ),
        Error::InvalidMessage(why) => not_tls(known).unwrap_or_else(|| {
            tls(TlsErrorKind::Protocol, format!("the peer sent {}", rules::unreadable(why)))
        }),
        Error::InappropriateMessage { got_type, .. } => tls(
            TlsErrorKind::Protocol,
            format!("the peer sent a record of the type {} where it has no place", rules::words(got_type)),
        ),
        Error::InappropriateHandshakeMessage { got_type, .. } => tls(
            TlsErrorKind::Protocol,
            format!(
                "the peer sent the handshake message {} where it has no place",
                rules::words(got_type).replace(' ', "_")
            ),
        ),
        Error::General(_) if known.findings.unserved.is_some() => tls(
            TlsErrorKind::NotConfigured,
            format!(
                "there is no certificate here for {}",
                known.findings.unserved.as_deref().unwrap_or_default()
            ),
        ),
        Error::FailedToGetRandomBytes => tls(TlsErrorKind::NotConfigured, "there is no randomness to be had"),
        other => tls(TlsErrorKind::Protocol, format!("the handshake failed: {other}")),
    }
}

/// The peer ended the connection before the handshake was done.
pub(crate) fn hung_up(known: &Circumstances<'_>) -> TlsError {
    let peer = if known.client { "server" } else { "client" };
    let hung_up = || match first_alert(known.first) {
        Some(alert) => {
            tls(TlsErrorKind::Alert, format!("the {peer} hung up in the handshake, after the alert {alert}"))
        }
        None => tls(TlsErrorKind::Protocol, format!("the {peer} hung up in the middle of the handshake")),
    };
    not_tls(known).unwrap_or_else(hung_up)
}

/// The alert that a peer sent before anything else: a warning, for a fatal one ends the handshake by itself.
fn first_alert(first: &[u8]) -> Option<&'static str> {
    let [kind, _, _, 0, 2, _, number, ..] = first else { return None };
    (ContentType::from_byte(*kind) == Some(ContentType::Alert)).then(|| describe::alert_name(*number))?
}

/// The name is none that a certificate could be for.
pub(crate) fn bad_name(name: &str) -> TlsError {
    tls(TlsErrorKind::CertificateWrongName, format!("{name:?} is not a name that a certificate could be for"))
}

/// No roots: there is nobody whose word about a server could be taken.
pub(crate) fn no_roots() -> TlsError {
    tls(
        TlsErrorKind::NotConfigured,
        "no certificate authorities are set up here, so no server can be checked",
    )
}

/// The session could not even begin.
pub(crate) fn unstarted(error: &Error) -> TlsError {
    tls(TlsErrorKind::NotConfigured, format!("a session could not be started: {error}"))
}

fn tls(kind: TlsErrorKind, detail: impl Into<String>) -> TlsError {
    TlsError { kind, detail: detail.into() }
}

/// The error for a peer whose very first byte begins no record.
fn not_tls(known: &Circumstances<'_>) -> Option<TlsError> {
    let first = *known.first.first()?;
    if ContentType::from_byte(first).is_some() {
        return None;
    }
    let http = record::looks_like_http(known.first);
    let kind = if http { TlsErrorKind::PlainHttp } else { TlsErrorKind::Protocol };
    let detail = match (known.client, http) {
        (true, true) => "the server does not speak TLS on this port: it answered in plain HTTP".to_owned(),
        (true, false) => {
            format!("the server does not speak TLS on this port: its first byte is {first:#04x}")
        }
        (false, true) => "the client speaks plain HTTP on this port, which is for TLS".to_owned(),
        (false, false) => format!("the client does not speak TLS: its first byte is {first:#04x}"),
    };
    Some(tls(kind, detail))
}

fn incompatible(why: &PeerIncompatible) -> String {
    use PeerIncompatible as P;
    match why {
        P::NoCipherSuitesInCommon => "we and the peer have no cipher suite in common".to_owned(),
        P::NoKxGroupsInCommon => "we and the peer have no way of agreeing on keys in common".to_owned(),
        P::NoSignatureSchemesInCommon => "we and the peer have no signature scheme in common".to_owned(),
        P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::SupportedVersionsExtensionRequired
        | P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled => "we and the peer have no version of TLS in common".to_owned(),
        other => format!("the peer lacks something that we need: {}", rules::words(other)),
    }
}

/// The peer's own verdict (RFC 8446, section 6.2).
fn received(alert: AlertDescription, known: &Circumstances<'_>) -> TlsError {
    use AlertDescription as A;
    let kind = match alert {
        A::HandshakeFailure if known.open || known.asked_for_certificate => TlsErrorKind::Alert,
        A::ProtocolVersion | A::HandshakeFailure | A::InsufficientSecurity | A::NoApplicationProtocol => {
            TlsErrorKind::NothingInCommon
        }
        _ => TlsErrorKind::Alert,
    };
    let meaning = match alert {
        A::BadRecordMac | A::DecryptError => "something that we sent reached it altered",
        A::HandshakeFailure => handshake_failure(known),
        A::ProtocolVersion => "it does not accept the versions of TLS that we offer",
        A::InsufficientSecurity => "it wants stronger ciphers than ours",
        A::NoApplicationProtocol => "it serves none of the protocols that we offer",
        A::UnknownCA => "it does not know who issued our certificate",
        A::BadCertificate | A::UnsupportedCertificate | A::CertificateUnknown => {
            "it does not accept our certificate"
        }
        A::CertificateExpired => "our certificate is not valid at this time",
        A::CertificateRevoked => "our certificate was revoked",
        A::CertificateRequired => "it wants a certificate of us",
        A::UnrecognisedName => "it does not serve that name",
        A::AccessDenied => "it denies access",
        A::InternalError => "something failed on its side",
        A::UserCanceled => "its user gave up",
        _ => "it found a fault in what we sent",
    };
    let number = u8::from(alert);
    let name = describe::alert_name(number).map_or_else(|| format!("number {number}"), str::to_owned);
    tls(kind, format!("the peer refused by the alert {name}: {meaning}"))
}

/// The alert that says least: which parameters were not acceptable is left open (RFC 8446, section 6.2).
fn handshake_failure(known: &Circumstances<'_>) -> &'static str {
    match (known.open, known.asked_for_certificate) {
        (true, _) => "it asks for what we don't do on an open connection, such as to agree on keys anew",
        (false, true) => "it wanted a certificate of us, and we have none",
        (false, false) => "it found nothing in common with us, or wanted what we don't give",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_failure_is_told_by_what_went_before_it() {
        let told = |open, asked_for_certificate| {
            let findings = Findings::default();
            let known = Circumstances {
                client: true,
                name: "shop.test",
                first: &[22],
                open,
                asked_for_certificate,
                findings,
            };
            received(AlertDescription::HandshakeFailure, &known)
        };
        for (error, kind, meaning) in [
            (told(false, false), TlsErrorKind::NothingInCommon, "or wanted what we don't give"),
            (told(false, true), TlsErrorKind::Alert, "it wanted a certificate of us, and we have none"),
            (told(true, false), TlsErrorKind::Alert, "such as to agree on keys anew"),
        ] {
            assert_eq!(error.kind, kind);
            assert!(error.detail.ends_with(meaning), "{}", error.detail);
        }
    }
}
