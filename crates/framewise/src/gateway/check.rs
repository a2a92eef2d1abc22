//! Whether the gateway works on this computer: one page goes out by it and comes in by it.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use framewise_http::{Request, Response};
use framewise_tls::{Config, Crypto, TimeSource};
use thiserror::Error;

use super::Setup;
use crate::error::{FetchError, ServeError};
use crate::fetch::Fetch;
use crate::world::WorldError;

/// How long the page may take, which leaves this computer neither way.
const LIMIT: Duration = Duration::from_secs(5);

/// Why the gateway does not work here.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The operating system lets nobody listen at 127.0.0.1.
    #[error("the operating system lets us listen at no port of 127.0.0.1")]
    Listen(#[from] io::Error),
    /// The gateway can't be built.
    #[error("the gateway could not be built")]
    Build(#[from] WorldError),
    /// Our own host serves nothing.
    #[error("our own host could not serve")]
    Serve(#[from] ServeError),
    /// The page did not come.
    #[error("no page came through the gateway")]
    Fetch(#[from] FetchError),
}

/// Fetches a page of our own host's by the gateway, through the operating system's sockets, and by the gateway again. Nothing
/// leaves this computer. `entropy` are 32 bytes from the operating system.
///
/// # Errors
/// The operating system refuses something on that way, and which it is.
pub fn check(entropy: [u8; 32]) -> Result<(), CheckError> {
    // No TLS takes part, so no clock is needed.
    let mut setup = Setup::new("me", Config::new(TimeSource::starting_at(0), Crypto::Real));
    let entrance = setup.forward(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, 80)?;
    let mut outside = setup.build(entropy)?;
    let mut host = outside.runner.host(outside.host);
    host.return_page(80, |_: Request| Response::text("here"))?;
    host.fetch(Fetch::get(format!("http://{entrance}/")).max_time(LIMIT))?;
    Ok(())
}
