//! How connections begin: ours once IP has said how the peer is reached, the peers' by their SYN.
//!
//! Read RFC 9293 sections 3.5 (establishing a connection) and 3.9.1.1 (Open), RFC 6056 (choice of ports) before changing this file.

use std::net::{IpAddr, SocketAddr};

use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::segment::{Segment, SegmentControl, SourceRoute, TCP};
use framewise_core::seams::stream::{CloseReason, Security, StreamUp, TlsError, TlsErrorKind};
use framewise_core::{Cx, Instant};

use super::{Tcp, is_of_one_host};
use crate::connection::Connection;
use crate::flows::{FlowKey, Place};
use crate::segment::{Flags, Header};

/// The ports that the system hands out (RFC 6335, section 6).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// A connection that begins once IP has said how its peer is reached.
#[derive(Debug)]
pub(super) enum Asked {
    Connect {
        name: ConnId,
        remote: SocketAddr,
        grant: usize,
    },
    /// A peer's SYN, or the acknowledgment of a cookie.
    Accept {
        first: Segment,
    },
}

impl Tcp {
    pub(super) fn connect(&mut self, name: ConnId, remote: SocketAddr, security: &Security, cx: &mut Cx) {
        if let Some(key) = self.key(name) {
            let reason = CloseReason::Misuse("connected under a name in use");
            return self.with(key, cx, |connection, out, cx| connection.abort(reason, out, cx));
        }
        if self.withdraw(name, CloseReason::Misuse("connected under a name in use")) {
            return;
        }
        let waiting = self.asked.len();
        let refusal = if name.opener() != Opener::Upper {
            Some(CloseReason::Misuse("connected under a name of the lower side"))
        } else if security.is_tls() {
            Some(CloseReason::Tls(TlsError {
                kind: TlsErrorKind::NotConfigured,
                detail: "TLS was asked of TCP, with no TLS layer between".to_owned(),
            }))
        } else if remote.port() == 0 {
            Some(CloseReason::Misuse("connected to port 0"))
        } else if !is_of_one_host(&remote.ip()) {
            Some(CloseReason::NoSingleHost)
        } else if self.connections.len() + waiting >= self.config.max_connections
            || name.index() >= self.config.max_connections
        {
            Some(CloseReason::TooMany(self.config.max_connections))
        } else {
            None
        };
        match refusal {
            Some(reason) => self.out.say(StreamUp::Closed { conn: name, reason }),
            None => {
                let grant = 0;
                self.ask(remote.ip(), Asked::Connect { name, remote, grant }, cx.now);
            }
        }
    }

    /// Asks IP how `destination` is reached (RFC 1122, section 3.4).
    pub(super) fn ask(&mut self, destination: IpAddr, asked: Asked, now: Instant) {
        self.asked.push_back((now + self.config.connect_timeout, asked));
        self.out.ask(SegmentControl::Source { destination, protocol: TCP });
    }

    /// Ends a connection that still waits for IP's answer. `true` if there was one of this name.
    pub(super) fn withdraw(&mut self, name: ConnId, reason: CloseReason) -> bool {
        let before = self.asked.len();
        let is_it = |asked: &Asked| matches!(asked, Asked::Connect { name: other, .. } if *other == name);
        self.asked.retain(|(_, asked)| !is_it(asked));
        let withdrawn = self.asked.len() < before;
        if withdrawn {
            self.out.say(StreamUp::Closed { conn: name, reason });
        }
        withdrawn
    }

    /// Gives up what IP has not answered in time.
    pub(super) fn stop_waiting_for_routes(&mut self, cx: &mut Cx) {
        while self.asked.front().is_some_and(|(until, _)| *until <= cx.now)
            && let Some((_, asked)) = self.asked.pop_front()
        {
            match asked {
                Asked::Connect { name, .. } => {
                    self.out.say(StreamUp::Closed { conn: name, reason: CloseReason::TimedOut });
                }
                Asked::Accept { .. } => cx.dropped("tcp", "no answer about a route back"),
            }
        }
    }

    pub(super) fn source_found(&mut self, destination: IpAddr, route: Option<SourceRoute>, cx: &mut Cx) {
        let first = self.asked.iter().position(|(_, asked)| match asked {
            Asked::Connect { remote, .. } => remote.ip() == destination,
            Asked::Accept { first } => first.source() == destination,
        });
        let asked = first.and_then(|first| self.asked.remove(first));
        match (asked.map(|(_, asked)| asked), route) {
            (Some(Asked::Connect { name, remote, grant }), Some(route)) => {
                self.begin(name, remote, route, cx);
                if grant > 0 {
                    self.grant(name, grant, cx);
                }
            }
            (Some(Asked::Connect { name, .. }), None) => {
                self.out.say(StreamUp::Closed { conn: name, reason: CloseReason::NoRoute })
            }
            (Some(Asked::Accept { first }), Some(route)) => self.accept(first, route.mtu, cx),
            (Some(Asked::Accept { .. }), None) => cx.dropped("tcp", "no route back"),
            (None, _) => {}
        }
    }

    /// Sends the first SYN of a connection of ours.
    fn begin(&mut self, name: ConnId, remote: SocketAddr, route: SourceRoute, cx: &mut Cx) {
        let started = self.free_flow(route.source, remote).and_then(|flow| {
            let offset = self.initial.offset(&flow, cx.now);
            Connection::connect(
                name,
                flow,
                offset,
                route.mtu,
                (&self.config, &self.arena, &self.budget),
                cx.now,
            )
        });
        let key = started.and_then(|connection| {
            let flow = connection.flow();
            let key = self.connections.insert(Box::new(connection)).ok()?;
            self.flows.insert(flow, Place::Connection(key));
            Some(key)
        });
        match key {
            Some(key) if self.named.insert(name, key).is_ok() => self.settle(key, cx),
            // The place belongs to a connection of another generation. That one lives on.
            Some(key) => {
                let reason = CloseReason::Misuse("connected under a name whose place is taken");
                let aborted = reason.clone();
                self.with(key, cx, |connection, out, cx| connection.abort(aborted, out, cx));
                self.out.say(StreamUp::Closed { conn: name, reason });
            }
            None => self.out.say(StreamUp::Closed {
                conn: name,
                reason: CloseReason::TooMany(self.config.max_connections),
            }),
        }
    }

    /// A port of ours that makes a flow not in use, beginning at a random one (RFC 6056, section 3.3.1).
    fn free_flow(&mut self, source: IpAddr, remote: SocketAddr) -> Option<FlowKey> {
        let count = u64::try_from(EPHEMERAL.len()).unwrap_or(1);
        let first = self.rng.below(count);
        (0..count)
            .map(|n| EPHEMERAL.start() + ((first + n) % count) as u16)
            .map(|port| FlowKey::new(SocketAddr::new(source, port), remote))
            .find(|flow| !self.flows.contains(flow))
    }

    /// Begins the connection of a peer's SYN, or of one that was answered with a cookie.
    fn accept(&mut self, first: Segment, mtu: usize, cx: &mut Cx) {
        let Ok(header) = Header::parse(&first) else { return };
        let local = SocketAddr::new(first.destination(), header.destination_port);
        let flow = FlowKey::new(local, SocketAddr::new(first.source(), header.source_port));
        // Meanwhile the segment may have been repeated, or the listener gone.
        let listener = self.listeners.find(local);
        let begun = matches!(self.flows.get(&flow), Some(Place::Connection(_)));
        if self.config.asks && listener.is_none() && !begun {
            return self.ask_above(flow, first, mtu, cx);
        }
        let (Some(listener), false) = (listener, begun) else {
            return self.dispatch(header, first, cx);
        };
        if !header.has(Flags::SYN) {
            return self.accept_cookie(flow, header, first, mtu, cx);
        }
        if !self.listeners.has_room(listener) {
            return self.answer_with_cookie(&flow, &header, mtu, cx);
        }
        let Some(key) = self.admit(flow, mtu, cx) else { return };
        self.listeners.enter(listener, key);
        self.with(key, cx, |connection, out, cx| {
            connection.listener = Some(listener);
            connection.segment_arrives(header, first.0, out, cx);
        });
    }

    /// Begins a connection that a peer's SYN asks for, if there is room for one more.
    pub(super) fn admit(&mut self, flow: FlowKey, mtu: usize, cx: &mut Cx) -> Option<ConnId> {
        let offset = self.initial.offset(&flow, cx.now);
        // The name is known once it is in the table.
        let nameless = ConnId::new(Opener::Lower, 0, 0);
        let begun = Connection::accept(
            nameless,
            flow,
            offset,
            mtu,
            (&self.config, &self.arena, &self.budget),
            cx.now,
        );
        let Some(key) = begun.and_then(|connection| self.connections.insert(Box::new(connection)).ok())
        else {
            cx.dropped("tcp", "too many connections");
            return None;
        };
        if let Some(connection) = self.connections.get_mut(key) {
            connection.set_name(key);
        }
        // Only now are the remains of a connection before forgotten, if there are any.
        self.flows.insert(flow, Place::Connection(key));
        Some(key)
    }
}
