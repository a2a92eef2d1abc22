//! The walk of one fetch: what had to happen first, the request's way down and up, the answer's way down and up.
//!
//! Everything in it is read out of a [`Trace`]; the sentences are those of the layers' own
//! [descriptions](framewise_core::describe) and notes. A view only has to print it.

mod envelope;
mod journey;

use std::time::Duration;

use framewise_core::{Direction, Instant};
use framewise_tls::Context;

pub use journey::{Journey, Step, SuperFrame};

use crate::trace::{Event, HostId, Trace};

/// The walk of the last exchange in a trace: the one that a fetch has its page of, wherever redirects led before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// What had to happen before the request could leave.
    pub before: Vec<Preparation>,
    /// The request's way down, on the client.
    pub request: Journey,
    /// The request's way up and the answer's way down, on the server, where the trace holds it.
    pub server: Option<ServerSide>,
    /// The answer's way up, on the client.
    pub answer: Journey,
    /// When the fetch began.
    pub began: Instant,
    /// Frames of the client on the wire, all together.
    pub frames: usize,
}

/// What the other host did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSide {
    /// Its name.
    pub name: String,
    /// The request's way up.
    pub request: Journey,
    /// The answer's way down.
    pub answer: Journey,
}

/// Something that had to happen first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// The protocol: `ARP`, `DNS`, `TCP`, `TLS`; `HTTP` for a response that was not the page, but led to it.
    pub protocol: &'static str,
    /// What came of it, in the layer's own words.
    pub text: String,
    /// The frames that it took, numbered from 1: first and last; `None` if it took none.
    pub frames: Option<(usize, usize)>,
    /// How long it took.
    pub took: Duration,
}

impl Walk {
    /// The walk of the last exchange that `client` opened in this trace; `None` where it has none that was answered.
    /// `server` is the other host, where the trace holds it, and `peer` what the client calls it: a name or an address.
    pub fn of(trace: &Trace, client: &str, server: Option<&str>, peer: &str) -> Option<Walk> {
        let host = trace.host(client)?;
        let begin = find_last(trace, host, Direction::Outbound, "request", trace.events().len())?;
        let end =
            find(trace, host, Direction::Inbound, "end", begin).map_or(trace.events().len(), |at| at + 1);
        let context = Context { unchecked: is_unchecked(trace, host, end), ..context_of(peer) };
        let request = journey::journey(trace, host, Direction::Outbound, begin, end, &context)?;
        let answer = journey::journey(trace, host, Direction::Inbound, begin, end, &context)?;
        let first = trace.events().iter().position(|event| host_of(event) == host).unwrap_or(0);
        Some(Walk {
            before: before(trace, host, request.frames.first().copied()?),
            server: server.and_then(|name| server_side(trace, name, client)),
            began: time_of(&trace.events()[first]),
            frames: trace.frames(client).map(|frame| trace.wire_frames(frame)).sum(),
            request,
            answer,
        })
    }
}

fn server_side(trace: &Trace, name: &str, client: &str) -> Option<ServerSide> {
    let host = trace.host(name)?;
    let came = find_last(trace, host, Direction::Inbound, "request", trace.events().len())?;
    // Its first bytes came before it was known to be a request, and after the end of the one before.
    let begin = find_last(trace, host, Direction::Inbound, "closed", came).unwrap_or(0);
    let answered = find(trace, host, Direction::Outbound, "respond", came)?;
    let end = find(trace, host, Direction::Inbound, "closed", answered).unwrap_or(trace.events().len());
    Some(ServerSide {
        name: name.to_owned(),
        request: journey::journey(trace, host, Direction::Inbound, begin, answered, &context_of(client))?,
        answer: journey::journey(trace, host, Direction::Outbound, answered, end, &context_of(client))?,
    })
}

/// What is known of this peer's TLS beside the bytes.
fn context_of(peer: &str) -> Context {
    Context { peer: Some(peer.to_owned()), ..Context::default() }
}

/// Whether, before event `end`, the host's last handshake was one in which nobody checked with whom.
fn is_unchecked(trace: &Trace, host: HostId, end: usize) -> bool {
    let notes = trace.events()[..end].iter().rev().filter_map(|event| match event {
        Event::Note(note) if note.host == host && note.layer == "tls" && note.topic == "handshake" => {
            Some(note)
        }
        _ => None,
    });
    notes.map(|note| note.text == framewise_tls::describe::UNCHECKED).next().unwrap_or(false)
}

/// Where, from event `from` on, `host` said this on the exchange seam.
fn find(trace: &Trace, host: HostId, direction: Direction, kind: &str, from: usize) -> Option<usize> {
    let is_it = |event: &Event| says(event, host, direction, kind);
    trace.events().iter().skip(from).position(is_it).map(|n| from + n)
}

/// Where, before event `end`, `host` said this last.
fn find_last(trace: &Trace, host: HostId, direction: Direction, kind: &str, end: usize) -> Option<usize> {
    trace.events()[..end].iter().rposition(|event| says(event, host, direction, kind))
}

fn says(event: &Event, host: HostId, direction: Direction, kind: &str) -> bool {
    let Event::Crossing(c) = event else { return false };
    c.host == host && c.seam == "exchange" && c.direction == direction && c.kind == kind
}

/// What was resolved, connected and agreed on before the frame of this number left.
fn before(trace: &Trace, host: HostId, request: usize) -> Vec<Preparation> {
    let mut preparations = Vec::new();
    let mut since: Option<Instant> = None;
    let mut frames: Vec<(usize, &'static str)> = Vec::new();
    let mut number = 0;
    for event in trace.events().iter().filter(|event| host_of(event) == host) {
        let began = *since.get_or_insert(time_of(event));
        match event {
            Event::Crossing(c) if c.is_on_the_wire() => {
                let first = number + 1;
                number += trace.wire_frames(c);
                if number >= request {
                    break;
                }
                let protocol = envelope::protocol(trace.bytes(c));
                frames.extend((first..=number).map(|number| (number, protocol)));
            }
            Event::Note(note) => {
                let Some(protocol) = protocol_of(note.layer, note.topic, &frames) else { continue };
                preparations.push(Preparation {
                    protocol,
                    text: note.text.clone(),
                    frames: frames.first().zip(frames.last()).map(|(first, last)| (first.0, last.0)),
                    took: note.now - began,
                });
                since = Some(note.now);
                frames.clear();
            }
            _ => {}
        }
    }
    preparations
}

/// Which protocol a note is the outcome of; `None` for one that is no step of its own.
fn protocol_of(layer: &str, topic: &str, frames: &[(usize, &'static str)]) -> Option<&'static str> {
    match (layer, topic) {
        ("ethernet", "resolved") => Some(frames.last().map_or("ARP", |(_, protocol)| protocol)),
        ("dns", "resolved") => Some("DNS"),
        ("tcp", "connected") => Some("TCP"),
        ("tls", "handshake") => Some("TLS"),
        ("app", "redirect" | "retry") => Some("HTTP"),
        _ => None,
    }
}

fn host_of(event: &Event) -> HostId {
    match event {
        Event::Crossing(crossing) => crossing.host,
        Event::Note(note) => note.host,
        Event::Drop(dropped) => dropped.host,
        Event::Secret(secret) => secret.host,
    }
}

fn time_of(event: &Event) -> Instant {
    match event {
        Event::Crossing(crossing) => crossing.now,
        Event::Note(note) => note.now,
        Event::Drop(dropped) => dropped.now,
        Event::Secret(secret) => secret.now,
    }
}
