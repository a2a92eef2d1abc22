//! What `cargo xtask bench` measures with and against.
//!
//! | command | what it is |
//! |---|---|
//! | `read` | a reader that does nothing with what it reads: so that the server is what is measured |
//! | `stock` | a page fetched by smoltcp as it comes, over its own TAP device |
//! | `handshakes` | full handshakes of TLS 1.3, one after the other |
//! | `plot` | the plots of a report |
//!
//! None of it is part of the product, and none of the product is in it: a package of its own, so that what smoltcp needs
//! here is switched on nowhere else.
#![forbid(unsafe_code)]

mod handshakes;
mod page;
mod plot;
mod stock;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// What the benchmarks measure with and against.
#[derive(Parser)]
enum Command {
    /// Read a page over http and throw it away
    Read {
        /// The server
        server: SocketAddr,
        /// The page
        path: String,
    },
    /// Fetch a page with stock smoltcp over a TAP
    Stock {
        /// The TAP
        tap: String,
        /// The address at this end, of a /24
        address: std::net::Ipv4Addr,
        /// The server
        server: std::net::SocketAddrV4,
        /// The page
        path: String,
    },
    /// Make full TLS 1.3 handshakes for some seconds
    Handshakes {
        /// The server
        server: SocketAddr,
        /// For how long
        seconds: f64,
    },
    /// Plot a report into a folder
    Plot {
        /// What `cargo xtask bench` wrote
        report: PathBuf,
        /// Where the plots go
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Read { server, path } => page::read(server, &path).map(print),
        Command::Stock { tap, address, server, path } => {
            stock::fetch(&tap, address, server, &path).map(print)
        }
        Command::Handshakes { server, seconds } => handshakes::make(server, seconds).map(print),
        Command::Plot { report, folder } => plot::plot(&report, &folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("framewise-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What was counted in how long: the one line of JSON that the benchmark reads.
struct Measured {
    count: u64,
    seconds: f64,
}

fn print(Measured { count, seconds }: Measured) {
    println!("{}", serde_json::json!({ "count": count, "seconds": seconds }));
}

type Outcome<T> = Result<T, Box<dyn Error>>;
