//! Files that stay open: a page that is asked for again is not opened again.
//!
//! What is kept of a small file is its descriptor, never its bytes or its size: these are asked of the system for each
//! request, so nothing that is served is out of date. A file is known again by its device and inode, which no other
//! file has as long as it is open, and by the time of its last change, that of its rights included; which file a path leads
//! to is looked up each time, too.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Files of up to so many bytes stay open, so that no deleted giant keeps its place on the disk.
const SMALL: u64 = 64 * 1024;
/// So many stay open. One more, and all are closed: those that are wanted open again.
const KEPT: usize = 64;

/// Small files that were served.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenFiles(Arc<Mutex<BTreeMap<Identity, Arc<File>>>>);

/// A file's device and inode, and when it was changed last, in seconds and nanoseconds.
type Identity = (u64, u64, i64, i64);

/// A file to be read, and what is known of it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: Arc<File>,
    pub(crate) metadata: Metadata,
}

impl OpenFiles {
    /// Opens the regular file at `path`, of which `found` was just told without following a link.
    pub(crate) fn open(&self, path: &Path, found: Metadata) -> io::Result<Opened> {
        // To open a pipe could take for ever.
        if !found.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if let Some(file) = identity(&found).and_then(|identity| self.kept(identity)) {
            return Ok(Opened { file, metadata: found });
        }
        let file = Arc::new(open(path)?);
        // Of the file that is open, whatever stood at the path before.
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if let Some(identity) = identity(&metadata).filter(|_| metadata.len() <= SMALL) {
            self.keep(identity, file.clone());
        }
        Ok(Opened { file, metadata })
    }

    fn kept(&self, identity: Identity) -> Option<Arc<File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&identity).cloned()
    }

    fn keep(&self, identity: Identity, file: Arc<File>) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= KEPT {
            files.clear();
        }
        files.insert(identity, file);
    }
}

/// Opens what stands at `path` for reading; on Linux neither a link that has taken its place meanwhile, nor by waiting for
/// the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(target_os = "linux")]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32,
    );
    options.read(true).open(path)
}

/// By what a regular file is known again, where the system has it.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    metadata.is_file().then(|| (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Option<Identity> {
    None
}

/// Fills `piece` with what stands at `offset`, without moving a place that others of the same file read from.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, piece: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, piece, offset)
}

#[cfg(not(unix))]
pub(crate) fn read_at(mut file: &File, piece: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(piece)
}
