//! Files for secrets: their owner's alone, whoever may write to the directory they are in.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Such a file, empty.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let file = append(path)?;
    // Only now that it is known to be ours.
    file.set_len(0)?;
    Ok(file)
}

/// Such a file, to be gone on with.
///
/// In a directory that others may write to, the name may lead elsewhere: as root one would write secrets where somebody
/// else reads them, or into a file that is worth more. So what is there already must be a plain file of our own.
#[cfg(unix)]
pub(crate) fn append(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};

    use rustix::fs::OFlags;

    // No link is followed, and a pipe that nobody reads is not waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    let file = options.open(path).map_err(|error| match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::LOOP) => refused("it is a symbolic link"),
        _ => error,
    })?;
    let is = file.metadata()?;
    if !is.is_file() {
        return Err(refused("it is no plain file"));
    }
    if is.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused("it belongs to another user"));
    }
    if is.nlink() != 1 {
        return Err(refused("it has another name, too"));
    }
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(unix)]
fn refused(why: &str) -> io::Error {
    io::Error::other(format!("{why}, and there would be secrets in it"))
}

/// Such a file, to be gone on with; its directory decides who may read it.
#[cfg(not(unix))]
pub(crate) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
