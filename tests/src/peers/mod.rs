//! Programs that others wrote, to talk to and to be judged by.

mod curl;
mod dnsmasq;
mod framewise;
mod nginx;
mod ping;
mod tshark;

pub use curl::{Curl, CurlAnswer};
pub use dnsmasq::Dnsmasq;
pub use framewise::Framewise;
pub use nginx::{Nginx, NginxRunning, SIZES, Tls, body_of};
pub use ping::{PingReport, ping};
pub use tshark::{Tshark, bad_checksums, http_objects, malformed};
