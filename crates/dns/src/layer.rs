//! DNS as a layer: names above, datagrams below, a resolver and perhaps a server between.

use framewise_core::seams::datagram::{DatagramDown, DatagramUp};
use framewise_core::seams::resolve::{NameDown, NameUp};
use framewise_core::seams::{Datagrams, Names};
use framewise_core::{Cx, Instant, Layer, Rng};

use crate::config::Config;
use crate::question::PORT;
use crate::resolver::Resolver;
use crate::server::Server;

/// The name of this layer in counters and traces.
pub(crate) const NAME: &str = "dns";

/// DNS between the name seam and the datagram seam.
#[derive(Debug)]
pub struct Dns {
    resolver: Resolver,
    server: Option<Server>,
}

impl Dns {
    /// A DNS layer that knows nothing yet. Ids and ports are drawn from `rng`: a forger must not be able to
    /// guess them.
    pub fn new(config: Config, rng: Rng) -> Self {
        let zone = config.zone.clone();
        Dns {
            server: zone.map(|zone| Server::new(zone, config.limits.responses)),
            resolver: Resolver::new(config, rng),
        }
    }
}

impl Layer for Dns {
    type Upper = Names;
    type Lower = Datagrams;

    fn name(&self) -> &'static str {
        NAME
    }

    fn handle_outbound(&mut self, message: NameDown, cx: &mut Cx) {
        match message {
            NameDown::Resolve { query, name } => self.resolver.resolve(query, name, cx),
            NameDown::Cancel { query } => self.resolver.cancel(query),
        }
    }

    fn handle_inbound(&mut self, message: DatagramUp, cx: &mut Cx) {
        match message {
            DatagramUp::Datagram(datagram) => match &mut self.server {
                Some(server) if datagram.port == PORT => server.receive(&datagram, cx),
                _ => self.resolver.receive(&datagram, cx),
            },
            DatagramUp::Unreachable { port: PORT, .. } => cx.dropped(NAME, "response did not arrive"),
            DatagramUp::Unreachable { port, remote, kind } => {
                self.resolver.unreachable(port, remote, kind, cx)
            }
            DatagramUp::BindFailed { port: PORT } => cx.dropped(NAME, "port 53 is taken: nobody is answered"),
            DatagramUp::BindFailed { port } => self.resolver.bind_failed(port, cx),
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<DatagramDown> {
        self.resolver.poll_outbound().or_else(|| self.server.as_mut()?.poll_outbound())
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<NameUp> {
        self.resolver.poll_inbound()
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.resolver.handle_timeout(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.resolver.poll_timeout()
    }
}
