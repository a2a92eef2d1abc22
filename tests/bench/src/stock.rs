//! A page fetched by smoltcp as it comes: its own interface, its own TAP device, the loop of its examples.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Medium, TunTapInterface, wait};
use smoltcp::socket::tcp::{Socket, SocketBuffer};
use smoltcp::time::{Duration as Pause, Instant as Moment};
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

use crate::page::{Head, request};
use crate::{Measured, Outcome};

/// The window that the command has over a TAP, too.
const WINDOW: usize = 512 << 10;
/// When nothing has come for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetches a page; the time counts from the request.
pub(crate) fn fetch(tap: &str, address: Ipv4Addr, server: SocketAddrV4, path: &str) -> Outcome<Measured> {
    let mut host = Host::new(tap, address)?;
    host.connect(server)?;
    let began = Instant::now();
    let host_name = server.ip().to_string();
    host.socket().send_slice(request(path, &host_name).as_bytes())?;
    let mut head = Head::default();
    let mut heard = Instant::now();
    loop {
        host.poll()?;
        let mut is_whole = false;
        while host.socket().can_recv() {
            heard = Instant::now();
            is_whole |= host.socket().recv(|data| (data.len(), head.take(data)))??;
        }
        if is_whole || !host.socket().is_active() || heard.elapsed() > PATIENCE {
            return head.measured(began.elapsed().as_secs_f64());
        }
        host.wait()?;
    }
}

struct Host {
    device: TunTapInterface,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl Host {
    fn new(tap: &str, address: Ipv4Addr) -> Outcome<Self> {
        let mut device = TunTapInterface::new(tap, Medium::Ethernet)?;
        let mut config = Config::new(EthernetAddress([2, 0, 0, 0, 0x57, 1]).into());
        config.random_seed = u64::from(std::process::id());
        let mut interface = Interface::new(config, &mut device, Moment::now());
        interface.update_ip_addrs(|addresses| {
            // Room for two is compiled in.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(address), 24));
        });
        let ring = || SocketBuffer::new(vec![0; WINDOW]);
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(Socket::new(ring(), ring()));
        Ok(Host { device, interface, sockets, handle })
    }

    /// Connects. The kernel notices within a second that the device was opened, and loses what it sends before.
    fn connect(&mut self, server: SocketAddrV4) -> Outcome<()> {
        let began = Instant::now();
        let local = 49_152 + (std::process::id() % 16_384) as u16;
        let remote = (IpAddress::Ipv4(*server.ip()), server.port());
        let socket = self.sockets.get_mut::<Socket>(self.handle);
        socket.connect(self.interface.context(), remote, local)?;
        while !self.socket().may_send() {
            if began.elapsed() > PATIENCE || !self.socket().is_active() {
                return Err("no connection came about".into());
            }
            self.poll()?;
            self.wait()?;
        }
        Ok(())
    }

    fn socket(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    fn poll(&mut self) -> Outcome<()> {
        self.interface.poll(Moment::now(), &mut self.device, &mut self.sockets);
        Ok(())
    }

    fn wait(&mut self) -> Outcome<()> {
        let pause = self.interface.poll_delay(Moment::now(), &self.sockets);
        let pause = pause.unwrap_or(Pause::from_secs(1)).min(Pause::from_secs(1));
        Ok(wait(self.device.as_raw_fd(), Some(pause))?)
    }
}
