//! Who judges a server's certificate: webpki, or, where the user insists, nobody.
//!
//! Read first: RFC 5280 section 6 (path validation), RFC 6125 (names), RFC 8446 section 4.4.3 (proof of the key).

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

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
    let judge = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    let judge = judge.map_err(|error| ConfigError::BadRoot(Box::new(error) as Cause))?;
    Ok(Arc::new(Telling { judge, board }))
}

/// webpki's judgement; what was refused is put on the board, for the wording of the error.
#[derive(Debug)]
struct Telling {
    judge: Arc<WebPkiServerVerifier>,
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
        let verdict =
            self.judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let (Err(_), Some(certificate)) = (&verdict, Presented::read(end_entity)) {
            self.board.refuse(certificate);
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
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
