//! Waiting: for frames, timers, wakers and foreign file descriptors, all at once.

use std::io;
use std::time::Duration;

use crate::link::Link;
use crate::wake::Waker;

/// The longest that a simulated run stands still for an answer from another thread.
const PATIENCE: Duration = Duration::from_secs(60);

/// A foreign file descriptor, and what to do when it can be read.
pub(crate) struct Watched {
    #[cfg(unix)]
    fd: std::os::fd::OwnedFd,
    #[cfg(unix)]
    ready: Box<dyn FnMut(&std::os::fd::OwnedFd) -> bool>,
}

#[cfg(unix)]
mod unix {
    use std::os::fd::{BorrowedFd, OwnedFd};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    impl Watched {
        pub(crate) fn new(fd: OwnedFd, ready: impl FnMut(&OwnedFd) -> bool + 'static) -> Self {
            Watched { fd, ready: Box::new(ready) }
        }
    }

    /// Waits for the waker alone. `false` if it stays silent for too long.
    pub(crate) fn for_waker(waker: &Waker) -> io::Result<bool> {
        let mut fds = [PollFd::from_borrowed_fd(waker.fd(), PollFlags::IN)];
        Ok(poll_for(&mut fds, Some(PATIENCE))? > 0)
    }

    /// Waits for whatever comes first, at most `timeout`; without one, until something comes. `false` if nothing can come.
    pub(crate) fn for_anything<'a>(
        links: impl Iterator<Item = &'a Link>,
        waker: &Waker,
        watched: &mut Vec<Watched>,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let ready: Vec<bool> = {
            let mut fds = vec![PollFd::from_borrowed_fd(waker.fd(), PollFlags::IN)];
            fds.extend(watched.iter().map(|w| PollFd::new(&w.fd, PollFlags::IN)));
            let foreign = 1..fds.len();
            // A closure, since the descriptors need live no longer than this list.
            #[allow(clippy::redundant_closure)]
            fds.extend(links.filter_map(|link| device_fd(link)));
            poll_for(&mut fds, timeout)?;
            fds[foreign].iter().map(|fd| !fd.revents().is_empty()).collect()
        };
        let mut ready = ready.into_iter();
        watched.retain_mut(|w| !ready.next().unwrap_or(false) || (w.ready)(&w.fd));
        Ok(true)
    }

    fn device_fd(link: &Link) -> Option<PollFd<'_>> {
        let Link::Device(link) = link else { return None };
        let fd: BorrowedFd<'_> = link.device.readable_fd()?;
        let wanted = if link.waiting.is_some() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        Some(PollFd::from_borrowed_fd(fd, wanted))
    }

    fn poll_for(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<usize> {
        // Rounded up to the millisecond, so that a timer is due when the wait is over.
        let timeout = timeout.and_then(|t| Timespec::try_from(t + Duration::from_micros(50)).ok());
        match poll(fds, timeout.as_ref()) {
            Ok(ready) => Ok(ready),
            Err(rustix::io::Errno::INTR) => Ok(1),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::{for_anything, for_waker};

/// Elsewhere there are only in-memory wires and threads: looking often is enough.
#[cfg(not(unix))]
mod elsewhere {
    use super::*;

    const LOOK: Duration = Duration::from_millis(1);

    pub(crate) fn for_waker(waker: &Waker) -> io::Result<bool> {
        let began = std::time::Instant::now();
        while !waker.is_raised() && began.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
        }
        Ok(waker.is_raised())
    }

    pub(crate) fn for_anything<'a>(
        _links: impl Iterator<Item = &'a Link>,
        waker: &Waker,
        _watched: &mut Vec<Watched>,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let began = std::time::Instant::now();
        while !waker.is_raised() && timeout.is_none_or(|t| began.elapsed() < t) {
            std::thread::sleep(timeout.unwrap_or(LOOK).min(LOOK));
        }
        Ok(true)
    }
}

#[cfg(not(unix))]
pub(crate) use elsewhere::{for_anything, for_waker};
