//! Two of our hosts in memory, on a wire that takes no time: a client, and a server of small and large pages.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use framewise::core::seams::exchange::{BodyLength, ResponseHead};
use framewise::core::{MacAddr, Rng};
use framewise::device::wire::{OffloadPolicy, WireConfig};
use framewise::ethernet::MacAllocator;
use framewise::http::{Body, Request, Response};
use framewise::runner::{HostId, SharedObserver};
use framewise::tls::{Crypto, SimulatedCrypto, TimeSource};
use framewise::{BodySink, Fetch, HostConfig, Interface, Plug, Runner};

use super::flows::Flows;
use super::stacks::Composition;
use super::{BULK, PIECE, SMALL, Segments, WINDOW};

/// More connections than any benchmark opens.
const CONNECTIONS: usize = 200_000;

/// Two hosts and what drives them.
pub(crate) struct Hosts {
    runner: Runner,
    client: HostId,
}

/// What two hosts are like.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) composition: Composition,
    pub(crate) segments: Segments,
    pub(crate) window: usize,
    /// Whether acknowledgments wait for data to travel with.
    pub(crate) delayed_ack: bool,
    /// The server's addresses.
    pub(crate) addresses: usize,
}

impl Setup {
    /// For pages of any size.
    pub(crate) fn new(composition: Composition, segments: Segments) -> Self {
        Setup { composition, segments, window: WINDOW, delayed_ack: true, addresses: 1 }
    }

    /// For many connections.
    fn small() -> Self {
        let usual = Setup::new(Composition::Static, Segments::Packets);
        Setup { window: 4 << 10, addresses: ADDRESSES, ..usual }
    }
}

/// The addresses of a server of many connections. Each port of the client's leads to each of them: with one of them alone,
/// its ports would run out after 16,384 connections.
const ADDRESSES: usize = 16;

/// The URL of the small page for the connection of this number.
fn url(number: usize) -> String {
    format!("http://192.0.2.{}/{number}", 2 + number % ADDRESSES)
}

impl Hosts {
    /// A client and a server, for pages of any size.
    pub(crate) fn new(composition: Composition, segments: Segments) -> Self {
        Hosts::with(Setup::new(composition, segments))
    }

    /// The same with this many connections open between them, all idle.
    pub(crate) fn with_connections(connections: usize) -> Self {
        let mut hosts = Hosts::with(Setup::small());
        hosts.open(connections);
        hosts
    }

    /// The same with windows of 64 KiB.
    pub(crate) fn with_usual_windows() -> Self {
        Hosts::with(Setup { window: 64 << 10, ..Setup::small() })
    }

    /// The same with [`Flows`] in the place of the client's HTTP: each number in a URL is a connection of its own.
    pub(crate) fn with_flows(connections: usize) -> Self {
        let mut hosts = Hosts::build(Setup::small(), true);
        hosts.open(connections);
        hosts
    }

    /// Opens connections until there are so many, by requests that are all under way at once: one that is done would have
    /// its connection used again. One of the server's addresses after the other, since a client has a limit of its own.
    pub(crate) fn open(&mut self, connections: usize) {
        let mut client = self.runner.host(self.client);
        for address in 0..ADDRESSES {
            let numbers = (address..connections).step_by(ADDRESSES);
            let fetches: Vec<_> =
                numbers.map(|number| client.start(Fetch::get(url(number))).expect("a fetch")).collect();
            for fetch in fetches {
                client.finish(fetch).expect("a page");
            }
        }
    }

    /// Lets time pass in which nothing happens, so that all connections become idle ones.
    pub(crate) fn idle(&mut self) {
        self.runner.run_for(Duration::from_secs(5)).expect("nothing that fails");
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let mut hosts = Hosts::build(setup, false);
        hosts.exchanges(1);
        hosts
    }

    fn build(setup: Setup, flows: bool) -> Self {
        let mut runner = Runner::simulated(1).expect("a Runner");
        let wire = runner.add_wire(WireConfig {
            rate: None,
            delay: Duration::ZERO,
            offload: OffloadPolicy::PassThrough,
            ..WireConfig::default()
        });
        let mut macs = MacAllocator::counting();
        let randomness = runner.randomness("hosts");
        let mut add = |name: &str, first: usize, addresses: usize, flows: bool| {
            let interface = interface(macs.assign(), first, addresses);
            let config = config(name, interface, setup, &randomness);
            let stack = if flows {
                let mut layers = config.layers(&randomness).expect("layers");
                layers.http = Box::new(Flows::default());
                layers.stacked()
            } else {
                setup.composition.stack(&config, &randomness)
            };
            runner.add_host(name, stack, vec![Plug::Wire(wire)])
        };
        let client = add("client", 1, 1, flows);
        let server = add("server", 2, setup.addresses, false);
        runner.host(server).return_page(80, answer).expect("port 80 is free");
        Hosts { runner, client }
    }

    /// Fetches the small page over the connection of this number, of those with [`Flows`].
    pub(crate) fn exchange(&mut self, number: usize) {
        let page = self.runner.host(self.client).fetch_page(&url(number)).expect("a page");
        assert_eq!(page.received, 0, "what came is counted, and not given up");
    }

    /// Lets `observer` watch from now on, instead of any before.
    pub(crate) fn observe(&mut self, observer: SharedObserver) {
        self.runner.observe(observer);
    }

    /// Fetches the small page so many times, over a connection that is there already.
    pub(crate) fn exchanges(&mut self, count: usize) {
        for _ in 0..count {
            let page = self.runner.host(self.client).fetch_page("http://192.0.2.2/").expect("a page");
            assert_eq!(page.body.len(), SMALL);
        }
    }

    /// Fetches the large page, over a connection that is there already, and throws it away.
    pub(crate) fn fetch_bulk(&mut self) {
        let fetch = Fetch::get("http://192.0.2.2/bulk").to_sink(Discard);
        let page = self.runner.host(self.client).fetch(fetch).expect("a page");
        assert_eq!(page.received, BULK as u64);
    }
}

fn interface(mac: MacAddr, first: usize, addresses: usize) -> Interface {
    let address = |number: usize| format!("192.0.2.{number}/24").parse().expect("an address");
    Interface::new(mac, (first..first + addresses).map(address))
}

fn config(name: &str, interface: Interface, setup: Setup, randomness: &Rng) -> HostConfig {
    let crypto = SimulatedCrypto::never_on_a_real_device(randomness.fork(name));
    let tls = framewise::tls::Config::new(TimeSource::starting_at(0), Crypto::Simulated(crypto));
    let mut config = HostConfig::new(name, vec![interface], tls);
    config.tcp.receive_window = setup.window;
    config.tcp.send_buffer = setup.window;
    config.tcp.max_connections = CONNECTIONS;
    config.tcp.backlog = CONNECTIONS;
    config.tcp.super_segments = setup.segments == Segments::Super;
    config.tcp.checksum_offload = setup.segments == Segments::Super;
    if !setup.delayed_ack {
        config.tcp.delayed_ack = None;
    }
    config.tls.limits.connections = CONNECTIONS;
    config.http.connections = CONNECTIONS;
    config.http.exchanges = CONNECTIONS;
    config.http.idle_connections = CONNECTIONS;
    config.http.idle_per_server = CONNECTIONS;
    config.http.idle_timeout = Duration::from_secs(1 << 20);
    config
}

fn answer(request: Request) -> Response {
    match request.path() {
        "/bulk" => {
            let piece = Bytes::from(vec![0x5a; PIECE]);
            let pieces = (0..BULK / PIECE).map(move |_| Ok(piece.clone()));
            let body = Body::Stream { length: Some(BULK as u64), pieces: Box::new(pieces) };
            Response::status(framewise::http::StatusCode::OK).with_body(body)
        }
        _ => Response::bytes("text/plain", vec![0x5a; SMALL]),
    }
}

/// Takes a page and forgets it.
struct Discard;

impl BodySink for Discard {
    fn head(&mut self, _head: &ResponseHead, _length: BodyLength) -> io::Result<()> {
        Ok(())
    }

    fn piece(&mut self, _data: &Bytes) -> io::Result<()> {
        Ok(())
    }
}
