//! What a shop is made from: where its records are, and the time, randomness and ears that it is handed.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framewise_core::Rng;
use framewise_site::Clock;

use crate::watch::{Doing, Watch};

/// Tells how much time has passed since some moment, never less than before. Only `?mvc` asks for it.
pub type Stopwatch = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Where the records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In memory, gone with the shop.
    Memory,
    /// In this SQLite file, made if it is missing.
    File(PathBuf),
}

/// What a shop is made from.
#[derive(Clone)]
pub struct Config {
    /// Where the records are.
    pub place: Place,
    /// Where keys, salts and tokens come from: unpredictable, unless a run is to be the same again.
    pub randomness: Rng,
    /// The time of day, to the second: sessions end by it, and reviews carry it.
    pub clock: Clock,
    /// Measures what `?mvc` shows.
    pub stopwatch: Stopwatch,
    /// Who hears what the threads do.
    pub watch: Arc<dyn Watch>,
    /// Connections to the database at a time. A database in memory has one.
    pub connections: usize,
    /// How long a request waits for a connection, or for who has locked the file. Beyond: 503.
    pub patience: Duration,
    /// How often a password is hashed (PBKDF2 with HMAC-SHA256): as much work for who guesses as for who signs in.
    pub iterations: NonZeroU32,
}

/// What OWASP's cheat sheet on storing passwords asks for PBKDF2 with HMAC-SHA256.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).expect("more than zero");

impl Config {
    /// A shop whose records are in `place`, with this randomness and these clocks, and nobody who listens.
    pub fn new(place: Place, randomness: Rng, clock: Clock, stopwatch: Stopwatch) -> Self {
        Config {
            place,
            randomness,
            clock,
            stopwatch,
            watch: Arc::new(|_: Doing| {}),
            connections: 16,
            patience: Duration::from_secs(2),
            iterations: ITERATIONS,
        }
    }

    /// A shop in memory that is the same in every run with this seed: its clock stands still at `now`, in seconds since 1970, and
    /// its stopwatch counts a millisecond each time that it is asked. Passwords in it are hashed once.
    pub fn simulated(seed: u64, now: u64) -> Self {
        let asked = std::sync::atomic::AtomicU64::new(0);
        let count = move || Duration::from_millis(asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let randomness = Rng::from_seed(seed).fork("shop");
        let config = Config::new(Place::Memory, randomness, Arc::new(move || now), Arc::new(count));
        Config { patience: Duration::ZERO, iterations: NonZeroU32::MIN, ..config }
    }
}
