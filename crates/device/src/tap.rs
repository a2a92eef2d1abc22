//! A TAP: an Ethernet interface of Linux whose other end is this program.
//!
//! Its frames are plain: the kernel has filled in all checksums and cut all segments before it hands them over, and takes
//! none but such. Or it is opened with offload: then each frame has a [header](crate::virtio) in front that says what is left to do.
//!
//! | | opened by | one frame read or written by |
//! |---|---|---|
//! | plain | `tun-tap` | `read_plain`, `write_plain` |
//! | with offload | [`tap_offload`](crate::tap_offload) | `read_offload`, `write_offload` |

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use framewise_core::buf::{ChecksumState, InterfaceId};
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, MacAddr};
use tun_tap::{Iface, Mode};

use crate::device::{Capabilities, Device, DeviceCounters};
use crate::interfaces::is_ours;
use crate::linux;
use crate::netlink::{Link, Netlink};
use crate::offload::{Completed, complete};
pub use crate::tap_error::TapError;
use crate::tap_error::{explain, failed};
use crate::tap_offload::{FEATURES, OffloadTap};
use crate::virtio::VirtioHeader;
use crate::{HEADER, VLAN_TAG};

/// How often an interface is looked at that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Bytes of the longest name that Linux gives an interface.
const NAME: usize = 15;

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
    name: String,
    line: Line,
    /// Whether there was none before.
    made: bool,
    mtu: usize,
    counters: DeviceCounters,
}

/// What frames look like on the descriptor.
#[derive(Debug)]
enum Line {
    Plain(Iface),
    Offload(OffloadTap),
}

/// Whether a TAP is opened with offload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offloading {
    /// With offload where the kernel offers it, else plain.
    #[default]
    Auto,
    /// With offload, or not at all.
    On,
    /// Plain.
    Off,
}

/// How a TAP is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapOptions {
    /// Whether with offload.
    pub offload: Offloading,
    /// Which offloads the kernel is asked for, as its `TUN_F_*`; it grants all or none.
    pub features: u32,
}

impl Default for TapOptions {
    /// With all [`FEATURES`] that we make use of, where the kernel offers them.
    fn default() -> Self {
        TapOptions { offload: Offloading::Auto, features: FEATURES }
    }
}

impl Tap {
    /// Opens the TAP of this name for plain frames; makes it where there is none, for which one must be root.
    ///
    /// # Errors
    /// A [`TapError`] that says what to do.
    pub fn open(name: &str) -> Result<Self, TapError> {
        Tap::open_with(name, TapOptions { offload: Offloading::Off, ..TapOptions::default() })
    }

    /// The same, with offload or without; [`capabilities`](Device::capabilities) says which it became.
    ///
    /// # Errors
    /// A [`TapError`] that says what to do.
    pub fn open_with(name: &str, options: TapOptions) -> Result<Self, TapError> {
        check_name(name)?;
        let links = Netlink::open().and_then(|mut netlink| netlink.link(name));
        let made = links.map_err(failed(name, "ask the kernel about it"))?.is_none();
        let line = Line::open(name, options)?;
        let counters = DeviceCounters::default();
        let mut tap = Tap { name: name.to_owned(), line, made, mtu: 0, counters };
        tap.mtu = tap.link()?.mtu;
        Ok(tap)
    }

    /// The interface's name.
    pub fn name(&self) -> &str {
        &self.name
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

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.line {
            Line::Plain(iface) => linux::borrow(self, iface.as_raw_fd()),
            Line::Offload(tap) => tap.descriptor(),
        }
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

    /// Whether this is more than one frame may have.
    fn is_too_long(&self, length: usize) -> bool {
        length > self.mtu + HEADER + VLAN_TAG
    }

    /// Reads one frame straight into a pooled buffer. One byte more than fits tells apart what is too long.
    fn read_plain(&mut self) -> io::Result<Option<Frame>> {
        let room = self.mtu + HEADER + VLAN_TAG + 1;
        while let Line::Plain(iface) = &self.line {
            let mut buf = Buf::with_capacity(room);
            let length = match iface.recv(buf.append(room)) {
                Ok(length) => length,
                Err(error) if is_not_now(&error) => break,
                Err(error) => return Err(error),
            };
            if !self.is_too_long(length) {
                buf.truncate(length);
                return Ok(Some(Frame::new(buf, InterfaceId::default())));
            }
            self.counters.count_drop("longer than the MTU");
        }
        Ok(None)
    }

    /// Reads one frame, or a super-frame that stands for many.
    fn read_offload(&mut self) -> io::Result<Option<Frame>> {
        while let Line::Offload(line) = &mut self.line {
            match line.read() {
                Ok(Ok(frame)) if frame.offload().segment_size.is_none() && self.is_too_long(frame.len()) => {
                    self.counters.count_drop("longer than the MTU");
                }
                Ok(Ok(frame)) => return Ok(Some(frame)),
                Ok(Err(error)) => self.counters.count_drop(error.reason()),
                Err(error) if is_not_now(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Writes one plain frame. Does in software what it leaves to the device.
    fn write_plain(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        let facts = frame.offload();
        if facts.segment_size.is_some() || matches!(facts.checksum, ChecksumState::Partial { .. }) {
            return self.write_completed(frame);
        }
        let Line::Plain(iface) = &self.line else { return Ok(Some(frame)) };
        if self.is_too_long(frame.len()) {
            self.counters.count_drop("longer than the MTU");
            return Ok(None);
        }
        let written = iface.send(&frame).map(drop);
        let taken = self.judge(written, frame.len())?;
        Ok((!taken).then_some(frame))
    }

    /// Does in software what the frame leaves to the device, and writes what comes of it.
    #[cold]
    fn write_completed(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        let Ok(frames) = complete(frame) else {
            self.counters.count_drop("offload facts don't fit the frame");
            return Ok(None);
        };
        let whole = matches!(frames, Completed::Whole(_));
        for frame in frames {
            if let Some(frame) = self.write_plain(frame)? {
                if whole {
                    return Ok(Some(frame));
                }
                self.counters.count_drop("no room for all pieces of a super-segment");
            }
        }
        Ok(None)
    }

    /// Writes one frame, behind a header that says what the kernel has to do for it.
    fn write_offload(&mut self, mut frame: Frame) -> io::Result<Option<Frame>> {
        let Ok(header) = VirtioHeader::of(&frame) else {
            self.counters.count_drop("offload facts don't fit the frame");
            return Ok(None);
        };
        if self.is_too_long(header.wire_length(frame.len())) {
            self.counters.count_drop("longer than the MTU");
            return Ok(None);
        }
        let Line::Offload(line) = &mut self.line else { return Ok(Some(frame)) };
        let written = line.write(&mut frame, header);
        let taken = self.judge(written, frame.len())?;
        Ok((!taken).then_some(frame))
    }

    /// What became of a written frame; `false`: not now. What is written while the kernel's end is down is lost, as with a
    /// cable pulled out.
    fn judge(&mut self, written: io::Result<()>, length: usize) -> io::Result<bool> {
        let Err(error) = written else {
            self.counters.count_sent(length);
            return Ok(true);
        };
        let lost = match error.raw_os_error() {
            _ if is_not_now(&error) => return Ok(false),
            Some(libc::EIO) => "the interface is down",
            // The device itself is well: it finds no sense in what is asked of it for this frame.
            Some(libc::EINVAL) => "the kernel refused it",
            _ => {
                self.counters.count_drop("the kernel refused it");
                return Err(error);
            }
        };
        self.counters.count_drop(lost);
        Ok(true)
    }
}

impl Line {
    /// Agrees with the kernel on what frames shall look like.
    fn open(name: &str, options: TapOptions) -> Result<Self, TapError> {
        if options.offload != Offloading::Off {
            let opened = OffloadTap::open(name, options.features).map_err(|error| explain(name, error))?;
            if let Some(tap) = opened {
                return Ok(Line::Offload(tap));
            }
        }
        if options.offload == Offloading::On {
            return Err(TapError::NoOffload { name: name.to_owned() });
        }
        let iface = Iface::without_packet_info(name, Mode::Tap).map_err(|error| explain(name, error))?;
        iface.set_non_blocking().map_err(failed(name, "make its descriptor non-blocking"))?;
        // Whoever had it open before may have asked for offload, and an interface that stays remembers it.
        linux::set_offload(&iface, 0).map_err(failed(name, "have its frames plain"))?;
        Ok(Line::Plain(iface))
    }
}

impl Device for Tap {
    fn transmit(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        match self.line {
            Line::Plain(_) => self.write_plain(frame),
            Line::Offload(_) => self.write_offload(frame),
        }
    }

    fn receive(&mut self) -> io::Result<Option<Frame>> {
        let frame = match self.line {
            Line::Plain(_) => self.read_plain(),
            Line::Offload(_) => self.read_offload(),
        }?;
        if let Some(frame) = &frame {
            self.counters.count_received(frame.len());
        }
        Ok(frame)
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn capabilities(&self) -> Capabilities {
        let with_offload = matches!(self.line, Line::Offload(_));
        Capabilities { checksums: with_offload, segmentation: with_offload }
    }

    fn readable_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.descriptor())
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

fn is_not_now(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        || error.raw_os_error() == Some(libc::ENOBUFS)
}
