//! Where a fetch takes place, and what its hosts are called.

use framewise_trace::words::printable;
use std::time::Duration;

use framewise::http::Url;

/// The name of this side in traces.
pub(crate) const ME: &str = "me";

/// Where a fetch takes place.
pub(crate) struct Scene {
    /// What was asked for, as it was typed, but for a user and what would command a terminal.
    pub(crate) url: String,
    /// Whether more than a URL was said.
    pub(crate) has_options: bool,
    /// Whether a frame was damaged or lost on request: then others have other numbers than without.
    pub(crate) is_flawed: bool,
    place: Place,
    epoch: Duration,
}

/// Where frames come to an end.
enum Place {
    /// At another host inside this program.
    Memory,
    /// At whoever is on this device; these turned names into addresses.
    Tap { name: String, names: Option<String> },
    /// At the gateway inside this program.
    Gateway,
}

impl Scene {
    /// Inside this program; `has_options` says whether more than a URL was said, `is_flawed` whether a frame was to be harmed.
    pub(crate) fn memory(url: &str, has_options: bool, is_flawed: bool) -> Self {
        let epoch = Duration::from_secs(framewise::world::EPOCH);
        Scene { url: shown(url), has_options, is_flawed, place: Place::Memory, epoch }
    }

    /// On a TAP device; `names` says who turned the name into addresses, if there was one, and `epoch` when the run began.
    pub(crate) fn tap(url: &str, tap: &str, names: Option<String>, epoch: Duration) -> Self {
        let place = Place::Tap { name: tap.to_owned(), names };
        Scene { url: shown(url), has_options: true, is_flawed: false, place, epoch }
    }

    /// Behind the gateway; `epoch` says when the run began.
    pub(crate) fn gateway(url: &str, epoch: Duration) -> Self {
        Scene { url: shown(url), has_options: true, is_flawed: false, place: Place::Gateway, epoch }
    }

    /// Whether both hosts are inside this program.
    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.place, Place::Memory)
    }

    /// Whether frames end at the gateway.
    pub(crate) fn is_gateway(&self) -> bool {
        matches!(self.place, Place::Gateway)
    }

    /// The other host, where it is in the same trace.
    pub(crate) fn server(&self) -> Option<&'static str> {
        self.is_memory().then_some(framewise::world::SERVER)
    }

    /// When the run began, since 1970.
    pub(crate) fn epoch(&self) -> Duration {
        self.epoch
    }

    /// What the walk begins with.
    pub(crate) fn headline(&self) -> String {
        match &self.place {
            Place::Memory => "Asked for one page, inside this program: no root, no real network.".to_owned(),
            Place::Gateway => {
                "Asked for one real page, by our own layers down to the frames: no root.".to_owned()
            }
            Place::Tap { name, names } => {
                let names = names.as_ref().map(|names| format!("\nNames are known from {names}."));
                format!(
                    "Asked for one page over {name}: our own layers, down to its frames.{}",
                    names.unwrap_or_default()
                )
            }
        }
    }
}

/// A URL without the user before its host: a password is nobody else's affair.
fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) if url.user().is_some() => url.without_user().to_string(),
        _ => printable(url),
    }
}

/// What a URL calls the server.
pub(crate) fn peer(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "the server".to_owned(), |url| url.host().to_owned())
}
