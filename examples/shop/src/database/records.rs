//! What models say to the database: statements that are constants of the program, and values beside them.

use std::cell::RefCell;

use ring::hmac;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row};

use super::{Database, DatabaseError, Lent};
use crate::trail::{Statement, Trail};
use crate::watch::{Doing, Watch};

/// The database as the models of one request see it.
pub(crate) struct Records<'a> {
    database: &'a Database,
    /// The connection, while we have one.
    lent: RefCell<Option<Lent<'a>>>,
    is_asking: bool,
    trail: &'a Trail,
    watch: &'a dyn Watch,
}

/// A value that is bound to a statement. It travels beside it and is never read as SQL, whatever is in it.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Number(i64),
    Text(&'a str),
    /// What `?mvc` does not show.
    Secret(&'a str),
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Number(number) => ValueRef::Integer(*number),
            Value::Text(text) | Value::Secret(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl Value<'_> {
    fn shown(&self) -> String {
        match self {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => format!("'{text}'"),
            Value::Secret(_) => "(secret)".to_owned(),
        }
    }
}

/// The values of a statement by the names that it has for them.
pub(crate) type Values<'a, 'v> = &'a [(&'static str, Value<'v>)];

impl<'a> Records<'a> {
    /// With a connection. Who is only asking can change nothing: the database itself sees to it.
    pub(crate) fn new(
        database: &'a Database,
        is_asking: bool,
        trail: &'a Trail,
        watch: &'a dyn Watch,
    ) -> Result<Self, DatabaseError> {
        let records = Records { database, lent: RefCell::default(), is_asking, trail, watch };
        records.with_connection(|_| Ok(()))?;
        Ok(records)
    }

    /// The key that signs this database's sessions.
    pub(crate) fn key(&self) -> Result<hmac::Key, DatabaseError> {
        self.lent.borrow().as_ref().ok_or(DatabaseError::NoConnection)?.key().cloned()
    }

    /// Gives the connection back before something that takes long: others may have it meanwhile. The next statement takes one
    /// again.
    pub(crate) fn give_back(&self) {
        self.lent.take();
        self.watch.doing(Doing::Executes);
    }

    /// All rows, each read as a `T`.
    ///
    /// `sql` is `'static`, so nobody can put a statement together from what a visitor typed.
    pub(crate) fn all<T>(
        &self,
        model: &'static str,
        sql: &'static str,
        values: Values<'_, '_>,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, DatabaseError> {
        self.ask(model, sql, values, |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(bound(values).as_slice(), |row| read(row))?;
            let found: Vec<T> = rows.collect::<Result<_, _>>()?;
            let count = found.len();
            Ok((found, Some(count)))
        })
    }

    /// The first row, if there is one.
    pub(crate) fn one<T>(
        &self,
        model: &'static str,
        sql: &'static str,
        values: Values<'_, '_>,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, DatabaseError> {
        Ok(self.all(model, sql, values, read)?.into_iter().next())
    }

    /// Changes rows; gives how many.
    pub(crate) fn change(
        &self,
        model: &'static str,
        sql: &'static str,
        values: Values<'_, '_>,
    ) -> Result<usize, DatabaseError> {
        self.ask(model, sql, values, |connection| {
            let changed = connection.prepare_cached(sql)?.execute(bound(values).as_slice())?;
            Ok((changed, Some(changed)))
        })
    }

    /// Adds a row; gives its id.
    pub(crate) fn insert(
        &self,
        model: &'static str,
        sql: &'static str,
        values: Values<'_, '_>,
    ) -> Result<i64, DatabaseError> {
        self.ask(model, sql, values, |connection| {
            let changed = connection.prepare_cached(sql)?.execute(bound(values).as_slice())?;
            Ok((connection.last_insert_rowid(), Some(changed)))
        })
    }

    /// Does all of `work`, or nothing: others see it done at once, and it sees nothing of theirs meanwhile.
    pub(crate) fn atomically<T, E: From<DatabaseError>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.control("BEGIN IMMEDIATE")?;
        let done = work().and_then(|value| {
            self.control("COMMIT")?;
            Ok(value)
        });
        if done.is_err() && self.is_in_transaction() {
            self.control("ROLLBACK")?;
        }
        done
    }

    fn is_in_transaction(&self) -> bool {
        let lent = self.lent.borrow();
        let connection = lent.as_ref().and_then(|lent| lent.connection().ok());
        connection.is_some_and(|connection| !connection.is_autocommit())
    }

    /// Begins or ends a transaction.
    fn control(&self, sql: &'static str) -> Result<(), DatabaseError> {
        self.ask("Transaction", sql, &[], |connection| {
            connection.execute_batch(sql)?;
            Ok(((), None))
        })
    }

    fn ask<T>(
        &self,
        model: &'static str,
        sql: &'static str,
        values: Values<'_, '_>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<(T, Option<usize>)>,
    ) -> Result<T, DatabaseError> {
        self.watch.doing(Doing::MakesDatabaseRequest);
        let began = self.trail.now();
        let done = self.with_connection(work);
        self.watch.doing(Doing::ProcessesData);
        let (value, rows) = done?;
        self.trail.add(|now| Statement {
            model,
            sql,
            values: values
                .iter()
                .map(|(name, value)| (name.trim_start_matches(':'), value.shown()))
                .collect(),
            rows,
            took: now.saturating_sub(began),
        });
        Ok(value)
    }

    /// Does this with the connection, one that is lent now if we have none. Nobody gets it again that has met a fault of the file.
    fn with_connection<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let mut lent = self.lent.borrow_mut();
        let is_new = lent.is_none();
        if is_new {
            *lent = Some(self.database.lend(self.watch)?);
        }
        let connection = lent.as_ref().ok_or(DatabaseError::NoConnection)?.connection()?;
        let is_set =
            if is_new { connection.pragma_update(None, "query_only", self.is_asking) } else { Ok(()) };
        let done = is_set.and_then(|()| work(connection)).map_err(DatabaseError::from);
        if done.as_ref().is_err_and(DatabaseError::is_of_the_file)
            && let Some(lent) = lent.take()
        {
            lent.discard();
        }
        done
    }
}

/// The values as rusqlite takes them.
fn bound<'a>(values: &'a [(&'static str, Value<'a>)]) -> Vec<(&'a str, &'a dyn ToSql)> {
    values.iter().map(|(name, value)| (*name, value as &dyn ToSql)).collect()
}
