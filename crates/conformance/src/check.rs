//! Puts a layer through the cases of a suite and through the laws.
//!
//! Each case is first played as it stands. The laws are then read off further runs of the same scripts on fresh layers:
//! run again, watched, with early timeouts, stepping, with damaged messages; and off garbage and floods.

use std::time::Duration;

use framewise_core::observe::Direction;
use framewise_core::{Instant, Layer, Rng, Seam};

use crate::case::{Action, Case, Step};
use crate::failure::{Details, Failure};
use crate::law::Law;
use crate::player::{Manner, Player, Said};
use crate::report::Report;
use crate::suite::{Flood, Suite};
use crate::trouble::Trouble;

/// Layers that are given garbage, and messages for each.
const GARBAGE_RUNS: u64 = 32;
const GARBAGE_MESSAGES: usize = 64;
/// How often each case is played with damaged messages.
const DAMAGED_RUNS: u64 = 8;

/// Puts the layers that `make` makes through `suite`: its cases, then the laws.
///
/// Stops at the first failure, which tells the steps so far, what was expected and what came.
pub fn check_layer<L: Layer>(
    make: impl Fn() -> L,
    suite: &Suite<L::Upper, L::Lower>,
) -> Result<Report, Failure> {
    let check = Checker { make, suite };
    let mut cases = Vec::new();
    let mut laws = [0; Law::ALL.len()];
    for case in &suite.cases {
        let plain = check.plain(case)?;
        check.alike(case, &plain, Manner::Plain, Law::Pure)?;
        check.alike(case, &plain, Manner::Watched, Law::Pure)?;
        check.alike(case, &plain, Manner::EarlyTimeouts, Law::Timeouts)?;
        check.alike(case, &plain, Manner::Stepping, Law::Stepping)?;
        check.damaged(case)?;
        cases.push((case.title.to_owned(), case.source));
        for law in held_by_cases(suite, case) {
            laws[law.number() - 1] += 1;
        }
    }
    if suite.garbage.is_some() {
        check.garbage()?;
        laws[Law::BadInput.number() - 1] += GARBAGE_RUNS as usize;
    }
    for flood in &suite.floods {
        check.flood(flood)?;
        laws[Law::NothingLost.number() - 1] += 1;
        laws[Law::Bounded.number() - 1] += 1;
    }
    let held = Law::ALL.into_iter().zip(laws).filter(|(_, runs)| *runs > 0).collect();
    Ok(Report { protocol: suite.protocol, cases, laws: held })
}

/// The laws that a passed case has shown to hold.
fn held_by_cases<U: Seam, L: Seam>(suite: &Suite<U, L>, case: &Case<U, L>) -> Vec<Law> {
    let mut held = vec![Law::Pure, Law::PollUntilNone, Law::Timeouts, Law::Stepping];
    if suite.mutate.is_some() {
        held.push(Law::BadInput);
    }
    if suite.watches.upper_up.is_some() || suite.watches.lower_down.is_some() {
        held.push(Law::Bounded);
    }
    held.extend(case.law.filter(|law| !held.contains(law)));
    held
}

struct Checker<'s, L: Layer, F> {
    make: F,
    suite: &'s Suite<L::Upper, L::Lower>,
}

impl<'s, L: Layer, F: Fn() -> L> Checker<'s, L, F> {
    fn player(&self, manner: Manner) -> Player<'s, L> {
        Player::new((self.make)(), self.suite, manner)
    }

    /// The case as it stands.
    fn plain(&self, case: &Case<L::Upper, L::Lower>) -> Result<Vec<Said>, Failure> {
        let mut player = self.player(Manner::Plain);
        match player.play(&case.steps) {
            Ok(()) => Ok(player.said),
            Err(trouble) => Err(self.failed(case, player.step, trouble)),
        }
    }

    /// The same again in another manner, which must make no difference.
    fn alike(
        &self,
        case: &Case<L::Upper, L::Lower>,
        plain: &[Said],
        manner: Manner,
        law: Law,
    ) -> Result<(), Failure> {
        let mut player = self.player(manner);
        if let Err(mut trouble) = player.play(&case.steps) {
            trouble.law = trouble.law.or(Some(law));
            trouble.came.push_str(&format!("\n({}; without that the case passed)", described(manner)));
            return Err(self.failed(case, player.step, trouble));
        }
        for direction in [Direction::Outbound, Direction::Inbound] {
            let [mut first, mut second] =
                [plain, &player.said].map(|said| said.iter().filter(move |said| said.direction == direction));
            loop {
                let (expected, came) = match (first.next(), second.next()) {
                    (None, None) => break,
                    (expected, came) if same(expected, came) => continue,
                    other => other,
                };
                let step = expected.or(came).map_or(0, |said| said.step);
                let expected = format!("the same as in a first run: {}", told(expected, came));
                let came = format!("{} ({})", told(came, None), described(manner));
                return Err(self.failed(case, step, Trouble::broken(law, expected, came)));
            }
        }
        Ok(())
    }

    /// With damaged copies of what comes from below: what the script expects may fail, a law may not.
    fn damaged(&self, case: &Case<L::Upper, L::Lower>) -> Result<(), Failure> {
        let hears = |step: &Step<_, _>| matches!(step.action, Action::Hears(_));
        if self.suite.mutate.is_none() || !case.steps.iter().any(hears) {
            return Ok(());
        }
        for seed in 0..DAMAGED_RUNS {
            let mut player = self.player(Manner::Damaged(seed));
            if let Err(mut trouble) = player.play(&case.steps)
                && trouble.law.is_some()
            {
                trouble.came.push_str(&format!("\n({}, seed {seed})", described(Manner::Damaged(seed))));
                return Err(self.failed(case, player.step, trouble));
            }
        }
        Ok(())
    }

    fn garbage(&self) -> Result<(), Failure> {
        let Some((opening, garbage)) = &self.suite.garbage else { return Ok(()) };
        // A stream may be over after the first garbage, and nothing comes after its end.
        let messages = if <L::Lower as Seam>::CREDITED { 1 } else { GARBAGE_MESSAGES };
        for seed in 0..GARBAGE_RUNS {
            let mut rng = Rng::from_seed(seed).fork("garbage");
            let mut player = self.player(Manner::Damaged(seed));
            player.play(&opening.steps).map_err(|trouble| self.failed(opening, player.step, trouble))?;
            for number in 1..=messages {
                let outcome = player.hears(garbage(&mut rng)).and_then(|()| player.settle());
                outcome.map_err(|trouble| self.failed_garbage(opening, number, seed, trouble))?;
            }
            let outcome = player.advance(Instant::ZERO + Duration::from_secs(600));
            outcome.map_err(|trouble| self.failed_garbage(opening, messages, seed, trouble))?;
        }
        Ok(())
    }

    /// Many messages while nobody polls.
    fn flood(&self, flood: &Flood<L::Upper, L::Lower>) -> Result<(), Failure> {
        let mut player = self.player(Manner::Plain);
        let opening = player.play(&flood.opening.steps);
        opening.map_err(|trouble| self.failed(&flood.opening, player.step, trouble))?;
        let (said, dropped) = (player.outputs(), player.counters.total());
        let outcome = (0..flood.count).try_for_each(|number| player.hears((flood.make)(number)));
        let outcome = outcome.and_then(|()| player.settle());
        let step = flood.opening.steps.len();
        let fails = |trouble| Err(self.failed_flood(flood, step, trouble));
        if let Err(trouble) = outcome {
            return fails(trouble);
        }
        let came = player.outputs() - said;
        let dropped = usize::try_from(player.counters.total() - dropped).unwrap_or(usize::MAX);
        if came > flood.at_most {
            let expected = format!("at most {} messages to be kept of {}", flood.at_most, flood.count);
            return fails(Trouble::broken(Law::Bounded, expected, format!("{came} messages")));
        }
        if came.saturating_add(dropped) < flood.count as usize {
            let expected = format!("each of {} messages to come out or be counted as dropped", flood.count);
            let came = format!("{came} came out and {dropped} were counted as dropped");
            return fails(Trouble::broken(Law::NothingLost, expected, came));
        }
        Ok(())
    }

    // Telling.

    fn failed(&self, case: &Case<L::Upper, L::Lower>, step: usize, trouble: Trouble) -> Failure {
        let sentences: Vec<String> =
            case.steps.iter().take(step + 1).map(|step| self.sentence(step)).collect();
        let (steps, own) = match (&trouble.expected, sentences.split_last()) {
            (None, Some((own, before))) => (before.to_vec(), own.clone()),
            _ => (sentences, String::new()),
        };
        let own = own.strip_prefix("expected ").map(str::to_owned).unwrap_or(own);
        Failure::new(Details {
            protocol: self.suite.protocol,
            case: case.title.to_owned(),
            source: case.source,
            law: trouble.law.or(case.law),
            steps,
            expected: trouble.expected.unwrap_or(own),
            came: trouble.came,
            hint: case.hint,
        })
    }

    fn failed_flood(&self, flood: &Flood<L::Upper, L::Lower>, step: usize, trouble: Trouble) -> Failure {
        let mut steps: Vec<String> =
            flood.opening.steps.iter().take(step).map(|step| self.sentence(step)).collect();
        steps.push(format!("from {}, {} times at once: {}", self.suite.lower, flood.count, flood.sentence));
        Failure::new(Details {
            protocol: self.suite.protocol,
            case: flood.opening.title.to_owned(),
            source: flood.opening.source,
            law: trouble.law,
            steps,
            expected: trouble.expected.unwrap_or_default(),
            came: trouble.came,
            hint: flood.opening.hint,
        })
    }

    fn failed_garbage(
        &self,
        opening: &Case<L::Upper, L::Lower>,
        messages: usize,
        seed: u64,
        trouble: Trouble,
    ) -> Failure {
        let mut steps: Vec<String> = opening.steps.iter().map(|step| self.sentence(step)).collect();
        steps.push(format!("from {}: arbitrary bytes, message {messages} (seed {seed})", self.suite.lower));
        Failure::new(Details {
            protocol: self.suite.protocol,
            case: opening.title.to_owned(),
            source: opening.source,
            law: trouble.law,
            steps,
            expected: trouble.expected.unwrap_or_default(),
            came: trouble.came,
            hint: opening.hint,
        })
    }

    /// A step as a failure tells it: who does or expects what.
    fn sentence(&self, step: &Step<L::Upper, L::Lower>) -> String {
        let (upper, lower, sentence) = (self.suite.upper, self.suite.lower, &step.sentence);
        match &step.action {
            Action::Says(_) => format!("{upper} says: {sentence}"),
            Action::Hears(_) => format!("from {lower}: {sentence}"),
            Action::Wait(time) => format!("{} s pass: {sentence}", time.as_secs_f64()),
            Action::PollOnlyWhenExpected => sentence.clone(),
            Action::Outbound(..) => format!("expected for {lower}: {sentence}"),
            Action::Inbound(..) => format!("expected for {upper}: {sentence}"),
            Action::NoOutbound(None) => format!("expected for {lower} nothing more: {sentence}"),
            Action::NoOutbound(Some(_)) => format!("expected for {lower} no such thing: {sentence}"),
            Action::NoInbound(None) => format!("expected for {upper} nothing more: {sentence}"),
            Action::NoInbound(Some(_)) => format!("expected for {upper} no such thing: {sentence}"),
            Action::Drop(_) => format!("expected a counted drop: {sentence}"),
        }
    }
}

fn same(one: Option<&Said>, other: Option<&Said>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.at == other.at && one.told == other.told && one.bytes == other.bytes,
        (None, None) => true,
        _ => false,
    }
}

/// A message for people; where it differs from `other` only in its bytes, the first that differs.
fn told(said: Option<&Said>, other: Option<&Said>) -> String {
    let Some(said) = said else { return "nothing".to_owned() };
    let text = format!("{} at {}", said.told, said.at);
    let differs = other.filter(|other| other.told == said.told && other.bytes != said.bytes);
    match differs {
        Some(other) => {
            let at = said.bytes.iter().zip(&other.bytes).take_while(|(a, b)| a == b).count();
            format!("{text}, but byte {at} differs")
        }
        None => text,
    }
}

fn described(manner: Manner) -> &'static str {
    match manner {
        Manner::Plain => "run again, alike in everything",
        Manner::Watched => "run again, watched",
        Manner::EarlyTimeouts => "run again with handle_timeout called when nothing was due",
        Manner::Stepping => "run again, stepping",
        Manner::Damaged(_) => "run again with damaged messages from below",
    }
}
