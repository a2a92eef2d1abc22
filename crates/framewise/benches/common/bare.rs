//! Two interfaces of smoltcp's, as it comes, joined by a queue each way: what our layers are measured against.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::rc::Rc;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Checksum, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

use super::{BULK, PIECE, SMALL, Segments, WINDOW};

const SERVER: IpAddress = IpAddress::v4(192, 0, 2, 2);
const PORT: u16 = 80;
/// Bytes of our pipeline's request for the small page and, with the head, of its answer.
const REQUEST: usize = 37;
const ANSWER: usize = 83 + SMALL;

/// Two hosts with nothing above TCP.
pub(crate) struct Bare {
    now: Instant,
    client: Host,
    server: Host,
}

struct Host {
    interface: Interface,
    port: Port,
    sockets: SocketSet<'static>,
    connections: Vec<SocketHandle>,
}

impl Bare {
    /// Two hosts with one connection.
    pub(crate) fn new(segments: Segments) -> Self {
        Bare::with(1, segments, WINDOW)
    }

    /// Two hosts with this many connections open between them, all in the one set that each interface has.
    pub(crate) fn with_connections(connections: usize) -> Self {
        Bare::with(connections, Segments::Packets, 4 << 10)
    }

    fn with(connections: usize, segments: Segments, window: usize) -> Self {
        let (there, back) = (Rc::default(), Rc::default());
        let mut bare = Bare {
            now: Instant::ZERO,
            client: Host::new(1, Port::new(&back, &there, segments)),
            server: Host::new(2, Port::new(&there, &back, segments)),
        };
        // The first one alone: the others find the server's address resolved.
        bare.connect(1, window);
        bare.connect(connections - 1, window);
        bare
    }

    fn connect(&mut self, count: usize, window: usize) {
        for _ in 0..count {
            self.server.add(window).listen(PORT).expect("a free socket");
            let local = 20_000 + self.client.connections.len() as u16;
            self.client.add(window);
            let Host { interface, sockets, connections, .. } = &mut self.client;
            let socket = sockets.get_mut::<Socket>(*connections.last().expect("the one just added"));
            socket.connect(interface.context(), (SERVER, PORT), local).expect("a free port");
        }
        let are_open = |host: &Host| {
            host.sockets.iter().all(|(_, socket)| match socket {
                smoltcp::socket::Socket::Tcp(socket) => socket.may_send(),
            })
        };
        while !(are_open(&self.client) && are_open(&self.server)) {
            self.turn();
        }
    }

    /// Sends, so many times, a request's bytes over the connection opened last, and as many as an answer's back.
    pub(crate) fn exchanges(&mut self, count: usize) {
        for _ in 0..count {
            self.client.socket().send_slice(&[0x5a; REQUEST]).expect("an open connection");
            self.run_until(|bare| bare.server.receive(REQUEST));
            self.server.socket().send_slice(&[0x5a; ANSWER]).expect("an open connection");
            self.run_until(|bare| bare.client.receive(ANSWER));
        }
    }

    /// Sends the large page's bytes from the server to the client.
    pub(crate) fn transfer_bulk(&mut self) {
        let piece = [0x5a; PIECE];
        let (mut sent, mut received) = (0, 0);
        while received < BULK {
            let more = piece.len().min(BULK - sent);
            let taken = self.server.socket().send_slice(&piece[..more]).expect("an open connection");
            sent += taken;
            let moved = self.poll();
            let came = self.client.take_all();
            received += came;
            if taken == 0 && came == 0 && !moved {
                self.wait();
            }
        }
    }

    fn run_until(&mut self, mut done: impl FnMut(&mut Bare) -> bool) {
        loop {
            let moved = self.poll();
            if done(self) {
                return;
            }
            if !moved {
                self.wait();
            }
        }
    }

    fn turn(&mut self) {
        if !self.poll() {
            self.wait();
        }
    }

    /// Lets both send and receive; whether a frame moved.
    fn poll(&mut self) -> bool {
        for host in [&mut self.server, &mut self.client] {
            host.interface.poll(self.now, &mut host.port, &mut host.sockets);
        }
        !(self.client.port.inbound.borrow().is_empty() && self.server.port.inbound.borrow().is_empty())
    }

    /// Time jumps to what is due next.
    fn wait(&mut self) {
        let now = self.now;
        let hosts = [&mut self.client, &mut self.server];
        let due = hosts.into_iter().filter_map(|host| host.interface.poll_at(now, &host.sockets)).min();
        self.now = due.unwrap_or(now).max(now);
    }
}

impl Host {
    fn new(number: u8, mut port: Port) -> Self {
        let mac = EthernetAddress([2, 0, 0, 0, 0, number]);
        let mut interface = Interface::new(Config::new(mac.into()), &mut port, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            let address = IpCidr::new(IpAddress::v4(192, 0, 2, number), 24);
            addresses.push(address).expect("room for one address");
        });
        Host { interface, port, sockets: SocketSet::new(Vec::new()), connections: Vec::new() }
    }

    fn add(&mut self, window: usize) -> &mut Socket<'static> {
        let ring = || SocketBuffer::new(vec![0; window]);
        let mut socket = Socket::new(ring(), ring());
        socket.set_congestion_control(CongestionControl::Cubic);
        socket.set_nagle_enabled(false);
        self.connections.push(self.sockets.add(socket));
        self.socket()
    }

    /// The connection opened last: the one that every look-up in the set comes to last.
    fn socket(&mut self) -> &mut Socket<'static> {
        let last = *self.connections.last().expect("a connection");
        self.sockets.get_mut(last)
    }

    /// Takes this many bytes, once all of them are there.
    fn receive(&mut self, bytes: usize) -> bool {
        self.socket().recv_queue() >= bytes && self.take_all() == bytes
    }

    fn take_all(&mut self) -> usize {
        let mut bytes = 0;
        let socket = self.socket();
        while socket.can_recv() {
            bytes += socket.recv(|data| (data.len(), data.len())).expect("an open connection");
        }
        bytes
    }
}

/// Frames on their way in one direction.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Frame>,
    /// Frames to be used again, as our own pool does.
    spare: Vec<Frame>,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

struct Frame {
    room: Box<[u8]>,
    length: usize,
}

/// A device that is one end of two queues.
struct Port {
    inbound: Rc<RefCell<Queue>>,
    outbound: Rc<RefCell<Queue>>,
    segments: Segments,
}

impl Port {
    fn new(inbound: &Rc<RefCell<Queue>>, outbound: &Rc<RefCell<Queue>>, segments: Segments) -> Self {
        Port { inbound: inbound.clone(), outbound: outbound.clone(), segments }
    }
}

impl Device for Port {
    type RxToken<'a> = Inbound<'a>;
    type TxToken<'a> = Outbound<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Inbound<'_>, Outbound<'_>)> {
        let frame = self.inbound.borrow_mut().waiting.pop_front()?;
        Some((
            Inbound { frame, from: &self.inbound },
            Outbound { to: &self.outbound, segments: self.segments },
        ))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Outbound<'_>> {
        Some(Outbound { to: &self.outbound, segments: self.segments })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 14 + 1_500;
        if self.segments == Segments::Super {
            capabilities.checksum.tcp = Checksum::None;
            capabilities.segmentation.tcpv4 = NonZeroUsize::new(usize::from(u16::MAX));
        }
        capabilities
    }
}

struct Inbound<'a> {
    frame: Frame,
    from: &'a RefCell<Queue>,
}

impl RxToken for Inbound<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let result = f(&self.frame.room[..self.frame.length]);
        self.from.borrow_mut().spare.push(self.frame);
        result
    }
}

struct Outbound<'a> {
    to: &'a RefCell<Queue>,
    segments: Segments,
}

impl TxToken for Outbound<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let room = match self.segments {
            Segments::Packets => 2 << 10,
            Segments::Super => 66 << 10,
        };
        let kept = self.to.borrow_mut().spare.pop();
        let mut frame = kept.unwrap_or_else(|| Frame { room: vec![0; room].into(), length: 0 });
        frame.length = length;
        let result = f(&mut frame.room[..length]);
        self.to.borrow_mut().waiting.push_back(frame);
        result
    }
}
