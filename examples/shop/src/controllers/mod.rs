//! The verbs: each takes a visit, has models do something, and gives a page or the way to another one.
//!
//! What Django calls a "view" is one of these. They hold no SQL and no HTML.

pub(crate) mod accounts;
pub(crate) mod addresses;
pub(crate) mod products;
pub(crate) mod reviews;
pub(crate) mod sessions;
