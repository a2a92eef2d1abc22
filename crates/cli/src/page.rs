//! Where the page goes: standard output or a file, piece by piece, byte-exact.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::iter;
use std::path::Path;

use bytes::Bytes;
use framewise::BodySink;
use framewise::core::seams::exchange::{BodyLength, ResponseHead};
use framewise_trace::words::printable;

use crate::exit::Failure;
use crate::files::cannot_write;
use crate::output;
use crate::progress::Progress;

/// Takes the page as it comes.
pub(crate) struct PageWriter {
    to: Target,
    with_head: bool,
    progress: Option<Progress>,
    /// Whether a terminal shows a line that has no end yet.
    is_mid_line: bool,
}

enum Target {
    Stdout,
    /// A file, and its name for errors.
    File(File, String),
    Nowhere,
}

impl PageWriter {
    /// To standard output, or to `file`; before it the head, if wanted. What the file holds stays there until a response
    /// comes.
    pub(crate) fn new(
        file: Option<&Path>,
        with_head: bool,
        progress: Option<Progress>,
    ) -> Result<Self, Failure> {
        let to = match file {
            Some(path) if path.as_os_str() == "-" => Target::Stdout,
            Some(path) => {
                let name = path.display().to_string();
                let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
                Target::File(file.map_err(|error| cannot_write(&name, &error))?, name)
            }
            None => Target::Stdout,
        };
        Ok(PageWriter { to, with_head, progress, is_mid_line: false })
    }

    /// To nobody: its facts alone count.
    pub(crate) fn nowhere() -> Self {
        PageWriter { to: Target::Nowhere, with_head: false, progress: None, is_mid_line: false }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.to {
            Target::File(file, name) => file
                .write_all(bytes)
                .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}"))),
            Target::Stdout => {
                // Whoever reads no further has read enough: that is no failure.
                if !output::write_stdout(bytes)? {
                    self.to = Target::Nowhere;
                }
                self.is_mid_line = bytes.last().is_some_and(|&last| last != b'\n');
                Ok(())
            }
            Target::Nowhere => Ok(()),
        }
    }
}

impl BodySink for PageWriter {
    fn head(&mut self, head: &ResponseHead, length: BodyLength) -> io::Result<()> {
        if let Target::File(file, _) = &self.to
            && file.metadata()?.is_file()
        {
            file.set_len(0)?;
        }
        if let (Some(progress), BodyLength::Known(bytes)) = (&mut self.progress, length) {
            progress.expect(bytes);
        }
        if !self.with_head {
            return Ok(());
        }
        let is_shown = matches!(self.to, Target::Stdout) && io::stdout().is_terminal();
        self.write(&head_text(head, is_shown))
    }

    fn piece(&mut self, data: &Bytes) -> io::Result<()> {
        if let Some(progress) = &mut self.progress {
            progress.came(data.len() as u64);
        }
        self.write(data)
    }
}

impl Drop for PageWriter {
    /// On a terminal, what is said next begins on a line of its own; the page itself stays as it is.
    fn drop(&mut self) {
        if self.is_mid_line && io::stdout().is_terminal() {
            output::say("\n");
        }
    }
}

/// A head as it was read; for a terminal, in letters that it shows and does not obey.
fn head_text(head: &ResponseHead, is_shown: bool) -> Vec<u8> {
    let status = format!("{} {} {}", head.version, head.status.as_u16(), head.reason).into_bytes();
    let field = |(name, value): (&str, &[u8])| [name.as_bytes(), b": ", value].concat();
    let mut text = Vec::new();
    for line in iter::once(status).chain(head.headers.iter().map(field)) {
        match is_shown {
            true => text.extend_from_slice(printable(&String::from_utf8_lossy(&line)).as_bytes()),
            false => text.extend_from_slice(&line),
        }
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text
}

#[cfg(test)]
mod tests {
    use framewise::http::{Headers, StatusCode, Version};

    use super::*;

    #[test]
    fn a_head_commands_no_terminal_and_is_exact_everywhere_else() {
        let value = b"\xe2\x80\xaegnp.exe \xc2\x9b31m \xff".to_vec();
        let mut headers = Headers::new();
        headers.push("X-E", value.clone());
        let head = ResponseHead {
            version: Version::Http11,
            status: StatusCode::OK,
            reason: "Schön\u{9b}31m".to_owned(),
            headers,
        };
        let status = "HTTP/1.1 200 Schön\u{9b}31m\r\nX-E: ".as_bytes();
        let exact = [status, &value[..], b"\r\n\r\n"].concat();
        assert_eq!(head_text(&head, false), exact);
        let shown = "HTTP/1.1 200 Schön\u{fffd}31m\r\nX-E: \u{fffd}gnp.exe \u{fffd}31m \u{fffd}\r\n\r\n";
        assert_eq!(String::from_utf8(head_text(&head, true)).expect("text"), shown);
    }
}
