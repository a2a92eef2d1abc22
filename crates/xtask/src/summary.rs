//! The steps of a run, told as they begin and once more at the end.

use crate::tally::Tally;
use crate::tool;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

/// What one step came to.
struct Step {
    name: String,
    took: Duration,
    passed: usize,
    skipped: usize,
    /// What failed, each in a line of its own.
    failures: Vec<String>,
}

/// Every step of a run, in order.
pub(crate) struct Summary {
    steps: Vec<Step>,
    skips: Vec<String>,
    /// Whether a test that cannot run here is a failure.
    no_skips: bool,
}

/// How one check of a step that makes several came out.
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl Summary {
    pub(crate) fn new(no_skips: bool) -> Self {
        Summary { steps: Vec::new(), skips: Vec::new(), no_skips }
    }

    /// Runs a program that passes or fails as a whole.
    pub(crate) fn check(&mut self, name: &str, command: &mut Command) {
        let started = headline(name);
        let failures = ran(name, tool::stream(command, |_| ()).map(|status| status.success()));
        self.finish(Step { name: name.into(), took: started.elapsed(), passed: 0, skipped: 0, failures });
    }

    /// Runs a program that runs tests, and counts them.
    pub(crate) fn tests(&mut self, name: &str, command: &mut Command) {
        let started = headline(name);
        let mut tally = Tally::default();
        let status = tool::stream(command, |line| tally.read(line));
        let mut failures = std::mem::take(&mut tally.failures);
        if failures.is_empty() {
            failures = ran(name, status.map(|status| status.success()));
        }
        failures.resize(failures.len().max(tally.failed), format!("{name}: a test whose name was not seen"));
        self.finish(Step {
            name: name.into(),
            took: started.elapsed(),
            passed: tally.really_passed(),
            skipped: tally.skips.len() + tally.ignored,
            failures,
        });
        self.skips.append(&mut tally.skips);
    }

    /// Runs checks of our own, each of them counted as a test; `report` is called with each.
    pub(crate) fn checks(
        &mut self,
        name: &str,
        body: impl FnOnce(&mut dyn FnMut(&str, Outcome)) -> io::Result<()>,
    ) {
        let started = headline(name);
        let (mut passed, mut skips, mut failures) = (0, Vec::new(), Vec::new());
        let done = body(&mut |check, outcome| match outcome {
            Outcome::Passed => {
                println!("ok       {check}");
                passed += 1;
            }
            Outcome::Failed(why) => {
                println!("FAILED   {check}\n{why}");
                failures.push(format!("{name}: {check}"));
            }
            Outcome::Skipped(why) => {
                println!("SKIPPED  {check}: {why}");
                skips.push(format!("SKIPPED {check}: {why}"));
            }
        });
        failures.extend(ran(name, done.map(|()| true)));
        self.finish(Step {
            name: name.into(),
            took: started.elapsed(),
            passed,
            skipped: skips.len(),
            failures,
        });
        self.skips.append(&mut skips);
    }

    fn finish(&mut self, step: Step) {
        let verdict = if step.failures.is_empty() { "passed" } else { "FAILED" };
        println!("== {}: {verdict} in {}", step.name, seconds(step.took));
        self.steps.push(step);
    }

    /// Prints the table, what failed and what was skipped; says whether everything held.
    pub(crate) fn conclude(mut self) -> bool {
        if self.no_skips {
            self.steps.extend(self.skips_as_failures());
        }
        println!("\n{}", self.table());
        for skip in &self.skips {
            println!("{skip}");
        }
        let failures: Vec<_> = self.steps.iter().flat_map(|step| &step.failures).collect();
        for failure in &failures {
            println!("FAILED {failure}");
        }
        println!("{}", self.last_line());
        failures.is_empty()
    }

    fn skips_as_failures(&self) -> Option<Step> {
        let failures = self.skips.iter().map(|skip| format!("must not be skipped here: {skip}")).collect();
        let name = "no test skipped".to_owned();
        (!self.skips.is_empty()).then_some(Step {
            name,
            took: Duration::ZERO,
            passed: 0,
            skipped: 0,
            failures,
        })
    }

    fn table(&self) -> String {
        let mut table =
            format!("{:<34} {:>8} {:>7} {:>7} {:>8}", "step", "time", "passed", "failed", "skipped");
        for Step { name, took, passed, skipped, failures } in &self.steps {
            let (took, failed) = (seconds(*took), failures.len());
            table += &format!("\n{name:<34} {took:>8} {passed:>7} {failed:>7} {skipped:>8}");
        }
        table
    }

    fn last_line(&self) -> String {
        let sum = |count: fn(&Step) -> usize| self.steps.iter().map(count).sum::<usize>();
        let (passed, failed) = (sum(|step| step.passed), sum(|step| step.failures.len()));
        format!("{passed} passed, {failed} failed, {} skipped", sum(|step| step.skipped))
    }
}

fn headline(name: &str) -> Instant {
    println!("\n== {name}");
    Instant::now()
}

/// The failure of a step as a whole, where it failed or could not be run.
fn ran(name: &str, success: io::Result<bool>) -> Vec<String> {
    match success {
        Ok(true) => Vec::new(),
        Ok(false) => vec![name.to_owned()],
        Err(error) => vec![format!("{name}: cannot be run: {error}")],
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_last_line_counts_tests_and_failed_steps() {
        let mut summary = Summary::new(false);
        summary.check("fmt", &mut shell("false"));
        summary.tests("tests", &mut shell("echo 'test result: ok. 4 passed; 0 failed; 1 ignored'"));
        summary.checks("examples", |report| {
            report("fetch", Outcome::Passed);
            report("tap", Outcome::Skipped("no TAP".into()));
            Ok(())
        });
        assert_eq!(summary.last_line(), "5 passed, 1 failed, 2 skipped");
        assert!(!summary.conclude());
    }

    #[test]
    fn a_skip_fails_only_where_it_must_not_happen() {
        for (no_skips, held) in [(false, true), (true, false)] {
            let mut summary = Summary::new(no_skips);
            summary.tests(
                "tests",
                &mut shell("echo SKIPPED x: no TAP; echo 'test result: ok. 1 passed; 0 failed'"),
            );
            assert_eq!(summary.conclude(), held, "no_skips: {no_skips}");
        }
    }

    #[test]
    fn tests_that_do_not_compile_are_one_failure() {
        let mut summary = Summary::new(false);
        summary.tests("tests", &mut shell("exit 101"));
        assert_eq!(summary.last_line(), "0 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn a_missing_program_is_a_failure() {
        let mut summary = Summary::new(false);
        summary.check("nothing", &mut Command::new("/nonexistent/program"));
        assert!(!summary.conclude());
    }
}
