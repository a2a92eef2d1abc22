//! Two hosts and a link between them, in virtual time, with seeded faults.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::segment::{
    Segment, SegmentControl, SegmentDown, SegmentEvent, SegmentUp, SourceRoute, TCP,
};
use framewise_core::seams::stream::{CloseReason, Endpoint, Security, StreamDown, StreamUp};
use framewise_core::{Counters, Cx, Instant, Layer, Rng};
use framewise_tcp::{Config, Header, Tcp};

pub(crate) const ONE: usize = 0;
pub(crate) const TWO: usize = 1;

/// What the link does to segments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    pub(crate) loss: f64,
    pub(crate) duplicate: f64,
    pub(crate) reorder: f64,
    pub(crate) corrupt: f64,
}

impl Faults {
    pub(crate) const NONE: Faults = Faults { loss: 0.0, duplicate: 0.0, reorder: 0.0, corrupt: 0.0 };
}

/// What one host's user knows of a connection.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) opened: bool,
    pub(crate) received: Vec<u8>,
    pub(crate) writable: usize,
    pub(crate) granted: usize,
    pub(crate) peer_closed: bool,
    pub(crate) closed: Option<CloseReason>,
    pub(crate) to_send: Bytes,
    close_after: bool,
}

/// One host: a TCP and its user.
pub(crate) struct Host {
    pub(crate) tcp: Tcp,
    pub(crate) address: IpAddr,
    pub(crate) mtu: usize,
    pub(crate) counters: Counters,
    pub(crate) streams: BTreeMap<ConnId, Stream>,
    /// What is granted to every connection, at its beginning and again as it is used up.
    pub(crate) appetite: usize,
    /// Whether the user closes once the peer has.
    pub(crate) polite: bool,
    pub(crate) said: Vec<String>,
}

pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) hosts: [Host; 2],
    pub(crate) faults: Faults,
    pub(crate) delay: Duration,
    /// Segments larger than this don't pass; their sender is not told.
    pub(crate) link_mtu: usize,
    /// Every segment that was sent: when, by whom, header, payload's length.
    pub(crate) sent: Vec<(Instant, usize, Header, usize)>,
    /// Every segment as each host saw it: when, which host, whether it sent it, header, payload's length.
    pub(crate) seen: Vec<(Instant, usize, bool, Header, usize)>,
    rng: Rng,
    wire: BTreeMap<(Instant, u64), (usize, Segment)>,
    serial: u64,
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Self {
        Pair::with(seed, Config::default(), ["192.0.2.1", "192.0.2.2"])
    }

    pub(crate) fn with(seed: u64, config: Config, addresses: [&str; 2]) -> Self {
        let rng = Rng::from_seed(seed);
        let host = |name: &str, address: &str| Host {
            tcp: Tcp::new(config.clone(), rng.fork(name)),
            address: address.parse().unwrap(),
            mtu: 1_500,
            counters: Counters::default(),
            streams: BTreeMap::new(),
            appetite: 64 * 1_024,
            polite: true,
            said: Vec::new(),
        };
        Pair {
            now: Instant::from_millis(1),
            hosts: [host("one", addresses[0]), host("two", addresses[1])],
            faults: Faults::NONE,
            delay: Duration::from_millis(5),
            link_mtu: 65_535,
            sent: Vec::new(),
            seen: Vec::new(),
            rng: rng.fork("link"),
            wire: BTreeMap::new(),
            serial: 0,
        }
    }

    pub(crate) fn say(&mut self, host: usize, message: StreamDown) {
        let Host { tcp, counters, .. } = &mut self.hosts[host];
        tcp.handle_outbound(message, &mut Cx::new(self.now, counters));
        self.settle();
    }

    pub(crate) fn listen(&mut self, host: usize, port: u16) {
        let endpoint = Endpoint { address: None, port };
        let security = Security::Plain;
        self.say(host, StreamDown::Listen { endpoint, security });
    }

    /// Connects the first host to the second, and returns the name.
    pub(crate) fn connect(&mut self, index: u32, port: u16) -> ConnId {
        let conn = ConnId::new(Opener::Upper, index, 0);
        let remote = SocketAddr::new(self.hosts[TWO].address, port);
        let security = Security::Plain;
        self.hosts[ONE].streams.insert(conn, Stream::default());
        self.say(ONE, StreamDown::Connect { conn, remote, security });
        conn
    }

    /// A connection that is open on both sides: its name on each.
    pub(crate) fn connected(&mut self) -> (ConnId, ConnId) {
        self.listen(TWO, 80);
        let one = self.connect(0, 80);
        self.run_for(Duration::from_millis(100));
        assert!(self.stream(ONE, one).opened, "should have been opened");
        (one, self.accepted(0))
    }

    /// The name of the connection that the second host accepted as the `n`th.
    pub(crate) fn accepted(&self, n: usize) -> ConnId {
        *self.hosts[TWO]
            .streams
            .keys()
            .filter(|conn| conn.opener() == Opener::Lower)
            .nth(n)
            .expect("a connection should have been accepted")
    }

    pub(crate) fn stream(&self, host: usize, conn: ConnId) -> &Stream {
        &self.hosts[host].streams[&conn]
    }

    /// Sends all of `data` as the credit allows, then closes if asked.
    pub(crate) fn send(&mut self, host: usize, conn: ConnId, data: &[u8], close: bool) {
        let stream = self.hosts[host].streams.get_mut(&conn).unwrap();
        stream.to_send = Bytes::copy_from_slice(data);
        stream.close_after = close;
        self.pump_user(host, conn);
        self.settle();
    }

    /// Delivers a segment made by hand.
    pub(crate) fn inject(&mut self, host: usize, segment: Segment) {
        let Host { tcp, counters, .. } = &mut self.hosts[host];
        tcp.handle_inbound(SegmentUp::Segment(segment), &mut Cx::new(self.now, counters));
        self.settle();
    }

    pub(crate) fn event(&mut self, host: usize, event: SegmentEvent) {
        let Host { tcp, counters, .. } = &mut self.hosts[host];
        tcp.handle_inbound(SegmentUp::Event(Box::new(event)), &mut Cx::new(self.now, counters));
        self.settle();
    }

    /// Moves whatever moves without the clock.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            if !(self.settle_host(ONE) | self.settle_host(TWO)) {
                return;
            }
        }
        panic!("the hosts should have come to rest");
    }

    fn settle_host(&mut self, host: usize) -> bool {
        let mut moved = false;
        loop {
            let Host { tcp, counters, .. } = &mut self.hosts[host];
            let mut cx = Cx::new(self.now, counters);
            if let Some(event) = tcp.poll_inbound(&mut cx) {
                self.heard(host, event);
            } else if let Some(message) = tcp.poll_outbound(&mut cx) {
                self.carry(host, message);
            } else {
                return moved;
            }
            moved = true;
        }
    }

    /// What the user does about an event.
    fn heard(&mut self, host: usize, event: StreamUp) {
        use framewise_core::Message;
        self.hosts[host].said.push(event.summary());
        let appetite = self.hosts[host].appetite;
        let polite = self.hosts[host].polite;
        let streams = &mut self.hosts[host].streams;
        let (conn, then) = match event {
            StreamUp::Opened { conn, .. } => {
                let stream = streams.entry(conn).or_default();
                assert!(!stream.opened, "Opened should be said once");
                stream.opened = true;
                stream.granted += appetite;
                (conn, Some(StreamDown::Grant { conn, bytes: appetite }))
            }
            StreamUp::Data { conn, data } => {
                let stream = streams.get_mut(&conn).unwrap();
                assert!(stream.opened, "Data should come after Opened");
                assert!(data.len() <= stream.granted, "Data should stay within the grant");
                assert!(!stream.peer_closed, "Data should not come after PeerClosed");
                stream.granted -= data.len();
                stream.received.extend_from_slice(&data);
                let bytes = if appetite == 0 { 0 } else { data.len() };
                stream.granted += bytes;
                (conn, (bytes > 0).then_some(StreamDown::Grant { conn, bytes }))
            }
            StreamUp::Writable { conn, bytes } => {
                streams.get_mut(&conn).unwrap().writable += bytes;
                (conn, None)
            }
            StreamUp::PeerClosed { conn, clean } => {
                assert!(clean, "a FIN is a clean end");
                streams.get_mut(&conn).unwrap().peer_closed = true;
                let idle = streams[&conn].to_send.is_empty() && polite;
                (conn, idle.then_some(StreamDown::Close { conn }))
            }
            StreamUp::Closed { conn, reason } => {
                let stream = streams.get_mut(&conn).expect("Closed should name a known connection");
                assert_eq!(stream.closed, None, "Closed should be said once");
                stream.closed = Some(reason);
                return;
            }
            StreamUp::Listening { .. } | StreamUp::Asked { .. } => return,
        };
        if let Some(message) = then {
            let Host { tcp, counters, .. } = &mut self.hosts[host];
            tcp.handle_outbound(message, &mut Cx::new(self.now, counters));
        }
        self.pump_user(host, conn);
    }

    fn pump_user(&mut self, host: usize, conn: ConnId) {
        let Host { tcp, counters, streams, .. } = &mut self.hosts[host];
        let stream = streams.get_mut(&conn).unwrap();
        if !stream.opened || stream.closed.is_some() {
            return;
        }
        let n = stream.writable.min(stream.to_send.len());
        let mut cx = Cx::new(self.now, counters);
        if n > 0 {
            stream.writable -= n;
            let data = stream.to_send.split_to(n);
            tcp.handle_outbound(StreamDown::Send { conn, data }, &mut cx);
        }
        if stream.to_send.is_empty() && std::mem::take(&mut stream.close_after) {
            tcp.handle_outbound(StreamDown::Close { conn }, &mut cx);
        }
    }

    /// Puts a segment on the wire, or answers as IP would.
    fn carry(&mut self, host: usize, message: SegmentDown) {
        let segment = match message {
            SegmentDown::Segment(segment) => segment,
            SegmentDown::Control(control) => return self.answer(host, &control),
        };
        let header = Header::parse(&segment).expect("what is sent should be a segment");
        let payload = segment.len() - header.length;
        self.sent.push((self.now, host, header, payload));
        self.seen.push((self.now, host, true, header, payload));
        if segment.len() + 20 > self.link_mtu || self.rng.chance(self.faults.loss) {
            return;
        }
        if self.rng.chance(self.faults.duplicate) {
            self.put(1 - host, segment.clone());
        }
        self.put(1 - host, segment);
    }

    fn put(&mut self, to: usize, mut segment: Segment) {
        if self.rng.chance(self.faults.corrupt) && !segment.is_empty() {
            let bit = self.rng.below(segment.len() as u64 * 8) as usize;
            segment[bit / 8] ^= 1 << (bit % 8);
        }
        let mut at = self.now + self.delay;
        if self.rng.chance(self.faults.reorder) {
            at += Duration::from_micros(self.rng.below(20_000));
        }
        self.serial += 1;
        self.wire.insert((at, self.serial), (to, segment));
    }

    fn answer(&mut self, host: usize, control: &SegmentControl) {
        let SegmentControl::Source { destination, .. } = *control else {
            panic!("TCP should ask for nothing but a source");
        };
        let Host { tcp, counters, address, mtu, .. } = &mut self.hosts[host];
        let known = !matches!(destination, IpAddr::V4(address) if address.octets()[0] == 10);
        let route = known.then_some(SourceRoute { source: *address, mtu: *mtu });
        let event = SegmentEvent::Source { destination, protocol: TCP, route };
        tcp.handle_inbound(SegmentUp::Event(Box::new(event)), &mut Cx::new(self.now, counters));
    }

    /// Goes on to the next thing that happens. `false` if nothing will ever happen.
    pub(crate) fn step(&mut self) -> bool {
        self.settle();
        let wire = self.wire.keys().next().map(|(at, _)| *at);
        let timers = self.hosts.iter().filter_map(|host| host.tcp.poll_timeout());
        let Some(at) = timers.chain(wire).min() else {
            return false;
        };
        self.now = self.now.max(at);
        while let Some(entry) = self.wire.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let (to, segment) = entry.remove();
            if let Ok(header) = Header::parse(&segment) {
                self.seen.push((self.now, to, false, header, segment.len() - header.length));
            }
            self.inject(to, segment);
        }
        for host in [ONE, TWO] {
            let Host { tcp, counters, .. } = &mut self.hosts[host];
            if tcp.poll_timeout().is_some_and(|at| at <= self.now) {
                tcp.handle_timeout(&mut Cx::new(self.now, counters));
                let next = tcp.poll_timeout();
                assert!(
                    next.is_none_or(|next| next > self.now),
                    "the next timeout should be later than {}, but was {next:?}",
                    self.now
                );
            }
        }
        self.settle();
        true
    }

    /// Runs for so long.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until(end, |_| false);
        self.now = self.now.max(end);
    }

    /// Runs until `done` or the end; says whether it was done.
    pub(crate) fn run_until(&mut self, end: Instant, done: impl Fn(&Pair) -> bool) -> bool {
        self.settle();
        loop {
            if done(self) {
                return true;
            }
            let wire = self.wire.keys().next().map(|(at, _)| *at);
            let timers = self.hosts.iter().filter_map(|host| host.tcp.poll_timeout());
            match timers.chain(wire).min() {
                Some(at) if at <= end => self.step(),
                _ => return false,
            };
        }
    }

    /// What the link carries next is lost.
    pub(crate) fn cut(&mut self) {
        self.faults.loss = 1.0;
        self.wire.clear();
    }

    /// The last segment that `host` sent.
    pub(crate) fn last_sent(&self, host: usize) -> (Header, usize) {
        let (_, _, header, payload) = self
            .sent
            .iter()
            .rev()
            .find(|(_, by, _, _)| *by == host)
            .expect("a segment should have been sent");
        (*header, *payload)
    }
}

/// Bytes that differ everywhere, so that a shift or a hole shows.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n ^ (n >> 8).wrapping_mul(31) ^ (n >> 16)) as u8).collect()
}
