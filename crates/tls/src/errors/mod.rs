//! What went wrong, in the words of someone who wants to help: rustls' errors become ours.
//!
//! Read first: RFC 8446 section 6.2 (alerts); RFC 5280 section 6 (what makes a certificate acceptable).

mod certificate;

use framewise_core::seams::stream::{TlsError, TlsErrorKind};
use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};

use crate::board::Findings;
use crate::record::{self, ContentType};

/// What is known about a connection whose handshake or record failed.
pub(crate) struct Circumstances<'a> {
    pub(crate) client: bool,
    /// The name that the client asked for.
    pub(crate) name: &'a str,
    /// The first bytes that the peer ever sent.
    pub(crate) first: &'a [u8],
    pub(crate) findings: Findings,
}

/// The error for this failure.
pub(crate) fn explain(error: &Error, known: &Circumstances<'_>) -> TlsError {
    match error {
        Error::InvalidCertificate(error) => certificate::refused(error, known),
        Error::AlertReceived(alert) => received(*alert),
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
            tls(TlsErrorKind::Protocol, format!("the peer breaks the rules of TLS ({why:?})"))
        }
        Error::PeerSentOversizedRecord | Error::InvalidMessage(InvalidMessage::MessageTooLarge) => tls(
            TlsErrorKind::Protocol,
            "the peer sent a record longer than TLS allows (16,384 bytes of content)",
        ),
        Error::InvalidMessage(why) => not_tls(known).unwrap_or_else(|| {
            tls(TlsErrorKind::Protocol, format!("the peer sent a message that can't be read ({why:?})"))
        }),
        Error::InappropriateMessage { got_type, .. } => tls(
            TlsErrorKind::Protocol,
            format!("the peer sent a message of type {got_type:?} where it has no place"),
        ),
        Error::InappropriateHandshakeMessage { got_type, .. } => tls(
            TlsErrorKind::Protocol,
            format!("the peer sent the handshake message {got_type:?} where it has no place"),
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
    let hung_up = || format!("the {peer} hung up in the middle of the handshake");
    not_tls(known).unwrap_or_else(|| tls(TlsErrorKind::Protocol, hung_up()))
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
        other => format!("the peer lacks something that we need ({other:?})"),
    }
}

/// The peer's own verdict (RFC 8446, section 6.2).
fn received(alert: AlertDescription) -> TlsError {
    use AlertDescription as A;
    let kind = match alert {
        A::ProtocolVersion | A::HandshakeFailure | A::InsufficientSecurity | A::NoApplicationProtocol => {
            TlsErrorKind::NothingInCommon
        }
        _ => TlsErrorKind::Alert,
    };
    let meaning = match alert {
        A::BadRecordMac | A::DecryptError => "something that we sent reached it altered",
        A::HandshakeFailure => "it finds nothing in common with us",
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
    tls(kind, format!("the peer refused by the alert {}: {meaning}", snake_case(alert)))
}

/// The alert in the words of the RFC: `bad_record_mac`.
fn snake_case(alert: AlertDescription) -> String {
    if let AlertDescription::Unknown(number) = alert {
        return format!("number {number}");
    }
    let mut name = String::new();
    let mut before_is_small = false;
    for letter in format!("{alert:?}").chars() {
        if letter.is_uppercase() && before_is_small {
            name.push('_');
        }
        before_is_small = letter.is_lowercase();
        name.push(letter.to_ascii_lowercase());
    }
    name
}
