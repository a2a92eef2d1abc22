//! Rules of TLS that a peer breaks, as sentences.

use std::fmt::Debug;

use rustls::{InvalidMessage, PeerMisbehaved};

/// What the peer did.
pub(super) fn broken(why: &PeerMisbehaved) -> String {
    use PeerMisbehaved as P;
    let did = match why {
        P::SelectedUnofferedCipherSuite => "it chose a cipher suite that was not offered",
        P::SelectedUnofferedKxGroup => "it chose a group that was not offered",
        P::SelectedUnofferedApplicationProtocol => "it chose a protocol that was not offered by ALPN",
        P::SelectedUnofferedPsk | P::SelectedInvalidPsk => "it resumed a session that was not offered",
        P::SelectedUnofferedCompression => "it chose a compression that was not offered",
        P::SelectedUnusableCipherSuiteForVersion => "it chose a cipher suite of another version",
        P::AttemptedDowngradeToTls12WhenTls13IsSupported => {
            "it speaks TLS 1.2 and knows 1.3, as after an attacker's work (RFC 8446, section 4.1.3)"
        }
        P::UnsolicitedServerHelloExtension | P::UnsolicitedEncryptedExtension => {
            "it answered an extension that nobody had sent"
        }
        P::DuplicateClientHelloExtensions | P::DuplicateServerHelloExtensions => "it sent an extension twice",
        P::IllegalMiddleboxChangeCipherSpec => "its change_cipher_spec is not the one that is let through",
        P::KeyEpochWithPendingFragment => "it changed keys in the middle of a message",
        P::MessageInterleavedWithHandshakeMessage => "it broke into a handshake message with another record",
        P::SignedHandshakeWithUnadvertisedSigScheme => "it signed in a way that was not offered",
        P::IncorrectBinder => "it has not the key of the session that it resumes",
        other => return words(other),
    };
    did.to_owned()
}

/// What the peer sent.
pub(super) fn unreadable(why: &InvalidMessage) -> String {
    use InvalidMessage as I;
    let sent = match why {
        I::HandshakePayloadTooLarge | I::CertificatePayloadTooLarge => {
            "a handshake message longer than the 64 KiB that are taken"
        }
        I::InvalidEmptyPayload => "an empty record of a type that must not be empty",
        I::InvalidContentType => "a record of a type that there is not",
        I::UnknownProtocolVersion => "a record of a version that there is not",
        I::MessageTooShort | I::MissingData(_) => "a message that ends before all of it is there",
        I::TrailingData(_) => "a message with more behind its end",
        I::InvalidCcs => "a change_cipher_spec that is none",
        I::DuplicateExtension(_) => "an extension twice",
        I::UnsupportedCompression => "a wish for compression, which is not done",
        I::NoSignatureSchemes => "an empty list of ways to sign",
        other => return format!("a message that can't be read: {}", words(other)),
    };
    sent.to_owned()
}

/// A name of rustls' as words: `MissingKeyShare` is `missing key share`.
pub(super) fn words(name: &impl Debug) -> String {
    let mut words = String::new();
    for letter in format!("{name:?}").chars().take_while(|letter| letter.is_ascii_alphanumeric()) {
        if letter.is_ascii_uppercase() && words.ends_with(|before: char| !before.is_ascii_uppercase()) {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_program_is_shown() {
        assert_eq!(words(&PeerMisbehaved::MissingKeyShare), "missing key share");
        assert_eq!(words(&InvalidMessage::MissingData("x")), "missing data");
        assert_eq!(words(&rustls::ContentType::ChangeCipherSpec), "change cipher spec");
        let sentence = "it chose a cipher suite that was not offered";
        assert_eq!(broken(&PeerMisbehaved::SelectedUnofferedCipherSuite), sentence);
        let sentence = "an empty record of a type that must not be empty";
        assert_eq!(unreadable(&InvalidMessage::InvalidEmptyPayload), sentence);
        let sentence = "a message that can't be read: invalid dh params";
        assert_eq!(unreadable(&InvalidMessage::InvalidDhParams), sentence);
    }
}
