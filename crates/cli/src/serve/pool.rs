//! Threads and child processes that answer requests, as the command line wants them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use framewise::http::Handler;
use framewise_server::Pool;
use framewise_server::dispatch::{self, Config};

use super::SiteArgs;
use crate::args::{self, seconds};
use crate::exit::{Failure, Kind};

/// Who works on requests. Without any of --threads, --processes, --model, --queue and --wsgi, the one thread that drives the
/// stack answers them, too.
#[derive(Debug, Args)]
#[command(next_help_heading = "Threads and processes")]
pub(crate) struct PoolOptions {
    /// Threads that answer requests, in each process. 16 if not given; with --model prefork, 1.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) threads: Option<usize>,

    /// Child processes that answer requests. None if not given; with --model prefork, worker and event, 2.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) processes: Option<usize>,

    /// What holds a thread. `threads` if not given; with --processes, `event`.
    #[arg(long, value_enum)]
    pub(crate) model: Option<Model>,

    /// Requests that may wait for a thread. Beyond: 503, with Retry-After. 1024 if not given.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) queue: Option<usize>,

    /// How long a request may wait for a thread, in seconds. Beyond: 503.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub(crate) queue_timeout: Duration,

    /// How long a thread may work on a request until it begins to answer, and then between two pieces that the client takes, in
    /// seconds. Beyond: 504, and the process it is in is replaced.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub(crate) answer_timeout: Duration,

    /// Requests after which a connection that holds a thread is ended, so that others get one.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(crate) requests_per_connection: u32,

    /// A WSGI application, such as shop.wsgi:application, run by gunicorn in each child process; instead of the site. Modules
    /// are looked for in the current directory first.
    #[arg(long, value_name = "MODULE:APP", conflicts_with_all = ["directory", "shop"])]
    pub(crate) wsgi: Option<String>,

    /// The Python that has gunicorn, and what the application needs.
    #[arg(long, value_name = "PATH", requires = "wsgi", default_value = "python3", value_hint = clap::ValueHint::CommandName)]
    pub(crate) python: PathBuf,

    /// The socket for `framewise top`; if not given, one in the user's own directory for such.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    pub(crate) control: Option<PathBuf>,
}

/// How long a child may take to begin that imports an application in Python: longer than the check of that application may.
const IMPORT_WITHIN: Duration = Duration::from_secs(90);

/// What holds a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Model {
    /// No child processes: all threads are in this process.
    Threads,
    /// One thread in each child process, held by its connection until that ends.
    Prefork,
    /// Many threads in each child process, each held by its connection.
    Worker,
    /// Many threads in each child process; a silent connection holds none.
    Event,
}

impl From<Model> for dispatch::Model {
    fn from(model: Model) -> Self {
        match model {
            Model::Threads => dispatch::Model::Threads,
            Model::Prefork => dispatch::Model::Prefork,
            Model::Worker => dispatch::Model::Worker,
            Model::Event => dispatch::Model::Event,
        }
    }
}

impl PoolOptions {
    /// The model that is meant, if there is to be a pool.
    fn model(&self) -> Option<dispatch::Model> {
        let is_wanted = self.threads.is_some() || self.queue.is_some();
        match (self.model, self.processes) {
            (Some(model), _) => Some(model.into()),
            (None, Some(_)) => Some(dispatch::Model::Event),
            (None, None) if self.wsgi.is_some() => Some(dispatch::Model::Event),
            (None, None) => is_wanted.then_some(dispatch::Model::Threads),
        }
    }

    /// Whether a connection holds a thread while it is silent.
    pub(crate) fn holds_threads(&self) -> bool {
        self.model().is_some_and(dispatch::Model::holds)
    }

    /// Whether there will be child processes.
    pub(crate) fn has_children(&self) -> bool {
        self.model().is_some_and(dispatch::Model::has_children)
    }

    /// The pool that is meant, if there is to be one.
    pub(crate) fn plan(&self) -> Result<Option<Config>, Failure> {
        let Some(model) = self.model() else { return Ok(None) };
        if self.wsgi.is_some() && !model.has_children() {
            return Err(Failure::new(Kind::Usage, "an application in Python runs in child processes")
                .next("the same without --model, or with --model event"));
        }
        let (processes, threads) = match model {
            dispatch::Model::Threads => (1, 16),
            dispatch::Model::Prefork => (2, 1),
            dispatch::Model::Worker | dispatch::Model::Event => (2, 16),
        };
        let (processes, threads) = (self.processes.unwrap_or(processes), self.threads.unwrap_or(threads));
        let config =
            Config::new(model, processes, threads, self.queue.unwrap_or(1_024)).map_err(|error| {
                Failure::new(Kind::Usage, error)
                    .next("--processes 2 --threads 16, or one of: --model threads, prefork, worker, event")
            })?;
        Ok(Some(Config {
            requests_per_connection: self.requests_per_connection.max(1),
            most_wait: Some(self.queue_timeout),
            most_service: Some(self.answer_timeout),
            start_within: if self.wsgi.is_some() { IMPORT_WITHIN } else { config.start_within },
            ..config
        }))
    }
}

/// What a child process is told.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChildArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,

    /// Threads that answer requests.
    #[arg(long)]
    pub(crate) threads: usize,

    /// A WSGI application.
    #[arg(long)]
    pub(crate) wsgi: Option<String>,

    /// The Python that runs it.
    #[arg(long, default_value = "python3")]
    pub(crate) python: PathBuf,

    /// Where gunicorn's socket is to be: a folder that this child makes.
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
}

/// Starts what was planned. Each thread answers by `site`, in child processes by one of the same kind.
pub(super) fn start(config: Config, args: &args::Serve, site: Arc<dyn Handler>) -> Result<Pool, Failure> {
    let failed =
        |error: std::io::Error| Failure::new(Kind::Device, format!("no threads can be had: {error}"));
    if !config.model.has_children() {
        return Pool::threads(config, site).map_err(failed);
    }
    if args.site.shop && args.site.database.is_none() {
        return Err(Failure::new(
            Kind::Usage,
            "processes share no memory, so the shop needs a database in a file",
        )
        .next("the same with --database shop.sqlite"));
    }
    let options = &args.options.pool;
    let child = ChildArgs {
        site: args.site.clone(),
        threads: config.threads,
        wsgi: options.wsgi.clone(),
        python: options.python.clone(),
        folder: None,
    };
    with_children(config, child, failed)
}

#[cfg(not(unix))]
fn with_children(
    _config: Config,
    _child: ChildArgs,
    _failed: impl Fn(std::io::Error) -> Failure,
) -> Result<Pool, Failure> {
    Err(Failure::new(Kind::Usage, "child processes are for Unix: their sockets can't be handed on here")
        .next("--model threads"))
}

#[cfg(unix)]
mod unix {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use framewise_server::dispatch::ProcessId;
    use framewise_server::pool::{self, Children};
    use framewise_server::wsgi::{Application, Folder, Gunicorn, WsgiError, check};

    use super::*;

    pub(super) fn with_children(
        config: Config,
        child: ChildArgs,
        failed: impl Fn(std::io::Error) -> Failure,
    ) -> Result<Pool, Failure> {
        let folder = match child.application() {
            Some(application) => {
                check(&application).map_err(of_wsgi)?;
                Some(Folder::new().map_err(|error| of_wsgi(error.into()))?)
            }
            None => None,
        };
        Pool::processes(config, Family { child, folder }).map_err(failed)
    }

    /// Children that are this program once more.
    struct Family {
        child: ChildArgs,
        folder: Option<Folder>,
    }

    impl Family {
        /// Where a child has what it needs for gunicorn.
        fn folder_of(&self, process: ProcessId) -> Option<PathBuf> {
            self.folder.as_ref().map(|folder| folder.path().join(process.to_string()))
        }
    }

    impl Children for Family {
        /// By what the system says is running, for whoever we are now may not be let into the folder that it is in.
        fn command(&self, process: ProcessId) -> Command {
            let same = PathBuf::from("/proc/self/exe");
            let program = if same.exists() { same } else { std::env::current_exe().unwrap_or(same) };
            let ChildArgs { site, threads, wsgi, python, .. } = &self.child;
            let mut command = Command::new(program);
            command.arg0("framewise").arg("serve-child");
            command.args(["--threads", &threads.to_string()]);
            command.args(site.list.then_some("--list"));
            command.args(site.no_compression.then_some("--no-compression"));
            command.args(site.shop.then_some("--shop"));
            if let Some(database) = &site.database {
                command.arg("--database").arg(database);
            }
            if let (Some(wsgi), Some(folder)) = (wsgi, self.folder_of(process)) {
                command.args(["--wsgi", wsgi]).arg("--python").arg(python).arg("--folder").arg(folder);
            }
            if let Some(directory) = &site.directory {
                command.arg("--").arg(directory);
            }
            command.stdout(Stdio::null());
            command
        }

        /// One that was killed could not tidy up.
        fn has_ended(&self, process: ProcessId) {
            if let Some(folder) = self.folder_of(process) {
                let _ = std::fs::remove_dir_all(folder);
            }
        }

        fn tell(&self, sentence: &str) {
            crate::output::say(&format!("{sentence}\n"));
        }
    }

    impl ChildArgs {
        fn application(&self) -> Option<Application> {
            self.wsgi.clone().map(|name| Application { name, python: self.python.clone() })
        }
    }

    /// Works for a main process, whose socket is the standard input.
    pub(crate) fn work(args: &ChildArgs) -> Result<(), Failure> {
        let alone = |error: std::io::Error| {
            Failure::new(Kind::Usage, format!("this is for child processes of framewise serve ({error})"))
                .next("framewise serve --forward 127.0.0.1:8080 --processes 2")
        };
        let socket = std::io::stdin().as_fd().try_clone_to_owned().map_err(alone)?;
        let socket = UnixStream::from(socket);
        if let (Some(application), Some(folder)) = (args.application(), &args.folder) {
            let mut gunicorn = Gunicorn::start(&application, folder, args.threads).map_err(of_wsgi)?;
            return pool::work_with(socket, args.threads, |reports| gunicorn.handler(reports)).map_err(alone);
        }
        let shop = super::super::shop::open(args.site.shop, args.site.database.as_deref())?;
        let site = super::super::site(&args.site, shop.as_ref())?;
        pool::work(socket, args.threads, site).map_err(alone)
    }

    /// What is missing, and the command that mends it.
    fn of_wsgi(error: WsgiError) -> Failure {
        match &error {
            WsgiError::NoPython { .. } => Failure::new(Kind::File, &error)
                .next("apt install python3, or --python PATH of one that is there"),
            WsgiError::NoGunicorn { python } => Failure::new(Kind::File, &error).next(format!(
                "{} -m pip install gunicorn     (in the application's own virtual environment)",
                python.display()
            )),
            WsgiError::NoApplication { .. } => {
                Failure::new(Kind::File, &error).next("the same in the directory that its module is in")
            }
            WsgiError::Ended | WsgiError::Io(_) => Failure::new(Kind::File, &error),
        }
    }
}

#[cfg(unix)]
use unix::with_children;
#[cfg(unix)]
pub(crate) use unix::work;

/// Elsewhere there are none.
#[cfg(not(unix))]
pub(crate) fn work(_args: &ChildArgs) -> Result<(), Failure> {
    Err(Failure::new(Kind::Usage, "child processes are for Unix").next("--model threads"))
}
