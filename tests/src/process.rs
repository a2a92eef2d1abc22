//! Running programs: to their end with a bound, or beside the test and no longer than it.

use crate::until::until;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a program that ended by itself left.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// Its standard error, as text.
    pub stderr: String,
}

impl Finished {
    /// Its standard output, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Itself, where the program succeeded.
    ///
    /// # Panics
    ///
    /// Where it did not, with all that it said.
    #[track_caller]
    pub fn successful(self) -> Self {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.text(), self.stderr);
        self
    }
}

/// Runs a command to its end.
///
/// # Panics
///
/// Where it cannot be started, or has not ended after `limit`; it is killed then.
#[track_caller]
pub fn finish(command: &mut Command, limit: Duration) -> Finished {
    let shown = format!("{command:?}");
    let mut child = start(command);
    let stdout = child.stdout.take().map(read_to_end);
    let stderr = child.stderr.take().map(read_to_end);
    let mut child = KilledOnDrop(child);
    let status =
        until(&format!("{shown} ends"), limit, || child.0.try_wait().expect("a child can be waited for"));
    let join = |reader: Option<JoinHandle<Vec<u8>>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    Finished { status, stdout: join(stdout), stderr: String::from_utf8_lossy(&join(stderr)).into_owned() }
}

#[track_caller]
fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"))
}

pub(crate) fn read_to_end(mut output: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A program that dies with its pipe open leaves what it had written.
        let _ = output.read_to_end(&mut bytes);
        bytes
    })
}

pub(crate) struct KilledOnDrop(pub(crate) Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program that runs beside the test. Dropping it kills that one process.
pub struct Running {
    name: String,
    child: KilledOnDrop,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
    ended: Option<Instant>,
}

/// How long a program's last words may take to be read after its end. Its readers end with it, unless a
/// child of its own still holds its outputs.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Running {
    /// Starts a command, both of its outputs being kept line by line.
    ///
    /// # Panics
    ///
    /// Where it cannot be started.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = start(command);
        let lines = Arc::default();
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|output| Box::new(output) as _),
            child.stderr.take().map(|output| Box::new(output) as _),
        ];
        let readers = outputs.into_iter().flatten().map(|output| keep_lines(output, &lines)).collect();
        Running { name, child: KilledOnDrop(child), lines, readers, ended: None }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// All it has said so far.
    pub fn said(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `condition` gives a value.
    ///
    /// # Panics
    ///
    /// When the program ends before that, or `limit` has passed; with what it said.
    #[track_caller]
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        let what = format!("{}: {what}", self.name);
        until(&what, limit, || {
            // Asked first: what it said just before it ended still counts.
            let ended = self.ended();
            let value = condition(self);
            if let (None, Some(status)) = (&value, ended) {
                panic!("{what}: it ended first, {status}\n{}", self.said().join("\n"));
            }
            value
        })
    }

    /// Whether it goes on.
    ///
    /// # Panics
    ///
    /// Where the system can't tell.
    pub fn is_running(&mut self) -> bool {
        self.child.0.try_wait().expect("a child can be waited for").is_none()
    }

    /// How it ended, once it has and all that it said has been read.
    fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.0.try_wait().expect("a child can be waited for")?;
        let since = *self.ended.get_or_insert_with(Instant::now);
        let read = self.readers.iter().all(JoinHandle::is_finished) || since.elapsed() > LAST_WORDS;
        read.then_some(status)
    }

    /// Waits for a line for which `wanted` holds, and gives it.
    ///
    /// # Panics
    ///
    /// As [`Running::wait_until`].
    #[track_caller]
    pub fn wait_for_line(&mut self, what: &str, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        self.wait_until(what, limit, |running| running.said().into_iter().find(|line| wanted(line)))
    }

    /// Interrupts it, as Ctrl-C does.
    ///
    /// # Panics
    ///
    /// Where it has ended already.
    #[track_caller]
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Asks it to end, as service managers do.
    ///
    /// # Panics
    ///
    /// Where it has ended already.
    #[track_caller]
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Tells it that its terminal is gone.
    ///
    /// # Panics
    ///
    /// Where it has ended already.
    #[track_caller]
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Asks it what it has dropped.
    ///
    /// # Panics
    ///
    /// Where it has ended already.
    #[track_caller]
    pub fn ask(&self) {
        self.signal(Signal::USR1);
    }

    #[track_caller]
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw).expect("a process id is positive");
        kill_process(pid, signal)
            .unwrap_or_else(|error| panic!("{} cannot be signalled: {error}", self.name));
    }

    /// Interrupts a server that has nothing left to do, and sees it end as it should.
    ///
    /// # Panics
    ///
    /// When it ends otherwise, or not within `limit`; with what it said.
    #[track_caller]
    pub fn ends_well(mut self, limit: Duration) {
        self.interrupt();
        let status = self.wait(limit);
        assert_eq!(status.code(), Some(0), "{}", self.said().join("\n"));
    }

    /// Waits until it has ended by itself; all that it said has been read then.
    ///
    /// # Panics
    ///
    /// When `limit` has passed.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("{} ends", self.name);
        until(&what, limit, || self.ended())
    }
}

fn keep_lines(output: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}
