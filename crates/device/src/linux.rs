//! The calls to Linux that the standard library and our crates don't offer. All `unsafe` of this crate is here.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_int, c_ulong};
use tun_tap::Iface;

/// A descriptor that `owner` keeps open, lent for as long as `owner` is.
pub(crate) fn borrow<T>(_owner: &T, descriptor: RawFd) -> BorrowedFd<'_> {
    // SAFETY: our devices close their descriptor only when they are dropped, and a borrow of one outlives no such drop.
    unsafe { BorrowedFd::borrow_raw(descriptor) }
}

/// A socket to the kernel's routing tables (netlink(7), rtnetlink(7)).
pub(crate) fn netlink_socket() -> io::Result<OwnedFd> {
    socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE)
}

/// A packet socket that hears nothing before it is bound, and never what this machine itself sends.
pub(crate) fn packet_socket() -> io::Result<OwnedFd> {
    let socket = socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0)?;
    let on: c_int = 1;
    // SAFETY: the descriptor is open, and the option's value is a `c_int` that lives during the call, of the size told.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_IGNORE_OUTGOING,
            (&raw const on).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    check(result)?;
    Ok(socket)
}

/// Whether the interface of this opened TAP stays when its descriptor is closed.
pub(crate) fn set_persistent(tap: &Iface, persistent: bool) -> io::Result<()> {
    set_tun(tap, libc::TUNSETPERSIST, c_ulong::from(persistent))
}

/// Who but root may open the interface of this opened TAP.
pub(crate) fn set_owner(tap: &Iface, user: u32) -> io::Result<()> {
    set_tun(tap, libc::TUNSETOWNER, c_ulong::from(user))
}

/// Whose process this is, by its effective user.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: takes nothing and can't fail.
    unsafe { libc::geteuid() }
}

/// Becomes this user and group, in all of the process's threads, with no way back and no further groups.
pub(crate) fn become_user(user: u32, group: u32) -> io::Result<()> {
    // SAFETY: no groups are read through the null pointer, since their number is 0.
    check(unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // The group goes first: once the user is no longer root it can't.
    // SAFETY: takes numbers only.
    check(unsafe { libc::setresgid(group, group, group) })?;
    // SAFETY: takes numbers only.
    check(unsafe { libc::setresuid(user, user, user) })
}

/// No program that is started from this thread on gets more rights than this one has (prctl(2)).
pub(crate) fn forbid_new_privileges() -> io::Result<()> {
    let (on, unused): (c_ulong, c_ulong) = (1, 0);
    // SAFETY: this operation takes numbers only; the unused ones must be 0.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, on, unused, unused, unused) })
}

/// Gives up all capabilities of this thread (capset(2)), and of those it starts.
pub(crate) fn clear_capabilities() -> io::Result<()> {
    /// Two sets of 32 capabilities each, the third version of the structure.
    const VERSION_3: u32 = 0x2008_0522;
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [Data { effective: 0, permitted: 0, inheritable: 0 }; 2];
    // SAFETY: both structures are laid out as `capset` of this version reads them and live during the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) };
    check(result as c_int)
}

fn socket(domain: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers only.
    let fd = unsafe { libc::socket(domain, kind, protocol) };
    check(fd)?;
    // SAFETY: the descriptor was just opened, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn set_tun(tap: &Iface, request: libc::Ioctl, value: c_ulong) -> io::Result<()> {
    // SAFETY: the descriptor is open, and both requests take their value as a number, not behind a pointer.
    check(unsafe { libc::ioctl(tap.as_raw_fd(), request, value) })
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
