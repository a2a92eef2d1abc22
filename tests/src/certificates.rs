//! Certificates for peers, made anew in each run.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};

/// An authority that nobody trusts who is not told to.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A server's certificate and its key, both as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// Makes an authority.
    ///
    /// # Panics
    ///
    /// Where the library refuses its own parameters.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of the tests");
        let key = KeyPair::generate().expect("a key can be made");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority signs itself");
        Authority { issuer }
    }

    /// A certificate for these names and addresses.
    ///
    /// # Panics
    ///
    /// Where one of them is neither.
    pub fn issue(&self, names: &[&str]) -> Identity {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).expect("names of hosts, or addresses");
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.issuer).expect("the authority signs");
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// The authority's own certificate, as PEM; what a client is told to trust.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes the authority's certificate into `folder` and gives the file's path.
    ///
    /// # Panics
    ///
    /// Where it cannot be written.
    pub fn write_to(&self, folder: &Path) -> PathBuf {
        let path = folder.join("authority.pem");
        fs::write(&path, self.pem()).expect("the folder can be written to");
        path
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
