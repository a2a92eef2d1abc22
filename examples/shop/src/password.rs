//! Passwords, of which only a slow hash is kept (PBKDF2, RFC 8018 section 5.2).
//!
//! The form is Django's: `pbkdf2_sha256$iterations$salt$hash`. So either shop could read the other's customers.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use ring::pbkdf2;

const ALGORITHM: &str = "pbkdf2_sha256";
const BYTES: usize = 32;
/// More than anybody has set: what a forged record asks for is not worked off.
const MOST_ITERATIONS: u32 = 10_000_000;

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a password with this salt, which no other has.
    pub(crate) fn new(password: &str, iterations: NonZeroU32, salt: [u8; 16]) -> Self {
        let salt = URL_SAFE_NO_PAD.encode(salt);
        let mut hash = [0; BYTES];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            salt.as_bytes(),
            password.as_bytes(),
            &mut hash,
        );
        PasswordHash(format!("{ALGORITHM}${iterations}${salt}${}", BASE64.encode(hash)))
    }

    /// As the database has it.
    pub(crate) fn stored(text: String) -> Self {
        PasswordHash(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the password, in the same time wherever it differs.
    pub(crate) fn is_of(&self, password: &str) -> bool {
        self.parts().is_some_and(|(iterations, salt, hash)| {
            let (salt, password) = (salt.as_bytes(), password.as_bytes());
            pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password, &hash).is_ok()
        })
    }

    fn parts(&self) -> Option<(NonZeroU32, &str, Vec<u8>)> {
        let mut parts = self.0.split('$');
        let (algorithm, iterations) = (parts.next()?, parts.next()?.parse::<NonZeroU32>().ok()?);
        let (salt, hash) = (parts.next()?, BASE64.decode(parts.next()?).ok()?);
        let is_ours = algorithm == ALGORITHM && iterations.get() <= MOST_ITERATIONS && hash.len() == BYTES;
        (is_ours && parts.next().is_none()).then_some((iterations, salt, hash))
    }
}

/// Works as long as [`PasswordHash::is_of`] does where there is no customer: whoever measures it learns nothing.
pub(crate) fn pretend(password: &str, iterations: NonZeroU32) {
    let mut hash = [0; BYTES];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, b"nobody", password.as_bytes(), &mut hash);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_alone() {
        let [hash, other] =
            [1, 2].map(|salt| PasswordHash::new("correct horse", NonZeroU32::MIN, [salt; 16]));
        assert!(hash.is_of("correct horse") && !hash.is_of("correct hors"));
        assert_ne!(hash.as_str(), other.as_str());
    }

    /// Django 5.2: `make_password("correct horse", salt="saltsaltsaltsalt", hasher="pbkdf2_sha256")` with 1000 iterations.
    #[test]
    fn it_reads_what_django_has_written() {
        let stored = "pbkdf2_sha256$1000$saltsaltsaltsalt$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM=";
        assert!(PasswordHash::stored(stored.to_owned()).is_of("correct horse"));
    }

    #[test]
    fn a_broken_hash_is_of_no_password() {
        for stored in [
            "",
            "$",
            "pbkdf2_sha256$0$a$",
            "pbkdf2_sha256$1$a$AAAA",
            "pbkdf2_sha256$4000000000$a$AAAA",
            "plain",
        ] {
            assert!(!PasswordHash::stored(stored.to_owned()).is_of(""), "{stored:?}");
        }
    }
}
