//! The nouns: each a table, each value of a model one record, which creates, updates and deletes itself.
//!
//! ```text
//!   Customer 1 ── 0..1 ShippingAddress
//!      1
//!      │
//!      *
//!   Review * ── 1 Product
//! ```
//!
//! A model knows its statements and its relations. It knows nothing of requests, forms or pages.

mod customer;
mod product;
mod review;
mod shipping_address;

pub(crate) use customer::Customer;
pub(crate) use product::{Product, Rated};
pub(crate) use review::{Review, Words};
pub(crate) use shipping_address::{Place, ShippingAddress};

use crate::database::{DatabaseError, Records, Value};
