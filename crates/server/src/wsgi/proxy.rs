//! One request to gunicorn, and its answer, which is passed on as it comes.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;

use bytes::{Bytes, BytesMut};
use framewise_http::body::{Decoded, Decoder, Framing};
use framewise_http::{
    Answer, AnswerBody, BodyLength, Handler, Limits, Method, Problem, Refusal, Request, ResponseHead, Rule,
    StatusCode, read_response, response_framing,
};

use super::fields;
use crate::pool::thread_number;
use crate::state::{self, State};

/// An application may set many cookies.
const LIMITS: Limits = Limits { head_bytes: 256 << 10, target_bytes: 0, fields: 1_000 };
/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;

/// Answers by gunicorn at a Unix socket.
pub(super) struct Proxy {
    pub(super) socket: PathBuf,
}

/// Why gunicorn gave no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("its socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error("it ended before it had answered")]
    CutShort,
    #[error("what it sent is no answer: {0}")]
    Refused(Refusal),
    #[error("nobody can tell where what it sent ends: {0}")]
    Unframed(Rule),
}

impl Handler for Proxy {
    fn handle(&self, request: Request, answer: Answer) {
        // The wrapper in Python says when the application begins.
        state::set(State::Passes);
        let accept = request.list("accept").map(Cow::into_owned);
        match self.ask(&request) {
            Ok((head, framing, rest, socket)) => {
                let is_bodyless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&head.status);
                let length = match framing {
                    _ if is_bodyless => BodyLength::None,
                    Framing::Length(length) => BodyLength::Known(length),
                    Framing::Chunked | Framing::UntilClose => BodyLength::Unknown,
                };
                let body = answer.begin(head, length);
                // The head of an answer to HEAD tells a length, too.
                if is_bodyless || request.head.method == Method::HEAD {
                    body.finish();
                } else {
                    // What breaks off is broken off for the client, too: dropped, the body is not finished.
                    let _ = pass_on(framing, rest, &socket, body);
                }
                let _ = socket.shutdown(Shutdown::Both);
            }
            Err(why) => answer.respond(gone(&why).page(accept.as_deref())),
        }
    }
}

impl Proxy {
    /// Asks, and reads the head of the answer.
    fn ask(&self, request: &Request) -> Result<(ResponseHead, Framing, Bytes, UnixStream), NoAnswer> {
        let thread = thread_number().unwrap_or(0);
        let mut socket = UnixStream::connect(&self.socket).inspect_err(|error| {
            if is_gone(error) {
                // It has seen nothing of this. Another child takes this one's place, and its requests, instead of this one drawing
                // all to itself by failing fast.
                std::process::exit(1);
            }
        })?;
        socket.write_all(&fields::request_head(request, thread))?;
        send_body(&socket, request.body.clone())?;
        let mut inbox = BytesMut::new();
        loop {
            while let Some((mut head, length)) = read_response(&inbox, &LIMITS).map_err(NoAnswer::Refused)? {
                let after = inbox.split_off(length);
                if head.status.is_informational() {
                    inbox = after;
                    continue;
                }
                let framing = framing(&head)?;
                head.headers = fields::answer_fields(&head.headers);
                return Ok((head, framing, after.freeze(), socket));
            }
            if read_more(&socket, &mut inbox)? == 0 {
                return Err(NoAnswer::CutShort);
            }
        }
    }
}

/// Whether gunicorn is: nobody listens at its socket, or there is none. Anything else, such as too many open files, passes.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
}

/// Sends the body beside whoever reads the answer: an application may answer before it has read all, or as it reads. One that
/// closes early wants no more, which is no error.
fn send_body(socket: &UnixStream, body: Bytes) -> io::Result<()> {
    if body.is_empty() {
        return Ok(());
    }
    let mut socket = socket.try_clone()?;
    let send = move || drop(socket.write_all(&body));
    // When the exchange is over the socket is shut down, and that is the end of this thread, too.
    thread::Builder::new().name("body".to_owned()).spawn(send).map(drop)
}

fn read_more(mut socket: &UnixStream, inbox: &mut BytesMut) -> io::Result<usize> {
    let mut buffer = [0; PIECE];
    loop {
        match socket.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => {
                let read = read?;
                inbox.extend_from_slice(&buffer[..read]);
                return Ok(read);
            }
        }
    }
}

/// Where the body of gunicorn's answer ends. One to HEAD tells the length that one to GET would have (RFC 9110, section 9.3.2).
fn framing(head: &ResponseHead) -> Result<Framing, NoAnswer> {
    response_framing(head, &Method::GET).map_err(NoAnswer::Unframed)
}

/// Passes the body on, piece by piece. `None`: it broke off, or nobody wants it.
fn pass_on(framing: Framing, mut rest: Bytes, socket: &UnixStream, mut body: AnswerBody) -> Option<()> {
    let mut decoder = Decoder::new(framing, u64::MAX, LIMITS);
    loop {
        match decoder.decode(&mut rest, usize::MAX).ok()? {
            Decoded::Data(data) => body.send(data).ok()?,
            Decoded::Complete => {
                body.finish();
                return Some(());
            }
            Decoded::More => {
                let mut inbox = BytesMut::from(&rest[..]);
                if read_more(socket, &mut inbox).ok()? == 0 {
                    if decoder.is_until_close() {
                        body.finish();
                    }
                    return None;
                }
                rest = inbox.freeze();
            }
        }
    }
}

fn gone(why: &NoAnswer) -> Problem {
    let wrong = format!("The process of the application gave no answer: {why}.");
    Problem::new(StatusCode::BAD_GATEWAY, wrong, "Try again in a moment.").by("RFC 9110 §15.6.3")
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use framewise_http::{ConnInfo, Headers, Params, RequestHead, Version};

    use super::*;
    use crate::wsgi::Folder;

    fn request() -> Request {
        let (method, target) = (Method::GET, "/".to_owned());
        let head = RequestHead { method, target, version: Version::Http11, headers: Headers::new() };
        let end = "192.0.2.1:80".parse().expect("an address");
        let connection = ConnInfo { local: end, remote: end, tls: None };
        Request { head, connection, params: Params::default(), body: Bytes::new() }
    }

    #[test]
    fn a_connection_that_fails_is_an_answer_and_not_the_end_of_the_process() {
        // No socket's path is as long.
        let proxy = Proxy { socket: "/x".repeat(100).into() };
        let asked = proxy.ask(&request()).map(drop);
        assert!(matches!(asked, Err(NoAnswer::Socket(_))), "{asked:?}");
    }

    /// What becomes of an answer with these fields.
    fn asked_of_one_that_answers(fields: &str) -> Result<Framing, NoAnswer> {
        let folder = Folder::new().expect("a folder");
        let socket = folder.path().join("app.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\nHello, world!");
        let answers = thread::spawn(move || {
            let (mut connection, _) = listener.accept().expect("a connection");
            connection.write_all(bytes.as_bytes()).expect("an answer");
        });
        let asked = Proxy { socket }.ask(&request()).map(|(_, framing, ..)| framing);
        answers.join().expect("an answer");
        asked
    }

    #[test]
    fn an_answer_whose_end_could_be_understood_in_two_ways_is_a_bad_gateway_s() {
        let odd = [
            ("Content-Length: 5\r\nContent-Length: 13\r\n", Rule::LengthRepeated),
            ("Content-Length: 5, 13\r\n", Rule::LengthInvalid),
            ("Content-Length: five\r\n", Rule::LengthInvalid),
            ("Content-Length: 99999999999999999999\r\n", Rule::LengthInvalid),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Rule::LengthAndCoding),
            ("Transfer-Encoding: gzip\r\n", Rule::CodingUnknown),
            ("Transfer-Encoding: chunked, chunked\r\n", Rule::ChunkedNotLast),
        ];
        for (fields, rule) in odd {
            let why = asked_of_one_that_answers(fields).expect_err(fields);
            assert!(matches!(why, NoAnswer::Unframed(broken) if broken == rule), "{fields:?}: {why:?}");
            assert_eq!(gone(&why).page(None).head.status, StatusCode::BAD_GATEWAY);
        }
        let right = asked_of_one_that_answers("Content-Length: 13\r\n").expect("an answer");
        assert_eq!(right, Framing::Length(13));
    }

    #[test]
    fn gunicorn_is_gone_where_nobody_listens() {
        let folder = Folder::new().expect("a folder");
        let path = folder.path().join("app.sock");
        let connect = || UnixStream::connect(&path).expect_err("nobody listens");
        assert!(is_gone(&connect()), "there is no socket");
        drop(UnixListener::bind(&path).expect("a socket"));
        assert!(is_gone(&connect()), "one that is left");
        assert!(!is_gone(&io::Error::from_raw_os_error(24)), "too many open files");
    }
}
