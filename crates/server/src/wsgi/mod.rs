//! A WSGI application behind the pool: gunicorn runs it, one for each child process, at a Unix socket.
//!
//! ```text
//!   main process ──frames──► child process ──HTTP/1.1 over a Unix socket──► gunicorn's worker
//!                              thread 1..K  ──────────────────────────────►   thread 1..K
//!                              reader       ◄──"2 4": thread 2 asks the database── framewise_wsgi.py
//! ```
//!
//! Each thread of the child has one request at a time with gunicorn, so that no more are in flight than there are threads, and
//! none waits unseen. A thread that takes too long costs its child process, and gunicorn with it: they are one process group.
//! What a client says of itself that only a server can know (`X-Forwarded-For` and its like) is left out, and said anew.
//!
//! | to learn | read |
//! |---|---|
//! | what becomes of a request's fields | `fields.rs` |
//! | a request to gunicorn, and its answer | `proxy.rs` |
//! | how gunicorn is started, watched and ended | `gunicorn.rs` |
//! | what runs in Python | `framewise_wsgi.py`, `gunicorn_conf.py` |

mod fields;
mod gunicorn;
mod proxy;

pub use gunicorn::{Folder, Gunicorn, WsgiError, check};

/// A WSGI application, and who runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// `MODULE:APP`.
    pub name: String,
    /// The Python that has gunicorn.
    pub python: std::path::PathBuf,
}
