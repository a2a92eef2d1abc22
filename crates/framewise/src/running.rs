//! One fetch under way: what was asked for, and what has come of it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use framewise_core::Instant;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{BodyLength, ClientRequest, RequestHead, ResponseHead, Version};
use framewise_core::seams::resolve::Addresses;
use framewise_core::seams::stream::{CloseReason, ConnInfo};
use framewise_http::Url;

use crate::error::FetchError;
use crate::fetch::coding::Decoder;
use crate::fetch::fields;
use crate::fetch::redirect::{Route, Turn};
use crate::fetch::source::Source;
use crate::fetch::{Fetch, Page, Timings};
use crate::upload::Upload;
use crate::window::Window;

/// One fetch under way: one request after the other, until one has the page.
pub(crate) struct Running {
    pub(crate) fetch: Fetch,
    pub(crate) route: Route,
    pub(crate) stage: Stage,
    pub(crate) attempt: Attempt,
    pub(crate) upload: Upload,
    /// How often it was tried again.
    pub(crate) retried: u32,
    connect_by: Option<Instant>,
    complete_by: Option<Instant>,
    started: Instant,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    Naming,
    Exchanging {
        exchange: ExchangeId,
        remote: SocketAddr,
    },
    /// Until it is tried again.
    Waiting {
        until: Instant,
    },
}

/// What has come of one request.
pub(crate) struct Attempt {
    pub(crate) untried: VecDeque<SocketAddr>,
    /// The first address that gave no connection, and why.
    pub(crate) refused: Option<(SocketAddr, CloseReason)>,
    pub(crate) name: Option<Addresses>,
    pub(crate) connection: Option<(ConnInfo, bool)>,
    pub(crate) head: Option<ResponseHead>,
    /// What is done when this response is complete, if it is not the page.
    pub(crate) onward: Option<Onward>,
    /// Why it is tried again, if it is.
    pub(crate) again: Option<String>,
    received: u64,
    decoder: Option<Decoder>,
    body: BytesMut,
    pub(crate) window: Window,
    resolved: Instant,
    pub(crate) connected: Instant,
    head_at: Instant,
    pub(crate) ended: bool,
}

/// What follows a response that is not the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Onward {
    /// It leads elsewhere.
    Turn(Turn),
    /// The same is asked again, after this time.
    Again(Duration),
}

/// Bytes of a response that nobody wants to see which are taken so that its connection can be used again.
const UNSEEN: u64 = 64 << 10;

impl Attempt {
    fn new(now: Instant) -> Self {
        Attempt {
            untried: VecDeque::new(),
            refused: None,
            name: None,
            connection: None,
            head: None,
            onward: None,
            again: None,
            received: 0,
            decoder: None,
            body: BytesMut::new(),
            window: Window::default(),
            resolved: now,
            connected: now,
            head_at: now,
            ended: false,
        }
    }
}

impl Running {
    pub(crate) fn new(mut fetch: Fetch, url: Url, now: Instant) -> Self {
        let upload = Upload::new(std::mem::replace(&mut fetch.body, Source::Empty));
        let route = Route::new(url.without_user(), fetch.method.clone());
        Running {
            connect_by: fetch.connect_timeout.map(|limit| now + limit),
            complete_by: fetch.max_time.map(|limit| now + limit),
            fetch,
            route,
            stage: Stage::Naming,
            attempt: Attempt::new(now),
            upload,
            retried: 0,
            started: now,
        }
    }

    /// Begins with the next request.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.stage = Stage::Naming;
        self.attempt = Attempt::new(now);
        self.connect_by = self.fetch.connect_timeout.map(|limit| now + limit);
    }

    /// Waits until it is tried again, and says why.
    pub(crate) fn rest(&mut self, until: Instant, why: String) {
        self.retried += 1;
        self.attempt.again = Some(why);
        self.stage = Stage::Waiting { until };
        self.connect_by = None;
    }

    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Instant> + use<> {
        let wait = match self.stage {
            Stage::Waiting { until } => Some(until),
            Stage::Naming | Stage::Exchanging { .. } => None,
        };
        [self.connect_by, self.complete_by, wait].into_iter().flatten()
    }

    /// Whether that would be too late to do anything.
    pub(crate) fn is_too_late(&self, at: Instant) -> bool {
        self.complete_by.is_some_and(|end| end <= at)
    }

    /// What the deadline `at` means for this fetch, if anything.
    pub(crate) fn overdue(&self, at: Instant) -> Option<FetchError> {
        if self.complete_by == Some(at) {
            let after = self.fetch.max_time.unwrap_or_default();
            return Some(FetchError::TimedOut { after, received: self.attempt.received });
        }
        let waits = self.attempt.connection.is_none() && self.connect_by == Some(at);
        waits.then(|| FetchError::ConnectTimedOut { after: self.fetch.connect_timeout.unwrap_or_default() })
    }

    pub(crate) fn found(&mut self, addresses: impl Iterator<Item = IpAddr>, now: Instant) {
        let port = self.route.url().port();
        self.attempt.untried = addresses.map(|address| SocketAddr::new(address, port)).collect();
        self.attempt.resolved = now;
    }

    pub(crate) fn request(&self, exchange: ExchangeId, remote: SocketAddr, now: Instant) -> ClientRequest {
        let url = self.route.url();
        let from_jar = self.fetch.cookies.as_ref().and_then(|jar| jar.borrow().field_for(url, now));
        let method = self.route.method().clone();
        ClientRequest {
            exchange,
            remote,
            security: url.security(),
            body: match self.upload.length() {
                BodyLength::None if method == http::Method::POST => BodyLength::Known(0),
                length => length,
            },
            head: RequestHead {
                method,
                target: url.target().to_owned(),
                version: Version::Http11,
                headers: fields::of_request(&self.fetch, &self.route, from_jar),
            },
        }
    }

    /// Takes the head of a response: of the page, or of what leads to it.
    pub(crate) fn take_head(
        &mut self,
        head: ResponseHead,
        body: BodyLength,
        now: Instant,
    ) -> Result<(), FetchError> {
        if head.status.is_informational() {
            return Ok(());
        }
        self.attempt.head_at = now;
        if let Some(jar) = &self.fetch.cookies
            && jar.borrow_mut().take(self.route.url(), &head.headers, now)
        {
            self.route.may_return();
        }
        self.attempt.onward = self.onward(&head, now)?;
        if self.attempt.onward.is_none() {
            self.take_page(&head, body)?;
        }
        self.attempt.head = Some(head);
        Ok(())
    }

    fn take_page(&mut self, head: &ResponseHead, body: BodyLength) -> Result<(), FetchError> {
        if let Some(limits) = self.fetch.decoding
            && body != BodyLength::None
        {
            self.attempt.decoder = Decoder::of(&head.headers, limits)?;
        }
        let length = if self.attempt.decoder.is_some() { BodyLength::Unknown } else { body };
        match &mut self.fetch.sink {
            Some(sink) => sink.head(head, length).map_err(|error| FetchError::Sink(error.to_string())),
            None => Ok(()),
        }
    }

    /// What follows this response, if it is not the page.
    fn onward(&self, head: &ResponseHead, now: Instant) -> Result<Option<Onward>, FetchError> {
        if let Some(most) = self.fetch.redirects
            && let Some(turn) = self.route.turn(head, most)?
        {
            if turn.keeps_body && !self.upload.can_begin() {
                let to = turn.to.to_string();
                return Err(crate::fetch::RedirectError::Body { status: turn.status, to }.into());
            }
            return Ok(Some(Onward::Turn(turn)));
        }
        Ok(self.wait_after_status(head, now).map(Onward::Again))
    }

    /// Whether a response that nobody is to see was taken as far as it is worth it.
    pub(crate) fn has_seen_enough(&self) -> bool {
        self.attempt.onward.is_some() && self.attempt.received > UNSEEN
    }

    pub(crate) fn take_piece(&mut self, data: Bytes) -> Result<(), FetchError> {
        self.attempt.received += data.len() as u64;
        if self.attempt.onward.is_some() {
            return Ok(());
        }
        let Running { fetch, attempt, .. } = self;
        match &mut attempt.decoder {
            None => deliver(fetch, &mut attempt.body, attempt.received, data),
            Some(decoder) => {
                let mut size = decoder.decoded();
                decoder.take(data, |piece| {
                    size += piece.len() as u64;
                    deliver(fetch, &mut attempt.body, size, piece)
                })
            }
        }
    }

    /// The body is complete.
    pub(crate) fn take_end(&mut self) -> Result<(), FetchError> {
        self.attempt.ended = true;
        let Running { fetch, attempt, .. } = self;
        let Some(decoder) = &mut attempt.decoder else { return Ok(()) };
        let mut size = decoder.decoded();
        decoder.end(|piece| {
            size += piece.len() as u64;
            deliver(fetch, &mut attempt.body, size, piece)
        })
    }

    pub(crate) fn page(&mut self, remote: SocketAddr, now: Instant) -> Option<Page> {
        let attempt = &mut self.attempt;
        let (connection, reused) = attempt.connection.take()?;
        Some(Page {
            url: self.route.url().to_string(),
            redirects: self.route.redirects().to_vec(),
            remote,
            name: attempt.name.take(),
            connection,
            reused,
            head: attempt.head.take()?,
            body: std::mem::take(&mut attempt.body).freeze(),
            received: attempt.received,
            decoded: attempt.decoder.as_ref().map(Decoder::decoded),
            timings: Timings {
                started: self.started,
                resolved: attempt.resolved,
                connected: attempt.connected,
                head: attempt.head_at,
                complete: now,
            },
        })
    }
}

/// Gives the next piece of a page, which then has `size` bytes, to whoever takes it.
fn deliver(fetch: &mut Fetch, body: &mut BytesMut, size: u64, piece: Bytes) -> Result<(), FetchError> {
    let limit = fetch.body_limit();
    if size > limit {
        return Err(FetchError::TooLarge { limit });
    }
    if let Some(sink) = &mut fetch.sink {
        return sink.piece(&piece).map_err(|error| FetchError::Sink(error.to_string()));
    }
    body.extend_from_slice(&piece);
    Ok(())
}
