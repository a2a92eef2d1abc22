//! Giving up root's rights once the device is open.

use std::io;

use crate::linux;

/// The user and group `nobody` of most systems.
const NOBODY: u32 = 65_534;

/// What was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The user that the process is now, where it was root before and there are others.
    pub user: Option<u32>,
}

/// Gives up what a running stack doesn't need: root's user and groups for those of whoever called `sudo` (else
/// `nobody`), every capability, and the way to new ones. Call it when the devices are open and before threads
/// are started: capabilities belong to a thread and those it starts.
///
/// # Errors
/// The kernel refuses. The process should end then.
pub fn drop_privileges() -> io::Result<Dropped> {
    linux::empty_bounding_set();
    let can_change = linux::effective_user() == 0 && !is_only_user();
    let user = can_change.then(|| caller("SUDO_UID"));
    if let Some(user) = user {
        linux::become_user(user, caller("SUDO_GID"))?;
    }
    linux::clear_capabilities()?;
    linux::forbid_new_privileges()?;
    Ok(Dropped { user })
}

/// Whether there is no other user to become: in a user namespace made by an ordinary user, root is that user by another
/// name, and has no rights outside of it (user_namespaces(7)).
fn is_only_user() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let mut users = map.lines().map(|line| line.split_whitespace().nth(2));
    users.next() == Some(Some("1")) && users.next().is_none()
}

/// Who called `sudo`, by its number; never root.
fn caller(variable: &str) -> u32 {
    std::env::var(variable)
        .ok()
        .and_then(|number| number.parse().ok())
        .filter(|&number| number != 0)
        .unwrap_or(NOBODY)
}
