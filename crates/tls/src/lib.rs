//! TLS behind the stream seam: what is said between two programs stays between them.
//!
//! ```text
//!      plaintext │            ▲ plaintext           Connect, Listen say: plain or TLS
//!        ┌───────▼────────────┴───────┐
//!        │ Tls   one Connection each  │             a plain connection passes through untouched
//!        │  outbound ─► session ─► sealed           rustls seals records and opens them
//!        │  inbound  ◄─ session ◄─ ciphertext       credits both ways bound every queue
//!        └───────┬────────────▲───────┘
//!     ciphertext ▼            │ ciphertext          below, everything is plain
//! ```
//!
//! The protocol itself (RFC 8446 for TLS 1.3, RFC 5246 for 1.2) is rustls'; ours are the bookkeeping of bytes and
//! credit, the life of a connection, the certificates of a lab, the wording of what went wrong, and
//! runs that are the same byte for byte when their seed is.
//!
//! # Where to look
//!
//! | to learn | read |
//! |---|---|
//! | how messages become connections' business | `layer.rs` |
//! | how a connection lives and ends | `connection.rs` |
//! | how credit is counted | `outbound.rs`, `inbound.rs` |
//! | where rustls is called | `session.rs`, and nowhere else |
//! | who vouches for `shop.test` | [`authority`] |
//! | how a simulated run is made repeatable | [`simulated`] |
//! | what each failure is called, and why | `errors/` |
//! | whose fault it is that a server is refused | `blame.rs` |
//! | what a record looks like | [`record`], [`describe`](mod@describe) |
//! | what a capture with its key log shows | [`passive`] |
//!
//! # The layer alone
//!
//! A client that was told to connect asks the layer below for a plain connection, and begins to shake hands as soon
//! as it is open:
//!
//! ```
//! use framewise_core::id::{ConnId, Opener};
//! use framewise_core::seams::stream::{ConnInfo, Security, StreamDown, StreamUp};
//! use framewise_core::{Counters, Cx, Instant, Layer, Rng};
//! use framewise_tls::{Authority, Config, Crypto, Roots, SimulatedCrypto, TimeSource, Tls};
//!
//! let (rng, time) = (Rng::from_seed(1), TimeSource::starting_at(1_790_000_000));
//! let authority = Authority::simulated_never_on_a_real_device(&rng, time)?;
//! let crypto = Crypto::Simulated(SimulatedCrypto::never_on_a_real_device(rng.fork("me/tls")));
//! let mut config = Config::new(time, crypto);
//! config.client.roots = vec![Roots::Lab(authority.certificate().clone())];
//! let mut tls = Tls::new(config)?;
//!
//! let (mut counters, conn) = (Counters::default(), ConnId::new(Opener::Upper, 0, 0));
//! let mut cx = Cx::new(Instant::ZERO, &mut counters);
//! let remote = "203.0.113.80:443".parse()?;
//! tls.handle_outbound(StreamDown::Connect { conn, remote, security: Security::Tls(Some("shop.test".into())) }, &mut cx);
//! assert!(matches!(tls.poll_outbound(&mut cx), Some(StreamDown::Connect { security: Security::Plain, .. })));
//!
//! let info = Box::new(ConnInfo { local: "192.0.2.10:49152".parse()?, remote, tls: None });
//! tls.handle_inbound(StreamUp::Opened { conn, info }, &mut cx);
//! tls.handle_inbound(StreamUp::Writable { conn, bytes: 65_536 }, &mut cx);
//! let hello = std::iter::from_fn(|| tls.poll_outbound(&mut cx)).find_map(|message| match message {
//!     StreamDown::Send { data, .. } => Some(data),
//!     _ => None,
//! });
//! assert_eq!(hello.expect("a ClientHello")[0], 22, "a handshake record");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod authority;
mod blame;
mod board;
mod certificate;
mod config;
mod connection;
mod der;
pub mod describe;
pub mod drops;
mod engine;
mod errors;
pub mod handshake;
mod identity;
mod inbound;
mod keylog;
mod layer;
mod outbound;
pub mod passive;
mod presented;
pub mod record;
mod roots;
mod session;
pub mod simulated;
pub mod store;
mod time;
mod vector;
mod verify;

pub use authority::{Authority, AuthorityError};
pub use certificate::{Certificate, CertificateChain, MaterialError, PrivateKey};
pub use config::{Cause, ClientOptions, Config, ConfigError, Crypto, Limits, Roots, Server, Versions};
pub use describe::{Context, describe, describe_alert, describe_handshake};
pub use identity::{Identity, IdentityError};
pub use layer::Tls;
pub use simulated::SimulatedCrypto;
pub use time::TimeSource;
