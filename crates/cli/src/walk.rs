//! The walk, as text for a terminal: at most 40 lines of 80 columns.
//!
//! It prints what [`framewise_trace::Walk`] found; no sentence about a protocol is made here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use framewise::Page;
use framewise::tcp::passive::Finding;
use framewise_trace::dissect::{Dissection, Frame, Limits};
use framewise_trace::walk::{Journey, Preparation, ServerSide, Step};
use framewise_trace::{NoteEvent, Trace, WIRE, Walk};

use crate::explain::trouble::{self, Trouble};
use crate::scene::{ME, Scene};
use crate::table::{Columns, WIDTH, link, picture_of, scale, style_of};
use framewise_trace::words::{cut, printable, wrapped};

/// The walk of a page that was fetched.
pub(crate) fn render(page: &Page, walk: Option<&Walk>, trace: &Trace, scene: &Scene) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", scene.headline());
    let Some(walk) = walk else {
        let _ = writeln!(
            text,
            "{} bytes of page came; the recording is too short to show their way.",
            page.received
        );
        return text;
    };
    before(&mut text, walk);
    request(&mut text, walk, &page.url);
    if let Some(server) = &walk.server {
        at_server(&mut text, server);
    }
    answer(&mut text, walk, page);
    noticed(&mut text, trace);
    closing(&mut text, walk, page, scene);
    went_wrong(&mut text, walk, trace);
    if scene.is_memory() {
        next(&mut text, scene, walk.request.frames.first().copied().unwrap_or(1));
    }
    text
}

/// What is known of a fetch that failed.
pub(crate) fn failed(trace: &Trace, scene: &Scene) -> String {
    let mut text = String::new();
    let me = trace.host(ME);
    let mine = |note: &&NoteEvent| Some(note.host) == me && note.layer != WIRE;
    let notes: Vec<_> = trace.notes().filter(mine).collect();
    if !notes.is_empty() {
        let _ = writeln!(text, "{}", scene.headline());
    }
    for note in notes.iter().rev().take(8).rev() {
        let _ = writeln!(text, "  {:<9} {}", note.layer, printable(&note.text));
    }
    noticed(&mut text, trace);
    text
}

/// Rows of what came before that a screen has room for.
const PREPARATIONS: usize = 12;

fn before(text: &mut String, walk: &Walk) {
    let left = walk.request.at - walk.began;
    let all = walk.answer.at - walk.began;
    if walk.before.is_empty() {
        return;
    }
    heading(
        text,
        "BEFORE IT COULD LEAVE",
        &format!("{} of the {} ms", millis(left), millis(all)),
        "frames",
        "ms",
    );
    // Many redirects have many preparations: the first and the last are enough to see what they are.
    let (first, left_out) = match walk.before.len() {
        count if count > PREPARATIONS => (PREPARATIONS / 2, count - PREPARATIONS),
        count => (count, 0),
    };
    for (index, preparation) in walk.before.iter().enumerate() {
        if left_out > 0 && index == first {
            let _ = writeln!(text, "  ...   and {left_out} more");
        }
        if (first..first + left_out).contains(&index) {
            continue;
        }
        let Preparation { protocol, text: said, frames, took } = preparation;
        let frames = frames.map_or_else(|| "-".to_owned(), |(first, last)| range(first, last));
        let style = style_of(protocol);
        let _ = writeln!(
            text,
            "  {style}{protocol:<5}{style:#} {:<53} {frames:>11} {:>6}",
            cut(said, 53),
            millis(*took),
        );
    }
    text.push('\n');
}

fn heading(text: &mut String, title: &str, rest: &str, third: &str, fourth: &str) {
    let bold = Style::new().bold();
    let gap = WIDTH.saturating_sub(title.len() + rest.len() + 3 + 7 + 11);
    let _ = writeln!(text, "{bold}{title}{bold:#}   {rest}{:gap$}{third:>11}{fourth:>7}", "");
}

/// The six steps down, on this side.
fn request(text: &mut String, walk: &Walk, url: &str) {
    let journey = &walk.request;
    let columns = Columns::of(journey);
    let scale = scale(journey);
    let picture = scale.map_or(String::new(), |scale| format!("1 letter = {scale} bytes"));
    columns.title(text, "DOWN", &format!("my request, {}", frames(journey)), "adds", "total", &picture);
    columns.app(text, 'v', 1, &format!("fetch_page({:?})", url));
    for (index, step) in journey.steps.iter().enumerate() {
        if step.protocol == "TCP" {
            columns.beside(text, 'v', '+', journey, step.total - step.front);
        }
        let picture = scale.map_or(String::new(), |scale| picture_of(&journey.steps[..=index], scale));
        columns.step(
            text,
            ('v', index + 2),
            step,
            &format!("+{}", step.front + step.behind),
            step.total,
            &picture,
        );
    }
    link(text, 'v', &format!("{} bytes leave at {} ms", journey.wire, millis(journey.at - walk.began)));
    super_frames(text, 'v', journey);
}

/// How many frames on the wire were fewer between us and the device.
fn super_frames(text: &mut String, arrow: char, journey: &Journey) {
    let bytes: usize = journey.super_frames.iter().map(|found| found.bytes).sum();
    let frames: usize = journey.super_frames.iter().map(|found| found.frames).sum();
    let what = match journey.super_frames.len() {
        0 => return,
        1 => format!("one super-frame of {bytes} bytes"),
        n => format!("{n} super-frames of {bytes} bytes"),
    };
    link(text, arrow, &format!("{what}, {frames} frames on the wire"));
}

/// The same six steps upward, on the other side, and the answer's way down.
fn at_server(text: &mut String, server: &ServerSide) {
    let journey = &server.request;
    let columns = Columns::of(journey);
    columns.title(
        text,
        "THERE",
        &format!("the same six upward, at {}", server.name),
        "strips",
        "left",
        "who gets it next",
    );
    let mut number = 0;
    for step in journey.steps.iter().rev() {
        number += 1;
        let left = step.total - stripped(step);
        columns.step(text, ('^', number), step, &format!("-{}", stripped(step)), left, &step.next);
        if step.protocol == "TCP" {
            columns.beside(text, '^', '-', journey, left - journey.beside.min(left));
        }
    }
    let head = server.answer.steps.first().map_or(String::new(), |step| step.says.clone());
    let sizes: Vec<String> = server.answer.steps.iter().map(|step| step.total.to_string()).collect();
    columns.app(text, '^', number + 1, &format!("return_page() gives {head}"));
    let way = format!("its way down: {} bytes, in {}", sizes.join(" > "), count(&server.answer.frames));
    link(text, 'v', &way);
}

/// The answer's way up, on this side.
fn answer(text: &mut String, walk: &Walk, page: &Page) {
    let journey = &walk.answer;
    let columns = Columns::of(journey);
    columns.title(
        text,
        "UP",
        &format!("its answer, {}", frames(journey)),
        "strips",
        "left",
        "who gets it next",
    );
    link(
        text,
        '^',
        &format!("{} bytes arrive, the last at {} ms", journey.wire, millis(journey.at - walk.began)),
    );
    super_frames(text, '^', journey);
    let mut number = 6;
    for step in journey.steps.iter().rev() {
        let left = step.total - stripped(step);
        columns.step(text, ('^', number), step, &format!("-{}", stripped(step)), left, &step.next);
        if step.protocol == "TCP" {
            columns.beside(text, '^', '-', journey, left - journey.beside.min(left));
        }
        number -= 1;
    }
    let got = match page.received {
        0 => "the head came, and no page with it".to_owned(),
        bytes if let Some(decoded) = page.decoded => {
            format!("all {bytes} bytes came, decoded they are {decoded}: it is yours")
        }
        bytes => format!("all {bytes} bytes of the page came: it is yours"),
    };
    columns.app(text, '^', 1, &got);
}

/// What a layer takes away on the way up.
fn stripped(step: &Step) -> u64 {
    (step.front + step.behind).min(step.total)
}

/// What layers noticed and dropped; nothing in a healthy run.
fn noticed(text: &mut String, trace: &Trace) {
    let mut drops: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for dropped in trace.drops() {
        *drops.entry((trace.host_name(dropped.host), dropped.layer, dropped.reason)).or_default() += 1;
    }
    let red = AnsiColor::Red.on_default();
    let shown = 4;
    if !drops.is_empty() {
        text.push('\n');
    }
    for ((host, layer, reason), times) in drops.iter().take(shown) {
        let _ = writeln!(text, "{red}noticed{red:#} by {host}: {layer} dropped {times}: {reason}");
    }
    if drops.len() > shown {
        let _ = writeln!(text, "        and {} reasons more: --json", drops.len() - shown);
    }
}

fn closing(text: &mut String, walk: &Walk, page: &Page, scene: &Scene) {
    let letter = walk.request.steps.first().map_or(0, |step| step.total);
    let envelopes = walk.request.wire.saturating_sub(letter + walk.request.beside);
    let beside = match walk.request.beside {
        0 => String::new(),
        bytes => format!(", {bytes} beside"),
    };
    let frames = match walk.request.frames.len() {
        1 => format!("1 frame of {}", walk.request.wire),
        n => format!("{n} frames of {}", walk.request.wire),
    };
    let _ =
        writeln!(text, "{letter} bytes of request travelled in {frames}: {envelopes} of envelopes{beside}.");
    if scene.is_gateway() {
        beyond(text, page);
    }
}

/// Troubles that are told one by one.
const TROUBLES: usize = 2;

/// What became of frames on their way, and what made up for it; nothing in a healthy run.
fn went_wrong(text: &mut String, walk: &Walk, trace: &Trace) {
    // Only a wire of ours tells what it did. Of others it is seen that something came again.
    if !trace.notes().any(|note| note.layer == WIRE) {
        let again = walk.request.again + walk.answer.again;
        if again > 0 {
            let frames = if again == 1 { "1 frame".to_owned() } else { format!("{again} frames") };
            let _ = writeln!(text, "{frames} came again, for what was lost or damaged on the way.");
        }
        return;
    }
    let dissection = Dissection::of_trace(trace, ME, Limits::default());
    let troubles = trouble::all(&dissection);
    if troubles.len() > TROUBLES {
        wrapped(&in_figures(&dissection, &troubles), WIDTH).iter().for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
        return;
    }
    let red = AnsiColor::Red.on_default();
    for trouble in &troubles {
        let name = trouble.frame().map_or_else(String::new, |number| format!("frame {number}"));
        for (index, line) in wrapped(&trouble.sentences(&dissection), WIDTH - 10).iter().enumerate() {
            let name = if index == 0 { name.as_str() } else { "" };
            let _ = writeln!(text, "{red}{name:<9}{red:#} {line}");
        }
    }
}

/// Many troubles, counted.
fn in_figures(dissection: &Dissection, troubles: &[Trouble<'_>]) -> String {
    let became = |topic: &str| {
        let is_so = |trouble: &&Trouble<'_>| match trouble {
            Trouble::Frame(frame) => frame.deeds().iter().any(|deed| deed.topic == topic),
            Trouble::Astray(_) => topic == "lost",
        };
        troubles.iter().filter(is_so).count()
    };
    let is_again = |frame: &Frame<'_>| {
        frame.unusual().iter().any(|unusual| matches!(unusual.finding, Finding::Again { .. }))
    };
    let again = dissection.frames().filter(is_again).count();
    let all = [(became("lost"), "lost"), (became("damaged"), "damaged"), (again, "sent again")];
    let told: Vec<String> =
        all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    format!("Of the frames on my wire: {}. `framewise explain` tells of each.", told.join(", "))
}

/// What to try next: commands, and beside them what they are for where that fits.
fn next(text: &mut String, scene: &Scene, frame: usize) {
    // With other options frames have other numbers, and a password among them is not to be shown.
    let again = match scene.has_options {
        true => "the same with".to_owned(),
        false => format!("framewise fetch {}", for_a_shell(&scene.url)),
    };
    let flip = (format!("{again} --flip {frame}"), format!("damage frame {frame}"));
    let write = (format!("{again} -w page.pcapng"), "for Wireshark".to_owned());
    let commands: Vec<_> = Some(flip).filter(|_| !scene.is_flawed).into_iter().chain([write]).collect();
    let width = commands.iter().map(|(command, _)| command.chars().count() + 3).max().unwrap_or(0);
    for ((command, what), begin) in commands.iter().zip(["Next:  ", "       "]) {
        let _ = match begin.len() + width + what.len() <= WIDTH {
            true => writeln!(text, "{begin}{command:<width$}{what}"),
            false => writeln!(text, "{begin}{command}"),
        };
    }
}

/// A word as a shell takes it: quoted where a character of it would mean something.
fn for_a_shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/#@+,=%".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Where our frames came to an end, and who carried the page from there.
fn beyond(text: &mut String, page: &Page) {
    let what = match page.connection.tls {
        Some(_) => "only ciphertext",
        None => "the same bytes",
    };
    let _ =
        writeln!(text, "Our frames end at the gateway inside this program: it speaks TCP with us, and on");
    let _ = writeln!(text, "a socket of the operating system's with {}: {what}.", page.remote);
}

/// The frames that carried a message, and those that were damaged on the way.
fn frames(journey: &Journey) -> String {
    let carried = match journey.frames.as_slice() {
        [] => "no frame".to_owned(),
        [one] => format!("frame {one}"),
        [first, .., last] => format!("{} frames, {first} to {last}", journey.frames.len()),
    };
    match journey.refused.as_slice() {
        [] => carried,
        [one] => format!("{carried}; {one} was refused"),
        more => format!("{carried}; {} were refused", more.len()),
    }
}

fn count(numbers: &[usize]) -> String {
    match numbers.len() {
        1 => "1 frame".to_owned(),
        n => format!("{n} frames"),
    }
}

fn range(first: usize, last: usize) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    if millis < 1.0 && millis > 0.0 { format!("{millis:.1}") } else { format!("{millis:.0}") }
}
