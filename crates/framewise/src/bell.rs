//! What ends a wait where there are no file descriptors to wait for.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Rung by many, waited for by one.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    /// Ends a wait: the one that there is, or the next.
    pub(crate) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_one();
    }

    /// Forgets that it was rung.
    pub(crate) fn hush(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    /// Waits until it is rung, at most `timeout`; `true` if it was. Then it is quiet again.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> bool {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rung = match timeout {
            Some(timeout) => {
                let waited = self.heard.wait_timeout_while(rung, timeout, |rung| !*rung);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.heard.wait_while(rung, |rung| !*rung).unwrap_or_else(PoisonError::into_inner),
        };
        std::mem::replace(&mut *rung, false)
    }
}

#[cfg(test)]
mod tests;
