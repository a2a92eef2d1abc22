//! The files that a fetch writes: opened first, so that a wrong path is told before anything is fetched, and while there
//! still are the rights to open them.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use framewise_trace::{CaptureOptions, Trace, TraceWriter, write_capture};

use crate::args;
use crate::exit::{Failure, Kind};
use crate::page::PageWriter;
use crate::private;
use crate::progress::Progress;
use crate::scene::{ME, Scene};

/// Where the page, the capture and the TLS secrets go.
pub(crate) struct Files {
    page: Option<PageWriter>,
    capture: Option<Output>,
    trace: Option<Output>,
    key_log: Option<Output>,
    cookie_jar: Option<Output>,
    with_secrets: bool,
    super_frames: bool,
}

/// An open file, and its name for errors.
struct Output {
    name: String,
    to: Box<dyn Write>,
    /// The file, where what it held is to go once there is something new.
    holds: Option<File>,
}

impl Files {
    /// Opens what the command line names. In memory the secrets of TLS are worth nothing, so they go into the capture.
    pub(crate) fn open(args: &args::Fetch, in_memory: bool) -> Result<Self, Failure> {
        let with_secrets = in_memory || args.capture_secrets;
        let key_log =
            args.tap.keylog.clone().or_else(|| std::env::var_os("SSLKEYLOGFILE").map(PathBuf::from));
        check_standard_output(args, key_log.as_deref())?;
        check_terminal(args, io::stdout().is_terminal())?;
        check_no_file_twice(args, key_log.as_deref())?;
        let page = if args.output.is_none() && (args.json || is_stdout(args.capture.as_deref())) {
            PageWriter::nowhere()
        } else {
            let progress = if args.quiet { None } else { Progress::for_people() };
            PageWriter::new(args.output.as_deref(), args.include || args.http.head, progress)?
        };
        Ok(Files {
            page: Some(page),
            capture: args.capture.as_deref().map(|path| Output::capture(path, with_secrets)).transpose()?,
            trace: args.trace.as_deref().map(|path| Output::capture(path, with_secrets)).transpose()?,
            key_log: key_log.as_deref().map(Output::key_log).transpose()?,
            cookie_jar: args.http.cookie_jar.as_deref().map(Output::cookie_jar).transpose()?,
            with_secrets,
            super_frames: args.capture_super,
        })
    }

    /// What writes the trace while the fetch goes on, if there is to be one; once.
    pub(crate) fn trace(&mut self, epoch: Duration) -> Result<Option<Tracing>, Failure> {
        let Some(Output { name, to, .. }) = self.trace.take() else { return Ok(None) };
        let options = CaptureOptions { secrets: self.with_secrets, epoch, ..CaptureOptions::default() };
        let writer = TraceWriter::new(to, ME, options).map_err(|error| cannot_write(&name, &error))?;
        Ok(Some(Tracing { name, writer: Rc::new(RefCell::new(writer)) }))
    }

    /// Whether any of them is made of what a recorder saw.
    pub(crate) fn want_recording(&self) -> bool {
        self.capture.is_some() || self.key_log.is_some()
    }

    /// Whether there is a capture, to which the last acknowledgements belong.
    pub(crate) fn want_capture(&self) -> bool {
        self.capture.is_some()
    }

    /// Where the page goes; once.
    pub(crate) fn page(&mut self) -> PageWriter {
        self.page.take().unwrap_or_else(PageWriter::nowhere)
    }

    /// Writes the capture, the key log and the cookies of a run.
    pub(crate) fn write(self, trace: &Trace, scene: &Scene, cookies: &str) -> Result<(), Failure> {
        let options = CaptureOptions {
            secrets: self.with_secrets,
            epoch: scene.epoch(),
            super_frames: self.super_frames,
            ..CaptureOptions::default()
        };
        if let Some(capture) = self.capture {
            capture.write(|out| write_capture(trace, ME, out, &options))?;
        }
        if let Some(key_log) = self.key_log {
            key_log.write(|out| out.write_all(trace.key_log().as_bytes()))?;
        }
        if let Some(cookie_jar) = self.cookie_jar {
            cookie_jar.write(|out| out.write_all(cookies.as_bytes()))?;
        }
        Ok(())
    }
}

/// A trace that is being written.
#[derive(Clone)]
pub(crate) struct Tracing {
    name: String,
    pub(crate) writer: Rc<RefCell<TraceWriter<Box<dyn Write>>>>,
}

impl Tracing {
    /// Writes what is left of it.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let mut writer = self.writer.borrow_mut();
        writer.end();
        match writer.error() {
            Some(error) => Err(cannot_write(&self.name, error)),
            None => Ok(()),
        }
    }
}

/// At most one thing goes to standard output; the page makes room for JSON and a capture, unless it is asked for there.
fn check_standard_output(args: &args::Fetch, key_log: Option<&Path>) -> Result<(), Failure> {
    let capture = is_stdout(args.capture.as_deref());
    let page = match &args.output {
        Some(path) => is_stdout(Some(path)),
        None => !args.json && (!capture || args.include || args.http.head),
    };
    let wanted = [
        ("the page", page),
        ("the JSON", args.json),
        ("the capture", capture),
        ("the trace", is_stdout(args.trace.as_deref())),
        ("the key log", is_stdout(key_log)),
        ("the cookies", is_stdout(args.http.cookie_jar.as_deref())),
    ];
    let wanted: Vec<&str> =
        wanted.iter().filter(|(_, is_wanted)| *is_wanted).map(|(what, _)| *what).collect();
    let [one, other, ..] = wanted[..] else { return Ok(()) };
    let sentence = format!("{one} and {other} can't both go to standard output");
    Err(Failure::new(Kind::Usage, sentence)
        .next("the same with the name of a file for one of them, such as -o page"))
}

/// A capture is for a program, and its secrets for nobody who looks over a shoulder.
fn check_terminal(args: &args::Fetch, is_terminal: bool) -> Result<(), Failure> {
    let is_shown = is_stdout(args.capture.as_deref()) || is_stdout(args.trace.as_deref());
    if !is_terminal || !is_shown {
        return Ok(());
    }
    let sentence = "a capture is not text, and standard output is a terminal";
    Err(Failure::new(Kind::Usage, sentence)
        .next("the same with the name of a file, such as -w run.pcapng; framewise explain run.pcapng"))
}

/// Each writes as if the file were its own: of two in one file, one would be lost.
fn check_no_file_twice(args: &args::Fetch, key_log: Option<&Path>) -> Result<(), Failure> {
    let written = [
        ("the page", args.output.as_deref()),
        ("the capture", args.capture.as_deref()),
        ("the trace", args.trace.as_deref()),
        ("the key log", key_log),
        ("the cookies", args.http.cookie_jar.as_deref()),
    ];
    let written: Vec<_> =
        written.into_iter().filter_map(|(what, path)| Some((what, path?, place_of(path?)?))).collect();
    for (index, (other, path, place)) in written.iter().enumerate() {
        if let Some((one, ..)) = written[..index].iter().find(|(.., before)| before == place) {
            let sentence = format!(
                "{one} and {other} can't both go to {}: one would overwrite the other",
                path.display()
            );
            return Err(Failure::new(Kind::Usage, sentence).next("the same with a file for each"));
        }
    }
    Ok(())
}

/// Which file a path means, whatever links lead to it, and whether or not it is there yet. What is no file, such as
/// `/dev/null`, keeps nothing that could be lost.
fn place_of(path: &Path) -> Option<PathBuf> {
    if is_stdout(Some(path)) {
        return None;
    }
    match path.canonicalize() {
        Ok(place) => place.is_file().then_some(place),
        Err(_) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
        }
    }
}

fn is_stdout(path: Option<&Path>) -> bool {
    path.is_some_and(|path| path.as_os_str() == "-")
}

impl Output {
    /// A capture begins anew; one with secrets is its owner's alone.
    fn capture(path: &Path, with_secrets: bool) -> Result<Self, Failure> {
        Output::open(path, |path| if with_secrets { private::create(path) } else { File::create(path) })
    }

    /// A key log goes on: other programs write to the same file, and read what earlier runs wrote.
    fn key_log(path: &Path) -> Result<Self, Failure> {
        Output::open(path, private::append)
    }

    /// Cookies are as good as passwords. What the file holds stays there until the end: it may be read before.
    fn cookie_jar(path: &Path) -> Result<Self, Failure> {
        let mut holds = None;
        let output = Output::open(path, |path| {
            let file = private::append(path)?;
            holds = Some(file.try_clone()?);
            Ok(file)
        })?;
        Ok(Output { holds, ..output })
    }

    fn open(path: &Path, open: impl FnOnce(&Path) -> io::Result<File>) -> Result<Self, Failure> {
        let name = path.display().to_string();
        if is_stdout(Some(path)) {
            return Ok(Output { name, to: Box::new(io::stdout()), holds: None });
        }
        let file = open(path).map_err(|error| cannot_write(&name, &error))?;
        Ok(Output { name, to: Box::new(BufWriter::new(file)), holds: None })
    }

    fn write(mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let emptied = self.holds.as_ref().map_or(Ok(()), |file| file.set_len(0));
        let result = emptied.and_then(|()| write(&mut self.to)).and_then(|()| self.to.flush());
        result.map_err(|error| cannot_write(&self.name, &error))
    }
}

pub(crate) fn cannot_write(name: &str, error: &io::Error) -> Failure {
    Failure::new(Kind::File, format!("{name} can't be written: {error}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn no_capture_goes_to_a_terminal() {
        let fetch = |option: &str| {
            let words = ["framewise", "fetch", "https://shop.test/", option, "-"];
            match Cli::try_parse_from(words).expect("a command").command {
                Command::Fetch(args) => args,
                other => panic!("no fetch: {other:?}"),
            }
        };
        for option in ["-w", "--trace"] {
            assert!(check_terminal(&fetch(option), true).is_err(), "{option}");
            assert!(check_terminal(&fetch(option), false).is_ok(), "{option}");
        }
        assert!(check_terminal(&fetch("-o"), true).is_ok(), "the page may be text");
    }
}
