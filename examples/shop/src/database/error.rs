//! What can be wrong with the database, and the page that says so.

use framewise_http::{Problem, StatusCode};
use rusqlite::ErrorCode;

/// Why the database did not do what it was asked. In no case has anything that was in it been lost.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Another program, or another thread, has it for longer than we wait.
    #[error("the database is in use by another program")]
    Locked,
    /// All our connections are in use.
    #[error("all connections to the database are in use")]
    NoConnection,
    /// The file, or its folder, may not be written to.
    #[error("the database can be read, but not written")]
    ReadOnly,
    /// The file was moved or deleted while we had it open.
    #[error("the database's file was moved or deleted while it was in use")]
    Moved,
    /// What is in the file is no database, or a broken one.
    #[error("the database is damaged")]
    Damaged(#[source] rusqlite::Error),
    /// It is a database, of another program.
    #[error("the file is the database of another program")]
    Foreign,
    /// A newer version of the shop has made it.
    #[error("the database was made by a newer version of the shop")]
    TooNew,
    /// There is no room left.
    #[error("there is no room left on the disk")]
    Full,
    /// The file can't be opened, or made.
    #[error("the database can't be opened")]
    CannotOpen(#[source] rusqlite::Error),
    /// There is a record like this, of which there may be one.
    #[error("there is such a record already")]
    Taken,
    /// Anything else: a fault of ours, or of the disk.
    #[error("the database failed")]
    Failed(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error() else { return DatabaseError::Failed(error) };
        match (code.code, code.extended_code) {
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => DatabaseError::Locked,
            (ErrorCode::ReadOnly, rusqlite::ffi::SQLITE_READONLY_DBMOVED) => DatabaseError::Moved,
            (ErrorCode::ReadOnly, _) => DatabaseError::ReadOnly,
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => DatabaseError::Damaged(error),
            (ErrorCode::DiskFull, _) => DatabaseError::Full,
            (ErrorCode::CannotOpen | ErrorCode::PermissionDenied, _) => DatabaseError::CannotOpen(error),
            (_, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
                DatabaseError::Taken
            }
            _ => DatabaseError::Failed(error),
        }
    }
}

impl DatabaseError {
    /// The page about it, for visitors of a shop whose file has this name.
    pub fn problem(&self, file: &str) -> Problem {
        let (status, wrong, right) = match self {
            DatabaseError::Locked => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("The shop's database, {file}, is in use by another program."),
                "Nothing was changed. Try again in a moment; if it lasts, end the program that holds the file."
                    .to_owned(),
            ),
            DatabaseError::NoConnection => (
                StatusCode::SERVICE_UNAVAILABLE,
                "All of the shop's connections to its database are in use.".to_owned(),
                "Nothing was changed. Try again in a moment.".to_owned(),
            ),
            DatabaseError::ReadOnly => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("The shop's database, {file}, can be read, but not written."),
                format!(
                    "Nothing was changed. Who runs this server lets it write to the file and its folder: chmod u+w {file}"
                ),
            ),
            DatabaseError::Moved => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("The shop's database, {file}, was moved or deleted while the shop had it open."),
                "Nothing was changed. Put it back to keep what is in it; the next request opens what is there, or makes a new one."
                    .to_owned(),
            ),
            DatabaseError::Damaged(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("What is in {file} is no SQLite database, or a damaged one."),
                format!(
                    "Nothing in it was changed. Who runs this server puts a copy back, or moves it away, and a new one is made: mv {file} {file}.damaged"
                ),
            ),
            DatabaseError::Foreign => (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("{file} is the database of another program."),
                "Nothing in it was changed. Who runs this server names another file: --database FILE".to_owned(),
            ),
            DatabaseError::TooNew => (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("{file} was made by a newer version of the shop."),
                "Nothing in it was changed. Who runs this server starts that version, or names another file."
                    .to_owned(),
            ),
            DatabaseError::Full => (
                StatusCode::INSUFFICIENT_STORAGE,
                "There is no room left where the shop's database is.".to_owned(),
                "Nothing was changed. Who runs this server makes room on the disk.".to_owned(),
            ),
            DatabaseError::CannotOpen(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("The shop's database, {file}, can't be opened."),
                "Who runs this server sees to it that its folder exists, and that the server may read and write there."
                    .to_owned(),
            ),
            DatabaseError::Taken | DatabaseError::Failed(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("The shop's database refused: {}.", self.in_words()),
                "The fault is on this side. Nothing was changed: try again, or tell who runs this server."
                    .to_owned(),
            ),
        };
        Problem::new(status, wrong, right)
    }

    /// Whether the connection that met it is no longer to be trusted.
    pub(crate) fn is_of_the_file(&self) -> bool {
        !matches!(self, DatabaseError::Taken | DatabaseError::Locked | DatabaseError::NoConnection)
    }

    /// What it was, and what SQLite said of it.
    pub fn in_words(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self} ({source})"),
            None => self.to_string(),
        }
    }
}
