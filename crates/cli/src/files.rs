//! The files that a fetch writes: opened first, so that a wrong path is told before anything is fetched, and while there
//! still are the rights to open them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use framewise_trace::{CaptureOptions, Trace, write_capture};

use crate::args;
use crate::exit::{Failure, Kind};
use crate::page::PageWriter;
use crate::progress::Progress;
use crate::scene::{ME, Scene};

/// Where the page, the capture and the TLS secrets go.
pub(crate) struct Files {
    page: Option<PageWriter>,
    capture: Option<Output>,
    key_log: Option<Output>,
    with_secrets: bool,
}

/// An open file, and its name for errors.
struct Output {
    name: String,
    to: Box<dyn Write>,
}

impl Files {
    /// Opens what the command line names. In memory the secrets of TLS are worth nothing, so they go into the capture.
    pub(crate) fn open(args: &args::Fetch, in_memory: bool) -> Result<Self, Failure> {
        let with_secrets = in_memory || args.capture_secrets;
        let key_log =
            args.tap.keylog.clone().or_else(|| std::env::var_os("SSLKEYLOGFILE").map(PathBuf::from));
        let capture_to_stdout = args.capture.as_deref().is_some_and(|path| path.as_os_str() == "-");
        let page = if args.json || (capture_to_stdout && args.output.is_none()) {
            PageWriter::nowhere()
        } else {
            let progress = if args.quiet { None } else { Progress::for_people() };
            PageWriter::new(args.output.as_deref(), args.include || args.head, progress)?
        };
        Ok(Files {
            page: Some(page),
            capture: args.capture.as_deref().map(|path| Output::create(path, with_secrets)).transpose()?,
            key_log: key_log.as_deref().map(|path| Output::create(path, true)).transpose()?,
            with_secrets,
        })
    }

    /// Where the page goes; once.
    pub(crate) fn page(&mut self) -> PageWriter {
        self.page.take().unwrap_or_else(PageWriter::nowhere)
    }

    /// Writes the capture and the key log of a run.
    pub(crate) fn write(self, trace: &Trace, scene: &Scene) -> Result<(), Failure> {
        let options =
            CaptureOptions { secrets: self.with_secrets, epoch: scene.epoch(), ..Default::default() };
        if let Some(capture) = self.capture {
            capture.write(|out| write_capture(trace, ME, out, &options))?;
        }
        if let Some(key_log) = self.key_log {
            key_log.write(|out| out.write_all(trace.key_log().as_bytes()))?;
        }
        Ok(())
    }
}

impl Output {
    fn create(path: &Path, is_private: bool) -> Result<Self, Failure> {
        let name = path.display().to_string();
        if name == "-" {
            return Ok(Output { name, to: Box::new(io::stdout()) });
        }
        let file = if is_private { private_file(path) } else { File::create(path) };
        let file = file.map_err(|error| cannot_write(&name, &error))?;
        Ok(Output { name, to: Box::new(BufWriter::new(file)) })
    }

    fn write(mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let result = write(&mut self.to).and_then(|()| self.to.flush());
        result.map_err(|error| cannot_write(&self.name, &error))
    }
}

fn cannot_write(name: &str, error: &io::Error) -> Failure {
    Failure::new(Kind::File, format!("{name} can't be written: {error}"))
}

/// A file that only its owner can read: there are secrets in it.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let file = options.mode(0o600).open(path)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}
