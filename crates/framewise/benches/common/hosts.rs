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

use super::stacks::Composition;
use super::{BULK, PIECE, SMALL, Segments, WINDOW};

/// Two hosts and what drives them.
pub(crate) struct Hosts {
    runner: Runner,
    client: HostId,
}

impl Hosts {
    /// A client and a server, for pages of any size.
    pub(crate) fn new(composition: Composition, segments: Segments) -> Self {
        Hosts::with(composition, segments, WINDOW)
    }

    /// The same with this many connections open between them, all idle.
    pub(crate) fn with_connections(connections: usize) -> Self {
        let mut hosts = Hosts::with(Composition::Static, Segments::Packets, 4 << 10);
        let mut client = hosts.runner.host(hosts.client);
        let fetches: Vec<_> = (0..connections)
            .map(|_| client.start(Fetch::get("http://192.0.2.2/")).expect("a fetch"))
            .collect();
        for fetch in fetches {
            client.finish(fetch).expect("a page");
        }
        hosts
    }

    fn with(composition: Composition, segments: Segments, window: usize) -> Self {
        let mut runner = Runner::simulated(1).expect("a Runner");
        let wire = runner.add_wire(WireConfig {
            rate: None,
            delay: Duration::ZERO,
            offload: OffloadPolicy::PassThrough,
            ..WireConfig::default()
        });
        let mut macs = MacAllocator::counting();
        let randomness = runner.randomness("hosts");
        let mut add = |name: &str, address: &str| {
            let config = config(name, address, macs.assign(), segments, window, &randomness);
            runner.add_host(name, composition.stack(&config, &randomness), vec![Plug::Wire(wire)])
        };
        let client = add("client", "192.0.2.1/24");
        let server = add("server", "192.0.2.2/24");
        runner.host(server).return_page(80, answer).expect("port 80 is free");
        let mut hosts = Hosts { runner, client };
        hosts.exchanges(1);
        hosts
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

fn config(
    name: &str,
    address: &str,
    mac: MacAddr,
    segments: Segments,
    window: usize,
    randomness: &Rng,
) -> HostConfig {
    let crypto = SimulatedCrypto::never_on_a_real_device(randomness.fork(name));
    let tls = framewise::tls::Config::new(TimeSource::starting_at(0), Crypto::Simulated(crypto));
    let address = address.parse().expect("an address");
    let mut config = HostConfig::new(name, vec![Interface::new(mac, [address])], tls);
    config.tcp.receive_window = window;
    config.tcp.send_buffer = window;
    config.tcp.backlog = config.tcp.max_connections;
    config.tcp.super_segments = segments == Segments::Super;
    config.tcp.checksum_offload = segments == Segments::Super;
    config.http.idle_connections = config.tcp.max_connections;
    config.http.idle_per_server = config.tcp.max_connections;
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
