//! A web page's whole way, in userspace: `fetch_page` down through HTTP, TLS, TCP, IP and Ethernet, `return_page`
//! up through the same layers on the other side.
//!
//! ```
//! use framewise::World;
//! use framewise::http::{Request, Response};
//!
//! // Two computers and a router, all inside this program; everything random follows from the seed.
//! let mut world = World::new(7)?;
//! world.runner.host(world.server).return_page_secure(443, |request: Request| {
//!     Response::text(format!("you asked for {}", request.path()))
//! })?;
//! let page = world.runner.host(world.me).fetch_page("https://shop.test/hello")?;
//! assert_eq!(page.text(), "you asked for /hello");
//! assert_eq!(page.connection.tls.unwrap().version, "TLS 1.3");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | see |
//! |---|---|
//! | fetch and return pages in memory | [`World`] |
//! | fetch from the real network, and serve to it, without root | [`gateway`] |
//! | put hosts on wires and devices of one's own | [`Runner`] |
//! | build a host, and replace one of its layers | [`HostConfig`], [`stack::Layers`] |
//! | watch what crosses between layers | [`Runner::observe`] |
//! | follow redirects, send forms and cookies, decode, try again | [`Fetch`] |
//! | see what each layer costs | [`cost::Meter`] |

#![forbid(unsafe_code)]

mod answers;
#[cfg(any(test, not(unix)))]
mod bell;
mod client;
mod clock;
pub mod config;
pub mod cost;
pub mod drops;
pub mod error;
pub mod fetch;
pub mod gateway;
pub mod host;
pub mod link;
mod node;
pub mod runner;
mod running;
mod server;
pub mod stack;
mod taken;
mod turn;
mod upload;
mod wait;
mod wake;
mod watching;
mod window;
pub mod world;

pub use config::{HostConfig, Interface};
pub use error::{FetchError, ServeError};
pub use fetch::{
    BodySink, CodingError, Cookie, CookieFileError, CookieJar, Decoding, Fetch, FetchId, FieldError, Form,
    KnownAddress, Maker, Page, Part, Redirect, RedirectError, Retry, SharedJar, Timings,
};
pub use host::HostMut;
pub use link::WireId;
pub use runner::{Ended, HostId, Plug, Runner, SharedObserver};
pub use wake::Waker;
pub use world::{World, WorldConfig};

// The layers, under the names by which one speaks of them.
pub use framewise_core as core;
pub use framewise_device as device;
pub use framewise_dns as dns;
pub use framewise_ethernet as ethernet;
pub use framewise_http as http;
pub use framewise_ip as ip;
pub use framewise_tcp as tcp;
pub use framewise_tls as tls;
pub use framewise_udp as udp;

/// 32 bytes from the operating system, for a run in real time.
///
/// # Errors
/// The operating system has none to give.
pub fn entropy() -> std::io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::getrandom(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(bytes)
}
