//! The dispatcher driven by real threads and processes.
//!
//! ```text
//!   the Runner's thread          the keeper                       child process
//!   ─────────────────────        ──────────────────────           ─────────────────────
//!   Pool::handle ──► Dispatcher ──► the child's socket ─────────► reader ──► thread 1..K
//!                        ▲             frames, both ways                        │ Handler
//!   answers ◄────────────┴──────── the child's socket ◄─────────────────────────┘
//! ```
//!
//! The main process owns device and stack, and reads requests whole before a thread gets them: a client that sends slowly
//! holds none. The keeper is one thread: it starts children, hears them, buries them, and looks at the time. Without child
//! processes the threads are in the main process, and the keeper only looks at the time.
//!
//! | to learn | read |
//! |---|---|
//! | what is said over a child's socket | `frame.rs` |
//! | the main process's side of it | `children.rs`, `keeper.rs` |
//! | the child's side | `child.rs` |
//! | threads in the main process | `threads.rs` |
//! | how an answer is given once, by whomever | `duty.rs` |
//! | what a trace shows of it | `told.rs` |

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod children;
mod core;
mod duty;
#[cfg(unix)]
mod frame;
#[cfg(unix)]
mod keeper;
mod threads;
mod told;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use framewise_http::{Answer, AnswerSink, ConnInfo, Gone, Handler, Pieces, Request};

#[cfg(unix)]
pub use child::{Reports, thread_number, work, work_with};
#[cfg(unix)]
pub use keeper::Children;

use self::core::Shared;
use crate::dispatch::{Config, Snapshot};

/// A pool of threads that answers requests: a [`Handler`] in front of others.
///
/// A handler around it passes on the bytes of its answers as they are: a child process may send more once it hears by
/// [`Answer::watch`] that the network has taken some. What changes them, such as compression, is done by the handler within.
pub struct Pool {
    shared: Arc<Shared>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Pool {
    /// A pool of threads in this process, each of which calls `handler`.
    ///
    /// # Errors
    /// The system has no more threads.
    pub fn threads(config: Config, handler: Arc<dyn Handler>) -> io::Result<Self> {
        let (shared, keeper) = threads::start(config, handler)?;
        Ok(Pool { shared, keeper: Mutex::new(Some(keeper)) })
    }

    /// A pool of child processes. The command that starts one calls [`work`] on its standard input.
    ///
    /// # Errors
    /// The system has no more threads, or pipes.
    #[cfg(unix)]
    pub fn processes(config: Config, children: impl Children) -> io::Result<Self> {
        let (shared, keeper) = keeper::start(config, Box::new(children))?;
        Ok(Pool { shared, keeper: Mutex::new(Some(keeper)) })
    }

    /// Starts every process anew; they take over one by one, and the old ones finish what they have.
    pub fn restart(&self) {
        self.shared.with(|core, now| core.dispatcher.handle_restart(now));
        self.shared.alarm.ring();
    }

    /// Ends it: what is under way is broken off, and no process is left.
    pub fn end(&self) {
        self.shared.ends();
        if let Some(keeper) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It does not panic; if it did, there is nothing left to do.
            let _ = keeper.join();
        }
    }

    /// Forgets what was measured: from here on it counts.
    pub fn measure_anew(&self) {
        self.shared.with(|core, now| core.dispatcher.measure_anew(now));
    }

    /// The pool now.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// Something that can be asked for [snapshots](Self::snapshot) from anywhere, for as long as it likes.
    pub fn watcher(&self) -> impl Fn() -> Snapshot + Send + Sync + 'static {
        let shared = self.shared.clone();
        move || shared.snapshot()
    }
}

impl Handler for Pool {
    fn handle(&self, request: Request, answer: Answer) {
        self.shared.take(request, answer);
    }

    fn left(&self, connection: &ConnInfo) {
        self.shared.left(connection);
    }
}

/// Gives all pieces to a sink, one after the other, on the thread that has them.
fn pour(sink: &mut dyn AnswerSink, mut pieces: Pieces) {
    let whole = pieces.try_for_each(|piece| sink.body(piece.map_err(|_| Gone)?));
    match whole {
        Ok(()) => sink.end(),
        Err(Gone) => sink.abort(),
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
