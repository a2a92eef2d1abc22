//! `framewise serve`: pages for everybody on a device, or for who comes to an address of this computer.

mod certificates;
mod conflicts;
pub(crate) mod control;
mod limits;
mod log;
pub(crate) mod options;
pub(crate) mod pool;
mod shop;

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::BufWriter;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueHint};
use framewise::core::seams::stream::{Endpoint, Security};
use framewise::http::{Handler, Request};
use framewise::tls::store;
use framewise::{Ended, Runner};
use framewise_server::Pool;
use framewise_site::{Compressed, Dated, StaticFiles};
use framewise_trace::{CaptureOptions, CaptureWriter, TraceWriter};

use crate::args::{self, DeviceName};
use crate::exit::{Failure, Kind};
use crate::files::cannot_write;
use crate::live::{self, Live};
use crate::own_host::OwnHost;
use crate::signals::{self, Signals};
use crate::stats::Stats;
use crate::{output, outside, private, real};

pub(crate) use certificates::ca_directory;
use certificates::certificates;
use control::Control;
use log::{AccessLog, Logged};
use shop::Shop;

/// How long the answers that a pool gives as it ends may take on their way.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub(crate) fn run(mut args: args::Serve) -> Result<(), Failure> {
    if args.tap.device().is_none() && args.forward.is_empty() {
        return Err(Failure::new(
            Kind::Usage,
            "at which address of this computer shall I serve, or on which TAP device?",
        )
        .next("framewise serve --forward 127.0.0.1:8080"));
    }
    if args.tap.device().is_none() && args.forward.iter().all(|forward| forward.to == args.http) {
        // Nobody comes there by https, so nobody needs its certificates.
        args.https = 0;
    }
    let shop = shop::open(args.site.shop, args.site.database.as_deref())?;
    #[cfg(target_os = "linux")]
    if let Some(device) = args.tap.device() {
        live::check_host(device, &args.tap)?;
    }
    let mut tls = real::tls_config();
    if args.https != 0 {
        tls.server = Some(certificates(&args)?);
    }
    tls.export_secrets = args.capture_secrets;
    let log = args.options.log.as_deref().map(AccessLog::open).transpose()?;
    let plan = args.options.pool.plan()?;
    let site = site(&args.site, shop.as_ref())?;
    let recording = args.capture.as_deref().or(args.trace.as_deref());
    let recording = recording.map(|path| open_capture(path, args.capture_secrets)).transpose()?;
    let mut live = match args.tap.device() {
        Some(device) => on_device(&args, device, tls)?,
        None => outside::server(&args, tls)?,
    };
    let recording = recording.map(|file| watch(&mut live, file, &args)).transpose()?;
    // Threads and processes begin without the rights that opening the device took.
    let pool = plan.map(|plan| pool::start(plan, &args, site.clone())).transpose()?.map(Arc::new);
    let control = pool.as_ref().map(|pool| Control::open(&args, pool.watcher())).transpose()?.flatten();
    let answers: Arc<dyn Handler> = match &pool {
        Some(pool) => pool.clone(),
        None => site,
    };
    let handler = seen_from_outside(&args, answers, log);
    let endpoints = listen(&mut live, &args, &handler)?;
    // Before it is said that Ctrl-C ends it well.
    let signals = Signals::watch(&mut live.runner, !restarts_on_hangup(&args))
        .map_err(|error| Failure::new(Kind::Device, error))?;
    announce(&args, &live, control.as_ref());
    // Asked now, as the user that we are from here on.
    if let Some(trouble) = shop.and_then(|shop| (shop.trouble)()) {
        output::say(&format!("{trouble}\n{}Its pages say the same until that is done.\n", who_we_are()));
    }
    let served = serve(&mut live, &args, &endpoints, &signals, pool.as_deref());
    if let Some(pool) = pool {
        pool.end();
        last_words(&mut live).map_err(|error| Failure::new(Kind::Device, error))?;
    }
    recording.map_or(Ok(()), |recording| recording.end())?;
    served
}

/// A host on a device, without the rights that opening it took.
#[cfg(target_os = "linux")]
fn on_device(
    args: &args::Serve,
    device: DeviceName<'_>,
    tls: framewise::tls::Config,
) -> Result<Live, Failure> {
    let opened = live::open(device, args.tap.offload)?;
    let mut config = live::host_config("server", &opened, &args.tap, tls);
    args.options.limits.apply(&mut config, args.options.pool.holds_threads());
    config.http.epoch = Some(real::unix_time());
    // What is asked for is used meanwhile, so that nobody waits.
    (config.announce, config.optimistic) = (args.probe, args.probe);
    let mut live = live::start(opened, &config, None)?;
    live.runner.set_spin(args.tap.spin());
    check_still_readable(args)?;
    Ok(live)
}

#[cfg(not(target_os = "linux"))]
fn on_device(
    _args: &args::Serve,
    _device: DeviceName<'_>,
    _tls: framewise::tls::Config,
) -> Result<Live, Failure> {
    Err(live::elsewhere())
}

/// What is written of all that happens: a capture, or a trace.
enum Recording {
    Capture(Rc<RefCell<CaptureWriter<BufWriter<File>>>>),
    Trace(Rc<RefCell<TraceWriter<BufWriter<File>>>>),
}

impl Recording {
    /// Writes what is left.
    fn end(&self) -> Result<(), Failure> {
        let told = |error: Option<&std::io::Error>| {
            error.map_or(Ok(()), |error| Err(Failure::new(Kind::File, error)))
        };
        match self {
            Recording::Capture(capture) => {
                let mut capture = capture.borrow_mut();
                capture.flush();
                told(capture.error())
            }
            Recording::Trace(trace) => {
                let mut trace = trace.borrow_mut();
                trace.end();
                told(trace.error())
            }
        }
    }
}

fn open_capture(path: &Path, is_private: bool) -> Result<File, Failure> {
    let file = if is_private { private::create(path) } else { File::create(path) };
    file.map_err(|error| cannot_write(&path.display().to_string(), &error))
}

fn watch(live: &mut Live, file: File, args: &args::Serve) -> Result<Recording, Failure> {
    let options = CaptureOptions {
        epoch: live.epoch,
        secrets: args.capture_secrets,
        super_frames: args.capture_super,
        ..CaptureOptions::default()
    };
    let failed = |error| Failure::new(Kind::File, error);
    let out = BufWriter::new(file);
    if args.trace.is_some() {
        let trace = Rc::new(RefCell::new(TraceWriter::new(out, "server", options).map_err(failed)?));
        live.runner.observe(trace.clone());
        return Ok(Recording::Trace(trace));
    }
    let capture = Rc::new(RefCell::new(CaptureWriter::new(out, "server", options).map_err(failed)?));
    live.runner.observe(capture.clone());
    Ok(Recording::Capture(capture))
}

/// What is served, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct SiteArgs {
    /// The directory to serve; without one, the built-in site.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,

    /// Serve the shop: customers, addresses and reviews in a database, with a page for each, and ?mvc on any of them shows how
    /// it was made. It must be built in: --features shop.
    #[arg(long, conflicts_with = "directory")]
    pub(crate) shop: bool,

    /// The shop's SQLite file, made if it is missing; without one, what is in the shop ends with it.
    #[arg(long, value_name = "FILE", requires = "shop", value_hint = ValueHint::FilePath)]
    pub(crate) database: Option<PathBuf>,

    /// Show what is in a directory that has no index.html.
    #[arg(long, requires = "directory")]
    pub(crate) list: bool,

    /// Send text as it is, also to clients that take gzip.
    #[arg(long)]
    pub(crate) no_compression: bool,
}

/// What answers requests: a directory, the shop, or the built-in site.
fn site(args: &SiteArgs, shop: Option<&Shop>) -> Result<Arc<dyn Handler>, Failure> {
    let site: Arc<dyn Handler> = match (&args.directory, shop) {
        (_, Some(shop)) => shop.handler.clone(),
        (Some(directory), None) => {
            let files = StaticFiles::new(directory).map_err(|error| Failure::of_file(&error))?;
            let files = if args.list { files.with_listing() } else { files };
            if !args.no_compression {
                return Ok(dated(files.compressed()));
            }
            Arc::new(files)
        }
        (None, None) => {
            let work = |request: Request| framewise_server::lesson::work(&request);
            Arc::new(framewise_site::builtin().get(framewise_server::lesson::PATH, work))
        }
    };
    Ok(if args.no_compression { dated(site) } else { dated(Compressed::new(site)) })
}

fn dated(site: impl Handler + 'static) -> Arc<dyn Handler> {
    Arc::new(Dated::new(site, Arc::new(SystemTime::now)))
}

/// What clients get to do with: whom it answers, and who keeps a log.
fn seen_from_outside(
    args: &args::Serve,
    answers: Arc<dyn Handler>,
    log: Option<AccessLog>,
) -> Arc<dyn Handler> {
    let only_here = !args.forward.is_empty() && args.forward.iter().all(|f| f.from.ip().is_loopback());
    let checked: Arc<dyn Handler> = if only_here { Arc::new(OwnHost(answers)) } else { answers };
    let is_shown = !args.quiet;
    let is_logged = is_shown || log.is_some();
    if is_logged { Arc::new(Logged { handler: checked, is_shown, log }) } else { checked }
}

/// Which user is to get the right that is missing.
fn who_we_are() -> String {
    #[cfg(unix)]
    return format!("The server is user {}. ", rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    String::new()
}

/// What root could read, the user whom we are now may not: better said at once than by a 404 for every page.
#[cfg(target_os = "linux")]
fn check_still_readable(args: &args::Serve) -> Result<(), Failure> {
    let Some(directory) = &args.site.directory else { return Ok(()) };
    std::fs::read_dir(directory).map(drop).map_err(|error| {
        let user = rustix::process::geteuid().as_raw();
        let place = directory.display();
        Failure::new(
            Kind::File,
            format!("{place} can't be read without root's rights, by user {user}: {error}"),
        )
        .next(format!("chmod o+rx {place}     (and the directories above it: o+x)"))
    })
}

fn listen(live: &mut Live, args: &args::Serve, handler: &Arc<dyn Handler>) -> Result<Vec<Endpoint>, Failure> {
    if let Some(most) = args.options.limits.max_body {
        live.runner.host(live.host).collect_at_most(most);
    }
    let mut endpoints = Vec::new();
    for (port, security) in [(args.http, Security::Plain), (args.https, Security::Tls(None))] {
        if port == 0 {
            continue;
        }
        let endpoint = Endpoint { address: None, port };
        let mut host = live.runner.host(live.host);
        host.serve(endpoint, security, handler.clone()).map_err(|error| Failure::of_serve(&error))?;
        endpoints.push(endpoint);
    }
    Ok(endpoints)
}

fn announce(args: &args::Serve, live: &Live, control: Option<&Control>) {
    let behind = "this computer, by our own stack behind a gateway";
    let at = args.tap.device().map_or(behind, |device| device.name());
    let mut text = format!("Serving on {at}:");
    for url in urls(args, live) {
        text.push(' ');
        text.push_str(&url);
    }
    text.push('\n');
    if live.forwards.iter().any(|(from, _)| !from.ip().is_loopback()) {
        text.push_str("Not only this computer is served: whoever can reach that address is.\n");
    }
    let is_reached_by = |port: u16| {
        port != 0 && (live.forwards.is_empty() || live.forwards.iter().any(|(_, to)| *to == port))
    };
    if is_reached_by(args.https) && args.cert.is_none() {
        let certificate = ca_directory(args.ca_dir.as_deref()).join(store::CERTIFICATE_FILE);
        text.push_str(&format!("Who shall believe https needs: --cacert {}\n", certificate.display()));
    }
    if let Some(directory) = &args.site.directory
        && !args.site.list
        && !directory.join("index.html").exists()
    {
        let place = directory.display();
        text.push_str(&format!("There is no index.html in {place}; --list shows what is there.\n"));
    }
    if let Some(control) = control {
        text.push_str(&format!("Who does what: framewise top --control {}\n", control.path().display()));
    }
    if args.site.shop && args.site.database.is_none() {
        text.push_str("What is in the shop ends with it; --database FILE keeps it.\n");
    }
    text.push_str("Ctrl-C ends it.\n");
    output::say(&text);
}

/// Where the pages are to be found.
fn urls(args: &args::Serve, live: &Live) -> Vec<String> {
    let forwarded = live.forwards.iter().map(|(from, to)| {
        let scheme = if *to == args.https { "https" } else { "http" };
        url(scheme, *from)
    });
    let own = args.tap.address.iter().flat_map(|cidr| {
        let served = [("http", args.http), ("https", args.https)];
        let served = served.into_iter().filter(|(_, port)| *port != 0);
        served.map(|(scheme, port)| url(scheme, SocketAddr::new(cidr.address, port)))
    });
    forwarded.chain(own).collect()
}

fn url(scheme: &str, at: SocketAddr) -> String {
    let host = match at.ip() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    match (scheme, at.port()) {
        ("http", 80) | ("https", 443) => format!("{scheme}://{host}/"),
        (_, port) => format!("{scheme}://{host}:{port}/"),
    }
}

/// With child processes, SIGHUP means new ones, as with other servers of the kind.
fn restarts_on_hangup(args: &args::Serve) -> bool {
    args.options.pool.has_children()
}

/// Serves until a signal or the time comes, then lets what is under way finish.
fn serve(
    live: &mut Live,
    args: &args::Serve,
    endpoints: &[Endpoint],
    signals: &Signals,
    pool: Option<&Pool>,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Kind::Device, error);
    let end = args.max_time.map(|time| live.runner.now() + time);
    let questions = signals::questions(&mut live.runner).map_err(failed)?;
    let restarts = pool.filter(|_| restarts_on_hangup(args)).map(|_| signals::hangups(&mut live.runner));
    let restarts = restarts.transpose().map_err(failed)?;
    let terminal = signals::Terminal::now();
    let (host, mut taken) = (live.host, Ok(()));
    let is_over = |runner: &mut Runner| {
        answer(&questions, runner);
        taken = conflicts::say(runner, host);
        if taken.is_err() {
            return true;
        }
        if let (Some(pool), Some(restarts)) = (pool, &restarts)
            && restarts.take() > 0
        {
            if terminal.has_gone() {
                return true;
            }
            output::say("Starting every process anew; the old ones finish what they have.\n");
            pool.restart();
        }
        signals.count() > 0
    };
    let ended = live.runner.run(end, is_over).map_err(failed)?;
    taken?;
    for endpoint in endpoints {
        live.runner.host(live.host).stop_serving(*endpoint);
    }
    if ended == Ended::Done {
        output::say("Finishing what was begun; Ctrl-C again ends it at once.\n");
    }
    drain(live, args.options.drain, signals, &questions).map_err(failed)?;
    if args.stats {
        output::say(&Stats::of(&live.runner).render());
    }
    Ok(())
}

/// Whoever asks by a signal hears what was dropped so far.
fn answer(questions: &Cell<u32>, runner: &Runner) {
    if questions.take() > 0 {
        output::say(&Stats::of(runner).render());
    }
}

/// Whom the pool has not answered until it ended, it has told so: that is still to be sent.
fn last_words(live: &mut Live) -> std::io::Result<()> {
    let Live { runner, host, .. } = live;
    let host = *host;
    let end = runner.now() + LAST_WORDS;
    let is_said = |runner: &mut Runner| runner.host(host).serving() == 0 && !runner.host(host).is_sending();
    runner.run(Some(end), is_said).map(drop)
}

/// Until every answer has been given, and has arrived, or the time for that is over.
fn drain(
    live: &mut Live,
    patience: Duration,
    signals: &Signals,
    questions: &Cell<u32>,
) -> std::io::Result<()> {
    let Live { runner, host, .. } = live;
    let host = *host;
    let end = runner.now() + patience;
    let is_done = |runner: &mut Runner| {
        answer(questions, runner);
        let mut host = runner.host(host);
        host.serving() == 0 && !host.is_sending()
    };
    runner.run(Some(end), |runner| signals.count() > 1 || is_done(runner))?;
    let left = runner.host(host).serving();
    if left > 0 {
        output::say(&format!("Not finished: {left}.\n"));
    }
    Ok(())
}
