//! Chromium without a window, which believes one authority more than the system does.

use crate::place::Place;
use crate::process::finish;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// It starts within a second or two; a loaded machine may take longer.
const LIMIT: Duration = Duration::from_secs(90);

/// A Chromium with a home of its own, in which its certificate store lies.
pub struct Chromium<'p, P: Place> {
    place: &'p P,
    home: TempDir,
}

impl<'p, P: Place> Chromium<'p, P> {
    /// A Chromium at a place, that trusts whom the system trusts.
    ///
    /// # Panics
    ///
    /// Where its store can't be made.
    #[track_caller]
    pub fn new(place: &'p P) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let chromium = Chromium { place, home };
        fs::create_dir_all(chromium.store()).expect("the temporary folder can be written to");
        chromium.certutil(&["-N", "--empty-password"]);
        chromium
    }

    /// Puts an authority into its store, as one that may vouch for servers.
    ///
    /// # Panics
    ///
    /// Where certutil refuses.
    #[track_caller]
    pub fn trusting(self, authority: &Path) -> Self {
        // Without a file for the password it would wait for one for ever.
        let password = self.home.path().join("password");
        fs::write(&password, "").expect("the temporary folder can be written to");
        let arguments = ["-A", "-t", "C,,", "-n", "lab", "-i", text(authority), "-f", text(&password)];
        self.certutil(&arguments);
        self
    }

    /// The page at `url` as it stands when all is loaded; `shop.test` is at `address`.
    ///
    /// # Panics
    ///
    /// Where Chromium hangs.
    #[track_caller]
    pub fn page(&self, url: &str, address: &str) -> String {
        finish(self.command(address).args(["--dump-dom", url]), LIMIT).successful().text()
    }

    /// A picture of the page at `url`, as PNG.
    ///
    /// # Panics
    ///
    /// Where Chromium hangs, or makes none.
    #[track_caller]
    pub fn picture(&self, url: &str, address: &str) -> Vec<u8> {
        let file = self.home.path().join("picture.png");
        let option = format!("--screenshot={}", file.display());
        finish(self.command(address).args([&option, "--window-size=800,600", url]), LIMIT).successful();
        fs::read(&file).expect("Chromium has taken a picture")
    }

    pub(super) fn place(&self) -> &P {
        self.place
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, address: &str) -> Command {
        let mut command = self.place.command("chromium");
        command.env("HOME", self.home.path());
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]);
        command.args(["--disable-background-networking", "--disable-component-update"]);
        command.arg(format!("--user-data-dir={}", self.home.path().join("profile").display()));
        command.arg(format!("--host-resolver-rules=MAP shop.test {address}"));
        command
    }

    fn store(&self) -> PathBuf {
        self.home.path().join(".pki/nssdb")
    }

    #[track_caller]
    fn certutil(&self, arguments: &[&str]) {
        let mut command = self.place.command("certutil");
        command.arg("-d").arg(format!("sql:{}", self.store().display())).args(arguments);
        finish(&mut command, LIMIT).successful();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}
