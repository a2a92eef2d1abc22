//! A page that takes bodies of any length and keeps nothing of them but their sum.

use bytes::Bytes;
use framewise_http::{Answer, Handler, Intake, Request, Response};
use ring::digest::{Context, SHA256};

/// Answers with the number of bytes that came and their SHA-256: `5 bytes, SHA-256 2cf24dba...`
#[derive(Debug, Clone, Copy, Default)]
pub struct Sink;

impl Handler for Sink {
    fn handle(&self, request: Request, answer: Answer) {
        let mut text = request.body;
        if text.is_empty() {
            // A request without a body had no intake.
            text = Box::new(Sum::new()).finish();
        }
        answer.respond(Response::bytes("text/plain", text));
    }

    fn intake(&self, _request: &Request) -> Option<Box<dyn Intake>> {
        Some(Box::new(Sum::new()))
    }
}

/// What is known of a body so far.
struct Sum {
    bytes: u64,
    sha256: Context,
}

impl Sum {
    fn new() -> Self {
        Sum { bytes: 0, sha256: Context::new(&SHA256) }
    }
}

impl Intake for Sum {
    fn piece(&mut self, data: &Bytes) {
        self.bytes += data.len() as u64;
        self.sha256.update(data);
    }

    fn finish(self: Box<Self>) -> Bytes {
        let digest = self.sha256.finish();
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Bytes::from(format!("{} bytes, SHA-256 {hex}\n", self.bytes))
    }
}
