//! Alerts, all of which have names: RFC 8446 section 6 and those of TLS 1.2 that it gave up (RFC 5246 section 7.2).

use framewise_core::Description;

use super::told::Told;
use crate::vector::Reader;

/// Explains an alert that is not sealed, or has been opened; ranges count from its first byte.
///
/// ```
/// let description = framewise_tls::describe_alert(&[2, 48]);
/// assert_eq!(description.fields[1].value, "48 (unknown_ca)");
/// ```
pub fn describe_alert(bytes: &[u8]) -> Description {
    let mut told = Told::default();
    tell(&mut Reader::new(bytes, 0), &mut told);
    let said = said(bytes);
    Description {
        protocol: "TLS",
        unit: "alert",
        outbound: said.clone(),
        inbound: said,
        next: "type 21: TLS itself".to_owned(),
        header: 0..bytes.len(),
        payload: bytes.len()..bytes.len(),
        fields: told.fields,
    }
}

/// Which alert this is.
pub(super) fn said(bytes: &[u8]) -> String {
    match bytes.get(1) {
        Some(number) => format!("alert: {}", name(*number).unwrap_or("unknown").replace('_', " ")),
        None => "the beginning of an alert".to_owned(),
    }
}

/// Level and description.
pub(super) fn tell(reader: &mut Reader<'_>, told: &mut Told) {
    let _ = fields(reader, told);
    told.unread(reader);
}

fn fields(reader: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    told.u8(reader, "alert level", "RFC 8446 §6", |level| match level {
        1 => ("1 (warning)".into(), "Not an error by itself; the description says what it is about.".into()),
        2 => ("2 (fatal)".into(), "An error: the connection ends here.".into()),
        _ => (level.to_string(), "A level that there is not.".into()),
    })?;
    told.u8(reader, "alert description", "RFC 8446 §6", |number| match name(number) {
        Some(name) => (format!("{number} ({name})"), meaning(number).into()),
        None => (number.to_string(), "An alert that is not known here.".into()),
    })?;
    Some(())
}

/// The name of this alert, as the RFCs spell it.
pub(crate) fn name(number: u8) -> Option<&'static str> {
    ALERTS.iter().find(|(known, ..)| *known == number).map(|(_, name, _)| *name)
}

fn meaning(number: u8) -> &'static str {
    ALERTS.iter().find(|(known, ..)| *known == number).map_or("", |(_, _, meaning)| meaning)
}

/// Number, name, meaning.
#[rustfmt::skip]
const ALERTS: &[(u8, &str, &str)] = &[
    (0, "close_notify", "The sender has said all; what came before is complete."),
    (10, "unexpected_message", "A message came that has no place at this point."),
    (20, "bad_record_mac", "A record could not be opened: it was altered, or sealed with another key."),
    (21, "decryption_failed", "A record could not be opened; given up, since it helped attackers."),
    (22, "record_overflow", "A record was longer than any may be."),
    (30, "decompression_failure", "What was packed could not be unpacked."),
    (40, "handshake_failure", "The two have no way of sealing in common."),
    (41, "no_certificate", "The client has no certificate; given up after SSL 3.0."),
    (42, "bad_certificate", "The certificate is broken, or its signature wrong."),
    (43, "unsupported_certificate", "The certificate is of a kind that the sender can't use."),
    (44, "certificate_revoked", "The issuer has taken the certificate back."),
    (45, "certificate_expired", "The certificate is not valid at this time."),
    (46, "certificate_unknown", "The certificate was refused for some other reason."),
    (47, "illegal_parameter", "A field has a value that it must not have."),
    (48, "unknown_ca", "Nobody whom the sender trusts has signed the certificate."),
    (49, "access_denied", "The certificate is right, but its owner is not let in."),
    (50, "decode_error", "A message's lengths or values can't be right."),
    (51, "decrypt_error", "A signature or a check of the handshake is wrong."),
    (60, "export_restriction", "Keys were longer than a law once allowed; given up."),
    (70, "protocol_version", "The two speak no version of TLS in common."),
    (71, "insufficient_security", "The server wants better ways of sealing than the client offers."),
    (80, "internal_error", "Something broke inside the sender; the other is not at fault."),
    (86, "inappropriate_fallback", "The client came with an older version than it needed to."),
    (90, "user_canceled", "The user broke off."),
    (100, "no_renegotiation", "The sender won't agree on new keys."),
    (109, "missing_extension", "An extension is missing that must be there."),
    (110, "unsupported_extension", "An extension came that nobody had asked for."),
    (111, "certificate_unobtainable", "The certificate could not be fetched from where it was said to be."),
    (112, "unrecognized_name", "The server has no page of that name."),
    (113, "bad_certificate_status_response", "The word that the certificate still holds is wrong or out of date."),
    (114, "bad_certificate_hash_value", "The certificate is not the one that was announced."),
    (115, "unknown_psk_identity", "The ticket or shared key is not known to the server."),
    (116, "certificate_required", "The client must show a certificate, and has not."),
    (117, "general_error", "Something went wrong for which there is no other alert."),
    (120, "no_application_protocol", "The two have no protocol in common to speak inside."),
    (121, "ech_required", "The client must hide the name that it wants, and the server could not read it."),
];
