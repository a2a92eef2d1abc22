//! A pool on a screen of 80 columns: figures, the seven words, and a digit for each thread.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use framewise_server::State;
use framewise_server::dispatch::{ProcessView, Quantiles, ThreadView};

use crate::serve::control::Report;
use crate::table::WIDTH;
use framewise_trace::words::{columns, cut};

/// Columns of a thread's digits.
const DIGITS: usize = 42;
/// Columns of a bar.
const BAR: usize = 20;

/// The screen, of at most so many rows.
pub(crate) fn screen(report: &Report, rows: usize) -> String {
    let mut text = String::new();
    head(&mut text, report);
    states(&mut text, report);
    processes(&mut text, report, rows);
    text
}

/// A coloured line of at most so many columns; what is cut is marked, and takes no colour along.
pub(super) fn narrowed(line: &str, width: usize) -> String {
    let plain = anstream::adapter::strip_str(line).to_string();
    if columns(&plain) <= width {
        return line.to_owned();
    }
    // Styles take no columns, so the line is followed until as much of it is kept as of the plain one.
    let kept = columns(&cut(&plain, width)).saturating_sub(2);
    let (mut text, mut used, mut is_style) = (String::new(), 0, false);
    for c in line.chars() {
        is_style |= c == '\u{1b}';
        let takes = if is_style { 0 } else { columns(c.encode_utf8(&mut [0; 4])) };
        if used + takes > kept {
            break;
        }
        text.push(c);
        used += takes;
        is_style &= !c.is_ascii_alphabetic();
    }
    format!("{text}\u{1b}[0m..")
}

fn head(text: &mut String, report: &Report) {
    let pool = &report.pool;
    let bold = Style::new().bold();
    let threads = pool.processes.iter().map(|process| process.threads.len()).max().unwrap_or(0);
    let made_of = match pool.model.as_str() {
        "threads" => format!("{threads} threads in one process"),
        model => {
            let plural = |count: usize, one: &str, more: &str| {
                format!("{count} {}", if count == 1 { one } else { more })
            };
            let processes = plural(pool.processes_wanted, "process", "processes");
            let model = cut(model, 10);
            format!("{model}: {processes} x {}", plural(threads, "thread", "threads"))
        }
    };
    let up = clock(pool.since_ms);
    let _ = writeln!(text, "{bold}framewise serve{bold:#}  pid {}  {made_of}  up {up}", report.pid);
    let queue = &pool.queue;
    let _ = writeln!(
        text,
        "requests  {} come, {} are answered in a second; {} wait ({} may)",
        rate(pool.came_per_second),
        rate(pool.answered_per_second),
        queue.length,
        queue.limit
    );
    times(text, "they wait", &pool.waiting);
    times(text, "take work", &pool.service);
    let counts = &pool.counts;
    let mut outcomes = vec![format!("{} answered", counts.answered)];
    let others = [
        (counts.refused, "refused (503)"),
        (counts.failed, "lost with a process (502)"),
        (counts.expired, "too slow (504)"),
        (counts.left, "left"),
        (counts.again, "tried again"),
    ];
    outcomes
        .extend(others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    let _ = writeln!(text, "so far    {}", cut(&outcomes.join(", "), WIDTH - 10));
}

fn times(text: &mut String, name: &str, times: &Quantiles) {
    let _ = writeln!(
        text,
        "{name:<9} {} on average, 95 of 100 at most {}, the longest {}",
        time(times.mean_us),
        time(times.p95_us),
        time(times.longest_us)
    );
}

/// The seven words: how many threads do that now, and which part of their time they did.
fn states(text: &mut String, report: &Report) {
    let bold = Style::new().bold();
    let all: Vec<&ThreadView> = report.pool.processes.iter().flat_map(|process| &process.threads).collect();
    let total: u64 = all.iter().map(|t| t.times.states_us.iter().sum::<u64>() + t.times.held_us).sum();
    let _ = writeln!(text, "\n{bold}What a thread does{bold:#}{:>32}  of its time", "now");
    for state in State::ALL {
        let index = usize::from(state.number() - 1);
        let now = all.iter().filter(|t| t.state == state.number() && !(index == 0 && t.holds)).count();
        let spent: u64 = all.iter().map(|t| t.times.states_us[index]).sum();
        let style = style_of(state.number());
        let said = format!("{} {}", state.number(), state.meaning());
        line(text, style, &said, now, share(spent, total));
        if state == State::Waits {
            let held = all.iter().filter(|t| t.state == 1 && t.holds).count();
            let spent: u64 = all.iter().map(|t| t.times.held_us).sum();
            if held > 0 || spent > 0 {
                line(text, style, "k holds a connection, which is silent", held, share(spent, total));
            }
        }
    }
}

fn line(text: &mut String, style: Style, said: &str, now: usize, share: f64) {
    let bar = "#".repeat((share * BAR as f64).round() as usize);
    let line =
        format!("  {style}{said:<44}{style:#}{now:>4}  {style}{bar:<BAR$}{style:#}{:>4.0}%", share * 100.0);
    let _ = writeln!(text, "{line}");
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A line for each process, a digit for each of its threads; then what takes longest, as far as there is room.
fn processes(text: &mut String, report: &Report, rows: usize) {
    let bold = Style::new().bold();
    let _ =
        writeln!(text, "\n{bold}Process  pid  served{bold:#}  each digit is a thread, and says what it does");
    let mut left = rows.saturating_sub(text.lines().count());
    let all = &report.pool.processes;
    for (index, process) in all.iter().enumerate() {
        if left <= 1 && index + 1 < all.len() {
            let _ = writeln!(text, "  and {} more", all.len() - index);
            return;
        }
        left = left.saturating_sub(1);
        one_process(text, process);
    }
    longest(text, report, left);
}

fn one_process(text: &mut String, process: &ProcessView) {
    let served: u64 = process.threads.iter().map(|thread| thread.served).sum();
    let pid = process.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    let _ = write!(text, "{:>4} {pid:>8} {served:>7}  ", process.number);
    if process.phase == "starting" {
        text.push_str("starts\n");
        return;
    }
    for thread in process.threads.iter().take(DIGITS) {
        let style = style_of(thread.state);
        let _ = write!(text, "{style}{}{style:#}", letter(thread));
    }
    if process.threads.len() > DIGITS {
        text.push_str("..");
    }
    text.push_str(if process.phase == "retiring" { "  finishes\n" } else { "\n" });
}

/// A thread's digit; `k` for one whose connection is silent, `!` for one that does not come back.
fn letter(thread: &ThreadView) -> char {
    match thread {
        ThreadView { stuck: true, .. } => '!',
        ThreadView { state: 1, holds: true, .. } => 'k',
        ThreadView { state, .. } => char::from(b'0' + state),
    }
}

/// The threads that have been at one thing the longest.
fn longest(text: &mut String, report: &Report, rows: usize) {
    let mut busy: Vec<(u32, usize, &ThreadView)> = report
        .pool
        .processes
        .iter()
        .flat_map(|p| p.threads.iter().enumerate().map(move |(index, thread)| (p.number, index + 1, thread)))
        .filter(|(_, _, thread)| thread.request.is_some())
        .collect();
    if busy.is_empty() || rows < 3 {
        return;
    }
    busy.sort_by_key(|(_, _, thread)| std::cmp::Reverse(thread.for_us));
    let bold = Style::new().bold();
    let _ = writeln!(text, "\n{bold}At work{bold:#}");
    for (process, number, thread) in busy.into_iter().take((rows - 2).min(8)) {
        let word = State::of(thread.state).map_or("", State::word);
        let style = style_of(thread.state);
        let request = cut(thread.request.as_deref().unwrap_or_default(), 40);
        let _ = writeln!(
            text,
            "  {process}.{number:<5} {style}{} {word:<10}{style:#}{:>8}   {request}",
            thread.state,
            time(thread.for_us)
        );
    }
}

/// One hue for what costs the thread's own time, one for the database, none for waiting.
fn style_of(state: u8) -> Style {
    match state {
        1 => AnsiColor::BrightBlack.on_default(),
        2 | 7 => AnsiColor::Yellow.on_default(),
        3 | 6 => AnsiColor::Green.on_default(),
        4 => AnsiColor::Magenta.on_default(),
        _ => AnsiColor::Cyan.on_default(),
    }
}

fn rate(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..100_000 => format!("{:.1} ms", micros as f64 / 1e3),
        100_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

fn clock(millis: u64) -> String {
    let seconds = millis / 1_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use framewise_server::dispatch::{Counts, QueueView, Snapshot, TimesView};

    use super::*;
    use crate::serve::control;

    /// A pool as large as one may get, all of whose figures are long.
    fn large(processes: u32, threads: usize) -> Report {
        let times = Quantiles {
            count: u64::MAX / 4,
            mean_us: 123_456_789,
            p50_us: 1,
            p95_us: 123_456_789,
            p99_us: 1,
            longest_us: 987_654_321,
        };
        let thread = |index: usize| ThreadView {
            state: (index % 7 + 1) as u8,
            holds: index.is_multiple_of(2),
            stuck: index % 11 == 10,
            for_us: 1_234_567 * index as u64,
            served: 99_999,
            times: TimesView { states_us: [1_000_000; 7], held_us: 1_000_000 },
            request: Some(format!("GET /{}", "long/".repeat(20))),
        };
        let process = |number: u32| ProcessView {
            number,
            pid: Some(4_194_304),
            phase: ["ready", "starting", "retiring"][number as usize % 3].to_owned(),
            threads: (0..threads).map(thread).collect(),
        };
        let counts = Counts {
            answered: 1 << 40,
            refused: 1 << 30,
            failed: 77,
            expired: 5,
            left: 9,
            again: 8,
            ..Counts::default()
        };
        let pool = Snapshot {
            since_ms: 123_456_789,
            model: "prefork".to_owned(),
            processes_wanted: processes as usize,
            processes: (0..processes).map(process).collect(),
            queue: QueueView { length: 99_999, limit: 99_999, most: 99_999, mean: 1.0 },
            came_per_second: 123_456.7,
            answered_per_second: 123_456.7,
            busy: 1,
            mean_busy: 1.0,
            waiting: times,
            service: times,
            response: times,
            counts,
        };
        Report { format: control::FORMAT.to_owned(), version: control::VERSION, pid: 4_194_304, pool }
    }

    #[test]
    fn what_another_users_socket_tells_is_looked_at_first() {
        let mut report = large(1, 2);
        let told = |report: &Report| Report::read(&serde_json::to_string(report).expect("a line"));
        assert_eq!(told(&report).expect("a report"), report);
        report.pool.model = "\u{1b}[2Jprefork and more".to_owned();
        let shown = screen(&told(&report).expect("a report"), 24);
        assert!(!shown.contains("\u{1b}[2J"), "{shown:?}");
        for state in [0, 8, 255] {
            report.pool.processes[0].threads[1].state = state;
            assert!(told(&report).is_err(), "{state}");
        }
        let [format, version] =
            [Report { format: "top".to_owned(), ..large(1, 1) }, Report { version: 2, ..large(1, 1) }];
        assert!(told(&format).is_err() && told(&version).is_err());
    }

    #[test]
    fn on_a_narrow_terminal_no_line_wraps() {
        let plain = |line: &str| anstream::adapter::strip_str(line).to_string();
        for line in screen(&large(2, 16), 24).lines() {
            for width in [1, 2, 20, 40, WIDTH] {
                let narrow = plain(&narrowed(line, width));
                assert!(columns(&narrow) <= width.max(2), "{width} columns: {narrow:?}");
                assert!(plain(line).starts_with(narrow.trim_end_matches("..")), "{narrow:?}");
            }
        }
    }

    #[test]
    fn every_pool_fits_a_terminal() {
        for (processes, threads) in [(1, 1), (2, 16), (64, 64), (1, 4_096)] {
            let screen = anstream::adapter::strip_str(&screen(&large(processes, threads), 24)).to_string();
            assert!(screen.lines().count() <= 24, "{screen}");
            for line in screen.lines() {
                assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
            }
            for state in State::ALL {
                assert!(screen.contains(state.meaning()), "{screen}");
            }
        }
    }
}
