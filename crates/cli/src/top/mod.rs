//! `framewise top`: what the threads of a running server do, drawn anew until it ends.

#[cfg(unix)]
mod keys;
mod render;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::args;
use crate::exit::{Failure, Kind};
use crate::output;
use crate::serve::control::Report;
use crate::table::WIDTH;
use framewise_trace::words::printable;

/// The least time between two looks.
const LEAST: Duration = Duration::from_millis(50);

/// Clears nothing before it draws, so that nothing flickers: each line is drawn over the old one.
const HOME: &str = "\u{1b}[H";
const CLEAR_LINE: &str = "\u{1b}[K";
const CLEAR_REST: &str = "\u{1b}[J";
/// Below the screen.
const END: &str = "q or Ctrl-C ends it.";

pub(crate) fn run(args: &args::Top) -> Result<(), Failure> {
    let path = match &args.control {
        Some(path) => path.clone(),
        None => the_only_one()?,
    };
    let first = look(&path).map_err(|error| nobody(&path, &error))?;
    let is_screen = std::io::stdout().is_terminal() && !args.json;
    let goes_on = args.follow || (is_screen && !args.once);
    if !goes_on {
        return show(&first, args).map(drop);
    }
    if is_screen {
        on_screen("\u{1b}[2J")?;
    }
    let mut pause = pauses(is_screen);
    let mut report = first;
    loop {
        if !(if is_screen { draw(&report)? } else { show(&report, args)? }) {
            return Ok(());
        }
        if pause(args.interval.max(LEAST)) {
            return Ok(());
        }
        let Ok(next) = look(&path) else {
            output::say("The server has ended.\n");
            return Ok(());
        };
        report = next;
    }
}

/// Waits, and says whether somebody wants no more: where a screen is drawn, by a key.
#[cfg(unix)]
fn pauses(is_screen: bool) -> impl FnMut(Duration) -> bool {
    let keys = if is_screen { keys::Keys::open() } else { None };
    move |time| match &keys {
        Some(keys) => keys.end_within(time),
        None => {
            thread::sleep(time);
            false
        }
    }
}

#[cfg(not(unix))]
fn pauses(_is_screen: bool) -> impl FnMut(Duration) -> bool {
    |time| {
        thread::sleep(time);
        false
    }
}

/// Shows one look below the last. `false`: nobody reads any more.
fn show(report: &Report, args: &args::Top) -> Result<bool, Failure> {
    let written = if args.json {
        let line = serde_json::to_string(report).map_err(|error| Failure::new(Kind::File, error))?;
        output::write_stdout(format!("{}\n", printable(&line)).as_bytes())
    } else {
        output::write_coloured(&render::screen(report, usize::MAX))
    };
    written.map_err(|error| Failure::new(Kind::File, error))
}

/// Draws one screen over the last. The last row is left for what the shell says once it is interrupted, and the one before it
/// says how to do that. `false`: nobody reads any more.
fn draw(report: &Report) -> Result<bool, Failure> {
    let (rows, columns) = size();
    let rows = rows.saturating_sub(2);
    let mut text = HOME.to_owned();
    let screen = render::screen(report, rows);
    for line in screen.lines().take(rows).chain([END]) {
        text.push_str(&output::in_wanted_colours(&render::narrowed(line, columns)));
        text.push_str(CLEAR_LINE);
        text.push('\n');
    }
    text.push_str(CLEAR_REST);
    on_screen(&text)
}

/// What moves the cursor is written as it is, also where no colour is wanted.
fn on_screen(text: &str) -> Result<bool, Failure> {
    output::write_stdout(text.as_bytes()).map_err(|error| Failure::new(Kind::File, error))
}

/// Rows and columns of the terminal.
#[cfg(unix)]
fn size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    let size = size.map(|size| (usize::from(size.ws_row), usize::from(size.ws_col)));
    size.ok().filter(|(rows, columns)| *rows > 0 && *columns > 0).unwrap_or((24, WIDTH))
}

#[cfg(not(unix))]
fn size() -> (usize, usize) {
    (24, WIDTH)
}

#[cfg(unix)]
fn look(path: &Path) -> std::io::Result<Report> {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    /// A server answers at once.
    const PATIENCE: Duration = Duration::from_secs(2);
    /// 4,096 threads, each with what it works on.
    const LONGEST: u64 = 8 << 20;

    let socket = UnixStream::connect(path)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    socket.take(LONGEST).read_to_string(&mut text)?;
    Report::read(&text)
}

#[cfg(not(unix))]
fn look(_path: &Path) -> std::io::Result<Report> {
    Err(std::io::Error::other("such sockets are for Unix"))
}

#[cfg(unix)]
fn the_only_one() -> Result<PathBuf, Failure> {
    let running = crate::serve::control::running();
    match &running[..] {
        [one] => Ok(one.clone()),
        [] => Err(Failure::new(Kind::Connection, "no server with threads to look at runs here")
            .next("framewise serve --forward 127.0.0.1:8080 --processes 2 --threads 4")),
        [first, ..] => {
            let sentence = format!("{} servers run here: which one?", running.len());
            Err(Failure::new(Kind::Usage, sentence)
                .next(format!("framewise top --control {}", first.display())))
        }
    }
}

#[cfg(not(unix))]
fn the_only_one() -> Result<PathBuf, Failure> {
    Err(Failure::new(Kind::Usage, "framewise top is for Unix"))
}

fn nobody(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Connection, format!("no server answers at {}: {error}", path.display()))
        .next("framewise serve says at its beginning where it does")
}
