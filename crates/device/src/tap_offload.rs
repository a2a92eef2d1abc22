//! What `tun-tap` can't ask the kernel for: a TAP with offload, where frames may come and go unfinished.
//!
//! Read first: `Documentation/networking/tuntap.rst` and `include/uapi/linux/if_tun.h` of Linux.
//!
//! A header in front of each frame ([`virtio`](crate::virtio)) must be asked for with the interface's name, in one call that a
//! descriptor takes once: what `tun-tap` has opened can't be told any more. So a TAP with offload is opened here, and one
//! without by `tun-tap`.
//!
//! The kernel keeps what was agreed on with the interface, not with the descriptor. Who opens a TAP that stays must say
//! what it takes, plain frames too.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use framewise_core::Buf;
use framewise_core::buf::{InterfaceId, LARGE, SMALL};
use framewise_core::seams::frame::Frame;

use crate::linux;
use crate::virtio::{VIRTIO_HEADER, VirtioError, VirtioHeader};

/// All that we make use of: checksums left to us, and TCP's super-segments over IPv4 and IPv6.
pub const FEATURES: u32 = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;

/// The descriptor of a TAP whose frames have a virtio-net header in front.
#[derive(Debug)]
pub(crate) struct OffloadTap(File);

impl OffloadTap {
    /// Opens the TAP of this name, or makes it, with all of `features` (`TUN_F_*`). `None`: the kernel does not offer them.
    pub(crate) fn open(name: &str, features: u32) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
        if linux::tun_features(&file)? & libc::IFF_VNET_HDR == 0 {
            return Ok(None);
        }
        linux::attach(&file, name, libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR)?;
        let tap = OffloadTap(file);
        let agreed = linux::set_header_size(&tap.0, VIRTIO_HEADER)
            .and_then(|()| linux::set_little_endian(&tap.0))
            .and_then(|()| linux::set_offload(&tap.0, features));
        match agreed {
            Ok(()) => Ok(Some(tap)),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The next frame, or why it is none that is any good.
    pub(crate) fn read(&mut self) -> io::Result<Result<Frame, VirtioError>> {
        // How long it is, is known only once it is there; a byte of a large buffer that is not touched costs nothing.
        let mut buf = Buf::with_capacity(LARGE);
        buf.prepend(VIRTIO_HEADER);
        buf.append(LARGE);
        let length = self.0.read(&mut buf)?;
        buf.truncate(length);
        let header = VirtioHeader::parse(&buf);
        buf.advance(VIRTIO_HEADER);
        if buf.len() <= SMALL {
            // So that nobody holds on to a large buffer for the sake of a few bytes.
            buf = Buf::copy_from_slice(&buf);
        }
        Ok(header.and_then(|header| header.facts(buf.len())).map(|facts| {
            buf.set_offload_facts(facts);
            Frame::new(buf, InterfaceId::default())
        }))
    }

    /// Writes one frame behind its header, which goes into the room in front of the frame: one call, and no copy.
    pub(crate) fn write(&mut self, frame: &mut Frame, header: VirtioHeader) -> io::Result<()> {
        frame.prepend(VIRTIO_HEADER).copy_from_slice(&header.to_bytes());
        let written = self.0.write(frame);
        frame.advance(VIRTIO_HEADER);
        written.map(drop)
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for OffloadTap {
    /// Leaves an interface that stays as it was found: the next program may know nothing of offload.
    fn drop(&mut self) {
        let _ = linux::set_offload(&self.0, 0);
    }
}
