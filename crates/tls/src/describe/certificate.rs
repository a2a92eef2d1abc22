//! The message in which a side shows its certificates: RFC 8446 section 4.4.2; RFC 5246 section 7.4.2 for TLS 1.2.

use super::extension::{self, Carrier};
use super::message::Dialect;
use super::told::Told;
use super::x509;
use crate::vector::Reader;

const SOURCE: &str = "RFC 8446 §4.4.2";

/// The chain, the sender's own certificate first.
pub(super) fn tell(body: &mut Reader<'_>, dialect: Dialect, told: &mut Told) -> Option<()> {
    if dialect == Dialect::Tls13 {
        let mut context = told.vector8(body, "certificate request context length", SOURCE)?;
        let meaning = "Tells to which request this is the answer; a server's certificate answers none.";
        told.all(&mut context, "certificate request context", meaning, SOURCE)?;
    }
    let mut list = told.vector24(body, "certificates length", SOURCE)?;
    let mut is_first = true;
    while !list.is_empty() {
        let certificate = told.vector24(&mut list, "certificate length", SOURCE)?;
        x509::tell(&certificate, is_first, told);
        if dialect == Dialect::Tls13 {
            extension::list(&mut list, Carrier::Certificate, told)?;
        }
        is_first = false;
    }
    Some(())
}

/// TLS 1.2: the word of the issuer, in a message of its own (RFC 6066 section 8).
pub(super) fn status(body: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    super::word::status_request(body, Carrier::Certificate, told)
}
