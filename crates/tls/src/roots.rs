//! Whose word about a server is taken.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;

use crate::certificate::CertificateChain;
use crate::config::{ConfigError, Roots};
use crate::store;

/// All roots of a configuration in one store.
pub(crate) fn collect(sets: &[Roots]) -> Result<Arc<RootCertStore>, ConfigError> {
    let mut roots = RootCertStore::empty();
    for set in sets {
        match set {
            // A system's store holds oddities that no library reads all of; the others count.
            Roots::System => drop(roots.add_parsable_certificates(store::system_roots()?)),
            Roots::WebPki => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Roots::Pem(pem) => add(&mut roots, CertificateChain::from_pem(pem)?.0)?,
            Roots::Lab(certificate) => add(&mut roots, [certificate.0.clone()])?,
        }
    }
    Ok(Arc::new(roots))
}

fn add(
    roots: &mut RootCertStore,
    certificates: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<(), ConfigError> {
    for certificate in certificates {
        roots.add(certificate).map_err(|error| ConfigError::BadRoot(Box::new(error)))?;
    }
    Ok(())
}
