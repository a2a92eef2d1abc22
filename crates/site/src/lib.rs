//! What is served: above the exchange seam, and without a word about connections.
//!
//! ```text
//!   Request ─► Router ─┬─► "/items/{id}"       a function
//!                      ├─► "/static/{*rest}"   StaticFiles, a directory
//!                      └─► nothing fits: 404 or 405, and what would be right
//! ```
//!
//! Everything here is a [`Handler`](framewise_http::Handler), so that it goes wherever one goes.
//!
//! ```
//! use framewise_http::{Request, Response};
//! use framewise_site::Router;
//!
//! let site = Router::new()
//!     .get("/", |_: Request| Response::html("<h1>shop</h1>"))
//!     .get("/items/{id}", |request: Request| {
//!         Response::text(format!("item {}", request.params.get("id").unwrap_or("?")))
//!     });
//! # let _: &dyn framewise_http::Handler = &site;
//! ```

#![forbid(unsafe_code)]

pub mod builtin;
mod compress;
mod date;
mod files;
mod form;
mod lessons;
mod pattern;
mod picture;
mod router;
mod sink;

pub use builtin::builtin;
pub use compress::Compressed;
pub use date::{Clock, Dated};
pub use files::{FilesError, StaticFiles};
pub use form::{Field, FormError, FormLimits, form};
pub use framewise_http::{escape, page};
pub use pattern::{Pattern, PatternError};
pub use router::Router;
pub use sink::Sink;
