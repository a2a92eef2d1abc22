//! Randomness that is handed in: one seed, one stream of its own for each purpose.

use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};

/// A source of random numbers, unpredictable without its seed (ChaCha with 12 rounds).
///
/// A run is given one seed; each layer of each host draws from a stream of its own, so that what one
/// draws never changes what another sees.
///
/// ```
/// use framewise_core::Rng;
/// let mut one = Rng::from_seed(7).fork("me/tcp");
/// let mut same = Rng::from_seed(7).fork("me/tcp");
/// assert_eq!(one.next_u64(), same.next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Rng(ChaCha12Rng);

impl Rng {
    /// The stream of a 64-bit seed, as simulated runs use it.
    pub fn from_seed(seed: u64) -> Self {
        Rng(ChaCha12Rng::seed_from_u64(seed))
    }

    /// The stream of 32 bytes from the operating system, as runs on a real device use it.
    pub fn from_entropy(entropy: [u8; 32]) -> Self {
        Rng(ChaCha12Rng::from_seed(entropy))
    }

    /// The 32 bytes of which [`from_entropy`](Self::from_entropy) makes this stream again, from its beginning. Whoever has them
    /// knows all that is drawn.
    pub fn seed(&self) -> [u8; 32] {
        self.0.get_seed()
    }

    /// An independent stream for `purpose`. Depends on the seed and the purpose only, not on what was drawn.
    pub fn fork(&self, purpose: &str) -> Rng {
        let mut seed = self.0.get_seed();
        // FNV-1a spreads the name over the key; ChaCha does the mixing.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in purpose.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        for (byte, salt) in seed.iter_mut().zip(hash.to_le_bytes()) {
            *byte ^= salt;
        }
        let mut stream = ChaCha12Rng::from_seed(seed);
        let mut key = [0; 32];
        stream.fill_bytes(&mut key);
        Rng(ChaCha12Rng::from_seed(key))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number below `bound`; 0 for a bound of 0. The bias of the multiplication is below 2⁻³² for bounds of 32 bits.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether an event of this probability (0 to 1) happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        // 53 bits are what a double holds exactly.
        let unit = (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        unit < probability
    }
}
