//! One fetch under way: what was asked for, and what has come of it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use framewise_core::Instant;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{
    BodyLength, ClientRequest, Headers, RequestHead, ResponseHead, Version,
};
use framewise_core::seams::resolve::Addresses;
use framewise_core::seams::stream::{CloseReason, ConnInfo};
use framewise_http::{Body, Url};

use crate::error::FetchError;
use crate::fetch::{Fetch, Page, Timings};
use crate::upload::Upload;
use crate::window::Window;

/// One fetch under way.
pub(crate) struct Running {
    pub(crate) fetch: Fetch,
    pub(crate) url: Url,
    pub(crate) stage: Stage,
    pub(crate) untried: VecDeque<SocketAddr>,
    /// The first address that gave no connection, and why.
    pub(crate) refused: Option<(SocketAddr, CloseReason)>,
    pub(crate) name: Option<Addresses>,
    pub(crate) connect_by: Option<Instant>,
    pub(crate) complete_by: Option<Instant>,
    pub(crate) connection: Option<(ConnInfo, bool)>,
    pub(crate) head: Option<ResponseHead>,
    pub(crate) received: u64,
    pub(crate) body: BytesMut,
    pub(crate) upload: Upload,
    pub(crate) window: Window,
    pub(crate) started: Instant,
    pub(crate) resolved: Instant,
    pub(crate) connected: Instant,
    pub(crate) head_at: Instant,
    pub(crate) ended: bool,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    Naming,
    Exchanging { exchange: ExchangeId, remote: SocketAddr },
}

impl Running {
    pub(crate) fn new(mut fetch: Fetch, url: Url, now: Instant) -> Self {
        let upload = Upload::new(std::mem::replace(&mut fetch.body, Body::Empty));
        Running {
            connect_by: fetch.connect_timeout.map(|limit| now + limit),
            complete_by: fetch.max_time.map(|limit| now + limit),
            fetch,
            url,
            stage: Stage::Naming,
            untried: VecDeque::new(),
            refused: None,
            name: None,
            connection: None,
            head: None,
            received: 0,
            body: BytesMut::new(),
            upload,
            window: Window::default(),
            started: now,
            resolved: now,
            connected: now,
            head_at: now,
            ended: false,
        }
    }

    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Instant> + use<> {
        [self.connect_by, self.complete_by].into_iter().flatten()
    }

    /// What the deadline `at` means for this fetch, if anything.
    pub(crate) fn overdue(&self, at: Instant) -> Option<FetchError> {
        if self.complete_by == Some(at) {
            let after = self.fetch.max_time.unwrap_or_default();
            return Some(FetchError::TimedOut { after, received: self.received });
        }
        let waits = self.connection.is_none() && self.connect_by == Some(at);
        waits.then(|| FetchError::ConnectTimedOut { after: self.fetch.connect_timeout.unwrap_or_default() })
    }

    pub(crate) fn found(&mut self, addresses: impl Iterator<Item = IpAddr>, now: Instant) {
        let port = self.url.port();
        self.untried = addresses.map(|address| SocketAddr::new(address, port)).collect();
        self.resolved = now;
    }

    pub(crate) fn request(&self, exchange: ExchangeId, remote: SocketAddr) -> ClientRequest {
        let mut headers = Headers::new();
        if !self.fetch.headers.contains("Host") {
            headers.push("Host", self.url.host_header());
        }
        for (name, value) in self.fetch.headers.iter() {
            headers.push(name, value);
        }
        let method = self.fetch.method.clone();
        let target = self.url.target().to_owned();
        ClientRequest {
            exchange,
            remote,
            security: self.url.security(),
            head: RequestHead { method, target, version: Version::Http11, headers },
            body: match self.upload.length() {
                BodyLength::None if self.fetch.method == http::Method::POST => BodyLength::Known(0),
                length => length,
            },
        }
    }

    pub(crate) fn take_head(
        &mut self,
        head: ResponseHead,
        body: BodyLength,
        now: Instant,
    ) -> Result<(), FetchError> {
        if head.status.is_informational() {
            return Ok(());
        }
        self.head_at = now;
        if let Some(sink) = &mut self.fetch.sink {
            sink.head(&head, body).map_err(|error| FetchError::Sink(error.to_string()))?;
        }
        self.head = Some(head);
        Ok(())
    }

    pub(crate) fn take_piece(&mut self, data: &Bytes) -> Result<(), FetchError> {
        self.received += data.len() as u64;
        let limit = self.fetch.body_limit();
        if self.received > limit {
            return Err(FetchError::TooLarge { limit });
        }
        if let Some(sink) = &mut self.fetch.sink {
            return sink.piece(data).map_err(|error| FetchError::Sink(error.to_string()));
        }
        self.body.extend_from_slice(data);
        Ok(())
    }

    pub(crate) fn page(&mut self, remote: SocketAddr, now: Instant) -> Option<Page> {
        let (connection, reused) = self.connection.take()?;
        Some(Page {
            url: self.url.to_string(),
            remote,
            name: self.name.take(),
            connection,
            reused,
            head: self.head.take()?,
            body: std::mem::take(&mut self.body).freeze(),
            received: self.received,
            timings: Timings {
                started: self.started,
                resolved: self.resolved,
                connected: self.connected,
                head: self.head_at,
                complete: now,
            },
        })
    }
}
