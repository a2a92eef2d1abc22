//! Which certificate a server shows: the one for the name that the client asks for.
//!
//! Read first: RFC 6066 section 3 (server name indication), RFC 6125 section 6.4.3 (wildcards).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::authority::{Authority, LEAF_DAYS};
use crate::board::Board;
use crate::certificate::{CertificateChain, PrivateKey};
use crate::config::{ConfigError, Server};
use crate::presented::Presented;
use crate::time::DAY;

/// A certificate chain and its key. The names it is for are those in the certificate.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificates, the server's own first.
    pub chain: CertificateChain,
    /// The key of the first certificate.
    pub key: PrivateKey,
}

/// Why a server's certificate and key can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The two are not a pair.
    #[error("the key is not the one of the server's certificate")]
    Mismatch,
    /// Nobody here can sign with such a key.
    #[error(
        "a server can't use this key, {found}: it must be RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, or Ed25519"
    )]
    KeyKind {
        /// What kind of key the certificate is for.
        found: String,
    },
    /// The certificate is longer than what is read.
    #[error(
        "the server's certificate has {found} bytes: at most {LONGEST} are taken, here as by most clients"
    )]
    TooLarge {
        /// How many bytes it has.
        found: usize,
    },
    /// The certificate is none.
    #[error("the server's certificate is malformed")]
    Malformed,
}

/// Bytes of the longest certificate that is taken.
const LONGEST: usize = 65_535;

impl Identity {
    fn certify(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, IdentityError> {
        let first = self.chain.0.first().ok_or(IdentityError::Malformed)?;
        if first.len() > LONGEST {
            return Err(IdentityError::TooLarge { found: first.len() });
        }
        let presented = Presented::read(first).ok_or(IdentityError::Malformed)?;
        let certified = CertifiedKey::from_der(self.chain.0.clone(), self.key.0.clone_key(), provider);
        certified.map(Arc::new).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => IdentityError::Mismatch,
            rustls::Error::InvalidCertificate(_) => IdentityError::Malformed,
            _ => IdentityError::KeyKind { found: presented.key.kind() },
        })
    }

    /// The names in the first certificate's subject alternative names.
    pub fn names(&self) -> Vec<String> {
        let Some(first) = self.chain.0.first() else {
            return Vec::new();
        };
        webpki::EndEntityCert::try_from(first)
            .map(|certificate| certificate.valid_dns_names().map(str::to_ascii_lowercase).collect())
            .unwrap_or_default()
    }
}

/// The resolver for what a host was configured to be.
pub(crate) fn resolver(
    server: &Server,
    provider: Arc<CryptoProvider>,
    board: Board,
) -> Result<Arc<dyn ResolvesServerCert>, ConfigError> {
    match server {
        Server::Authority(authority) => {
            Ok(Arc::new(Issuing { authority: authority.clone(), provider, board, issued: Mutex::default() }))
        }
        Server::Identities(identities) if identities.is_empty() => Err(ConfigError::NoIdentity),
        Server::Identities(identities) => {
            let certify = |identity: &Identity| {
                let certified = identity.certify(&provider);
                let certified = certified.map_err(ConfigError::Identity)?;
                Ok((identity.names(), certified))
            };
            let identities = identities.iter().map(certify).collect::<Result<_, ConfigError>>()?;
            Ok(Arc::new(Named(identities)))
        }
    }
}

/// Certificates that were given.
#[derive(Debug)]
struct Named(Vec<(Vec<String>, Arc<CertifiedKey>)>);

impl ResolvesServerCert for Named {
    /// The one for just this name, else the one with a fitting wildcard, else the first: the client then sees a wrong
    /// name, which tells it more than an alert would.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().unwrap_or_default().to_ascii_lowercase();
        let find = |fits: &dyn Fn(&str) -> bool| {
            let mut identities = self.0.iter();
            identities.find(|(names, _)| names.iter().any(|name| fits(name)))
        };
        let (_, certified) = find(&|name| name == asked)
            .or_else(|| find(&|name| wildcard_fits(name, &asked)))
            .or(self.0.first())?;
        Some(certified.clone())
    }
}

/// Whether `*.shop.test` stands for this name: one label, no more.
fn wildcard_fits(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix("*."), name.split_once('.')) {
        (Some(parent), Some((label, rest))) => !label.is_empty() && rest == parent,
        _ => false,
    }
}

/// Certificates made when they are asked for.
#[derive(Debug)]
struct Issuing {
    authority: Authority,
    provider: Arc<CryptoProvider>,
    board: Board,
    issued: Mutex<BTreeMap<String, Issued>>,
}

#[derive(Debug)]
struct Issued {
    renew_at: u64,
    certified: Arc<CertifiedKey>,
}

/// How many issued certificates are kept. Who asks for more names than this has them made anew.
const KEEP_ISSUED: usize = 256;

impl Issuing {
    fn certify(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let now = self.board.unix_seconds();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = issued.get(name).filter(|kept| now < kept.renew_at) {
            return Some(kept.certified.clone());
        }
        let certified = self.authority.issue(name, now).ok()?.certify(&self.provider).ok()?;
        if issued.len() >= KEEP_ISSUED {
            issued.pop_first();
        }
        let renew_at = now.saturating_add((LEAF_DAYS - 1) * DAY);
        let kept = Issued { renew_at, certified: certified.clone() };
        issued.insert(name.to_owned(), kept);
        Some(certified)
    }
}

impl ResolvesServerCert for Issuing {
    /// Who connects to an address names no server (RFC 6066, section 3): the certificate is then for that address.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = match hello.server_name() {
            Some(name) => name.to_ascii_lowercase(),
            None => self.board.local()?.to_canonical().to_string(),
        };
        let certified = self.certify(&asked);
        if certified.is_none() {
            self.board.cannot_serve(asked);
        }
        certified
    }
}

#[cfg(test)]
mod tests {
    use super::wildcard_fits;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(wildcard_fits("*.shop.test", "www.shop.test"));
        assert!(!wildcard_fits("*.shop.test", "a.www.shop.test"));
        assert!(!wildcard_fits("*.shop.test", "shop.test"));
        assert!(!wildcard_fits("shop.test", "shop.test"));
    }
}
