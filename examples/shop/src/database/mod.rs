//! The embedded database: its connections, each lent to one request at a time.

mod error;
mod open;
mod records;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use framewise_core::Rng;
use ring::hmac;
use rusqlite::Connection;

pub use error::DatabaseError;
pub(crate) use records::{Records, Value};

use self::open::Open;
use crate::config::Place;
use crate::watch::{Doing, Watch};

/// All connections to one database.
pub(crate) struct Database {
    place: Place,
    patience: Duration,
    most: usize,
    /// Each database gets a key that none had before: sessions of one must mean nothing to the next in its place.
    keys: Mutex<Rng>,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

/// The connections that nobody uses, and how many are in use.
struct Shelf {
    idle: Vec<Open>,
    lent: usize,
    /// Counts the times at which something was wrong with the file: connections of before lead to what is not there any more.
    faults: u64,
}

impl Database {
    pub(crate) fn new(place: Place, connections: usize, patience: Duration, randomness: Rng) -> Self {
        // What is in memory belongs to its connection: another one would see another database.
        let most = if place == Place::Memory { 1 } else { connections.max(1) };
        let shelf = Mutex::new(Shelf { idle: Vec::new(), lent: 0, faults: 0 });
        let keys = Mutex::new(randomness.fork("key"));
        Database { place, patience, most, keys, shelf, returned: Condvar::new() }
    }

    /// A connection for this request alone, opened if none is idle. Waits where all are lent, for as long as patience lasts.
    pub(crate) fn lend(&self, watch: &dyn Watch) -> Result<Lent<'_>, DatabaseError> {
        let mut shelf = self.shelf();
        if shelf.lent >= self.most {
            watch.doing(Doing::WaitsForConnection);
            let is_out = |shelf: &mut Shelf| shelf.lent >= self.most;
            let waited = self.returned.wait_timeout_while(shelf, self.patience, is_out);
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return Err(DatabaseError::NoConnection);
            }
            shelf = after;
        }
        shelf.lent += 1;
        // From here on it is lent, whatever happens: dropping it takes it back.
        let mut lent = Lent { database: self, open: shelf.idle.pop(), faults: shelf.faults };
        drop(shelf);
        if lent.open.is_none() {
            watch.doing(Doing::MakesDatabaseRequest);
            let fresh = self.keys.lock().unwrap_or_else(PoisonError::into_inner).bytes();
            lent.open = Some(open::open(&self.place, self.patience, &fresh)?);
        }
        Ok(lent)
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::Memory => "in memory".to_owned(),
            Place::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            }
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that one request has. It goes back when this is dropped.
pub(crate) struct Lent<'d> {
    database: &'d Database,
    open: Option<Open>,
    /// How many faults there had been.
    faults: u64,
}

impl Lent<'_> {
    pub(crate) fn connection(&self) -> Result<&Connection, DatabaseError> {
        self.open.as_ref().map(|open| &open.connection).ok_or(DatabaseError::NoConnection)
    }

    /// The key that signs this database's sessions.
    pub(crate) fn key(&self) -> Result<&hmac::Key, DatabaseError> {
        self.open.as_ref().map(|open| &open.key).ok_or(DatabaseError::NoConnection)
    }

    /// Closes the connection instead of giving it back, and with it all others to the same file: the next request opens it anew,
    /// whatever lies there then.
    pub(crate) fn discard(mut self) {
        if self.database.place == Place::Memory {
            return;
        }
        self.open = None;
        let mut shelf = self.database.shelf();
        if self.faults == shelf.faults {
            shelf.faults += 1;
            shelf.idle.clear();
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut shelf = self.database.shelf();
        shelf.lent -= 1;
        // A transaction that nobody ended, as a panic leaves it, is undone.
        let is_clean = |open: &Open| {
            open.connection.is_autocommit() || open.connection.execute_batch("ROLLBACK").is_ok()
        };
        let is_sound = self.faults == shelf.faults;
        let open = self.open.take().filter(|open| is_sound && !open.is_read_only);
        shelf.idle.extend(open.filter(is_clean));
        drop(shelf);
        self.database.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_fault_of_the_file_no_connection_of_before_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("shop.db"));
        let database = Database::new(place, 3, Duration::ZERO, Rng::from_seed(1));
        let lend = || database.lend(&|_: Doing| {}).unwrap();
        let idle = || database.shelf().idle.len();
        let (meets_it, given_back, lent) = (lend(), lend(), lend());
        drop(given_back);
        assert_eq!(idle(), 1);
        meets_it.discard();
        assert_eq!(idle(), 0);
        let opened_since = lend();
        drop(lent);
        assert_eq!(idle(), 0);
        drop(opened_since);
        assert_eq!(idle(), 1);
    }
}
