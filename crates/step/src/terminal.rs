//! The terminal: keys and time go in, screens come out. It is left as it was found, whatever ends the program.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event};
use framewise_step::{Stepper, keys, view};
use ratatui::DefaultTerminal;
#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::iterator::Signals;

/// How long nothing is looked at but keys.
const PATIENCE: Duration = Duration::from_millis(100);

/// Shows it until somebody ends it.
pub(crate) fn run(stepper: Stepper, has_colour: bool) -> io::Result<()> {
    let signal = signals()?;
    // It has a panic give the terminal back, too, before it is told of.
    let outcome = ratatui::try_init().and_then(|terminal| turn(terminal, stepper, has_colour, &signal));
    let _ = ratatui::try_restore();
    end_by(signal.load(Ordering::SeqCst));
    outcome
}

fn turn(
    mut terminal: DefaultTerminal,
    mut stepper: Stepper,
    has_colour: bool,
    signal: &AtomicUsize,
) -> io::Result<()> {
    let mut then = Instant::now();
    while !stepper.is_over() && signal.load(Ordering::SeqCst) == 0 {
        terminal.draw(|screen| view::draw(screen, &stepper, has_colour))?;
        if event::poll(PATIENCE)?
            && let Event::Key(key) = event::read()?
            && let Some(action) = keys::action(&stepper, key)
        {
            stepper.apply(action);
        }
        let now = Instant::now();
        stepper.pass(now - then);
        then = now;
    }
    Ok(())
}

/// The number of the signal that asked this program to end; 0: none did.
///
/// Where the terminal itself is gone, waiting for keys never returns, so what hears of signals ends the program itself if
/// nobody else has done it after a while.
fn signals() -> io::Result<Arc<AtomicUsize>> {
    let last = Arc::new(AtomicUsize::new(0));
    #[cfg(unix)]
    {
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        let heard = last.clone();
        std::thread::spawn(move || {
            let signal = signals.forever().next().unwrap_or(SIGTERM);
            heard.store(signal as usize, Ordering::SeqCst);
            std::thread::sleep(PATIENCE * 5);
            let _ = ratatui::try_restore();
            end_by(signal as usize);
        });
    }
    Ok(last)
}

/// Ends the program by that signal, as if nobody had watched: so whoever started it sees what ended it.
fn end_by(signal: usize) {
    #[cfg(unix)]
    if signal != 0 {
        let _ = signal_hook::low_level::emulate_default_handler(signal as i32);
    }
    #[cfg(not(unix))]
    let _ = signal;
}
