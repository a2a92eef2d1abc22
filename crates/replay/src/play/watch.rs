//! What the player sees of the host's frames as they are sent: who looks for a neighbour gets an answer, and up to where a
//! connection has come is kept in mind, as what an error may quote is.

use std::net::IpAddr;

use framewise::ethernet::{EtherType, FrameView};
use framewise::ip::{Ipv4Header, Ipv6Header, ipv6};
use framewise::tcp::Header as TcpHeader;
use framewise::tcp::segment::Flags;

use super::peer::length;
use super::{NO_PORT, Player};
use crate::error::PlayError;
use crate::frames::{Flow, wanted_neighbour};
use crate::script::{ArpKind, Content, Injection};

const TCP: u8 = 6;

impl Player<'_> {
    /// Looks at what the host has sent since; `true`: there was something.
    pub(super) fn look(&mut self) -> Result<bool, PlayError> {
        let begun = self.looked_at;
        while let Some((_, frame)) = self.live.sent(self.looked_at) {
            let index = self.looked_at;
            self.looked_at += 1;
            let neighbour = wanted_neighbour(&frame).filter(|wanted| self.plays(*wanted));
            match neighbour {
                Some(about) => {
                    self.answered.push(index);
                    self.answer(about)?;
                }
                None => self.sent_by_host(&frame),
            }
        }
        Ok(self.looked_at > begun)
    }

    /// Whether the player answers for this address.
    fn plays(&self, wanted: IpAddr) -> bool {
        let host = &self.script.host;
        self.script.answers_neighbours
            && (self.maker.peer.address == wanted
                || host.gateways.contains(&wanted)
                || host.name_servers.contains(&wanted))
    }

    fn answer(&mut self, about: IpAddr) -> Result<(), PlayError> {
        let content = match about {
            IpAddr::V4(_) => Content::Arp { kind: ArpKind::Reply, about },
            IpAddr::V6(_) => Content::Advertisement { about },
        };
        let answer = Injection { from: Some(about), ..Injection::of(content) };
        let made = self.maker.make(&answer, &Flow::default());
        for frame in made.map_err(|why| PlayError::Step { line: 0, why: why.to_owned() })? {
            self.live.give(&frame, self.live.now())?;
            self.came.push(None);
        }
        Ok(())
    }

    /// Keeps in mind what an error may quote, and up to where the host has sent.
    fn sent_by_host(&mut self, frame: &[u8]) {
        let Ok(view) = FrameView::new(frame) else { return };
        let packet = view.payload();
        let (header, protocol, to) = match view.ethertype() {
            EtherType::IPV4 => match Ipv4Header::read(packet) {
                Ok(header) => (header.header_len, header.protocol, IpAddr::from(header.destination)),
                Err(_) => return,
            },
            EtherType::IPV6 => match Ipv6Header::read(packet) {
                Ok(header) => (ipv6::HEADER_LEN, header.next_header, header.destination.into()),
                Err(_) => return,
            },
            _ => return,
        };
        self.maker.quoted = packet.to_vec();
        let segment = packet.get(header..).unwrap_or_default();
        let Some(tcp) = TcpHeader::parse(segment).ok().filter(|_| protocol == TCP) else { return };
        let key = (to, tcp.destination_port);
        let flow = self.flows.entry(key).or_default();
        flow.host_port = tcp.source_port;
        if tcp.has(Flags::SYN) {
            (flow.host_isn, flow.host_next) = (Some(tcp.sequence.0), 0);
        }
        let isn = flow.host_isn.unwrap_or_default();
        let data = view.unpadded_length().saturating_sub(header + tcp.length);
        let end = tcp.sequence.0.wrapping_sub(isn).wrapping_add(length(tcp.flags, data));
        let is_further = end.wrapping_sub(flow.host_next) < 1 << 31;
        if is_further && flow.host_isn.is_some() {
            flow.host_next = end;
        }
        self.current = Some(key);
        if self.maker.peer.port == NO_PORT {
            self.maker.peer.port = tcp.destination_port;
        }
    }
}
