//! Signals that end serving: the first in order, the second at once.

use std::cell::Cell;
use std::rc::Rc;

use framewise::Runner;

/// Counts SIGINT, SIGTERM and SIGHUP, by a pipe that the Runner watches.
#[cfg(unix)]
pub(super) fn watch(runner: &mut Runner) -> std::io::Result<Rc<Cell<u32>>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let (read, write) = std::io::pipe()?;
    // Whoever calls this by `nohup` wants it to outlive the terminal.
    let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    for signal in [SIGINT, SIGTERM].into_iter().chain(hangup) {
        signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
    }
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    runner.watch(read.into(), move |pipe| {
        let came = rustix::io::read(pipe, &mut [0; 16]).unwrap_or(0);
        counted.set(counted.get() + came as u32);
        true
    });
    Ok(count)
}

/// Whether this process was started with the signal ignored, where the system says so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Elsewhere Ctrl-C ends the program at once.
#[cfg(not(unix))]
pub(super) fn watch(_runner: &mut Runner) -> std::io::Result<Rc<Cell<u32>>> {
    Ok(Rc::new(Cell::new(0)))
}
