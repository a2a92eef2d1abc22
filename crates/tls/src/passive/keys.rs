//! Keys from secrets, and opening by a key.
//!
//! Read first: RFC 8446 sections 5.3 (nonces), 7.1 (HKDF-Expand-Label), 7.2 (updates), 7.3 (keys); RFC 5246 sections 5
//! (the pseudorandom function), 6.2.3.3 (what the tag covers) and 6.3 (the key block).

use ring::{aead, hkdf, hmac};

use super::log::Random;
use super::suite::Suite;
use super::{Side, Unopened};
use crate::record::{HEADER, Record};

/// Bytes of a nonce, of all ciphers here.
const NONCE: usize = aead::NONCE_LEN;
/// Bytes of the nonce that AES-GCM in TLS 1.2 takes from the key block (RFC 5288, section 3).
const SALT: usize = 4;

/// A key, with what its nonces are made from.
pub(super) struct Key {
    cipher: aead::LessSafeKey,
    nonce: [u8; NONCE],
    /// Bytes of nonce in front of each record's ciphertext.
    explicit_nonce: usize,
    /// Whether the tag covers what TLS 1.2 has it cover.
    is_tls12: bool,
}

/// A length that ring's HKDF is asked for.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
fn expand(suite: &Suite, secret: &[u8], label: &str, length: usize) -> Option<Vec<u8>> {
    let label = [b"tls13 ", label.as_bytes()].concat();
    let (long, short) = (u16::try_from(length).ok()?.to_be_bytes(), [u8::try_from(label.len()).ok()?]);
    let info = [&long[..], &short, &label, &[0]];
    let mut out = vec![0; length];
    let secret = hkdf::Prk::new_less_safe(suite.hkdf, secret);
    secret.expand(&info, Length(length)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

/// The secret after this one (RFC 8446, section 7.2).
pub(super) fn next_secret(suite: &Suite, secret: &[u8]) -> Option<Vec<u8>> {
    expand(suite, secret, "traffic upd", suite.secret_len())
}

impl Key {
    /// The key of TLS 1.3 that follows from a traffic secret.
    pub(super) fn tls13(suite: &Suite, secret: &[u8]) -> Option<Self> {
        if secret.len() != suite.secret_len() {
            return None;
        }
        let key = expand(suite, secret, "key", suite.cipher.key_len())?;
        let nonce = expand(suite, secret, "iv", NONCE)?;
        Some(Key {
            cipher: aead::LessSafeKey::new(aead::UnboundKey::new(suite.cipher, &key).ok()?),
            nonce: nonce.try_into().ok()?,
            explicit_nonce: 0,
            is_tls12: false,
        })
    }

    /// The key of TLS 1.2 of one side that follows from the master secret.
    pub(super) fn tls12(
        suite: &Suite,
        side: Side,
        master: &[u8],
        client_random: &Random,
        server_random: &Random,
    ) -> Option<Self> {
        let key_len = suite.cipher.key_len();
        let nonce_len = NONCE - suite.explicit_nonce;
        let seed = [b"key expansion", &server_random[..], &client_random[..]].concat();
        let block = pseudorandom(suite, master, &seed, 2 * (key_len + nonce_len));
        let which = usize::from(side == Side::Server);
        let key = block.get(which * key_len..)?.get(..key_len)?;
        let fixed = block.get(2 * key_len + which * nonce_len..)?.get(..nonce_len)?;
        let mut nonce = [0; NONCE];
        nonce.get_mut(..nonce_len)?.copy_from_slice(fixed);
        Some(Key {
            cipher: aead::LessSafeKey::new(aead::UnboundKey::new(suite.cipher, key).ok()?),
            nonce,
            explicit_nonce: suite.explicit_nonce,
            is_tls12: true,
        })
    }

    /// Where in a record the content begins.
    pub(super) fn content_at(&self) -> usize {
        HEADER + self.explicit_nonce
    }

    /// Opens the record with this number into `content`, which is emptied first.
    pub(super) fn open(
        &self,
        record: &Record<'_>,
        number: u64,
        content: &mut Vec<u8>,
    ) -> Result<(), Unopened> {
        let (explicit, sealed) =
            record.fragment.split_at_checked(self.explicit_nonce).ok_or(Unopened::TagWrong)?;
        content.clear();
        content.extend_from_slice(sealed);
        let nonce = aead::Nonce::assume_unique_for_key(self.nonce_of(explicit, number));
        let length = sealed.len().checked_sub(self.cipher.algorithm().tag_len()).ok_or(Unopened::TagWrong)?;
        let opened = match self.is_tls12 {
            true => {
                let covered = aead::Aad::from(covered_by_tls12(record, number, length));
                self.cipher.open_in_place(nonce, covered, content)
            }
            false => self.cipher.open_in_place(nonce, aead::Aad::from(header(record)), content),
        };
        let length = opened.map_err(|_| Unopened::TagWrong)?.len();
        content.truncate(length);
        Ok(())
    }

    /// In TLS 1.2 with AES-GCM the record brings eight bytes; else the record's number is added, bit by bit.
    fn nonce_of(&self, explicit: &[u8], number: u64) -> [u8; NONCE] {
        let mut nonce = self.nonce;
        match explicit.is_empty() {
            true => nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()).for_each(|(n, b)| *n ^= b),
            false => nonce.iter_mut().skip(SALT).zip(explicit).for_each(|(n, b)| *n = *b),
        }
        nonce
    }
}

/// A record's header, as it stands on the wire.
fn header(record: &Record<'_>) -> [u8; HEADER] {
    let [v, w] = record.legacy_version.to_be_bytes();
    let [l, m] = (record.fragment.len() as u16).to_be_bytes();
    [record.content_type.number(), v, w, l, m]
}

/// Number, header, and the content's length in place of the fragment's (RFC 5246, section 6.2.3.3).
fn covered_by_tls12(record: &Record<'_>, number: u64, length: usize) -> [u8; 13] {
    let mut covered = [0; 13];
    covered[..8].copy_from_slice(&number.to_be_bytes());
    covered[8..].copy_from_slice(&header(record));
    covered[11..].copy_from_slice(&(length as u16).to_be_bytes());
    covered
}

/// P_hash of TLS 1.2 (RFC 5246, section 5): as many bytes as are wanted.
fn pseudorandom(suite: &Suite, secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let key = hmac::Key::new(suite.hmac, secret);
    let mut out = Vec::with_capacity(length + 48);
    let mut a = hmac::sign(&key, seed);
    while out.len() < length {
        let mut context = hmac::Context::with_key(&key);
        context.update(a.as_ref());
        context.update(seed);
        out.extend_from_slice(context.sign().as_ref());
        a = hmac::sign(&key, a.as_ref());
    }
    out.truncate(length);
    out
}
