//! A handler with a hand on its answer.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)] // each test file uses its part

use std::fs;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use framewise_http::{
    Answer, AnswerSink, Body, BodyLength, Gone, Handler, Method, Params, Pieces, Request, RequestHead,
    ResponseHead, Version,
};
use framewise_site::StaticFiles;
use tempfile::TempDir;

/// What an answer was.
#[derive(Default)]
pub struct Answered {
    pub head: Option<ResponseHead>,
    pub length: Option<BodyLength>,
    pub body: Vec<u8>,
    pub ended: bool,
    pub aborted: bool,
}

impl Answered {
    pub fn status(&self) -> u16 {
        self.head.as_ref().expect("there should be an answer").status.as_u16()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.as_ref()?.headers.text(name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

struct Sink(Arc<Mutex<Answered>>);

impl AnswerSink for Sink {
    fn head(&mut self, head: ResponseHead, length: BodyLength) {
        let mut answered = self.0.lock().unwrap();
        assert!(answered.head.is_none(), "a request is answered once");
        answered.head = Some(head);
        answered.length = Some(length);
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        self.0.lock().unwrap().body.extend_from_slice(&data);
        Ok(())
    }

    fn stream(&mut self, pieces: Pieces) {
        for piece in pieces {
            self.body(piece.unwrap()).unwrap();
        }
        self.end();
    }

    fn end(&mut self) {
        self.0.lock().unwrap().ended = true;
    }

    fn abort(&mut self) {
        self.0.lock().unwrap().aborted = true;
    }
}

/// An answer and a view of it.
pub fn answer(method: &Method) -> (Answer, Arc<Mutex<Answered>>) {
    let answered = Arc::new(Mutex::new(Answered::default()));
    (Answer::new(Box::new(Sink(answered.clone())), method), answered)
}

pub fn request(method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
    Request {
        head: RequestHead {
            method,
            target: target.to_owned(),
            version: Version::Http11,
            headers: headers.iter().copied().collect(),
        },
        connection: framewise_http::ConnInfo {
            local: "203.0.113.80:80".parse().unwrap(),
            remote: "192.0.2.10:49152".parse().unwrap(),
            tls: None,
        },
        params: Params::default(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

/// Asks, and gives what was answered.
pub fn ask(
    handler: &dyn Handler,
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answered {
    let (answer, answered) = answer(&method);
    let mut request = request(method, target, headers, body);
    let body = std::mem::take(&mut request.body);
    request.body = match handler.intake(&request).filter(|_| !body.is_empty()) {
        Some(mut intake) => {
            // In two pieces, as the network might cut it.
            let half = body.len() / 2;
            [&body.slice(..half), &body.slice(half..)].into_iter().for_each(|piece| intake.piece(piece));
            intake.finish()
        }
        None => body,
    };
    handler.handle(request, answer);
    let answered = std::mem::take(&mut *answered.lock().unwrap());
    assert!(answered.ended, "{target} should be answered to the end");
    answered
}

pub fn get(handler: &dyn Handler, target: &str) -> Answered {
    ask(handler, Method::GET, target, &[], "")
}

/// Keeps a stream instead of reading it.
struct Keep(Arc<Mutex<Option<Body>>>, Option<BodyLength>);

impl AnswerSink for Keep {
    fn head(&mut self, _head: ResponseHead, length: BodyLength) {
        self.1 = Some(length);
    }

    fn body(&mut self, _data: Bytes) -> Result<(), Gone> {
        Ok(())
    }

    fn stream(&mut self, pieces: Pieces) {
        let length = match self.1 {
            Some(BodyLength::Known(length)) => Some(length),
            _ => None,
        };
        *self.0.lock().unwrap() = Some(Body::Stream { length, pieces });
    }

    fn end(&mut self) {}

    fn abort(&mut self) {}
}

/// An answer, and the body that it streams, unread.
pub fn kept(method: &Method) -> (Answer, Arc<Mutex<Option<Body>>>) {
    let taken = Arc::new(Mutex::new(None));
    (Answer::new(Box::new(Keep(taken.clone(), None)), method), taken)
}

/// A directory with a secret beside it.
pub fn tree() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("sub/empty")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::write(dir.path().join("secret.txt"), "SECRET").unwrap();
    fs::write(root.join(".env"), "SECRET").unwrap();
    fs::write(root.join(".git/config"), "SECRET").unwrap();
    fs::write(root.join("page.html"), "0123456789").unwrap();
    fs::write(root.join("two words & <b>.bin"), [0, 255]).unwrap();
    fs::write(root.join("sub/index.html"), "index").unwrap();
    #[cfg(unix)]
    {
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
        link("../secret.txt", "out.txt");
        link("page.html", "in.html");
        link(".env", "env.txt");
        link("..", "up");
    }
    dir
}

pub fn files(dir: &TempDir) -> StaticFiles {
    StaticFiles::new(dir.path().join("root")).unwrap()
}

pub fn with(dir: &TempDir, name: &str, value: &str) -> Answered {
    ask(&files(dir), Method::GET, "/page.html", &[(name, value)], "")
}
