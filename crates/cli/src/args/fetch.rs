//! What `framewise fetch` is told.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum, ValueHint};
use framewise::tls::Versions;

use super::{Http, TapHost, seconds};

/// Fetch a page.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("recording").args(["capture", "trace"]).multiple(true))]
pub(crate) struct Fetch {
    /// What to fetch. What lacks `://` is completed with `http://`.
    #[arg(value_hint = ValueHint::Url)]
    pub(crate) url: String,

    /// Say only what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Print the page's facts and the walk as JSON on standard output, instead of both; with --quiet the facts alone, for
    /// which nothing is recorded, however large the page is.
    #[arg(long, conflicts_with_all = ["include", "head"])]
    pub(crate) json: bool,

    /// Show what each layer costs, by the time inside it, instead of the walk.
    #[arg(long)]
    pub(crate) cost: bool,

    /// Say at the end what was dropped, by host, layer and reason; `framewise stats` tells what each means.
    #[arg(long)]
    pub(crate) stats: bool,

    /// Write the page to this file.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Print the head of the response before the page.
    #[arg(short, long)]
    pub(crate) include: bool,

    /// How long name, TCP and TLS may take together, in seconds; for each request, if there are several.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) connect_timeout: Option<Duration>,

    /// How long all of it may take, in seconds, redirects and retries included.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) max_time: Option<Duration>,

    /// Try IPv6 first.
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,

    /// Write every frame of this side to a capture file that Wireshark reads; `-` is standard output, in the page's place.
    #[arg(short = 'w', long = "capture", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) capture: Option<PathBuf>,

    /// Write every crossing of every seam of this side to a file, while it happens: a capture that Wireshark reads, too, with what
    /// each layer handed on, refused and noted between its frames. `step`, `explain` and `figure` read it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) trace: Option<PathBuf>,

    /// Put the TLS secrets into the capture and the trace on a device, too (in memory they are in it): who has it can read
    /// everything.
    #[arg(long, requires = "recording")]
    pub(crate) capture_secrets: bool,

    /// Keep super-frames whole in the capture, instead of the frames on the wire that they stand for (see --offload).
    #[arg(long, requires = "capture")]
    pub(crate) capture_super: bool,

    /// Never use colour. (`NO_COLOR` in the environment does the same.)
    #[arg(long)]
    pub(crate) no_color: bool,

    /// Go through the gateway to the real network even for what would be in the world inside this program.
    #[arg(long, conflicts_with = "device")]
    pub(crate) outside: bool,

    #[command(flatten)]
    pub(crate) http: Http,

    #[command(flatten)]
    pub(crate) tls: ClientTls,

    #[command(flatten)]
    pub(crate) memory: Memory,

    #[command(flatten)]
    pub(crate) tap: FetchTap,
}

/// Whom to believe.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct ClientTls {
    /// Trust the certificates in this file (PEM) instead of the system's. (In memory the lab's own authority is trusted.)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) cacert: Option<PathBuf>,

    /// Don't check the server's certificate: anybody in between can pretend to be the server.
    #[arg(long)]
    pub(crate) insecure: bool,

    /// The only version of TLS to speak.
    #[arg(long, value_name = "VERSION")]
    pub(crate) tls: Option<TlsVersion>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[value(name = "1.2")]
    V12,
    /// TLS 1.3 (RFC 8446).
    #[value(name = "1.3")]
    V13,
}

impl ClientTls {
    /// The versions to speak.
    pub(crate) fn versions(&self) -> Versions {
        match self.tls {
            None => Versions::Both,
            Some(TlsVersion::V12) => Versions::Only12,
            Some(TlsVersion::V13) => Versions::Only13,
        }
    }
}

/// The wire in memory. On the way to the gateway, too, things go wrong as asked for; but time is real there, and no run is
/// like another.
#[derive(Debug, Args)]
#[command(next_help_heading = "In memory")]
pub(crate) struct Memory {
    /// Everything random follows from this number: the same seed, the same bytes. 1 if not given.
    #[arg(long, value_name = "NUMBER", value_parser = whole, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) seed: Option<u64>,

    /// How many frames of 100 are lost on my wire.
    #[arg(long, value_name = "PERCENT", value_parser = percent, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) loss: Option<f64>,

    /// How many of 100 arrive twice.
    #[arg(long, value_name = "PERCENT", value_parser = percent, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) duplicate: Option<f64>,

    /// How many of 100 are overtaken by later ones.
    #[arg(long, value_name = "PERCENT", value_parser = percent, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) reorder: Option<f64>,

    /// How many of 100 have one bit flipped on the way.
    #[arg(long, value_name = "PERCENT", value_parser = percent, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) corrupt: Option<f64>,

    /// How long a frame takes to the router, in milliseconds.
    #[arg(long, value_name = "MS", value_parser = whole, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) delay: Option<u64>,

    /// How many kilobits per second my wire carries.
    #[arg(long, value_name = "KBIT", value_parser = counted, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) rate: Option<u64>,

    /// Flip a bit in the payload of this frame on my wire, from me or to me (numbered as in the walk).
    #[arg(long, value_name = "FRAME", value_parser = counted, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) flip: Option<u64>,

    /// Lose this frame on my wire, from me or to me (numbered as in the walk).
    #[arg(long, value_name = "FRAME", value_parser = counted, allow_negative_numbers = true, conflicts_with = "device")]
    pub(crate) drop: Option<u64>,
}

/// Fetching over a device.
#[derive(Debug, Args)]
#[command(next_help_heading = "Over a TAP device or another interface (Linux)")]
pub(crate) struct FetchTap {
    #[command(flatten)]
    pub(crate) tap: TapHost,

    /// Ask this name server.
    #[arg(long, value_name = "ADDRESS", requires = "device")]
    pub(crate) dns: Vec<IpAddr>,

    /// Use this address for a name and port instead of asking; `*` is every port. (Through the gateway, too.)
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    pub(crate) resolve: Vec<String>,

    /// Write the TLS secrets to this file, for Wireshark. (`SSLKEYLOGFILE` in the environment does the same.)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) keylog: Option<PathBuf>,
}

/// A whole number.
fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no whole number from 0 on"))
}

/// A whole number of which there is no 0.
fn counted(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{text:?} is no whole number from 1 on"))
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err(format!("{text:?} is no percentage from 0 to 100")),
    }
}
