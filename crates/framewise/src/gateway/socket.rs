//! One connection of the operating system's: what may go up, what is still to go out, and how it ends.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise_core::id::ConnId;
use framewise_core::seams::segment;
use framewise_core::seams::stream::{CloseReason, ConnInfo, StreamUp};
use mio::net::TcpStream;
use socket2::SockRef;

use super::readiness::Ready;

/// Bytes that one connection takes from us before the operating system has taken them.
const OUTBOUND: usize = 128 << 10;
/// Room is told in portions of at least this, unless all of it is free.
const PORTION: usize = OUTBOUND / 8;

/// One connection.
pub(super) struct Socket {
    pub(super) name: ConnId,
    pub(super) stream: TcpStream,
    /// The peer's address.
    pub(super) remote: SocketAddr,
    /// Whether the connection is there.
    is_open: bool,
    ready: Ready,
    /// Bytes that may go up.
    grant: usize,
    /// Bytes that may still come down.
    room: usize,
    /// What waits for the operating system to take it.
    unsent: VecDeque<Bytes>,
    queued: usize,
    /// Whether we have said that nothing more comes down, and the peer was told.
    is_closing: bool,
    is_shut: bool,
    /// Whether the peer has sent all.
    peer_closed: bool,
    /// Why it is broken. What had come before that can still be read.
    broken: Option<io::Error>,
}

/// What came of a step.
pub(super) enum Step {
    /// It did something, and may be able to do more.
    Moved,
    /// It has to wait.
    Waits,
    /// It is over, and why; in the operating system's words where it has said any.
    Over(CloseReason, Option<io::Error>),
}

impl Socket {
    /// A connection that is being opened.
    pub(super) fn connecting(name: ConnId, stream: TcpStream, remote: SocketAddr) -> Self {
        Socket {
            name,
            stream,
            remote,
            is_open: false,
            ready: Ready::default(),
            grant: 0,
            room: OUTBOUND,
            unsent: VecDeque::new(),
            queued: 0,
            is_closing: false,
            is_shut: false,
            peer_closed: false,
            broken: None,
        }
    }

    /// A connection that a peer opened to our listener at `local`.
    pub(super) fn accepted(
        name: ConnId,
        stream: TcpStream,
        local: SocketAddr,
        remote: SocketAddr,
        up: &mut VecDeque<StreamUp>,
    ) -> Self {
        let mut socket = Socket::connecting(name, stream, remote);
        socket.ready = Ready { readable: true, writable: true, failed: false };
        socket.open(ConnInfo { local, remote, tls: None }, up);
        socket
    }

    fn open(&mut self, info: ConnInfo, up: &mut VecDeque<StreamUp>) {
        self.is_open = true;
        // What comes down has been cut into segments once; it must not wait for more.
        let _ = self.stream.set_nodelay(true);
        up.push_back(StreamUp::Opened { conn: self.name, info: Box::new(info) });
        up.push_back(StreamUp::Writable { conn: self.name, bytes: self.room });
    }

    /// The operating system says what it can do.
    pub(super) fn is_told(&mut self, ready: Ready) {
        self.ready.readable |= ready.readable;
        self.ready.writable |= ready.writable;
        self.ready.failed |= ready.failed;
    }

    /// Lets `bytes` more come up.
    pub(super) fn grant(&mut self, bytes: usize) {
        self.grant = self.grant.saturating_add(bytes);
    }

    /// Takes bytes to send; `Err` where they exceed the room.
    pub(super) fn send(&mut self, data: Bytes) -> Result<(), CloseReason> {
        if self.is_closing {
            return Err(CloseReason::Misuse("sent after Close"));
        }
        self.room =
            self.room.checked_sub(data.len()).ok_or(CloseReason::Misuse("sent more than the credit"))?;
        self.queued += data.len();
        self.unsent.push_back(data);
        Ok(())
    }

    /// Nothing more will be sent.
    pub(super) fn close(&mut self) {
        self.is_closing = true;
    }

    /// Has the peer told by RST when the socket is dropped, instead of what is left and FIN.
    pub(super) fn break_off(&self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Whether something is still to be sent.
    pub(super) fn is_sending(&self) -> bool {
        self.queued > 0 || (self.is_closing && !self.is_shut)
    }

    /// Does one thing that can be done now, with `scratch` to read into.
    pub(super) fn step(&mut self, scratch: &mut [u8], up: &mut VecDeque<StreamUp>) -> Step {
        let result = if self.is_open { self.move_bytes(scratch, up) } else { self.connect(up) };
        match result {
            Ok(false) if self.is_shut && self.peer_closed => Step::Over(CloseReason::Finished, None),
            Ok(true) => Step::Moved,
            Ok(false) => Step::Waits,
            Err(error) => Step::Over(reason(&error), Some(error)),
        }
    }

    /// Finds out whether connecting has ended, and how.
    fn connect(&mut self, up: &mut VecDeque<StreamUp>) -> io::Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        match self.stream.peer_addr() {
            Ok(remote) => {
                let local = self.stream.local_addr()?;
                self.open(ConnInfo { local, remote, tls: None }, up);
                Ok(true)
            }
            Err(error) if is_under_way(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn move_bytes(&mut self, scratch: &mut [u8], up: &mut VecDeque<StreamUp>) -> io::Result<bool> {
        if std::mem::take(&mut self.ready.failed)
            && let Some(error) = self.stream.take_error()?
        {
            self.is_broken(error);
        }
        let wrote = self.broken.is_none() && self.write(up).unwrap_or_else(|error| self.is_broken(error));
        let read = self.read(scratch, up)?;
        match self.broken.take_if(|_| !read && (!self.ready.readable || self.peer_closed)) {
            Some(error) => Err(error),
            None => Ok(wrote || read),
        }
    }

    /// Notes why it is broken. What has come before is read first: it may be the peer's answer to what it did not want to
    /// read to the end.
    fn is_broken(&mut self, error: io::Error) -> bool {
        self.broken = Some(error);
        self.ready.readable = true;
        true
    }

    /// Writes what the operating system takes, and FIN after the last of it.
    fn write(&mut self, up: &mut VecDeque<StreamUp>) -> io::Result<bool> {
        let mut moved = false;
        while let Some(data) = self.unsent.front_mut().filter(|_| self.ready.writable) {
            match self.stream.write(data) {
                Ok(written) => {
                    drop(data.split_to(written));
                    if data.is_empty() {
                        self.unsent.pop_front();
                    }
                    self.queued -= written;
                    moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.ready.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let free = OUTBOUND - self.queued - self.room;
        if free > 0 && !self.is_closing && (self.queued == 0 || free >= PORTION) {
            self.room += free;
            up.push_back(StreamUp::Writable { conn: self.name, bytes: free });
        }
        if self.is_closing && self.queued == 0 && !self.is_shut {
            self.is_shut = true;
            moved = true;
            match self.stream.shutdown(Shutdown::Write) {
                // The peer's end came first.
                Err(error) if error.kind() != ErrorKind::NotConnected => return Err(error),
                _ => {}
            }
        }
        Ok(moved)
    }

    /// Reads what is granted. The peer's end needs no credit to be noticed.
    fn read(&mut self, scratch: &mut [u8], up: &mut VecDeque<StreamUp>) -> io::Result<bool> {
        if !self.ready.readable || self.peer_closed {
            return Ok(false);
        }
        let most = self.grant.min(scratch.len());
        let read = match scratch.get_mut(..most).filter(|room| !room.is_empty()) {
            Some(room) => self.stream.read(room),
            None => match self.stream.peek(&mut [0]) {
                Ok(1..) => return Ok(false),
                end => end,
            },
        };
        match read {
            // All that came before it broke is read.
            Ok(0) if self.broken.is_some() => {
                self.ready.readable = false;
                return Ok(false);
            }
            Ok(0) => {
                self.peer_closed = true;
                up.push_back(StreamUp::PeerClosed { conn: self.name, clean: true });
            }
            Ok(count) => {
                self.grant -= count;
                let data = Bytes::copy_from_slice(scratch.get(..count).unwrap_or_default());
                up.push_back(StreamUp::Data { conn: self.name, data });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.ready.readable = false;
                return Ok(false);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

/// Whether this only says that connecting has not ended yet.
fn is_under_way(error: &io::Error) -> bool {
    // macOS says "invalid argument" of the peer of a socket that is being connected.
    matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::InvalidInput | ErrorKind::WouldBlock)
}

/// What the operating system said, in the words of the stream seam.
pub(super) fn reason(error: &io::Error) -> CloseReason {
    match error.kind() {
        ErrorKind::ConnectionRefused => CloseReason::Refused,
        ErrorKind::TimedOut => CloseReason::TimedOut,
        ErrorKind::HostUnreachable => CloseReason::Unreachable(segment::ErrorKind::HostUnreachable),
        ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::InvalidInput
        | ErrorKind::Unsupported => CloseReason::Unreachable(segment::ErrorKind::NetworkUnreachable),
        ErrorKind::PermissionDenied => CloseReason::Unreachable(segment::ErrorKind::Prohibited),
        _ => CloseReason::Reset,
    }
}
