//! The only file that names smoltcp: one socket in a set of its own, behind the words that a connection needs.
//!
//! smoltcp's interface speaks IP. Ours is `framewise-ip`'s affair, so here a minimal IPv4 header between two constant
//! addresses stands in for it, for IPv4 and IPv6 flows alike, and goes no further: it is put in front of what comes
//! and cut off from what goes. All of smoltcp's checksums are off; the layer computes them with the true addresses.
//!
//! Before changing this file read smoltcp's `socket/tcp.rs` (`process`, `dispatch`, `poll_at`). What it wants of its caller:
//! - The MTU is fixed when an interface is made, so each connection has an interface of its own, and
//!   [`set_mtu`](Engine::set_mtu) makes another.
//! - It trusts segments more than RFC 5961 does: [`guard`](crate::guard) judges them first.
//! - The window of a SYN is not scaled, yet smoltcp remembers it as if it were: a receive buffer of
//!   exactly 65,535 bytes times a power of two keeps both readings within the buffer.

use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use framewise_core::{Buf, Instant};
use self_cell::{MutBorrow, self_cell};
use smoltcp::iface::{Config as InterfaceConfig, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, PacketMeta, RxToken, TxToken};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State as SocketState};
use smoltcp::time::{Duration as Delay, Instant as Moment};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use crate::config::Config;
use crate::passive::State;
use crate::rings::{Arena, Memory, Rings};

/// Bytes of the stand-in for an IP header.
pub(crate) const IP_HEADER_LEN: usize = 20;

/// Two addresses of the range for tests of devices (RFC 2544, appendix C.2.2). No packet carries them.
const HERE: [u8; 4] = [198, 18, 0, 1];
const THERE: [u8; 4] = [198, 18, 0, 2];

/// A segment that the engine made, without its stand-in for an IP header; sum, addresses and what the payload says are
/// still missing.
#[derive(Debug)]
pub(crate) struct Emitted {
    pub(crate) segment: Buf,
    /// Payload bytes per segment, where the device shall cut it.
    pub(crate) segment_size: Option<u16>,
}

self_cell!(
    /// The set with the one socket, and the rings that it borrows.
    struct Sockets {
        owner: MutBorrow<Rings>,
        #[not_covariant]
        dependent: SocketSet,
    }
);

/// One connection's state machine.
pub(crate) struct Engine {
    interface: Interface,
    sockets: Sockets,
    handle: SocketHandle,
    memory: Memory,
    mtu: usize,
    super_segments: bool,
    nagle: bool,
    /// How far its clock runs ahead of ours: see [`skip_to_timer`](Engine::skip_to_timer).
    ahead: Duration,
}

impl Engine {
    /// An engine that connects: its first segment is a SYN.
    pub(crate) fn connect(
        config: &Config,
        arena: &Arena,
        mtu: usize,
        local_port: u16,
        remote_port: u16,
    ) -> Option<Engine> {
        let mut engine = Engine::new(config, arena, mtu)?;
        let remote = (IpAddress::from(std::net::Ipv4Addr::from(THERE)), remote_port);
        let Engine { interface, sockets, handle, .. } = &mut engine;
        let connected = sockets.with_dependent_mut(|_, sockets| {
            sockets.get_mut::<Socket>(*handle).connect(interface.context(), remote, local_port)
        });
        connected.ok().map(|()| engine)
    }

    /// An engine that waits for one SYN.
    pub(crate) fn listen(config: &Config, arena: &Arena, mtu: usize, local_port: u16) -> Option<Engine> {
        let mut engine = Engine::new(config, arena, mtu)?;
        engine.socket_mut(|socket| socket.listen(local_port)).ok()?;
        Some(engine)
    }

    /// `None` where there is no memory for its rings.
    fn new(config: &Config, arena: &Arena, mtu: usize) -> Option<Engine> {
        let rings = arena.take()?;
        let memory = rings.memory();
        let mut handle = SocketHandle::default();
        let sockets = Sockets::new(MutBorrow::new(rings), |rings| {
            let mut sockets = SocketSet::new(Vec::with_capacity(1));
            handle = sockets.add(socket(config, rings.borrow_mut()));
            sockets
        });
        let interface = interface(mtu, config.super_segments);
        let (super_segments, nagle, ahead) = (config.super_segments, config.nagle, Duration::ZERO);
        Some(Engine { interface, sockets, handle, memory, mtu, super_segments, nagle, ahead })
    }

    /// Takes one segment, with its stand-in for an IP header in front (see [`put_ip_header`]). What it answers at once is
    /// returned.
    pub(crate) fn ingress(&mut self, now: Instant, packet: &[u8]) -> Option<Emitted> {
        let mut wire = self.wire(Some(packet));
        let (now, interface) = (moment(now + self.ahead), &mut self.interface);
        self.sockets.with_dependent_mut(|_, sockets| interface.poll_ingress_single(now, &mut wire, sockets));
        wire.outbound
    }

    /// The next segment to send at this time, if there is one.
    pub(crate) fn egress(&mut self, now: Instant) -> Option<Emitted> {
        let mut wire = self.wire(None);
        let (now, interface) = (moment(now + self.ahead), &mut self.interface);
        self.sockets.with_dependent_mut(|_, sockets| interface.poll_egress(now, &mut wire, sockets));
        wire.outbound
    }

    /// Lets a segment that is not full wait, or not, while others are in flight. With Nagle's algorithm it waits always.
    pub(crate) fn hold_partial(&mut self, hold: bool) {
        let hold = hold || self.nagle;
        self.socket_mut(|socket| socket.set_nagle_enabled(hold));
    }

    /// When [`egress`](Self::egress) may have something next.
    pub(crate) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let at = self.timer(now)?.saturating_since(Instant::ZERO + self.ahead);
        Some(Instant::ZERO + at)
    }

    /// Lets its clock jump to its next timer, for good: what waits for that timer happens now. That is how a connection
    /// has something sent again before the engine thinks it due; all else that the engine measures goes on as before.
    pub(crate) fn skip_to_timer(&mut self, now: Instant) {
        if let Some(at) = self.timer(now) {
            self.ahead += at.saturating_since(now + self.ahead);
        }
    }

    /// Its next timer, by its own clock.
    fn timer(&mut self, now: Instant) -> Option<Instant> {
        let now = moment(now + self.ahead);
        let interface = &mut self.interface;
        let at = self.sockets.with_dependent(|_, sockets| interface.poll_at(now, sockets))?;
        Some(Instant::from_micros(u64::try_from(at.total_micros()).unwrap_or(0)))
    }

    /// The largest packet is smaller from now on. What is in flight is sent again when its timer expires.
    pub(crate) fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
        self.interface = interface(mtu, self.super_segments);
    }

    /// Bytes of the largest packet, with a header of [`IP_HEADER_LEN`].
    pub(crate) fn mtu(&self) -> usize {
        self.mtu
    }

    pub(crate) fn state(&self) -> State {
        match self.socket(|socket| socket.state()) {
            SocketState::Closed => State::Closed,
            SocketState::Listen => State::Listen,
            SocketState::SynSent => State::SynSent,
            SocketState::SynReceived => State::SynReceived,
            SocketState::Established => State::Established,
            SocketState::FinWait1 => State::FinWait1,
            SocketState::FinWait2 => State::FinWait2,
            SocketState::CloseWait => State::CloseWait,
            SocketState::Closing => State::Closing,
            SocketState::LastAck => State::LastAck,
            SocketState::TimeWait => State::TimeWait,
        }
    }

    /// Counts bytes that are to be sent, as many as fit. What they are it does not know: whoever sends a segment of its puts
    /// them there.
    pub(crate) fn send(&mut self, bytes: usize) -> usize {
        let mut left = bytes;
        // The ring may wrap once.
        for _ in 0..2 {
            let count = |room: &mut [u8]| {
                let n = left.min(room.len());
                (n, n)
            };
            left -= self.socket_mut(|socket| socket.send(count)).unwrap_or(0);
        }
        bytes - left
    }

    /// Bytes taken to send that are not acknowledged yet.
    pub(crate) fn send_queue(&self) -> usize {
        self.socket(|socket| socket.send_queue())
    }

    pub(crate) fn send_capacity(&self) -> usize {
        self.socket(|socket| socket.send_capacity())
    }

    /// Bytes that came in order and were not received yet.
    pub(crate) fn recv_queue(&self) -> usize {
        self.socket(|socket| socket.recv_queue())
    }

    /// Receives up to `limit` bytes, copied out.
    pub(crate) fn recv(&mut self, limit: usize) -> Bytes {
        let limit = limit.min(self.recv_queue());
        let mut bytes = BytesMut::with_capacity(limit);
        // The ring may wrap once: its two pieces are taken in turn.
        for _ in 0..2 {
            let left = limit - bytes.len();
            let take = |piece: &mut [u8]| {
                let n = left.min(piece.len());
                bytes.extend_from_slice(&piece[..n]);
                (n, ())
            };
            let taken = self.socket_mut(|socket| socket.recv(take));
            if taken.is_err() {
                break;
            }
        }
        bytes.freeze()
    }

    /// Receives `n` bytes without looking at them.
    pub(crate) fn discard(&mut self, n: usize) {
        let mut left = n.min(self.recv_queue());
        for _ in 0..2 {
            let skip = |piece: &mut [u8]| {
                let n = left.min(piece.len());
                (n, n)
            };
            left -= self.socket_mut(|socket| socket.recv(skip)).unwrap_or(0);
        }
    }

    /// Sends a FIN after what is left to send.
    pub(crate) fn close(&mut self) {
        self.socket_mut(|socket| socket.close());
    }

    /// Gives the memory of the rings back, if nothing waits in them. Whoever calls this knows that nothing came out of
    /// order, either: that lies in the ring, too, and the engine does not tell of it.
    pub(crate) fn give_back_memory(&mut self) {
        if self.recv_queue() == 0 && self.send_queue() == 0 {
            self.memory.give_back();
        }
    }

    fn socket<R>(&self, look: impl FnOnce(&Socket<'_>) -> R) -> R {
        self.sockets.with_dependent(|_, sockets| look(sockets.get(self.handle)))
    }

    fn socket_mut<R>(&mut self, act: impl FnOnce(&mut Socket<'_>) -> R) -> R {
        let handle = self.handle;
        self.sockets.with_dependent_mut(|_, sockets| act(sockets.get_mut(handle)))
    }

    fn wire<'p>(&self, inbound: Option<&'p [u8]>) -> Wire<'p> {
        Wire { inbound, outbound: None, capabilities: capabilities(self.mtu, self.super_segments) }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({:?}, MTU {})", self.state(), self.mtu)
    }
}

/// The stand-in for an IP header, in front of a TCP segment of `len` bytes from the peer.
pub(crate) fn put_ip_header(header: &mut [u8], len: usize) {
    let total = (IP_HEADER_LEN + len).min(usize::from(u16::MAX)) as u16;
    header[..IP_HEADER_LEN].fill(0);
    header[0] = 0x45;
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header[8] = 64;
    header[9] = framewise_core::seams::segment::TCP;
    header[12..16].copy_from_slice(&THERE);
    header[16..20].copy_from_slice(&HERE);
}

/// A socket that keeps in these rings what comes and what goes.
fn socket<'r>(config: &Config, rings: &'r mut Rings) -> Socket<'r> {
    let (receive, send) = rings.split();
    let mut socket = Socket::new(SocketBuffer::new(receive), SocketBuffer::new(send));
    socket.set_congestion_control(match config.congestion {
        crate::config::CongestionControl::Cubic => CongestionControl::Cubic,
        crate::config::CongestionControl::None => CongestionControl::None,
    });
    socket.set_nagle_enabled(config.nagle);
    socket.set_ack_delay(config.delayed_ack.map(delay));
    socket.set_keep_alive(config.keep_alive.map(delay));
    socket
}

/// Where connections set up so have their rings.
pub(crate) fn arena(config: &Config) -> Arena {
    Arena::new(window_for(config.receive_window), config.send_buffer.max(1))
}

/// The largest receive buffer up to `wanted` whose windows can be told exactly.
fn window_for(wanted: usize) -> usize {
    const UNSCALED: usize = u16::MAX as usize;
    let mut window = UNSCALED;
    if wanted < UNSCALED {
        return wanted.max(1);
    }
    while window * 2 <= wanted && window < (1 << 29) {
        window *= 2;
    }
    window
}

fn interface(mtu: usize, super_segments: bool) -> Interface {
    let mut wire = Wire { inbound: None, outbound: None, capabilities: capabilities(mtu, super_segments) };
    // The seed is constant, and so is the engine's first sequence number: RFC 6528's is added outside.
    let config = InterfaceConfig::new(HardwareAddress::Ip);
    let mut interface = Interface::new(config, &mut wire, Moment::ZERO);
    interface.update_ip_addrs(|addresses| {
        let here = IpCidr::new(IpAddress::from(std::net::Ipv4Addr::from(HERE)), 24);
        // There is room for two.
        let _ = addresses.push(here);
    });
    interface
}

fn capabilities(mtu: usize, super_segments: bool) -> DeviceCapabilities {
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ip;
    capabilities.max_transmission_unit = mtu;
    capabilities.checksum = ChecksumCapabilities::ignored();
    capabilities.segmentation.tcpv4 =
        super_segments.then(|| NonZeroUsize::new(usize::from(u16::MAX))).flatten();
    capabilities
}

fn moment(now: Instant) -> Moment {
    Moment::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

fn delay(duration: Duration) -> Delay {
    Delay::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

/// A device that is only a buffer: at most one packet in, at most one out.
struct Wire<'p> {
    inbound: Option<&'p [u8]>,
    outbound: Option<Emitted>,
    capabilities: DeviceCapabilities,
}

struct Inbound<'p>(&'p [u8]);

struct Outbound<'w> {
    place: &'w mut Option<Emitted>,
    segment_size: Option<u16>,
}

impl<'p> Device for Wire<'p> {
    type RxToken<'a>
        = Inbound<'p>
    where
        Self: 'a;
    type TxToken<'a>
        = Outbound<'a>
    where
        Self: 'a;

    fn receive(&mut self, _now: Moment) -> Option<(Inbound<'p>, Outbound<'_>)> {
        let packet = self.inbound.take()?;
        Some((Inbound(packet), Outbound::to(&mut self.outbound)))
    }

    fn transmit(&mut self, _now: Moment) -> Option<Outbound<'_>> {
        Some(Outbound::to(&mut self.outbound))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

impl RxToken for Inbound<'_> {
    fn consume<R, F>(self, f: F) -> R
    where
        F: FnOnce(&[u8]) -> R,
    {
        f(self.0)
    }
}

impl<'w> Outbound<'w> {
    fn to(place: &'w mut Option<Emitted>) -> Self {
        Outbound { place, segment_size: None }
    }
}

impl TxToken for Outbound<'_> {
    fn consume<R, F>(self, len: usize, f: F) -> R
    where
        F: FnOnce(&mut [u8]) -> R,
    {
        let mut segment = Buf::with_capacity(len);
        let result = f(segment.append(len));
        segment.advance(IP_HEADER_LEN);
        *self.place = Some(Emitted { segment, segment_size: self.segment_size });
        result
    }

    fn set_meta(&mut self, meta: PacketMeta) {
        self.segment_size = meta.segmentation_offload_size.map(|size| size.get());
    }
}
