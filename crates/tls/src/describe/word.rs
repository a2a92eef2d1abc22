//! Extensions that say a name, a text, or something for another program: RFC 6066, RFC 7301, RFC 5077, RFC 5746.

use super::extension::Carrier;
use super::told::Told;
use crate::vector::Reader;

/// The name of the server that is wanted (RFC 6066 section 3).
pub(super) fn server_name(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 6066 §3";
    let mut names = told.vector16(content, "server names length", SOURCE)?;
    while !names.is_empty() {
        told.u8(&mut names, "server name type", SOURCE, |kind| match kind {
            0 => ("0 (host_name)".into(), "The name is that of a host: there is no other kind.".into()),
            _ => (kind.to_string(), "A kind of name that there is not.".into()),
        })?;
        let name = told.vector16(&mut names, "server name length", SOURCE)?;
        let meaning = "Which server is wanted, in the clear: many names may live at one address.";
        told.field("server name", name.range(), name.text(), meaning, SOURCE);
    }
    Some(())
}

/// What may be spoken inside, or what will be (RFC 7301 section 3.1).
pub(super) fn application_protocols(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 7301 §3.1";
    let mut protocols = told.vector16(content, "application protocols length", SOURCE)?;
    let mut ahead = protocols.clone();
    let all: Vec<String> = std::iter::from_fn(|| ahead.vector8()).map(|name| name.text()).collect();
    let meaning = match all.len() {
        1 => "What is to be spoken once keys are agreed on.",
        _ => "What the client wants to speak once keys are agreed on, the best first.",
    };
    told.field("application protocols", protocols.range(), all.join(", "), meaning, SOURCE);
    while let Some(protocol) = told.vector8(&mut protocols, "application protocol length", SOURCE) {
        let meaning = match protocol.rest() {
            b"h2" => "HTTP/2.",
            b"http/1.1" => "HTTP/1.1.",
            b"http/1.0" => "HTTP/1.0.",
            _ => "A protocol that is not known here.",
        };
        told.field("application protocol", protocol.range(), protocol.text(), meaning, SOURCE);
    }
    told.unread(&protocols);
    Some(())
}

/// The client's wish for a word of the issuer; in a certificate's entry, that word (RFC 6066 section 8).
pub(super) fn status_request(content: &mut Reader<'_>, carrier: Carrier, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 6066 §8";
    told.u8(content, "certificate status type", SOURCE, |kind| match kind {
        1 => ("1 (ocsp)".into(), "The issuer is asked by OCSP: there is no other way.".into()),
        _ => (kind.to_string(), "A way of asking that is not known here.".into()),
    })?;
    if carrier == Carrier::Certificate {
        let mut response = told.vector24(content, "OCSP response length", SOURCE)?;
        let meaning = "Signed by the issuer a short time ago: the certificate has not been taken back.";
        return told.all(&mut response, "OCSP response", meaning, SOURCE);
    }
    let mut responders = told.vector16(content, "responder ids length", SOURCE)?;
    let _ = not_empty(&mut responders, "responder ids", "Who may speak for the issuer.", told);
    let mut extensions = told.vector16(content, "request extensions length", SOURCE)?;
    not_empty(&mut extensions, "request extensions", "What else is asked of the issuer.", told)
}

fn not_empty(
    from: &mut Reader<'_>,
    name: &'static str,
    meaning: &'static str,
    told: &mut Told,
) -> Option<()> {
    match from.is_empty() {
        true => Some(()),
        false => told.all(from, name, meaning, "RFC 6066 §8"),
    }
}

pub(super) fn session_ticket(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    let meaning = "What the server gave last time: its own notes, sealed with a key that only it has.";
    told.all(content, "ticket", meaning, "RFC 5077 §3.2")
}

pub(super) fn cookie(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    let mut cookie = told.vector16(content, "cookie length", "RFC 8446 §4.2.2")?;
    let meaning = "The server's notes about the first hello, which it need not keep itself so.";
    told.all(&mut cookie, "cookie", meaning, "RFC 8446 §4.2.2")
}

pub(super) fn renegotiation_info(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 5746 §3.2";
    let mut info = told.vector8(content, "renegotiated connection length", SOURCE)?;
    not_empty(&mut info, "renegotiated connection", "What ties these keys to the ones before.", told)
}
