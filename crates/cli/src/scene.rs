//! Where a fetch takes place, and what its hosts are called.

use std::time::Duration;

use framewise::http::Url;

use crate::output::printable;

/// The name of this side in traces.
pub(crate) const ME: &str = "me";

/// Where a fetch takes place.
pub(crate) struct Scene {
    /// What was asked for, as it was typed, but for what would command a terminal.
    pub(crate) url: String,
    tap: Option<(String, String)>,
    epoch: Duration,
}

impl Scene {
    /// Inside this program.
    pub(crate) fn memory(url: &str) -> Self {
        Scene { url: printable(url), tap: None, epoch: Duration::from_secs(framewise::world::EPOCH) }
    }

    /// On a TAP device; `names` says who turned names into addresses, and `epoch` when the run began.
    pub(crate) fn tap(url: &str, tap: &str, names: String, epoch: Duration) -> Self {
        Scene { url: printable(url), tap: Some((tap.to_owned(), names)), epoch }
    }

    /// What the URL calls the server.
    pub(crate) fn peer(&self) -> String {
        Url::parse(&self.url).map_or_else(|_| "the server".to_owned(), |url| url.host().to_owned())
    }

    /// Whether both hosts are inside this program.
    pub(crate) fn is_memory(&self) -> bool {
        self.tap.is_none()
    }

    /// The other host, where it is in the same trace.
    pub(crate) fn server(&self) -> Option<&'static str> {
        self.tap.is_none().then_some(framewise::world::SERVER)
    }

    /// When the run began, since 1970.
    pub(crate) fn epoch(&self) -> Duration {
        self.epoch
    }

    /// What the walk begins with.
    pub(crate) fn headline(&self) -> String {
        match &self.tap {
            None => "Asked for one page, inside this program: no root, no real network.".to_owned(),
            Some((tap, names)) => format!(
                "Asked for one page over {tap}: our own layers, down to its frames.\nNames are known from {names}."
            ),
        }
    }
}
