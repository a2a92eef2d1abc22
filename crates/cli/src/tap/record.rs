//! The record of what was done for TAPs beyond the TAPs themselves, so that it can be undone, by a later run, too.
//!
//! It is a small file of root's own, below `/run`, which is empty after the computer's next start as the kernel is. Each
//! network namespace has its own. What is read from it is acted upon with root's rights: so its folder must be ours alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use framewise::device::interfaces;
use serde::{Deserialize, Serialize};

use super::forward::{Family, Saved};
use super::nat::Nat;
use crate::exit::{Failure, Kind};

/// All that was done here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Which start of the computer it is about.
    boot: String,
    /// What was done for the network of a TAP or a bridge.
    pub(super) links: BTreeMap<String, Done>,
    /// What forwarding was before the first of them wanted it.
    pub(super) forwarding: BTreeMap<Family, Saved>,
}

/// What was done for one network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) forward: BTreeSet<Family>,
    pub(super) nat: Option<Nat>,
}

/// The record, with the right to change it: nobody else has it at the same time.
pub(super) struct Ledger {
    pub(super) record: Record,
    folder: PathBuf,
    /// Keeps others waiting while it is open.
    _lock: File,
}

impl Ledger {
    /// Waits until nobody else changes the record, and reads it.
    pub(super) fn open() -> Result<Self, Failure> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for folder in folders() {
            match lock(&folder) {
                Ok(lock) => {
                    let record = read(&folder.join(file_name())).map_err(|error| failed(&folder, &error))?;
                    return Ok(Ledger { record: record.unwrap_or_default(), folder, _lock: lock });
                }
                Err(error) => last = error,
            }
        }
        Err(failed(Path::new("/run/framewise"), &last))
    }

    /// Writes the record, whole or not at all. An empty one is no file.
    pub(super) fn write(&mut self) -> Result<(), Failure> {
        self.record.boot = boot();
        let path = self.folder.join(file_name());
        let written = if self.record.links.is_empty() && self.record.forwarding.is_empty() {
            fs::remove_file(&path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })
        } else {
            replace(&path, &self.record)
        };
        written.map_err(|error| failed(&path, &error))
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // Leaves nothing behind where there is nothing to keep; fails where there is.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// What is recorded, without the right to change it; `None` where one may not look.
pub(super) fn look() -> Option<Record> {
    for folder in folders() {
        match read(&folder.join(file_name())) {
            Ok(Some(record)) => return Some(record),
            Ok(None) => {}
            Err(_) => return None,
        }
    }
    Some(Record::default())
}

/// Where the record may be: root's own place, or that of whoever is root in a namespace alone.
fn folders() -> Vec<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("framewise"));
    let last = std::env::temp_dir().join(format!("framewise-{user}"));
    [PathBuf::from("/run/framewise")].into_iter().chain(own).chain([last]).collect()
}

fn file_name() -> String {
    format!("tap-{}.json", interfaces::namespace().unwrap_or_default())
}

/// The folder, made if it is not there, and locked. It must be ours, and nobody else's to write to.
fn lock(folder: &Path) -> io::Result<File> {
    loop {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::DIRECTORY;
        let lock = match OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let is = lock.metadata()?;
        if is.uid() != rustix::process::geteuid().as_raw() || is.mode() & 0o022 != 0 {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the folder is not ours alone"));
        }
        lock.lock()?;
        // Whoever held it before may have removed it at the end.
        if lock.metadata()?.nlink() > 0 {
            return Ok(lock);
        }
    }
}

/// What is recorded; `None`: nothing, or about an earlier start of the computer.
fn read(path: &Path) -> io::Result<Option<Record>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let record: Record = serde_json::from_slice(&text)?;
    Ok(Some(record).filter(|record| record.boot == boot()))
}

fn replace(path: &Path, record: &Record) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(&serde_json::to_vec_pretty(record)?)?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let sentence = format!("the record of what was done can't be kept in {}: {error}", path.display());
    Failure::new(Kind::File, sentence).next("the same with sudo")
}
