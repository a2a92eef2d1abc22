//! Full handshakes of TLS 1.3 (RFC 8446, section 2), one after the other, with nothing resumed.
//!
//! The same client for both servers, over the kernel's TCP: one suite and one group, so that neither chooses another
//! cryptography than the other.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::{Measured, Outcome};

/// A handshake that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes handshakes for some seconds, and counts them.
pub(crate) fn make(server: SocketAddr, seconds: f64) -> Outcome<Measured> {
    let config = Arc::new(config()?);
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed().as_secs_f64() < seconds {
        one(server, &config)?;
        count += 1;
    }
    Ok(Measured { count, seconds: began.elapsed().as_secs_f64() })
}

/// One connection, from its SYN until the server has closed it after ours.
fn one(server: SocketAddr, config: &Arc<ClientConfig>) -> Outcome<()> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut tls = ClientConnection::new(config.clone(), ServerName::IpAddress(server.ip().into()))?;
    while tls.is_handshaking() {
        tls.complete_io(&mut stream)?;
    }
    // The server has our Finished, and so has finished, when it answers our end with its own.
    tls.send_close_notify();
    while tls.wants_write() {
        tls.write_tls(&mut stream)?;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut room = [0; 4_096];
    loop {
        match stream.read(&mut room) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // It may have closed with our last bytes unread.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn config() -> Outcome<ClientConfig> {
    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![ring::kx_group::X25519],
        ..ring::default_provider()
    });
    let believing = Arc::new(Believing(provider.clone()));
    let builder =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(believing).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Believes any certificate, as a client of a measurement may, but checks the signature of the handshake: a server that
/// does not sign is not measured.
#[derive(Debug)]
struct Believing(Arc<CryptoProvider>);

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
