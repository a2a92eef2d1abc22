//! Files that are played: the one place that reads them.

use std::io::Read;
use std::path::{Path, PathBuf};

use framewise_trace::CaptureReader;

use crate::error::PlayError;
use crate::outcome::Outcome;
use crate::script::Script;

/// How the name of a capture's sidecar ends.
pub const SIDECAR: &str = "replay";

/// Bytes of the largest file that is played.
const LARGEST: u64 = 64 << 20;

/// A file that was played.
#[derive(Debug)]
pub struct Played {
    /// What came of it.
    pub outcome: Outcome,
    /// For a script: the capture of what happened, and the sidecar with which that can be played.
    pub made: Option<(Vec<u8>, String)>,
}

/// Plays a file: a capture (pcap or pcapng) with its sidecar beside it, or else a script.
///
/// # Errors
/// It can't be read, or not be played. That the host did something else than expected is no error.
pub fn file(path: &Path) -> Result<Played, PlayError> {
    file_with(path, None)
}

/// The same with a sidecar that lies elsewhere.
///
/// # Errors
/// The same.
pub fn file_with(path: &Path, sidecar: Option<&Path>) -> Result<Played, PlayError> {
    let bytes = contents(path)?;
    if is_capture(path, &bytes) {
        // What can't be read needs no sidecar.
        CaptureReader::new(bytes.as_slice())?;
        let sidecar = sidecar.map_or_else(|| sidecar_of(path), Path::to_owned);
        if !sidecar.exists() {
            let (capture, sidecar) = (path.display().to_string(), sidecar.display().to_string());
            return Err(PlayError::NoSidecar { capture, sidecar });
        }
        let outcome = crate::capture(&bytes, &read(&sidecar)?)?;
        return Ok(Played { outcome, made: None });
    }
    let script = parse(path, bytes)?;
    let (outcome, capture, sidecar) = crate::play::recorded(&script)?;
    Ok(Played { outcome, made: Some((capture, sidecar)) })
}

/// Reads a script or a sidecar.
///
/// # Errors
/// The file can't be read, or what it says.
pub fn read(path: &Path) -> Result<Script, PlayError> {
    parse(path, contents(path)?)
}

fn parse(path: &Path, bytes: Vec<u8>) -> Result<Script, PlayError> {
    let file = || path.display().to_string();
    let text = String::from_utf8(bytes)
        .map_err(|error| PlayError::NotText { file: file(), at: error.utf8_error().valid_up_to() })?;
    Script::read(&text).map_err(|error| PlayError::Text { file: file(), error })
}

/// All that a file holds, if it is no more than a test may be.
fn contents(path: &Path) -> Result<Vec<u8>, PlayError> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, error))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, error))?;
    let is_too_large = bytes.len() as u64 > LARGEST;
    if is_too_large {
        return Err(PlayError::TooLarge { file: path.display().to_string(), limit: LARGEST });
    }
    Ok(bytes)
}

/// Where the sidecar of a capture is.
pub fn sidecar_of(capture: &Path) -> PathBuf {
    capture.with_extension(SIDECAR)
}

/// Plays a file, for a test.
///
/// # Panics
/// It can't be played, or the host does something else than expected: then all of it is told.
#[track_caller]
pub fn expect(path: impl AsRef<Path>) {
    let path = path.as_ref();
    match file(path) {
        Ok(played) if played.outcome.is_success() => {}
        Ok(played) => panic!("{}\n{}", path.display(), played.outcome),
        Err(error) => panic!("{}: {}", path.display(), told(&error)),
    }
}

/// Plays a script that is given as it stands, for a test.
///
/// # Panics
/// The same.
#[track_caller]
pub fn expect_lines(text: &str) {
    let script = Script::read(text).unwrap_or_else(|error| panic!("{error}"));
    match crate::script(&script) {
        Ok(outcome) if outcome.is_success() => {}
        Ok(outcome) => panic!("\n{outcome}"),
        Err(error) => panic!("{}", told(&error)),
    }
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", told(cause)),
        None => error.to_string(),
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> PlayError {
    PlayError::File { file: path.display().to_string(), error }
}

fn is_capture(path: &Path, bytes: &[u8]) -> bool {
    is_named_so(path) || begins_so(bytes)
}

fn is_named_so(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| ["pcapng", "pcap", "cap"].iter().any(|name| end.eq_ignore_ascii_case(name)))
}

/// As pcapng or pcap does, in either byte order and with either resolution.
fn begins_so(bytes: &[u8]) -> bool {
    const BEGINNINGS: [u32; 3] = [0x0a0d_0d0a, 0xa1b2_c3d4, 0xa1b2_3c4d];
    let first = bytes.first_chunk().map(|first| u32::from_be_bytes(*first));
    first.is_some_and(|first| BEGINNINGS.iter().any(|begin| [*begin, begin.swap_bytes()].contains(&first)))
}
