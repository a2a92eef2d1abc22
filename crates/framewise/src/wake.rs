//! How another thread wakes the Runner: a flag that many may raise and one waits for.
//!
//! # Why no wake-up is lost
//!
//! Who wakes has said something before; it must be seen by a *look* of the Runner, which comes after the flag was
//! lowered. [`wake`](Waker::wake) finds the flag either
//!
//! - down: it raises it and writes a byte, which ends the Runner's wait, now or when it waits next. The byte
//!   is read only by [`drain`](Waker::drain), and after each of those comes a `lower` and a look before the next wait.
//! - up: then it has not been lowered since, so the next `lower` is still to come, and the look after it. That one is
//!   not far: either the byte of whoever raised the flag is still to be read, or it was, by the `drain` before
//!   that `lower`.
//!
//! The pipe is emptied *before* the flag is lowered. The other way round, a byte written between the two would be read
//! with the flag up: everybody after it would rely on a byte that is gone.
//!
//! A byte may come late: written when the flag that it stands for was lowered already. It ends one wait for nothing, and is
//! drained after it, whatever the flag says.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes the Runner from any thread. Cheap to clone and to call often.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    raised: AtomicBool,
    #[cfg(unix)]
    pipe: (std::os::fd::OwnedFd, std::os::fd::OwnedFd),
    /// Stands for the pipe where there are none to wait for.
    #[cfg(not(unix))]
    bell: crate::bell::Bell,
}

impl Waker {
    /// A waker whose flag is down.
    pub(crate) fn new() -> io::Result<Self> {
        #[cfg(unix)]
        let pipe = {
            let (read, write) = rustix::pipe::pipe()?;
            for end in [&read, &write] {
                rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
                rustix::io::ioctl_fionbio(end, true)?;
            }
            (read, write)
        };
        Ok(Waker(Arc::new(Shared {
            raised: AtomicBool::new(false),
            #[cfg(unix)]
            pipe,
            #[cfg(not(unix))]
            bell: crate::bell::Bell::default(),
        })))
    }

    /// Makes the Runner look: at once if it waits, else before it waits next.
    pub fn wake(&self) {
        if self.raise() {
            self.ring();
        }
    }

    /// Raises the flag; `true` if it was down.
    fn raise(&self) -> bool {
        !self.0.raised.swap(true, Ordering::AcqRel)
    }

    /// Ends a wait.
    fn ring(&self) {
        // A full pipe means that the Runner is being woken already.
        #[cfg(unix)]
        let _ = rustix::io::write(&self.0.pipe.1, &[1]);
        #[cfg(not(unix))]
        self.0.bell.ring();
    }

    /// Lowers the flag; called by the Runner before it looks.
    pub(crate) fn lower(&self) {
        if self.0.raised.load(Ordering::Acquire) {
            self.drain();
        }
        self.0.raised.swap(false, Ordering::AcqRel);
    }

    /// Empties the pipe; called by the Runner when a wait has found it readable. A look follows.
    #[cfg(unix)]
    pub(crate) fn drain(&self) {
        let mut bytes = [0; 64];
        while rustix::io::read(&self.0.pipe.0, &mut bytes).is_ok_and(|read| read == bytes.len()) {}
    }

    /// The same where there is a bell.
    #[cfg(not(unix))]
    pub(crate) fn drain(&self) {
        self.0.bell.hush();
    }

    /// Waits until the flag is raised, at most `timeout`; `true` if it was.
    #[cfg(not(unix))]
    pub(crate) fn wait(&self, timeout: Option<std::time::Duration>) -> bool {
        self.0.bell.wait(timeout)
    }

    /// What becomes readable when the flag is raised.
    #[cfg(unix)]
    pub(crate) fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.0.pipe.0.as_fd()
    }
}

#[cfg(all(test, unix))]
mod tests;
