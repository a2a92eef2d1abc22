//! One host of a Runner, as its user sees it: `fetch_page` and `return_page`.

use std::io;
use std::sync::Arc;

use framewise_core::seams::resolve::Addresses;
use framewise_core::seams::stream::{Endpoint, Security};
use framewise_http::handler::Handler;

use crate::error::{FetchError, ServeError};
use crate::fetch::{Fetch, FetchId, KnownAddress, Page};
use crate::runner::{HostId, Runner};

/// A host of a [`Runner`], borrowed to do something with it.
pub struct HostMut<'a> {
    pub(crate) runner: &'a mut Runner,
    pub(crate) id: HostId,
}

impl HostMut<'_> {
    /// Fetches the page at `url`: down through HTTP, TLS, TCP, IP and Ethernet, over the wire, and up again.
    pub fn fetch_page(&mut self, url: &str) -> Result<Page, FetchError> {
        self.fetch(Fetch::get(url))
    }

    /// Fetches, and turns the Runner until it is done.
    pub fn fetch(&mut self, fetch: Fetch) -> Result<Page, FetchError> {
        let id = self.start(fetch)?;
        self.finish(id)
    }

    /// Begins a fetch, so that several are under way at once. Its outcome is kept until it is taken by [`finish`](Self::finish) or
    /// [`finished`](Self::finished), and counts among the fetches that there may be at a time.
    pub fn start(&mut self, fetch: Fetch) -> Result<FetchId, FetchError> {
        let now = self.runner.now();
        self.runner.node(self.id).client.start(fetch, now)
    }

    /// Turns the Runner until this fetch is done.
    pub fn finish(&mut self, fetch: FetchId) -> Result<Page, FetchError> {
        let id = self.id;
        let done = self.runner.run_until(|runner| !runner.node(id).client.is_running(fetch));
        let client = &mut self.runner.node(id).client;
        match done {
            Ok(true) => {}
            Ok(false) => client.give_up(fetch, FetchError::Stuck),
            Err(error) => client.give_up(fetch, FetchError::Device(error.to_string())),
        }
        client.take(fetch).unwrap_or(Err(FetchError::Cancelled))
    }

    /// The outcome of a fetch, once, when it is done.
    pub fn finished(&mut self, fetch: FetchId) -> Option<Result<Page, FetchError>> {
        self.runner.node(self.id).client.take(fetch)
    }

    /// Whether this fetch is still under way.
    pub fn is_fetching(&mut self, fetch: FetchId) -> bool {
        self.runner.node(self.id).client.is_running(fetch)
    }

    /// Gives a fetch up: nothing is left of it, no outcome either.
    pub fn cancel(&mut self, fetch: FetchId) {
        self.runner.node(self.id).client.cancel(fetch);
    }

    /// Asks DNS for the addresses of a name, and turns the Runner until it answers.
    pub fn look_up(&mut self, name: &str) -> Result<Addresses, FetchError> {
        let id = self.id;
        let query = self.runner.node(id).client.ask(name);
        let done = self.runner.run_until(|runner| runner.node(id).client.is_answered(query));
        let answer = self.runner.node(id).client.answer(query);
        match done {
            Ok(true) => Ok(answer.ok_or(FetchError::Cancelled)??),
            Ok(false) => Err(FetchError::Stuck),
            Err(error) => Err(FetchError::Device(error.to_string())),
        }
    }

    /// Uses these addresses for a name instead of asking DNS.
    pub fn know(&mut self, known: KnownAddress) {
        self.runner.node(self.id).client.known.push(known);
    }

    /// Returns pages: whatever is asked for at `port` over http goes to `handler`.
    pub fn return_page(&mut self, port: u16, handler: impl Handler + 'static) -> Result<(), ServeError> {
        self.serve(Endpoint { address: None, port }, Security::Plain, Arc::new(handler))
    }

    /// The same over https; the host's TLS layer must have a certificate to show.
    pub fn return_page_secure(
        &mut self,
        port: u16,
        handler: impl Handler + 'static,
    ) -> Result<(), ServeError> {
        self.serve(Endpoint { address: None, port }, Security::Tls(None), Arc::new(handler))
    }

    /// Returns pages at any endpoint. One for a particular address takes the requests that come to this address, before one for
    /// all addresses.
    ///
    /// # Errors
    /// The endpoint is taken (its handler stays), or can't be listened on; a device failed; or no layer gave an answer.
    pub fn serve(
        &mut self,
        endpoint: Endpoint,
        security: Security,
        handler: Arc<dyn Handler>,
    ) -> Result<(), ServeError> {
        let id = self.id;
        self.runner.node(id).server.listen(endpoint, security, handler);
        self.runner.run_until(|runner| runner.node(id).server.is_answered(endpoint))?;
        let no_answer = || io::Error::other(format!("no layer says if it listens on port {}", endpoint.port));
        self.runner.node(id).server.listening(endpoint).ok_or_else(no_answer)??;
        Ok(())
    }

    /// Begins no new exchange at `endpoint`, and lets its handler go; exchanges under way are finished. Of requests that had not
    /// come as far as their body, those that still come are answered 503.
    pub fn stop_serving(&mut self, endpoint: Endpoint) {
        self.runner.node(self.id).server.unlisten(endpoint);
    }

    /// How many bytes of requests' bodies this host holds at a time, 256 MiB unless set. They are collected before a handler is
    /// called, and count until the exchange is over; a request that would be too much is answered 503.
    pub fn hold_at_most(&mut self, bytes: usize) {
        self.runner.node(self.id).server.most_held = bytes;
    }

    /// How many bytes of one request's body are collected, 64 MiB unless set; a longer one is answered 413. HTTP's own limit
    /// (`request_body_bytes`) holds beside it, for what is taken [piece by piece](framewise_http::Intake), too.
    pub fn collect_at_most(&mut self, bytes: u64) {
        self.runner.node(self.id).server.most_collected = bytes;
    }

    /// Exchanges that this host's handlers are still answering.
    pub fn serving(&mut self) -> usize {
        self.runner.node(self.id).server.under_way()
    }

    /// Whether something that this host has said has not arrived at the other side yet.
    pub fn is_sending(&mut self) -> bool {
        self.runner.node(self.id).stack.is_sending()
    }
}
