//! `--cookie` and `--cookie-jar`: which cookies are sent, and where they are kept.

use framewise::core::Instant;
use framewise::{CookieJar, Fetch, SharedJar};

use crate::args;
use crate::exit::{Failure, Kind};
use crate::request::has_control;
use crate::upload::read;

/// The cookies of a run.
pub(crate) struct Cookies {
    /// Those of files, and those that servers set; `None` where none of them counts.
    jar: Option<SharedJar>,
    /// Those of the command line.
    given: Vec<String>,
}

impl Cookies {
    /// What the command line says, for a run whose clock begins at this second since 1970.
    pub(crate) fn of(args: &args::Http, epoch: u64) -> Result<Self, Failure> {
        let (given, files): (Vec<_>, Vec<_>) =
            args.cookies.iter().cloned().partition(|cookie| cookie.contains('='));
        if let Some(cookie) = given.iter().find(|cookie| has_control(cookie)) {
            let sentence = format!("{cookie:?} is no cookie: it has a control character in it");
            return Err(Failure::new(Kind::Usage, sentence).next("-b NAME=VALUE"));
        }
        // An empty name is no file: it asks for a jar alone.
        let is_wanted = args.cookie_jar.is_some() || !files.is_empty();
        let mut jar = CookieJar::starting_at(epoch);
        for file in files.iter().filter(|file| !file.is_empty()) {
            let text = String::from_utf8_lossy(&read(file.as_ref())?).into_owned();
            jar.read(&text, Instant::ZERO).map_err(|error| {
                Failure::new(Kind::File, format!("{file}: {error}"))
                    .next("-b NAME=VALUE for a cookie itself, or -b FILE for what -c FILE wrote")
            })?;
        }
        Ok(Cookies { jar: is_wanted.then(|| jar.shared()), given })
    }

    /// Lets a fetch use them.
    pub(crate) fn sent_with(&self, fetch: Fetch) -> Fetch {
        let fetch = self.given.iter().fold(fetch, |fetch, cookie| fetch.header("Cookie", cookie.as_str()));
        match &self.jar {
            Some(jar) => fetch.cookies(jar.clone()),
            None => fetch,
        }
    }

    /// The same, of which a run that is only tried changes nothing.
    pub(crate) fn apart(&self) -> Self {
        let jar = self.jar.as_ref().map(|jar| jar.borrow().clone().shared());
        Cookies { jar, given: self.given.clone() }
    }

    /// All that is in the jar at the end of a run, as a file.
    pub(crate) fn written(&self, now: Instant) -> String {
        self.jar.as_ref().map(|jar| jar.borrow().written(now)).unwrap_or_default()
    }
}
