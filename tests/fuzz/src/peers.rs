//! TCP alone behind the segment seam: a server, an honest client, and a peer whose segments the fuzzer alters and forges.
//!
//! Whatever the hostile peer does, the honest one's bytes arrive in both directions, and the seam's books are kept.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise::core::id::{ConnId, Opener};
use framewise::core::seams::segment::{
    ErrorKind, Segment, SegmentControl, SegmentDown, SegmentError, SegmentEvent, SegmentUp, SourceRoute, TCP,
};
use framewise::core::seams::stream::{CloseReason, Endpoint, Security, StreamDown, StreamUp};
use framewise::core::time::earliest;
use framewise::core::{Buf, Counters, Cx, Instant, Layer, Rng};
use framewise::tcp::segment::{Flags, Header};
use framewise::tcp::{Config, SeqNumber, Tcp};

use crate::input::Input;
use crate::kept::Kept;
use crate::mend;

const SERVER: usize = 0;
const HONEST: usize = 1;
const HOSTILE: usize = 2;

/// Bytes that the honest client and the server say to each other.
const LENGTH: usize = 30_000;
/// Connections of the server at a time.
const MOST_CONNECTIONS: usize = 8;
/// More moves than one moment begets.
const MOST_MOVES: usize = 100_000;

/// Runs the target: each act of the hostile peer is a few bytes.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut net = Net::new(usize::from(input.byte()) * 64);
    let mut acts = 0;
    while !input.is_empty() && acts < 100 {
        acts += 1;
        net.act(&mut input);
    }
    let end = net.now + Duration::from_secs(3_600);
    while net.now < end && net.advance(end) {}
    let bytes = body(LENGTH);
    let honest = net.hosts[HONEST].streams.values().next().expect("the honest client has a connection");
    assert_eq!(honest.closed, Some(CloseReason::Finished), "the honest client's connection ends well");
    assert!(honest.received == bytes, "the server's bytes arrive: {} of {LENGTH}", honest.received.len());
    let served =
        net.hosts[SERVER].streams.values().find(|stream| stream.remote == Some(net.hosts[HONEST].address));
    assert!(served.expect("it was served").received == bytes, "the honest client's bytes arrive");
}

fn body(length: usize) -> Vec<u8> {
    crate::rig::body(length)
}

/// What a user knows of a connection.
#[derive(Default)]
struct Stream {
    remote: Option<IpAddr>,
    received: Vec<u8>,
    to_send: Bytes,
    closing: bool,
    writable: usize,
    closed: Option<CloseReason>,
}

struct Host {
    tcp: Kept<Tcp>,
    address: IpAddr,
    counters: Counters,
    streams: BTreeMap<ConnId, Stream>,
    /// How much is granted to whoever is not honest.
    appetite: usize,
}

struct Net {
    hosts: [Host; 3],
    now: Instant,
    wire: VecDeque<(Instant, Segment)>,
    /// What the hostile peer sent last, to make others of.
    heard: Option<Segment>,
    /// The last segment of the honest client, of which forgers know the four-tuple.
    honest: Option<Segment>,
    /// The sequence number of what the server sent last to the honest client.
    answered: u32,
    next: u32,
}

impl Net {
    fn new(appetite: usize) -> Self {
        let config = Config {
            max_connections: MOST_CONNECTIONS,
            backlog: 4,
            receive_window: 256 << 10,
            ..Config::default()
        };
        let host = |last: u8| Host {
            tcp: Kept::new(Tcp::new(config.clone(), Rng::from_seed(u64::from(last)))),
            address: Ipv4Addr::new(192, 0, 2, last).into(),
            counters: Counters::default(),
            streams: BTreeMap::new(),
            appetite,
        };
        let hosts = [host(80), host(10), host(66)];
        let (now, wire) = (Instant::from_millis(1), VecDeque::new());
        let mut net = Net { hosts, now, wire, heard: None, honest: None, answered: 0, next: 0 };
        let endpoint = Endpoint { address: None, port: 80 };
        net.say(SERVER, StreamDown::Listen { endpoint, security: Security::Plain });
        net.connect(HONEST);
        net.connect(HOSTILE);
        net.elapse(Duration::from_millis(20));
        net
    }

    fn connect(&mut self, host: usize) {
        let conn = ConnId::new(Opener::Upper, self.next, 0);
        self.next += 1;
        let to_send = if host == HONEST { body(LENGTH) } else { body(3_000) };
        let stream = Stream { to_send: to_send.into(), ..Stream::default() };
        self.hosts[host].streams.insert(conn, stream);
        let remote = SocketAddr::new(self.hosts[SERVER].address, 80);
        self.say(host, StreamDown::Connect { conn, remote, security: Security::Plain });
    }

    /// One act of the hostile peer.
    fn act(&mut self, input: &mut Input<'_>) {
        match input.byte() % 8 {
            0 => self.connect_again(),
            1 => self.elapse(Duration::from_millis(u64::from(input.word()))),
            2 => self.forge(input),
            3 => self.complain(input),
            _ => self.alter(input),
        }
    }

    fn connect_again(&mut self) {
        if self.hosts[HOSTILE].streams.len() < 2 * MOST_CONNECTIONS {
            self.connect(HOSTILE);
        }
        self.elapse(Duration::from_millis(10));
    }

    /// The last segment of the hostile peer once more, with another header and payload.
    fn alter(&mut self, input: &mut Input<'_>) {
        let Some(last) = &self.heard else { return };
        let Ok(mut header) = Header::parse(last) else { return };
        let how = input.byte();
        let shifted = |number: SeqNumber, by: u16, far: bool| {
            let by = i32::from(by as i16) << if far { 12 } else { 0 };
            SeqNumber(number.0.wrapping_add_signed(by))
        };
        if how & 1 != 0 {
            header.sequence = shifted(header.sequence, input.word(), how & 2 != 0);
        }
        if how & 4 != 0 {
            header.acknowledgment = shifted(header.acknowledgment, input.word(), how & 2 != 0);
        }
        if how & 8 != 0 {
            header.flags = Flags(header.flags.0 ^ input.byte());
        }
        if how & 16 != 0 {
            header.window = input.word();
        }
        if how & 32 != 0 {
            header.options.maximum_segment_size = Some(input.word()).filter(|size| *size > 0);
            header.options.window_scale = Some(input.byte() % 20);
            header.options.timestamps = Some((input.long(), 0));
        }
        if how & 64 != 0 {
            header.source_port = header.source_port.wrapping_add(u16::from(input.byte()));
        }
        let payload = if how & 128 != 0 { input.below(4_000) } else { 0 };
        let source = last.source();
        self.throw(source, &header, &body(payload));
    }

    /// Somebody who knows the honest connection's four-tuple, and nothing of its numbers, says something in its name.
    fn forge(&mut self, input: &mut Input<'_>) {
        let Some(last) = &self.honest else { return };
        let Ok(mut header) = Header::parse(last) else { return };
        let far = 1 << 24 | (input.long() % (1 << 30));
        header.sequence = SeqNumber(header.sequence.0.wrapping_add(far));
        header.acknowledgment = SeqNumber(input.long());
        header.flags = Flags(input.byte());
        header.window = input.word();
        let source = last.source();
        let payload = body(input.below(1_000));
        self.throw(source, &header, &payload);
    }

    /// A router says something about what the server sent to the honest client: a hint at most, for an open connection (RFC
    /// 5927, section 4.2).
    fn complain(&mut self, input: &mut Input<'_>) {
        let Some(port) =
            self.honest.as_ref().and_then(|last| Header::parse(last).ok()).map(|last| last.source_port)
        else {
            return;
        };
        let mtu = 576 + input.below(2_000);
        let kinds = [ErrorKind::PortUnreachable, ErrorKind::HostUnreachable, ErrorKind::TooBig { mtu }];
        let kind = kinds[usize::from(input.byte()) % kinds.len()];
        let sequence = self.answered.wrapping_add_signed(i32::from(input.word() as i16));
        let quoted = [&80u16.to_be_bytes()[..], &port.to_be_bytes(), &sequence.to_be_bytes()].concat();
        let (source, destination) = (self.hosts[SERVER].address, self.hosts[HONEST].address);
        let error = SegmentError { kind, source, destination, protocol: TCP, quoted, reporter: destination };
        self.hear(SERVER, SegmentUp::Event(Box::new(SegmentEvent::Error(error))));
    }

    fn throw(&mut self, source: IpAddr, header: &Header, payload: &[u8]) {
        let length = header.emitted_len();
        let mut bytes = [vec![0; length], payload.to_vec()].concat();
        header.emit(&mut bytes);
        let destination = self.hosts[SERVER].address;
        mend::transport(&mut bytes, [source, destination], TCP);
        let segment = Segment::new(Buf::copy_from_slice(&bytes), source, destination, TCP);
        self.hear(SERVER, SegmentUp::Segment(segment));
        self.elapse(Duration::from_millis(1));
    }

    fn say(&mut self, host: usize, message: StreamDown) {
        let Host { tcp, counters, .. } = &mut self.hosts[host];
        tcp.handle_outbound(message, &mut Cx::new(self.now, counters));
        self.settle();
    }

    fn hear(&mut self, host: usize, message: SegmentUp) {
        let Host { tcp, counters, .. } = &mut self.hosts[host];
        tcp.handle_inbound(message, &mut Cx::new(self.now, counters));
        self.settle();
    }

    fn elapse(&mut self, time: Duration) {
        let end = self.now + time;
        while self.advance(end) {}
        self.now = self.now.max(end);
    }

    /// Goes on to what comes next, if that is not after `end`.
    fn advance(&mut self, end: Instant) -> bool {
        let timers = self.hosts.iter().filter_map(|host| host.tcp.poll_timeout()).min();
        let Some(next) = earliest(timers, self.wire.front().map(|(at, _)| *at)).filter(|next| *next <= end)
        else {
            return false;
        };
        self.now = self.now.max(next);
        while self.wire.front().is_some_and(|(at, _)| *at <= self.now)
            && let Some((_, segment)) = self.wire.pop_front()
        {
            if let Some(host) = self.hosts.iter().position(|host| host.address == segment.destination()) {
                self.hear(host, SegmentUp::Segment(segment));
            }
        }
        for host in [SERVER, HONEST, HOSTILE] {
            let Host { tcp, counters, .. } = &mut self.hosts[host];
            if tcp.poll_timeout().is_some_and(|due| due <= self.now) {
                tcp.handle_timeout(&mut Cx::new(self.now, counters));
            }
        }
        self.settle();
        true
    }

    fn settle(&mut self) {
        for _ in 0..MOST_MOVES {
            let mut moved = false;
            for host in [SERVER, HONEST, HOSTILE] {
                let Host { tcp, counters, .. } = &mut self.hosts[host];
                let mut cx = Cx::new(self.now, counters);
                if let Some(up) = tcp.poll_inbound(&mut cx) {
                    self.hosts[host].hears(up, self.now);
                    moved = true;
                } else if let Some(down) = tcp.poll_outbound(&mut cx) {
                    self.carry(host, down);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
        panic!("three TCPs never come to rest");
    }

    fn carry(&mut self, host: usize, message: SegmentDown) {
        match message {
            SegmentDown::Segment(segment) => {
                match host {
                    HOSTILE => self.heard = Some(segment.clone()),
                    HONEST => self.honest = Some(segment.clone()),
                    _ if segment.destination() == self.hosts[HONEST].address => {
                        self.answered = Header::parse(&segment).map_or(0, |header| header.sequence.0);
                    }
                    _ => {}
                }
                self.wire.push_back((self.now + Duration::from_millis(2), segment));
            }
            SegmentDown::Control(control) => {
                let SegmentControl::Source { destination, .. } = *control else { return };
                let Host { tcp, counters, address, .. } = &mut self.hosts[host];
                let route = Some(SourceRoute { source: *address, mtu: 1_500 });
                let event = SegmentEvent::Source { destination, protocol: TCP, route };
                tcp.handle_inbound(SegmentUp::Event(Box::new(event)), &mut Cx::new(self.now, counters));
            }
        }
    }
}

impl Host {
    /// What the user does about a word of TCP's: reads, sends, and closes when all is said.
    fn hears(&mut self, message: StreamUp, now: Instant) {
        let serves = self.address.to_string().ends_with(".80");
        let conn = match &message {
            StreamUp::Listening { .. } | StreamUp::Asked { .. } => return,
            StreamUp::Opened { conn, .. }
            | StreamUp::Data { conn, .. }
            | StreamUp::Writable { conn, .. }
            | StreamUp::PeerClosed { conn, .. }
            | StreamUp::Closed { conn, .. } => *conn,
        };
        let stream = self.streams.entry(conn).or_default();
        let mut granted = 0;
        match message {
            StreamUp::Opened { info, .. } => {
                stream.remote = Some(info.remote.ip());
                let honest = !serves || info.remote.ip().to_string().ends_with(".10");
                granted = if honest { LENGTH } else { self.appetite };
                if serves {
                    stream.to_send = body(LENGTH).into();
                }
            }
            StreamUp::Data { data, .. } => stream.received.extend_from_slice(&data),
            StreamUp::Writable { bytes, .. } => stream.writable += bytes,
            StreamUp::Closed { reason, .. } => {
                stream.closed = Some(reason);
                stream.to_send.clear();
                return;
            }
            _ => {}
        }
        let most = if serves { self.appetite.max(LENGTH) } else { usize::MAX };
        assert!(stream.received.len() <= most, "no more comes up than was granted");
        let mut cx = Cx::new(now, &mut self.counters);
        if granted > 0 {
            self.tcp.handle_outbound(StreamDown::Grant { conn, bytes: granted }, &mut cx);
        }
        let room = stream.writable.min(stream.to_send.len());
        if room > 0 {
            stream.writable -= room;
            let data = stream.to_send.split_to(room);
            self.tcp.handle_outbound(StreamDown::Send { conn, data }, &mut cx);
        }
        if stream.remote.is_some()
            && stream.to_send.is_empty()
            && !std::mem::replace(&mut stream.closing, true)
        {
            self.tcp.handle_outbound(StreamDown::Close { conn }, &mut cx);
        }
    }
}
