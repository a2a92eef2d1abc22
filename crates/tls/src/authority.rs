//! The lab's certificate authority: it vouches for `shop.test`, and cannot vouch for anything real.
//!
//! Read first: RFC 5280 sections 4.2.1.10 (name constraints), 4.2.1.3 (key usage), 4.2.1.12 (extended key usage).
//!
//! Its certificate carries name constraints: names below `.test` (RFC 6761, section 6.2) and addresses that are private
//! or for documentation. So a browser that trusts it for a lesson is at no risk from whoever steals its key.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use framewise_core::Rng;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SanType,
    SerialNumber,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::certificate::{Certificate, CertificateChain, MaterialError, PrivateKey};
use crate::config::Cause;
use crate::identity::Identity;
use crate::time::{DAY, TimeSource};

/// The top-level name that is reserved for tests (RFC 6761).
const DOMAIN: &str = "test";

/// Addresses that mean nothing on the Internet: (network, prefix length).
const NETWORKS: &[(&str, u8)] = &[
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("127.0.0.0", 8),
    ("192.0.2.0", 24),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("fc00::", 7),
    ("2001:db8::", 32),
    ("::1", 128),
];

/// How long the authority's own certificate is valid, and those that it issues, in days.
const AUTHORITY_DAYS: u64 = 3_650;
pub(crate) const LEAF_DAYS: u64 = 90;

/// Why an authority could not be made or could not issue a certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The name is outside of what the authority may vouch for.
    #[error("the lab's authority vouches for names below .test and private addresses, not for {0}")]
    OutsideConstraints(String),
    /// The certificate and the key belong to different authorities.
    #[error("the authority's key is not the one of its certificate")]
    KeyMismatch,
    /// A PEM text could not be read.
    #[error("the authority could not be read")]
    Material(#[from] MaterialError),
    /// Making a certificate failed.
    #[error("the certificate could not be made")]
    Making(#[source] Cause),
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        AuthorityError::Making(Box::new(error))
    }
}

/// A certificate authority for names below `.test` and private addresses. Cheap to clone.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    certificate: Certificate,
    key: KeyPair,
    /// In simulation, the stream that every leaf's key is derived from.
    leaves: Option<Rng>,
}

impl Authority {
    /// A new authority with a key from the operating system's randomness, valid for ten years.
    pub fn create(unix_seconds: u64) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let serial: [u8; 16] = first_bytes(key.public_key_raw().get(1..).unwrap_or_default());
        Self::sign_itself(key, unix_seconds, serial, None)
    }

    /// An authority whose key, and those of all that it issues, follow from a seed: whoever knows the seed can pretend
    /// to be it. The same seed and time give the same bytes.
    pub fn simulated_never_on_a_real_device(rng: &Rng, time: TimeSource) -> Result<Self, AuthorityError> {
        let mut own = rng.fork("tls/authority");
        let key = ed25519(own.bytes())?;
        let leaves = rng.fork("tls/leaves");
        Self::sign_itself(key, time.unix_seconds(framewise_core::Instant::ZERO), own.bytes(), Some(leaves))
    }

    fn sign_itself(
        key: KeyPair,
        unix_seconds: u64,
        serial: [u8; 16],
        leaves: Option<Rng>,
    ) -> Result<Self, AuthorityError> {
        let mut params = own_params(&key);
        params.serial_number = Some(serial_number(serial));
        make_valid(&mut params, unix_seconds, AUTHORITY_DAYS);
        let certificate = Certificate(params.self_signed(&key)?.into());
        Ok(Authority(Arc::new(Inner { certificate, key, leaves })))
    }

    /// An authority that was made before, from the PEM texts of its certificate and key.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, AuthorityError> {
        let certificate = Certificate::from_pem(certificate)?;
        let key = KeyPair::try_from(&PrivateKey::from_pem(key)?.0)?;
        let public = key.public_key_raw();
        if !certificate.as_der().windows(public.len()).any(|bytes| bytes == public) {
            return Err(AuthorityError::KeyMismatch);
        }
        Ok(Authority(Arc::new(Inner { certificate, key, leaves: None })))
    }

    /// The certificate by which others come to trust this authority.
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// The certificate as PEM text, for a browser's store or `curl --cacert`.
    pub fn certificate_pem(&self) -> String {
        self.certificate().to_pem()
    }

    /// The key as PEM text, for [`store`](crate::store) alone.
    pub(crate) fn key_pem(&self) -> String {
        self.0.key.serialize_pem()
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.0.leaves.is_some()
    }

    /// Whether this name or address is within the constraints.
    pub fn may_vouch_for(&self, name: &str) -> bool {
        match name.parse() {
            Ok(address) => subnets().any(|(network, length)| is_within(address, network, length)),
            Err(_) => is_below(&name.to_ascii_lowercase(), DOMAIN),
        }
    }

    /// Issues a server's certificate for a name or an address, valid for 90 days from the day before.
    pub fn issue(&self, name: &str, unix_seconds: u64) -> Result<Identity, AuthorityError> {
        if !self.may_vouch_for(name) {
            return Err(AuthorityError::OutsideConstraints(name.to_owned()));
        }
        let (key, serial) = self.leaf_key(name)?;
        let mut params = CertificateParams::default();
        let (subject, alternative) = match name.parse() {
            // Not as a common name: OpenSSL (where it looks like one) and GnuTLS (whatever it is) take that for a DNS name,
            // and this one is not below .test.
            Ok(address) => {
                let subject = distinguished_name(DnType::OrganizationName, &format!("the host at {name}"));
                (subject, SanType::IpAddress(address))
            }
            Err(_) => {
                let name = name.to_owned();
                (distinguished_name(DnType::CommonName, &name), SanType::DnsName(name.try_into()?))
            }
        };
        params.distinguished_name = subject;
        params.subject_alt_names = vec![alternative];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.serial_number = Some(serial_number(serial));
        make_valid(&mut params, unix_seconds, LEAF_DAYS);
        let issuer = Issuer::new(own_params(&self.0.key), &self.0.key);
        let leaf = params.signed_by(&key, &issuer)?;
        let chain = CertificateChain(vec![leaf.into()]);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Identity { chain, key: PrivateKey(key) })
    }

    /// ECDSA P-256 on devices, since browsers refuse Ed25519; in simulation Ed25519, derived from seed and name, so
    /// that it doesn't matter which name was asked for first.
    fn leaf_key(&self, name: &str) -> Result<(KeyPair, [u8; 16]), AuthorityError> {
        match &self.0.leaves {
            Some(rng) => {
                let mut rng = rng.fork(name);
                Ok((ed25519(rng.bytes())?, rng.bytes()))
            }
            None => {
                let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
                let serial = first_bytes(key.public_key_raw().get(1..).unwrap_or_default());
                Ok((key, serial))
            }
        }
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.is_simulated() { "simulated" } else { "real" };
        write!(f, "Authority({kind}, key hidden)")
    }
}

/// What the authority's certificate says, all but serial number and dates: it follows from the key alone, so that an
/// authority that was loaded signs under just the name that its certificate has.
fn own_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let tag: [u8; 4] = first_bytes(key.public_key_raw().get(1..).unwrap_or_default());
    params.distinguished_name = distinguished_name(
        DnType::CommonName,
        &format!("framewise lab authority {:08x}", u32::from_be_bytes(tag)),
    );
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted(), excluded_subtrees: Vec::new() });
    params
}

fn permitted() -> Vec<GeneralSubtree> {
    let addresses = subnets()
        .map(|(network, length)| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(network, length)));
    std::iter::once(GeneralSubtree::DnsName(DOMAIN.to_owned())).chain(addresses).collect()
}

fn subnets() -> impl Iterator<Item = (IpAddr, u8)> {
    NETWORKS.iter().filter_map(|(network, length)| Some((network.parse().ok()?, *length)))
}

fn is_within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let differing = a.to_bits() ^ n.to_bits();
            differing.leading_zeros() >= u32::from(length)
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let differing = a.to_bits() ^ n.to_bits();
            differing.leading_zeros() >= u32::from(length)
        }
        _ => false,
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
}

fn distinguished_name(kind: DnType, text: &str) -> rcgen::DistinguishedName {
    let mut name = rcgen::DistinguishedName::new();
    // At most 64 characters (RFC 5280, appendix A.1); the name that counts is in the extension.
    name.push(kind, text.chars().take(64).collect::<String>());
    name
}

/// Positive and at most 20 bytes (RFC 5280, section 4.1.2.2).
fn serial_number(mut bytes: [u8; 16]) -> SerialNumber {
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

/// From the day before, for clocks that are slow, for so many days.
fn make_valid(params: &mut CertificateParams, unix_seconds: u64, days: u64) {
    let at = |seconds| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    let from = unix_seconds.min(LATEST).saturating_sub(DAY);
    params.not_before = at(from);
    params.not_after = at(from + (days + 1) * DAY);
}

/// 9900-01-01: certificates write years with four digits.
const LATEST: u64 = 250_245_244_800;

/// A key from its 32 secret bytes, in the form of RFC 8410, section 7.
fn ed25519(secret: [u8; 32]) -> Result<KeyPair, rcgen::Error> {
    const PREFIX: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let pkcs8 = PrivatePkcs8KeyDer::from([&PREFIX[..], &secret[..]].concat());
    KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_ED25519)
}

fn first_bytes<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}
