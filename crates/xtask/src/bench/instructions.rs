//! Instructions counted under callgrind: figures that don't wobble, and whose they are.
//!
//! Each way through the stack is run twice, with few and with many rounds, and the difference divided by the difference of
//! rounds: what comes before and after is in both and falls out. An instruction belongs to the source file that it was
//! compiled from, inlined or not; what comes from the standard library, to the code that it was inlined into.

use super::build::{COPYING, Programs};
use crate::tool;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::Command;
use std::time::Duration;

/// Callgrind takes about fifty times as long as the program.
const LIMIT: Duration = Duration::from_secs(240);

/// A way through the stack, in memory, both hosts together.
pub(crate) struct Path {
    /// How the benchmark `counted` calls it.
    name: &'static str,
    /// What is counted for.
    pub(crate) unit: &'static str,
    /// How many of these a round is.
    units: u64,
    /// Few rounds and many.
    rounds: (u64, u64),
}

/// The large page of the benchmarks, in full segments of 1,460 bytes, and in pieces of 64 KiB less their headers.
const BULK: u64 = 16 << 20;

pub(crate) const PATHS: [Path; 3] = [
    Path { name: "request", unit: "request of a small page", units: 1, rounds: (50, 250) },
    Path {
        name: "packets",
        unit: "packet of 1,500 bytes, bulk",
        units: BULK.div_ceil(1_460),
        rounds: (1, 3),
    },
    Path { name: "super", unit: "super-segment, bulk", units: BULK.div_ceil(65_495), rounds: (1, 5) },
];

/// What one unit of a path takes.
pub(crate) struct Count {
    pub(crate) unit: &'static str,
    pub(crate) total: f64,
    /// Whose instructions, from the top of the stack down.
    pub(crate) parts: Vec<(&'static str, f64)>,
}

impl Path {
    /// Counts it.
    pub(crate) fn count(&self, programs: &Programs) -> io::Result<Count> {
        let few = self.run(programs, self.rounds.0)?;
        let many = self.run(programs, self.rounds.1)?;
        let units = ((self.rounds.1 - self.rounds.0) * self.units) as f64;
        let of = |part: &str| {
            let count = |counted: &Counted| counted.get(part).copied().unwrap_or(0) as f64;
            (count(&many) - count(&few)).max(0.0) / units
        };
        let mut parts: Vec<_> = PARTS.iter().map(|part| (*part, of(part))).collect();
        let total = parts.iter().map(|(_, count)| count).sum();
        parts.retain(|(_, count)| *count > 0.0);
        Ok(Count { unit: self.unit, total, parts })
    }

    fn run(&self, programs: &Programs, rounds: u64) -> io::Result<Counted> {
        let file = tempfile::NamedTempFile::new()?;
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no", "--quiet"]);
        // What one instruction copies counts for nothing: so copies are to be made by many.
        command.env(COPYING.0, COPYING.1);
        command.arg(format!("--callgrind-out-file={}", file.path().display()));
        command.arg(&programs.counted).args([self.name, &rounds.to_string()]);
        let (ending, said) = tool::run_quietly(&mut command, LIMIT)?;
        if !ending.is_success() {
            return Err(io::Error::other(format!("{}: {ending}: {}", self.name, said.join(" "))));
        }
        Ok(counted(&fs::read_to_string(file.path())?))
    }
}

/// Instructions of each part.
type Counted = BTreeMap<&'static str, u64>;

/// The parts, from the top of the stack down, then what all of them use.
const PARTS: [&str; 18] = [
    "Runner and application",
    "http",
    "tls",
    "tls: rustls, ring",
    "tcp",
    "tcp: smoltcp",
    "ip",
    "ethernet",
    "udp, dns",
    "wire",
    "between layers",
    "times and timeouts",
    "tables of connections",
    "buffers",
    "checksums",
    "copies",
    "allocator",
    "standard library",
];

/// Adds up a file of callgrind's (its format: valgrind's manual, chapter "Callgrind Format Specification").
fn counted(file: &str) -> Counted {
    let mut counted = Counted::new();
    let (mut by_file, mut owner) = (None, NOBODY);
    let mut is_call = false;
    for line in file.lines() {
        if let Some((key, value)) = line.split_once('=') {
            match key {
                "fl" | "fi" | "fe" => by_file = named(&FILES, value),
                "fn" => owner = named(&FUNCTIONS, value).unwrap_or(NOBODY),
                "calls" => is_call = true,
                _ => {}
            }
            // Instructions come in the order of their addresses: what was inlined stands beside what it was inlined into.
            owner = by_file.unwrap_or(owner);
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            // The line after `calls=` tells what the called function took, which is counted where it is.
            let cost = line.split_whitespace().nth(1).and_then(|cost| cost.parse::<u64>().ok());
            if !std::mem::take(&mut is_call) {
                *counted.entry(owner).or_default() += cost.unwrap_or(0);
            }
        }
    }
    counted
}

/// Whose instructions are that are in nobody's file and nobody's function.
const NOBODY: &str = "standard library";

fn named(table: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    table.iter().find(|(piece, _)| text.contains(piece)).map(|(_, part)| *part)
}

const FILES: [(&str, &str); 28] = [
    ("crates/core/src/checksum", "checksums"),
    ("crates/core/src/buf", "buffers"),
    ("crates/core/src/time", "times and timeouts"),
    ("crates/core/src/id", "tables of connections"),
    ("crates/core/", "between layers"),
    ("crates/device/", "wire"),
    ("crates/ethernet/", "ethernet"),
    ("crates/ip/", "ip"),
    ("crates/tcp/", "tcp"),
    ("crates/udp/", "udp, dns"),
    ("crates/dns/", "udp, dns"),
    ("crates/tls/", "tls"),
    ("crates/http/", "http"),
    ("crates/framewise/", "Runner and application"),
    ("/smoltcp-", "tcp: smoltcp"),
    ("/managed-", "tcp: smoltcp"),
    ("/httparse-", "http"),
    ("/http-1", "http"),
    ("/url-", "http"),
    ("/rustls-", "tls: rustls, ring"),
    ("/ring-", "tls: rustls, ring"),
    ("curve25519", "tls: rustls, ring"),
    ("x25519", "tls: rustls, ring"),
    ("/siphasher-", "tcp"),
    ("/bytes-1", "buffers"),
    ("/idna-", "http"),
    ("/smallvec-", "http"),
    ("/percent-encoding-", "http"),
];

const FUNCTIONS: [(&str, &str); 21] = [
    ("memcpy", "copies"),
    ("memmove", "copies"),
    ("memset", "copies"),
    ("malloc", "allocator"),
    ("calloc", "allocator"),
    ("realloc", "allocator"),
    ("free", "allocator"),
    ("_int_", "allocator"),
    ("ring_core", "tls: rustls, ring"),
    ("rustls", "tls: rustls, ring"),
    ("ring::", "tls: rustls, ring"),
    ("smoltcp", "tcp: smoltcp"),
    ("framewise_http", "http"),
    ("framewise_tls", "tls"),
    ("framewise_tcp", "tcp"),
    ("framewise_ip", "ip"),
    ("framewise_ethernet", "ethernet"),
    ("framewise_device", "wire"),
    ("framewise_core::buf", "buffers"),
    ("framewise_core", "between layers"),
    ("framewise::", "Runner and application"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_their_file_s_and_calls_are_not_counted_twice() {
        let file = "events: Ir\n\
                    fl=crates/tcp/src/layer.rs\nfn=framewise_tcp::layer::Tcp::handle\n10 5\n\
                    fi=/rustc/abc/library/core/src/option.rs\n20 3\n\
                    fe=/r/smoltcp-0.14.0/src/socket/tcp.rs\n30 7\n\
                    cfi=???\ncfn=__memcpy_avx\ncalls=2 0\n30 1000\n\
                    fl=???\nfn=__memcpy_avx\n0 40\n\
                    totals: 55\n";
        let expected = BTreeMap::from([("tcp", 8), ("tcp: smoltcp", 7), ("copies", 40)]);
        assert_eq!(counted(file), expected);
    }

    #[test]
    fn every_part_that_is_named_is_shown() {
        for (_, part) in FILES.iter().chain(&FUNCTIONS) {
            assert!(PARTS.contains(part), "{part} would be left out");
        }
    }
}
