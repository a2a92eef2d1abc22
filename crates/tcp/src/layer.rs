//! The layer itself: which connection, listener or leftover each message is for.
//!
//! Every call costs the same with one connection and with ten thousand: a four-tuple or a name is looked up,
//! and only connections that may have something to send stand in the queue that is asked for segments.

mod asking;
mod flooded;
mod opening;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use framewise_core::buf::ChecksumState;
use framewise_core::id::{ConnId, Connection as ConnectionKind, IdMap, Opener, Slab};
use framewise_core::read::{u16_at, u32_at};
use framewise_core::seams::segment::{Segment, SegmentDown, SegmentError, SegmentEvent, SegmentUp, TCP};
use framewise_core::seams::stream::{CloseReason, Endpoint, ListenError, Security, StreamDown, StreamUp};
use framewise_core::seams::{Segments, Streams};
use framewise_core::time::earliest;
use framewise_core::{Cx, Instant, Layer, Rng};

use self::opening::Asked;
use crate::allowance::Budget;
use crate::config::Config;
use crate::connection::Connection;
use crate::cookie::Cookies;
use crate::engine::arena;
use crate::flows::{FlowKey, Flows, Place};
use crate::listen::Listeners;
use crate::outputs::Outputs;
use crate::passive::State;
use crate::reset;
use crate::rings::Arena;
use crate::segment::{Flags, Header, sum};
use crate::sequence::{InitialSequence, SeqNumber};
use crate::time_wait::{Answer, Remains, TimeWait};
use crate::timers::Timers;

/// TCP (RFC 9293): streams of bytes above, segments below.
pub struct Tcp {
    config: Config,
    rng: Rng,
    initial: InitialSequence,
    cookies: Cookies,
    /// All connections. The name that the slab gives is the key everywhere in here, and the name of accepted ones.
    connections: Slab<ConnectionKind, Box<Connection>>,
    /// The keys of those that the upper layer named.
    named: IdMap<ConnectionKind, ConnId>,
    flows: Flows,
    listeners: Listeners,
    time_wait: TimeWait,
    timers: Timers,
    /// Those that may have a segment to send, each at most once.
    ready: VecDeque<ConnId>,
    /// What waits for IP's answer to which source address and MTU, and until when: in that order, for all wait as long.
    asked: VecDeque<(Instant, Asked)>,
    out: Outputs,
    arena: Arena,
    budget: Budget,
}

impl Tcp {
    /// A TCP that draws its secrets and ports from `rng`.
    pub fn new(config: Config, mut rng: Rng) -> Self {
        Tcp {
            cookies: Cookies::new(&rng),
            initial: InitialSequence::new(&mut rng),
            flows: Flows::new(&mut rng),
            connections: Slab::new(Opener::Lower, config.max_connections),
            named: IdMap::new(config.max_connections),
            listeners: Listeners::new(config.max_listeners, config.backlog),
            time_wait: TimeWait::new(config.time_wait, config.max_time_wait),
            timers: Timers::default(),
            ready: VecDeque::new(),
            asked: VecDeque::new(),
            out: Outputs::default(),
            arena: arena(&config),
            budget: Budget::new(config.send_budget),
            config,
            rng,
        }
    }

    /// Connections there are, half-open ones included; those in TIME-WAIT are none any more.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// In which state a connection is; `None`: there is none of this name, or it is in TIME-WAIT.
    ///
    /// For tests: whoever watches learns as much from segments ([`passive`](crate::passive)).
    pub fn state(&self, conn: ConnId) -> Option<State> {
        let key = self.key(conn)?;
        self.connections.get(key).map(|connection| connection.state())
    }

    // What the upper layer says.

    fn listen(&mut self, endpoint: Endpoint, security: &Security) {
        let result = match security {
            Security::Plain => self.listeners.listen(endpoint),
            // Without a TLS layer above there is nobody to protect anything.
            Security::Tls(_) => Err(ListenError::NoCertificate { port: endpoint.port }),
        };
        self.out.say(StreamUp::Listening { endpoint, result });
    }

    fn unlisten(&mut self, endpoint: Endpoint, cx: &mut Cx) {
        for key in self.listeners.unlisten(endpoint) {
            self.with(key, cx, |connection, out, cx| {
                connection.abort(CloseReason::Aborted, out, cx);
            });
        }
    }

    /// Lets more come up; a connection that still waits for IP's answer gets it when it begins.
    fn grant(&mut self, conn: ConnId, bytes: usize, cx: &mut Cx) {
        let waiting = self.asked.iter_mut().find_map(|(_, asked)| match asked {
            Asked::Connect { name, grant, .. } if *name == conn => Some(grant),
            _ => None,
        });
        match waiting {
            Some(grant) => *grant = grant.saturating_add(bytes),
            None => self.named(conn, cx, |connection, out, cx| connection.grant(bytes, out, cx)),
        }
    }

    /// The key of the connection that the upper layer calls `name`.
    fn key(&self, name: ConnId) -> Option<ConnId> {
        match name.opener() {
            Opener::Upper => self.named.get(name).copied(),
            Opener::Lower => self
                .connections
                .get(name)
                .filter(|connection| connection.is_known() && connection.name() == name)
                .map(|_| name),
        }
    }

    /// Does something with the connection called `name`. What is said of one that is over has met its `Closed` on the way.
    fn named(&mut self, name: ConnId, cx: &mut Cx, act: impl FnOnce(&mut Connection, &mut Outputs, &mut Cx)) {
        if let Some(key) = self.key(name) {
            self.with(key, cx, act);
        }
    }

    /// Does something with a connection, and then what follows from its new state.
    fn with(&mut self, key: ConnId, cx: &mut Cx, act: impl FnOnce(&mut Connection, &mut Outputs, &mut Cx)) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        act(connection, &mut self.out, cx);
        self.settle(key, cx);
    }

    // What follows from a connection's state.

    fn settle(&mut self, key: ConnId, cx: &mut Cx) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if connection.is_opened()
            && let Some(listener) = connection.listener.take()
        {
            self.listeners.leave(listener, key);
        }
        if let Some(remains) = connection.take_finished(&mut self.out, cx) {
            let flow = connection.flow();
            self.flows.remove(&flow);
            if let Some(guard) = remains {
                let remains = Box::new(Remains::new(guard));
                if self.time_wait.keep(flow, remains, &mut self.flows, cx.now) {
                    cx.dropped("tcp", "too many in TIME-WAIT");
                }
            }
        }
        connection.finish_drained();
        if connection.over().is_some() {
            self.forget(key, cx);
        } else if !connection.queued {
            connection.queued = true;
            self.ready.push_back(key);
        }
    }

    /// Takes out a connection that is over, and says so to whoever knew of it.
    fn forget(&mut self, key: ConnId, cx: &mut Cx) {
        let Some(connection) = self.connections.remove(key) else {
            return;
        };
        let flow = connection.flow();
        if let Some(Place::Connection(owner)) = self.flows.get(&flow)
            && *owner == key
        {
            self.flows.remove(&flow);
        }
        if let Some(listener) = connection.listener {
            self.listeners.leave(listener, key);
        }
        let conn = connection.name();
        let by_upper = self.named.remove(conn).is_some();
        let Some(reason) = connection.over().cloned() else {
            return;
        };
        if by_upper || connection.is_known() {
            cx.note("tcp", "closed", || format!("my port {}: {reason}", flow.local().port()));
            self.out.say(StreamUp::Closed { conn, reason });
        }
    }

    // What comes from below.

    fn segment_arrives(&mut self, segment: Segment, cx: &mut Cx) {
        match check(&segment) {
            Ok(header) => self.dispatch(header, segment, cx),
            Err(reason) => cx.dropped("tcp", reason),
        }
    }

    fn dispatch(&mut self, header: Header, segment: Segment, cx: &mut Cx) {
        let flow = FlowKey::new(
            SocketAddr::new(segment.destination(), header.destination_port),
            SocketAddr::new(segment.source(), header.source_port),
        );
        match self.flows.get_mut(&flow) {
            Some(Place::Connection(key)) => {
                let key = *key;
                self.with(key, cx, |connection, out, cx| {
                    connection.segment_arrives(header, segment.0, out, cx);
                });
            }
            Some(Place::TimeWait(remains)) => {
                let payload = segment.len().saturating_sub(header.length);
                match remains.segment_arrives(&header, payload, cx.now, self.time_wait.wait()) {
                    Answer::Acknowledge(header) => self.out.reply(reset::bare_segment(&flow, header), cx),
                    Answer::Anew => self.nobody(flow, header, segment, cx),
                    Answer::Nothing => cx.dropped("tcp", "its connection is over"),
                }
            }
            None => self.nobody(flow, header, segment, cx),
        }
    }

    /// A segment of no connection: the first of one, or to be refused.
    fn nobody(&mut self, flow: FlowKey, header: Header, segment: Segment, cx: &mut Cx) {
        let opening = Flags::SYN | Flags::ACK | Flags::RST | Flags::FIN;
        let is_first = header.flags.0 & opening.0 == Flags::SYN.0;
        let is_neither = header.flags.0 & opening.without(Flags::FIN).0 == 0;
        let listens = || self.config.asks || self.listeners.find(flow.local()).is_some();
        // A listener does not answer what opens nothing, refuses nothing and acknowledges nothing (RFC 9293, section 3.10.7.2).
        if is_neither && listens() {
            return cx.dropped("tcp", "neither SYN nor ACK");
        }
        if is_first && listens() {
            if self.asked.len() >= self.config.backlog.max(1) {
                return cx.dropped("tcp", "too many wait for a route");
            }
            return self.ask(segment.source(), Asked::Accept { first: segment }, cx.now);
        }
        if self.is_cookie(&flow, &header, cx.now) {
            return self.ask(segment.source(), Asked::Accept { first: segment }, cx.now);
        }
        cx.dropped("tcp", if is_first { "nobody listens" } else { "no such connection" });
        let payload = segment.len().saturating_sub(header.length);
        if let Some(header) = reset::answer(&header, payload) {
            self.out.reply(reset::bare_segment(&flow, header), cx);
        }
    }

    /// An ICMP error, which must quote a flow of ours (RFC 5927, section 4).
    fn network_error(&mut self, error: &SegmentError, cx: &mut Cx) {
        let quoted = &error.quoted;
        let ports = u16_at(quoted, 0).zip(u16_at(quoted, 2)).zip(u32_at(quoted, 4));
        let Some(((source, destination), sequence)) = ports else {
            return cx.dropped("tcp", "ICMP error quotes too little");
        };
        let flow = FlowKey::new(
            SocketAddr::new(error.source, source),
            SocketAddr::new(error.destination, destination),
        );
        match self.flows.get(&flow) {
            Some(Place::Connection(key)) => {
                let (key, kind) = (*key, error.kind);
                self.with(key, cx, |connection, out, cx| {
                    connection.network_error(kind, SeqNumber(sequence), out, cx);
                });
            }
            _ => cx.dropped("tcp", "ICMP error quotes no connection"),
        }
    }

    /// Sets the timer of a connection that has nothing to send now.
    fn rest(&mut self, key: ConnId, now: Instant) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        connection.queued = false;
        // An engine that wants to be called now, though it just had nothing, is asked again in a moment.
        let soonest = now + Duration::from_millis(1);
        if let Some(wanted) = connection.wanted_at(&self.config, now) {
            self.timers.set(key, &mut connection.alarm, wanted.max(soonest));
        }
        let connections = &self.connections;
        self.timers.sweep(connections.len(), |at, key| {
            connections.get(key).is_some_and(|connection| connection.alarm == Some(at))
        });
    }
}

impl Layer for Tcp {
    type Upper = Streams;
    type Lower = Segments;

    fn name(&self) -> &'static str {
        "tcp"
    }

    fn handle_outbound(&mut self, message: StreamDown, cx: &mut Cx) {
        match message {
            StreamDown::Listen { endpoint, security } => self.listen(endpoint, &security),
            StreamDown::Unlisten { endpoint } => self.unlisten(endpoint, cx),
            StreamDown::Connect { conn, remote, security } => self.connect(conn, remote, &security, cx),
            StreamDown::Accept { conn } => self.accept_asked(conn, cx),
            StreamDown::Refuse { conn, reason } => self.refuse_asked(conn, &reason, cx),
            StreamDown::Send { conn, data } => {
                if self.key(conn).is_none() {
                    return cx.dropped("tcp", "its connection is over");
                }
                self.named(conn, cx, |connection, out, cx| connection.send(data, out, cx));
            }
            StreamDown::Grant { conn, bytes } => self.grant(conn, bytes, cx),
            StreamDown::Close { conn } => {
                if !self.withdraw(conn, CloseReason::Aborted) {
                    self.named(conn, cx, |connection, out, cx| connection.close(out, cx));
                }
            }
            StreamDown::Abort { conn } => {
                if !self.withdraw(conn, CloseReason::Aborted) {
                    let reason = CloseReason::Aborted;
                    self.named(conn, cx, |connection, out, cx| connection.abort(reason, out, cx));
                }
            }
        }
    }

    fn handle_inbound(&mut self, message: SegmentUp, cx: &mut Cx) {
        match message {
            SegmentUp::Segment(segment) => self.segment_arrives(segment, cx),
            SegmentUp::Event(event) => match *event {
                SegmentEvent::Source { destination, route, .. } => self.source_found(destination, route, cx),
                SegmentEvent::Error(error) => self.network_error(&error, cx),
            },
        }
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<SegmentDown> {
        if let Some(reply) = self.out.next_reply() {
            return Some(reply);
        }
        while let Some(key) = self.ready.pop_front() {
            let Some(connection) = self.connections.get_mut(key) else {
                continue;
            };
            if let Some(segment) = connection.next_segment(&self.config, cx) {
                // Each in turn, so that a long answer doesn't hold up a short one.
                self.ready.push_back(key);
                return Some(SegmentDown::Segment(segment));
            }
            self.rest(key, cx.now);
        }
        None
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<StreamUp> {
        self.out.events.pop_front()
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.time_wait.expire(&mut self.flows, cx.now);
        self.stop_waiting_for_routes(cx);
        while let Some((at, key)) = self.timers.pop_due(cx.now) {
            let Some(connection) = self.connections.get_mut(key) else {
                continue;
            };
            if connection.alarm != Some(at) {
                continue;
            }
            connection.alarm = None;
            connection.on_time(&self.config, &mut self.out, cx);
            self.settle(key, cx);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let asked = self.asked.front().map(|(until, _)| *until);
        earliest(asked, earliest(self.timers.next(), self.time_wait.next()))
    }

    fn is_sending(&self) -> bool {
        self.connections.iter().any(|(_, connection)| connection.is_sending())
    }

    fn accepts(&self, message: &SegmentUp) -> bool {
        message.protocol() == TCP
    }
}

/// Reads a segment's header, and says why it is dropped if it is no good.
fn check(segment: &Segment) -> Result<Header, &'static str> {
    let header = Header::parse(segment).map_err(|_| "header broken")?;
    if segment.offload().checksum == ChecksumState::Complete
        && !sum(segment, segment.source(), segment.destination()).is_valid()
    {
        return Err("checksum wrong");
    }
    let (source, destination) = (segment.source(), segment.destination());
    if header.source_port == 0 || header.destination_port == 0 {
        return Err("port 0");
    }
    if ![source, destination].iter().all(is_of_one_host) {
        return Err("not between two hosts");
    }
    if source == destination && header.source_port == header.destination_port {
        return Err("from itself");
    }
    if header.has(Flags::SYN) && (header.has(Flags::FIN) || header.has(Flags::RST))
        || header.has(Flags::FIN | Flags::RST)
    {
        return Err("flags that contradict");
    }
    Ok(header)
}

/// Whether an end of a connection can have this address: it is no group's, not everybody's and not nobody's (RFC 9293,
/// section 3.9.2.3). Which are broadcast addresses of a link only IP knows.
fn is_of_one_host(address: &IpAddr) -> bool {
    let everybody = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(everybody || address.is_multicast() || address.is_unspecified())
}
