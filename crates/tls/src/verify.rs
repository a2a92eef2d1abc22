//! Who judges a server's certificate: webpki, or, where the user insists, nobody.
//!
//! Read first: RFC 5280 section 6 (path validation), RFC 6125 (names), RFC 8446 section 4.4.3 (proof of the key).

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::blame::Chain;
use crate::board::Board;
use crate::config::{Cause, ConfigError};
use crate::presented::Presented;

/// The judge for these roots; without `verify`, one that lets everybody through.
pub(crate) fn verifier(
    roots: Arc<RootCertStore>,
    verify: bool,
    provider: Arc<CryptoProvider>,
    board: Board,
) -> Result<Arc<dyn ServerCertVerifier>, ConfigError> {
    if !verify {
        return Ok(Arc::new(Nobody(provider)));
    }
    let algorithms = provider.signature_verification_algorithms;
    let judge = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider).build();
    let judge = judge.map_err(|error| ConfigError::BadRoot(Box::new(error) as Cause))?;
    Ok(Arc::new(Telling { judge, roots, algorithms, board }))
}

/// The shortest RSA key that is taken for safe (NIST SP 800-57 part 1, table 2).
pub(crate) const RSA_BITS: usize = 2_048;

/// A server's key is one that can be broken.
#[derive(Debug, thiserror::Error)]
#[error("an RSA key of {bits} bits")]
pub(crate) struct WeakKey {
    pub(crate) bits: usize,
}

/// webpki's judgement; what was refused is put on the board, for the wording of the error.
#[derive(Debug)]
struct Telling {
    judge: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    board: Board,
}

impl ServerCertVerifier for Telling {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self
            .judge
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .and_then(|verified| strong_enough(rsa_bits(end_entity)).map(|()| verified));
        if let Err(Error::InvalidCertificate(why)) = &verdict {
            let chain = Chain::read(end_entity, intermediates, &self.roots, self.algorithms);
            self.board.refuse(chain.map(|chain| chain.refused(why)).unwrap_or_default());
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

/// webpki says nothing of a server's own key, and of one that is too short all that fails is its signature.
fn strong_enough(rsa_bits: Option<usize>) -> Result<(), Error> {
    match rsa_bits.filter(|bits| *bits < RSA_BITS) {
        Some(bits) => Err(CertificateError::Other(OtherError(Arc::new(WeakKey { bits }))).into()),
        None => Ok(()),
    }
}

/// Insecure: any certificate will do. That the peer has the key of the one it shows is checked all the same.
#[derive(Debug)]
struct Nobody(Arc<CryptoProvider>);

impl ServerCertVerifier for Nobody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
            .map_err(|error| of_a_weak_key(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
            .map_err(|error| of_a_weak_key(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Why a signature is not taken: the key that made it, where that is too short.
fn of_a_weak_key(error: Error, certificate: &CertificateDer<'_>) -> Error {
    strong_enough(rsa_bits(certificate)).err().unwrap_or(error)
}

fn rsa_bits(certificate: &CertificateDer<'_>) -> Option<usize> {
    Presented::read(certificate)?.key.rsa_bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Findings;
    use crate::errors::{Circumstances, explain};
    use framewise_core::seams::stream::TlsErrorKind;
    use rustls_pki_types::pem::PemObject;
    use std::time::Duration;

    /// Made by `openssl req -x509 -newkey rsa:1024 -days 36500 -subj /CN=weak.test -addext subjectAltName=DNS:weak.test`;
    /// ours makes no such keys.
    const WEAK: &str = "\
-----BEGIN CERTIFICATE-----
MIICHDCCAYWgAwIBAgIUEpI7f+DAfrTV9a0l32vpQKajy6AwDQYJKoZIhvcNAQEL
BQAwFDESMBAGA1UEAwwJd2Vhay50ZXN0MCAXDTI2MTEyODIzMDYyNFoYDzIxMjYx
MTA0MjMwNjI0WjAUMRIwEAYDVQQDDAl3ZWFrLnRlc3QwgZ8wDQYJKoZIhvcNAQEB
BQADgY0AMIGJAoGBAOUVPsxMtsj/HzWOhvVzmTxXkuvhxEXBKGQmn1CaxUEG42BI
mMDW2QNAqxQ38OFhZZO+2d470jaraFMNS91bnfsMKKdd7NWkpjpAuJxtzFySOIRC
psHYbpRC812h1WmCseXahFTacxEtB7IuMdJHS5v73FUwacpSh2ePJmm/X/3PAgMB
AAGjaTBnMB0GA1UdDgQWBBQM/6J8aspnzARvPsWybK63WpZOnTAfBgNVHSMEGDAW
gBQM/6J8aspnzARvPsWybK63WpZOnTAPBgNVHRMBAf8EBTADAQH/MBQGA1UdEQQN
MAuCCXdlYWsudGVzdDANBgkqhkiG9w0BAQsFAAOBgQAZU+el0gd/rZXTcV1w2cri
AM6iq+AEStUpvvSp/uRaqU8Ui2nSlmBXmiEy8eBqPVsUI7Kx0hUEWuu/7rXSwrRi
dhsS7ycquYHXP+HirwU4Jpk2jPl/GeBZh+p2aYWqgSDNSniDeoGTk7hFtRSrgkaX
2lAKWAnjcDmiumUKgiTqDw==
-----END CERTIFICATE-----
";

    /// What is known of a server with that certificate.
    fn known() -> Circumstances<'static> {
        Circumstances {
            client: true,
            name: "weak.test",
            first: &[22],
            open: false,
            asked_for_certificate: false,
            findings: Findings::default(),
        }
    }

    #[test]
    fn a_key_that_is_too_short_is_named() {
        let certificate = CertificateDer::from_pem_slice(WEAK.as_bytes()).expect("a certificate");
        assert_eq!(rsa_bits(&certificate), Some(1_024));
        let error = strong_enough(rsa_bits(&certificate)).expect_err("too short");
        let error = explain(&error, &known());
        assert_eq!(error.kind, TlsErrorKind::CertificateBad);
        let sentence =
            "the certificate of weak.test has a weak key: RSA of 1024 bits, at least 2048 are wanted";
        assert_eq!(error.detail, sentence);
        assert!(strong_enough(Some(2_048)).is_ok() && strong_enough(None).is_ok());
    }

    #[test]
    fn who_insists_hears_of_the_key_too_and_not_of_its_signature() {
        use rustls::internal::msgs::codec::{Codec, Reader};

        let certificate = CertificateDer::from_pem_slice(WEAK.as_bytes()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(RootCertStore::empty());
        let nobody = verifier(roots, false, provider, Board::default()).expect("one who lets all through");
        // rsa_pss_rsae_sha256, and 128 bytes.
        let bytes = [&[0x08, 0x04, 0x00, 0x80][..], &[1; 128]].concat();
        let signature = DigitallySignedStruct::read(&mut Reader::init(&bytes)).expect("a signature");
        for refused in [
            nobody.verify_tls12_signature(b"message", &certificate, &signature),
            nobody.verify_tls13_signature(b"message", &certificate, &signature),
        ] {
            let error = refused.expect_err("no signature of such a key is taken");
            assert!(explain(&error, &known()).detail.contains("RSA of 1024 bits"), "{error:?}");
        }
    }

    #[test]
    fn the_judge_looks_at_the_key() {
        let certificate = CertificateDer::from_pem_slice(WEAK.as_bytes()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).expect("a root");
        let judge = verifier(Arc::new(roots), true, provider, Board::default()).expect("a judge");
        let name = ServerName::try_from("weak.test").expect("a name");
        let now = UnixTime::since_unix_epoch(Duration::from_secs(2_000_000_000));
        // It is an authority's own, too, which webpki sees first.
        assert!(judge.verify_server_cert(&certificate, &[], &name, &[], now).is_err());
    }
}
