//! How both ends of each TCP connection stand, followed while a trace is written: what each frame changes.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use framewise_core::seams::segment::TCP;
use framewise_core::{Direction, Instant};
use framewise_ethernet::Link;
use framewise_tcp::passive::{End, Ends, Known, Seen, Side, State};
use framewise_tcp::segment::Flags;
use framewise_tcp::{Checksum, Flow, Header};

use super::lines::Lines;
use super::recent::Recent;
use crate::dissect::{Outline, begun_by};

/// Connections that are followed at a time.
const MOST: usize = 4_096;

/// The ends as they were told last.
#[derive(Debug)]
pub(super) struct EndsTold {
    followed: Recent<(SocketAddr, SocketAddr), Followed>,
    /// The last frame's segment, until it is known whether it was taken.
    last: Option<Last>,
}

#[derive(Debug)]
struct Followed {
    client: SocketAddr,
    server: SocketAddr,
    flow: Flow,
    ends: Ends,
}

#[derive(Debug)]
struct Last {
    key: (SocketAddr, SocketAddr),
    source: SocketAddr,
    destination: SocketAddr,
    header: Header,
    payload: usize,
    frame: u64,
    now: Instant,
    direction: Direction,
    is_lost: bool,
}

impl EndsTold {
    pub(super) fn new() -> Self {
        EndsTold { followed: Recent::new(MOST), last: None }
    }

    /// Takes a frame; what it changed is told by [`settle`](Self::settle), when it is known what became of it.
    pub(super) fn frame(&mut self, bytes: &[u8], frame: u64, now: Instant, direction: Direction) {
        self.last = last(bytes, frame, now, direction);
    }

    /// The frame of this number, if it is the last, was lost on its way.
    pub(super) fn was_lost(&mut self, frame: u64) {
        self.last.iter_mut().filter(|last| last.frame == frame).for_each(|last| last.is_lost = true);
    }

    /// Something was refused; if it is the last frame, it was that.
    pub(super) fn was_refused(&mut self, frame: u64) {
        let came = |last: &&mut Last| last.frame == frame && last.direction == Direction::Inbound;
        self.last.iter_mut().filter(came).for_each(|last| last.is_lost = true);
    }

    /// Tells what the last frame has changed.
    pub(super) fn settle(&mut self, lines: &mut Lines) {
        // Of a damaged segment nobody knows whose it is, nor what it says.
        let Some(last) = self.last.take().filter(|last| !last.is_damaged()) else { return };
        let begins = last.header.has(Flags::SYN) && !last.header.has(Flags::ACK);
        if begins && self.followed.peek(&last.key).is_some_and(|followed| !followed.begins_with(&last)) {
            self.followed.remove(&last.key);
        }
        let followed = self.followed.entry(last.key, || Followed::begun_by(&last));
        let before = followed.ends.clone();
        followed.observe(&last);
        for (side, name) in [(Side::Client, "client"), (Side::Server, "server")] {
            let set = changes(before.of(side), followed.ends.of(side));
            if !set.is_empty() {
                lines.state(last.frame, last.now, name, [&followed.client, &followed.server], &set);
            }
        }
        if followed.is_over() {
            // What is late may still come: it is not forgotten at once.
            self.followed.retire(last.key);
        }
    }
}

/// The segment of a frame; of a part of one, nothing is followed.
fn last(bytes: &[u8], frame: u64, now: Instant, direction: Direction) -> Option<Last> {
    let outline = Outline::of(Link::Ethernet, bytes).filter(|outline| outline.protocol == TCP)?;
    let segment = bytes.get(outline.payload.clone()).filter(|_| outline.fragment.is_none())?;
    let header = Header::parse(segment).ok()?;
    let checksum = Checksum::of(segment, outline.length, outline.source, outline.destination);
    let source = SocketAddr::new(outline.source, header.source_port);
    let destination = SocketAddr::new(outline.destination, header.destination_port);
    Some(Last {
        key: (source.min(destination), source.max(destination)),
        source,
        destination,
        payload: outline.length.saturating_sub(header.length),
        header,
        frame,
        now,
        direction,
        is_lost: checksum == Checksum::Wrong,
    })
}

impl Last {
    /// Whether it came damaged, or was refused here.
    fn is_damaged(&self) -> bool {
        self.is_lost && self.direction == Direction::Inbound
    }
}

impl Followed {
    fn begun_by(last: &Last) -> Self {
        let (_, [client, server]) = begun_by(&last.header, [last.source, last.destination]);
        Followed { client, server, flow: Flow::default(), ends: Ends::default() }
    }

    /// Whether the same SYN had begun it.
    fn begins_with(&self, last: &Last) -> bool {
        let mut flow = self.flow.clone();
        let facts = flow.observe(last.source, last.destination, &last.header, last.payload);
        last.source == self.client
            && facts.sequence == 0
            && facts.order == framewise_tcp::analysis::Order::Again
    }

    /// Whether both ends have closed.
    fn is_over(&self) -> bool {
        let is_closed = |side| {
            let state = self.ends.of(side).state.map(|known| known.value);
            matches!(state, Some(State::Closed | State::TimeWait))
        };
        is_closed(Side::Client) && is_closed(Side::Server)
    }

    fn observe(&mut self, last: &Last) {
        let side = if last.source == self.client { Side::Client } else { Side::Server };
        let facts = self.flow.observe(last.source, last.destination, &last.header, last.payload);
        let time = Some(Duration::from_nanos(last.now.as_nanos()));
        let seen = Seen::of(&last.header, last.payload, facts, side);
        self.ends.observe(&seen.caught(Some(last.direction), time, last.is_lost));
    }
}

/// What is known of an end now and was not known before, as members of a JSON object. What is inferred has a `?` behind its
/// name.
fn changes(before: &End, after: &End) -> String {
    let mut set = String::new();
    let mut member = |name: &str, inferred: bool, value: &dyn std::fmt::Display| {
        let comma = if set.is_empty() { "" } else { "," };
        let mark = if inferred { "?" } else { "" };
        let _ = write!(set, "{comma}\"{name}{mark}\":{value}");
    };
    if let Some(Known { value, inferred }) = after.state.filter(|_| before.state != after.state) {
        member("state", inferred, &format_args!("\"{value}\""));
    }
    let numbers = [
        ("SND.UNA", before.unacknowledged, after.unacknowledged),
        ("SND.NXT", before.next.map(sure), after.next.map(sure)),
        ("SND.WND", before.send_window, after.send_window),
        ("RCV.NXT", before.expected, after.expected),
        ("RCV.WND", before.receive_window.map(sure), after.receive_window.map(sure)),
        ("MSS", before.maximum_segment_size.map(wide), after.maximum_segment_size.map(wide)),
        ("window_scale", before.window_scale.map(wide), after.window_scale.map(wide)),
    ];
    for (name, before, after) in numbers {
        if let Some(Known { value, inferred }) = after.filter(|_| before != after) {
            member(name, inferred, &value);
        }
    }
    // Seen from the other end, an answer takes no time.
    if let Some(trip) =
        after.round_trip().filter(|_| after.is_here && before.round_trip() != after.round_trip())
    {
        member("round_trip_ns", false, &trip.last.as_nanos());
    }
    set
}

fn sure(value: u32) -> Known<u32> {
    Known { value, inferred: false }
}

fn wide(value: impl Into<u32>) -> Known<u32> {
    sure(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    const SERVER: [u8; 4] = [203, 0, 113, 80];

    /// What is told of a segment that is sent from this address; with no flags, it brings ten bytes.
    fn told(ends: &mut EndsTold, frame: u64, client: [u8; 4], number: u32, flags: &str) -> String {
        let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let mut tcp = ethernet.ipv4(client, SERVER, 64).tcp(49_152, 80, number, 1_000);
        for flag in flags.chars() {
            tcp = if flag == 'S' { tcp.syn() } else { tcp.rst() };
        }
        let payload: &[u8] = if flags.is_empty() { &[b'a'; 10] } else { &[] };
        let mut bytes = Vec::new();
        tcp.write(&mut bytes, payload).expect("memory can be written");
        ends.frame(&bytes, frame, Instant::from_millis(frame), Direction::Outbound);
        let mut lines = Lines::default();
        ends.settle(&mut lines);
        lines.text().to_owned()
    }

    #[test]
    fn connections_that_are_in_use_are_followed_however_many_there_were() {
        let mut ends = EndsTold::new();
        let (smallest, idle) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        told(&mut ends, 1, idle, 1_000, "S");
        for other in 0..2 * MOST as u64 {
            let [.., high, low] = (other as u16).to_be_bytes();
            told(&mut ends, 3 * other + 2, [192, 0, high, low], 1_000, "S");
            let closed = told(&mut ends, 3 * other + 3, [192, 0, high, low], 1_001, "R");
            assert!(closed.contains("CLOSED"), "{closed}");
            if other == MOST as u64 {
                told(&mut ends, 3 * other + 4, smallest, 1_000, "S");
            }
        }
        let last = 6 * MOST as u64 + 10;
        told(&mut ends, last, smallest, 1_000, "S");
        for client in [smallest, idle] {
            let set = told(&mut ends, last + 1, client, 1_101, "");
            assert!(set.contains("\"SND.NXT\":111"), "it counts from its SYN: {set}");
        }
    }
}
