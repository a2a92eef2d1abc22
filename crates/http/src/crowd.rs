//! How many connections each client has, so that one of them can't take the place of all others.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

/// Connections by client. Of IPv6 a client is a network of 64 bits, for that is what one is given (RFC 4291, section 2.5.4).
#[derive(Debug, Default)]
pub(crate) struct Crowd(BTreeMap<IpAddr, usize>);

impl Crowd {
    /// Counts one more of `address`; `false` where that has `limit` already.
    pub(crate) fn enter(&mut self, address: IpAddr, limit: usize) -> bool {
        let count = self.0.entry(client(address)).or_default();
        let is_room = *count < limit;
        *count += usize::from(is_room);
        if *count == 0 {
            self.0.remove(&client(address));
        }
        is_room
    }

    /// One of `address` has ended.
    pub(crate) fn leave(&mut self, address: IpAddr) {
        let client = client(address);
        if let Some(count) = self.0.get_mut(&client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&client);
            }
        }
    }
}

fn client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}
