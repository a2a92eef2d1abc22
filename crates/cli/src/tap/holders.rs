//! Which programs have a TAP open, as far as this user may see.

use std::fs;
use std::path::Path;

/// A program that has a TAP open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its process.
    pub(crate) process: u32,
    /// What it is called.
    pub(crate) program: String,
}

/// Who has the TAP of this name open. Others' programs are seen by root alone.
pub(crate) fn of(tap: &str) -> Vec<Holder> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut holders: Vec<_> = processes
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let process = entry.file_name().to_str()?.parse().ok()?;
            let holds = is_here(&entry.path()) && holds(&entry.path(), tap);
            holds.then(|| Holder { process, program: program(&entry.path()) })
        })
        .collect();
    holders.sort_by_key(|holder| holder.process);
    holders
}

/// Whether it is in our network namespace: elsewhere the same name is of another interface.
fn is_here(process: &Path) -> bool {
    let namespace = |of: &Path| fs::read_link(of.join("ns/net")).ok();
    namespace(process).is_some_and(|there| Some(there) == namespace(Path::new("/proc/self")))
}

/// Whether one of its descriptors is of this TAP: the kernel tells by `iff` (drivers/net/tun.c).
fn holds(process: &Path, tap: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors.filter_map(Result::ok).any(|descriptor| {
        let is_tun = fs::read_link(descriptor.path()).is_ok_and(|to| to == Path::new("/dev/net/tun"));
        let facts = || fs::read_to_string(process.join("fdinfo").join(descriptor.file_name()));
        is_tun
            && facts().is_ok_and(|facts| facts.lines().any(|line| line.strip_prefix("iff:\t") == Some(tap)))
    })
}

fn program(process: &Path) -> String {
    fs::read_to_string(process.join("comm")).unwrap_or_default().trim().to_owned()
}
