//! The rows of the table: what is measured, what is aimed at, and what is the least that will do.

use super::figures::Figures;
use super::live::{self, Live};
use std::io;

/// One row.
pub(crate) struct Row {
    /// How `--row` calls it.
    pub(crate) name: &'static str,
    /// What it compares, for the table.
    pub(crate) title: &'static str,
    /// The same in a few words, for the plot.
    pub(crate) short: &'static str,
    pub(crate) wanted: Wanted,
    /// Of the sides' own figures, and of the processor time beside them.
    pub(crate) unit: &'static str,
    pub(crate) processor_unit: &'static str,
    pub(crate) how: How,
}

/// Which figure is good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wanted {
    AtLeast {
        goal: f64,
        floor: f64,
    },
    AtMost {
        goal: f64,
        floor: f64,
    },
    /// For comparison: what a means gives.
    Nothing,
}

/// How it is measured.
pub(crate) enum How {
    /// Over devices, against the kernel, in a network of its own.
    Live(fn(&Live) -> io::Result<Figures>),
    /// In memory, by the benchmark `ratios`, which calls it so.
    Memory(&'static str),
}

/// How a figure compares with what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Goal,
    Floor,
    Below,
    Told,
}

impl Wanted {
    pub(crate) fn judge(self, figure: f64) -> Verdict {
        let (meets_goal, meets_floor) = match self {
            Wanted::AtLeast { goal, floor } => (figure >= goal, figure >= floor),
            Wanted::AtMost { goal, floor } => (figure <= goal, figure <= floor),
            Wanted::Nothing => return Verdict::Told,
        };
        match (meets_goal, meets_floor) {
            (true, _) => Verdict::Goal,
            (false, true) => Verdict::Floor,
            (false, false) => Verdict::Below,
        }
    }

    /// The goal and the floor, as the table shows them.
    pub(crate) fn shown(self) -> (String, String) {
        match self {
            Wanted::AtLeast { goal, floor } => (format!("≥ {goal}"), format!("≥ {floor}")),
            Wanted::AtMost { goal, floor } => (format!("≤ {goal}"), format!("≤ {floor}")),
            Wanted::Nothing => (String::new(), String::new()),
        }
    }
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Goal => "goal met",
            Verdict::Floor => "above the floor",
            Verdict::Below => "below the floor",
            Verdict::Told => "",
        }
    }
}

const fn at_least(goal: f64, floor: f64) -> Wanted {
    Wanted::AtLeast { goal, floor }
}

const fn at_most(goal: f64, floor: f64) -> Wanted {
    Wanted::AtMost { goal, floor }
}

/// All rows, in the order of the table.
pub(crate) const ROWS: [Row; 24] = [
    Row {
        name: "fetch-http",
        title: "fetch 1 GB over http from nginx: ours over TAP ÷ curl over veth",
        short: "fetch ÷ curl, http",
        wanted: at_least(1.0, 0.8),
        unit: "Gbit/s",
        processor_unit: "s/GB",
        how: How::Live(live::fetch_http),
    },
    Row {
        name: "fetch-stock",
        title: "the same ÷ stock smoltcp over its own TAP",
        short: "fetch ÷ stock smoltcp",
        wanted: at_least(3.5, 3.0),
        unit: "Gbit/s",
        processor_unit: "s/GB",
        how: How::Live(live::fetch_stock),
    },
    Row {
        name: "serve-http",
        title: "serve 1 GB: ours over TAP ÷ nginx with sendfile over veth, to a bare reader",
        short: "serve ÷ nginx sendfile",
        wanted: at_least(1.0, 0.8),
        unit: "Gbit/s",
        processor_unit: "s/GB",
        how: How::Live(live::serve_http),
    },
    Row {
        name: "fetch-https",
        title: "fetch 1 GB over https (TLS 1.3): ours over TAP ÷ curl over veth",
        short: "fetch ÷ curl, https",
        wanted: at_least(1.0, 0.8),
        unit: "Gbit/s",
        processor_unit: "s/GB",
        how: How::Live(live::fetch_https),
    },
    Row {
        name: "fetch-ipv6",
        title: "fetch 1 GB over http, ours: IPv6 ÷ IPv4",
        short: "fetch, IPv6 ÷ IPv4",
        wanted: at_least(0.95, 0.8),
        unit: "Gbit/s",
        processor_unit: "s/GB",
        how: How::Live(live::fetch_ipv6),
    },
    requests(
        "requests-1",
        "requests/s of a 1 KB page, 1 connection: ours ÷ nginx, 1 worker",
        "requests, c = 1",
        2.5,
        live::requests_1,
    ),
    requests("requests-64", "the same, 64 connections", "requests, c = 64", 1.5, live::requests_64),
    requests("requests-256", "the same, 256 connections", "requests, c = 256", 1.5, live::requests_256),
    requests(
        "requests-close",
        "the same, 64 connections and Connection: close",
        "requests, a connection each",
        1.5,
        live::requests_close,
    ),
    in_memory(
        "idle-hot",
        "time of a request beside 100,000 idle connections ÷ beside 1, the same flow again",
        "beside 100,000, hot",
        at_most(1.1, 1.5),
        "µs",
    ),
    in_memory(
        "idle-random",
        "the same, another flow each time",
        "beside 100,000, random",
        at_most(4.0, 6.0),
        "µs",
    ),
    in_memory(
        "memory-tcp",
        "resident bytes per idle connection, windows of 64 KiB + 64 KiB, TCP",
        "bytes, TCP",
        at_most(1_536.0, 4_096.0),
        "bytes",
    ),
    in_memory(
        "memory-http",
        "the same with all layers and idle HTTP",
        "bytes, all layers",
        at_most(4_096.0, 4_096.0),
        "bytes",
    ),
    Row {
        name: "handshakes",
        title: "full TLS 1.3 handshakes per second of the server's processor time: ours ÷ openssl s_server",
        short: "handshakes ÷ openssl",
        wanted: at_least(1.0, 0.8),
        unit: "1/s",
        processor_unit: "µs each",
        how: How::Live(live::handshakes),
    },
    in_memory(
        "bulk-super",
        "in memory, one thread: all layers ÷ two bare smoltcp interfaces, super-segments",
        "÷ bare smoltcp, in memory",
        at_least(0.9, 0.7),
        "Gbit/s",
    ),
    in_memory(
        "bulk-packets",
        "the same in packets of 1,500 bytes, sums computed by both",
        "the same, packets",
        Wanted::Nothing,
        "Gbit/s",
    ),
    Row {
        name: "without-offload",
        title: "fetch 1 GB over TAP: --offload off ÷ on",
        short: "without offload",
        wanted: Wanted::Nothing,
        unit: "Gbit/s",
        processor_unit: "s/GB",
        how: How::Live(live::without_offload),
    },
    Row {
        name: "without-offload-serve",
        title: "serve 1 GB over TAP: --offload off ÷ on",
        short: "serve without offload",
        wanted: Wanted::Nothing,
        unit: "Gbit/s",
        processor_unit: "s/GB",
        how: How::Live(live::without_offload_serving),
    },
    in_memory(
        "without-super",
        "in memory: packets of 1,500 bytes ÷ super-segments",
        "without super-segments",
        Wanted::Nothing,
        "Gbit/s",
    ),
    in_memory(
        "without-window",
        "in memory, packets: windows of 64 KiB ÷ 512 KiB",
        "with small windows",
        Wanted::Nothing,
        "Gbit/s",
    ),
    in_memory(
        "without-delay",
        "in memory, packets: every segment acknowledged at once ÷ delayed acknowledgments",
        "without delayed ACK",
        Wanted::Nothing,
        "Gbit/s",
    ),
    in_memory(
        "boxed",
        "in memory, small pages: each layer in a box ÷ composed at compile time",
        "each layer in a box",
        Wanted::Nothing,
        "requests/s",
    ),
    in_memory(
        "watched",
        "in memory, a large page: someone counts crossings ÷ nobody watches",
        "someone watches",
        Wanted::Nothing,
        "Gbit/s",
    ),
    in_memory(
        "recorded",
        "in memory, a large page: a recorder keeps every byte ÷ nobody watches",
        "recorded",
        Wanted::Nothing,
        "Gbit/s",
    ),
];

const fn requests(
    name: &'static str,
    title: &'static str,
    short: &'static str,
    goal: f64,
    how: fn(&Live) -> io::Result<Figures>,
) -> Row {
    let (unit, processor_unit) = ("1/s", "µs each");
    Row { name, title, short, wanted: at_least(goal, 1.0), unit, processor_unit, how: How::Live(how) }
}

const fn in_memory(
    name: &'static str,
    title: &'static str,
    short: &'static str,
    wanted: Wanted,
    unit: &'static str,
) -> Row {
    Row { name, title, short, wanted, unit, processor_unit: "", how: How::Memory(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_goal_and_floor_either_way() {
        let more = at_least(1.0, 0.8);
        assert_eq!(
            [1.0, 0.9, 0.7].map(|figure| more.judge(figure)),
            [Verdict::Goal, Verdict::Floor, Verdict::Below]
        );
        let less = at_most(1.1, 1.5);
        assert_eq!(
            [1.1, 1.4, 1.6].map(|figure| less.judge(figure)),
            [Verdict::Goal, Verdict::Floor, Verdict::Below]
        );
        assert_eq!(Wanted::Nothing.judge(7.0), Verdict::Told);
    }

    #[test]
    fn no_two_rows_have_one_name() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }
}
