//! ping, asking whether an address answers.

use crate::place::Place;
use crate::process::finish;
use std::net::IpAddr;
use std::time::Duration;

/// What a ping of several echo requests came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingReport {
    /// Echo requests sent.
    pub sent: u32,
    /// Echo replies that came in time.
    pub received: u32,
    /// All that ping printed.
    pub output: String,
}

/// Sends `count` echo requests of `size` data bytes to `to`, and waits at most two seconds for each reply.
///
/// # Panics
///
/// Where ping cannot send.
#[track_caller]
pub fn ping(place: &impl Place, to: IpAddr, count: u32, size: usize) -> PingReport {
    let mut command = place.command("ping");
    command.args(["-n", "-i", "0.2", "-W", "2"]);
    command.args(["-c", &count.to_string(), "-s", &size.to_string(), &to.to_string()]);
    let finished = finish(&mut command, Duration::from_secs(u64::from(count) * 2 + 10));
    let output = finished.text() + &finished.stderr;
    let summary = output.lines().find(|line| line.contains("packets transmitted"));
    let summary = summary.unwrap_or_else(|| panic!("ping did not get to its summary:\n{output}"));
    // As in: 3 packets transmitted, 3 received, 0% packet loss, time 2003ms
    let mut numbers =
        summary.split(", ").map(|part| part.split(' ').next().and_then(|word| word.parse().ok()));
    let mut next = || numbers.next().flatten().unwrap_or(0);
    PingReport { sent: next(), received: next(), output }
}
