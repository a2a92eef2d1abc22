//! Which of the operating system's sockets can go on: a thread waits for all of them, and wakes the Runner.
//!
//! The operating system tells each change once (edge-triggered), so nothing is told again and again while the Runner has other
//! things to do, and a socket that was told to be ready counts as ready until it says otherwise itself.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use mio::event::Source;
use mio::{Events, Interest, Poll, Registry, Token};

use crate::wake::Waker;

/// Changes that are taken from the operating system at a time.
const EVENTS: usize = 256;
/// The name under which the thread itself is woken. No socket has it.
const OWN: Token = Token(usize::MAX);

/// What a socket can do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ready {
    /// There is something to be read: data, a connection, an end.
    pub(super) readable: bool,
    /// There is room to write, or connecting has ended.
    pub(super) writable: bool,
    /// It is broken.
    pub(super) failed: bool,
}

/// Waits for sockets, on a thread of its own.
pub(super) struct Readiness {
    registry: Registry,
    shared: Arc<Shared>,
    own_waker: mio::Waker,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// By the name of the socket, so that there are never more than sockets.
    changes: Mutex<BTreeMap<usize, Ready>>,
    is_over: AtomicBool,
}

impl Readiness {
    /// Wakes `waker` whenever a socket can go on.
    pub(super) fn new(waker: Waker) -> io::Result<Self> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let own_waker = mio::Waker::new(poll.registry(), OWN)?;
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let thread = thread::Builder::new().name("framewise-sockets".to_owned());
        let thread = thread.spawn(move || wait(poll, &theirs, &waker))?;
        Ok(Readiness { registry, shared, own_waker, thread: Some(thread) })
    }

    /// Waits for this socket, too, from now on, under the name `token`.
    pub(super) fn add(&self, socket: &mut impl Source, token: usize, interest: Interest) -> io::Result<()> {
        self.registry.register(socket, Token(token), interest)
    }

    /// Waits for it no more.
    pub(super) fn remove(&self, socket: &mut impl Source) {
        // Fails only where it was not waited for.
        let _ = self.registry.deregister(socket);
    }

    /// Whether something has changed since the last look.
    pub(super) fn has_changed(&self) -> bool {
        !self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// What has changed since the last look.
    pub(super) fn take(&self) -> BTreeMap<usize, Ready> {
        std::mem::take(&mut self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        let woken = self.own_waker.wake();
        if let (Ok(()), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

/// The thread: writes down what has changed, until it is told that all is over.
fn wait(mut poll: Poll, shared: &Shared, waker: &Waker) {
    let mut events = Events::with_capacity(EVENTS);
    while !shared.is_over.load(Ordering::Acquire) {
        match poll.poll(&mut events, None) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // Without a poller no socket goes on; the fetches' own deadlines end them.
            Err(_) => return,
        }
        let mut changes = shared.changes.lock().unwrap_or_else(PoisonError::into_inner);
        for event in &events {
            let ready = changes.entry(event.token().0).or_default();
            ready.readable |= event.is_readable() || event.is_read_closed();
            ready.writable |= event.is_writable() || event.is_write_closed();
            ready.failed |= event.is_error();
        }
        drop(changes);
        waker.wake();
    }
}
