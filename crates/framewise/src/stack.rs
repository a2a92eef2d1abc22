//! The layers of a host, stacked.
//!
//! ```text
//!   Exchanges            Names
//!   ┌──────┐             ┌──────┐
//!   │ http │             │ dns  │
//!   ├──────┤             ├──────┤
//!   │ tls  │             │ udp  │
//!   ├──────┤             └──┬───┘
//!   │ tcp  │      Beside    │
//!   ├──────┴────────────────┴───┐
//!   │ ip                        │
//!   ├───────────────────────────┤
//!   │ ethernet                  │
//!   └───────────────────────────┘
//!               Frames
//! ```

use framewise_core::seams::{Datagrams, Exchanges, Frames, Names, Packets, Segments, Streams};
use framewise_core::{Beside, Both, Layer, Over};
use framewise_dns::Dns;
use framewise_ethernet::Ethernet;
use framewise_http::Http;
use framewise_ip::Ip;
use framewise_tcp::Tcp;
use framewise_tls::Tls;
use framewise_udp::Udp;

/// What an application says to a stack: requests and responses on the left, names on the right.
pub type Application = Both<Exchanges, Names>;

/// Our own layers, composed at compile time: no call between them is indirect.
pub type Stack = Over<Beside<Over<Http, Over<Tls, Tcp>>, Over<Dns, Udp>>, Over<Ip, Ethernet>>;

/// Any stack, whatever it is made of.
pub type AnyStack = Box<dyn Layer<Upper = Application, Lower = Frames>>;

/// A layer in a box: how one's own takes the place of ours at run time.
pub type Boxed<Upper, Lower> = Box<dyn Layer<Upper = Upper, Lower = Lower>>;

/// The layers of one host, each of which may be replaced before they are stacked.
///
/// ```
/// use framewise::tcp::{Config, Tcp};
/// use framewise::{World, WorldConfig};
///
/// // Another TCP for my computer: here ours with a small window, elsewhere one's own.
/// let world = World::build(&WorldConfig::default(), &mut |host, randomness| {
///     let mut layers = host.layers(randomness)?;
///     if host.name == "me" {
///         let config = Config { receive_window: 4_096, ..Config::default() };
///         layers.tcp = Box::new(Tcp::new(config, randomness.fork("own tcp")));
///     }
///     Ok(layers.stacked())
/// })?;
/// # Ok::<(), framewise::world::WorldError>(())
/// ```
pub struct Layers {
    /// Between the application and TLS.
    pub http: Boxed<Exchanges, Streams>,
    /// Between HTTP and TCP.
    pub tls: Boxed<Streams, Streams>,
    /// Between TLS and IP.
    pub tcp: Boxed<Streams, Segments>,
    /// Between the application and UDP.
    pub dns: Boxed<Names, Datagrams>,
    /// Between DNS and IP.
    pub udp: Boxed<Datagrams, Segments>,
    /// Between TCP, UDP and Ethernet.
    pub ip: Boxed<Segments, Packets>,
    /// Between IP and the device.
    pub ethernet: Boxed<Packets, Frames>,
}

impl Layers {
    /// Stacks the layers as they are.
    pub fn stacked(self) -> AnyStack {
        let web = Over::new(self.http, Over::new(self.tls, self.tcp));
        let names = Over::new(self.dns, self.udp);
        Box::new(Over::new(Beside::new(web, names), Over::new(self.ip, self.ethernet)))
    }
}
