//! Raw bytes by hand: what scripts let a layer hear, and how they read what it says.
//!
//! Nothing here is shared with the layers under test: a mistake made twice would not show.

pub mod damage;
pub mod dns;
pub mod ethernet;
pub mod ip;
pub mod tcp;
pub mod udp;
