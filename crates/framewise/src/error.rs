//! What can go wrong for the user of a host.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use framewise_core::seams::exchange::ExchangeError;
use framewise_core::seams::resolve::ResolveError;
use framewise_core::seams::stream::{CloseReason, ListenError};
use thiserror::Error;

use crate::fetch::{CodingError, FieldError, RedirectError};

/// Why a page could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FetchError {
    /// The text is no URL.
    #[error(transparent)]
    Url(#[from] framewise_http::UrlError),
    /// A field or a user that was given can't be sent.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The name has no address for us.
    #[error(transparent)]
    Name(#[from] ResolveError),
    /// No connection to any address of the server; this is about the first one tried.
    #[error("no connection to {remote}: {reason}")]
    Connect {
        /// The address and port.
        remote: SocketAddr,
        /// Why not.
        #[source]
        reason: CloseReason,
    },
    /// The connection was not there in time.
    #[error("no connection within {after:?}")]
    ConnectTimedOut {
        /// The time allowed.
        after: Duration,
    },
    /// The page was not there in time.
    #[error("not complete within {after:?}; {received} bytes of the page had come")]
    TimedOut {
        /// The time allowed.
        after: Duration,
        /// Bytes of body that had come.
        received: u64,
    },
    /// The exchange failed after the connection was there.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// A redirect can't be followed.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// The page came in a content coding that can't be undone.
    #[error(transparent)]
    Coding(#[from] CodingError),
    /// The page is larger than allowed.
    #[error("the page is longer than {limit} bytes, the limit set for it")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Whoever takes the page could not.
    #[error("the page could not be written: {0}")]
    Sink(String),
    /// Whoever makes the request's body could not.
    #[error("the body of the request could not be read: {0}")]
    Source(String),
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// Nothing is left that could make it complete: no frame under way, no timer.
    #[error("nothing can happen any more: no frame is under way and no timer runs")]
    Stuck,
    /// A device failed.
    #[error("the device failed: {0}")]
    Device(String),
}

/// Why pages can't be returned.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The port can't be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A device or the waiting itself failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}
