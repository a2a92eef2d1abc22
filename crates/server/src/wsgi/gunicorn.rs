//! gunicorn for one child process: started, watched, ended.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use framewise_http::Handler;

use super::Application;
use super::proxy::Proxy;
use crate::pool::Reports;
use crate::state::State;

const WRAPPER: &str = include_str!("framewise_wsgi.py");
const CONFIG: &str = include_str!("gunicorn_conf.py");
/// Finds what `MODULE:APP` names, and says in one line why it can't.
const FINDS: &str = "\
import importlib, sys
module, _, name = sys.argv[1].partition(':')
try:
    found = importlib.import_module(module)
    for part in (name or 'application').split('.'):
        found = getattr(found, part)
    if not callable(found):
        sys.exit(f'it is {type(found).__name__}, and can not be called')
except Exception as error:
    sys.exit(f'{type(error).__name__}: {error}')
";

/// How long Python may take to find an application.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long gunicorn may take to end.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// Why there is no application.
#[derive(Debug, thiserror::Error)]
pub enum WsgiError {
    /// There is no such Python.
    #[error("{} can't be run: {source}", python.display())]
    NoPython {
        /// What was to be run.
        python: PathBuf,
        /// Why it can't.
        source: io::Error,
    },
    /// This Python lacks gunicorn.
    #[error("{} has no gunicorn, which runs the application", python.display())]
    NoGunicorn {
        /// Which Python.
        python: PathBuf,
    },
    /// It has no such application.
    #[error("Python finds no application {name}: {why}")]
    NoApplication {
        /// `MODULE:APP`.
        name: String,
        /// What Python says.
        why: String,
    },
    /// gunicorn ended before it was ready; it has said why.
    #[error("gunicorn ended before the application was ready")]
    Ended,
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Looks whether there is such a Python, gunicorn, and application, so that it is said once and not by every child.
///
/// # Errors
/// What is missing.
pub fn check(application: &Application) -> Result<(), WsgiError> {
    let Application { name, python } = application;
    let asked = |code: &str| {
        let mut command = Command::new(python);
        command.args(["-c", code, name]);
        outcome(command).map_err(|source| WsgiError::NoPython { python: python.clone(), source })
    };
    if asked("import gunicorn")?.is_err() {
        return Err(WsgiError::NoGunicorn { python: python.clone() });
    }
    asked(FINDS)?.map_err(|why| WsgiError::NoApplication { name: name.clone(), why })
}

/// Runs a command, and tells the last line of what it said if it failed.
fn outcome(mut command: Command) -> io::Result<Result<(), String>> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Ok(Err(format!("it takes longer than {} s", PATIENCE.as_secs())));
        }
        thread::sleep(Duration::from_millis(5));
    };
    let mut said = Vec::new();
    if let Some(output) = child.stderr.take() {
        output.take(64 << 10).read_to_end(&mut said)?;
    }
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    Ok(if status.success() { Ok(()) } else { Err(last.to_owned()) })
}

/// A folder of this user's own, which is gone when this is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// One that did not exist before.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn new() -> io::Result<Self> {
        let mut at = std::env::temp_dir();
        // A socket's path has 108 bytes at most (unix(7)).
        if at.as_os_str().len() > 50 {
            at = PathBuf::from("/tmp");
        }
        for number in 0..10_000 {
            let path = at.join(format!("framewise-wsgi-{}-{number}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Folder(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("there are ten thousand folders of ours"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// gunicorn, with one worker. It ends with the process that started it.
pub struct Gunicorn {
    process: Child,
    folder: PathBuf,
    reports: BufReader<UnixStream>,
    /// Its end is wanted.
    ends: Arc<AtomicBool>,
}

impl Gunicorn {
    /// Starts it, with its socket in a new folder, and waits until the application is ready.
    ///
    /// # Errors
    /// The operating system refuses, or gunicorn ends.
    pub fn start(application: &Application, folder: &Path, threads: usize) -> Result<Self, WsgiError> {
        fs::DirBuilder::new().mode(0o700).create(folder)?;
        fs::write(folder.join("framewise_wsgi.py"), WRAPPER)?;
        let config = folder.join("gunicorn_conf.py");
        fs::write(&config, CONFIG)?;
        let (ours, theirs) = UnixStream::pair()?;
        let here = std::env::current_dir()?;
        let mut paths = vec![folder.to_path_buf(), here];
        paths.extend(std::env::split_paths(&std::env::var_os("PYTHONPATH").unwrap_or_default()));
        let paths = std::env::join_paths(paths).map_err(io::Error::other)?;
        let process = Command::new(&application.python)
            .args(["-m", "gunicorn", "--config"])
            .arg(&config)
            .arg("framewise_wsgi:application")
            // It would count for more than what we say, a socket of its own for everybody included.
            .env_remove("GUNICORN_CMD_ARGS")
            .env("PYTHONPATH", paths)
            .env("FRAMEWISE_WSGI", &application.name)
            .env("FRAMEWISE_SOCKET", folder.join("app.sock"))
            .env("FRAMEWISE_THREADS", threads.to_string())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()?;
        let mut gunicorn = Gunicorn {
            process,
            folder: folder.to_path_buf(),
            reports: BufReader::new(ours),
            ends: Arc::default(),
        };
        let mut line = String::new();
        while line != "ready\n" {
            line.clear();
            if (&mut gunicorn.reports).take(LONGEST_LINE).read_line(&mut line)? == 0 {
                return Err(WsgiError::Ended);
            }
        }
        Ok(gunicorn)
    }

    /// What answers by it; what its threads do is told from now on. This process ends with it.
    ///
    /// # Errors
    /// The system has no more threads.
    pub fn handler(&mut self, reports: Reports) -> io::Result<Arc<dyn Handler>> {
        let mut lines = BufReader::new(self.reports.get_ref().try_clone()?);
        let ends = self.ends.clone();
        thread::Builder::new().name("reports".to_owned()).spawn(move || {
            let mut line = String::new();
            while matches!((&mut lines).take(LONGEST_LINE).read_line(&mut line), Ok(read) if read > 0) {
                if let Some((thread, state)) = report(&line) {
                    reports.says(thread, state);
                }
                line.clear();
            }
            // Without gunicorn there is nothing that this process could do: another takes its place.
            if !ends.load(Ordering::Acquire) {
                std::process::exit(1);
            }
        })?;
        Ok(Arc::new(Proxy { socket: self.folder.join("app.sock") }))
    }
}

/// Bytes of a line, at most.
const LONGEST_LINE: u64 = 64;

/// `2 4`: thread 2 is in state 4.
fn report(line: &str) -> Option<(u16, State)> {
    let (thread, state) = line.trim_end().split_once(' ')?;
    Some((thread.parse().ok()?, State::of(state.parse().ok()?)?))
}

impl Drop for Gunicorn {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let end = Instant::now() + FAREWELL;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
        // The last one tidies up for a main process that was killed: only what is empty can be removed so.
        let _ = self.folder.parent().map(fs::remove_dir);
    }
}
