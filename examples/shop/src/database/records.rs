//! What models say to the database: statements that are constants of the program, and values beside them.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row};

use super::DatabaseError;
use crate::trail::{Statement, Trail};
use crate::watch::{Doing, Watch};

/// The database as the models of one request see it.
pub(crate) struct Records<'a> {
    connection: &'a Connection,
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
    pub(crate) fn new(connection: &'a Connection, trail: &'a Trail, watch: &'a dyn Watch) -> Self {
        Records { connection, trail, watch }
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
        self.change(model, sql, values)?;
        Ok(self.connection.last_insert_rowid())
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
        if done.is_err() && !self.connection.is_autocommit() {
            self.control("ROLLBACK")?;
        }
        done
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
        let done = work(self.connection);
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
}

/// The values as rusqlite takes them.
fn bound<'a>(values: &'a [(&'static str, Value<'a>)]) -> Vec<(&'a str, &'a dyn ToSql)> {
    values.iter().map(|(name, value)| (*name, value as &dyn ToSql)).collect()
}
