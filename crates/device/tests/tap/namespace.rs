//! A network namespace for a test: what it makes is gone with its thread.

use std::time::{Duration, Instant};

use framewise_core::seams::frame::Frame;
use framewise_device::Device;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::common::skip;

/// How long a test waits for a frame that should come at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a test in a network namespace of its own, where the machine can do so. Else it says `SKIPPED` and why,
/// or fails where `FRAMEWISE_REQUIRE_TAP=1` forbids skipping.
pub(crate) fn in_own_namespace(name: &str, test: impl FnOnce() + Send) {
    if let Some(why) = obstacle() {
        return skip(name, &why);
    }
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter_namespace().expect("root may make a network namespace");
            test();
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root".to_owned());
    }
    let tun = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    tun.err().map(|error| format!("/dev/net/tun: {error}"))
}

#[allow(unsafe_code)]
fn enter_namespace() -> rustix::io::Result<()> {
    // SAFETY: only the network namespace of this thread changes; no descriptor table is taken apart.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }
}

/// The next frame that `wanted` says yes to.
#[allow(unsafe_code)]
pub(crate) fn receive(device: &mut impl Device, wanted: impl Fn(&Frame) -> bool, what: &str) -> Frame {
    let deadline = Instant::now() + PATIENCE;
    loop {
        while let Some(frame) = device.receive().expect("the device works") {
            if wanted(&frame) {
                return frame;
            }
        }
        assert!(Instant::now() < deadline, "should have received {what}, but it never came");
        let fd = device.readable_fd().expect("the device can be waited for");
        let wait = Timespec { tv_sec: 1, tv_nsec: 0 };
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&wait)).expect("poll works");
    }
}
