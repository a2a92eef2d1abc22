//! A TAP: an Ethernet interface of Linux whose other end is this program.
//!
//! The frames are plain: the kernel has filled in all checksums and cut all segments before it hands them
//! over. (Offload facts would come in front of each frame, by `IFF_VNET_HDR`; what reads and writes one frame is
//! in `read_frame` and `write_frame` alone.)

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use framewise_core::buf::{ChecksumState, InterfaceId};
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, MacAddr};
use thiserror::Error;
use tun_tap::{Iface, Mode};

use crate::device::{Device, DeviceCounters};
use crate::linux;
use crate::netlink::{Link, Netlink};
use crate::offload::{Completed, complete};
use crate::tap_setup::is_ours;
use crate::{HEADER, VLAN_TAG};

/// How often an interface is looked at that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Bytes of the longest name that Linux gives an interface.
const NAME: usize = 15;

/// Why a TAP can't be had, with what to do about it.
#[derive(Debug, Error)]
pub enum TapError {
    /// The kernel has no TAP driver, or its file is missing.
    #[error("/dev/net/tun is not there: load the driver with `sudo modprobe tun`")]
    NoDriver(#[source] io::Error),
    /// The file may not be opened.
    #[error(
        "/dev/net/tun may not be opened by this user: run the command with sudo, or `sudo chmod 0666 /dev/net/tun`"
    )]
    DriverForbidden(#[source] io::Error),
    /// The interface may not be made or opened.
    #[error(
        "{name} may not be opened by this user: run the command with sudo, or `sudo framewise tap up {name}` first"
    )]
    Forbidden {
        /// The interface.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Another program has it open.
    #[error("{name} is in use by another program: end that one, or choose another name")]
    Busy {
        /// The interface.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is an interface of this name, but it is no TAP.
    #[error("{name} is there already and is no TAP: choose another name")]
    NotATap {
        /// The interface.
        name: String,
    },
    /// There is an interface of this name that framewise did not make.
    #[error("{name} was not made by framewise, so it is left alone: choose another name")]
    NotOurs {
        /// The interface.
        name: String,
    },
    /// There is no interface of this name.
    #[error("there is no {name}: make it with `sudo framewise tap up {name}`")]
    Missing {
        /// The name.
        name: String,
    },
    /// Somebody has brought down an interface that framewise did not make.
    #[error("{name} is down, and framewise did not make it: bring it up with `sudo ip link set {name} up`")]
    Down {
        /// The interface.
        name: String,
    },
    /// It is down, and bringing it up is not for this user.
    #[error(
        "{name} is down and may not be brought up by this user: run `sudo framewise tap up {name}` first"
    )]
    MayNotBringUp {
        /// The interface.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Linux takes no such name.
    #[error("{name:?} can't name an interface: 1 to 15 letters, digits, hyphens or dots, please")]
    BadName {
        /// The name.
        name: String,
    },
    /// Something else went wrong.
    #[error("{name}: could not {what}")]
    Io {
        /// The interface.
        name: String,
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A TAP that this program has opened. The interface is gone when this is dropped, unless it was made to stay
/// by [`tap_setup::up`](crate::tap_setup::up).
///
/// ```no_run
/// use framewise_device::{Device, Tap};
/// let mut tap = Tap::open("fw0")?;
/// tap.bring_up()?;
/// while let Some(frame) = tap.receive()? {
///     println!("{} bytes from the kernel", frame.len());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Tap {
    iface: Iface,
    /// Whether there was none before.
    made: bool,
    mtu: usize,
    counters: DeviceCounters,
}

impl Tap {
    /// Opens the TAP of this name; makes it where there is none, for which one must be root.
    ///
    /// # Errors
    /// A [`TapError`] that says what to do.
    pub fn open(name: &str) -> Result<Self, TapError> {
        check_name(name)?;
        let links = Netlink::open().and_then(|mut netlink| netlink.link(name));
        let made = links.map_err(failed(name, "ask the kernel about it"))?.is_none();
        let iface = Iface::without_packet_info(name, Mode::Tap).map_err(|error| explain(name, error))?;
        iface.set_non_blocking().map_err(failed(name, "make its descriptor non-blocking"))?;
        let mut tap = Tap { iface, made, mtu: 0, counters: DeviceCounters::default() };
        tap.mtu = tap.link()?.mtu;
        Ok(tap)
    }

    /// The interface's name.
    pub fn name(&self) -> &str {
        self.iface.name()
    }

    /// The MAC address of the kernel's end. Ours must be another.
    ///
    /// # Errors
    /// The interface is gone.
    pub fn host_mac(&self) -> Result<Option<MacAddr>, TapError> {
        Ok(self.link()?.mac)
    }

    /// The interface's number in the kernel.
    ///
    /// # Errors
    /// The interface is gone.
    pub fn index(&self) -> Result<u32, TapError> {
        Ok(self.link()?.index)
    }

    /// Brings the kernel's end up, if it is framewise's own: made by this opening, or by [`tap_setup::up`](crate::tap_setup::up).
    /// Where it is up already, nothing is done, and no right is needed.
    ///
    /// # Errors
    /// It is down, and somebody else's, or one is not root.
    pub fn bring_up(&self) -> Result<(), TapError> {
        let link = self.link()?;
        if link.up {
            return Ok(());
        }
        let name = self.name().to_owned();
        if !self.made && !is_ours(&link) {
            return Err(TapError::Down { name });
        }
        self.netlink()?.set_up(link.index).map_err(|source| match source.raw_os_error() {
            Some(libc::EPERM) => TapError::MayNotBringUp { name, source },
            _ => failed(self.name(), "bring it up")(source),
        })
    }

    /// Waits until the kernel sends on it; `false` where it still does not when `limit` has passed.
    ///
    /// The kernel notices at most once a second which interfaces have been opened, and until then loses what it
    /// would send, such as its answer to a first ARP request.
    ///
    /// # Errors
    /// The interface is gone.
    pub fn wait_until_running(&self, limit: Duration) -> Result<bool, TapError> {
        let began = Instant::now();
        while !self.link()?.running {
            if began.elapsed() >= limit {
                return Ok(false);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(true)
    }

    /// Sets the bytes of the largest IP packet, at both ends.
    ///
    /// # Errors
    /// One must be root for it.
    pub fn set_mtu(&mut self, mtu: usize) -> Result<(), TapError> {
        let index = self.link()?.index;
        let bytes = u32::try_from(mtu).unwrap_or(u32::MAX);
        self.netlink()?.set_mtu(index, bytes).map_err(failed(self.name(), "set its MTU"))?;
        self.mtu = mtu;
        Ok(())
    }

    pub(crate) fn iface(&self) -> &Iface {
        &self.iface
    }

    fn netlink(&self) -> Result<Netlink, TapError> {
        Netlink::open().map_err(failed(self.name(), "ask the kernel about it"))
    }

    fn link(&self) -> Result<Link, TapError> {
        self.netlink()?
            .link(self.name())
            .map_err(failed(self.name(), "ask the kernel about it"))?
            .ok_or_else(|| TapError::Missing { name: self.name().to_owned() })
    }

    /// Reads one frame straight into a pooled buffer. One byte more than fits tells apart what is too long.
    fn read_frame(&mut self) -> io::Result<Option<Buf>> {
        let room = self.mtu + HEADER + VLAN_TAG + 1;
        let mut buf = Buf::with_capacity(room);
        let length = match self.iface.recv(buf.append(room)) {
            Ok(length) => length,
            Err(error) if is_not_now(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        buf.truncate(length);
        Ok(Some(buf))
    }

    /// Writes one frame; `false`: not now. What is written while the kernel's end is down is lost, as with a
    /// cable pulled out.
    fn write_frame(&mut self, frame: &Frame) -> io::Result<bool> {
        match self.iface.send(frame) {
            Ok(_) => {
                self.counters.count_sent(frame.len());
                Ok(true)
            }
            Err(error) if is_not_now(&error) => Ok(false),
            Err(error) if error.raw_os_error() == Some(libc::EIO) => {
                self.counters.count_drop("the interface is down");
                Ok(true)
            }
            Err(error) => {
                self.counters.count_drop("the kernel refused it");
                Err(error)
            }
        }
    }

    /// Does in software what the frame leaves to the device, and sends what comes of it.
    #[cold]
    fn transmit_completed(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        let Ok(frames) = complete(frame) else {
            self.counters.count_drop("offload facts don't fit the frame");
            return Ok(None);
        };
        let whole = matches!(frames, Completed::Whole(_));
        for frame in frames {
            if !self.write_frame(&frame)? {
                if whole {
                    return Ok(Some(frame));
                }
                self.counters.count_drop("no room for all pieces of a super-segment");
            }
        }
        Ok(None)
    }
}

impl Device for Tap {
    fn transmit(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        let facts = frame.offload();
        if facts.segment_size.is_some() || matches!(facts.checksum, ChecksumState::Partial { .. }) {
            return self.transmit_completed(frame);
        }
        if frame.len() > self.mtu + HEADER + VLAN_TAG {
            self.counters.count_drop("longer than the MTU");
            return Ok(None);
        }
        let sent = self.write_frame(&frame)?;
        Ok((!sent).then_some(frame))
    }

    fn receive(&mut self) -> io::Result<Option<Frame>> {
        while let Some(buf) = self.read_frame()? {
            if buf.len() > self.mtu + HEADER + VLAN_TAG {
                self.counters.count_drop("longer than the MTU");
                continue;
            }
            self.counters.count_received(buf.len());
            return Ok(Some(Frame::new(buf, InterfaceId::default())));
        }
        Ok(None)
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn readable_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(linux::borrow(self, self.iface.as_raw_fd()))
    }

    fn counters(&self) -> &DeviceCounters {
        &self.counters
    }
}

/// Whether Linux takes this name for an interface, and means just this one by it (`%d` would be a pattern).
pub(crate) fn check_name(name: &str) -> Result<(), TapError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let good = (1..=NAME).contains(&name.len()) && name.chars().all(fits) && name != "." && name != "..";
    if good {
        return Ok(());
    }
    Err(TapError::BadName { name: name.to_owned() })
}

pub(crate) fn failed<'n>(name: &'n str, what: &'static str) -> impl FnOnce(io::Error) -> TapError + 'n {
    move |source| TapError::Io { name: name.to_owned(), what, source }
}

/// What the kernel's error numbers mean when a TAP is opened: opening the file and naming the interface have
/// different ones.
fn explain(name: &str, error: io::Error) -> TapError {
    let name = name.to_owned();
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => TapError::NoDriver(error),
        Some(libc::EACCES) => TapError::DriverForbidden(error),
        Some(libc::EPERM) => TapError::Forbidden { name, source: error },
        Some(libc::EBUSY) => TapError::Busy { name, source: error },
        Some(libc::EINVAL | libc::EEXIST) => TapError::NotATap { name },
        _ => TapError::Io { name, what: "open it", source: error },
    }
}

fn is_not_now(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        || error.raw_os_error() == Some(libc::ENOBUFS)
}
