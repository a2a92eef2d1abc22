//! A visitor's way through the shop, in Chromium: `tests/journey`, driven by playwright.

use crate::peers::Chromium;
use crate::place::Place;
use crate::process::{Finished, finish};
use crate::skip::skip_because;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// It takes seconds; a loaded machine may take longer.
const LIMIT: Duration = Duration::from_secs(240);

impl<P: Place> Chromium<'_, P> {
    /// Goes through the shop at `origin`, whose name is at `address`, and leaves a picture of each step in `pictures`.
    ///
    /// # Panics
    ///
    /// Where it hangs.
    #[track_caller]
    pub fn journey(&self, origin: &str, address: &str, pictures: Option<&Path>) -> Finished {
        let folder = folder();
        if !folder.join("node_modules/playwright-core").is_dir() {
            skip_because(format!("playwright is not installed: npm ci --prefix {}", folder.display()));
        }
        let mut command = self.place().command("node");
        command.arg(folder.join("journey.mjs")).args([origin, "--address", address]);
        command.arg("--browser").arg(self.place().command("chromium").get_program());
        if let Some(pictures) = pictures {
            command.arg("--pictures").arg(pictures);
        }
        // Where its certificate store is.
        finish(command.env("HOME", self.home()), LIMIT)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("journey")
}
