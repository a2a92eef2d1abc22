//! Programs that are measured: started, watched for the processor time they take, ended.

use std::fs;
use std::io::{self, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How often a program is looked at that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A program that runs beside us, and ends with this.
pub(crate) struct Started {
    child: Child,
    /// Kept open: some servers end when nobody can type to them any more.
    _input: Option<ChildStdin>,
}

impl Started {
    /// Starts it. What it says is thrown away; where it complains is the command's affair.
    pub(crate) fn new(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().map_err(|error| named(command, &error))?;
        let input = child.stdin.take();
        Ok(Started { child, _input: input })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time that all its threads have taken, in seconds.
    pub(crate) fn processor_time(&self) -> io::Result<f64> {
        processor_time(self.child.id())
    }

    /// Waits until `ready` says so; an error where the program ends before, with its own words, or does not come so far.
    pub(crate) fn wait_until(&mut self, who: &str, mut ready: impl FnMut() -> bool) -> io::Result<()> {
        let began = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                let mut said = String::new();
                if let Some(errors) = &mut self.child.stderr {
                    errors.read_to_string(&mut said)?;
                }
                return Err(io::Error::other(format!("{who} ended too early: {status}: {}", said.trim())));
            }
            if began.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::other(format!("{who} does not answer after 10 s")));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program said that ran to its end, and the processor time it took, in seconds.
pub(crate) struct Finished {
    pub(crate) said: String,
    pub(crate) processor: f64,
}

/// Runs a program to its end, for at most `limit`; an error where it fails, with its own words.
pub(crate) fn finish(command: &mut Command, limit: Duration) -> io::Result<Finished> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| named(command, &error))?;
    let began = Instant::now();
    let in_time = loop {
        if has_ended(child.id()) {
            break true;
        }
        if began.elapsed() > limit {
            break false;
        }
        std::thread::sleep(LOOK_AGAIN);
    };
    // It has ended, but nobody has asked how yet: until then the kernel keeps what it has counted.
    let processor = processor_time(child.id()).unwrap_or(f64::NAN);
    if !in_time {
        child.kill()?;
    }
    let (mut said, mut complaint) = (String::new(), String::new());
    if let (Some(output), Some(errors)) = (&mut child.stdout, &mut child.stderr) {
        output.read_to_string(&mut said)?;
        errors.read_to_string(&mut complaint)?;
    }
    let status = child.wait()?;
    match (in_time, status.success()) {
        (true, true) => Ok(Finished { said, processor }),
        (true, false) => Err(io::Error::other(format!("{}: {status}: {}", name(command), complaint.trim()))),
        (false, _) => {
            Err(io::Error::other(format!("{} was not done after {} s", name(command), limit.as_secs())))
        }
    }
}

/// Whether a child of ours has ended and waits to be asked how (proc_pid_stat(5): state Z, after the name in brackets).
fn has_ended(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

/// The first number of `schedstat`: nanoseconds on a processor, of each thread by itself.
fn processor_time(id: u32) -> io::Result<f64> {
    let mut nanos = 0.0;
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos +=
            text.split_whitespace().next().and_then(|first| first.parse::<f64>().ok()).unwrap_or(f64::NAN);
    }
    Ok(nanos / 1e9)
}

fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn named(command: &Command, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", command.get_program().to_string_lossy()))
}
