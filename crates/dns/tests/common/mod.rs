//! A DNS layer on a bench: a clock that is set by hand, and the datagram seam played by the test.
#![allow(dead_code)]

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise_core::seams::resolve::{Addresses, NameDown, NameUp, ResolveError};
use framewise_core::{Counters, Cx, Instant, Layer, Rng};
use framewise_dns::record::{Data, INTERNET, Kind, Record, ResponseCode, Soa};
use framewise_dns::{Config, Dns, Message, Name};

/// The first server, unless a test says otherwise.
pub(crate) const SERVER: &str = "192.0.2.1";

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// A resolver that asks these servers.
pub(crate) fn asking(servers: &[&str]) -> Config {
    Config { servers: servers.iter().map(|server| ip(server)).collect(), ..Config::default() }
}

pub(crate) struct Rig {
    pub(crate) dns: Dns,
    pub(crate) counters: Counters,
    pub(crate) now: Instant,
    /// Ports bound and not given back.
    pub(crate) ports: Vec<u16>,
}

/// A query that left: the datagram, and what it asks.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) port: u16,
    pub(crate) remote: SocketAddr,
    pub(crate) message: Message,
}

impl Sent {
    pub(crate) fn kind(&self) -> Kind {
        self.message.questions[0].kind
    }

    pub(crate) fn name(&self) -> &Name {
        &self.message.questions[0].name
    }

    pub(crate) fn reply(&self, code: ResponseCode) -> Message {
        Message { recursion_available: true, ..Message::response_to(&self.message, code) }
    }

    pub(crate) fn reply_with(&self, answers: Vec<Record>) -> Message {
        Message { answers, ..self.reply(ResponseCode::NoError) }
    }
}

impl Rig {
    pub(crate) fn new(config: Config) -> Self {
        Rig {
            dns: Dns::new(config, Rng::from_seed(7)),
            counters: Counters::default(),
            now: Instant::ZERO,
            ports: Vec::new(),
        }
    }

    pub(crate) fn resolve(&mut self, query: u64, name: &str) {
        let name = name.to_owned();
        self.down(NameDown::Resolve { query, name });
    }

    pub(crate) fn down(&mut self, message: NameDown) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.dns.handle_outbound(message, &mut cx);
    }

    pub(crate) fn up(&mut self, message: DatagramUp) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.dns.handle_inbound(message, &mut cx);
    }

    pub(crate) fn poll_outbound(&mut self) -> Option<DatagramDown> {
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.dns.poll_outbound(&mut cx)
    }

    /// The next query to leave, keeping account of ports on the way.
    pub(crate) fn sent(&mut self) -> Option<Sent> {
        loop {
            match self.poll_outbound()? {
                DatagramDown::Bind { port } => {
                    assert!(!self.ports.contains(&port), "port {port} is bound twice");
                    self.ports.push(port);
                }
                DatagramDown::Unbind { port } => {
                    assert!(self.ports.contains(&port), "port {port} is given back but not bound");
                    self.ports.retain(|bound| *bound != port);
                }
                DatagramDown::Send(datagram) => {
                    assert!(self.ports.contains(&datagram.port), "sent from a port not bound");
                    let message = Message::parse(&datagram.data).expect("what is sent can be read");
                    return Some(Sent { port: datagram.port, remote: datagram.remote, message });
                }
            }
        }
    }

    pub(crate) fn all_sent(&mut self) -> Vec<Sent> {
        std::iter::from_fn(|| self.sent()).collect()
    }

    /// The two questions of a fresh lookup: A, then AAAA.
    pub(crate) fn pair(&mut self) -> (Sent, Sent) {
        let mut sent = self.all_sent();
        sent.sort_by_key(Sent::kind);
        let kinds: Vec<_> = sent.iter().map(Sent::kind).collect();
        assert_eq!(kinds, [Kind::A, Kind::Aaaa], "both families are asked for at once");
        let second = sent.remove(1);
        (sent.remove(0), second)
    }

    /// A reply from the server that was asked.
    pub(crate) fn reply(&mut self, to: &Sent, message: &Message) {
        self.datagram(to.remote, to.port, message.emit().expect("a reply"));
    }

    pub(crate) fn datagram(&mut self, remote: SocketAddr, port: u16, data: Vec<u8>) {
        self.up(DatagramUp::Datagram(Datagram {
            port,
            local: Some(ip("192.0.2.10")),
            remote,
            data: data.into(),
        }));
    }

    pub(crate) fn answer(&mut self) -> Option<(u64, Result<Addresses, ResolveError>)> {
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.dns.poll_inbound(&mut cx).map(|NameUp::Resolved { query, result }| (query, result))
    }

    pub(crate) fn found(&mut self, query: u64) -> Addresses {
        match self.answer() {
            Some((number, Ok(found))) if number == query => found,
            other => panic!("expected addresses for question {query}, got {other:?}"),
        }
    }

    pub(crate) fn failed(&mut self, query: u64) -> ResolveError {
        match self.answer() {
            Some((number, Err(error))) if number == query => error,
            other => panic!("expected a failure of question {query}, got {other:?}"),
        }
    }

    /// Moves the clock to the next timeout and calls it; `false` if there is none.
    pub(crate) fn turn_clock(&mut self) -> bool {
        let Some(due) = self.dns.poll_timeout() else {
            return false;
        };
        self.now = self.now.max(due);
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.dns.handle_timeout(&mut cx);
        let next = self.dns.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "a timeout tells a later one");
        true
    }

    pub(crate) fn wait(&mut self, duration: Duration) {
        self.now += duration;
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.dns.handle_timeout(&mut cx);
    }

    pub(crate) fn drops(&self, reason: &str) -> u64 {
        self.counters.drops("dns", reason)
    }
}

pub(crate) fn record(owner: &str, ttl: u32, data: Data) -> Record {
    Record { name: name(owner), class: INTERNET, ttl, data }
}

pub(crate) fn address(owner: &str, ttl: u32, address: &str) -> Record {
    record(owner, ttl, ip(address).into())
}

pub(crate) fn alias(owner: &str, target: &str) -> Record {
    record(owner, 300, Data::Cname(name(target)))
}

/// A zone's start, which allows to remember for `minimum` seconds what is not there.
pub(crate) fn start(zone: &str, minimum: u32) -> Record {
    let soa = Soa { server: name("ns.test"), mailbox: name("hostmaster.test"), serial: 1, minimum };
    record(zone, 3_600, Data::Soa(Box::new(soa)))
}
