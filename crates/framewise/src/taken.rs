//! What becomes of a request's body as it comes, and what is said where it is not taken.

use bytes::BytesMut;
use framewise_http::handler::{Answer, Intake};
use framewise_http::{Body, Problem, StatusCode};

/// What becomes of a request's body as it comes.
pub(crate) enum Taken {
    /// It is collected for the handler.
    Collected(BytesMut),
    /// The handler wants it piece by piece.
    Given(Box<dyn Intake>),
}

/// Why a request is not given to its handler.
#[derive(Clone, Copy)]
pub(crate) enum Refused {
    /// There is no room for it now.
    Busy,
    /// Its body is longer than what is collected.
    TooLong,
    /// The handler panicked.
    Broken,
}

impl Refused {
    /// What is answered.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Refused::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Refused::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Refused::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Why, in a few words.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Refused::Busy => "no room",
            Refused::TooLong => "body too long",
            Refused::Broken => "the handler panicked",
        }
    }

    /// Says so, in a page of this many bytes; `limit` is what is collected of one body.
    pub(crate) fn answer(self, answer: Answer, limit: u64) -> u64 {
        let problem = match self {
            Refused::Busy => Problem::new(
                self.status(),
                "There is no room for this request now.",
                "Try again in a moment.",
            )
            .by("RFC 9110 §15.6.4"),
            Refused::TooLong => Problem::new(
                self.status(),
                format!("The body is longer than {limit} bytes, which is what this page takes."),
                "Send less.",
            )
            .by("RFC 9110 §15.5.14"),
            Refused::Broken => Problem::new(
                self.status(),
                "The handler failed.",
                "The fault is on this side: try again, or tell who runs this server.",
            )
            .by("RFC 9110 §15.6.1"),
        };
        let page = match self {
            Refused::Busy => problem.page(None).header("Retry-After", "1"),
            _ => problem.page(None),
        };
        let length = match &page.body {
            Body::Bytes(bytes) => bytes.len() as u64,
            _ => 0,
        };
        answer.respond(page);
        length
    }
}
