//! Waiting: for frames, timers, wakers and foreign file descriptors, all at once.

use std::io;
use std::time::Duration;

use crate::link::Link;
use crate::wake::Waker;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// Nothing, in all the time.
    Nothing,
    /// Another thread, and nobody else.
    Waker,
    /// A frame, or something foreign.
    Other,
}

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

    /// Waits for whatever comes first, at most `timeout`; without one, until something comes.
    pub(crate) fn for_anything<'a>(
        links: impl Iterator<Item = &'a Link>,
        waker: &Waker,
        watched: &mut Vec<Watched>,
        timeout: Option<Duration>,
    ) -> io::Result<Came> {
        let (came, ready): (usize, Vec<bool>) = {
            let mut fds = vec![PollFd::from_borrowed_fd(waker.fd(), PollFlags::IN)];
            fds.extend(watched.iter().map(|w| PollFd::new(&w.fd, PollFlags::IN)));
            // A closure, since the descriptors need live no longer than this list.
            #[allow(clippy::redundant_closure)]
            fds.extend(links.filter_map(|link| device_fd(link)));
            let came = poll_for(&mut fds, timeout)?;
            (came, fds.iter().take(1 + watched.len()).map(|fd| !fd.revents().is_empty()).collect())
        };
        let mut ready = ready.into_iter();
        let is_woken = ready.next().unwrap_or(false);
        if is_woken {
            waker.drain();
        }
        watched.retain_mut(|w| !ready.next().unwrap_or(false) || (w.ready)(&w.fd));
        Ok(match came {
            0 => Came::Nothing,
            1 if is_woken => Came::Waker,
            _ => Came::Other,
        })
    }

    fn device_fd(link: &Link) -> Option<PollFd<'_>> {
        let Link::Device(link) = link else { return None };
        let fd: BorrowedFd<'_> = link.device.readable_fd()?;
        let wanted = if !link.waiting.is_empty() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        Some(PollFd::from_borrowed_fd(fd, wanted))
    }

    fn poll_for(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<usize> {
        // Rounded up, so that a timer is due when the wait is over. Whoever only looks does not wait.
        let timeout = timeout.map(|t| if t.is_zero() { t } else { t + Duration::from_micros(50) });
        let timeout = timeout.and_then(|t| Timespec::try_from(t).ok());
        match poll(fds, timeout.as_ref()) {
            Ok(ready) => Ok(ready),
            Err(rustix::io::Errno::INTR) => Ok(1),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::for_anything;

/// Elsewhere there are in-memory wires and threads, and sockets that a thread waits for: all of them wake the Runner.
#[cfg(not(unix))]
mod elsewhere {
    use super::*;

    pub(crate) fn for_anything<'a>(
        _links: impl Iterator<Item = &'a Link>,
        waker: &Waker,
        _watched: &mut Vec<Watched>,
        timeout: Option<Duration>,
    ) -> io::Result<Came> {
        Ok(if waker.wait(timeout) { Came::Waker } else { Came::Nothing })
    }
}

#[cfg(not(unix))]
pub(crate) use elsewhere::for_anything;
