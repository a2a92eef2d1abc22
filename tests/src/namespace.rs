//! A test in a network namespace of its own.
//!
//! A threaded process cannot enter a user namespace (`unshare` answers EINVAL), and a test runner is
//! threaded. So the test's program runs itself again, this one test only, under `unshare`: in fresh
//! network, process and mount namespaces, and in a user namespace too where we are not root. When that
//! process ends, the kernel ends whatever it had started and removes every device that it had made.

use crate::place::Place;
use crate::process::{Running, finish};
use crate::skip::{require_program, say, skip_because, skippable};
use std::process::Command;
use std::time::Duration;

/// Tells the process within which test it is to run.
const MARKER: &str = "FRAMEWISE_IN_NAMESPACE";

/// A test that takes longer than this hangs, unless it says how long it means to take.
const LIMIT: Duration = Duration::from_secs(300);

/// `ip` and its like answer at once.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// The network namespace that the test runs in.
#[derive(Debug)]
pub struct Namespace(());

/// Runs `body` in a fresh network namespace, in which nothing but `lo` exists, which is up.
///
/// `test` is the full name of the test function that calls this, as the test runner prints it.
///
/// # Panics
///
/// Where the body does, with what it printed.
pub fn in_namespace(test: &str, body: impl FnOnce(&Namespace)) {
    in_namespace_for(LIMIT, test, body);
}

/// The same for a test that may take as long as `limit`.
///
/// # Panics
///
/// Where the body does, and where it takes longer.
pub fn in_namespace_for(limit: Duration, test: &str, body: impl FnOnce(&Namespace)) {
    skippable(test, || {
        if std::env::var(MARKER).is_ok_and(|name| name == test) {
            let namespace = Namespace(());
            without_duplicate_detection(&namespace);
            namespace.ip("link set lo up");
            body(&namespace);
        } else {
            run_again_inside(limit, test);
        }
    });
}

/// Runs this test alone, by a copy of this program, inside.
fn run_again_inside(limit: Duration, test: &str) {
    require_program("ip");
    if let Err(why) = namespaces_can_be_made() {
        skip_because(why);
    }
    let program = std::env::current_exe().expect("a running program has a path");
    let mut command = unshare();
    command.arg(program).args(["--exact", test, "--nocapture", "--test-threads=1"]).env(MARKER, test);
    let mut inside = Running::start(&mut command);
    inside.wait(limit);
    let said = inside.said();
    said.iter().filter(|line| line.starts_with("SKIPPED")).for_each(|line| say(line));
    let passed = said.iter().any(|line| line.starts_with("test result: ok. 1 passed"));
    assert!(
        passed,
        "{test} in its namespace (named as the test runner names it?):\n{}",
        // Set apart, so that nobody takes the verdict inside for one of the outer run.
        said.iter().map(|line| format!("| {line}\n")).collect::<String>()
    );
}

fn namespaces_can_be_made() -> Result<(), String> {
    let tried = finish(unshare().arg("true"), COMMAND_LIMIT);
    if tried.status.success() {
        Ok(())
    } else {
        Err(format!("no network namespace: {}", tried.stderr.trim()))
    }
}

/// A command that will run what is added to it inside, and kill it should we die.
fn unshare() -> Command {
    let mut command = Command::new(require_program("setpriv"));
    command.args(["--pdeathsig", "KILL"]).arg(require_program("unshare"));
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    command
}

impl Place for Namespace {
    fn command(&self, program: &str) -> Command {
        Command::new(require_program(program))
    }
}

impl Namespace {
    /// Runs `ip` with these arguments, which are separated by spaces.
    ///
    /// # Panics
    ///
    /// Where `ip` fails.
    #[track_caller]
    pub fn ip(&self, arguments: &str) -> String {
        ip_at(self, arguments)
    }

    /// Gives `device` an address such as `192.0.2.1/24` or `2001:db8::1/64`, and brings it up.
    ///
    /// # Panics
    ///
    /// Where there is no such device.
    #[track_caller]
    pub fn address(&self, device: &str, address: &str) {
        address_at(self, device, address);
    }

    /// Makes this namespace's kernel a router for both families.
    ///
    /// # Panics
    ///
    /// Where the kernel refuses.
    #[track_caller]
    pub fn forward(&self) {
        set_at(self, "net/ipv4/ip_forward", "1");
        set_at(self, "net/ipv6/conf/all/forwarding", "1");
    }

    /// Has an empty `/run` for the test alone, so that what programs record there is gone with it.
    ///
    /// # Panics
    ///
    /// Where the kernel refuses.
    #[track_caller]
    pub fn own_run(&self) {
        let mut mount = self.command("mount");
        finish(mount.args(["-t", "tmpfs", "-o", "mode=755", "none", "/run"]), COMMAND_LIMIT).successful();
    }

    /// Sets a parameter of the kernel's, such as `net/ipv4/ip_forward`, in this namespace.
    ///
    /// # Panics
    ///
    /// Where there is no such parameter, or the kernel refuses the value.
    #[track_caller]
    pub fn set(&self, parameter: &str, value: &str) {
        set_at(self, parameter, value);
    }
}

/// Has the kernel's devices use their IPv6 addresses at once, the link-local ones that it makes by itself too.
///
/// It would try for a second or two whether someone else has them (RFC 4862, section 5.4), and until then
/// ask for no neighbour on behalf of a packet that it forwards. A test of that sets the parameters back
/// before it makes its device.
pub(crate) fn without_duplicate_detection(place: &impl Place) {
    set_at(place, "net/ipv6/conf/default/accept_dad", "0");
    set_at(place, "net/ipv6/conf/default/dad_transmits", "0");
}

#[track_caller]
pub(crate) fn set_at(place: &impl Place, parameter: &str, value: &str) {
    let script = r#"echo "$2" > "/proc/sys/$1""#;
    finish(place.command("sh").args(["-c", script, "sh", parameter, value]), COMMAND_LIMIT).successful();
}

#[track_caller]
pub(crate) fn ip_at(place: &impl Place, arguments: &str) -> String {
    finish(place.command("ip").args(arguments.split_whitespace()), COMMAND_LIMIT).successful().text()
}

#[track_caller]
pub(crate) fn address_at(place: &impl Place, device: &str, address: &str) {
    let family = if address.contains(':') { " nodad" } else { "" };
    ip_at(place, &format!("address add {address} dev {device}{family}"));
    ip_at(place, &format!("link set {device} up"));
}
