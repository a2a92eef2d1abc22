//! What the command line says.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use framewise::ip::Cidr;
use framewise::tls::Versions;

/// A web page's way through Ethernet, IP, TCP, TLS and HTTP, performed and explained.
///
/// Without any option both computers are inside this program: no root, no network, and the same seed
/// gives the same bytes. Begin with: framewise fetch https://shop.test/
#[derive(Debug, Parser)]
#[command(name = "framewise", version, max_term_width = 100, after_help = crate::exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a page, and show its way down the layers, over the wire and up again.
    ///
    /// The page goes to standard output, byte by byte; the walk goes to standard error.
    Fetch(Box<Fetch>),
    /// Serve pages over a TAP device to curl, to a browser, to another framewise.
    Serve(Serve),
    /// Take a URL apart.
    Url(Url),
    /// Make, remove and list TAP devices (Linux, as root).
    Tap {
        #[command(subcommand)]
        action: Tap,
    },
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Fetch a page.
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// What to fetch. What lacks `://` is completed with `http://`.
    #[arg(value_hint = ValueHint::Url)]
    pub(crate) url: String,

    /// Say only what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Print the page's facts and the walk as JSON on standard output, instead of both.
    #[arg(long, conflicts_with_all = ["include", "head", "quiet"])]
    pub(crate) json: bool,

    /// Write the page to this file.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Print the head of the response before the page.
    #[arg(short, long)]
    pub(crate) include: bool,

    /// Ask for the head alone (HEAD), and print it.
    #[arg(short = 'I', long, conflicts_with_all = ["data", "request"])]
    pub(crate) head: bool,

    /// Add a header field to the request.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,

    /// Send this as a form (POST); from a file with `@FILE`. Several are joined by `&`.
    #[arg(short, long, value_name = "DATA")]
    pub(crate) data: Vec<String>,

    /// The method, where it is not GET (or POST with --data).
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,

    /// How long name, TCP and TLS may take together, in seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) connect_timeout: Option<Duration>,

    /// How long all of it may take, in seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) max_time: Option<Duration>,

    /// Try IPv6 first.
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,

    /// Write every frame of this side to a capture file that Wireshark reads; `-` is standard output, in the page's place.
    #[arg(short = 'w', long = "capture", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) capture: Option<PathBuf>,

    /// Put the TLS secrets into the capture on a TAP, too (in memory they are in it): who has it can read everything.
    #[arg(long, requires = "capture")]
    pub(crate) capture_secrets: bool,

    /// Never use colour. (`NO_COLOR` in the environment does the same.)
    #[arg(long)]
    pub(crate) no_color: bool,

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
    #[arg(long, requires = "tap", value_name = "FILE", value_hint = ValueHint::FilePath)]
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

/// The wire in memory.
#[derive(Debug, Args)]
#[command(next_help_heading = "In memory")]
pub(crate) struct Memory {
    /// Everything random follows from this number: the same seed, the same bytes.
    #[arg(long, default_value_t = 1, value_name = "NUMBER", conflicts_with = "tap")]
    pub(crate) seed: u64,

    /// How many frames of 100 are lost on my wire.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "tap")]
    pub(crate) loss: Option<f64>,

    /// How many of 100 arrive twice.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "tap")]
    pub(crate) duplicate: Option<f64>,

    /// How many of 100 are overtaken by later ones.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "tap")]
    pub(crate) reorder: Option<f64>,

    /// How many of 100 have one bit flipped on the way.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "tap")]
    pub(crate) corrupt: Option<f64>,

    /// How long a frame takes to the router, in milliseconds.
    #[arg(long, value_name = "MS", conflicts_with = "tap")]
    pub(crate) delay: Option<u64>,

    /// How many kilobits per second my wire carries.
    #[arg(long, value_name = "KBIT", conflicts_with = "tap")]
    pub(crate) rate: Option<u64>,

    /// Flip a bit in the payload of this frame of mine (numbered as in the walk).
    #[arg(long, value_name = "FRAME", conflicts_with = "tap")]
    pub(crate) flip: Option<u64>,

    /// Lose this frame of mine (numbered as in the walk).
    #[arg(long, value_name = "FRAME", conflicts_with = "tap")]
    pub(crate) drop: Option<u64>,
}

/// Fetching over a TAP device.
#[derive(Debug, Args)]
#[command(next_help_heading = "Over a TAP device (Linux)")]
pub(crate) struct FetchTap {
    #[command(flatten)]
    pub(crate) tap: TapHost,

    /// Ask this name server.
    #[arg(long, value_name = "ADDRESS", requires = "tap")]
    pub(crate) dns: Vec<IpAddr>,

    /// Use this address for a name and port instead of asking; `*` is every port.
    #[arg(long, value_name = "HOST:PORT:ADDRESS", requires = "tap")]
    pub(crate) resolve: Vec<String>,

    /// Write the TLS secrets to this file, for Wireshark. (`SSLKEYLOGFILE` in the environment does the same.)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) keylog: Option<PathBuf>,
}

/// A host of ours behind a TAP device.
#[derive(Debug, Args)]
pub(crate) struct TapHost {
    /// The TAP device; made by `framewise tap up`, or by this command when it may.
    #[arg(long, value_name = "NAME")]
    pub(crate) tap: Option<String>,

    /// My address and network there, such as 192.0.2.10/24; once more for IPv6.
    #[arg(long, value_name = "CIDR", requires = "tap")]
    pub(crate) address: Vec<Cidr>,

    /// The router to everything else.
    #[arg(long, value_name = "IP", requires = "tap")]
    pub(crate) gateway: Vec<IpAddr>,

    /// My MAC address; made up of the device's name if not given.
    #[arg(long, value_name = "MAC", requires = "tap")]
    pub(crate) mac: Option<framewise::core::MacAddr>,
}

/// Serve pages.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The directory to serve; without one, the built-in site.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tap: TapHost,

    /// The port for http; 0 for none.
    #[arg(long, default_value_t = 80)]
    pub(crate) http: u16,

    /// The port for https; 0 for none.
    #[arg(long, default_value_t = 443)]
    pub(crate) https: u16,

    /// A certificate chain to show (PEM); without one, the lab's own authority vouches for .test and private addresses.
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    pub(crate) cert: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[arg(long, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// Where the lab's authority is kept; made there if missing.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) ca_dir: Option<PathBuf>,

    /// Stop after this many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) max_time: Option<Duration>,

    /// Write every frame to a capture file.
    #[arg(short = 'w', long = "capture", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) capture: Option<PathBuf>,

    /// Put the TLS secrets into the capture: who has it can read everything.
    #[arg(long, requires = "capture")]
    pub(crate) capture_secrets: bool,

    /// Don't say a line for each request.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Take a URL apart.
#[derive(Debug, Args)]
pub(crate) struct Url {
    /// The URL, as one would type it.
    pub(crate) url: String,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to do with TAP devices.
#[derive(Debug, Subcommand)]
pub(crate) enum Tap {
    /// Make a TAP device, with an address for this computer's side.
    Up {
        /// Its name.
        #[arg(default_value = "fw0")]
        name: String,
        /// This computer's address and network on it, such as 192.0.2.1/24; once more for IPv6.
        #[arg(long, value_name = "CIDR")]
        address: Vec<Cidr>,
        /// Who may use it; the user behind sudo if not given.
        #[arg(long, value_name = "UID")]
        owner: Option<u32>,
    },
    /// Remove a TAP device that framewise made.
    Down {
        /// Its name.
        #[arg(default_value = "fw0")]
        name: String,
    },
    /// List the TAP devices that framewise made.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number of seconds"))?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err(format!("{text:?} is no percentage from 0 to 100")),
    }
}
