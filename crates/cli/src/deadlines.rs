//! `--max-time` and `--connect-timeout` on a real clock: they count from the command's beginning, so that what comes before
//! the fetch, such as this computer's resolver, is in them.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use framewise::{Fetch, FetchError};

use crate::args;
use crate::exit::Failure;

/// What the command line allows, since the command began.
pub(crate) struct Deadlines {
    began: Instant,
    url: String,
    connect: Option<Duration>,
    complete: Option<Duration>,
}

impl Deadlines {
    /// From now on.
    pub(crate) fn of(args: &args::Fetch) -> Self {
        let (connect, complete) = (args.connect_timeout, args.max_time);
        Deadlines { began: Instant::now(), url: args.url.clone(), connect, complete }
    }

    /// Gives the fetch what is left.
    pub(crate) fn limit(&self, mut fetch: Fetch) -> Result<Fetch, Failure> {
        if let Some(limit) = self.connect {
            fetch = fetch.connect_timeout(self.left(limit)?);
        }
        if let Some(limit) = self.complete {
            fetch = fetch.max_time(self.left(limit)?);
        }
        Ok(fetch)
    }

    /// Does what can't be interrupted, on a thread of its own: if it takes longer than is left, that is left to itself.
    #[cfg_attr(
        not(target_os = "linux"),
        allow(dead_code, reason = "only on a device are names asked for so")
    )]
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(limit) = self.connect.into_iter().chain(self.complete).min() else { return Ok(work()) };
        let (done, waits) = mpsc::channel();
        let worker = thread::spawn(move || drop(done.send(work())));
        let outcome = waits.recv_timeout(self.left(limit)?).map_err(|_| self.too_late());
        if outcome.is_ok() {
            // What it still has to do is to end: the rights that are given up next are those of every thread.
            let _ = worker.join();
        }
        outcome
    }

    /// An error of a fetch that was given what was left, in terms of what was allowed.
    pub(crate) fn as_asked(&self, error: FetchError) -> FetchError {
        match error {
            FetchError::TimedOut { after, received } => {
                FetchError::TimedOut { after: self.complete.unwrap_or(after), received }
            }
            FetchError::ConnectTimedOut { after } => {
                FetchError::ConnectTimedOut { after: self.connect.unwrap_or(after) }
            }
            error => error,
        }
    }

    fn left(&self, limit: Duration) -> Result<Duration, Failure> {
        limit.checked_sub(self.began.elapsed()).ok_or_else(|| self.too_late())
    }

    fn too_late(&self) -> Failure {
        let error = match (self.connect, self.complete) {
            (Some(connect), complete) if complete.is_none_or(|complete| connect < complete) => {
                FetchError::ConnectTimedOut { after: connect }
            }
            (_, complete) => FetchError::TimedOut { after: complete.unwrap_or_default(), received: 0 },
        };
        Failure::of_fetch(&error, &self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadlines(complete: Option<Duration>) -> Deadlines {
        Deadlines { began: Instant::now(), url: "http://shop.test/".to_owned(), connect: None, complete }
    }

    #[test]
    fn a_resolver_that_does_not_answer_is_not_waited_for() {
        // Whoever waits for this channel waits until the test ends.
        let (_never, hears_nothing) = mpsc::channel::<()>();
        let outcome = deadlines(Some(Duration::from_millis(20))).wait_for(move || hears_nothing.recv());
        assert!(format!("{:?}", outcome.expect_err("nobody answers")).contains("not complete within 20ms"));
    }

    #[test]
    fn what_is_in_time_is_given() {
        assert_eq!(deadlines(Some(Duration::from_secs(60))).wait_for(|| 7).expect("it is there at once"), 7);
        assert_eq!(deadlines(None).wait_for(|| 7).expect("nothing limits it"), 7);
    }

    #[test]
    fn what_was_used_up_before_is_not_given_again() {
        let late = deadlines(Some(Duration::ZERO)).limit(Fetch::get("http://shop.test/"));
        assert!(late.is_err(), "no time is left");
    }
}
