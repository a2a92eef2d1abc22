//! What a sealed record shows to everybody: RFC 8446 section 5.2; RFC 5246 section 6.2.3, RFC 5288 section 3, RFC 6655 section 3
//! and RFC 7905 section 2 for TLS 1.2.

use super::Context;
use super::told::Told;
use crate::handshake;
use crate::vector::Reader;

/// The tag of AES-GCM and ChaCha20-Poly1305.
pub(super) const TAG: usize = 16;
/// What AES-GCM and AES-CCM write in front in TLS 1.2, so that no two records are sealed alike.
const EXPLICIT_NONCE: usize = 8;

/// What of a record of TLS 1.2 can be told apart without its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// So much of the nonce, the content, a tag of this length.
    Tagged { nonce: usize, tag: usize },
    /// Nothing: a code and filling are sealed together with the content.
    Whole,
}

impl Form {
    /// That of a cipher suite; of one that is not known, the usual one.
    pub(super) fn of_tls12(cipher_suite: Option<u16>) -> Self {
        let name = cipher_suite.map(handshake::cipher_suite).unwrap_or_default();
        match name.as_str() {
            name if name.contains("CHACHA20") => Form::Tagged { nonce: 0, tag: TAG },
            name if name.ends_with("CCM_8") => Form::Tagged { nonce: EXPLICIT_NONCE, tag: 8 },
            name if name.contains("CBC") || name.contains("RC4") || name.contains("NULL") => Form::Whole,
            _ => Form::Tagged { nonce: EXPLICIT_NONCE, tag: TAG },
        }
    }

    /// Bytes in front of the content, and behind it.
    pub(super) fn around(self) -> (usize, usize) {
        match self {
            Form::Tagged { nonce, tag } => (nonce, tag),
            Form::Whole => (0, 0),
        }
    }
}

/// Nonce, sealed bytes and tag, as far as they are there.
pub(super) fn tell(fragment: &mut Reader<'_>, context: &Context, told: &mut Told) {
    let _ = fields(fragment, context, told);
}

fn fields(fragment: &mut Reader<'_>, context: &Context, told: &mut Told) -> Option<()> {
    let form = match context.tls12 {
        true => Form::of_tls12(context.cipher_suite),
        false => Form::Tagged { nonce: 0, tag: TAG },
    };
    let source = match (context.tls12, form) {
        (false, _) => "RFC 8446 §5.2",
        (true, Form::Whole) => "RFC 5246 §6.2.3",
        (true, Form::Tagged { nonce: 0, .. }) => "RFC 7905 §2",
        (true, Form::Tagged { .. }) => "RFC 5288 §3",
    };
    let all = fragment.range();
    let meaning = match form {
        Form::Whole => {
            "Only the two who have the keys can read this, and see where its content ends and its code begins."
        }
        Form::Tagged { .. } => "Only the two who have the keys can read this.",
    };
    told.field("sealed fragment", all.clone(), format!("{} bytes", all.len()), meaning, source);
    let Form::Tagged { nonce, tag } = form else { return None };
    if nonce > 0 {
        let meaning = "A number that is used once with a key: AES needs it here, and TLS 1.2 sends it along.";
        told.bytes(fragment, nonce, "explicit nonce", meaning, source)?;
    }
    let left = fragment.range().len();
    let sealed = fragment.take(left.checked_sub(tag)?)?;
    let meaning = match context.tls12 {
        true => "What is said, as long as it was before it was sealed.",
        false => "What is said, behind it one byte that tells what it truly is, and perhaps filling.",
    };
    let value = format!("{} bytes", sealed.range().len());
    told.field("sealed content", sealed.range(), value, meaning, source);
    let meaning = "The seal: it fits only if neither content nor header was changed on the way.";
    told.bytes(fragment, tag, "authentication tag", meaning, source)
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn each_suite_seals_in_its_own_form() {
        assert_eq!(Form::of_tls12(None).around(), (8, 16));
        assert_eq!(Form::of_tls12(Some(0xc02f)).around(), (8, 16), "ECDHE, AES-GCM");
        assert_eq!(Form::of_tls12(Some(0xcca8)).around(), (0, 16), "ECDHE, ChaCha20");
        assert_eq!(Form::of_tls12(Some(0xc013)), Form::Whole, "ECDHE, AES in blocks");
    }
}
