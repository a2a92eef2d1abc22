//! A request under way: its head and its body out, its response in.

use bytes::Bytes;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{BodyLength, ClientRequest, ExchangeError, RequestHead, Version};
use http::Method;

use crate::body::{Encoder, Framing};
use crate::config::Config;
use crate::head::scan::{Part, RECOGNIZED};
use crate::head::write::{Added, FramingField};
use crate::head::{HeadReader, rules, write};
use crate::transfer::{Receiving, Sending};
use crate::wire::Wire;

/// A request under way.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Box<ClientRequest>,
    head: Bytes,
    pub(super) sending: Sending,
    /// Bytes of body that the application wants before the response is there.
    pub(super) credit: usize,
    pub(super) answer: Answer,
    pub(super) informational: u8,
    /// The connection had served another request before.
    pub(super) reused: bool,
    pub(super) again: bool,
    pub(super) persists: bool,
}

#[derive(Debug)]
pub(super) enum Answer {
    Head(HeadReader),
    Body(Receiving),
}

impl Exchange {
    /// Writes the request's head; refused if it can't be a request.
    pub(crate) fn new(request: Box<ClientRequest>, config: &Config) -> Result<Self, &'static str> {
        let (field, encoding) = request_framing(&request.head, request.body)?;
        let persists = config.keep_alive && rules::persists(request.head.version, &request.head.headers);
        let added = Added {
            framing: field,
            product: config.user_agent.as_deref().map(|name| ("User-Agent", name)),
            connection: (!config.keep_alive).then_some("close"),
        };
        let head = write::request(&request.head, &added)?;
        let sending = Sending::new(request.exchange, Some(Encoder::new(encoding)));
        Ok(Exchange {
            request,
            head,
            sending,
            credit: 0,
            answer: Answer::Head(HeadReader::new(Part::Response, config.limits)),
            informational: 0,
            reused: false,
            again: false,
            persists,
        })
    }

    pub(super) fn id(&self) -> ExchangeId {
        self.request.exchange
    }

    /// Puts the head first on a connection, before the application says more, and after it what a connection that
    /// failed was told already: the end of a body of which nothing was sent.
    pub(super) fn begin(&mut self, wire: &mut Wire) {
        wire.send(self.head.clone());
        self.sending.end_again(wire);
    }

    /// Whether nothing is lost, and nothing done twice, by asking once more (RFC 9110, section 9.2.2).
    pub(super) fn may_repeat(&self) -> bool {
        const IDEMPOTENT: [Method; 5] =
            [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS];
        let unanswered = matches!(&self.answer, Answer::Head(reader) if !reader.has_begun());
        self.reused
            && !self.again
            && unanswered
            && self.informational == 0
            && !self.sending.is_touched()
            && IDEMPOTENT.contains(&self.request.head.method)
    }

    /// Why there is no answer, once no more can come: what came of one.
    pub(super) fn unanswered(&self) -> ExchangeError {
        if matches!(&self.answer, Answer::Head(reader) if reader.is_foreign()) {
            return ExchangeError::NotHttp { begins: self.begins() };
        }
        match (self.begun().len(), self.informational) {
            (0, 0) => ExchangeError::NoAnswer,
            (0, count) => ExchangeError::OnlyInformational { count },
            (received, _) => ExchangeError::HeadCutShort { received },
        }
    }

    /// With what came begins, for a person to recognize it by.
    pub(super) fn begins(&self) -> String {
        let begun = self.begun();
        let begun = begun.get(..RECOGNIZED).unwrap_or(begun);
        let line = match begun.iter().position(|byte| *byte == b'\n') {
            Some(end) => begun.get(..end).unwrap_or_default(),
            None => return begun.escape_ascii().to_string(),
        };
        line.strip_suffix(b"\r").unwrap_or(line).escape_ascii().to_string()
    }

    /// What has come of the answer's head.
    fn begun(&self) -> &[u8] {
        match &self.answer {
            Answer::Head(reader) => reader.begun(),
            Answer::Body(_) => &[],
        }
    }

    pub(super) fn grant(&mut self, bytes: usize) {
        match &mut self.answer {
            Answer::Head(_) => self.credit = self.credit.saturating_add(bytes),
            Answer::Body(receiving) => receiving.grant(bytes),
        }
    }

    pub(super) fn credit(&self) -> usize {
        match &self.answer {
            Answer::Head(_) => self.credit,
            Answer::Body(receiving) => receiving.credit(),
        }
    }
}

/// The framing field of a request, and how its body is encoded (RFC 9110, section 8.6).
fn request_framing(head: &RequestHead, body: BodyLength) -> Result<(FramingField, Framing), &'static str> {
    let expected = [Method::POST, Method::PUT, Method::PATCH].contains(&head.method);
    match body {
        BodyLength::None if expected => Ok((FramingField::Length(0), Framing::Length(0))),
        BodyLength::None => Ok((FramingField::Omitted, Framing::Length(0))),
        BodyLength::Known(length) => Ok((FramingField::Length(length), Framing::Length(length))),
        BodyLength::Unknown if head.version == Version::Http10 => {
            Err("a request of HTTP/1.0 says how long its body is")
        }
        BodyLength::Unknown => Ok((FramingField::Chunked, Framing::Chunked)),
    }
}
