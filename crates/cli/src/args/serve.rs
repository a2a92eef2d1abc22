//! What `framewise serve` is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueHint};

use super::{TapHost, seconds};

/// Serve pages.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("recording").args(["capture", "trace"]).multiple(true))]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) site: crate::serve::SiteArgs,

    #[command(flatten)]
    pub(crate) tap: TapHost,

    /// Take connections at an address of this computer, and pass them on to our own stack, without root: 127.0.0.1:8080 to its
    /// port 80, 127.0.0.1:8443=443 to its port 443. Only this computer itself reaches 127.0.0.1; an address of its others is
    /// for everybody. Port 0 is any that is free.
    #[arg(long, value_name = "ADDRESS:PORT[=PORT]", conflicts_with = "device", value_parser = forward)]
    pub(crate) forward: Vec<Forward>,

    /// Ask whether another station has our addresses, which are used meanwhile, and end if one says so (RFC 5227, RFC 4862).
    /// Anybody on the link can say so.
    #[arg(long, requires = "device")]
    pub(crate) probe: bool,

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

    /// Write every crossing of every seam to a file, while it happens: a capture that Wireshark reads, too, with what each layer
    /// handed on, refused and noted between its frames.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "capture")]
    pub(crate) trace: Option<PathBuf>,

    /// Put the TLS secrets into the capture or the trace: who has it can read everything.
    #[arg(long, requires = "recording")]
    pub(crate) capture_secrets: bool,

    /// Keep super-frames whole in the capture, instead of the frames on the wire that they stand for (see --offload).
    #[arg(long, requires = "capture")]
    pub(crate) capture_super: bool,

    /// Don't say a line for each request.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Say at the end what was dropped, by host, layer and reason; SIGUSR1 asks for it while it serves.
    #[arg(long)]
    pub(crate) stats: bool,

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

fn forward(text: &str) -> Result<Forward, String> {
    let (from, to) = text.split_once('=').unwrap_or((text, "80"));
    let wrong =
        || format!("{text:?} does not say at which address, and to which port; 127.0.0.1:8080=80 does");
    let from = from.parse().map_err(|_| wrong())?;
    let to = to.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
    Ok(Forward { from, to })
}
