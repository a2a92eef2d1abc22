//! Counting tests: what cargo's test runner prints, read line by line.

/// What a step's output said about tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed, those included that said they were skipped.
    pub(crate) passed: usize,
    /// Tests that failed.
    pub(crate) failed: usize,
    /// Tests marked `#[ignore]`.
    pub(crate) ignored: usize,
    /// The names of those that failed.
    pub(crate) failures: Vec<String>,
    /// The lines in which tests said that they were skipped, and why.
    pub(crate) skips: Vec<String>,
}

impl Tally {
    /// Takes one line of output into account.
    ///
    /// A test says that it is skipped by a line that begins with `SKIPPED`; libtest knows no such
    /// verdict made at run time and counts the test as passed.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += count_of(counts, "passed");
            self.failed += count_of(counts, "failed");
            self.ignored += count_of(counts, "ignored");
        } else if let Some(name) = failed_name(line) {
            self.failures.push(name.to_owned());
        } else if line.starts_with("SKIPPED") {
            self.skips.push(line.to_owned());
        }
    }

    /// Tests that ran and passed.
    pub(crate) fn really_passed(&self) -> usize {
        self.passed.saturating_sub(self.skips.len())
    }
}

/// The number before `word`, as in `ok. 3 passed; 0 failed; …`.
fn count_of(counts: &str, word: &str) -> usize {
    let before = |part: &str| part.trim_end().strip_suffix(word)?.split_whitespace().last()?.parse().ok();
    counts.split(';').find_map(before).unwrap_or(0)
}

/// The name in `test NAME ... FAILED`.
fn failed_name(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn adds_up_the_results_of_several_binaries() {
        let read = tally(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             noise\n\
             test result: ok. 14 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        assert_eq!(read, Tally { passed: 17, ignored: 1, ..Tally::default() });
    }

    #[test]
    fn names_what_failed() {
        let read = tally(
            "test arp::resolves ... FAILED\ntest arp::expires ... ok\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        assert_eq!((read.passed, read.failed), (1, 1));
        assert_eq!(read.failures, ["arp::resolves"]);
    }

    #[test]
    fn a_skip_is_not_a_pass() {
        let read = tally(
            "SKIPPED over_a_tap: /dev/net/tun cannot be opened\n\
             test over_a_tap ... ok\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        assert_eq!(read.really_passed(), 1);
        assert_eq!(read.skips, ["SKIPPED over_a_tap: /dev/net/tun cannot be opened"]);
    }

    #[test]
    fn results_quoted_by_a_test_are_not_counted() {
        assert_eq!(tally("| test result: ok. 3 passed; 0 failed"), Tally::default());
        assert_eq!(tally("the test result: none"), Tally::default());
        assert_eq!(tally("a word SKIPPED in a sentence"), Tally::default());
    }
}
