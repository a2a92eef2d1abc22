//! What the command line says: one file for each subcommand.

mod device;
mod doctor;
mod explain;
mod fetch;
mod figure;
mod http;
mod lab;
mod replay;
mod serve;
mod stats;
mod step;
mod subject;
mod tap;
mod top;
mod url;

use std::time::Duration;

use clap::{Parser, Subcommand};

#[cfg(target_os = "linux")]
pub(crate) use self::device::Offload;
pub(crate) use self::device::{DeviceName, TapHost};
pub(crate) use self::doctor::Doctor;
pub(crate) use self::explain::Explain;
pub(crate) use self::fetch::{Fetch, Memory};
pub(crate) use self::figure::{Figure, Kind as FigureKind};
pub(crate) use self::http::Http;
pub(crate) use self::lab::{Lab, LabDatabase, LabOut, LabThreads};
pub(crate) use self::replay::Replay;
pub(crate) use self::serve::{Forward, Serve};
pub(crate) use self::stats::Stats;
pub(crate) use self::step::Step;
pub(crate) use self::subject::Subject;
pub(crate) use self::tap::Tap;
#[cfg(target_os = "linux")]
pub(crate) use self::tap::{NatTool, TapUp};
pub(crate) use self::top::Top;
pub(crate) use self::url::Url;

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
    Serve(Box<Serve>),
    /// Explain every byte of a run or a capture: frames, layers, fields, in sentences.
    ///
    /// Without an option it lists the frames, the connections and what was said in them; each option opens more.
    ///
    /// It only watches, and so explains captures of others as well as our own; what TLS sealed is opened with the secrets of
    /// the session.
    Explain(Explain),
    /// Draw a run or a capture, as SVG for slides and reports.
    ///
    /// All that is written in it are the words of the layers that sent and received: the same as `framewise explain` tells.
    Figure(Figure),
    /// Step through a run or a capture in the terminal, one layer at a time, forward and back.
    ///
    /// This runs `framewise-step`, a program of its own that lies beside this one or on PATH.
    Step(Step),
    /// Experiments with a server's threads and its database: predicted, measured, compared.
    Lab {
        #[command(subcommand)]
        lab: Lab,
    },
    /// Play captures and scripts as tests: what came comes to a live host again, and what it sends is compared, frame by frame.
    ///
    /// Time is simulated, so nothing waits, and neither root nor a network is needed. What is first not as expected is told
    /// with what went before it, field by field, in sentences; the exit code is then 9.
    Replay(Replay),
    /// Take a URL apart.
    Url(Url),
    /// Tell every reason for which something is dropped: what it means, and which RFC says so.
    Stats(Stats),
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
    /// Watch the threads of a running `framewise serve`: what each does, what waits, and how long.
    Top(Top),
    /// A child process of `framewise serve`.
    #[command(hide = true)]
    ServeChild(crate::serve::pool::ChildArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number of seconds"))?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}
