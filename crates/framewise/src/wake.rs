//! How another thread wakes the Runner: a flag that many may raise and one waits for.

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
        })))
    }

    /// Makes the Runner look: at once if it waits, else before it waits next.
    pub fn wake(&self) {
        if !self.0.raised.swap(true, Ordering::AcqRel) {
            // A full pipe means that the Runner is being woken already.
            #[cfg(unix)]
            let _ = rustix::io::write(&self.0.pipe.1, &[1]);
        }
    }

    /// Lowers the flag; called by the Runner before it looks. The pipe is emptied first: a `wake` in between
    /// finds the flag still up and writes nothing, but what it announces is seen by the look that follows.
    pub(crate) fn lower(&self) {
        #[cfg(unix)]
        if self.0.raised.load(Ordering::Acquire) {
            let _ = rustix::io::read(&self.0.pipe.0, &mut [0; 64]);
        }
        self.0.raised.swap(false, Ordering::AcqRel);
    }

    /// What becomes readable when the flag is raised.
    #[cfg(unix)]
    pub(crate) fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.0.pipe.0.as_fd()
    }

    /// Whether the flag is up.
    #[cfg(not(unix))]
    pub(crate) fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::Acquire)
    }
}
