//! How many ICMP errors a host sends: RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f).

use framewise_core::Instant;

/// A bucket that fills with so many tokens a second, up to a burst; each error takes one.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    nanos_per_token: u64,
    burst: u64,
    tokens: u64,
    filled: Instant,
}

impl TokenBucket {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        TokenBucket {
            nanos_per_token: 1_000_000_000 / u64::from(per_second.max(1)),
            burst: burst.into(),
            tokens: burst.into(),
            filled: Instant::ZERO,
        }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.as_nanos().saturating_sub(self.filled.as_nanos());
        let fresh = elapsed / self.nanos_per_token.max(1);
        if fresh > 0 {
            let filled = self.filled.as_nanos().saturating_add(fresh.saturating_mul(self.nanos_per_token));
            self.filled = Instant::from_nanos(filled);
            self.tokens = self.tokens.saturating_add(fresh).min(self.burst);
        }
        let granted = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        granted
    }
}
