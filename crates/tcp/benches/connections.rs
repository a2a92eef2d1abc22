//! What a request costs with one connection open and with ten thousand, and what it costs in stock smoltcp, where all
//! connections share a socket set.

use std::net::IpAddr;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::segment::{
    SegmentControl, SegmentDown, SegmentEvent, SegmentUp, SourceRoute, TCP,
};
use framewise_core::seams::stream::{Endpoint, Security, StreamDown, StreamUp};
use framewise_core::{Counters, Cx, Instant, Layer, Rng};
use framewise_tcp::{Config, Tcp};

const REQUEST: &[u8] = &[b'q'; 100];
const RESPONSE: &[u8] = &[b'a'; 1_000];

fn ours(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connections");
    for count in [1, 10_000] {
        let mut hosts = Hosts::with_connections(count);
        group.bench_function(BenchmarkId::new("framewise", count), |bencher| {
            bencher.iter(|| hosts.exchange(count / 2));
        });
    }
    group.finish();
}

/// Two of our TCPs, joined by a function call.
struct Hosts {
    tcp: [Tcp; 2],
    counters: Counters,
    now: Instant,
    accepted: Vec<ConnId>,
    answers: usize,
}

impl Hosts {
    fn with_connections(count: usize) -> Self {
        let config = Config {
            receive_window: 4_096,
            send_buffer: 4_096,
            backlog: count,
            delayed_ack: None,
            ..Config::default()
        };
        let tcp = |seed| Tcp::new(config.clone(), Rng::from_seed(seed));
        let mut hosts = Hosts {
            tcp: [tcp(1), tcp(2)],
            counters: Counters::default(),
            now: Instant::from_millis(1),
            accepted: Vec::new(),
            answers: 0,
        };
        let endpoint = Endpoint { address: None, port: 80 };
        let security = Security::Plain;
        hosts.say(1, StreamDown::Listen { endpoint, security });
        for n in 0..count {
            let remote = (address(1), 80).into();
            let security = Security::Plain;
            let conn = ConnId::new(Opener::Upper, n as u32, 0);
            hosts.say(0, StreamDown::Connect { conn, remote, security });
        }
        assert_eq!(hosts.accepted.len(), count);
        hosts
    }

    /// One request and its response.
    fn exchange(&mut self, index: usize) {
        self.now += std::time::Duration::from_micros(10);
        let conn = ConnId::new(Opener::Upper, index as u32, 0);
        let data = Bytes::from_static(REQUEST);
        self.answers = 0;
        self.say(0, StreamDown::Send { conn, data });
        assert_eq!(self.answers, RESPONSE.len());
    }

    fn say(&mut self, host: usize, message: StreamDown) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.tcp[host].handle_outbound(message, &mut cx);
        while self.turn(0) | self.turn(1) {}
    }

    fn turn(&mut self, host: usize) -> bool {
        let mut moved = false;
        let mut cx = Cx::new(self.now, &mut self.counters);
        while let Some(event) = self.tcp[host].poll_inbound(&mut cx) {
            moved = true;
            match event {
                StreamUp::Opened { conn, .. } => {
                    if host == 1 {
                        self.accepted.push(conn);
                    }
                    let bytes = 1 << 40;
                    self.tcp[host].handle_outbound(StreamDown::Grant { conn, bytes }, &mut cx);
                }
                StreamUp::Data { conn, .. } if host == 1 => {
                    let data = Bytes::from_static(RESPONSE);
                    self.tcp[1].handle_outbound(StreamDown::Send { conn, data }, &mut cx);
                }
                StreamUp::Data { data, .. } => self.answers += data.len(),
                _ => {}
            }
        }
        while let Some(message) = self.tcp[host].poll_outbound(&mut cx) {
            moved = true;
            match message {
                SegmentDown::Segment(segment) => {
                    self.tcp[1 - host].handle_inbound(SegmentUp::Segment(segment), &mut cx);
                }
                SegmentDown::Control(control) => {
                    let answer = answer(host, &control);
                    self.tcp[host].handle_inbound(answer, &mut cx);
                }
            }
        }
        moved
    }
}

fn address(host: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, 1 + host as u8])
}

fn answer(host: usize, control: &SegmentControl) -> SegmentUp {
    let SegmentControl::Source { destination, .. } = *control else {
        panic!("TCP asks for nothing but a source");
    };
    let route = Some(SourceRoute { source: address(host), mtu: 1_500 });
    SegmentUp::Event(Box::new(SegmentEvent::Source { destination, protocol: TCP, route }))
}

mod stock {
    //! smoltcp as it comes: one interface and one socket set, both ends in it over its loopback device.

    use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
    use smoltcp::phy::{Loopback, Medium};
    use smoltcp::socket::tcp::{Socket, SocketBuffer};
    use smoltcp::time::Instant;
    use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

    pub(super) struct Stock {
        interface: Interface,
        device: Loopback,
        sockets: SocketSet<'static>,
        pairs: Vec<(SocketHandle, SocketHandle)>,
        now: i64,
    }

    impl Stock {
        pub(super) fn with_connections(count: usize) -> Self {
            let mut device = Loopback::new(Medium::Ip);
            let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut device, Instant::ZERO);
            interface.update_ip_addrs(|addresses| {
                let _ = addresses.push(IpCidr::new(IpAddress::v4(127, 0, 0, 1), 8));
            });
            let mut stock =
                Stock { interface, device, sockets: SocketSet::new(Vec::new()), pairs: Vec::new(), now: 1 };
            for n in 0..count {
                stock.open(n);
            }
            stock
        }

        /// Opens one connection at a time, in a set of its own: in the shared one that would take hours.
        fn open(&mut self, n: usize) {
            let ring = || SocketBuffer::new(vec![0; 4_096]);
            let (mut server, mut client) = (Socket::new(ring(), ring()), Socket::new(ring(), ring()));
            let ports = (10_000 + (n % 40_000) as u16, 20_000 + (n % 40_000) as u16);
            server.listen(ports.0).expect("the port is free");
            let to = (IpAddress::v4(127, 0, 0, 1), ports.0);
            client.connect(self.interface.context(), to, ports.1).expect("the address is right");
            for socket in [&mut server, &mut client] {
                socket.set_ack_delay(None);
            }
            let mut alone = SocketSet::new(Vec::new());
            let handles = (alone.add(server), alone.add(client));
            while !alone.get::<Socket>(handles.0).may_send() {
                self.now += 1;
                self.interface.poll(Instant::from_millis(self.now), &mut self.device, &mut alone);
            }
            let (server, client) = (alone.remove(handles.0), alone.remove(handles.1));
            let (smoltcp::socket::Socket::Tcp(server), smoltcp::socket::Socket::Tcp(client)) =
                (server, client);
            self.pairs.push((self.sockets.add(server), self.sockets.add(client)));
        }

        pub(super) fn exchange(&mut self, index: usize) {
            let (server, client) = self.pairs[index];
            let sent = self.sockets.get_mut::<Socket>(client).send_slice(super::REQUEST);
            assert_eq!(sent, Ok(super::REQUEST.len()));
            let mut room = [0; 2_048];
            let mut answered = 0;
            while answered < super::RESPONSE.len() {
                self.now += 1;
                let now = Instant::from_millis(self.now);
                self.interface.poll(now, &mut self.device, &mut self.sockets);
                let socket = self.sockets.get_mut::<Socket>(server);
                if socket.recv_slice(&mut room).is_ok_and(|n| n > 0) {
                    let sent = socket.send_slice(super::RESPONSE);
                    assert_eq!(sent, Ok(super::RESPONSE.len()));
                }
                let socket = self.sockets.get_mut::<Socket>(client);
                answered += socket.recv_slice(&mut room).unwrap_or(0);
            }
        }
    }
}

fn stock(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connections");
    group.sample_size(10);
    for count in [1, 10_000] {
        let mut stock = stock::Stock::with_connections(count);
        group.bench_function(BenchmarkId::new("stock smoltcp", count), |bencher| {
            bencher.iter(|| stock.exchange(count / 2));
        });
    }
    group.finish();
}

criterion_group!(benches, ours, stock);
criterion_main!(benches);
