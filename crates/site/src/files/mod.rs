//! A directory of files: the one place of the site that reads from a disk.

use std::fs::{self, File, Metadata};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use framewise_core::Buf;
use framewise_http::{Answer, Body, Handler, Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::html::{escape, page, problem};
use crate::open_files::{OpenFiles, Opened, read_at};
use crate::range::{Version, Wanted, wanted};

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;
/// Entries that a listing shows.
const LISTED: usize = 1_000;
/// What a link's path must not hold as it is.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// Serves the files of a directory, with conditions, one byte range and `index.html`.
///
/// Where a client takes gzip and `NAME.gz` lies beside the file, no older than it, that is sent instead.
///
/// Nothing outside of the directory is ever served, through `..`, a link or otherwise, and nothing whose name begins
/// with a dot. On a route such as `/static/{*rest}` the path is what `rest` stands for; else it is the whole path.
#[derive(Debug, Clone)]
pub struct StaticFiles {
    root: PathBuf,
    listing: bool,
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
}

impl Found {
    fn at(path: PathBuf) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(&path)?;
        Ok(Found { path, metadata })
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
        Ok(StaticFiles { root, listing: false, open: OpenFiles::default() })
    }

    /// Shows what is in a directory that has no `index.html`.
    pub fn with_listing(mut self) -> Self {
        self.listing = true;
        self
    }

    fn answer(&self, request: &Request) -> Response {
        if ![Method::GET, Method::HEAD].contains(&request.head.method) {
            let right = "It knows GET, HEAD.";
            return problem(StatusCode::METHOD_NOT_ALLOWED, "A file is only read here.", right)
                .header("Allow", "GET, HEAD");
        }
        match self.find(request) {
            Ok(found) if found.metadata.is_dir() => self.directory(request, &found.path),
            Ok(found) => self.file(request, found).unwrap_or_else(|_| not_found(request)),
            Err(NotHere) => not_found(request),
        }
    }

    /// The file or directory that the request names, if it is within the root, links followed.
    fn find(&self, request: &Request) -> Result<Found, NotHere> {
        let decoded;
        let path = match request.params.get("rest") {
            Some(rest) => rest,
            None => {
                decoded = percent_decode_str(request.path()).decode_utf8().map_err(|_| NotHere)?;
                decoded.as_ref()
            }
        };
        let mut found = self.root.clone();
        let mut last = None;
        let mut is_direct = true;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if name.starts_with('.') || name.contains(['\\', '\0', ':']) {
                return Err(NotHere);
            }
            found.push(name);
            let metadata = fs::symlink_metadata(&found).map_err(|_| NotHere)?;
            is_direct = is_direct && !metadata.is_symlink();
            last = Some(metadata);
        }
        // Without a link on the way it is where it says; to look for links from the root of all takes several calls more.
        match last {
            Some(metadata) if is_direct => Ok(Found { path: found, metadata }),
            _ => self.behind_links(&found),
        }
    }

    fn behind_links(&self, path: &Path) -> Result<Found, NotHere> {
        let real = path.canonicalize().map_err(|_| NotHere)?;
        let within = real.strip_prefix(&self.root).map_err(|_| NotHere)?;
        let hidden = within.iter().any(|name| name.to_string_lossy().starts_with('.'));
        if hidden { Err(NotHere) } else { Found::at(real).map_err(|_| NotHere) }
    }

    fn directory(&self, request: &Request, path: &Path) -> Response {
        if !request.path().ends_with('/') {
            // Relative links count from the last slash.
            // One slash in front, for `//name/` would be another host.
            let location = format!("/{}/", request.path().trim_start_matches('/'));
            return Response::status(StatusCode::MOVED_PERMANENTLY).header("Location", &location);
        }
        if let Ok(index) = self.behind_links(&path.join("index.html")) {
            return self.file(request, index).unwrap_or_else(|_| not_found(request));
        }
        if !self.listing {
            return not_found(request);
        }
        listing(request, path).unwrap_or_else(|_| not_found(request))
    }

    /// A file, or the part of it that is wanted.
    fn file(&self, request: &Request, found: Found) -> io::Result<Response> {
        let kind = content_type(&found.path);
        let coded = gzipped(&found);
        let is_coded = coded.is_some();
        let takes_gzip = request.header("accept-encoding").is_some_and(accepts_gzip);
        let (coding, sent) = match coded.filter(|_| takes_gzip) {
            Some(coded) => (Some("gzip"), coded),
            None => (None, found),
        };
        let Opened { file, metadata } = self.open.open(&sent.path, sent.metadata)?;
        let length = metadata.len();
        let version = version_of(&metadata);
        let version = if let Some(coding) = coding { version.coded(coding) } else { version };
        let described = |status| {
            let mut response = describe(Response::status(status), &version);
            if is_coded {
                response = response.header("Vary", "Accept-Encoding");
            }
            match coding {
                Some(coding) => response.header("Content-Encoding", coding),
                None => response,
            }
        };
        Ok(match wanted(request, &version, length) {
            Wanted::Whole => {
                described(StatusCode::OK).header("Content-Type", &kind).with_body(stream(file, 0..length))
            }
            Wanted::Part(part) => described(StatusCode::PARTIAL_CONTENT)
                .header("Content-Type", &kind)
                .header("Content-Range", &format!("bytes {}-{}/{length}", part.start, part.end - 1))
                .with_body(stream(file, part)),
            Wanted::Nowhere => problem(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "The file has no such bytes.",
                &format!("It has {length}."),
            )
            .header("Content-Range", &format!("bytes */{length}")),
            Wanted::Unchanged => described(StatusCode::NOT_MODIFIED),
            Wanted::Different => described(StatusCode::PRECONDITION_FAILED),
        })
    }
}

impl Handler for StaticFiles {
    fn handle(&self, request: Request, answer: Answer) {
        answer.respond(self.answer(&request));
    }
}

fn not_found(request: &Request) -> Response {
    let wrong = format!("There is no file at {} here.", request.path());
    let right = "See <a href=\"/\">what there is</a>.";
    problem(StatusCode::NOT_FOUND, &wrong, right)
}

/// The file beside this one that holds the same, compressed. A link is not followed, for it might lead elsewhere, and what is
/// older than the file holds what that was before.
fn gzipped(found: &Found) -> Option<Found> {
    let mut name = found.path.file_name()?.to_owned();
    name.push(".gz");
    let coded = Found::at(found.path.with_file_name(name)).ok().filter(|coded| coded.metadata.is_file())?;
    let [changed, coded_changed] = [found, &coded].map(|file| file.metadata.modified().ok());
    (coded_changed >= changed).then_some(coded)
}

/// Whether gzip is among the codings of an `Accept-Encoding`, and not by a weight of 0 (RFC 9110, section 12.5.3).
fn accepts_gzip(codings: &str) -> bool {
    codings.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        is_gzip && weight.is_none_or(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

fn version_of(metadata: &Metadata) -> Version {
    Version::new(metadata.len(), metadata.modified().ok())
}

fn describe(response: Response, version: &Version) -> Response {
    let response = response.header("ETag", &version.etag).header("Accept-Ranges", "bytes");
    match version.modified {
        Some(time) => response.header("Last-Modified", &httpdate::fmt_http_date(time)),
        None => response,
    }
}

fn content_type(path: &Path) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let text = kind.type_() == mime_guess::mime::TEXT || kind.subtype() == mime_guess::mime::JAVASCRIPT;
    if text { format!("{}; charset=utf-8", kind.essence_str()) } else { kind.essence_str().to_owned() }
}

/// These bytes of a file, read as they are sent.
fn stream(file: Arc<File>, range: Range<u64>) -> Body {
    let length = range.end - range.start;
    let mut left = range;
    let pieces = std::iter::from_fn(move || {
        let wanted = usize::try_from(left.end - left.start).unwrap_or(PIECE).min(PIECE);
        if wanted == 0 {
            return None;
        }
        let read = read(&file, left.start, wanted);
        // After an error there is no more.
        left.start = if read.is_ok() { left.start + wanted as u64 } else { left.end };
        Some(read)
    });
    Body::Stream { length: Some(length), pieces: Box::new(pieces) }
}

/// One piece of a file, in a buffer of the pool: a fresh one would be zeroed before it is read into.
fn read(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut piece = Buf::with_capacity(length);
    read_at(file, piece.append(length), offset)?;
    Ok(piece.into_bytes())
}

fn listing(request: &Request, path: &Path) -> io::Result<Response> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)?.take(LISTED) {
        let entry = entry?;
        let slash = if entry.path().is_dir() { "/" } else { "" };
        let name = entry.file_name().to_string_lossy().into_owned() + slash;
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    let link = |name: &String| {
        let target = utf8_percent_encode(name, IN_PATH).to_string();
        format!("<li><a href=\"./{}\">{}</a>", escape(&target), escape(name))
    };
    let items: Vec<String> = names.iter().map(link).collect();
    let body = format!("<ul>\n<li><a href=\"..\">..</a>\n{}\n</ul>", items.join("\n"));
    Ok(page(request.path(), &body))
}
