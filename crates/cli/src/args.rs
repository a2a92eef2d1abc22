//! What the command line says.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use framewise::ip::Cidr;
use framewise::tls::Versions;

/// A web page's way through Ethernet, IP, TCP, TLS and HTTP, performed and explained.
///
/// Without any option both computers are inside this program: no root, no network, and the same seed
/// gives the same bytes. Begin with: framewise fetch https://shop.test/
///
/// The real network is reached through a gateway inside this program, without root: framewise fetch https://example.com/
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
    ///
    /// Names below .test, and addresses kept for documentation, are in the world inside this program. All others are real:
    /// our frames go to a gateway inside this program, and on from there by the operating system's sockets.
    Fetch(Box<Fetch>),
    /// Serve pages to curl, to a browser, to another framewise: from an address of this computer, over a TAP device, or
    /// over another interface.
    Serve(Serve),
    /// Take a URL apart.
    Url(Url),
    /// Make, remove and list TAP devices (Linux; to make and to remove, as root).
    Tap {
        #[command(subcommand)]
        action: Tap,
    },
    /// Look at what works here, and say for each failure which command mends it.
    ///
    /// Without an option it looks at this computer alone. With --tap or --interface it looks at that device too, asks
    /// the neighbours on it, and looks for whoever has our addresses already. Nothing is changed.
    Doctor(Doctor),
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

    /// Print the page's facts and the walk as JSON on standard output, instead of both; with --quiet the facts alone, for
    /// which nothing is recorded, however large the page is.
    #[arg(long, conflicts_with_all = ["include", "head"])]
    pub(crate) json: bool,

    /// Show what each layer costs, by the time inside it, instead of the walk.
    #[arg(long)]
    pub(crate) cost: bool,

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

    /// Send this file, of any length, as it is read (PUT); in chunks where it has no length, such as `/dev/stdin`.
    #[arg(short = 'T', long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["data", "head"])]
    pub(crate) upload_file: Option<PathBuf>,

    /// The method, where it is not GET (POST with --data, PUT with --upload-file).
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

    /// Put the TLS secrets into the capture on a device, too (in memory they are in it): who has it can read everything.
    #[arg(long, requires = "capture")]
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
    #[arg(long, value_name = "NUMBER", conflicts_with = "device")]
    pub(crate) seed: Option<u64>,

    /// How many frames of 100 are lost on my wire.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "device")]
    pub(crate) loss: Option<f64>,

    /// How many of 100 arrive twice.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "device")]
    pub(crate) duplicate: Option<f64>,

    /// How many of 100 are overtaken by later ones.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "device")]
    pub(crate) reorder: Option<f64>,

    /// How many of 100 have one bit flipped on the way.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "device")]
    pub(crate) corrupt: Option<f64>,

    /// How long a frame takes to the router, in milliseconds.
    #[arg(long, value_name = "MS", conflicts_with = "device")]
    pub(crate) delay: Option<u64>,

    /// How many kilobits per second my wire carries.
    #[arg(long, value_name = "KBIT", conflicts_with = "device")]
    pub(crate) rate: Option<u64>,

    /// Flip a bit in the payload of this frame of mine (numbered as in the walk).
    #[arg(long, value_name = "FRAME", conflicts_with = "device")]
    pub(crate) flip: Option<u64>,

    /// Lose this frame of mine (numbered as in the walk).
    #[arg(long, value_name = "FRAME", conflicts_with = "device")]
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

/// A host of ours on a device.
#[derive(Debug, Args)]
pub(crate) struct TapHost {
    /// The TAP device; made by `framewise tap up`, or by this command when it may.
    #[arg(long, value_name = "NAME", group = "device")]
    pub(crate) tap: Option<String>,

    /// An interface of this computer, shared with its kernel by a packet socket (as root).
    #[arg(long, value_name = "NAME", group = "device")]
    pub(crate) interface: Option<String>,

    /// My address and network there, such as 192.0.2.10/24; once more for IPv6.
    #[arg(long, value_name = "CIDR", requires = "device")]
    pub(crate) address: Vec<Cidr>,

    /// The router to everything else.
    #[arg(long, value_name = "IP", requires = "device")]
    pub(crate) gateway: Vec<IpAddr>,

    /// My MAC address; made up of the device's name if not given.
    #[arg(long, value_name = "MAC", requires = "device")]
    pub(crate) mac: Option<framewise::core::MacAddr>,

    /// Whether the kernel shall cut and join segments and do without checksums: where it can, or not at all.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Offload::Auto, requires = "tap")]
    pub(crate) offload: Offload,

    /// How long to stay awake after a frame, for the next may be about to come: 50, or 0 where there is one processor.
    #[arg(long, value_name = "MICROSECONDS", requires = "device")]
    pub(crate) spin: Option<u64>,
}

/// When to use a TAP's offload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Offload {
    /// Where the kernel offers it.
    Auto,
    /// Always; fail where the kernel does not offer it.
    On,
    /// Never: every frame is one that a cable could carry.
    Off,
}

impl TapHost {
    /// On which device the host is, if on one.
    pub(crate) fn device(&self) -> Option<DeviceName<'_>> {
        let tap = self.tap.as_deref().map(DeviceName::Tap);
        tap.or(self.interface.as_deref().map(DeviceName::Interface))
    }

    /// How long to stay awake after a frame.
    #[cfg(target_os = "linux")]
    pub(crate) fn spin(&self) -> Duration {
        let several = std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
        Duration::from_micros(self.spin.unwrap_or(if several { 50 } else { 0 }))
    }
}

/// A device of this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName<'a> {
    /// A TAP, whose other end is this program.
    Tap(&'a str),
    /// An interface that the kernel uses, too.
    Interface(&'a str),
}

impl<'a> DeviceName<'a> {
    /// What the kernel calls it.
    pub(crate) fn name(self) -> &'a str {
        match self {
            DeviceName::Tap(name) | DeviceName::Interface(name) => name,
        }
    }
}

/// Serve pages.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The directory to serve; without one, the built-in site.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tap: TapHost,

    /// Take connections at an address of this computer, and pass them on to our own stack, without root: 127.0.0.1:8080 to its
    /// port 80, 127.0.0.1:8443=443 to its port 443. Only this computer itself reaches 127.0.0.1; an address of its others is
    /// for everybody. Port 0 is any that is free.
    #[arg(long, value_name = "ADDRESS:PORT[=PORT]", conflicts_with = "device", value_parser = forward)]
    pub(crate) forward: Vec<Forward>,

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

    /// Keep super-frames whole in the capture, instead of the frames on the wire that they stand for (see --offload).
    #[arg(long, requires = "capture")]
    pub(crate) capture_super: bool,

    /// Don't say a line for each request.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) options: crate::serve::options::Options,
}

/// A way from an address of this computer to our own stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forward {
    /// Where the operating system listens.
    pub(crate) from: SocketAddr,
    /// The port of our own stack.
    pub(crate) to: u16,
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
    /// Make TAP devices, with an address for this computer's side.
    ///
    /// What is there already gets what it lacks. Whatever this does, `framewise tap down` undoes, and nothing else.
    Up(TapUp),
    /// Remove TAP devices that framewise made, and undo what was done for them.
    Down {
        /// Their names.
        #[arg(default_value = "fw0")]
        names: Vec<String>,
        /// All that framewise has made here.
        #[arg(long)]
        all: bool,
    },
    /// List the TAP devices that framewise made, and what was done for them.
    Status {
        /// These alone.
        names: Vec<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Make TAP devices.
#[derive(Debug, Args)]
pub(crate) struct TapUp {
    /// Their names; several are joined by --bridge.
    #[arg(default_value = "fw0")]
    pub(crate) names: Vec<String>,
    /// This computer's address and network on it, such as 192.0.2.1/24; once more for IPv6.
    #[arg(long, value_name = "CIDR")]
    pub(crate) address: Vec<Cidr>,
    /// Who may use it; the user behind sudo if not given.
    #[arg(long, value_name = "UID")]
    pub(crate) owner: Option<u32>,
    /// Join them by this bridge, a switch in the kernel; the address is then the bridge's.
    #[arg(long, value_name = "NAME")]
    pub(crate) bridge: Option<String>,
    /// Let this computer's kernel forward packets, as a router does.
    #[arg(long)]
    pub(crate) forward: bool,
    /// Let what comes from there go on under this computer's addresses (NAT), which takes --forward with it.
    #[arg(long, value_name = "WITH", num_args = 0..=1, require_equals = true, default_missing_value = "any")]
    pub(crate) nat: Option<NatTool>,
}

/// Which program keeps the kernel's table for NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NatTool {
    /// Whichever of the others is installed, the first if both are.
    Any,
    /// nftables.
    Nft,
    /// iptables.
    Iptables,
}

/// Look at what works here.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) host: TapHost,

    /// The name that this computer shall find an address for.
    #[arg(long, value_name = "HOST", default_value = "example.com")]
    pub(crate) name: String,

    /// Where the lab's authority is kept.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) ca_dir: Option<PathBuf>,

    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Never use colour. (`NO_COLOR` in the environment does the same.)
    #[arg(long)]
    pub(crate) no_color: bool,
}

fn forward(text: &str) -> Result<Forward, String> {
    let (from, to) = text.split_once('=').unwrap_or((text, "80"));
    let wrong =
        || format!("{text:?} does not say at which address, and to which port; 127.0.0.1:8080=80 does");
    let from = from.parse().map_err(|_| wrong())?;
    let to = to.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
    Ok(Forward { from, to })
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
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
