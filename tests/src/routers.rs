//! A second namespace, behind the kernel of the first as a router.
//!
//! ```text
//!   our stack ── tap0 ─┐ the test's namespace ┌─ near ═══ far ─┐ beyond: nginx, dnsmasq
//!              its gateway:   the kernel routes                its default route: near
//! ```

use crate::namespace::{Namespace, address_at, ip_at, without_duplicate_detection};
use crate::place::Place;
use crate::skip::require_program;
use crate::until::until;
use std::fs;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

/// The network beyond the router. It is gone when this is dropped.
pub struct Beyond {
    /// Sleeps in the namespace to keep it; ends when its input does.
    keeper: Child,
    input: Option<ChildStdin>,
}

/// The device of the router that leads beyond.
const NEAR: &str = "near";
/// The device at its other end.
const FAR: &str = "far";

impl Beyond {
    /// Makes the network, and the test's namespace a router to it.
    ///
    /// Each pair gives the router's address and the address beyond, such as
    /// `("198.51.100.1/24", "198.51.100.80/24")`; the first is the other's default gateway.
    ///
    /// # Panics
    ///
    /// Where the kernel refuses, or there is a network beyond already.
    #[track_caller]
    pub fn new(namespace: &Namespace, addresses: &[(&str, &str)]) -> Self {
        let beyond = Self::empty();
        without_duplicate_detection(&beyond);
        namespace.ip(&format!("link add {NEAR} type veth peer name {FAR} netns {}", beyond.keeper.id()));
        ip_at(&beyond, "link set lo up");
        for (near, far) in addresses {
            address_at(namespace, NEAR, near);
            address_at(&beyond, FAR, far);
        }
        until_usable(namespace, NEAR);
        until_usable(&beyond, FAR);
        for (near, _) in addresses {
            let gateway = near.split('/').next().unwrap_or(near);
            ip_at(&beyond, &format!("route add default via {gateway}"));
        }
        namespace.forward();
        beyond
    }

    /// A namespace without devices, kept by a process that does nothing.
    #[track_caller]
    fn empty() -> Self {
        let mut command = Command::new(require_program("unshare"));
        command.args(["--net", "--", "cat"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut keeper = command.spawn().expect("unshare was found just now");
        let input = keeper.stdin.take();
        let beyond = Beyond { keeper, input };
        let here = fs::read_link("/proc/self/ns/net").expect("the kernel has network namespaces");
        until("a second network namespace exists", Duration::from_secs(10), || {
            let there = fs::read_link(format!("/proc/{}/ns/net", beyond.keeper.id()));
            there.is_ok_and(|there| there != here).then_some(())
        });
        beyond
    }
}

/// Waits until a device of a veth pair is up, as it is once its other end is, and its addresses can be used.
#[track_caller]
fn until_usable(place: &impl Place, device: &str) {
    until(&format!("{device} is up"), Duration::from_secs(10), || {
        let up = ip_at(place, &format!("-brief link show {device}")).contains("LOWER_UP");
        let tentative = ip_at(place, &format!("-6 -brief address show {device} tentative"));
        (up && tentative.trim().is_empty()).then_some(())
    });
}

impl Place for Beyond {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(require_program("nsenter"));
        command
            .arg(format!("--net=/proc/{}/ns/net", self.keeper.id()))
            .arg("--")
            .arg(require_program(program));
        command
    }
}

impl Drop for Beyond {
    fn drop(&mut self) {
        drop(self.input.take());
        // Its input has ended, so it ends; should it not, the namespaces around it take it along.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
