//! The ways in: a page of the world inside this program, fetched for it, and captures of anybody's.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use framewise::core::Direction;
use framewise::device::switch::PortId;
use framewise::device::{ImpairmentConfig, Intervention};
use framewise::http::{Url, UrlError};
use framewise::tls::Versions;
use framewise::world::{World, WorldConfig, WorldError};
use framewise::{Fetch, ServeError};
use framewise_trace::dissect::Limits;
use framewise_trace::{Dissection, ReadError, Recorder, Trace};

/// The name of this side in traces.
const ME: &str = "me";
/// How long the last words may take: what is left to be acknowledged or closed.
const LINGER: Duration = Duration::from_millis(200);

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
    /// Frames to which something was done on the way, and by which option.
    pub flaws: Vec<(usize, &'static str)>,
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
    /// What was asked for can be done to runs of our own only.
    #[error("{option} is for a URL of the world inside this program: a capture is as it was")]
    NotForCaptures {
        /// Which option.
        option: &'static str,
    },
    /// The page is in the real world.
    #[error(
        "{0} is in the real world, where no two runs are alike; record it first: framewise fetch {0} -w run.pcapng --capture-secrets"
    )]
    Real(String),
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
        return Ok(Opened { what: what.to_owned(), dissection, flaws: Vec::new() });
    }
    let looks_like_a_file = ["pcap", "pcapng", "cap"].iter().any(|end| what.ends_with(&format!(".{end}")));
    if looks_like_a_file && !what.contains("://") {
        return Err(OpenError::Missing { what: what.to_owned() });
    }
    let url = Url::parse(what).map_err(|source| OpenError::Neither { what: what.to_owned(), source })?;
    if is_real(&url) {
        return Err(OpenError::Real(what.to_owned()));
    }
    let asked = [("--drop", options.drop), ("--flip", options.flip)];
    let flaws = asked.into_iter().filter_map(|(option, frame)| Some((frame?, option))).collect();
    let trace = run(what, options)?;
    Ok(Opened {
        what: what.to_owned(),
        dissection: Dissection::of_trace(&trace, ME, Limits::default()),
        flaws,
    })
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

/// Names below .test and addresses kept for documentation are in the world inside this program.
fn is_real(url: &Url) -> bool {
    match url.address() {
        Some(IpAddr::V4(address)) => !address.is_documentation(),
        Some(IpAddr::V6(address)) => !matches!(address.segments(), [0x2001, 0xdb8, ..]),
        None => {
            let name = url.host().trim_end_matches('.');
            name != "test" && !name.ends_with(".test")
        }
    }
}

/// Fetches, with what is to go wrong. Which way a frame goes is found by running without the flaw first: the same seed gives
/// the same frames.
fn run(url: &str, options: &Options) -> Result<Trace, OpenError> {
    let flaws: Vec<_> = [(options.drop, false), (options.flip, true)]
        .into_iter()
        .filter_map(|(frame, is_flip)| Some((frame?, is_flip)))
        .collect();
    let mut world = world(options)?;
    if !flaws.is_empty() {
        let before = [PortId(0), PortId(1)].map(|port| world.runner.wire_mut(world.near).counters(port).sent);
        let healthy = recorded(&mut self::world(options)?, url);
        let frames: Vec<_> = healthy.frames(ME).collect();
        for (wanted, is_flip) in flaws {
            let until = frames.get(..wanted).filter(|until| !until.is_empty());
            let Some((until, frame)) = until.and_then(|until| Some((until, until.last()?))) else {
                return Err(OpenError::NoSuchFrame { wanted, last: frames.len() });
            };
            let number = until.iter().filter(|other| other.direction == frame.direction).count() as u64;
            let (port, sent) = match frame.direction {
                Direction::Outbound => (PortId(0), before[0]),
                Direction::Inbound => (PortId(1), before[1]),
            };
            // The last bit: of the payload, where the frame has one.
            let last_bit = (frame.range.len() * 8).saturating_sub(1);
            let flaw = if is_flip { Intervention::FlipBit(last_bit) } else { Intervention::Drop };
            world.runner.wire_mut(world.near).script(port, sent + number, flaw);
        }
    }
    Ok(recorded(&mut world, url))
}

/// The world for these options, with its site.
fn world(options: &Options) -> Result<World, OpenError> {
    let defaults = WorldConfig::default();
    let mut world = World::with(&WorldConfig {
        seed: options.seed.unwrap_or(1),
        impairment: ImpairmentConfig { loss: options.loss, ..ImpairmentConfig::default() },
        tls_versions: match options.tls {
            None => Versions::Both,
            Some(Tls::V12) => Versions::Only12,
            Some(Tls::V13) => Versions::Only13,
        },
        ..defaults
    })?;
    let site = Arc::new(framewise_site::builtin());
    let mut server = world.runner.host(world.server);
    server.return_page(80, site.clone())?;
    server.return_page_secure(443, site)?;
    Ok(world)
}

/// The recording of a fetch, whatever comes of it.
fn recorded(world: &mut World, url: &str) -> Trace {
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    world.runner.observe(recorder.clone());
    // How it ended is in the frames.
    let _ = world.runner.host(world.me).fetch(Fetch::get(url));
    let _ = world.runner.run_for(LINGER);
    recorder.take().into_trace()
}
