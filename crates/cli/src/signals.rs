//! SIGINT, SIGTERM and SIGHUP, as something that a Runner hears of.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicUsize, Ordering};

use framewise::Runner;
#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

/// The signals that came since they are watched.
#[derive(Clone, Default)]
pub(crate) struct Signals {
    count: Rc<Cell<u32>>,
    /// The number of the last one.
    #[cfg(unix)]
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// Watches them, by a pipe that the Runner looks at. They end the program no more. SIGHUP is one of them where it shall
    /// end the program, too.
    #[cfg(unix)]
    pub(crate) fn watch(runner: &mut Runner, hangup_ends: bool) -> io::Result<Self> {
        let signals = Signals::default();
        // Whoever calls this by `nohup` wants it to outlive the terminal.
        let hangup = (hangup_ends && !is_ignored(SIGHUP)).then_some(SIGHUP);
        let ends: Vec<i32> = [SIGINT, SIGTERM].into_iter().chain(hangup).collect();
        for &signal in &ends {
            signal_hook::flag::register_usize(signal, signals.last.clone(), signal as usize)?;
        }
        count(runner, &ends, signals.count.clone())?;
        Ok(signals)
    }

    /// Elsewhere Ctrl-C ends the program at once.
    #[cfg(not(unix))]
    pub(crate) fn watch(_runner: &mut Runner, _hangup_ends: bool) -> io::Result<Self> {
        Ok(Signals::default())
    }

    /// How many came.
    pub(crate) fn count(&self) -> u32 {
        self.count.get()
    }

    /// Ends the program by the signal that came last, as if nobody had watched: so whoever started it sees what ended it.
    pub(crate) fn end_by_it(&self) {
        #[cfg(unix)]
        let _ = signal_hook::low_level::emulate_default_handler(self.last.load(Ordering::SeqCst) as i32);
    }
}

/// Counts who asks what was dropped so far, by SIGUSR1.
#[cfg_attr(not(unix), allow(unused_variables, reason = "there are no such signals"))]
pub(crate) fn questions(runner: &mut Runner) -> io::Result<Rc<Cell<u32>>> {
    let questions = Rc::new(Cell::new(0));
    #[cfg(unix)]
    count(runner, &[SIGUSR1], questions.clone())?;
    Ok(questions)
}

/// Counts who asks for new processes, by SIGHUP.
#[cfg_attr(not(unix), allow(unused_variables, reason = "there are no such signals"))]
pub(crate) fn hangups(runner: &mut Runner) -> io::Result<Rc<Cell<u32>>> {
    let hangups = Rc::new(Cell::new(0));
    #[cfg(unix)]
    count(runner, &[SIGHUP], hangups.clone())?;
    Ok(hangups)
}

/// Whether there was a terminal, whose end is told by SIGHUP, too.
pub(crate) struct Terminal {
    was_there: bool,
}

impl Terminal {
    pub(crate) fn now() -> Self {
        Terminal { was_there: is_in_a_terminal() }
    }

    /// It was there, and is no more.
    pub(crate) fn has_gone(&self) -> bool {
        self.was_there && !is_in_a_terminal()
    }
}

/// tty(4): it can't be opened without one.
fn is_in_a_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Adds to `count` for each of these signals, by a pipe that the Runner looks at.
#[cfg(unix)]
fn count(runner: &mut Runner, signals: &[i32], count: Rc<Cell<u32>>) -> io::Result<()> {
    let (read, write) = io::pipe()?;
    for &signal in signals {
        signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
    }
    runner.watch(read.into(), move |pipe| {
        let came = rustix::io::read(pipe, &mut [0; 16]).unwrap_or(0);
        count.set(count.get() + came as u32);
        true
    });
    Ok(())
}

/// Whether this process was started with the signal ignored, where the system says so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
