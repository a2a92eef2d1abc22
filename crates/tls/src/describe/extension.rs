//! The extensions of hellos, certificates and tickets: RFC 8446 section 4.2. What is inside those that are common is in
//! `offer` (lists to choose from), `key` (shares and shared keys) and `word` (names and other texts).

use super::names;
use super::told::Told;
use super::{key, offer, word};
use crate::vector::Reader;

/// Which message an extension stands in: some look different in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    ClientHello,
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    Certificate,
    CertificateRequest,
    NewSessionTicket,
}

const SOURCE: &str = "RFC 8446 §4.2";

/// A message's extensions with the length in front.
pub(super) fn list(from: &mut Reader<'_>, carrier: Carrier, told: &mut Told) -> Option<()> {
    let mut extensions = told.vector16(from, "extensions length", SOURCE)?;
    while extension(&mut extensions, carrier, told).is_some() {}
    told.unread(&extensions);
    Some(())
}

/// An extension as a whole, then its parts.
fn extension(from: &mut Reader<'_>, carrier: Carrier, told: &mut Told) -> Option<()> {
    let begin = from.range().start;
    let mut ahead = from.clone();
    let number = ahead.u16()?;
    let mut content = ahead.vector16()?;
    let known = KNOWN.iter().find(|known| known.number == number);
    let name = known.map(|known| known.name);
    let (meaning, source) = match known {
        Some(known) => (known.meaning, known.source),
        None if names::is_grease(number) => (names::GREASE, "RFC 8701 §2"),
        None => ("An extension that is not known here; it is passed over.", SOURCE),
    };
    let place = begin..ahead.range().start;
    let shown = name.unwrap_or(if names::is_grease(number) { "GREASE" } else { "unknown" });
    told.field("extension", place, shown, meaning, source);
    let kind = match name {
        Some(name) => format!("The number by which {name} is known."),
        None => "A number without a name here.".to_owned(),
    };
    told.field("extension type", begin..begin + 2, names::named(number, name), kind, SOURCE);
    let length = content.range().len();
    let meaning = match length {
        0 => "It has no content: that it is there says all.".to_owned(),
        1 => "1 byte of content follows.".to_owned(),
        _ => format!("{length} bytes of content follow."),
    };
    told.field("extension length", begin + 2..begin + 4, length.to_string(), meaning, SOURCE);
    let _ = tell_content(number, &mut content, carrier, told);
    if !content.is_empty() {
        let meaning = "The extension's content, which is not read here.";
        told.field("extension data", content.range(), super::told::hex(content.rest()), meaning, source);
    }
    *from = ahead;
    Some(())
}

fn tell_content(number: u16, content: &mut Reader<'_>, carrier: Carrier, told: &mut Told) -> Option<()> {
    // An extension without content says all by being there, and an answer often has none.
    if content.is_empty() {
        return Some(());
    }
    match number {
        0 => word::server_name(content, told),
        5 => word::status_request(content, carrier, told),
        10 => offer::groups(content, told),
        11 => offer::point_formats(content, told),
        13 | 50 => offer::signature_algorithms(content, told),
        16 => word::application_protocols(content, told),
        27 => offer::certificate_compression(content, told),
        28 => offer::record_size(content, told),
        35 => word::session_ticket(content, told),
        41 => key::pre_shared_key(content, carrier, told),
        42 => key::early_data(content, told),
        43 => offer::versions(content, carrier, told),
        44 => word::cookie(content, told),
        45 => offer::psk_modes(content, told),
        51 => key::key_share(content, carrier, told),
        0xff01 => word::renegotiation_info(content, told),
        _ => None,
    }
}

/// An extension that has a name here.
struct Known {
    number: u16,
    name: &'static str,
    meaning: &'static str,
    source: &'static str,
}

const fn known(number: u16, name: &'static str, meaning: &'static str, source: &'static str) -> Known {
    Known { number, name, meaning, source }
}

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    known(0, "server_name", "Which server is wanted, in the clear: many names may live at one address.", "RFC 6066 §3"),
    known(1, "max_fragment_length", "The client has little memory, and asks for short records.", "RFC 6066 §4"),
    known(5, "status_request", "A fresh word of the issuer that the certificate still holds.", "RFC 6066 §8"),
    known(10, "supported_groups", "The groups in which a secret can be agreed on.", "RFC 8446 §4.2.7"),
    known(11, "ec_point_formats", "How points of elliptic curves may be written; left over from TLS 1.2.", "RFC 8422 §5.1.2"),
    known(13, "signature_algorithms", "The ways of signing that the sender can check.", "RFC 8446 §4.2.3"),
    known(16, "application_layer_protocol_negotiation", "What is to be spoken inside.", "RFC 7301 §3.1"),
    known(18, "signed_certificate_timestamp", "Proof that the certificate stands in a public log.", "RFC 6962 §3.3"),
    known(20, "server_certificate_type", "Kinds of proof that the server may show instead of a certificate.", "RFC 7250 §3"),
    known(21, "padding", "Fills the hello up, so that its length says less or old servers don't stumble.", "RFC 7685 §3"),
    known(22, "encrypt_then_mac", "For the old CBC ciphers: seal after encrypting, not before.", "RFC 7366 §2"),
    known(23, "extended_master_secret", "For TLS 1.2: keys depend on the whole handshake, so none can be spliced.", "RFC 7627 §5.1"),
    known(27, "compress_certificate", "Certificates may be sent packed.", "RFC 8879 §3"),
    known(28, "record_size_limit", "The longest record that the sender takes.", "RFC 8449 §4"),
    known(34, "delegated_credentials", "A short-lived key may stand in for the certificate's.", "RFC 9345 §4.1.1"),
    known(35, "session_ticket", "For TLS 1.2: coming back with a ticket, or asking for one.", "RFC 5077 §3.2"),
    known(41, "pre_shared_key", "A secret from an earlier conversation, so that no certificate is needed.", "RFC 8446 §4.2.11"),
    known(42, "early_data", "Data that does not wait for the end of the handshake.", "RFC 8446 §4.2.10"),
    known(43, "supported_versions", "The true version of TLS: it is agreed on here and nowhere else.", "RFC 8446 §4.2.1"),
    known(44, "cookie", "Sent back by the client, so that the server need not remember it.", "RFC 8446 §4.2.2"),
    known(45, "psk_key_exchange_modes", "Whether fresh keys are wanted where an earlier secret is used.", "RFC 8446 §4.2.9"),
    known(47, "certificate_authorities", "Issuers whose certificates would be accepted.", "RFC 8446 §4.2.4"),
    known(49, "post_handshake_auth", "The client may still be asked for a certificate later.", "RFC 8446 §4.2.6"),
    known(50, "signature_algorithms_cert", "The ways of signing that certificates may use.", "RFC 8446 §4.2.3"),
    known(51, "key_share", "The sender's half of the keys: with the other's half both reckon the same secret.", "RFC 8446 §4.2.8"),
    known(57, "quic_transport_parameters", "What QUIC wants to know of the other.", "RFC 9001 §8.2"),
    known(17_513, "application_settings", "Settings of what is spoken inside; an experiment of browsers.", "draft-vvv-tls-alps"),
    known(17_613, "application_settings", "Settings of what is spoken inside; an experiment of browsers.", "draft-vvv-tls-alps"),
    known(0xfe0d, "encrypted_client_hello", "The true hello with the true name, sealed; or a decoy that looks like one.", "RFC 9849 §5"),
    known(0xff01, "renegotiation_info", "For TLS 1.2: ties new keys to the old, so that nobody slips in between.", "RFC 5746 §3.2"),
];
