//! `framewise serve`: pages for everybody on a TAP device.

use crate::args;
use crate::exit::Failure;

#[cfg(target_os = "linux")]
pub(crate) use linux::run;

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_args: args::Serve) -> Result<(), Failure> {
    Err(crate::live::elsewhere())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::cell::{Cell, RefCell};
    use std::fs::File;
    use std::io::BufWriter;
    use std::path::{Path, PathBuf};
    use std::rc::Rc;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use framewise::core::seams::stream::{Endpoint, Security};
    use framewise::http::{Answer, Handler, Request};
    use framewise::tls::{CertificateChain, Identity, PrivateKey, Server, store};
    use framewise::{Ended, HostId, Runner};
    use framewise_site::{Dated, StaticFiles};
    use framewise_trace::{CaptureOptions, CaptureWriter};

    use super::*;
    use crate::exit::Kind;
    use crate::files::cannot_write;
    use crate::live::{self, Live};
    use crate::{output, private};

    /// How long requests under way may take after the first signal.
    const DRAIN: Duration = Duration::from_secs(10);

    pub(crate) fn run(args: args::Serve) -> Result<(), Failure> {
        let Some(tap) = args.tap.tap.clone() else {
            return Err(Failure::new(Kind::Usage, "on which TAP device shall I serve?")
                .next("sudo framewise serve --tap fw0 --address 192.0.2.80/24"));
        };
        let mut tls = live::tls_config();
        if args.https != 0 {
            tls.server = Some(certificates(&args)?);
        }
        tls.export_secrets = args.capture_secrets;
        live::check_host(&tap, &args.tap)?;
        let handler = handler(&args)?;
        let capture =
            args.capture.as_deref().map(|path| open_capture(path, args.capture_secrets)).transpose()?;

        let device = live::running_tap(&tap)?;
        let config = live::host_config("server", &device, &args.tap, tls)?;
        let mut live = live::start(device, &config)?;
        check_still_readable(&args)?;
        let capture = capture.map(|file| watch(&mut live, file, args.capture_secrets)).transpose()?;
        let endpoints = listen(&mut live, &args, &handler)?;
        announce(&args, &tap);
        let served = serve(&mut live, &args, &endpoints);
        if let Some(capture) = capture {
            let mut capture = capture.borrow_mut();
            capture.flush();
            if let Some(error) = capture.error() {
                return Err(Failure::new(Kind::File, error));
            }
        }
        served
    }

    type Capture = CaptureWriter<BufWriter<File>>;

    fn open_capture(path: &Path, is_private: bool) -> Result<File, Failure> {
        let file = if is_private { private::create(path) } else { File::create(path) };
        file.map_err(|error| cannot_write(&path.display().to_string(), &error))
    }

    fn watch(live: &mut Live, file: File, secrets: bool) -> Result<Rc<RefCell<Capture>>, Failure> {
        let options = CaptureOptions { epoch: live.epoch, secrets, ..CaptureOptions::default() };
        let writer = CaptureWriter::new(BufWriter::new(file), "server", options);
        let capture = Rc::new(RefCell::new(writer.map_err(|error| Failure::new(Kind::File, error))?));
        live.runner.observe(capture.clone());
        Ok(capture)
    }

    /// What answers requests: a directory, or the built-in site.
    fn handler(args: &args::Serve) -> Result<Arc<dyn Handler>, Failure> {
        let site: Arc<dyn Handler> = match &args.directory {
            Some(directory) => {
                let files = StaticFiles::new(directory).map_err(|error| Failure::of_file(&error))?;
                Arc::new(files.with_listing())
            }
            None => Arc::new(framewise_site::builtin()),
        };
        let dated: Arc<dyn Handler> = Arc::new(Dated::new(site, Arc::new(SystemTime::now)));
        Ok(if args.quiet { dated } else { Arc::new(Logged(dated)) })
    }

    /// What root could read, the user whom we are now may not: better said at once than by a 404 for every page.
    fn check_still_readable(args: &args::Serve) -> Result<(), Failure> {
        let Some(directory) = &args.directory else { return Ok(()) };
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

    /// Says a line for each request.
    struct Logged(Arc<dyn Handler>);

    impl Handler for Logged {
        fn handle(&self, request: Request, answer: Answer) {
            let scheme = if request.connection.tls.is_some() { "https" } else { "http" };
            let remote = request.connection.remote.ip();
            // What a client sends is data: its control characters are shown, not obeyed.
            let target = request.head.target.escape_debug();
            output::say(&format!("{remote} {scheme} {} {target}\n", request.head.method));
            self.0.handle(request, answer);
        }
    }

    /// The certificate given, or the lab's authority.
    fn certificates(args: &args::Serve) -> Result<Server, Failure> {
        let (Some(cert), Some(key)) = (&args.cert, &args.key) else {
            return lab_authority(args).map(Server::Authority);
        };
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| {
                Failure::new(Kind::File, format!("{} can't be read: {error}", path.display()))
            })
        };
        let wrong = |path: &Path, error: &dyn std::fmt::Display| {
            Failure::new(Kind::Tls, format!("{}: {error}", path.display()))
        };
        let chain = CertificateChain::from_pem(&read(cert)?).map_err(|error| wrong(cert, &error))?;
        let key_file = key;
        let key = PrivateKey::from_pem(&read(key_file)?).map_err(|error| wrong(key_file, &error))?;
        Ok(Server::Identities(vec![Identity { chain, key }]))
    }

    fn lab_authority(args: &args::Serve) -> Result<framewise::tls::Authority, Failure> {
        let directory = ca_directory(args);
        let authority = store::load_or_create(&directory, live::unix_seconds());
        authority.map_err(|error| {
            Failure::new(Kind::Tls, format!("the lab's authority in {}: {error}", directory.display()))
        })
    }

    fn ca_directory(args: &args::Serve) -> PathBuf {
        let home =
            |name: &str, below: &str| std::env::var_os(name).map(|base| PathBuf::from(base).join(below));
        args.ca_dir
            .clone()
            .or_else(|| home("XDG_DATA_HOME", "framewise/ca"))
            .or_else(|| home("HOME", ".local/share/framewise/ca"))
            .unwrap_or_else(|| PathBuf::from("framewise-ca"))
    }

    fn listen(
        live: &mut Live,
        args: &args::Serve,
        handler: &Arc<dyn Handler>,
    ) -> Result<Vec<Endpoint>, Failure> {
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

    fn announce(args: &args::Serve, tap: &str) {
        let mut text = format!("Serving on {tap}:");
        for address in &args.tap.address {
            let host = match address.address {
                std::net::IpAddr::V4(address) => address.to_string(),
                std::net::IpAddr::V6(address) => format!("[{address}]"),
            };
            for (scheme, port, usual) in [("http", args.http, 80), ("https", args.https, 443)] {
                match port {
                    0 => {}
                    port if port == usual => text.push_str(&format!(" {scheme}://{host}/")),
                    port => text.push_str(&format!(" {scheme}://{host}:{port}/")),
                }
            }
        }
        text.push('\n');
        if args.https != 0 && args.cert.is_none() {
            let certificate = ca_directory(args).join(store::CERTIFICATE_FILE);
            text.push_str(&format!("Who shall believe https needs: --cacert {}\n", certificate.display()));
        }
        text.push_str("Ctrl-C ends it.\n");
        output::say(&text);
    }

    /// Serves until a signal or the time comes, then lets what is under way finish.
    fn serve(live: &mut Live, args: &args::Serve, endpoints: &[Endpoint]) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::new(Kind::Device, error);
        let signals = watch_signals(&mut live.runner).map_err(failed)?;
        let end = args.max_time.map(|time| live.runner.now() + time);
        let ended = live.runner.run(end, |_| signals.get() > 0).map_err(failed)?;
        for endpoint in endpoints {
            live.runner.host(live.host).stop_serving(*endpoint);
        }
        if ended == Ended::Done {
            output::say("Finishing what was begun; Ctrl-C again ends it at once.\n");
        }
        drain(&mut live.runner, live.host, &signals).map_err(failed)
    }

    /// Until every answer has been given, and has arrived.
    fn drain(runner: &mut Runner, host: HostId, signals: &Cell<u32>) -> std::io::Result<()> {
        let end = runner.now() + DRAIN;
        let is_done = |runner: &mut Runner| {
            let mut host = runner.host(host);
            host.serving() == 0 && !host.is_sending()
        };
        runner.run(Some(end), |runner| signals.get() > 1 || is_done(runner)).map(drop)
    }

    /// Counts SIGINT and SIGTERM, by a pipe that the Runner watches.
    fn watch_signals(runner: &mut Runner) -> std::io::Result<Rc<Cell<u32>>> {
        let (read, write) = std::io::pipe()?;
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        let count = Rc::new(Cell::new(0));
        let counted = count.clone();
        runner.watch(read.into(), move |pipe| {
            let came = rustix::io::read(pipe, &mut [0; 16]).unwrap_or(0);
            counted.set(counted.get() + came as u32);
            true
        });
        Ok(count)
    }
}
