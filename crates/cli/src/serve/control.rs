//! The socket at which a running server tells whoever may open it what its threads do: a line of JSON for each that comes.

use std::io;
use std::path::{Path, PathBuf};

use framewise_server::State;
use framewise_server::dispatch::Snapshot;
use serde::{Deserialize, Serialize};

use crate::args;
use crate::exit::{Failure, Kind};

/// What is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) format: String,
    pub(crate) version: u32,
    /// The main process.
    pub(crate) pid: u32,
    #[serde(flatten)]
    pub(crate) pool: Snapshot,
}

/// What `format` and `version` say.
#[cfg_attr(not(unix), allow(dead_code, reason = "there is no such socket"))]
pub(crate) const FORMAT: &str = "framewise-top";
#[cfg_attr(not(unix), allow(dead_code, reason = "there is no such socket"))]
pub(crate) const VERSION: u32 = 1;

impl Report {
    /// What somebody told. At another user's socket that may be anything.
    ///
    /// # Errors
    /// A server of this version tells no such thing.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is no such socket"))]
    pub(crate) fn read(text: &str) -> io::Result<Self> {
        let report: Report = serde_json::from_str(text).map_err(io::Error::other)?;
        if report.format != FORMAT || report.version != VERSION {
            return Err(io::Error::other(format!("it is no {FORMAT} of version {VERSION}")));
        }
        let threads = report.pool.processes.iter().flat_map(|process| &process.threads);
        match threads.map(|thread| thread.state).find(|state| State::of(*state).is_none()) {
            Some(state) => Err(io::Error::other(format!("a thread has no state {state}"))),
            None => Ok(report),
        }
    }
}

/// The socket. It is gone when this is dropped.
pub(super) struct Control {
    path: PathBuf,
}

impl Control {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, Permissions};
    use std::io::Write;
    use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::time::Duration;

    use super::*;

    /// How long whoever asks may take to read.
    const PATIENCE: Duration = Duration::from_secs(1);
    /// How long until the next try where nobody can be let in, for there are no more descriptors.
    const PAUSE: Duration = Duration::from_millis(100);

    impl Control {
        /// Opens it, for its owner alone, and tells by a thread of its own.
        pub(in crate::serve) fn open(
            args: &args::Serve,
            snapshot: impl Fn() -> Snapshot + Send + 'static,
        ) -> Result<Option<Self>, Failure> {
            let wanted = args.options.pool.control.clone();
            let is_wanted = wanted.is_some();
            let opened = wanted.map_or_else(own_path, Ok).and_then(|path| {
                remove_stale(&path)?;
                let listener = UnixListener::bind(&path)?;
                std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
                std::thread::Builder::new()
                    .name("control".to_owned())
                    .spawn(move || tell(listener.incoming(), &snapshot))?;
                Ok(path)
            });
            match opened {
                Ok(path) => Ok(Some(Control { path })),
                Err(error) if is_wanted => {
                    let sentence = format!("there can be no socket for framewise top: {error}");
                    Err(Failure::new(Kind::File, sentence).next("the same with another --control PATH"))
                }
                // Nobody asked for it.
                Err(error) => {
                    crate::output::say(&format!("There is no socket for framewise top: {error}\n"));
                    Ok(None)
                }
            }
        }
    }

    fn tell(connections: impl Iterator<Item = io::Result<UnixStream>>, snapshot: &dyn Fn() -> Snapshot) {
        for connection in connections {
            let Ok(connection) = connection else {
                std::thread::sleep(PAUSE);
                continue;
            };
            let pool = snapshot();
            let report =
                Report { format: FORMAT.to_owned(), version: VERSION, pid: std::process::id(), pool };
            // Who does not read is left, and asks again if it likes.
            let _ = connection.set_write_timeout(Some(PATIENCE));
            if let Ok(mut line) = serde_json::to_string(&report) {
                line.push('\n');
                let _ = (&connection).write_all(line.as_bytes());
            }
        }
    }

    /// A socket that nobody listens at was left by a server that was killed.
    fn remove_stale(path: &Path) -> io::Result<()> {
        let is_socket = std::fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket());
        if is_socket && UnixStream::connect(path).is_err() {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }

    /// A name of this process's own, in a directory of this user's own.
    fn own_path() -> io::Result<PathBuf> {
        let user = rustix::process::geteuid().as_raw();
        let directory = own_directory(user);
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Others may write to the directory that it is in: what is there already must be ours alone.
        let there = std::fs::symlink_metadata(&directory)?;
        if !there.is_dir() || there.uid() != user || there.mode() & 0o077 != 0 {
            let place = directory.display();
            return Err(io::Error::other(format!("{place} is not this user's own directory")));
        }
        Ok(directory.join(format!("{}.sock", std::process::id())))
    }

    /// Where a user's sockets are made.
    fn own_directory(user: u32) -> PathBuf {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|directory| {
            std::fs::metadata(directory).is_ok_and(|there| there.is_dir() && there.uid() == user)
        });
        runtime.map_or_else(|| shared_directory(user), |directory| directory.join("framewise"))
    }

    /// The same without a directory of the session's, as behind sudo.
    fn shared_directory(user: u32) -> PathBuf {
        std::env::temp_dir().join(format!("framewise-{user}"))
    }

    /// Whether it is this user's alone; root trusts everybody's, for it only looks.
    fn may_look(directory: &Path, user: u32) -> bool {
        let is_own = |there: std::fs::Metadata| there.is_dir() && there.uid() == user;
        user == 0 || std::fs::symlink_metadata(directory).is_ok_and(is_own)
    }

    /// The sockets of all servers that this user may look at and that run; root may look at everybody's.
    pub(crate) fn running() -> Vec<PathBuf> {
        let user = rustix::process::geteuid();
        let mut directories = vec![own_directory(user.as_raw()), shared_directory(user.as_raw())];
        if user.is_root() {
            let all = |place: PathBuf| std::fs::read_dir(place).into_iter().flatten().flatten();
            let ours = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("framewise-");
            let shared = all(std::env::temp_dir()).filter(|entry| ours(&entry.file_name()));
            directories.extend(shared.map(|entry| entry.path()));
            directories.extend(all("/run/user".into()).map(|entry| entry.path().join("framewise")));
        }
        directories.retain(|directory| may_look(directory, user.as_raw()));
        directories.sort();
        directories.dedup();
        let entries = directories.iter().filter_map(|directory| std::fs::read_dir(directory).ok());
        let sockets = entries.flatten().flatten().map(|entry| entry.path());
        let mut running: Vec<_> = sockets
            .filter(|path| path.extension().is_some_and(|end| end == "sock"))
            .filter(|path| UnixStream::connect(path).is_ok())
            .collect();
        running.sort();
        running
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn where_nobody_can_be_let_in_the_next_try_waits() {
            let began = std::time::Instant::now();
            let none_left = || Err(io::Error::other("too many open files"));
            tell([none_left(), none_left()].into_iter(), &|| unreachable!("nobody asks"));
            assert!(began.elapsed() >= PAUSE * 2);
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::running;

#[cfg(not(unix))]
impl Control {
    /// Elsewhere there is none.
    pub(super) fn open(
        args: &args::Serve,
        _snapshot: impl Fn() -> Snapshot + Send + 'static,
    ) -> Result<Option<Self>, Failure> {
        match &args.options.pool.control {
            Some(_) => Err(Failure::new(Kind::Usage, "--control is for Unix")),
            None => Ok(None),
        }
    }
}
