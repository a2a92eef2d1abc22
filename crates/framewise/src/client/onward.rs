//! What follows what is no page: a redirect, or another try.

use std::time::Duration;

use framewise_core::seams::exchange::ResponseHead;
use framewise_core::{Cx, Instant};

use super::Client;
use crate::error::FetchError;
use crate::fetch::redirect::Turn;
use crate::fetch::retry::{asked_to_wait, is_passing, is_passing_status};
use crate::running::{Onward, Running};

impl Client {
    /// Does what follows a response that is not the page.
    pub(super) fn go_on(&mut self, id: u64, cx: &mut Cx) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        let status = running.attempt.head.as_ref().map(|head| head.status.to_string()).unwrap_or_default();
        match running.attempt.onward.take() {
            Some(Onward::Turn(turn)) => {
                cx.note("app", "redirect", || {
                    format!("{}: {}, on to {}", running.route.url(), turn.status, turn.to)
                });
                self.leave_stage(id);
                self.turn(id, turn, cx.now);
            }
            Some(Onward::Again(wait)) => {
                self.try_again(id, &status, wait, cx.now);
            }
            None => {}
        }
    }

    /// Goes where a redirect leads.
    fn turn(&mut self, id: u64, turn: Turn, now: Instant) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        if !turn.keeps_body {
            running.upload.forget();
        }
        running.route.follow(turn);
        self.begin(id, now);
    }

    /// A fetch has failed so: it is tried again, or that is its outcome.
    pub(super) fn failed(&mut self, id: u64, error: FetchError, cx: &mut Cx) {
        let wait = self.fetches.get(&id).and_then(|running| running.wait_after(&error, cx.now));
        match wait {
            Some(wait) => self.try_again(id, &error.to_string(), wait, cx.now),
            None => self.finish(id, Err(error)),
        }
    }

    /// Tries again after this time, for this reason.
    fn try_again(&mut self, id: u64, why: &str, wait: Duration, now: Instant) {
        self.leave_stage(id);
        let why = format!("{why}; I ask again after {} s", wait.as_secs_f64());
        self.change(id, |running| running.rest(now + wait, why));
    }

    /// The wait is over.
    pub(super) fn ask_again(&mut self, id: u64, cx: &mut Cx) {
        let why = self.fetches.get_mut(&id).and_then(|running| running.attempt.again.take());
        cx.note("app", "retry", || why.unwrap_or_default());
        self.begin(id, cx.now);
    }
}

impl Running {
    /// How long to wait before this response's request is sent again, if it is.
    pub(crate) fn wait_after_status(&self, head: &ResponseHead, now: Instant) -> Option<Duration> {
        let is_worth_it = is_passing_status(head.status) && self.may_be_done_twice();
        let received = self.fetch.retry.and_then(|retry| retry.time_at(now));
        if is_worth_it { self.wait(asked_to_wait(&head.headers, received), now) } else { None }
    }

    /// How long to wait before what failed so is tried again, if it is.
    fn wait_after(&self, error: &FetchError, now: Instant) -> Option<Duration> {
        // What was given to somebody can't be taken back; and without a connection nothing was sent.
        let is_unseen = self.attempt.head.is_none();
        let was_sent = self.attempt.connection.is_some();
        let is_worth_it = is_passing(error) && is_unseen && (!was_sent || self.may_be_done_twice());
        if is_worth_it { self.wait(None, now) } else { None }
    }

    fn wait(&self, asked: Option<Duration>, now: Instant) -> Option<Duration> {
        let wait = self.fetch.retry?.wait(self.retried, asked)?;
        (!self.is_too_late(now + wait)).then_some(wait)
    }

    /// Whether nothing is done twice, and nothing lost, by asking once more (RFC 9110, section 9.2.2).
    fn may_be_done_twice(&self) -> bool {
        self.route.method().is_idempotent() && self.upload.can_begin()
    }
}
