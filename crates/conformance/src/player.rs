//! Plays one script on one fresh layer.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use framewise_core::observe::{Direction, Observer};
use framewise_core::{Counters, Cx, Instant, Layer, Message, Rng, Seam};

use crate::case::{Action, Check, Maker, Step, Verdict, When};
use crate::law::Law;
use crate::ledger::Ledger;
use crate::notes::Notes;
use crate::suite::{Aside, Suite};
use crate::trouble::{Trouble, tell};

/// A layer that still gives after so many polls, or wants so many timeouts in one wait, will never end.
const MOST: usize = 100_000;

/// How a script is played. The outcome must be the same, except for [`Damaged`](Manner::Damaged).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Plain,
    /// With someone watching.
    Watched,
    /// `handle_timeout` is called after each act, though nothing is due.
    EarlyTimeouts,
    /// One message at a time.
    Stepping,
    /// Bytes that no script shows: a damaged copy of each message from below comes before it, or on a stream in its
    /// place. Seeded.
    Damaged(u64),
}

/// Something that the layer said.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) at: Instant,
    pub(crate) direction: Direction,
    pub(crate) told: String,
    pub(crate) bytes: Vec<u8>,
    /// In which step of the script.
    pub(crate) step: usize,
}

struct Nobody;
impl Observer for Nobody {}

type Down<L> = <<L as Layer>::Lower as Seam>::Down;
type Up<L> = <<L as Layer>::Upper as Seam>::Up;

pub(crate) struct Player<'s, L: Layer> {
    layer: L,
    suite: &'s Suite<L::Upper, L::Lower>,
    manner: Manner,
    rng: Rng,
    pub(crate) counters: Counters,
    now: Instant,
    notes: Notes,
    outbound: VecDeque<Down<L>>,
    inbound: VecDeque<Up<L>>,
    above: Ledger,
    below: Ledger,
    /// The counters when the last act began.
    before: Counters,
    polls_by_itself: bool,
    pub(crate) step: usize,
    pub(crate) said: Vec<Said>,
}

impl<'s, L: Layer> Player<'s, L> {
    pub(crate) fn new(layer: L, suite: &'s Suite<L::Upper, L::Lower>, manner: Manner) -> Self {
        let seed = if let Manner::Damaged(seed) = manner { seed } else { 0 };
        Player {
            layer,
            suite,
            manner,
            rng: Rng::from_seed(seed),
            counters: Counters::default(),
            now: Instant::ZERO,
            notes: Notes::default(),
            outbound: VecDeque::new(),
            inbound: VecDeque::new(),
            above: Ledger::default(),
            below: Ledger::default(),
            before: Counters::default(),
            polls_by_itself: true,
            step: 0,
            said: Vec::new(),
        }
    }

    /// Plays all steps. After a failure `step` tells at which.
    pub(crate) fn play(&mut self, steps: &[Step<L::Upper, L::Lower>]) -> Result<(), Trouble> {
        for (index, step) in steps.iter().enumerate() {
            self.step = index;
            self.take_step(&step.action)?;
        }
        Ok(())
    }

    fn take_step(&mut self, action: &Action<L::Upper, L::Lower>) -> Result<(), Trouble> {
        if action.is_act() {
            self.before = self.counters.clone();
        }
        match action {
            Action::Says(make) => {
                let message = make(&self.notes);
                self.says(message)?;
                self.after_act()
            }
            Action::Hears(make) => {
                if self.hears_damaged(make)? && L::Lower::CREDITED {
                    return Ok(());
                }
                let message = make(&self.notes);
                self.hears(message)?;
                self.after_act()
            }
            Action::Wait(time) => self.advance(self.now + *time),
            Action::PollOnlyWhenExpected => {
                self.polls_by_itself = false;
                Ok(())
            }
            Action::Outbound(When::Next, check) => self.expect_outbound(check),
            Action::Inbound(When::Next, check) => self.expect_inbound(check),
            Action::Outbound(When::Within(time), check) => {
                self.await_message(*time, |p| p.seek_outbound(check))
            }
            Action::Inbound(When::Within(time), check) => {
                self.await_message(*time, |p| p.seek_inbound(check))
            }
            Action::NoOutbound(check) => {
                none_like(&mut self.outbound, check.as_ref(), &mut self.notes).map_err(Trouble::unmet)
            }
            Action::NoInbound(check) => {
                none_like(&mut self.inbound, check.as_ref(), &mut self.notes).map_err(Trouble::unmet)
            }
            Action::Drop(reason) => self.expect_drop(*reason),
        }
    }

    // Acts.

    fn says(&mut self, message: <L::Upper as Seam>::Down) -> Result<(), Trouble> {
        if let Some(watch) = &self.suite.watches.upper_down {
            watch(&mut self.above, &message).map_err(Trouble::unmet)?;
        }
        self.call("handle_outbound", |layer, cx| layer.handle_outbound(message, cx))
    }

    pub(crate) fn hears(&mut self, message: <L::Lower as Seam>::Up) -> Result<(), Trouble> {
        if let Some(watch) = &self.suite.watches.lower_up {
            watch(&mut self.below, &message).map_err(Trouble::unmet)?;
        }
        // Of bytes that no script shows, a failure must.
        let shown = matches!(self.manner, Manner::Damaged(_)).then(|| tell(&message));
        let outcome = self.call("handle_inbound", |layer, cx| layer.handle_inbound(message, cx));
        outcome.map_err(|mut trouble| {
            shown.iter().for_each(|shown| trouble.came.push_str(&format!("\nat {shown}")));
            trouble
        })
    }

    /// A forged packet comes beside the true one; in a stream the damaged bytes are in the place of the true ones.
    fn hears_damaged(&mut self, make: &Maker<<L::Lower as Seam>::Up>) -> Result<bool, Trouble> {
        let (Manner::Damaged(_), Some(mutate)) = (self.manner, &self.suite.mutate) else {
            return Ok(false);
        };
        let Some(damaged) = mutate(make(&self.notes), &mut self.rng) else {
            return Ok(false);
        };
        self.hears(damaged)?;
        self.after_act()?;
        Ok(true)
    }

    fn after_act(&mut self) -> Result<(), Trouble> {
        if !self.polls_by_itself {
            return Ok(());
        }
        self.settle()?;
        if self.manner == Manner::EarlyTimeouts {
            self.call("handle_timeout", |layer, cx| layer.handle_timeout(cx))?;
            self.settle()?;
        }
        Ok(())
    }

    /// Lets the clock reach `to`, calling the layer at each of its timeouts.
    pub(crate) fn advance(&mut self, to: Instant) -> Result<(), Trouble> {
        for _ in 0..MOST {
            match self.next_timeout()? {
                Some(due) if due <= to => {
                    self.now = self.now.max(due);
                    self.fire()?;
                    self.settle()?;
                }
                _ => {
                    self.now = self.now.max(to);
                    return Ok(());
                }
            }
        }
        Err(Trouble::broken(
            Law::Timeouts,
            "timeouts that come to an end",
            format!("more than {MOST} in one wait"),
        ))
    }

    fn next_timeout(&mut self) -> Result<Option<Instant>, Trouble> {
        self.call("poll_timeout", |layer, _| layer.poll_timeout())
    }

    /// Calls `handle_timeout` because it is due: afterwards the next one must be later (law 6).
    fn fire(&mut self) -> Result<(), Trouble> {
        self.call("handle_timeout", |layer, cx| layer.handle_timeout(cx))?;
        match self.next_timeout()? {
            Some(next) if next <= self.now => Err(Trouble::broken(
                Law::Timeouts,
                format!("after handle_timeout at {} a later time from poll_timeout, or None", self.now),
                format!("poll_timeout tells {next}"),
            )),
            _ => Ok(()),
        }
    }

    // Polling.

    /// Polls both ways until nothing comes, as whoever called `handle_*` must (law 4).
    pub(crate) fn settle(&mut self) -> Result<(), Trouble> {
        for _ in 0..MOST {
            if self.poll_outbound()?.is_some() || self.poll_inbound()?.is_some() || self.step_inside()? {
                continue;
            }
            if self.next_timeout()?.is_some_and(|due| due <= self.now) {
                self.fire()?;
                continue;
            }
            return self.stays_silent();
        }
        Err(Trouble::broken(
            Law::PollUntilNone,
            "polls that give None at last",
            format!("after {MOST} polls it still gives"),
        ))
    }

    fn step_inside(&mut self) -> Result<bool, Trouble> {
        if self.manner != Manner::Stepping {
            return Ok(false);
        }
        self.call("step", |layer, cx| layer.step(cx))
    }

    /// Both polls gave `None`: they must give it again.
    fn stays_silent(&mut self) -> Result<(), Trouble> {
        let expected = |poll| format!("{poll} to give None again after both polls gave None");
        if let Some(message) = self.call("poll_outbound", |layer, cx| layer.poll_outbound(cx))? {
            return Err(Trouble::broken(Law::PollUntilNone, expected("poll_outbound"), tell(&message)));
        }
        if let Some(message) = self.call("poll_inbound", |layer, cx| layer.poll_inbound(cx))? {
            return Err(Trouble::broken(Law::PollUntilNone, expected("poll_inbound"), tell(&message)));
        }
        Ok(())
    }

    /// One message downward, if there is one: kept for expectations, unless the suite sets it aside.
    fn poll_outbound(&mut self) -> Result<Option<()>, Trouble> {
        let Some(message) = self.call("poll_outbound", |layer, cx| layer.poll_outbound(cx))? else {
            return Ok(None);
        };
        self.record(Direction::Outbound, &message);
        if let Some(watch) = &self.suite.watches.lower_down {
            watch(&mut self.below, &message).map_err(within_credit)?;
        }
        match self.suite.aside_outbound.as_ref().map_or(Aside::No, |aside| aside(&message)) {
            Aside::No => self.outbound.push_back(message),
            Aside::Ignore => {}
            Aside::Answer(answer) => self.hears(answer)?,
        }
        Ok(Some(()))
    }

    /// One message upward, likewise.
    fn poll_inbound(&mut self) -> Result<Option<()>, Trouble> {
        let Some(message) = self.call("poll_inbound", |layer, cx| layer.poll_inbound(cx))? else {
            return Ok(None);
        };
        self.record(Direction::Inbound, &message);
        if let Some(watch) = &self.suite.watches.upper_up {
            watch(&mut self.above, &message).map_err(within_credit)?;
        }
        match self.suite.aside_inbound.as_ref().map_or(Aside::No, |aside| aside(&message)) {
            Aside::No => self.inbound.push_back(message),
            Aside::Ignore => {}
            Aside::Answer(answer) => self.says(answer)?,
        }
        Ok(Some(()))
    }

    fn record(&mut self, direction: Direction, message: &dyn Message) {
        let told = format!("{}: {}", message.kind(), message.summary());
        let bytes = message.bytes().to_vec();
        self.said.push(Said { at: self.now, direction, told, bytes, step: self.step });
    }

    /// Calls the layer. A panic is its failure, not ours.
    fn call<T>(&mut self, name: &str, act: impl FnOnce(&mut L, &mut Cx) -> T) -> Result<T, Trouble> {
        let (mut nobody, layer) = (Nobody, &mut self.layer);
        let mut cx = Cx::new(self.now, &mut self.counters);
        cx.stepping = self.manner == Manner::Stepping;
        if self.manner == Manner::Watched {
            cx.observer = Some(&mut nobody);
        }
        catch_unwind(AssertUnwindSafe(|| act(layer, &mut cx)))
            .map_err(|panic| Trouble::panicked(name, &*panic))
    }

    // Expectations.

    fn expect_outbound(&mut self, check: &Check<Down<L>>) -> Result<(), Trouble> {
        while !self.polls_by_itself && self.outbound.is_empty() && self.poll_outbound()?.is_some() {}
        let next = self.outbound.pop_front();
        passes(next, check, &mut self.notes)
    }

    fn expect_inbound(&mut self, check: &Check<Up<L>>) -> Result<(), Trouble> {
        while !self.polls_by_itself && self.inbound.is_empty() && self.poll_inbound()?.is_some() {}
        let next = self.inbound.pop_front();
        passes(next, check, &mut self.notes)
    }

    /// Looks for a message, and lets time pass from timeout to timeout until one is found.
    fn await_message(
        &mut self,
        within: Duration,
        mut seek: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), Trouble> {
        let until = self.now + within;
        let mut passed_over = None;
        for _ in 0..MOST {
            match seek(self) {
                Ok(()) => return Ok(()),
                Err(came) if !came.is_empty() => passed_over = Some(came),
                Err(_) => {}
            }
            match self.next_timeout()? {
                Some(due) if due <= until => self.advance(due)?,
                _ => {
                    self.now = until;
                    let came = passed_over.map(|came| format!("only {came}"));
                    return Err(Trouble::unmet(came.unwrap_or_else(|| "nothing".to_owned())));
                }
            }
        }
        Err(Trouble::broken(
            Law::Timeouts,
            "timeouts that come to an end",
            format!("more than {MOST} in one wait"),
        ))
    }

    fn seek_outbound(&mut self, check: &Check<Down<L>>) -> Result<(), String> {
        seek(&mut self.outbound, check, &mut self.notes)
    }

    fn seek_inbound(&mut self, check: &Check<Up<L>>) -> Result<(), String> {
        seek(&mut self.inbound, check, &mut self.notes)
    }

    fn expect_drop(&self, reason: Option<&'static str>) -> Result<(), Trouble> {
        let new: Vec<&str> = self
            .counters
            .iter()
            .filter(|(layer, reason, count)| self.before.drops(layer, reason) < *count)
            .map(|(_, reason, _)| reason)
            .collect();
        match reason {
            None if !new.is_empty() => Ok(()),
            Some(reason) if new.contains(&reason) => Ok(()),
            _ if new.is_empty() => Err(Trouble::unmet("nothing was counted as dropped")),
            _ => Err(Trouble::unmet(format!("a drop because of: {}", new.join(", ")))),
        }
    }

    /// How many messages came out so far, either way.
    pub(crate) fn outputs(&self) -> usize {
        self.said.len()
    }
}

fn within_credit(why: String) -> Trouble {
    Trouble::broken(
        Law::Bounded,
        "the rules of the stream seam to be kept: credit, and no word after Closed",
        why,
    )
}

fn passes<M: Message>(next: Option<M>, check: &Check<M>, notes: &mut Notes) -> Result<(), Trouble> {
    match next {
        None => Err(Trouble::unmet("nothing")),
        Some(message) => check(&message, notes).map_err(|why| Trouble::unmet(but(&message, &why))),
    }
}

/// The first message that passes; `Err` tells the last that didn't, or nothing.
fn seek<M: Message>(queue: &mut VecDeque<M>, check: &Check<M>, notes: &mut Notes) -> Result<(), String> {
    let mut came = String::new();
    while let Some(message) = queue.pop_front() {
        match check(&message, notes) {
            Ok(()) => return Ok(()),
            Err(why) => came = but(&message, &why),
        }
    }
    Err(came)
}

fn none_like<M: Message>(
    queue: &mut VecDeque<M>,
    check: Option<&Check<M>>,
    notes: &mut Notes,
) -> Result<(), String> {
    let unwanted = |message: &M, notes: &mut Notes| -> bool {
        let verdict: Option<Verdict> = check.map(|check| check(message, notes));
        verdict.is_none_or(|verdict| verdict.is_ok())
    };
    while let Some(message) = queue.pop_front() {
        if unwanted(&message, notes) {
            return Err(tell(&message));
        }
    }
    Ok(())
}

fn but(message: &dyn Message, why: &str) -> String {
    format!("{}\nbut {why}", tell(message))
}
