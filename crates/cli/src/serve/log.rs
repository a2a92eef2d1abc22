//! A line for each answer: a short one for whoever looks on, and one in the combined format for programs.
//!
//! What clients send is data. It is escaped, so that no request can begin a line of its own, or move a terminal's cursor.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use framewise::http::{
    Answer, AnswerSink, BodyLength, ConnInfo, Gone, Handler, Intake, Pieces, RefusedRequest, Request,
    ResponseHead, StatusCode, Watcher,
};

use crate::exit::Failure;
use crate::files::cannot_write;
use crate::output;
use framewise_trace::words::printable;

/// A handler whose answers are written down.
pub(super) struct Logged {
    pub(super) handler: Arc<dyn Handler>,
    /// Whether somebody looks on.
    pub(super) is_shown: bool,
    pub(super) log: Option<AccessLog>,
}

impl Handler for Logged {
    fn handle(&self, request: Request, answer: Answer) {
        let entry = Entry::new(&request, self.is_shown, self.log.clone());
        let answer = answer.through(|sink| Box::new(LoggedSink { sink, entry: Some(entry) }));
        self.handler.handle(request, answer);
    }

    fn wants_body(&self, request: &Request) -> bool {
        self.handler.wants_body(request)
    }

    fn refused(&self, refused: &RefusedRequest) {
        let RefusedRequest { connection, line, status, reason, answered } = refused;
        if self.is_shown {
            output::say(&format!("{} refused ({reason}) {}\n", shown(connection), status.as_u16()));
        }
        if let Some(log) = &self.log {
            let line = line.as_deref().unwrap_or("-");
            log.write(&combined(connection, line, *status, *answered, [None, None]));
        }
        self.handler.refused(refused);
    }

    fn left(&self, connection: &ConnInfo) {
        self.handler.left(connection);
    }

    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        self.handler.intake(request)
    }
}

/// Who asked, and how.
fn shown(connection: &ConnInfo) -> String {
    let scheme = if connection.tls.is_some() { "https" } else { "http" };
    format!("{} {scheme}", connection.remote.ip())
}

/// What is known of one answer so far. Its line is written when it goes: whatever ends the answer, it is the last of it.
struct Entry {
    connection: ConnInfo,
    shown: Option<String>,
    line: String,
    fields: [Option<Vec<u8>>; 2],
    status: StatusCode,
    bytes: u64,
    log: Option<AccessLog>,
}

impl Entry {
    fn new(request: &Request, is_shown: bool, log: Option<AccessLog>) -> Self {
        let head = &request.head;
        let said = || {
            let target = printable(&head.target);
            format!("{} {} {target}", shown(&request.connection), head.method)
        };
        Entry {
            connection: request.connection.clone(),
            shown: is_shown.then(said),
            line: head.line(),
            fields: ["referer", "user-agent"].map(|name| head.headers.bytes(name).map(<[u8]>::to_vec)),
            // As the client has it that heard of no other.
            status: StatusCode::INTERNAL_SERVER_ERROR,
            bytes: 0,
            log,
        }
    }

    fn begins(&mut self, status: StatusCode) {
        self.status = status;
        if let Some(shown) = &self.shown {
            output::say(&format!("{shown} {}\n", status.as_u16()));
        }
    }

    fn breaks_off(&self, why: &str) {
        if let Some(shown) = &self.shown {
            output::say(&format!("{shown} broken off after {} bytes: {why}\n", self.bytes));
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(log) = &self.log {
            let fields = self.fields.each_ref().map(Option::as_deref);
            log.write(&combined(&self.connection, &self.line, self.status, self.bytes, fields));
        }
    }
}

struct LoggedSink {
    sink: Box<dyn AnswerSink + Send>,
    entry: Option<Entry>,
}

impl AnswerSink for LoggedSink {
    fn head(&mut self, head: ResponseHead, length: BodyLength) {
        if let Some(entry) = self.entry.as_mut().filter(|_| !head.status.is_informational()) {
            entry.begins(head.status);
        }
        self.sink.head(head, length);
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        let length = data.len() as u64;
        self.sink.body(data)?;
        if let Some(entry) = &mut self.entry {
            entry.bytes += length;
        }
        Ok(())
    }

    fn stream(&mut self, pieces: Pieces) {
        match self.entry.take() {
            Some(entry) => self.sink.stream(Box::new(Counted { pieces, entry })),
            None => self.sink.stream(pieces),
        }
    }

    fn end(&mut self) {
        self.entry = None;
        self.sink.end();
    }

    fn abort(&mut self) {
        if let Some(entry) = self.entry.take() {
            entry.breaks_off("the handler gave it up");
        }
        self.sink.abort();
    }

    fn watch(&mut self, watcher: Arc<dyn Watcher>) -> bool {
        self.sink.watch(watcher)
    }

    fn keep(&mut self) {
        self.sink.keep();
    }

    fn note(&mut self, topic: &'static str, text: &dyn Fn() -> String) {
        self.sink.note(topic, text);
    }
}

/// Pieces whose bytes are counted as they are taken.
struct Counted {
    pieces: Pieces,
    entry: Entry,
}

impl Iterator for Counted {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.pieces.next()?;
        match &piece {
            Ok(data) => self.entry.bytes += data.len() as u64,
            Err(error) => self.entry.breaks_off(&error.to_string()),
        }
        Some(piece)
    }
}

/// Where lines of the combined format go.
#[derive(Clone)]
pub(super) struct AccessLog(Arc<Log>);

struct Log {
    /// `None`: standard output.
    file: Option<Mutex<File>>,
    name: String,
    has_failed: AtomicBool,
}

impl AccessLog {
    /// Lines are added to what is in the file already; each is written at once, so that it can be moved away and cut.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let file = if name == "-" {
            None
        } else {
            let file = File::options().create(true).append(true).open(path);
            Some(Mutex::new(file.map_err(|error| cannot_write(&name, &error))?))
        };
        Ok(AccessLog(Arc::new(Log { file, name, has_failed: AtomicBool::new(false) })))
    }

    fn write(&self, line: &str) {
        let written = match &self.0.file {
            Some(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes()),
            None => output::write_stdout(line.as_bytes()).map(drop),
        };
        if let Err(error) = written
            && !self.0.has_failed.swap(true, Ordering::Relaxed)
        {
            output::say(&format!(
                "{} can't be written, and lacks lines from here on: {error}\n",
                self.0.name
            ));
        }
    }
}

/// A line of the combined format: address, identity, user, time, request, status, bytes of body, referer, user agent.
fn combined(
    connection: &ConnInfo,
    request: &str,
    status: StatusCode,
    bytes: u64,
    fields: [Option<&[u8]>; 2],
) -> String {
    let [referer, agent] = fields.map(|field| quoted(field.unwrap_or(b"-")));
    let (address, time) = (connection.remote.ip(), time(SystemTime::now()));
    let request = quoted(request.as_bytes());
    format!("{address} - - [{time}] {request} {} {bytes} {referer} {agent}\n", status.as_u16())
}

/// `06/Nov/1994:08:49:37 +0000`.
fn time(now: SystemTime) -> String {
    let date = httpdate::fmt_http_date(now);
    let mut parts = date.split(' ').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    format!("{}/{}/{}:{} +0000", next(), next(), next(), next())
}

/// Bytes between quotes, as Apache writes them: what is not visible ASCII is told by its number.
fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_client_sends_begins_a_line() {
        let forged = "curl\"\n127.0.0.1 - - \\ \u{1b}[2J \u{e9}\t";
        assert_eq!(quoted(forged.as_bytes()), "\"curl\\\"\\x0a127.0.0.1 - - \\\\ \\x1b[2J \\xc3\\xa9\\x09\"");
    }

    #[test]
    fn a_line_has_all_of_the_combined_format() {
        let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
        assert_eq!(time(then), "06/Nov/1994:08:49:37 +0000");
        let end = "192.0.2.7:80".parse().expect("an address");
        let connection = ConnInfo { local: end, remote: end, tls: None };
        let line = combined(&connection, "GET / HTTP/1.1", StatusCode::OK, 88, [None, Some(b"curl/8")]);
        let (before, after) = line.split_once(" [").expect("a time");
        let after = after.split_once("] ").expect("its end").1;
        assert_eq!((before, after), ("192.0.2.7 - -", "\"GET / HTTP/1.1\" 200 88 \"-\" \"curl/8\"\n"));
    }
}
