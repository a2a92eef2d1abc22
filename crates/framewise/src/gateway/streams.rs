//! The operating system's sockets as a provider of streams: a layer that is not pure, for it stands where others have a device.
//! So it lives here, beside the Runner, and can't be part of a simulated run.
//!
//! What the operating system says is to the Runner like a timer that is due: the thread that hears it wakes the Runner, which
//! finds it in [`poll_timeout`](Layer::poll_timeout).

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use framewise_core::id::{ConnId, Connection, Opener, Slab};
use framewise_core::seams::segment::{SegmentDown, SegmentUp};
use framewise_core::seams::stream::{CloseReason, ListenError, StreamDown, StreamUp};
use framewise_core::seams::{Segments, Streams};
use framewise_core::{Cx, Instant, Layer};
use mio::Interest;
use mio::net::TcpStream;

use super::complaints::Complaints;
use super::readiness::Readiness;
use super::socket::{Socket, Step, reason};
use crate::wake::Waker;

/// The name of this layer in counters and traces.
const NAME: &str = "os";
/// Bytes that are read at a time.
const SCRATCH: usize = 64 << 10;
/// How long to let a listener rest that could not accept, for want of descriptors for instance.
const REST: Duration = Duration::from_millis(100);

/// The operating system's sockets.
pub(super) struct OsStreams {
    readiness: Readiness,
    complaints: Complaints,
    /// By a number that is never used again, so that a late word of the operating system's reaches nobody else.
    sockets: BTreeMap<usize, Socket>,
    numbers: BTreeMap<ConnId, usize>,
    /// The names of accepted connections.
    accepted: Slab<Connection, ()>,
    listeners: BTreeMap<usize, Listening>,
    next: usize,
    limit: usize,
    /// Those that may be able to go on.
    able: VecDeque<usize>,
    /// When to try listeners again that could not accept.
    retry: Option<Instant>,
    up: VecDeque<StreamUp>,
    scratch: Box<[u8]>,
}

/// A listener, and whether somebody may be waiting at it.
struct Listening {
    listener: mio::net::TcpListener,
    bound: SocketAddr,
    is_ready: bool,
}

impl OsStreams {
    /// Connections to wherever one asks for, at most `limit` at a time, and from whoever comes to `listeners`.
    pub(super) fn new(
        listeners: Vec<TcpListener>,
        limit: usize,
        complaints: Complaints,
        waker: Waker,
    ) -> io::Result<Self> {
        let mut streams = OsStreams {
            readiness: Readiness::new(waker)?,
            complaints,
            sockets: BTreeMap::new(),
            numbers: BTreeMap::new(),
            accepted: Slab::new(Opener::Lower, limit),
            listeners: BTreeMap::new(),
            next: 0,
            limit,
            able: VecDeque::new(),
            retry: None,
            up: VecDeque::new(),
            scratch: vec![0; SCRATCH].into(),
        };
        for listener in listeners {
            streams.listen(listener)?;
        }
        Ok(streams)
    }

    fn listen(&mut self, listener: TcpListener) -> io::Result<()> {
        let bound = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(listener);
        let number = self.fresh_number();
        self.readiness.add(&mut listener, number, Interest::READABLE)?;
        self.listeners.insert(number, Listening { listener, bound, is_ready: true });
        Ok(())
    }

    fn fresh_number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn connect(&mut self, conn: ConnId, remote: SocketAddr, cx: &mut Cx) {
        let socket = match self.sockets.len() < self.limit {
            true => TcpStream::connect(remote).map_err(|error| (reason(&error), Some(error))),
            false => Err((CloseReason::TooMany(self.limit), None)),
        };
        let added = socket.and_then(|stream| {
            self.add(Socket::connecting(conn, stream, remote)).map_err(|error| (reason(&error), Some(error)))
        });
        if let Err((reason, error)) = added {
            self.say_closed(conn, remote, reason, error, cx);
        }
    }

    /// Waits for a new socket, too.
    fn add(&mut self, mut socket: Socket) -> io::Result<()> {
        let number = self.fresh_number();
        self.readiness.add(&mut socket.stream, number, Interest::READABLE | Interest::WRITABLE)?;
        self.numbers.insert(socket.name, number);
        self.sockets.insert(number, socket);
        self.able.push_back(number);
        Ok(())
    }

    /// Does something with the connection called `conn`, if it is not over, and then what it can do.
    fn with(&mut self, conn: ConnId, act: impl FnOnce(&mut Socket)) {
        let Some(&number) = self.numbers.get(&conn) else { return };
        if let Some(socket) = self.sockets.get_mut(&number) {
            act(socket);
            self.able.push_back(number);
        }
    }

    /// Ends a connection here and now.
    fn abort(&mut self, conn: ConnId, reason: CloseReason) {
        if let Some(&number) = self.numbers.get(&conn)
            && let Some(socket) = self.remove(number)
        {
            socket.break_off();
            self.up.push_back(StreamUp::Closed { conn, reason });
        }
    }

    fn remove(&mut self, number: usize) -> Option<Socket> {
        let mut socket = self.sockets.remove(&number)?;
        self.readiness.remove(&mut socket.stream);
        self.numbers.remove(&socket.name);
        self.accepted.remove(socket.name);
        Some(socket)
    }

    fn say_closed(
        &mut self,
        conn: ConnId,
        remote: SocketAddr,
        reason: CloseReason,
        error: Option<io::Error>,
        cx: &mut Cx,
    ) {
        if let Some(error) = error {
            let said = format!("{remote}: {error}");
            cx.note(NAME, "refused", || format!("the operating system says of {said}"));
            self.complaints.add(said);
        }
        self.up.push_back(StreamUp::Closed { conn, reason });
    }

    /// Hears what the operating system has said.
    fn listen_to_the_system(&mut self) {
        for (number, ready) in self.readiness.take() {
            if let Some(socket) = self.sockets.get_mut(&number) {
                socket.is_told(ready);
                self.able.push_back(number);
            } else if let Some(listening) = self.listeners.get_mut(&number) {
                listening.is_ready = true;
            }
        }
    }

    /// Goes on with whatever can go on, until there is something to say or nothing can.
    fn go_on(&mut self, cx: &mut Cx) {
        while self.up.is_empty()
            && let Some(number) = self.able.pop_front()
        {
            self.step(number, cx);
        }
        while self.up.is_empty() && self.accept_one(cx) {}
    }

    fn step(&mut self, number: usize, cx: &mut Cx) {
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        match socket.step(&mut self.scratch, &mut self.up) {
            Step::Moved => self.able.push_back(number),
            Step::Waits => {}
            Step::Over(reason, error) => {
                let (conn, remote) = (socket.name, socket.remote);
                self.remove(number);
                self.say_closed(conn, remote, reason, error, cx);
            }
        }
    }

    /// Accepts one connection, if somebody waits and there is room for one more. Who finds none waits in the backlog.
    fn accept_one(&mut self, cx: &mut Cx) -> bool {
        if self.sockets.len() >= self.limit || self.retry.is_some_and(|at| at > cx.now) {
            return false;
        }
        self.retry = None;
        let Some(listening) = self.listeners.values_mut().find(|listening| listening.is_ready) else {
            return false;
        };
        match listening.listener.accept() {
            Ok((stream, remote)) => {
                let bound = listening.bound;
                self.accepted(stream, bound, remote);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => listening.is_ready = false,
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                self.complaints.add(format!("{}: {error}", listening.bound));
                self.retry = Some(cx.now + REST);
                return false;
            }
        }
        true
    }

    fn accepted(&mut self, stream: TcpStream, bound: SocketAddr, remote: SocketAddr) {
        let Ok(name) = self.accepted.insert(()) else { return };
        let mut up = VecDeque::new();
        let socket = Socket::accepted(name, stream, bound, remote, &mut up);
        match self.add(socket) {
            Ok(()) => self.up.append(&mut up),
            Err(_) => drop(self.accepted.remove(name)),
        }
    }
}

/// Whether this says something of one connection that is gone already.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

impl Layer for OsStreams {
    type Upper = Streams;
    type Lower = Segments;

    fn name(&self) -> &'static str {
        NAME
    }

    fn handle_outbound(&mut self, message: StreamDown, cx: &mut Cx) {
        match message {
            StreamDown::Connect { conn, remote, .. } => self.connect(conn, remote, cx),
            StreamDown::Send { conn, .. } if !self.numbers.contains_key(&conn) => {
                cx.dropped(NAME, "its connection is over");
            }
            StreamDown::Send { conn, data } => {
                let mut misuse = None;
                self.with(conn, |socket| misuse = socket.send(data).err());
                if let Some(reason) = misuse {
                    self.abort(conn, reason);
                }
            }
            StreamDown::Grant { conn, bytes } => self.with(conn, |socket| socket.grant(bytes)),
            StreamDown::Close { conn } => self.with(conn, Socket::close),
            StreamDown::Abort { conn } => self.abort(conn, CloseReason::Aborted),
            // Its listeners were handed to it.
            StreamDown::Listen { endpoint, .. } => {
                let result = Err(ListenError::TooMany { limit: 0 });
                self.up.push_back(StreamUp::Listening { endpoint, result });
            }
            // Nobody was asked about anything.
            StreamDown::Unlisten { .. } | StreamDown::Accept { .. } | StreamDown::Refuse { .. } => {}
        }
    }

    /// Nothing comes from below: the operating system has its own network.
    fn handle_inbound(&mut self, _message: SegmentUp, cx: &mut Cx) {
        cx.dropped(NAME, "a segment for the operating system's sockets");
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<SegmentDown> {
        None
    }

    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<StreamUp> {
        if self.up.is_empty() {
            self.go_on(cx);
        }
        self.up.pop_front()
    }

    /// What follows from it is done at the next poll.
    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.listen_to_the_system();
        self.retry = self.retry.filter(|at| *at > cx.now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.readiness.has_changed() { Some(Instant::ZERO) } else { self.retry }
    }

    fn is_sending(&self) -> bool {
        self.sockets.values().any(Socket::is_sending)
    }

    fn accepts(&self, _message: &SegmentUp) -> bool {
        false
    }
}
