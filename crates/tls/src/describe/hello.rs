//! The hellos: RFC 8446 sections 4.1.2 (client), 4.1.3 (server), 4.3.1 (what the server answers sealed).

use super::extension::{self, Carrier};
use super::list::numbers;
use super::names;
use super::told::Told;
use crate::vector::Reader;

const CLIENT: &str = "RFC 8446 §4.1.2";
const SERVER: &str = "RFC 8446 §4.1.3";

/// What the client asks for.
pub(super) fn client(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    told.u16(body, "hello version", CLIENT, |version| {
        let meaning = match version {
            0x0303 => {
                "A client of TLS 1.3 says 1.2 here as well; its true versions are among the extensions."
            }
            _ => "The newest version that the client speaks, as far as older ones can say it.",
        };
        (names::version(version), meaning.into())
    })?;
    let meaning = "Nobody can foretell it: it makes this conversation's keys differ from those of any other.";
    told.bytes(body, 32, "random", meaning, CLIENT)?;
    let id = told.vector8(body, "session id length", CLIENT)?;
    let meaning = match id.range().len() {
        0 => "None: the client does not pretend to come back.",
        _ => "Of no use in TLS 1.3, but without it old boxes on the way would take offence (appendix D.4).",
    };
    session_id(id, meaning, CLIENT, told);
    let suites = told.vector16(body, "cipher suites length", CLIENT)?;
    let list = ("cipher suites", "The ways of sealing that the client knows, the best first.");
    numbers(suites, list, "cipher suite", CLIENT, told, |number| {
        let name = names::cipher_suite(number);
        let whole = names::named_hex(number, name.as_deref());
        (name.unwrap_or_else(|| whole.clone()), whole, names::cipher_suite_meaning(number))
    });
    let mut methods = told.vector8(body, "compression methods length", CLIENT)?;
    while compression(&mut methods, CLIENT, told).is_some() {}
    extension::list(body, Carrier::ClientHello, told)
}

/// RFC 8446 section 4.1.3: the hash of "HelloRetryRequest" in the place of the random number.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Whether this message is a ServerHello that asks for another ClientHello. Its random number stands behind header and version.
pub(super) fn is_retry(message: &[u8]) -> bool {
    message.first() == Some(&2) && message.get(6..38).is_some_and(|random| random == RETRY)
}

/// What the server has chosen, or that the client shall ask anew.
pub(super) fn server(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    told.u16(body, "hello version", SERVER, |version| {
        let meaning = match version {
            0x0303 => "TLS 1.2, if no extension says otherwise: a server of TLS 1.3 says 1.2 here, too.",
            _ => "The version that will be spoken.",
        };
        (names::version(version), meaning.into())
    })?;
    let random = body.rest().get(..32).unwrap_or_default();
    let carrier = if random == RETRY { Carrier::HelloRetryRequest } else { Carrier::ServerHello };
    told.bytes(body, 32, "random", random_meaning(random), SERVER)?;
    let id = told.vector8(body, "session id length", SERVER)?;
    let meaning = match id.range().len() {
        0 => "None: the client can't come back by it.",
        _ => {
            "In TLS 1.3 the client's own, sent back; in TLS 1.2 the name by which this session can be resumed."
        }
    };
    session_id(id, meaning, SERVER, told);
    told.u16(body, "chosen cipher suite", SERVER, |number| {
        let name = names::cipher_suite(number);
        (names::named_hex(number, name.as_deref()), names::cipher_suite_meaning(number))
    })?;
    compression(body, SERVER, told)?;
    // A server of TLS 1.2 may leave the extensions out (RFC 5246, section 7.4.1.3).
    if body.is_empty() {
        return Some(());
    }
    extension::list(body, carrier, told)
}

/// The rest of what the client asked for, answered where nobody else can read it.
pub(super) fn encrypted_extensions(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    extension::list(body, Carrier::EncryptedExtensions, told)
}

fn random_meaning(random: &[u8]) -> &'static str {
    match random.get(24..) {
        _ if random == RETRY => "Not random: this very number says that the client shall send another hello.",
        Some(b"DOWNGRD\x01") => {
            "Its end says DOWNGRD: the server speaks TLS 1.3, so a client that does, too, was meddled with."
        }
        Some(b"DOWNGRD\x00") => {
            "Its end says DOWNGRD: the server speaks a newer version than is spoken here."
        }
        _ => "Nobody can foretell it: it makes this conversation's keys differ from those of any other.",
    }
}

fn session_id(mut id: Reader<'_>, meaning: &'static str, source: &'static str, told: &mut Told) {
    let _ = told.all(&mut id, "session id", meaning, source);
}

fn compression(from: &mut Reader<'_>, source: &'static str, told: &mut Told) -> Option<()> {
    told.u8(from, "compression method", source, |method| match method {
        0 => ("0 (null)".into(), "Nothing is packed: packing before sealing gave secrets away.".into()),
        1 => ("1 (DEFLATE)".into(), "Packing before sealing, which gave secrets away.".into()),
        _ => (method.to_string(), "A way of packing that is not known here.".into()),
    })?;
    Some(())
}
