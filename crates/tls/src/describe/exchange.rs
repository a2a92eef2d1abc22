//! The messages that only TLS 1.2 has, or has in another form: RFC 5246 sections 7.4.3, 7.4.4 and 7.4.7, RFC 8422 section
//! 5 (elliptic curves), RFC 5077 section 3.3 (tickets).

use super::proof::signature;
use super::told::Told;
use super::{list, names};
use crate::vector::Reader;

/// The server's half of the keys, signed. Only that of elliptic curves is read.
pub(super) fn server_key(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8422 §5.4";
    const NAMED_CURVE: u8 = 3;
    // Without a curve it is Diffie-Hellman's: a long number, whose length's first byte is never this one.
    if body.rest().first() != Some(&NAMED_CURVE) {
        let meaning = "The server's half of the keys for an older way of agreeing on them, not read here.";
        return told.all(body, "key exchange parameters", meaning, "RFC 5246 §7.4.3");
    }
    told.u8(body, "curve type", SOURCE, |_| {
        ("3 (named_curve)".into(), "The curve is one that has a name: there is no other way any more.".into())
    })?;
    told.u16(body, "named curve", SOURCE, |number| {
        (names::named_hex(number, names::group(number)), names::group_meaning(number).into())
    })?;
    let mut public = told.vector8(body, "public key length", SOURCE)?;
    let meaning = "The public half of a key made for this conversation alone; the secret half never travels.";
    told.all(&mut public, "public key", meaning, SOURCE)?;
    signature(body, "signature algorithm", SOURCE, told)
}

/// The client's half: a point on a curve, or a secret for the server's key. The length in front tells them apart.
pub(super) fn client_key(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    let rest = body.rest();
    let is_point = rest.first().is_some_and(|length| usize::from(*length) + 1 == rest.len());
    if is_point {
        let mut public = told.vector8(body, "public key length", "RFC 8422 §5.7")?;
        let meaning = "The client's public half; with the server's secret half it gives the keys.";
        return told.all(&mut public, "public key", meaning, "RFC 8422 §5.7");
    }
    let mut secret = told.vector16(body, "encrypted secret length", "RFC 5246 §7.4.7")?;
    let meaning = "A secret that only the server's key can open: who gets that key later can read all.";
    told.all(&mut secret, "encrypted secret", meaning, "RFC 5246 §7.4.7")
}

/// The server wants to know who the client is (RFC 5246 section 7.4.4).
pub(super) fn certificate_request(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 5246 §7.4.4";
    let kinds = told.vector8(body, "certificate types length", SOURCE)?;
    list::bytes(kinds, "certificate type", SOURCE, told, |kind| match kind {
        1 => ("1 (rsa_sign)".into(), "A certificate with a key of RSA would do.".into()),
        64 => ("64 (ecdsa_sign)".into(), "A certificate with a key of ECDSA would do.".into()),
        _ => (kind.to_string(), "A kind of certificate that is hardly used.".into()),
    });
    super::offer::signature_algorithms(body, told)?;
    let mut issuers = told.vector16(body, "certificate authorities length", SOURCE)?;
    while !issuers.is_empty() {
        let mut issuer = told.vector16(&mut issuers, "certificate authority length", SOURCE)?;
        let meaning = "The name of an issuer whose certificates would be accepted.";
        told.all(&mut issuer, "certificate authority", meaning, SOURCE)?;
    }
    Some(())
}

/// RFC 5077 section 3.3.
pub(super) fn session_ticket(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 5077 §3.3";
    told.u32(body, "ticket lifetime", SOURCE, |seconds| match seconds {
        0 => "The server does not say how long the ticket is good.".to_owned(),
        _ => format!("The ticket is good for about {seconds} s."),
    })?;
    let mut ticket = told.vector16(body, "ticket length", SOURCE)?;
    let meaning = "The server's own notes, sealed with a key that only it has; the client sends them back.";
    told.all(&mut ticket, "ticket", meaning, SOURCE)
}
