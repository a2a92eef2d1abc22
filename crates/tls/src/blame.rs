//! Whose fault it is that a server was refused: a verdict names what is wrong, and seldom with which certificate.
//!
//! Read first: RFC 5280 section 6.1 (a path is as good as each of its certificates).

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::CertificateDer;

use crate::presented::{self, Key, Name, Presented};
use crate::verify::RSA_BITS;

/// What is known of a chain that was refused, beyond the verdict.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refused {
    /// Who issued the server's own certificate.
    pub(crate) issuer: Option<String>,
    pub(crate) signer: Signer,
    /// Whether the server's own certificate is an authority's.
    pub(crate) is_authority: bool,
    /// The names that the server's own certificate is for, and the one that does not count.
    pub(crate) names: Vec<Name>,
    pub(crate) common_name: Option<String>,
    pub(crate) culprit: Culprit,
    /// The RSA key that is too short to have its signature taken: its bits, where that is what is wrong.
    pub(crate) weak: Option<usize>,
}

/// Who signed the server's certificate, as far as that can be told without its issuer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Signer {
    #[default]
    Another,
    Itself,
    /// It names itself as its issuer, and its signature could not be checked.
    ItselfItSays,
    /// The issuer's name is its own, and the key is another.
    Namesake,
}

/// With which certificate something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Culprit {
    /// The server's own.
    Own,
    /// One above it, of this name.
    Above(Option<String>),
    /// One of them.
    #[default]
    Unknown,
}

/// A chain, as a server showed it, and those who could vouch for it.
pub(crate) struct Chain<'a> {
    leaf: Presented<'a>,
    above: Vec<Presented<'a>>,
    roots: &'a RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

/// How many certificates are looked at: a chain that is longer is refused anyhow.
const MOST: usize = 16;

impl<'a> Chain<'a> {
    pub(crate) fn read(
        end_entity: &'a CertificateDer<'_>,
        intermediates: &'a [CertificateDer<'_>],
        roots: &'a RootCertStore,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Option<Self> {
        let above = intermediates.iter().take(MOST).filter_map(|certificate| Presented::read(certificate));
        Some(Chain { leaf: Presented::read(end_entity)?, above: above.collect(), roots, algorithms })
    }

    /// What is known beyond this verdict.
    pub(crate) fn refused(&self, verdict: &CertificateError) -> Refused {
        let mut refused = Refused {
            issuer: self.leaf.issuer(),
            signer: self.signer(),
            is_authority: self.leaf.is_authority(),
            names: self.leaf.subject_names(),
            common_name: self.leaf.common_name(),
            ..Refused::default()
        };
        if matches!(verdict, CertificateError::BadSignature) {
            (refused.culprit, refused.weak) = self.of_a_bad_signature();
        } else if let Some(one) = self.all().find(|one| is_at_fault(one, verdict)) {
            refused.culprit = self.named(one);
        }
        refused
    }

    fn named(&self, culprit: &Presented<'_>) -> Culprit {
        match culprit.to_be_signed == self.leaf.to_be_signed {
            true => Culprit::Own,
            false => Culprit::Above(culprit.written()),
        }
    }

    /// The server's own, then those above it.
    fn all(&self) -> impl Iterator<Item = &Presented<'a>> {
        std::iter::once(&self.leaf).chain(&self.above)
    }

    /// Goes up from the server's own certificate to the first whose signature does not hold. A key that is too short makes
    /// none that is taken: then it is the fault of that key.
    fn of_a_bad_signature(&self) -> (Culprit, Option<usize>) {
        let mut signed = &self.leaf;
        for _ in 0..=self.above.len() {
            let Some(issuer) =
                self.above.iter().find(|above| signed.names(above) && self.holds(signed, above))
            else {
                let weak = self.weak_issuer(signed);
                return weak.map_or_else(|| (self.named(signed), None), |(one, bits)| (one, Some(bits)));
            };
            signed = issuer;
        }
        (Culprit::Unknown, None)
    }

    /// The issuer whose key is too short, among those above and the roots.
    fn weak_issuer(&self, signed: &Presented<'_>) -> Option<(Culprit, usize)> {
        let mut above = self.above.iter().filter(|above| signed.names(above));
        let above = above.find_map(|issuer| Some((self.named(issuer), weak_bits(issuer.key)?)));
        let roots = self.roots.roots.iter().filter(|root| signed.is_issued_by(&root.subject));
        let mut roots = roots.filter_map(|root| weak_bits(Key(&root.subject_public_key_info)));
        above.or_else(|| Some((Culprit::Above(presented::written(signed.issuer)), roots.next()?)))
    }

    fn signer(&self) -> Signer {
        let leaf = &self.leaf;
        if !leaf.names_itself() {
            return Signer::Another;
        }
        let is_known = self.verifiers(leaf, leaf).next().is_some() && weak_bits(leaf.key).is_none();
        match (self.holds(leaf, leaf), is_known) {
            (true, _) => Signer::Itself,
            (false, true) => Signer::Namesake,
            (false, false) => Signer::ItselfItSays,
        }
    }

    /// Whether the one was signed by the key of the other.
    fn holds(&self, signed: &Presented<'_>, by: &Presented<'_>) -> bool {
        let Some((_, key)) = by.key.parts() else {
            return false;
        };
        let (message, signature) = (signed.to_be_signed, signed.signature);
        self.verifiers(signed, by).any(|way| way.verify_signature(key, message, signature).is_ok())
    }

    /// The ways to check that the one was signed by the key of the other.
    fn verifiers(
        &self,
        signed: &Presented<'_>,
        by: &Presented<'_>,
    ) -> impl Iterator<Item = &'static dyn rustls_pki_types::SignatureVerificationAlgorithm> {
        let kind = by.key.parts().map(|(kind, _)| kind.to_vec()).unwrap_or_default();
        let algorithm = signed.algorithm.to_vec();
        self.algorithms.all.iter().copied().filter(move |way| {
            way.public_key_alg_id().as_ref() == kind && way.signature_alg_id().as_ref() == algorithm
        })
    }
}

fn weak_bits(key: Key<'_>) -> Option<usize> {
    key.rsa_bits().filter(|bits| *bits < RSA_BITS)
}

/// Whether the verdict is about this certificate, as far as it names something that can be compared.
fn is_at_fault(one: &Presented<'_>, verdict: &CertificateError) -> bool {
    use CertificateError as E;
    match verdict {
        E::ExpiredContext { not_after, .. } => one.not_after == Some(not_after.as_secs()),
        E::NotValidYetContext { not_before, .. } => one.not_before == Some(not_before.as_secs()),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => !one.is_for_servers(),
        E::UnsupportedSignatureAlgorithmContext { signature_algorithm_id: found, .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { signature_algorithm_id: found, .. } => {
            one.algorithm == found.as_slice()
        }
        _ => false,
    }
}
