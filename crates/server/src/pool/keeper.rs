//! The one thread that starts children, hears them, buries them, and looks at the time.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use framewise_core::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::children::{self, Child};
use super::core::{Alarm, Chore, Core, Crew, Shared};
use crate::dispatch::{Config, ProcessId};

/// How children are started, and who hears of them.
pub trait Children: Send + 'static {
    /// The command that runs this child. Its standard input will be its socket.
    fn command(&self, process: ProcessId) -> Command;

    /// This child is gone.
    fn has_ended(&self, _process: ProcessId) {}

    /// What happened, in a sentence.
    fn tell(&self, sentence: &str);
}

/// How long children may take to end when nothing is left to do, before they are killed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Starts it.
pub(super) fn start(
    config: Config,
    children: Box<dyn Children>,
) -> io::Result<(Arc<Shared>, JoinHandle<()>)> {
    let (read, write) = io::pipe()?;
    let (read, write) = (OwnedFd::from(read), OwnedFd::from(write));
    for end in [&read, &write] {
        rustix::io::ioctl_fionbio(end, true)?;
    }
    let shared = Arc::new(Shared::new(config, Crew::Children(Default::default()), Alarm::Pipe(write)));
    shared.with(|_, _| ());
    let mut keeper = Keeper { shared: shared.clone(), alarm: read, children, config };
    let thread = thread::Builder::new().name("keeper".to_owned()).spawn(move || keeper.keep())?;
    Ok((shared, thread))
}

struct Keeper {
    shared: Arc<Shared>,
    alarm: OwnedFd,
    children: Box<dyn Children>,
    config: Config,
}

/// A child's socket, and what is waited for at it.
type Watched = (ProcessId, Arc<UnixStream>, PollFlags);

impl Keeper {
    fn keep(&mut self) {
        loop {
            let mut core = self.shared.lock();
            if core.is_over {
                let all = std::mem::take(core.children());
                drop(core);
                return self.bury_all(all);
            }
            let now = self.shared.now();
            core.dispatcher.handle_timeout(now);
            core.obey(now);
            let chores = std::mem::take(&mut core.chores);
            if !chores.is_empty() {
                drop(core);
                chores.into_iter().for_each(|chore| self.does(chore));
                continue;
            }
            let until = core.dispatcher.poll_timeout();
            core.keeper_sleeps_until = until;
            let watched = watched(&mut core);
            drop(core);
            self.wait(&watched, until.map(|until| until - now));
        }
    }

    /// Waits for the alarm, for a child, for the time; and hears the children that have something to say.
    fn wait(&mut self, watched: &[Watched], pause: Option<Duration>) {
        let mut fds = vec![PollFd::new(&self.alarm, PollFlags::IN)];
        fds.extend(watched.iter().map(|(_, socket, flags)| PollFd::new(&**socket, *flags)));
        let pause = pause.map(|pause| Timespec {
            tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: pause.subsec_nanos().into(),
        });
        // Interrupted by a signal, it simply looks again.
        if poll(&mut fds, pause.as_ref()).is_err() {
            return;
        }
        if !fds[0].revents().is_empty() {
            let mut bytes = [0; 64];
            while rustix::io::read(&self.alarm, &mut bytes).is_ok_and(|read| read == bytes.len()) {}
        }
        let ready: Vec<_> = watched
            .iter()
            .zip(&fds[1..])
            .filter(|(_, fd)| !fd.revents().is_empty())
            .map(|((id, ..), fd)| (*id, fd.revents()))
            .collect();
        let gone: Vec<_> = {
            let mut core = self.shared.lock();
            let now = self.shared.now();
            ready.into_iter().filter_map(|(id, flags)| turn_of(&mut core, id, flags, now)).collect()
        };
        for (id, child, was_expected) in gone {
            let (pid, status) = (child.pid(), bury(child));
            self.children.has_ended(id);
            if !was_expected {
                let how = ended(status);
                self.children.tell(&format!("process {id} (pid {pid}) {how}; another takes its place"));
            }
        }
    }

    fn does(&self, chore: Chore) {
        match chore {
            Chore::Start(id) => match self.spawn(id) {
                Ok(child) => {
                    self.shared.lock().children().insert(id, child);
                }
                Err(error) => {
                    self.children.tell(&format!("process {id} could not be started: {error}"));
                    self.shared.with(|core, now| core.dispatcher.handle_died(id, now));
                }
            },
            // It reads the end of its socket, and ends.
            Chore::End(id) => {
                if let Some(child) = self.shared.lock().children().get(&id) {
                    let _ = child.socket.shutdown(std::net::Shutdown::Write);
                }
            }
            // Its socket's end is heard as any other's.
            Chore::Kill(id) => {
                if let Some(child) = self.shared.lock().children().get_mut(&id) {
                    kill(child);
                }
            }
        }
    }

    /// A child, with one end of a pair of sockets as its standard input, in a process group of its own: Ctrl-C is for the
    /// main process, which lets children finish.
    fn spawn(&self, id: ProcessId) -> io::Result<Child> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = self.children.command(id);
        command.stdin(Stdio::from(OwnedFd::from(theirs))).process_group(0);
        let process = command.spawn()?;
        Ok(Child::new(process, ours, self.config.threads))
    }

    /// Lets all of them end, and kills whoever does not.
    fn bury_all(&self, all: BTreeMap<ProcessId, Child>) {
        for child in all.values() {
            let _ = child.socket.shutdown(std::net::Shutdown::Both);
        }
        let end = std::time::Instant::now() + FAREWELL;
        for (id, mut child) in all {
            while matches!(child.process.try_wait(), Ok(None)) && std::time::Instant::now() < end {
                thread::sleep(Duration::from_millis(2));
            }
            if matches!(child.process.try_wait(), Ok(None)) {
                let _ = bury(child);
            }
            self.children.has_ended(id);
        }
    }
}

/// Reads and writes; and takes the child out if it is gone, with whether that was expected.
fn turn_of(
    core: &mut Core,
    id: ProcessId,
    flags: PollFlags,
    now: Instant,
) -> Option<(ProcessId, Child, bool)> {
    if flags.contains(PollFlags::OUT)
        && let Some(child) = core.children().get_mut(&id)
    {
        child.write();
    }
    let is_there = flags == PollFlags::OUT || children::hear(core, id, now);
    core.obey(now);
    if is_there {
        return None;
    }
    let child = core.children().remove(&id)?;
    let was_expected = !core.dispatcher.has(id);
    core.dispatcher.handle_died(id, now);
    core.obey(now);
    Some((id, child, was_expected))
}

fn watched(core: &mut Core) -> Vec<Watched> {
    let children = core.children().iter();
    let flags = |child: &Child| {
        if child.wants_to_write() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN }
    };
    children.map(|(id, child)| (*id, child.socket.clone(), flags(child))).collect()
}

impl Core {
    fn children(&mut self) -> &mut BTreeMap<ProcessId, Child> {
        match &mut self.crew {
            Crew::Children(children) => children,
            Crew::Threads(_) => unreachable!("the keeper of children has children"),
        }
    }
}

/// Kills it, and what it has started in its own process group.
fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.pid()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.process.kill();
}

/// Sees to it that nothing is left of it.
fn bury(mut child: Child) -> io::Result<ExitStatus> {
    // It has closed its socket: nobody can use it. Until it is waited for, no other has its number, nor that of its group.
    kill(&mut child);
    child.process.wait()
}

/// How it ended, in words.
fn ended(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => format!("was killed by signal {signal}"),
            (None, Some(code)) => format!("ended with exit code {code}"),
            (None, None) => "ended".to_owned(),
        },
        Err(error) => format!("is gone ({error})"),
    }
}
