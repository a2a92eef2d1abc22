//! rustls' configurations, made once for a layer from ours, and the frame around each call into rustls.

use std::net::IpAddr;
use std::sync::Arc;

use framewise_core::{Cx, Rng};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache};
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion, version};
use rustls_pki_types::ServerName;

use crate::board::Board;
use crate::config::{Config, ConfigError, Crypto, Roots, Server, Versions};
use crate::session::Session;
use crate::time::TimeSource;
use crate::{identity, roots, simulated, verify};

/// What a layer's connections share.
pub(crate) struct Engine {
    client: Option<Arc<ClientConfig>>,
    server: Option<Arc<ServerConfig>>,
    board: Board,
    time: TimeSource,
    /// In simulation, the stream that everything is drawn from; lent to rustls for each call.
    randomness: Option<Rng>,
    /// By which address clients know us, where that is not our own.
    known_as: Option<IpAddr>,
}

impl Engine {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let (provider, randomness) = match &config.crypto {
            Crypto::Real => (ring::default_provider(), None),
            Crypto::Simulated(crypto) => {
                refuse_the_real_world(config)?;
                (simulated::provider(), Some(crypto.clone().into_rng()))
            }
        };
        let (provider, board) = (Arc::new(provider), Board::default());
        Ok(Engine {
            client: client(config, &provider, &board)?,
            server: server(config, &provider, &board)?,
            board,
            time: config.time,
            randomness,
            known_as: config.known_as,
        })
    }

    pub(crate) fn is_server(&self) -> bool {
        self.server.is_some()
    }

    /// A client's session with the server of this name; `None` where no roots are set up.
    pub(crate) fn connect(
        &mut self,
        name: ServerName<'static>,
        cx: &mut Cx,
    ) -> Option<Result<Session, rustls::Error>> {
        let config = self.client.clone()?;
        Some(self.call(None, cx, |_, _| Session::client(config, name)))
    }

    /// A server's session with whoever came; `None` where no identity is set up.
    pub(crate) fn accept(&mut self, cx: &mut Cx) -> Option<Result<Session, rustls::Error>> {
        let config = self.server.clone()?;
        Some(self.call(None, cx, |_, _| Session::server(config)))
    }

    /// Does something with a session: at the time of `cx`, with randomness lent where it is simulated, and with the
    /// secrets that came up told afterwards.
    pub(crate) fn call<T>(
        &mut self,
        local: Option<IpAddr>,
        cx: &mut Cx,
        act: impl FnOnce(&Board, &mut Cx) -> T,
    ) -> T {
        self.board.begin(self.time.unix_seconds(cx.now), self.known_as.or(local));
        let board = &self.board;
        let result = simulated::lend(&mut self.randomness, || act(board, cx));
        for secret in self.board.take_secrets() {
            cx.secret(&secret);
        }
        result
    }
}

/// Predictable keys must never meet servers of the real world, nor an authority that browsers trust.
fn refuse_the_real_world(config: &Config) -> Result<(), ConfigError> {
    for set in &config.client.roots {
        if matches!(set, Roots::System | Roots::WebPki) {
            return Err(ConfigError::SimulatedWithReal("the roots of the real world"));
        }
    }
    match &config.server {
        Some(Server::Authority(authority)) if !authority.is_simulated() => {
            Err(ConfigError::SimulatedWithReal("an authority that was not simulated"))
        }
        _ => Ok(()),
    }
}

fn client(
    config: &Config,
    provider: &Arc<CryptoProvider>,
    board: &Board,
) -> Result<Option<Arc<ClientConfig>>, ConfigError> {
    let options = &config.client;
    if options.roots.is_empty() && options.verify {
        return Ok(None);
    }
    let roots = roots::collect(&options.roots)?;
    let verifier = verify::verifier(roots, options.verify, provider.clone(), board.clone())?;
    let mut made = ClientConfig::builder_with_details(provider.clone(), Arc::new(board.clone()))
        .with_protocol_versions(versions(config.versions))
        .map_err(|error| ConfigError::Versions(Box::new(error)))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(board.clone()));
    made.alpn_protocols = alpn(config);
    made.resumption = match config.resumption {
        true => Resumption::store(Arc::new(ClientSessionMemoryCache::new(config.limits.sessions))),
        false => Resumption::disabled(),
    };
    if config.export_secrets {
        made.key_log = Arc::new(board.clone());
    }
    Ok(Some(Arc::new(made)))
}

/// Sessions are kept in memory under random names, for both versions, rather than sealed into tickets: rustls'
/// ticketer reads the system's clock.
fn server(
    config: &Config,
    provider: &Arc<CryptoProvider>,
    board: &Board,
) -> Result<Option<Arc<ServerConfig>>, ConfigError> {
    let Some(identities) = &config.server else {
        return Ok(None);
    };
    let resolver = identity::resolver(identities, provider.clone(), board.clone())?;
    let mut made = ServerConfig::builder_with_details(provider.clone(), Arc::new(board.clone()))
        .with_protocol_versions(versions(config.versions))
        .map_err(|error| ConfigError::Versions(Box::new(error)))?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    made.alpn_protocols = alpn(config);
    if config.resumption {
        made.session_storage = ServerSessionMemoryCache::new(config.limits.sessions);
    } else {
        made.session_storage = Arc::new(NoServerSessionStorage {});
        made.send_tls13_tickets = 0;
    }
    if config.export_secrets {
        made.key_log = Arc::new(board.clone());
    }
    Ok(Some(Arc::new(made)))
}

fn versions(versions: Versions) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
    let [only13, only12] = BOTH.each_ref();
    match versions {
        Versions::Both => &BOTH,
        Versions::Only12 => std::slice::from_ref(only12),
        Versions::Only13 => std::slice::from_ref(only13),
    }
}

fn alpn(config: &Config) -> Vec<Vec<u8>> {
    config.alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect()
}
