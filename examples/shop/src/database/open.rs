//! Opening the database: its tables made if they are missing, and nothing touched that is not the shop's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ring::hmac;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::DatabaseError;
use crate::config::Place;

/// An open connection, with the key of the database that it leads to.
pub(super) struct Open {
    pub(super) connection: Connection,
    /// Signs sessions. It lies in the database, so that all processes that serve it know each other's visitors.
    pub(super) key: hmac::Key,
    /// Whether it was opened so. It is for one request alone: by the next one, the file may have been made writable.
    pub(super) is_read_only: bool,
}

/// What stands in the head of the shop's files: "fwsh".
const APPLICATION: i64 = 0x6677_7368;

/// Each version of the tables as a step from the one before. What was released is never changed: a change is a step more.
const STEPS: [M<'_>; 2] =
    [M::up(include_str!("../schema/1_tables.sql")), M::up(include_str!("../schema/2_products.sql"))];

/// A connection to the database, whose tables are as this version knows them. `fresh` becomes its key if it has none.
pub(super) fn open(place: &Place, patience: Duration, fresh: &[u8; 32]) -> Result<Open, DatabaseError> {
    let mut connection = match place {
        Place::Memory => Connection::open_in_memory()?,
        Place::File(path) => open_file(path)?,
    };
    connection.busy_timeout(patience)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Functions that a damaged or forged schema names are not run.
    connection.pragma_update(None, "trusted_schema", false)?;
    check_whose(&connection)?;
    bring_up_to_date(&mut connection)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key(&connection, fresh)?);
    let is_read_only = connection.is_readonly("main")?;
    Ok(Open { connection, key, is_read_only })
}

fn key(connection: &Connection, fresh: &[u8; 32]) -> rusqlite::Result<Vec<u8>> {
    let sql = "SELECT value FROM setting WHERE name = 'session key'";
    let there = || connection.query_row(sql, [], |row| row.get(0)).optional();
    if let Some(key) = there()? {
        return Ok(key);
    }
    // Another process may be faster: then its key it is.
    let offer = "INSERT INTO setting (name, value) VALUES ('session key', ?) ON CONFLICT DO NOTHING";
    connection.execute(offer, [fresh.as_slice()])?;
    Ok(there()?.unwrap_or_else(|| fresh.to_vec()))
}

fn open_file(path: &Path) -> Result<Connection, DatabaseError> {
    // Root may write to every file; who made this one read-only meant it.
    let is_read_only = fs::metadata(path).is_ok_and(|file| file.permissions().readonly());
    let access = if is_read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    // Where we may only read it, SQLite opens it so by itself.
    Ok(Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// A file that has tables already must be ours: no other program's are added to.
fn check_whose(connection: &Connection) -> Result<(), DatabaseError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let is_empty = number("SELECT count(*) FROM sqlite_schema")? == 0;
    let is_ours = number("PRAGMA application_id")? == APPLICATION;
    if is_empty || is_ours { Ok(()) } else { Err(DatabaseError::Foreign) }
}

fn bring_up_to_date(connection: &mut Connection) -> Result<(), DatabaseError> {
    let latest = STEPS.len() as i64;
    // A step takes the lock for writing when it begins: two processes that began by reading would wait for each other.
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    loop {
        let before = version(connection)?;
        if before > latest {
            return Err(DatabaseError::TooNew);
        }
        if before == latest {
            return Ok(());
        }
        match Migrations::from_slice(&STEPS).to_latest(connection) {
            Ok(()) => return Ok(()),
            // Another process took the same step, and was faster: on from there.
            Err(_) if version(connection)? > before => {}
            Err(rusqlite_migration::Error::RusqliteError { err, .. }) => return Err(err.into()),
            Err(_) => return Err(DatabaseError::TooNew),
        }
    }
}

/// How many steps were taken.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_lead_to_tables_that_hold_together() {
        assert!(Migrations::from_slice(&STEPS).validate().is_ok());
        let connection = open(&Place::Memory, Duration::ZERO, &[0; 32]).unwrap().connection;
        let wrong: i64 = connection
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(wrong, 0);
    }
}
