//! How much of this process lies in memory.

use std::fs;

/// Resident bytes (proc_pid_status(5)); `None` where no kernel tells them so.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// By how many bytes this process grows for each of `count` things.
pub(crate) fn growth(count: usize, grow: impl FnOnce()) -> Option<f64> {
    let before = resident()?;
    grow();
    Some(resident()?.saturating_sub(before) as f64 / count as f64)
}
