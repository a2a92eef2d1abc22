//! The walk, as text for a terminal: at most 40 lines of 80 columns.
//!
//! It prints what [`framewise_trace::Walk`] found; no sentence about a protocol is made here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use framewise::Page;
use framewise_trace::walk::{Journey, Preparation, ServerSide, Step};
use framewise_trace::{Trace, Walk};
use serde_json::json;

/// Columns of a line.
const WIDTH: usize = 80;
/// Columns of the arrow, the number and the layer's name.
const NAME: usize = 14;
/// Columns of whoever gets it next, or of the picture.
const LAST: usize = 22;

/// Where a fetch takes place.
pub(crate) struct Scene {
    url: String,
    tap: Option<(String, String)>,
}

impl Scene {
    /// Inside this program.
    pub(crate) fn memory(url: &str) -> Self {
        Scene { url: url.to_owned(), tap: None }
    }

    /// On a TAP device; `names` says who turned names into addresses.
    pub(crate) fn tap(url: &str, tap: &str, names: String) -> Self {
        Scene { url: url.to_owned(), tap: Some((tap.to_owned(), names)) }
    }

    /// The other host, where it is in the same trace.
    pub(crate) fn server(&self) -> Option<&'static str> {
        self.tap.is_none().then_some(framewise::world::SERVER)
    }

    /// When the run began, since 1970.
    pub(crate) fn epoch(&self) -> Duration {
        match self.tap {
            None => Duration::from_secs(framewise::world::EPOCH),
            Some(_) => std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default(),
        }
    }

    fn headline(&self) -> String {
        match &self.tap {
            None => "Asked for one page, inside this program: no root, no real network.".to_owned(),
            Some((tap, names)) => format!(
                "Asked for one page over {tap}: our own layers, down to its frames.\nNames are known from {names}."
            ),
        }
    }
}

/// The walk of a page that was fetched.
pub(crate) fn render(page: &Page, walk: Option<&Walk>, trace: &Trace, scene: &Scene) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", scene.headline());
    let Some(walk) = walk else {
        let _ = writeln!(text, "{} bytes of page came; the recording is too short to show their way.", page.received);
        return text;
    };
    before(&mut text, walk);
    request(&mut text, walk, &page.url);
    if let Some(server) = &walk.server {
        at_server(&mut text, server);
    }
    answer(&mut text, walk, page);
    noticed(&mut text, trace);
    closing(&mut text, walk, scene);
    text
}

/// What is known of a fetch that failed.
pub(crate) fn failed(trace: &Trace, scene: &Scene) -> String {
    let mut text = String::new();
    let me = trace.host(crate::fetch::ME);
    let notes: Vec<_> = trace.notes().filter(|note| Some(note.host) == me).collect();
    if !notes.is_empty() {
        let _ = writeln!(text, "{}", scene.headline());
    }
    for note in notes.iter().rev().take(8).rev() {
        let _ = writeln!(text, "  {:<9} {}", note.layer, printable(&note.text));
    }
    noticed(&mut text, trace);
    text
}

fn before(text: &mut String, walk: &Walk) {
    let left = walk.request.at - walk.began;
    let all = walk.answer.at - walk.began;
    if walk.before.is_empty() {
        return;
    }
    heading(text, "BEFORE IT COULD LEAVE", &format!("{} of the {} ms", millis(left), millis(all)), "frames", "ms");
    for Preparation { protocol, text: said, frames, took } in &walk.before {
        let frames = frames.map_or_else(|| "-".to_owned(), |(first, last)| range(first, last));
        let style = style_of(protocol);
        let _ = writeln!(
            text,
            "  {style}{protocol:<5}{style:#} {:<53} {frames:>11} {:>6}",
            fit(said, 53),
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
    columns.title(text, "DOWN", &format!("my request, {}", frames(&journey.frames)), "adds", "total", &picture);
    columns.app(text, 'v', 1, &format!("fetch_page({:?})", url));
    for (index, step) in journey.steps.iter().enumerate() {
        if step.protocol == "TCP" {
            columns.beside(text, 'v', '+', journey, step.total - step.front);
        }
        let picture = scale.map_or(String::new(), |scale| picture_of(&journey.steps[..=index], scale));
        columns.step(text, ('v', index + 2), step, &format!("+{}", step.front + step.behind), step.total, &picture);
    }
    link(text, 'v', &format!("{} bytes leave at {} ms", journey.wire, millis(journey.at - walk.began)));
}

/// The same six steps upward, on the other side, and the answer's way down.
fn at_server(text: &mut String, server: &ServerSide) {
    let journey = &server.request;
    let columns = Columns::of(journey);
    columns.title(text, "THERE", &format!("the same six upward, at {}", server.name), "strips", "left", "who gets it next");
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
    columns.title(text, "UP", &format!("its answer, {}", frames(&journey.frames)), "strips", "left", "who gets it next");
    link(text, '^', &format!("{} bytes arrive, the last at {} ms", journey.wire, millis(journey.at - walk.began)));
    let mut number = 6;
    for step in journey.steps.iter().rev() {
        let left = step.total - stripped(step);
        columns.step(text, ('^', number), step, &format!("-{}", stripped(step)), left, &step.next);
        if step.protocol == "TCP" {
            columns.beside(text, '^', '-', journey, left - journey.beside.min(left));
        }
        number -= 1;
    }
    columns.app(text, '^', 1, &format!("all {} bytes of the page came: it is yours", page.received));
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

fn closing(text: &mut String, walk: &Walk, scene: &Scene) {
    let letter = walk.request.steps.first().map_or(0, |step| step.total);
    let envelopes = walk.request.wire.saturating_sub(letter + walk.request.beside);
    let beside = match walk.request.beside {
        0 => String::new(),
        bytes => format!(", {bytes} beside"),
    };
    let again = walk.request.again + walk.answer.again;
    let frames = match walk.request.frames.len() {
        1 => format!("a {}-byte frame", walk.request.wire),
        n => format!("{n} frames of {} bytes", walk.request.wire),
    };
    let _ = writeln!(text, "\n{letter} bytes of request travelled in {frames}: {envelopes} of envelopes{beside}.");
    if again > 0 {
        let frames = if again == 1 { "1 frame".to_owned() } else { format!("{again} frames") };
        let _ = writeln!(text, "{frames} came again, for what was lost on the way.");
    }
    let url = &scene.url;
    if scene.tap.is_none() {
        let frame = walk.request.frames.first().copied().unwrap_or(1);
        let flip = format!("framewise fetch {url} --flip {frame}");
        let capture = format!("framewise fetch {url} -w page.pcapng");
        let width = flip.chars().count().max(capture.chars().count()) + 3;
        let _ = writeln!(text, "Next:  {flip:<width$}damage frame {frame}");
        let _ = writeln!(text, "       {capture:<width$}for Wireshark");
        let _ = writeln!(text, "       {:<width$}the parts of a URL", format!("framewise url {url}"));
    }
}

/// How wide the columns of one table are.
struct Columns {
    says: usize,
    change: usize,
    total: usize,
}

impl Columns {
    fn of(journey: &Journey) -> Self {
        let change = journey.steps.iter().map(|step| digits(step.front + step.behind)).max().unwrap_or(0).max(5) + 1;
        let total = digits(journey.wire).max(4) + 2;
        Columns { says: WIDTH - NAME - change - total - LAST - 1, change, total }
    }

    fn title(&self, text: &mut String, title: &str, rest: &str, change: &str, total: &str, last: &str) {
        let bold = Style::new().bold();
        let width = NAME + self.says - title.len() - 2;
        let (change_width, total_width) = (self.change, self.total);
        let _ = writeln!(
            text,
            "{}{bold}{title}{bold:#}  {:<width$}{change:>change_width$}{total:>total_width$} {last:>LAST$}",
            if text.ends_with("\n\n") { "" } else { "\n" },
            fit(rest, width),
        );
    }

    fn step(&self, text: &mut String, (arrow, number): (char, usize), step: &Step, change: &str, total: u64, last: &str) {
        let style = style_of(step.protocol);
        let (says_width, change_width, total_width) = (self.says, self.change, self.total);
        let _ = writeln!(
            text,
            "{arrow} {number} {style}{:<9}{style:#} {:<says_width$}{change:>change_width$}{total:>total_width$} {}",
            step.protocol,
            fit(&step.says, says_width),
            painted(last),
        );
    }

    /// What travelled in the same frames, and is of something else.
    fn beside(&self, text: &mut String, arrow: char, sign: char, journey: &Journey, total: u64) {
        if journey.beside == 0 {
            return;
        }
        let grey = AnsiColor::BrightBlack.on_default();
        let (says_width, change_width, total_width) = (self.says, self.change, self.total);
        let change = format!("{sign}{}", journey.beside);
        let _ = writeln!(
            text,
            "{arrow}   {grey}{:<9} {:<says_width$}{grey:#}{change:>change_width$}{total:>total_width$}",
            "beside",
            fit("more of this connection", says_width),
        );
    }

    fn app(&self, text: &mut String, arrow: char, number: usize, says: &str) {
        let _ = writeln!(text, "{arrow} {number} {:<9} {}", "app", fit(says, WIDTH - NAME));
    }
}

fn link(text: &mut String, arrow: char, says: &str) {
    let grey = AnsiColor::BrightBlack.on_default();
    let _ = writeln!(text, "{arrow}   {grey}{:<9}{grey:#} {}", "link", fit(says, WIDTH - NAME));
}

/// Bytes for one letter of the picture; `None` where a picture says nothing, for more than one frame.
fn scale(journey: &Journey) -> Option<u64> {
    let one = journey.frames.len() == 1;
    one.then(|| journey.wire.div_ceil(LAST as u64 - 3).max(1))
}

/// The envelopes so far, a letter for each `scale` bytes: `EEIIITTTSHHHHHHSSS`.
fn picture_of(steps: &[Step], scale: u64) -> String {
    let letters = |step: &Step, bytes: u64| {
        let count = if bytes == 0 { 0 } else { (bytes / scale).max(1) };
        letter_of(step.protocol).to_string().repeat(count as usize)
    };
    let mut picture = String::new();
    for (index, step) in steps.iter().enumerate() {
        let front = if index == 0 { step.total } else { step.front };
        picture = format!("{}{picture}{}", letters(step, front), letters(step, step.behind));
    }
    picture
}

/// The letter of a layer, so that nothing is lost without colour.
fn letter_of(protocol: &str) -> char {
    match protocol {
        "TLS" => 'S',
        "Ethernet" => 'E',
        other => other.chars().next().unwrap_or('?'),
    }
}

/// One hue for each layer, the same everywhere.
fn style_of(protocol: &str) -> Style {
    let color = match protocol {
        "HTTP" => AnsiColor::Yellow,
        "TLS" => AnsiColor::Magenta,
        "TCP" | "UDP" | "DNS" => AnsiColor::Cyan,
        "IPv4" | "IPv6" | "ICMP" | "ICMPv6" | "NDP" => AnsiColor::Green,
        _ => AnsiColor::Blue,
    };
    color.on_default()
}

/// A last column, right-aligned; the letters of a picture in their layers' colours.
fn painted(last: &str) -> String {
    let is_picture = !last.is_empty() && last.chars().all(|c| "HSTIE".contains(c));
    let padding = " ".repeat(LAST.saturating_sub(last.chars().count()));
    if !is_picture {
        return format!("{padding}{}", fit(last, LAST));
    }
    let mut text = padding;
    for letter in last.chars() {
        let style = style_of(match letter {
            'H' => "HTTP",
            'S' => "TLS",
            'T' => "TCP",
            'I' => "IPv4",
            _ => "Ethernet",
        });
        let _ = write!(text, "{style}{letter}{style:#}");
    }
    text
}

fn frames(numbers: &[usize]) -> String {
    match numbers {
        [] => "no frame".to_owned(),
        [one] => format!("frame {one}"),
        [first, .., last] => format!("{} frames, {first} to {last}", numbers.len()),
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

fn digits(number: u64) -> usize {
    number.to_string().len()
}

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    if millis < 1.0 && millis > 0.0 { format!("{millis:.1}") } else { format!("{millis:.0}") }
}

/// At most `width` characters, what is cut marked; control characters shown.
fn fit(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= width {
        return text;
    }
    let kept: String = text.chars().take(width.saturating_sub(2)).collect();
    format!("{kept}..")
}

/// Text in which nothing commands a terminal.
fn printable(text: &str) -> String {
    let bidi = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || bidi(c) { '\u{fffd}' } else { c }).collect()
}

/// The facts of a page and the walk, for programs.
pub(crate) fn as_json(page: &Page, walk: Option<&Walk>) -> String {
    let headers: Vec<_> = page
        .head
        .headers
        .iter()
        .map(|(name, value)| json!([name, String::from_utf8_lossy(value)]))
        .collect();
    let tls = page.connection.tls.as_ref().map(|tls| {
        json!({
            "version": tls.version, "cipher_suite": tls.cipher_suite, "alpn": tls.alpn,
            "server_name": tls.server_name, "resumed": tls.resumed, "verified": tls.verified,
        })
    });
    let micros = |at: framewise::core::Instant| (at - page.timings.started).as_micros() as u64;
    json!({
        "format": "framewise-fetch", "version": 1,
        "url": page.url,
        "status": page.head.status.as_u16(), "reason": page.head.reason, "headers": headers,
        "body_bytes": page.received,
        "local": page.connection.local.to_string(), "remote": page.remote.to_string(), "tls": tls,
        "microseconds": {
            "resolved": micros(page.timings.resolved), "connected": micros(page.timings.connected),
            "head": micros(page.timings.head), "complete": micros(page.timings.complete),
        },
        "walk": walk.map(walk_json),
    })
    .to_string()
}

fn walk_json(walk: &Walk) -> serde_json::Value {
    let before: Vec<_> = walk
        .before
        .iter()
        .map(|p| json!({ "protocol": p.protocol, "text": p.text, "frames": p.frames, "microseconds": p.took.as_micros() as u64 }))
        .collect();
    json!({
        "before": before,
        "request": journey_json(&walk.request),
        "server": walk.server.as_ref().map(|server| json!({
            "name": server.name,
            "request": journey_json(&server.request), "answer": journey_json(&server.answer),
        })),
        "answer": journey_json(&walk.answer),
        "frames": walk.frames,
    })
}

fn journey_json(journey: &Journey) -> serde_json::Value {
    let step = |step: &Step| {
        json!({
            "protocol": step.protocol, "says": step.says, "next": step.next,
            "front": step.front, "behind": step.behind, "total": step.total,
        })
    };
    json!({
        "direction": journey.direction.to_string(), "frames": journey.frames, "again": journey.again,
        "wire_bytes": journey.wire, "steps": journey.steps.iter().map(step).collect::<Vec<_>>(),
    })
}
