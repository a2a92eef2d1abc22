//! The board between the layer and the trait objects that rustls calls back.
//!
//! rustls asks for the time, reports secrets, and has certificates judged through objects that it owns. What the
//! layer wants them to know, and what they found out, is written here for the length of one call.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{KeyLog, SignatureScheme};
use rustls_pki_types::UnixTime;

use crate::blame::Refused;
use crate::keylog;

/// Shared by one layer and its rustls configurations.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    unix_seconds: u64,
    local: Option<IpAddr>,
    refused: Option<Refused>,
    unserved: Option<String>,
    asked_for_certificate: bool,
    secrets: Vec<String>,
}

/// What the callbacks found out in a call that failed.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The chain that was refused.
    pub(crate) refused: Option<Refused>,
    /// The name that no certificate could be shown for.
    pub(crate) unserved: Option<String>,
}

impl Board {
    /// Begins a call: what time it is, and at which of our addresses the connection is.
    pub(crate) fn begin(&self, unix_seconds: u64, local: Option<IpAddr>) {
        self.with(|notes| {
            notes.unix_seconds = unix_seconds;
            notes.local = local;
            notes.refused = None;
            notes.unserved = None;
            notes.asked_for_certificate = false;
        });
    }

    pub(crate) fn unix_seconds(&self) -> u64 {
        self.with(|notes| notes.unix_seconds)
    }

    pub(crate) fn local(&self) -> Option<IpAddr> {
        self.with(|notes| notes.local)
    }

    pub(crate) fn refuse(&self, chain: Refused) {
        self.with(|notes| notes.refused = Some(chain));
    }

    pub(crate) fn cannot_serve(&self, name: String) {
        self.with(|notes| notes.unserved = Some(name));
    }

    /// Whether the server wanted a certificate of us in this call.
    pub(crate) fn was_asked_for_certificate(&self) -> bool {
        self.with(|notes| notes.asked_for_certificate)
    }

    pub(crate) fn take_findings(&self) -> Findings {
        self.with(|notes| Findings { refused: notes.refused.take(), unserved: notes.unserved.take() })
    }

    /// The secrets that were reported since the last time, each as a line of a key log.
    pub(crate) fn take_secrets(&self) -> Vec<String> {
        self.with(|notes| std::mem::take(&mut notes.secrets))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Notes) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Says nothing of what is on it: there may be secrets.
impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Board")
    }
}

impl TimeProvider for Board {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.unix_seconds())))
    }
}

impl KeyLog for Board {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = keylog::line(label, client_random, secret);
        self.with(|notes| notes.secrets.push(line));
    }
}

/// We have no certificate to show as a client; that one was wanted explains what may follow.
impl ResolvesClientCert for Board {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.with(|notes| notes.asked_for_certificate = true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_was_wanted_is_known_for_the_length_of_one_call() {
        let board = Board::default();
        board.begin(0, None);
        assert!(!board.was_asked_for_certificate());
        assert!(board.resolve(&[], &[]).is_none(), "there is none");
        assert!(board.was_asked_for_certificate());
        board.begin(0, None);
        assert!(!board.was_asked_for_certificate());
    }
}
