//! Certificates and keys as they come in files: PEM (RFC 7468) or DER.

use std::fmt;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Why a certificate or key could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaterialError {
    /// The PEM text has no section of the kind that is needed.
    #[error("there is no {needed} in this PEM text")]
    Missing {
        /// The kind of section: `CERTIFICATE`, `PRIVATE KEY`.
        needed: &'static str,
    },
    /// A section is not valid PEM.
    #[error("the {needed} in this PEM text is damaged")]
    BadPem {
        /// The kind of section.
        needed: &'static str,
    },
    /// The key has a passphrase.
    #[error("the PRIVATE KEY in this PEM text is locked by a passphrase, and nobody is asked for it here")]
    Locked,
    /// The bytes are not a certificate.
    #[error("these {found} bytes are not a certificate")]
    NotACertificate {
        /// How many bytes there were.
        found: usize,
    },
    /// The bytes are not a private key of a kind that we know.
    #[error("these {found} bytes are not a private key in PKCS #8, PKCS #1 or SEC 1")]
    NotAKey {
        /// How many bytes there were.
        found: usize,
    },
}

/// One X.509 certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(pub(crate) CertificateDer<'static>);

impl Certificate {
    /// From its DER bytes.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, MaterialError> {
        let der = CertificateDer::from(der.into());
        match webpki::EndEntityCert::try_from(&der) {
            Ok(_) => Ok(Certificate(der)),
            Err(_) => Err(MaterialError::NotACertificate { found: der.len() }),
        }
    }

    /// The first certificate of a PEM text.
    pub fn from_pem(pem: &[u8]) -> Result<Self, MaterialError> {
        CertificateDer::from_pem_slice(pem).map(Certificate).map_err(missing("CERTIFICATE"))
    }

    /// Its DER bytes.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// As PEM text (RFC 7468, section 5).
    pub fn to_pem(&self) -> String {
        let text = base64(&self.0);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().map(|byte| char::from(*byte)));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            text.push(match place <= group.len() {
                true => char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]),
                false => '=',
            });
        }
    }
    text
}

/// A server's certificate, and those that lead from it towards a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChain(pub(crate) Vec<CertificateDer<'static>>);

impl CertificateChain {
    /// Certificates in order, the server's own first.
    pub fn new(certificates: impl IntoIterator<Item = Certificate>) -> Self {
        CertificateChain(certificates.into_iter().map(|certificate| certificate.0).collect())
    }

    /// All certificates of a PEM text, in order, the server's own first.
    pub fn from_pem(pem: &[u8]) -> Result<Self, MaterialError> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(missing("CERTIFICATE"))?;
        match chain.is_empty() {
            true => Err(MaterialError::Missing { needed: "CERTIFICATE" }),
            false => Ok(CertificateChain(chain)),
        }
    }
}

/// A private key. Never shown.
pub struct PrivateKey(pub(crate) PrivateKeyDer<'static>);

impl PrivateKey {
    /// From DER: PKCS #8, PKCS #1 or SEC 1.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, MaterialError> {
        let der = der.into();
        let found = der.len();
        PrivateKeyDer::try_from(der).map(PrivateKey).map_err(|_| MaterialError::NotAKey { found })
    }

    /// The first key of a PEM text.
    pub fn from_pem(pem: &[u8]) -> Result<Self, MaterialError> {
        PrivateKeyDer::from_pem_slice(pem).map(PrivateKey).map_err(|error| match is_locked(pem) {
            true => MaterialError::Locked,
            false => missing("PRIVATE KEY")(error),
        })
    }
}

impl Clone for PrivateKey {
    fn clone(&self) -> Self {
        PrivateKey(self.0.clone_key())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(hidden)")
    }
}

/// Whether a key is there that a passphrase is needed for: in PKCS #8 (RFC 5958, section 3), or as OpenSSL once wrote it
/// (RFC 1421, section 4.6.1.1).
fn is_locked(pem: &[u8]) -> bool {
    let lines = pem.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let signs: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];
    lines.into_iter().any(|line| signs.contains(&line))
}

fn missing(needed: &'static str) -> impl Fn(rustls_pki_types::pem::Error) -> MaterialError {
    move |error| match error {
        rustls_pki_types::pem::Error::NoItemsFound => MaterialError::Missing { needed },
        _ => MaterialError::BadPem { needed },
    }
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_as_in_rfc_4648_section_10() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
