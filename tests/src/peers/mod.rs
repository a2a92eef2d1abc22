//! Programs that others wrote, to talk to and to be judged by.

mod apache;
mod chromium;
mod curl;
mod dnsmasq;
mod framewise;
mod journey;
mod nginx;
mod openssl;
mod pdml;
mod ping;
mod python;
mod tshark;

pub use apache::{Apache, ApacheRunning};
pub use chromium::Chromium;
pub use curl::{Curl, CurlAnswer};
pub use dnsmasq::Dnsmasq;
pub use framewise::{Framewise, program};
pub use nginx::{Nginx, NginxRunning, SIZES, Tls, body_of};
pub use openssl::OpensslServer;
pub use pdml::PdmlField;
pub use ping::{PingReport, ping};
pub use python::Python;
pub use tshark::{Tshark, bad_checksums, http_objects, malformed};
