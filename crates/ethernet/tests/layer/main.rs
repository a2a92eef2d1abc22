//! The Ethernet layer from outside: frames in, frames out, in virtual time.

mod assign;
mod claims;
mod headers;
mod hostile;
mod resolution;
mod script;
