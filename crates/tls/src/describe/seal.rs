//! What a sealed record shows to everybody: RFC 8446 section 5.2; RFC 5246 section 6.2.3.3 and RFC 5288 section 3 for
//! TLS 1.2.

use super::told::Told;
use crate::vector::Reader;

/// The tag of AES-GCM and ChaCha20-Poly1305.
pub(super) const TAG: usize = 16;
/// What AES-GCM writes in front in TLS 1.2, so that no two records are sealed alike.
pub(super) const EXPLICIT_NONCE: usize = 8;

/// Nonce, sealed bytes and tag, as far as they are there.
pub(super) fn tell(fragment: &mut Reader<'_>, tls12: bool, told: &mut Told) {
    let _ = fields(fragment, tls12, told);
}

fn fields(fragment: &mut Reader<'_>, tls12: bool, told: &mut Told) -> Option<()> {
    let source = if tls12 { "RFC 5288 §3" } else { "RFC 8446 §5.2" };
    let all = fragment.range();
    let meaning = "Only the two who have the keys can read this.";
    told.field("sealed fragment", all.clone(), format!("{} bytes", all.len()), meaning, source);
    if tls12 {
        let meaning = "A number that is used once with a key: AES-GCM needs it, and TLS 1.2 sends it along.";
        told.bytes(fragment, EXPLICIT_NONCE, "explicit nonce", meaning, source)?;
    }
    let left = fragment.range().len();
    let sealed = fragment.take(left.checked_sub(TAG)?)?;
    let meaning = match tls12 {
        true => "What is said, as long as it was before it was sealed.",
        false => "What is said, behind it one byte that tells what it truly is, and perhaps filling.",
    };
    let value = format!("{} bytes", sealed.range().len());
    told.field("sealed content", sealed.range(), value, meaning, source);
    let meaning = "The seal: it fits only if neither content nor header was changed on the way.";
    told.bytes(fragment, TAG, "authentication tag", meaning, source)
}
