//! Cryptography without chance, for runs in memory: with the same seed, the same bytes.
//!
//! Read first: RFC 8446 sections 4.1.2 (random), 4.2.8.2 and 7.4.2 (x25519); RFC 7748 section 6.1.
//!
//! What would differ from run to run is drawn from a seed instead: the hellos' random numbers, session and ticket
//! identifiers, and the secret halves of the key exchange. The certificates' keys are Ed25519, whose signatures
//! hold no random number (RFC 8032, section 5.1.6). The rest is rustls' usual provider.
//!
//! rustls wants its sources of randomness to live for ever. So these are empty statics that draw from the stream which
//! the layer lends for the length of one call; outside of such a call they fail rather than give anything.

use std::cell::RefCell;

use framewise_core::Rng;
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup, ring,
};
use rustls::{Error, NamedGroup, PeerMisbehaved};
use x25519_dalek::{PublicKey, StaticSecret};

/// Predictable cryptography. Whoever knows the seed reads everything.
#[derive(Debug, Clone)]
pub struct SimulatedCrypto(Rng);

impl SimulatedCrypto {
    /// All keys and random numbers of one host's layer, from this stream (a fork of its own, `me/tls`). As its name
    /// says: only among hosts in one program. A [`Tls`](crate::Tls) layer refuses it together with the roots of
    /// the real world and with an authority that was not simulated.
    pub fn never_on_a_real_device(rng: Rng) -> Box<Self> {
        Box::new(SimulatedCrypto(rng))
    }

    pub(crate) fn into_rng(self) -> Rng {
        self.0
    }
}

/// The usual provider with the sources of chance replaced.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![&LentX25519],
        secure_random: &LentRandomness,
        ..ring::default_provider()
    }
}

thread_local! {
    static LENT: RefCell<Option<Rng>> = const { RefCell::new(None) };
}

/// Lends `rng` to whatever draws randomness during `act`.
pub(crate) fn lend<T>(rng: &mut Option<Rng>, act: impl FnOnce() -> T) -> T {
    let _loan = Loan::begin(rng);
    act()
}

/// Gives the stream back when it ends, also by a panic.
struct Loan<'a> {
    owner: &'a mut Option<Rng>,
    before: Option<Rng>,
}

impl<'a> Loan<'a> {
    fn begin(owner: &'a mut Option<Rng>) -> Self {
        let before = LENT.replace(owner.take());
        Loan { owner, before }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        *self.owner = LENT.replace(self.before.take());
    }
}

fn draw(bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
    LENT.with_borrow_mut(|lent| lent.as_mut().map(|rng| rng.fill(bytes))).ok_or(GetRandomFailed)
}

#[derive(Debug)]
struct LentRandomness;

impl SecureRandom for LentRandomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        draw(bytes)
    }
}

/// Key exchange over Curve25519 with secrets from the lent stream.
#[derive(Debug)]
struct LentX25519;

impl SupportedKxGroup for LentX25519 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut secret = [0; 32];
        draw(&mut secret)?;
        let secret = StaticSecret::from(secret);
        let public = PublicKey::from(&secret);
        Ok(Box::new(Exchange { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

struct Exchange {
    secret: StaticSecret,
    public: PublicKey,
}

impl ActiveKeyExchange for Exchange {
    /// A peer's key that makes the shared secret all zero is refused (RFC 8446, section 7.4.2).
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer: [u8; 32] = peer.try_into().map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(peer));
        match shared.was_contributory() {
            true => Ok(SharedSecret::from(&shared.as_bytes()[..])),
            false => Err(PeerMisbehaved::InvalidKeyShare.into()),
        }
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_drawn_outside_of_a_loan() {
        assert!(draw(&mut [0; 8]).is_err());
        let mut rng = Some(Rng::from_seed(1));
        assert!(lend(&mut rng, || draw(&mut [0; 8])).is_ok());
        assert!(rng.is_some(), "the stream came back");
        assert!(draw(&mut [0; 8]).is_err());
    }

    #[test]
    fn a_key_of_zeros_is_refused() {
        let mut rng = Some(Rng::from_seed(1));
        let exchange = lend(&mut rng, || LentX25519.start()).expect("a key");
        assert!(exchange.complete(&[0; 32]).is_err());
    }
}
