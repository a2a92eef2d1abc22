//! The ways in: a page of the world inside this program, fetched for it, and captures of anybody's.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use framewise::ServeError;
use framewise::http::{Url, UrlError};
use framewise::world::{WorldError, is_here, means_a_file};
use framewise_trace::dissect::Limits;
use framewise_trace::{Dissection, ReadError};

use crate::run::{Host, Run};

/// What may be asked of a run, or of a capture.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Everything random follows from this number.
    pub seed: Option<u64>,
    /// How much of what crosses my wire is lost, from 0 to 1.
    pub loss: f64,
    /// The frame that is lost, numbered as in the walk.
    pub drop: Option<usize>,
    /// The frame of which a bit is flipped.
    pub flip: Option<usize>,
    /// The only version of TLS that is spoken.
    pub tls: Option<Tls>,
    /// Secrets for a capture.
    pub keylog: Option<PathBuf>,
}

impl Options {
    /// An option that was given and means nothing for a capture.
    fn for_a_run(&self) -> Option<&'static str> {
        let given = [
            ("--seed", self.seed.is_some()),
            ("--loss", self.loss > 0.0),
            ("--drop", self.drop.is_some()),
            ("--flip", self.flip.is_some()),
            ("--tls", self.tls.is_some()),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS 1.2 (RFC 5246).
    V12,
    /// TLS 1.3 (RFC 8446).
    V13,
}

/// What is stepped through.
#[derive(Debug)]
pub struct Opened {
    /// As it was asked for.
    pub what: String,
    /// Taken apart.
    pub dissection: Dissection,
    /// Whose frames these are; of a capture nobody asks.
    pub host: Host,
    /// The run, if it is one of our own that can be run again.
    pub run: Option<Run>,
    /// When the first frame was seen, in a run by who asked for the page: times are told since then, at both of its hosts.
    pub began: Option<Duration>,
}

impl Opened {
    /// Of what was seen of it first; of a run, by who asked for the page.
    pub(crate) fn new(what: &str, dissection: Dissection, run: Option<Run>) -> Self {
        let began = dissection.began();
        Opened { what: what.to_owned(), dissection, host: Host::Me, run, began }
    }
}

/// Why there is nothing to step through.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is neither a file nor a URL.
    #[error("{what} is no file that is there, and no URL: {source}")]
    Neither {
        /// What was asked for.
        what: String,
        /// Why it is no URL.
        source: UrlError,
    },
    /// A capture of that name is not there.
    #[error("{what} is not there; framewise fetch https://shop.test/ -w {what} makes one")]
    Missing {
        /// What was asked for.
        what: String,
    },
    /// It is a folder.
    #[error("{what} is a folder, and no capture file")]
    Folder {
        /// What was asked for.
        what: String,
    },
    /// What was asked for can be done to runs of our own only.
    #[error("{option} is for a URL of the world inside this program: a capture is as it was")]
    NotForCaptures {
        /// Which option.
        option: &'static str,
    },
    /// The page is in the real world.
    #[error(
        "{what} is {}in the real world, where no two runs are alike; record it first: framewise fetch {what} -w run.pcapng --capture-secrets",
        as_a_page(what)
    )]
    Real {
        /// What was asked for.
        what: String,
    },
    /// A file can't be read.
    #[error("{} can't be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no capture.
    #[error("{} is no capture that is known here: {source}", path.display())]
    Capture {
        /// Which.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// The frame that something was to be done to is not there.
    #[error("there is no frame {wanted}: this run takes frames 1 to {last}")]
    NoSuchFrame {
        /// Which was asked for.
        wanted: usize,
        /// Which is the last.
        last: usize,
    },
    /// The world could not be made.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Its server does not serve.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// What could have been a file's name.
fn as_a_page(what: &str) -> &'static str {
    if what.contains("://") { "" } else { "no file that is there, and as a page " }
}

/// Opens a capture file, or fetches a URL of the world inside this program.
///
/// A fetch that fails is no error: what there is of it can be stepped through.
///
/// # Errors
/// It is none of both, or a file can't be read.
pub fn open(what: &str, options: &Options) -> Result<Opened, OpenError> {
    let path = Path::new(what);
    if path.is_file() {
        if let Some(option) = options.for_a_run() {
            return Err(OpenError::NotForCaptures { option });
        }
        let dissection = capture(path, options.keylog.as_deref())?;
        return Ok(Opened::new(what, dissection, None));
    }
    if path.is_dir() {
        return Err(OpenError::Folder { what: what.to_owned() });
    }
    if means_a_file(what) {
        return Err(OpenError::Missing { what: what.to_owned() });
    }
    let url = Url::parse(what).map_err(|source| OpenError::Neither { what: what.to_owned(), source })?;
    if !is_here(&url) {
        return Err(OpenError::Real { what: what.to_owned() });
    }
    let run = Run::of(what, options)?;
    Ok(Opened::new(what, run.dissected(Host::Me)?, Some(run)))
}

fn capture(path: &Path, keylog: Option<&Path>) -> Result<Dissection, OpenError> {
    let unreadable = |path: &Path, source| OpenError::File { path: path.to_owned(), source };
    let secrets = match keylog {
        Some(path) => std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?,
        None => String::new(),
    };
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    Dissection::of_capture(BufReader::new(file), &secrets, Limits::default())
        .map_err(|source| OpenError::Capture { path: path.to_owned(), source })
}
