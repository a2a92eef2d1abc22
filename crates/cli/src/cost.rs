//! `fetch --cost`: what each layer costs, as a table of 80 columns and as JSON.

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anstyle::Style;
use framewise::cost::{LayerCost, Meter};
use serde_json::{Value, json};

use crate::args;
use crate::scene::{ME, Scene};
use crate::table::style_of;
use framewise_trace::words::cut;

/// Columns of the longest bar.
const BAR: usize = 18;

/// Times the layers of a run, and the run.
pub(crate) struct Stopwatch {
    pub(crate) meter: Meter,
    began: Instant,
    started: std::cell::Cell<Duration>,
}

/// What a run cost.
pub(crate) struct Costs {
    layers: Vec<LayerCost>,
    timer: Duration,
    run: Duration,
}

impl Stopwatch {
    /// One, if the command line asks for it.
    pub(crate) fn wanted(args: &args::Fetch) -> Option<Self> {
        let began = Instant::now();
        args.cost.then(|| Stopwatch {
            meter: Meter::new(Rc::new(move || began.elapsed())),
            began,
            started: Default::default(),
        })
    }

    /// What was before does not count.
    pub(crate) fn start(&self) {
        self.meter.reset();
        self.started.set(self.began.elapsed());
    }

    /// What it cost since then.
    pub(crate) fn stop(self) -> Costs {
        let run = self.began.elapsed().saturating_sub(self.started.get());
        Costs { layers: self.meter.costs(), timer: self.meter.timer(), run }
    }
}

impl Costs {
    /// The tables: mine, and in memory the server's.
    pub(crate) fn render(&self, scene: &Scene) -> String {
        let bold = Style::new().bold();
        let mut text = format!("{bold}WHAT IT COST{bold:#}   {}\n", cut(&scene.url, 65));
        for host in [Some(ME), scene.server()].into_iter().flatten() {
            self.table(&mut text, host);
        }
        self.closing(&mut text, scene);
        text
    }

    /// A host's layers that had something to do.
    fn of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a LayerCost> {
        let was_used = |cost: &&LayerCost| cost.inbound.messages + cost.outbound.messages > 0;
        self.layers.iter().filter(move |cost| cost.host == host).filter(was_used)
    }

    fn table(&self, text: &mut String, host: &str) {
        let frames = self.frames(host);
        let all: Duration = self.of(host).map(|cost| cost.time).sum();
        let most = self.of(host).map(|cost| cost.time).max().unwrap_or_default();
        let bold = Style::new().bold();
        let _ = writeln!(
            text,
            "\n{bold}{:<10}{bold:#}{:>7}{:>7}{:>11}{:>10}{:>6}{:>10}",
            host, "in", "out", "bytes", "time", "share", "a frame",
        );
        for cost in self.of(host) {
            let name = shown(cost.layer);
            let style = style_of(if name == "IP" { "IPv4" } else { name });
            let (came, left) = (cost.inbound, cost.outbound);
            let bar = match (BAR as f64 * part(cost.time, most)).round() as usize {
                0 => String::new(),
                length => format!(" {style}{}{style:#}", "#".repeat(length)),
            };
            let _ = writeln!(
                text,
                "  {style}{name:<8}{style:#}{:>7}{:>7}{:>11}{:>10}{:>4.0} %{:>10}{bar}",
                came.messages,
                left.messages,
                came.bytes + left.bytes,
                time(cost.time),
                100.0 * part(cost.time, all),
                time(each(cost.time, frames)),
            );
        }
        let _ = writeln!(
            text,
            "  {:<8}{:>25}{:>10}{:>6}{:>10}",
            "all",
            format!("{frames} frames"),
            time(all),
            "",
            time(each(all, frames)),
        );
    }

    fn closing(&self, text: &mut String, scene: &Scene) {
        let calls: u64 = self.layers.iter().map(|cost| cost.calls).sum();
        let rest = if scene.is_memory() {
            "the router's layers, the Runner, the wire, the pages, and the timing itself"
        } else {
            "waiting for the other side, the Runner, the device, and the timing itself"
        };
        let _ = writeln!(text, "\nin, out: messages across the seam below the layer, with their bytes.");
        let _ = writeln!(text, "The run took {}; what is not above:", time(self.run));
        let _ = writeln!(text, "{rest}.");
        let _ = writeln!(
            text,
            "Timing a call takes {}, taken off each of {calls} calls. Other runs differ.",
            time(self.timer),
        );
    }

    /// Frames that a host sent and was given.
    fn frames(&self, host: &str) -> u64 {
        let ethernet = self.layers.iter().find(|cost| cost.host == host && cost.layer == "ethernet");
        ethernet.map_or(0, |cost| cost.inbound.messages + cost.outbound.messages)
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let layer = |cost: &LayerCost| {
            json!({
                "host": cost.host, "layer": cost.layer, "calls": cost.calls, "nanoseconds": nanos(cost.time),
                "in": { "messages": cost.inbound.messages, "bytes": cost.inbound.bytes },
                "out": { "messages": cost.outbound.messages, "bytes": cost.outbound.bytes },
            })
        };
        json!({
            "run_nanoseconds": nanos(self.run), "timer_nanoseconds": nanos(self.timer),
            "layers": self.layers.iter().map(layer).collect::<Vec<_>>(),
        })
    }
}

/// A layer's name as the walk writes it.
fn shown(layer: &'static str) -> &'static str {
    match layer {
        "http" => "HTTP",
        "tls" => "TLS",
        "tcp" => "TCP",
        "udp" => "UDP",
        "dns" => "DNS",
        "ip" => "IP",
        "ethernet" => "Ethernet",
        other => other,
    }
}

fn part(time: Duration, of: Duration) -> f64 {
    if of.is_zero() { 0.0 } else { time.as_secs_f64() / of.as_secs_f64() }
}

fn each(time: Duration, count: u64) -> Duration {
    Duration::from_secs_f64(time.as_secs_f64() / count.max(1) as f64)
}

/// Three digits and a unit: `41 ns`, `12.3 µs`.
fn time(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let (figure, unit) = match nanos {
        nanos if nanos < 1e3 => return format!("{nanos:.0} ns"),
        nanos if nanos < 1e6 => (nanos / 1e3, "µs"),
        nanos if nanos < 1e9 => (nanos / 1e6, "ms"),
        nanos => (nanos / 1e9, "s"),
    };
    let digits = if figure >= 100.0 {
        0
    } else if figure >= 10.0 {
        1
    } else {
        2
    };
    format!("{figure:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let shown =
            [41, 1_230, 12_345, 999_400, 45_600_000, 1_500_000_000].map(|n| time(Duration::from_nanos(n)));
        assert_eq!(shown, ["41 ns", "1.23 µs", "12.3 µs", "999 µs", "45.6 ms", "1.50 s"]);
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        assert_eq!(part(Duration::ZERO, Duration::ZERO), 0.0);
        assert_eq!(each(Duration::from_nanos(10), 0), Duration::from_nanos(10));
    }
}
