//! The lab's authority on disk, and the system's roots: the only file of this crate that does I/O.
//!
//! Both are for building a layer. The layer itself, once made, reads and writes nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;

use crate::authority::{Authority, AuthorityError};
use crate::config::ConfigError;

/// The authority's key with its certificate; mode 0600.
pub const KEY_FILE: &str = "authority.key.pem";
/// The authority's certificate alone, to be given to browsers.
pub const CERTIFICATE_FILE: &str = "authority.pem";

/// Why the authority could not be loaded or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file could not be read or written.
    #[error("{path}: {doing} failed")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others than its owner may read the key.
    #[error(
        "{path}: others may read this key (mode {mode:o}); `chmod 600` it, or delete it to get a new one"
    )]
    TooOpen {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// What the file holds is not an authority.
    #[error("{path}: not an authority of ours")]
    Authority {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: AuthorityError,
    },
}

/// The authority in this directory; made now, once for all, if there is none.
pub fn load_or_create(directory: &Path, unix_seconds: u64) -> Result<Authority, StoreError> {
    if !directory.join(KEY_FILE).exists() {
        create(directory, unix_seconds)?;
    }
    load(directory)
}

/// The authority in this directory.
pub fn load(directory: &Path) -> Result<Authority, StoreError> {
    let path = directory.join(KEY_FILE);
    refuse_if_open(&path)?;
    let pem = fs::read(&path).map_err(failed("reading", &path))?;
    let authority =
        Authority::from_pem(&pem, &pem).map_err(|source| StoreError::Authority { path, source })?;
    let beside = directory.join(CERTIFICATE_FILE);
    if !beside.exists() {
        fs::write(&beside, authority.certificate_pem()).map_err(failed("writing", &beside))?;
    }
    Ok(authority)
}

/// Key and certificate go into one file, which takes its name only when it is whole and only if nobody was
/// faster: of two programs that start at once, both use the same authority.
fn create(directory: &Path, unix_seconds: u64) -> Result<(), StoreError> {
    let path = directory.join(KEY_FILE);
    let unfinished = directory.join(format!("{KEY_FILE}.{}", std::process::id()));
    let authority = Authority::create(unix_seconds)
        .map_err(|source| StoreError::Authority { path: path.clone(), source })?;
    fs::create_dir_all(directory).map_err(failed("creating", directory))?;
    let text = authority.key_pem() + &authority.certificate_pem();
    write_private(&unfinished, &text).map_err(failed("writing", &unfinished))?;
    let linked = fs::hard_link(&unfinished, &path);
    fs::remove_file(&unfinished).map_err(failed("removing", &unfinished))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed("writing", &path)(error)),
        _ => Ok(()),
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn refuse_if_open(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(failed("reading", path))?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(StoreError::TooOpen { path: path.to_owned(), mode }),
    }
}

/// Elsewhere a file's rights are those of its directory.
#[cfg(not(unix))]
fn refuse_if_open(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { doing, path, source }
}

/// The certificates that this system trusts.
pub(crate) fn system_roots() -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let mut found = rustls_native_certs::load_native_certs();
    match found.certs.is_empty() {
        true => Err(ConfigError::SystemRoots(found.errors.pop().map(|error| Box::new(error) as _))),
        false => Ok(found.certs),
    }
}
