//! A directory of files: the one place of the site that reads from a disk.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use framewise_http::{Answer, Body, Handler, Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::html::{escape, page, problem};
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
/// Where a client takes gzip and `NAME.gz` lies beside the file, that is sent instead.
///
/// Nothing outside of the directory is ever served, through `..`, a link or otherwise, and nothing whose name begins
/// with a dot. On a route such as `/static/{*rest}` the path is what `rest` stands for; else it is the whole path.
#[derive(Debug, Clone)]
pub struct StaticFiles {
    root: PathBuf,
    listing: bool,
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

impl StaticFiles {
    /// The files below `root`, which must exist.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, FilesError> {
        let path = root.as_ref();
        let root =
            path.canonicalize().map_err(|source| FilesError::Unreadable { path: path.to_owned(), source })?;
        if !root.is_dir() {
            return Err(FilesError::NotADirectory(root));
        }
        Ok(StaticFiles { root, listing: false })
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
            Ok(path) if path.is_dir() => self.directory(request, &path),
            Ok(path) => file(request, &path).unwrap_or_else(|_| not_found(request)),
            Err(NotHere) => not_found(request),
        }
    }

    /// The file or directory that the request names, if it is within the root, links followed.
    fn find(&self, request: &Request) -> Result<PathBuf, NotHere> {
        let decoded;
        let path = match request.params.get("rest") {
            Some(rest) => rest,
            None => {
                decoded = percent_decode_str(request.path()).decode_utf8().map_err(|_| NotHere)?;
                decoded.as_ref()
            }
        };
        let mut found = self.root.clone();
        let mut is_direct = true;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if name.starts_with('.') || name.contains(['\\', '\0', ':']) {
                return Err(NotHere);
            }
            found.push(name);
            is_direct = is_direct && !fs::symlink_metadata(&found).map_err(|_| NotHere)?.is_symlink();
        }
        // Without a link on the way it is where it says; to look for links from the root of all takes several calls more.
        if is_direct {
            return Ok(found);
        }
        let real = found.canonicalize().map_err(|_| NotHere)?;
        let within = real.strip_prefix(&self.root).map_err(|_| NotHere)?;
        let hidden = within.iter().any(|name| name.to_string_lossy().starts_with('.'));
        if hidden { Err(NotHere) } else { Ok(real) }
    }

    fn directory(&self, request: &Request, path: &Path) -> Response {
        if !request.path().ends_with('/') {
            // Relative links count from the last slash.
            // One slash in front, for `//name/` would be another host.
            let location = format!("/{}/", request.path().trim_start_matches('/'));
            return Response::status(StatusCode::MOVED_PERMANENTLY).header("Location", &location);
        }
        let index = path.join("index.html").canonicalize();
        if let Some(index) = index.ok().filter(|index| index.starts_with(&self.root)) {
            return file(request, &index).unwrap_or_else(|_| not_found(request));
        }
        if !self.listing {
            return not_found(request);
        }
        listing(request, path).unwrap_or_else(|_| not_found(request))
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

/// A file, or the part of it that is wanted.
fn file(request: &Request, path: &Path) -> io::Result<Response> {
    let coded = gzipped(path);
    let takes_gzip = request.header("accept-encoding").is_some_and(accepts_gzip);
    let sent = coded.as_deref().filter(|_| takes_gzip);
    let (file, metadata) = open(sent.unwrap_or(path))?;
    let length = metadata.len();
    let version = version_of(&metadata);
    let version = if sent.is_some() { version.coded("gzip") } else { version };
    let described = |status| {
        let response = describe(Response::status(status), &version);
        match (&coded, takes_gzip) {
            (None, _) => response,
            (Some(_), false) => response.header("Vary", "Accept-Encoding"),
            (Some(_), true) => response.header("Vary", "Accept-Encoding").header("Content-Encoding", "gzip"),
        }
    };
    Ok(match wanted(request, &version, length) {
        Wanted::Whole => described(StatusCode::OK)
            .header("Content-Type", &content_type(path))
            .with_body(stream(file, 0..length)?),
        Wanted::Part(part) => described(StatusCode::PARTIAL_CONTENT)
            .header("Content-Type", &content_type(path))
            .header("Content-Range", &format!("bytes {}-{}/{length}", part.start, part.end - 1))
            .with_body(stream(file, part)?),
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

fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// The file beside this one that holds the same, compressed; a link is not followed, for it might lead elsewhere.
fn gzipped(path: &Path) -> Option<PathBuf> {
    let mut name = path.file_name()?.to_owned();
    name.push(".gz");
    let coded = path.with_file_name(name);
    fs::symlink_metadata(&coded).is_ok_and(|metadata| metadata.is_file()).then_some(coded)
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
fn stream(mut file: File, range: Range<u64>) -> io::Result<Body> {
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start))?;
    }
    let length = range.end - range.start;
    let mut left = length;
    let pieces = std::iter::from_fn(move || {
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        if wanted == 0 {
            return None;
        }
        // In one call: `read_to_end` would spare the zeros and make four.
        let mut piece = vec![0; wanted];
        let read = file.read_exact(&mut piece).map(|()| Bytes::from(piece));
        // After an error there is no more.
        left = if read.is_ok() { left - wanted as u64 } else { 0 };
        Some(read)
    });
    Ok(Body::Stream { length: Some(length), pieces: Box::new(pieces) })
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
