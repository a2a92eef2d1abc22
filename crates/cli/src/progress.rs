//! A bar for pages that take a while, on standard error, for people only.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Below this a page is there before a bar could be read.
const WORTHWHILE: u64 = 256 << 10;

/// How much of a page has come.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar, where someone looks at standard error.
    pub(crate) fn for_people() -> Option<Self> {
        std::io::stderr().is_terminal().then(|| Progress { bar: ProgressBar::hidden() })
    }

    /// The page will have this many bytes.
    pub(crate) fn expect(&mut self, bytes: u64) {
        if bytes < WORTHWHILE {
            return;
        }
        self.bar.set_length(bytes);
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.enable_steady_tick(Duration::from_millis(200));
        if let Ok(style) =
            ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        {
            self.bar.set_style(style);
        }
    }

    /// Some of it came.
    pub(crate) fn came(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

/// How many steps of known number are done, on standard error, for people only.
pub(crate) struct Steps {
    bar: ProgressBar,
}

impl Steps {
    /// A bar for so many steps, where someone looks at standard error.
    pub(crate) fn for_people(steps: usize) -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new(steps as u64),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len}: {msg}") {
            bar.set_style(style);
        }
        Steps { bar }
    }

    /// The next step begins.
    pub(crate) fn next(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
        self.bar.inc(1);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
