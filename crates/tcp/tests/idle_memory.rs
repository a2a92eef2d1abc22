//! How much memory idle connections take, by the kernel's count: in a process of its own, where nobody else takes any.
#![cfg(target_os = "linux")]
// In a test a panic is the verdict, in its helpers too.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use pair::{ONE, Pair, TWO, pattern};

#[path = "it/pair.rs"]
#[allow(dead_code, reason = "this test uses its part of it")]
mod pair;

/// Longer than any connection waits until it gives memory back.
const A_MINUTE: Duration = Duration::from_secs(60);

/// 250 connections that have carried 60 KB each, both ends here: rings full of pages, and then of none.
#[test]
fn idle_connections_take_little_memory() {
    let mut pair = Pair::new(4);
    pair.listen(TWO, 80);
    let bytes = pattern(60_000);
    let before = resident();
    let conns: Vec<_> = (0..250).map(|index| pair.connect(index, 80)).collect();
    pair.run_for(Duration::from_secs(1));
    for conn in &conns {
        pair.send(ONE, *conn, &bytes, false);
    }
    pair.run_for(Duration::from_millis(900));
    for stream in pair.hosts[TWO].streams.values_mut() {
        assert_eq!(stream.received.len(), bytes.len());
        // What has arrived is not of TCP any more.
        stream.received = Vec::new();
    }
    let busy = resident() - before;
    pair.run_for(A_MINUTE);
    let idle = resident().saturating_sub(before);
    assert!(
        idle + (10 << 20) < busy,
        "{idle} bytes when idle, {busy} when busy: 250 rings of 60 KB should be gone"
    );
}

/// Resident bytes of this process (proc_pid_status(5)).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() << 10
}
