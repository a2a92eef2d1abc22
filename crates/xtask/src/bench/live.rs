//! The rows over devices: ours over a TAP beside the kernel's own path over a veth pair, both in one network of their own.

use super::build::Programs;
use super::figures::{Figures, Sample};
use super::peers::{self, OPENSSL_PORT, Site};
use super::place::{self, KERNEL, KERNEL_V6, NEAR, OURS, Place, STOCK, STOCK_KERNEL, STOCK_TAP, Side, TAP};
use super::process::{Started, finish};
use serde_json::Value;
use std::io;
use std::time::Duration;

/// One transfer, or one run of a load, may not take longer.
const LIMIT: Duration = Duration::from_secs(30);

/// The network of a row, and how much to measure in it.
pub(crate) struct Live {
    place: Place,
    programs: Programs,
    /// Bytes of the large page.
    large: u64,
    rounds: usize,
    /// For how long requests are made and handshakes, in each round.
    seconds: u32,
}

impl Live {
    pub(crate) fn new(programs: Programs, quick: bool) -> io::Result<Self> {
        let (large, rounds, seconds) = if quick { (200_000_000, 3, 1) } else { (1_000_000_000, 7, 3) };
        Ok(Live { place: Place::new()?, programs, large, rounds, seconds })
    }

    fn site(&self) -> io::Result<Site> {
        Site::new(self.large)
    }

    fn take_turns(
        &self,
        ours: impl FnMut() -> io::Result<Sample>,
        theirs: impl FnMut() -> io::Result<Sample>,
    ) -> io::Result<Figures> {
        Figures::take_turns(self.rounds, ours, theirs)
    }

    /// So many bytes of the large page in so many seconds.
    fn transfer(&self, bytes: f64, seconds: f64, processor: f64) -> io::Result<Sample> {
        if bytes != self.large as f64 {
            return Err(io::Error::other(format!("{bytes} of {} bytes came", self.large)));
        }
        Ok(Sample { value: bytes * 8.0 / seconds / 1e9, processor: Some(processor / (bytes / 1e9)) })
    }

    /// `framewise fetch` over the TAP. The time counts from the open connection, so without the second that the kernel
    /// takes to notice that the device was opened.
    fn framewise(&self, url: &str, extra: &[&str]) -> io::Result<Sample> {
        let mut command = self.place.command(Side::Here, &self.programs.framewise);
        command.args(["fetch", url, "--json", "--quiet", "--tap", TAP]).args(extra);
        for address in place::OURS_CIDRS {
            command.args(["--address", address]);
        }
        let finished = finish(&mut command, LIMIT)?;
        let said: Value = serde_json::from_str(&finished.said).map_err(io::Error::other)?;
        let micros = |name: &str| said["microseconds"][name].as_f64().unwrap_or(f64::NAN);
        let seconds = (micros("complete") - micros("connected")) / 1e6;
        self.transfer(said["body_bytes"].as_f64().unwrap_or(0.0), seconds, finished.processor)
    }

    /// curl over the veth pair.
    fn curl(&self, url: &str) -> io::Result<Sample> {
        let mut command = self.place.command(Side::Far, "curl");
        command.args(["--silent", "--show-error", "--fail", "--insecure", "--output", "/dev/null"]);
        command.args(["--write-out", "%{size_download} %{time_pretransfer} %{time_total}", url]);
        let finished = finish(&mut command, LIMIT)?;
        let numbers: Vec<f64> =
            finished.said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [bytes, opened, total] = numbers[..] else {
            return Err(io::Error::other(format!("curl said {:?}", finished.said)));
        };
        self.transfer(bytes, total - opened, finished.processor)
    }

    /// One of the programs of `framewise-bench`: what it counted, in how long, and its processor time.
    fn bench(&self, side: Side, arguments: &[&str]) -> io::Result<(f64, f64, f64)> {
        let finished = finish(self.place.command(side, &self.programs.bench).args(arguments), LIMIT)?;
        let said: Value = serde_json::from_str(&finished.said).map_err(io::Error::other)?;
        let figure = |name: &str| said[name].as_f64().unwrap_or(f64::NAN);
        Ok((figure("count"), figure("seconds"), finished.processor))
    }

    /// A server's large page, read by someone who does nothing with it. The processor time is the server's.
    fn read(&self, server: &Started, side: Side, address: &str) -> io::Result<Sample> {
        let before = server.processor_time()?;
        let (bytes, seconds, _) = self.bench(side, &["read", &format!("{address}:80"), "/large"])?;
        self.transfer(bytes, seconds, server.processor_time()? - before)
    }

    /// wrk's requests for the small page. The processor time is the server's.
    fn wrk(&self, server: &Started, side: Side, address: &str, load: Load) -> io::Result<Sample> {
        let mut command = self.place.command(side, "wrk");
        let (connections, seconds) = (load.connections.to_string(), format!("{}s", self.seconds));
        command.args(["--threads", "1", "--connections", &connections, "--duration", &seconds]);
        if load.closes {
            command.args(["--header", "Connection: close"]);
        }
        command.arg(format!("http://{address}/small"));
        let before = server.processor_time()?;
        let finished = finish(&mut command, LIMIT)?;
        let processor = server.processor_time()? - before;
        let (requests, seconds) = answered(&finished.said)?;
        Ok(Sample { value: requests / seconds, processor: Some(processor / requests * 1e6) })
    }

    fn requests(&self, load: Load) -> io::Result<Figures> {
        let site = self.site()?;
        let ours = site.framewise(&self.place, &self.programs.framewise, &[])?;
        let nginx = site.nginx(&self.place)?;
        self.take_turns(
            || self.wrk(&ours, Side::Here, OURS, load),
            || self.wrk(&nginx, Side::Far, NEAR, load),
        )
    }

    /// Handshakes with a server, per second of its processor time.
    fn handshakes(&self, server: &Started, side: Side, address: &str) -> io::Result<Sample> {
        let before = server.processor_time()?;
        let (count, ..) = self.bench(side, &["handshakes", address, &self.seconds.to_string()])?;
        let processor = server.processor_time()? - before;
        Ok(Sample { value: count / processor, processor: Some(processor / count * 1e6) })
    }

    fn must_know_offload(&self, command: &str) -> io::Result<()> {
        if peers::knows(&self.programs.framewise, command, "--offload") {
            return Ok(());
        }
        Err(io::Error::other(format!("framewise {command} has no --offload to turn off")))
    }
}

/// How wrk asks.
#[derive(Clone, Copy)]
struct Load {
    connections: u32,
    closes: bool,
}

/// What wrk says was answered, and in how many seconds: `12345 requests in 3.00s, 15.2MB read`. Errors are no answers.
fn answered(said: &str) -> io::Result<(f64, f64)> {
    let wrong = |line: &str| io::Error::other(format!("wrk said: {line}"));
    if let Some(line) = said.lines().find(|line| line.contains("Non-2xx")) {
        return Err(wrong(line.trim()));
    }
    let line = said.lines().map(str::trim).find(|line| line.contains(" requests in "));
    let parse = |line: &str| {
        let (count, rest) = line.split_once(" requests in ")?;
        let time = rest.split(',').next()?;
        let seconds = match time.strip_suffix("ms") {
            Some(millis) => millis.parse::<f64>().ok()? / 1e3,
            None => match time.strip_suffix('m') {
                Some(minutes) => minutes.parse::<f64>().ok()? * 60.0,
                None => time.strip_suffix('s')?.parse().ok()?,
            },
        };
        Some((count.parse::<f64>().ok().filter(|count| *count > 0.0)?, seconds))
    };
    line.and_then(parse).ok_or_else(|| wrong(line.unwrap_or(said)))
}

pub(crate) fn fetch_http(live: &Live) -> io::Result<Figures> {
    let site = live.site()?;
    let _nginx = site.nginx(&live.place)?;
    live.take_turns(
        || live.framewise(&format!("http://{KERNEL}/large"), &[]),
        || live.curl(&format!("http://{NEAR}/large")),
    )
}

pub(crate) fn fetch_stock(live: &Live) -> io::Result<Figures> {
    let site = live.site()?;
    let _nginx = site.nginx(&live.place)?;
    let server = format!("{STOCK_KERNEL}:80");
    let stock = ["stock", STOCK_TAP, STOCK, &server, "/large"];
    live.take_turns(
        || live.framewise(&format!("http://{KERNEL}/large"), &[]),
        || {
            let (bytes, seconds, processor) = live.bench(Side::Here, &stock)?;
            live.transfer(bytes, seconds, processor)
        },
    )
}

pub(crate) fn fetch_https(live: &Live) -> io::Result<Figures> {
    let site = live.site()?;
    let _nginx = site.nginx(&live.place)?;
    live.take_turns(
        || live.framewise(&format!("https://{KERNEL}/large"), &["--insecure"]),
        || live.curl(&format!("https://{NEAR}/large")),
    )
}

pub(crate) fn fetch_ipv6(live: &Live) -> io::Result<Figures> {
    let site = live.site()?;
    let _nginx = site.nginx(&live.place)?;
    live.take_turns(
        || live.framewise(&format!("http://[{KERNEL_V6}]/large"), &[]),
        || live.framewise(&format!("http://{KERNEL}/large"), &[]),
    )
}

pub(crate) fn serve_http(live: &Live) -> io::Result<Figures> {
    let site = live.site()?;
    let ours = site.framewise(&live.place, &live.programs.framewise, &[])?;
    let nginx = site.nginx(&live.place)?;
    live.take_turns(|| live.read(&ours, Side::Here, OURS), || live.read(&nginx, Side::Far, NEAR))
}

pub(crate) fn requests_1(live: &Live) -> io::Result<Figures> {
    live.requests(Load { connections: 1, closes: false })
}

pub(crate) fn requests_64(live: &Live) -> io::Result<Figures> {
    live.requests(Load { connections: 64, closes: false })
}

pub(crate) fn requests_256(live: &Live) -> io::Result<Figures> {
    live.requests(Load { connections: 256, closes: false })
}

pub(crate) fn requests_close(live: &Live) -> io::Result<Figures> {
    live.requests(Load { connections: 64, closes: true })
}

pub(crate) fn handshakes(live: &Live) -> io::Result<Figures> {
    let site = live.site()?;
    let ours = site.framewise(&live.place, &live.programs.framewise, &[])?;
    let openssl = site.openssl(&live.place)?;
    let (at_ours, at_openssl) = (format!("{OURS}:443"), format!("{NEAR}:{OPENSSL_PORT}"));
    live.take_turns(
        || live.handshakes(&ours, Side::Here, &at_ours),
        || live.handshakes(&openssl, Side::Far, &at_openssl),
    )
}

pub(crate) fn without_offload(live: &Live) -> io::Result<Figures> {
    live.must_know_offload("fetch")?;
    let site = live.site()?;
    let _nginx = site.nginx(&live.place)?;
    let url = format!("http://{KERNEL}/large");
    live.take_turns(
        || live.framewise(&url, &["--offload", "off"]),
        || live.framewise(&url, &["--offload", "on"]),
    )
}

/// Only one server at a time can have the TAP: each is started for its round, and warmed up.
pub(crate) fn without_offload_serving(live: &Live) -> io::Result<Figures> {
    live.must_know_offload("serve")?;
    let site = live.site()?;
    let served = |offload: &str| {
        let server = site.framewise(&live.place, &live.programs.framewise, &["--offload", offload])?;
        live.read(&server, Side::Here, OURS)
    };
    live.take_turns(|| served("off"), || served("on"))
}

#[cfg(test)]
mod tests {
    use super::answered;

    #[test]
    fn what_wrk_says_is_read_and_its_errors_are() {
        let said = "Running 3s test @ http://192.0.2.10/small\n  1 threads and 64 connections\n  \
                    138213 requests in 3.00s, 171.87MB read\nRequests/sec:  46071.02\n";
        assert_eq!(answered(said).unwrap(), (138_213.0, 3.0));
        assert_eq!(answered("  5 requests in 100.50ms, 1.00KB read").unwrap(), (5.0, 0.1005));
        assert!(answered("  5 requests in 1.00s, 1.00KB read\n  Non-2xx or 3xx responses: 5").is_err());
        assert!(answered("  0 requests in 1.00s, 0.00B read").is_err());
        assert!(answered("unable to connect to 192.0.2.10:80").is_err());
    }
}
