//! Packets passed on: what a router does. RFC 1812 section 5 (IPv4), RFC 8200 section 3 and RFC 4443 section 3.

use std::net::IpAddr;

use framewise_core::buf::ChecksumState;
use framewise_core::read::u8_at;
use framewise_core::seams::segment::TCP;
use framewise_core::{Buf, Cx};

use crate::fragment;
use crate::inbound::stays_on_link;
use crate::ipv4::{self, Ipv4Header};
use crate::ipv6::{self, Ipv6Header};
use crate::layer::{Ip, LAYER};
use crate::messages::Complaint;
use crate::outbound::Hop;

impl Ip {
    pub(crate) fn forward_ipv4(&mut self, mut packet: Buf, header: &Ipv4Header, cx: &mut Cx) {
        let Some((hop, mtu)) =
            self.way_on(&packet, header.source.into(), header.destination.into(), header.time_to_live, cx)
        else {
            return;
        };
        let length = wire_length(&packet, header.header_len, header.protocol);
        if length > mtu && header.dont_fragment {
            cx.dropped(LAYER, "too big for the next link");
            self.complain(&packet, Complaint::TooBig { mtu }, cx);
            return;
        }
        ipv4::decrement_time_to_live(&mut packet, header.header_len);
        verified_is_complete(&mut packet);
        if length <= mtu {
            return self.dispatch(packet, hop, cx);
        }
        let header = Ipv4Header { time_to_live: header.time_to_live.saturating_sub(1), ..*header };
        fragment::complete_checksum(&mut packet);
        let parts = fragment::split_ipv4(&packet, &header, mtu);
        if parts.is_empty() {
            return cx.dropped(LAYER, "too big for the next link");
        }
        for part in parts {
            self.dispatch(part, hop, cx);
        }
    }

    pub(crate) fn forward_ipv6(&mut self, mut packet: Buf, header: &Ipv6Header, cx: &mut Cx) {
        let Some((hop, mtu)) =
            self.way_on(&packet, header.source.into(), header.destination.into(), header.hop_limit, cx)
        else {
            return;
        };
        if wire_length(&packet, ipv6::HEADER_LEN, header.next_header) > mtu {
            cx.dropped(LAYER, "too big for the next link");
            self.complain(&packet, Complaint::TooBig { mtu }, cx);
            return;
        }
        if let Some(hop_limit) = packet.get_mut(7) {
            *hop_limit = header.hop_limit.saturating_sub(1);
        }
        verified_is_complete(&mut packet);
        self.dispatch(packet, hop, cx);
    }

    /// Where a packet goes on to, and how large it may be there; or else its source is told why it doesn't.
    fn way_on(
        &mut self,
        packet: &Buf,
        source: IpAddr,
        destination: IpAddr,
        hops: u8,
        cx: &mut Cx,
    ) -> Option<(Hop, usize)> {
        if stays_on_link(source) || stays_on_link(destination) {
            cx.dropped(LAYER, "link-local address, not forwarded");
            return None;
        }
        if hops <= 1 {
            cx.dropped(LAYER, "time to live is over");
            self.complain(packet, Complaint::TimeExceeded, cx);
            return None;
        }
        let way = self.routes.lookup(destination);
        let interface = way.and_then(|way| self.interface(way.interface));
        // Others' packets are none of our path MTU's business: only the link counts.
        let mtu = interface.map(|interface| interface.mtu_for(destination));
        let directed = interface.is_some_and(|interface| match destination {
            IpAddr::V4(destination) => interface.is_broadcast(destination),
            IpAddr::V6(_) => false,
        });
        if directed {
            cx.dropped(LAYER, "broadcast to another network");
            return None;
        }
        let (Some(hop), Some(mtu)) = (self.hop(source, destination, None), mtu) else {
            cx.dropped(LAYER, "no route");
            self.complain(packet, Complaint::NetworkUnreachable, cx);
            return None;
        };
        Some((hop, mtu))
    }
}

/// The largest packet that this one is on the wire: itself, or the segments that the device will cut it into.
fn wire_length(packet: &Buf, header_len: usize, protocol: u8) -> usize {
    let Some(size) = packet.label().offload.segment_size else {
        return packet.len();
    };
    let transport = match protocol {
        TCP => usize::from(u8_at(packet, header_len + 12).unwrap_or(0) >> 4) * 4,
        _ => 8,
    };
    packet.len().min(header_len + transport + usize::from(size))
}

/// What one device has verified another needs not compute.
fn verified_is_complete(packet: &mut Buf) {
    let offload = &mut packet.label_mut().offload;
    if offload.checksum == ChecksumState::Verified {
        offload.checksum = ChecksumState::Complete;
    }
}
