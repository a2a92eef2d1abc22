//! A directory of files: the one place of the site that reads from a disk.
//!
//! | to learn | read |
//! |---|---|
//! | which bytes are wanted | `range.rs` |
//! | how they are sent | `send.rs` |
//! | how long files are read ahead | `ahead.rs` |
//! | what lies compressed beside a file | `coded.rs` |
//! | which files stay open | `open_files.rs` |

mod ahead;
mod coded;
mod listing;
mod open_files;
mod range;
mod send;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use framewise_http::{Answer, Handler, Method, Problem, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use crate::compress::{Compressed, is_worth_it};
use crate::router::{not_allowed, options};
use coded::{Coding, best};
use open_files::{OpenFiles, Opened};
use range::{Version, Wanted, wanted};

/// Serves the files of a directory, with conditions, byte ranges and `index.html`.
///
/// Where a client takes Brotli or gzip and `NAME.br` or `NAME.gz` lies beside the file, no older than it, that is sent instead.
///
/// Nothing outside of the directory is ever served, through `..`, a link or otherwise, and nothing whose name begins
/// with a dot but what is in `.well-known` (RFC 8615). On a route such as `/static/{*rest}` the path is what `rest` stands for; else it is the whole path.
#[derive(Debug, Clone)]
pub struct StaticFiles {
    root: PathBuf,
    listing: bool,
    is_compressed: bool,
    open: OpenFiles,
}

/// Why a directory can't be served.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// It can't be read.
    #[error("{} can't be served", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is not a directory", .0.display())]
    NotADirectory(PathBuf),
}

/// A path of a request that names nothing that is served.
struct NotHere;

/// What a path of a request leads to, links followed.
struct Found {
    path: PathBuf,
    metadata: Metadata,
    /// By which path it was asked for, where that was a link's.
    link: Option<PathBuf>,
}

impl Found {
    fn at(path: PathBuf) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(&path)?;
        Ok(Found { path, metadata, link: None })
    }
}

impl StaticFiles {
    /// The files below `root`, which must exist.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, FilesError> {
        let path = root.as_ref();
        let root =
            path.canonicalize().map_err(|source| FilesError::Unreadable { path: path.to_owned(), source })?;
        if !root.is_dir() {
            return Err(FilesError::NotADirectory(root));
        }
        Ok(StaticFiles { root, listing: false, is_compressed: false, open: OpenFiles::default() })
    }

    /// Shows what is in a directory that has no `index.html`.
    pub fn with_listing(mut self) -> Self {
        self.listing = true;
        self
    }

    /// The same within [`Compressed`](crate::Compressed): it is told of which page an answer is that has none, or several parts
    /// of it.
    pub fn compressed(mut self) -> Compressed<Self> {
        self.is_compressed = true;
        Compressed::new(self)
    }

    fn answer(&self, request: &Request) -> Response {
        match request.head.method {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => return options(METHODS),
            _ => return not_allowed(request, METHODS),
        }
        match self.find(request) {
            Ok(found) if found.metadata.is_dir() => self.directory(request, &found.path),
            Ok(found) => self.file(request, found).unwrap_or_else(|_| not_found(request)),
            Err(NotHere) => not_found(request),
        }
    }

    /// The file or directory that the request names, if it is within the root, links followed.
    fn find(&self, request: &Request) -> Result<Found, NotHere> {
        let path = match request.params.get("rest") {
            Some(rest) => Cow::Borrowed(rest.as_bytes()),
            None => percent_decode_str(request.path()).into(),
        };
        let mut found = self.root.clone();
        let mut last = None;
        let mut is_direct = true;
        for (depth, name) in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).enumerate() {
            if is_hidden(depth, name) || name.iter().any(|byte| NOT_IN_NAMES.contains(byte)) {
                return Err(NotHere);
            }
            found.push(name_of(name).ok_or(NotHere)?);
            let metadata = fs::symlink_metadata(&found).map_err(|_| NotHere)?;
            is_direct = is_direct && !metadata.is_symlink();
            last = Some(metadata);
        }
        // Without a link on the way it is where it says; to look for links from the root of all takes several calls more.
        let found = match last {
            Some(metadata) if is_direct => Found { path: found, metadata, link: None },
            _ => self.behind_links(&found)?,
        };
        // A slash at the end is a directory's: from there the links of a file would lead astray.
        if path.ends_with(b"/") && !found.metadata.is_dir() { Err(NotHere) } else { Ok(found) }
    }

    fn behind_links(&self, path: &Path) -> Result<Found, NotHere> {
        let real = path.canonicalize().map_err(|_| NotHere)?;
        let within = real.strip_prefix(&self.root).map_err(|_| NotHere)?;
        let mut names = within.iter().enumerate();
        let hidden = names.any(|(depth, name)| is_hidden(depth, name.as_encoded_bytes()));
        if hidden {
            return Err(NotHere);
        }
        let found = Found::at(real).map_err(|_| NotHere)?;
        Ok(Found { link: Some(path.to_owned()), ..found })
    }

    fn directory(&self, request: &Request, path: &Path) -> Response {
        if !is_of_directory(request.path()) {
            return moved(request);
        }
        if let Ok(index) = self.behind_links(&path.join("index.html")) {
            return self.file(request, index).unwrap_or_else(|_| not_found(request));
        }
        if !self.listing {
            return not_found(request);
        }
        listing::page_of(request, path).unwrap_or_else(|_| not_found(request))
    }

    /// A file, or the part of it that is wanted.
    fn file(&self, request: &Request, found: Found) -> io::Result<Response> {
        let kind = content_type(&found);
        let (coding, is_choice, sent) = best(request, found);
        let Opened { file, metadata } = self.open.open(&sent.path, sent.metadata)?;
        let length = metadata.len();
        let version = Version::new(length, metadata.modified().ok(), SystemTime::now()).coded(coding);
        let of_status = |status| described(Response::status(status), &version, coding, is_choice);
        Ok(match wanted(request, &version, length) {
            Wanted::Whole => of_status(StatusCode::OK)
                .header("Content-Type", &kind)
                .with_body(send::range(file, 0..length)),
            Wanted::Part(part) => of_status(StatusCode::PARTIAL_CONTENT)
                .header("Content-Type", &kind)
                .header("Content-Range", &content_range(&part, length))
                .with_body(send::range(file, part)),
            Wanted::Parts(parts) => {
                let boundary = version.boundary();
                let varies = self.is_compressed && !is_choice && is_worth_it(&kind, length);
                let parts_of = of_status(StatusCode::PARTIAL_CONTENT);
                let parts_of = if varies { parts_of.header("Vary", "Accept-Encoding") } else { parts_of };
                parts_of
                    .header("Content-Type", &format!("multipart/byteranges; boundary={boundary}"))
                    .with_body(send::ranges(&file, &parts, length, &kind, &boundary))
            }
            Wanted::Nowhere => unsatisfiable(request, length),
            Wanted::Unchanged if self.is_compressed => of_status(StatusCode::NOT_MODIFIED)
                .header("Content-Type", &kind)
                .header("Content-Length", &length.to_string()),
            Wanted::Unchanged => of_status(StatusCode::NOT_MODIFIED),
            Wanted::Different => described(different(request), &version, None, is_choice),
        })
    }
}

/// What files know.
const METHODS: &str = "GET, HEAD, OPTIONS";

impl Handler for StaticFiles {
    fn handle(&self, request: Request, answer: Answer) {
        answer.respond(self.answer(&request));
    }

    fn wants_body(&self, _request: &Request) -> bool {
        false
    }
}

/// Whether what begins with a dot is nobody's business: all but the one directory that is made to be looked into.
fn is_hidden(depth: usize, name: &[u8]) -> bool {
    name.starts_with(b".") && !(depth == 0 && name == b".well-known")
}

/// What no name of a file holds. On Windows a path may go on behind some of it.
const NOT_IN_NAMES: &[u8] = if cfg!(windows) { b"\0\\:" } else { b"\0" };

/// These bytes as a file's name: any are one on Unix, elsewhere letters alone.
#[cfg(unix)]
fn name_of(bytes: &[u8]) -> Option<&OsStr> {
    Some(std::os::unix::ffi::OsStrExt::from_bytes(bytes))
}

#[cfg(not(unix))]
fn name_of(bytes: &[u8]) -> Option<&OsStr> {
    std::str::from_utf8(bytes).ok().map(OsStr::new)
}

/// Whether relative links in its page lead to what is in it: behind one slash. The root is at any number of them.
fn is_of_directory(path: &str) -> bool {
    path.ends_with('/') && (!path.ends_with("//") || path.trim_matches('/').is_empty())
}

/// To the same path with one slash at its end, from which relative links count.
fn moved(request: &Request) -> Response {
    // One slash in front, for `//name/` would be another host.
    let path = format!("/{}/", request.path().trim_matches('/'));
    let location = match request.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let problem = Problem::new(StatusCode::MOVED_PERMANENTLY, "This is a directory.", "It is at:");
    problem.link(&location, &location).answer(request).header("Location", &location)
}

fn not_found(request: &Request) -> Response {
    if request.path() == "/" {
        // A link to the beginning would lead to this very page.
        let problem = Problem::new(
            StatusCode::NOT_FOUND,
            "There is no index.html here.",
            "Ask for a file by its name.",
        );
        return problem.by("RFC 9110 §15.5.5").answer(request);
    }
    let wrong = format!("There is no file at {} here.", request.path());
    let problem = Problem::new(StatusCode::NOT_FOUND, wrong, "Begin at:").by("RFC 9110 §15.5.5");
    problem.link("/", "/").answer(request)
}

fn unsatisfiable(request: &Request, length: u64) -> Response {
    let right = format!("It has {length}: Range: bytes=0-{}", length.saturating_sub(1));
    let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "The file has no such bytes.", right);
    problem.by("RFC 9110 §15.5.17").answer(request).header("Content-Range", &format!("bytes */{length}"))
}

/// Why there is no file; the answer's `ETag` and `Last-Modified` tell of the one that there is.
fn different(request: &Request) -> Response {
    let wrong = "The file is not the one that the condition names.";
    let right =
        "Ask for it without If-Match and If-Unmodified-Since, and look at its ETag and Last-Modified.";
    let problem = Problem::new(StatusCode::PRECONDITION_FAILED, wrong, right).by("RFC 9110 §15.5.13");
    problem.answer(request)
}

fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1))
}

fn described(response: Response, version: &Version, coding: Option<Coding>, is_choice: bool) -> Response {
    let mut response = response.header("ETag", &version.etag).header("Accept-Ranges", "bytes");
    if let Some(time) = version.modified {
        response = response.header("Last-Modified", &httpdate::fmt_http_date(time));
    }
    if is_choice {
        response = response.header("Vary", "Accept-Encoding");
    }
    match coding {
        Some(coding) => response.header("Content-Encoding", coding.name()),
        None => response,
    }
}

/// By the ending of the name that was asked for; where that has none that is known, by that of what the link leads to.
fn content_type(found: &Found) -> String {
    let guess = |path: &Path| mime_guess::from_path(path).first();
    let kind = found.link.as_deref().and_then(guess).or_else(|| guess(&found.path));
    let kind = kind.unwrap_or(mime_guess::mime::APPLICATION_OCTET_STREAM);
    let text = kind.type_() == mime_guess::mime::TEXT || kind.subtype() == mime_guess::mime::JAVASCRIPT;
    if text { format!("{}; charset=utf-8", kind.essence_str()) } else { kind.essence_str().to_owned() }
}
