//! All frames, a line each; then the connections and what was said in them.

use std::fmt::Write as _;

use anstyle::Style;
use framewise::core::Direction;
use framewise::http::body::Framing;
use framewise::http::passive::{End, Message, Start};
use framewise::tcp::passive::Finding;
use framewise_trace::dissect::{Connection, Dissection, Frame, Side, Unusual};

use super::trouble;
use crate::subject::{frame_number, interesting, time};
use crate::table::{WIDTH, style_of};
use framewise_trace::words::{cut, wrapped};

/// Frames of which each has a line; of more, the first and the last.
const SHOWN: usize = 200;

pub(super) fn render(dissection: &Dissection, what: &str) -> String {
    let mut text = String::new();
    let bold = Style::new().bold();
    let _ = writeln!(
        text,
        "{bold}{:>5} {:>10}    {:<9} {:<44} {:>5}{bold:#}",
        "frame", "ms", "layer", "what it says", "bytes"
    );
    let left_out = dissection.len().saturating_sub(SHOWN);
    for frame in dissection.frames() {
        if left_out > 0 && frame.number() == SHOWN / 2 + 1 {
            let _ = writeln!(text, "  ... {left_out} frames more ...");
        }
        let is_left_out = left_out > 0 && (SHOWN / 2 + 1..=SHOWN / 2 + left_out).contains(&frame.number());
        if !is_left_out {
            line(&mut text, dissection, &frame);
        }
    }
    if dissection.connections().len() > 0 {
        let _ = writeln!(text, "\n{bold}Connections{bold:#}");
    }
    dissection.connections().for_each(|connection| connection_lines(&mut text, dissection, &connection));
    trouble::of_all(&mut text, dissection);
    troubles(&mut text, dissection);
    if !dissection.is_empty() {
        let _ = writeln!(text, "\nNext:  framewise explain {what} --frame {}", interesting(dissection));
    }
    text
}

/// One frame.
fn line(text: &mut String, dissection: &Dissection, frame: &Frame<'_>) {
    let summary = frame.summary();
    let (protocol, says) = summary.split_once(": ").unwrap_or(("", &summary));
    let is_again = |unusual: &Unusual| unusual.is_trouble && matches!(unusual.finding, Finding::Again { .. });
    let again = frame.unusual().iter().any(is_again);
    let says = if again { format!("again: {says}") } else { says.to_owned() };
    let style = style_of(protocol);
    let _ = writeln!(
        text,
        "{:>5} {:>10} {} {style}{:<9}{style:#} {:<44} {:>5}",
        frame.number(),
        time(dissection, frame),
        arrow(frame),
        cut(protocol, 9),
        cut(&says, 44),
        frame.original_length(),
    );
}

/// Which way a frame went: out is `>`.
pub(super) fn arrow(frame: &Frame<'_>) -> char {
    match (frame.direction(), frame.segment().map(|segment| segment.side)) {
        (Some(Direction::Outbound), _) | (None, Some(Side::Client)) => '>',
        (Some(Direction::Inbound), _) | (None, Some(Side::Server)) => '<',
        (None, None) => ' ',
    }
}

/// One connection, and the requests and responses in it.
fn connection_lines(text: &mut String, dissection: &Dissection, connection: &Connection<'_>) {
    let tls = connection.tls().map(|facts| {
        let other = facts.protocol.clone().filter(|protocol| !protocol.starts_with("http/"));
        let known = [facts.version_name(), facts.cipher_suite_name(), facts.server_name.clone(), other];
        known.into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    let ends = format!("{} > {}", connection.client(), connection.server());
    let _ = writeln!(text, "  {:>3}  {}", connection.id().0 + 1, cut(&ends, WIDTH - 7));
    if let Some(tls) = tls.filter(|known| !known.is_empty()) {
        let style = style_of("TLS");
        let _ = writeln!(text, "       {style}TLS{style:#}   {}", cut(&tls, WIDTH - 13));
    }
    for exchange in connection.exchanges() {
        if let Some(request) = exchange.request {
            message_line(text, dissection, connection, exchange.asks, request);
        }
        for response in exchange.responses {
            message_line(text, dissection, connection, exchange.asks.other(), response);
        }
    }
}

fn message_line(
    text: &mut String,
    dissection: &Dissection,
    connection: &Connection<'_>,
    side: Side,
    message: &Message,
) {
    let said = match &message.start {
        Start::Request { method, target } => format!("{method} {target}"),
        Start::Response { status } => format!("{status}"),
    };
    let place = connection.stream(side).place(&message.range);
    let carriers = dissection.frames_of(&place);
    let first = carriers.iter().filter(|carrier| !carrier.again);
    let frames = || first.clone().filter_map(|carrier| frame_number(&carrier.at));
    let frames = match (frames().min(), frames().max()) {
        (Some(first), Some(last)) if first == last => format!("frame {first}"),
        (Some(first), Some(last)) => format!("frames {first} to {last}"),
        _ => "in no frame".to_owned(),
    };
    let body: u64 = message.body.iter().map(|range| range.end - range.start).sum();
    let seen = seen(message, body);
    let sizes = format!("{} + {seen} bytes, {frames}", message.head.end - message.head.start);
    let style = style_of("HTTP");
    let room = WIDTH - 14 - sizes.len().min(WIDTH - 20);
    let _ = writeln!(text, "       {style}HTTP{style:#}  {:<room$} {sizes}", cut(&said, room));
}

/// How many bytes of its body were seen, and of how many: those that its `Content-Length` promises, if it ends before.
fn seen(message: &Message, body: u64) -> String {
    let all = match (message.end, message.framing) {
        (End::CutShort, Framing::Length(promised)) => promised,
        _ => body,
    };
    match body.saturating_sub(message.missing) {
        seen if seen == all => seen.to_string(),
        seen => format!("{seen} of {all}"),
    }
}

/// What could not be read, or was too much.
pub(super) fn troubles(text: &mut String, dissection: &Dissection) {
    if let Some(damage) = dissection.damage() {
        text.push('\n');
        for line in wrapped(&format!("The capture breaks off here: {damage}"), WIDTH) {
            let _ = writeln!(text, "{line}");
        }
    }
    let left_out = dissection.left_out();
    for (count, what) in [
        (left_out.frames, "frames were more than is held, and left out"),
        (left_out.segments, "segments were of connections that are not followed"),
        (left_out.fragments, "fragments were not put together"),
        (left_out.comments, "comments were left out"),
        (left_out.secrets, "secrets were left out"),
    ] {
        if count > 0 {
            let _ = writeln!(text, "{count} {what}.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_held_against_its_content_length() {
        let mut message = Message {
            start: Start::Response { status: 200 },
            head: 0..64,
            body: std::iter::once(64..164).collect(),
            range: 0..164,
            framing: Framing::Length(1_000),
            broken: None,
            end: End::CutShort,
            missing: 20,
            answers: None,
        };
        assert_eq!(seen(&message, 100), "80 of 1000");
        message.end = End::Complete;
        assert_eq!(seen(&message, 100), "80 of 100");
        message.missing = 0;
        assert_eq!(seen(&message, 100), "100");
    }
}
