//! What a host's TLS layer is built from.

use std::net::IpAddr;
use std::time::Duration;

use crate::authority::{Authority, AuthorityError};
use crate::certificate::Certificate;
use crate::identity::{Identity, IdentityError};
use crate::simulated::SimulatedCrypto;
use crate::time::TimeSource;

/// Everything that a [`Tls`](crate::Tls) layer needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// How connections of our own are made.
    pub client: ClientOptions,
    /// Who we are to those who connect to us; `None` for a host that serves no TLS.
    pub server: Option<Server>,
    /// The address by which clients know this server that ask for no name, where that is not its own: behind a gateway.
    pub known_as: Option<IpAddr>,
    /// Protocols to offer, and to choose from, by ALPN (RFC 7301), the best first.
    pub alpn: Vec<String>,
    /// Versions to offer and to accept.
    pub versions: Versions,
    /// Whether sessions are resumed: a second visit then needs no certificate.
    pub resumption: bool,
    /// Whether secrets are told to whoever watches, as lines of a key log. Who has them can read everything.
    pub export_secrets: bool,
    /// Bounds.
    pub limits: Limits,
    /// The wall clock.
    pub time: TimeSource,
    /// Where keys and random numbers come from.
    pub crypto: Crypto,
}

impl Config {
    /// A host without roots and without a server's identity: ALPN `http/1.1`, TLS 1.2 and 1.3, resumption on, secrets
    /// kept.
    pub fn new(time: TimeSource, crypto: Crypto) -> Self {
        Config {
            client: ClientOptions { roots: Vec::new(), verify: true },
            server: None,
            known_as: None,
            alpn: vec!["http/1.1".to_owned()],
            versions: Versions::default(),
            resumption: true,
            export_secrets: false,
            limits: Limits::default(),
            time,
            crypto,
        }
    }
}

/// How connections of our own are made.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Whose word about a server we take, all together. None: this host connects to nobody by TLS.
    pub roots: Vec<Roots>,
    /// Whether the server's certificate is checked. `false` is insecure: anybody in between can pretend to be the
    /// server. Each connection then says so in a note and by `verified: false`.
    pub verify: bool,
}

/// A set of certificate authorities to trust.
#[derive(Debug, Clone)]
pub enum Roots {
    /// Those of the operating system, read when the layer is made.
    System,
    /// Those that Mozilla's programs trust, built in.
    WebPki,
    /// The certificates of a PEM text.
    Pem(Vec<u8>),
    /// One authority of our own: [`Authority::certificate`].
    Lab(Certificate),
}

/// Who a server is.
#[derive(Debug, Clone)]
pub enum Server {
    /// These, chosen by the name that the client asks for (SNI); the first for those who ask for none of them.
    Identities(Vec<Identity>),
    /// Whoever the client asks for, where the authority may vouch for that name.
    Authority(Authority),
}

/// Versions of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// Both, 1.3 preferred.
    #[default]
    Both,
    /// 1.2 only (RFC 5246).
    Only12,
    /// 1.3 only (RFC 8446).
    Only13,
}

/// Bounds of time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// TLS connections at a time.
    pub connections: usize,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// How long a failed connection waits for the peer to take the alert, before it is reset.
    pub linger: Duration,
    /// Ciphertext of one connection that may be on its way to us or wait here, in bytes; and plaintext that may wait
    /// to be sealed. At least 32 KiB, so that a whole record always fits.
    pub window: usize,
    /// Sessions remembered for resumption, on each side.
    pub sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 16_384,
            handshake: Duration::from_secs(10),
            linger: Duration::from_secs(1),
            window: 256 * 1024,
            sessions: 1_024,
        }
    }
}

/// Where keys and random numbers come from.
#[derive(Debug, Clone)]
pub enum Crypto {
    /// The operating system's randomness. The only choice on a real device.
    Real,
    /// All from a seed: whoever knows the seed reads everything. For runs in memory.
    Simulated(Box<SimulatedCrypto>),
}

/// What a library said, below our own words.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a layer cannot be made so.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The system's roots could not be read.
    #[error("the certificates that this system trusts could not be read")]
    SystemRoots(#[source] Option<Cause>),
    /// A certificate to trust cannot be one.
    #[error("the certificate to trust is not one that can vouch for others")]
    BadRoot(#[source] Cause),
    /// A PEM text has no certificate, or a damaged one.
    #[error("the roots could not be read")]
    Material(#[from] crate::certificate::MaterialError),
    /// A server's chain and key don't fit, or are of a kind that can't be used.
    #[error(transparent)]
    Identity(IdentityError),
    /// The versions and suites that are wanted can't be had together.
    #[error("TLS can't be set up so")]
    Versions(#[source] Cause),
    /// The list of identities is empty.
    #[error("a TLS server needs at least one certificate")]
    NoIdentity,
    /// Keys that belong to the real world were about to be used with predictable randomness.
    #[error("simulated randomness is predictable, so it is refused together with {0}")]
    SimulatedWithReal(&'static str),
    /// The authority cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}
