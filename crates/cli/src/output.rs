//! Writing where a person or a program reads: a reader that goes away is no error.

use std::io::{self, Write};

use framewise_trace::words::escaped_json;

use crate::exit::{Failure, Kind};

/// Writes bytes to standard output, as they are. `Ok(false)`: nobody reads any more.
pub(crate) fn write_stdout(bytes: &[u8]) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    accept_closed(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Prints text to standard output, ended by a line break.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut line = text.to_owned();
    if !line.ends_with('\n') {
        line.push('\n');
    }
    write_stdout(line.as_bytes()).map(drop).map_err(|error| Failure::new(Kind::File, error))
}

/// Prints JSON to standard output; what a terminal would obey is an escape in it.
pub(crate) fn print_json(json: &str) -> Result<(), Failure> {
    print(&escaped_json(json))
}

/// Prints coloured text to standard output, where colour is wanted; else without.
pub(crate) fn print_coloured(text: &str) -> Result<(), Failure> {
    write_coloured(text).map(drop).map_err(|error| Failure::new(Kind::File, error))
}

/// The same, for who goes on printing. `Ok(false)`: nobody reads any more.
pub(crate) fn write_coloured(text: &str) -> io::Result<bool> {
    let mut stdout = anstream::stdout().lock();
    accept_closed(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Writes to standard output what is too long to be kept, as it is made: in `text`, colours go where none are wanted.
pub(crate) fn print_in_pieces(
    is_text: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let stdout: Box<dyn Write> = match is_text {
        true => Box::new(anstream::stdout().lock()),
        false => Box::new(io::stdout().lock()),
    };
    let mut stdout = io::BufWriter::with_capacity(1 << 16, stdout);
    let written = accept_closed(write(&mut stdout).and_then(|()| stdout.flush()));
    // What nobody reads is not tried once more.
    drop(stdout.into_parts());
    written.map(drop).map_err(|error| Failure::new(Kind::File, error))
}

/// Coloured text, without its colours where none are wanted on standard output: for who also moves the cursor, which is wanted
/// there all the same.
pub(crate) fn in_wanted_colours(text: &str) -> String {
    match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        _ => text.to_owned(),
    }
}

/// Writes coloured text to standard error, where colour is wanted; else without.
pub(crate) fn say(text: &str) {
    let mut stderr = anstream::stderr().lock();
    // Whoever closed standard error does not want to be told.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn accept_closed(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}
