//! The cipher suites that are opened here: AES-GCM and ChaCha20-Poly1305.
//!
//! Read first: RFC 8446 appendix B.4, RFC 5288 and RFC 5289 (AES-GCM in TLS 1.2), RFC 7905 (ChaCha20-Poly1305).

use ring::{aead, hkdf, hmac};

/// How a suite seals, and by which hash its keys are made.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    pub(super) cipher: &'static aead::Algorithm,
    pub(super) hkdf: hkdf::Algorithm,
    pub(super) hmac: hmac::Algorithm,
    /// Bytes of a record's nonce that TLS 1.2 writes in front of the ciphertext.
    pub(super) explicit_nonce: usize,
}

const TLS13: [u16; 3] = [0x1301, 0x1302, 0x1303];

impl Suite {
    /// The suite with this number; `None` if it is not opened here.
    pub(super) fn of(number: u16) -> Option<Self> {
        let (aes_128, aes_256) = (&aead::AES_128_GCM, &aead::AES_256_GCM);
        Some(match number {
            0x1301 => Suite::sha256(aes_128, 0),
            0x1302 => Suite::sha384(aes_256, 0),
            0x1303 => Suite::sha256(&aead::CHACHA20_POLY1305, 0),
            0x009c | 0x009e | 0x00a2 | 0xc02b | 0xc02d | 0xc02f | 0xc031 => Suite::sha256(aes_128, 8),
            0x009d | 0x009f | 0x00a3 | 0xc02c | 0xc02e | 0xc030 | 0xc032 => Suite::sha384(aes_256, 8),
            0xcca8..=0xccaa => Suite::sha256(&aead::CHACHA20_POLY1305, 0),
            _ => return None,
        })
    }

    fn sha256(cipher: &'static aead::Algorithm, explicit_nonce: usize) -> Self {
        Suite { cipher, hkdf: hkdf::HKDF_SHA256, hmac: hmac::HMAC_SHA256, explicit_nonce }
    }

    fn sha384(cipher: &'static aead::Algorithm, explicit_nonce: usize) -> Self {
        Suite { cipher, hkdf: hkdf::HKDF_SHA384, hmac: hmac::HMAC_SHA384, explicit_nonce }
    }

    /// Bytes of a secret of TLS 1.3.
    pub(super) fn secret_len(&self) -> usize {
        self.hkdf.hmac_algorithm().digest_algorithm().output_len()
    }
}

/// Whether records of this version and cipher suite are opened here, given their secrets.
///
/// ```
/// use framewise_tls::passive::is_openable;
/// assert!(is_openable(0x0304, 0x1301));
/// assert!(!is_openable(0x0303, 0xc013), "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
/// ```
pub fn is_openable(version: u16, cipher_suite: u16) -> bool {
    let fits = TLS13.contains(&cipher_suite) == (version == 0x0304);
    fits && matches!(version, 0x0303 | 0x0304) && Suite::of(cipher_suite).is_some()
}
