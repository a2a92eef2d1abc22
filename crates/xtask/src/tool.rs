//! Running other programs: shown as they run, read as they speak, stopped when they take too long.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Cargo, as it was that started us, at the workspace's root.
///
/// It is not told of our own package, as a program that cargo runs is: some build scripts ask to be run again whenever that
/// changes, and would compile anew what is built already.
pub(crate) fn cargo<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let is_of_us = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(is_of_us) {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// The search path with this folder first.
pub(crate) fn path_with(folder: Option<&Path>) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folder.into_iter().map(Path::to_path_buf).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or_else(|_| path.clone())
}

/// Whether a program of this name is installed, where a login shell of root's would look too.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).any(|folder| folder.join(program).is_file())
}

/// Whether the effective user is root.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether CI runs us.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// How a program ended.
pub(crate) enum Ending {
    Exited(ExitStatus),
    TookTooLong(Duration),
}

impl Ending {
    /// Whether it ended by itself, with the exit code 0.
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Ending::Exited(status) if status.success())
    }

    /// The exit code, where it ended by itself.
    pub(crate) fn code(&self) -> Option<i32> {
        match self {
            Ending::Exited(status) => status.code(),
            Ending::TookTooLong(_) => None,
        }
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Exited(status) => write!(f, "{status}"),
            Ending::TookTooLong(limit) => write!(f, "still running after {} s", limit.as_secs()),
        }
    }
}

/// Runs `command`, passes its output on line by line as it comes, and shows each line to `seen`.
pub(crate) fn stream(command: &mut Command, mut seen: impl FnMut(&str)) -> io::Result<ExitStatus> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    for line in lines_of(&mut child) {
        println!("{line}");
        seen(&line);
    }
    child.wait()
}

/// Both outputs of a child, merged, in lines; ends when both have ended.
pub(crate) fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let outputs = [
        child.stdout.take().map(|output| Box::new(output) as Box<dyn Read + Send>),
        child.stderr.take().map(|output| Box::new(output) as Box<dyn Read + Send>),
    ];
    for output in outputs.into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || send_lines(output, &sender));
    }
    receiver
}

fn send_lines(output: impl Read, sender: &mpsc::Sender<String>) {
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if sender.send(line.trim_end_matches('\r').to_owned()).is_err() {
            return;
        }
    }
}

/// Runs `command` with its output kept, for at most `limit`, then kills it.
pub(crate) fn run_quietly(command: &mut Command, limit: Duration) -> io::Result<(Ending, Vec<String>)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let lines = lines_of(&mut child);
    let ending = wait(&mut child, limit)?;
    // A grandchild may hold the pipes open: of a program that was killed, take what is there.
    let said = match ending {
        Ending::Exited(_) => lines.iter().collect(),
        Ending::TookTooLong(_) => lines.try_iter().collect(),
    };
    Ok((ending, said))
}

/// Waits for `child` to end, for at most `limit`, then kills it.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> io::Result<Ending> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ending::Exited(status));
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(Ending::TookTooLong(limit));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The folder in which cargo builds: the one that holds our own program.
pub(crate) fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_path_buf)
}
