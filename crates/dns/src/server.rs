//! The small authoritative server: answers questions about its zone, and nothing else.
//!
//! Read first: RFC 1035 section 4; RFC 5358 (not to be used for reflection).
//!
//! It never asks anybody, never answers a response, and never says more than 512 bytes, so that two servers can't keep
//! each other busy and nobody's traffic is multiplied much by it.

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;
use framewise_core::Cx;
use framewise_core::seams::datagram::{Datagram, DatagramDown};

use crate::layer::NAME;
use crate::message::Message;
use crate::question::PORT;
use crate::zone::Zone;

/// The answering half of a DNS layer.
#[derive(Debug)]
pub(crate) struct Server {
    zone: Zone,
    /// How many responses wait at most.
    limit: usize,
    responses: VecDeque<Datagram>,
    bound: bool,
}

impl Server {
    pub(crate) fn new(zone: Zone, limit: usize) -> Self {
        Server { zone, limit, responses: VecDeque::new(), bound: false }
    }

    /// A datagram came to our port.
    pub(crate) fn receive(&mut self, datagram: &Datagram, cx: &mut Cx) {
        if datagram.remote.port() == 0 {
            return cx.dropped(NAME, "query from port 0");
        }
        let Ok(query) = Message::parse(&datagram.data) else {
            return cx.dropped(NAME, "malformed message");
        };
        if query.response {
            return cx.dropped(NAME, "response to a server");
        }
        if self.responses.len() >= self.limit {
            return cx.dropped(NAME, "too many responses wait");
        }
        let response = self.zone.respond(&query);
        let Ok(bytes) = response.emit() else {
            return cx.dropped(NAME, "response can't be written");
        };
        self.responses.push_back(Datagram {
            port: PORT,
            local: datagram.local.filter(is_of_one_host),
            remote: datagram.remote,
            data: Bytes::from(bytes),
        });
    }

    pub(crate) fn poll_outbound(&mut self) -> Option<DatagramDown> {
        if !self.bound {
            self.bound = true;
            return Some(DatagramDown::Bind { port: PORT });
        }
        self.responses.pop_front().map(DatagramDown::Send)
    }
}

/// A query may come by multicast or broadcast; an answer never leaves from such an address (RFC 1122 section 3.2.1.3).
fn is_of_one_host(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_multicast() && !address.is_broadcast(),
        IpAddr::V6(address) => !address.is_multicast(),
    }
}
