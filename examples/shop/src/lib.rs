//! A small shop, made of models, views and controllers on an embedded database: what stands behind `return_page`.
//!
//! ```text
//!   Request ─► routes ─► controller (a verb) ─► models (nouns) ─► SQLite
//!                            │ ▲                    │
//!                            │ └────── records ─────┘
//!                            ▼
//!                        view (a template) ─► Response
//! ```
//!
//! | file or folder | what is in it |
//! |---|---|
//! | `routes.rs` | which controller answers which request |
//! | `controllers/` | the verbs: create an account, update the shipping address, write a review |
//! | `models/` | the nouns: `Customer`, `ShippingAddress`, `Review`, `Product`; each value is a record |
//! | `templates/`, `views.rs` | the look |
//! | `shop.rs` | what happens around every controller: sessions, forms, errors |
//! | `database/`, `schema/` | SQLite, and the tables |
//!
//! A [`Shop`] is a [`Handler`](framewise_http::Handler), so that it goes wherever one goes. Time, randomness and the place of its
//! records are handed in: in memory with a seed, the same visits make the same bytes.
//!
//! ```
//! use framewise::World;
//! use framewise_shop::{Config, Shop};
//!
//! let mut world = World::new(7)?;
//! let shop = Shop::new(Config::simulated(7, framewise::world::EPOCH));
//! world.runner.host(world.server).return_page_secure(443, shop)?;
//! let page = world.runner.host(world.me).fetch_page("https://shop.test/products/1?mvc")?;
//! assert!(page.text().contains("A packet of tea."));
//! assert!(page.text().contains("products::show_product"), "and below it, how it was made");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod assets;
mod config;
mod controllers;
mod database;
mod forms;
mod models;
mod password;
mod routes;
mod session;
mod shop;
mod trail;
mod views;
mod visit;
mod watch;

pub use config::{Config, Place, Stopwatch};
pub use database::DatabaseError;
pub use shop::Shop;
pub use watch::{Doing, Watch};
