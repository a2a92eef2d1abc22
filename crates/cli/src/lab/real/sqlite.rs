//! The database in real time: SQLite, in a file, by a fixed number of connections.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use framewise::http::{Answer, Handler, Problem, Request, Response, StatusCode};
use framewise_lab::database::{Needs, Shared};
use framewise_server::state::{State, during};
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, TransactionBehavior};

use super::clients::{Asks, PAGE};
use super::{Measured, Stage};
use crate::exit::{Failure, Kind};

/// How long who finds the file locked waits; nobody else writes to it.
const PATIENCE: Duration = Duration::from_secs(10);

impl Stage {
    /// Throughput of so many threads over one database.
    pub(in crate::lab) fn shared(
        &mut self,
        threads: usize,
        needs: &Needs,
        time: Duration,
    ) -> Result<Shared, Failure> {
        let database = Arc::new(Sqlite::open(needs).map_err(|error| {
            Failure::new(
                Kind::File,
                format!("no database can be had in {}: {error}", std::env::temp_dir().display()),
            )
            .next("the same with TMPDIR=FOLDER, one that every user may write to")
        })?);
        let found = self.measure(threads, database.clone(), Asks::Always(needs.clients), time);
        // A thread that still works on what nobody waits for may outlive this program's last moment.
        database.remove();
        let found = found?;
        Ok(Shared {
            threads,
            predicted: needs.predicted(threads),
            measured: found.throughput(),
            in_line: found.in_state(State::WaitsForOthers),
            free: found.in_state(State::Waits),
            database_busy: database.busy(&found),
        })
    }
}

/// A database in a file of its own, which goes with it.
struct Sqlite {
    folder: PathBuf,
    connections: Mutex<Vec<Connection>>,
    freed: Condvar,
    /// Time of a thread before it asks, and after.
    half: Duration,
    database: Duration,
    /// One connection writes, several read.
    writes: bool,
    /// Nanoseconds in which connections were busy, all together.
    busy: AtomicU64,
}

impl Sqlite {
    fn open(needs: &Needs) -> rusqlite::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("framewise-lab-{}-{number}", std::process::id()));
        let unusable = |error: std::io::Error| rusqlite::Error::InvalidPath(PathBuf::from(error.to_string()));
        std::fs::create_dir(&folder).map_err(unusable)?;
        let mut database = Sqlite {
            folder,
            connections: Mutex::default(),
            freed: Condvar::new(),
            half: needs.executes / 2,
            database: needs.database,
            writes: needs.connections == 1,
            busy: AtomicU64::new(0),
        };
        let connections: rusqlite::Result<Vec<_>> =
            (0..needs.connections).map(|_| database.connect()).collect();
        *database.connections.get_mut().unwrap_or_else(PoisonError::into_inner) = connections?;
        Ok(database)
    }

    /// A connection whose `hold()` takes as long as a query of that length would.
    fn connect(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(self.folder.join("lab.sqlite"))?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS visit (id INTEGER PRIMARY KEY, held INTEGER NOT NULL)",
        )?;
        let time = self.database;
        connection.create_scalar_function("hold", 0, FunctionFlags::SQLITE_UTF8, move |_| {
            thread::sleep(time);
            Ok(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
        })?;
        Ok(connection)
    }

    /// One request's part: a write with one connection, a read with several.
    fn ask(&self, connection: &mut Connection) -> rusqlite::Result<i64> {
        if !self.writes {
            return connection.query_row("SELECT hold() + count(*) FROM visit", (), |row| row.get(0));
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("INSERT INTO visit (held) VALUES (hold())", ())?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        Ok(id)
    }

    fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    fn take(&self) -> Connection {
        let mut free = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match free.pop() {
                Some(connection) => return connection,
                None => free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn give(&self, connection: Connection) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        self.freed.notify_one();
    }

    /// Connections that were busy, the mean over the time that was measured and what went before it.
    fn busy(&self, found: &Measured) -> f64 {
        let all = found.seconds() + super::WARM_UP.as_secs_f64();
        self.busy.load(Ordering::Relaxed) as f64 / 1e9 / all
    }
}

impl Handler for Sqlite {
    fn handle(&self, request: Request, answer: Answer) {
        during(State::Executes, || thread::sleep(self.half));
        let mut connection = during(State::WaitsForOthers, || self.take());
        let began = Instant::now();
        let asked = during(State::Database, || self.ask(&mut connection));
        self.busy.fetch_add(u64::try_from(began.elapsed().as_nanos()).unwrap_or(0), Ordering::Relaxed);
        self.give(connection);
        during(State::Processes, || thread::sleep(self.half));
        match asked {
            Ok(_) => answer.respond(Response::text(PAGE)),
            Err(error) => {
                let wrong = format!("The database of the lab could not answer: {error}.");
                let problem =
                    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, wrong, "Its file is in TMPDIR.");
                answer.respond(problem.answer(&request));
            }
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.connections.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.remove();
    }
}
