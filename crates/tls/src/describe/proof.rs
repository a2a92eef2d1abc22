//! The messages that end a handshake of TLS 1.3, and those after it: RFC 8446 sections 4.3.2, 4.4.3, 4.4.4, 4.6.

use super::extension::{self, Carrier};
use super::names;
use super::told::Told;
use crate::vector::Reader;

/// The signature over the handshake (RFC 8446 section 4.4.3; TLS 1.2 has the same form).
pub(super) fn certificate_verify(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8446 §4.4.3";
    signature(body, "signature algorithm", SOURCE, told)
}

/// A way of signing, and a signature of it.
pub(super) fn signature(
    body: &mut Reader<'_>,
    name: &'static str,
    source: &'static str,
    told: &mut Told,
) -> Option<()> {
    told.u16(body, name, source, |number| {
        let name = names::signature_scheme(number);
        (names::named_hex(number, name), names::signature_meaning(number).into())
    })?;
    let mut signature = told.vector16(body, "signature length", source)?;
    let meaning = "Made with the certificate's secret key over the handshake: nobody else could have.";
    told.all(&mut signature, "signature", meaning, source)
}

/// The check of the whole handshake (RFC 8446 section 4.4.4; RFC 5246 section 7.4.9 has 12 bytes).
pub(super) fn finished(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    let meaning = "A sum over all messages so far that needs the keys: nobody has changed one of them.";
    told.all(body, "verify data", meaning, "RFC 8446 §4.4.4")
}

/// A ticket by which the client can come back (RFC 8446 section 4.6.1).
pub(super) fn session_ticket(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8446 §4.6.1";
    told.u32(body, "ticket lifetime", SOURCE, |seconds| match seconds {
        0 => "The ticket is good for nothing: it is to be thrown away.".to_owned(),
        _ => format!("The ticket is good for {seconds} s."),
    })?;
    told.u32(body, "ticket age add", SOURCE, |_| {
        "Added to the ticket's age when it is used, so that nobody else learns how old it is.".into()
    })?;
    let mut nonce = told.vector8(body, "ticket nonce length", SOURCE)?;
    told.all(&mut nonce, "ticket nonce", "Makes the secrets of several tickets differ.", SOURCE)?;
    let mut ticket = told.vector16(body, "ticket length", SOURCE)?;
    let meaning = "The server's own notes, sealed with a key that only it has; the client sends them back.";
    told.all(&mut ticket, "ticket", meaning, SOURCE)?;
    extension::list(body, Carrier::NewSessionTicket, told)
}

/// RFC 8446 section 4.6.3.
pub(super) fn key_update(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    told.u8(body, "key update request", "RFC 8446 §4.6.3", |request| match request {
        0 => (
            "0 (update_not_requested)".into(),
            "The sender takes a fresh key; the other may keep its own.".into(),
        ),
        1 => (
            "1 (update_requested)".into(),
            "The sender takes a fresh key, and asks the other to do so, too.".into(),
        ),
        _ => (request.to_string(), "A wish that there is not.".into()),
    })?;
    Some(())
}

/// The server wants to know who the client is (RFC 8446 section 4.3.2).
pub(super) fn certificate_request(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8446 §4.3.2";
    let mut context = told.vector8(body, "certificate request context length", SOURCE)?;
    told.all(&mut context, "certificate request context", "Tells the answer to this from others.", SOURCE)?;
    extension::list(body, Carrier::CertificateRequest, told)
}
