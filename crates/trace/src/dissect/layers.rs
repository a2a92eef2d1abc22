//! The layers of one frame, the outermost first, each explained by its own crate.
//!
//! Nothing of this is kept: it is made when somebody asks.

use std::net::IpAddr;
use std::ops::Range;

use framewise_core::describe::Part;
use framewise_core::read::u16_at;
use framewise_core::seams::segment::{TCP, UDP};
use framewise_core::{Description, Direction};
use framewise_ethernet::{EtherType, Link};
use framewise_ip::extension::ICMPV6;
use framewise_ip::icmpv4;

use super::consequences::wrong_yet_taken;
use super::frame::Frame;
use super::outline::{Outline, hidden};
use super::session::inner_layers;
use super::space::{Place, Space};

/// Kinds of link that have one version of IP only.
const LINKTYPE_IPV4: u32 = 228;
const LINKTYPE_IPV6: u32 = 229;

/// One layer of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What it says. The ranges in it count from [`offset`](Self::offset).
    pub description: Description,
    /// In which bytes it is.
    pub space: Space,
    /// Where in them its first byte stands.
    pub offset: u64,
    /// How many bytes it has in all, also those that came in other frames.
    pub length: u64,
    /// Which bytes of that space this frame has brought of it: all of a header, a part of a record that takes several frames.
    pub here: Range<u64>,
    /// Whether it never got this, since a layer below it refused the frame. What is described is what it would have read.
    pub is_lost: bool,
}

impl Layer {
    /// The layer whose description counts from byte `offset` of `space`, all of it here.
    fn new(description: Description, space: Space, offset: usize, length: usize) -> Self {
        let offset = offset as u64;
        let length = length as u64;
        Layer { description, space, offset, length, here: offset..offset + length, is_lost: false }
    }

    /// The unit that is these bytes of `space`, of which the frame brought those that are here.
    pub(super) fn in_part(
        description: Description,
        space: Space,
        whole: &Range<u64>,
        here: Range<u64>,
    ) -> Self {
        let length = whole.end.saturating_sub(whole.start);
        Layer { description, space, offset: whole.start, length, here, is_lost: false }
    }

    /// What it decided, on the frame's way in this direction.
    pub fn decided(&self, direction: Direction) -> &str {
        match direction {
            _ if self.is_lost => "never got this",
            Direction::Outbound => &self.description.outbound,
            Direction::Inbound => &self.description.inbound,
        }
    }

    /// Which part of it this frame has brought.
    pub fn part(&self) -> Part {
        part_of(&self.here, &(self.offset..self.offset + self.length))
    }

    /// How many bytes of its header and of its trailer this frame has brought.
    pub fn envelope_here(&self) -> (u64, u64) {
        let header = self.place(&self.description.header).range;
        let payload = self.place(&self.description.payload).range;
        let inside_ends = payload.end.max(header.end);
        let header = header.end.min(self.here.end).saturating_sub(header.start.max(self.here.start));
        (header, self.here.end.saturating_sub(inside_ends.max(self.here.start)))
    }

    /// Where these bytes are of which its description speaks.
    pub fn place(&self, range: &Range<usize>) -> Place {
        Place::new(self.space, self.offset + range.start as u64..self.offset + range.end as u64)
    }
}

/// These bytes of a unit, counted from its first.
pub(super) fn part_of(here: &Range<u64>, whole: &Range<u64>) -> Part {
    let from_its_first = |at: u64| at.saturating_sub(whole.start);
    Part::new(from_its_first(here.start)..from_its_first(here.end), from_its_first(whole.end))
}

/// The layers of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// The outermost first. Of a frame with several records or messages all of them, each followed by what ends in it or is still
    /// to go on after the frame.
    pub layers: Vec<Layer>,
    /// What could not be taken apart, and why, in a sentence each.
    pub troubles: Vec<String>,
    /// What the last of several layers of one protocol says together with those before it.
    pub(super) together: Option<String>,
    /// Which of the layers refused the frame.
    refused_by: Option<usize>,
}

impl Stack {
    /// One line: the innermost protocol that got it, and what it says.
    pub fn summary(&self) -> String {
        let innermost = self.refused_by.map_or(self.layers.last(), |refusing| self.layers.get(refusing));
        match (innermost, self.troubles.first()) {
            (Some(Layer { description, .. }), _) => {
                let said = match self.refused_by {
                    Some(_) => &description.inbound,
                    None => self.together.as_ref().unwrap_or(&description.outbound),
                };
                format!("{}: {said}", description.protocol)
            }
            (None, Some(trouble)) => trouble.clone(),
            (None, None) => "nothing that is known here".to_owned(),
        }
    }

    /// Marks the layer that refused it, and those above, which never got it.
    fn refuse(&mut self, name: &str) {
        // Layers call themselves by the name of their crate, which has no version.
        let refuses = |layer: &Layer| layer.description.protocol.to_lowercase().starts_with(name);
        let Some(at) = self.layers.iter().position(refuses) else { return };
        self.refused_by = Some(at);
        let mut layers = self.layers.iter_mut().skip(at);
        if let Some(refusing) = layers.next() {
            refusing.description.next = "nobody: refused here".to_owned();
        }
        layers.for_each(|layer| layer.is_lost = true);
    }

    /// What was said before the last layer was added, if that is of the same protocol.
    pub(super) fn said_before(&mut self) -> Option<String> {
        let [.., before, last] = self.layers.as_slice() else { return None };
        if before.description.protocol != last.description.protocol {
            return None;
        }
        self.together.take().or_else(|| Some(before.description.outbound.clone()))
    }

    /// Takes what a layer crate makes of its bytes.
    pub(super) fn take<E: std::fmt::Display>(
        &mut self,
        described: Result<Description, E>,
        space: Space,
        offset: usize,
        length: usize,
    ) -> bool {
        match described {
            Ok(description) => self.layers.push(Layer::new(description, space, offset, length)),
            Err(error) => {
                self.troubles.push(error.to_string());
                return false;
            }
        }
        true
    }
}

pub(super) fn layers(frame: &Frame<'_>) -> Stack {
    let mut stack = found(frame);
    if let Some(name) = frame.refused_by() {
        stack.refuse(name);
    }
    stack
}

fn found(frame: &Frame<'_>) -> Stack {
    let mut stack = Stack::default();
    let bytes = frame.bytes();
    let Some(interface) = frame.interface() else { return stack };
    let Some(link) = interface.link() else {
        let name = framewise_ethernet::link_type_name(interface.link_type);
        stack.troubles.push(format!("frames of {name} are not taken apart"));
        return stack;
    };
    link_layers(&mut stack, frame, link);
    let space = Space::Frame(frame.number());
    let Some((ethertype, at)) = link.inside(bytes) else { return stack };
    stack.troubles.extend(other_version(interface.link_type, ethertype));
    let rest = bytes.get(at..).unwrap_or_default();
    // What is behind the packet is the link's padding.
    let packet = rest.get(..ethertype.unpadded_length(rest)).unwrap_or(rest);
    match ethertype {
        EtherType::ARP => _ = stack.take(framewise_ethernet::describe_arp(packet), space, at, packet.len()),
        EtherType::IPV4 | EtherType::IPV6 => {
            let is_read = stack.take(framewise_ip::describe(packet), space, at, packet.len());
            match Outline::of(link, bytes).filter(|_| is_read) {
                Some(outline) => above_ip(&mut stack, frame, &outline),
                None if is_read => stack.troubles.extend(hidden(packet)),
                None => {}
            }
        }
        _ => {}
    }
    stack
}

/// What is wrong with a packet of one version of IP under a kind of link that has only the other.
fn other_version(link_type: u32, ethertype: EtherType) -> Option<String> {
    let (is, only) = match (link_type, ethertype) {
        (LINKTYPE_IPV4, EtherType::IPV6) => (6, 4),
        (LINKTYPE_IPV6, EtherType::IPV4) => (4, 6),
        _ => return None,
    };
    let name = framewise_ethernet::link_type_name(link_type);
    Some(format!("this is IP version {is}, though {name} has only version {only}"))
}

/// The header of the link, and the tags behind it.
fn link_layers(stack: &mut Stack, frame: &Frame<'_>, link: Link) {
    let (bytes, space) = (frame.bytes(), Space::Frame(frame.number()));
    if let Some(described) = link.describe(bytes).transpose()
        && !stack.take(described, space, 0, bytes.len())
    {
        return;
    }
    let inside = link.inside(bytes).map(|(_, at)| at);
    let Some((mut ethertype, mut at)) = link.next(bytes) else { return };
    while ethertype.is_tag() && inside.is_some_and(|inside| at < inside) {
        let rest = bytes.get(at..).unwrap_or_default();
        if !stack.take(framewise_ethernet::describe_vlan(rest), space, at, rest.len()) {
            return;
        }
        ethertype = EtherType(u16_at(rest, 2).unwrap_or_default());
        at += framewise_ethernet::vlan::TAG_LENGTH;
    }
}

/// What is in a packet, be it whole or in fragments of which this frame brought the last one.
fn above_ip(stack: &mut Stack, frame: &Frame<'_>, outline: &Outline) {
    if outline.fragment.is_none() {
        let payload = frame.bytes().get(outline.payload.clone()).unwrap_or_default();
        let space = Space::Frame(frame.number());
        return transport(stack, frame, outline, payload, space, outline.payload.start);
    }
    let store = &frame.dissection.store;
    let datagram = frame.datagram().and_then(|id| Some((id, store.datagrams.get(id)?)));
    let Some((id, datagram)) = datagram else { return };
    stack.troubles.extend(datagram.refused.map(|reason| format!("the fragments make no packet: {reason}")));
    let total = datagram.total.filter(|_| datagram.whole_at == Some(frame.number() as u32));
    let whole = total.and_then(|total| store.datagram(id, &(0..total.into())));
    if let Some(payload) = whole {
        let outline = Outline { protocol: datagram.protocol, length: payload.len(), ..outline.clone() };
        transport(stack, frame, &outline, &payload, Space::Datagram(id), 0);
    }
}

fn transport(
    stack: &mut Stack,
    frame: &Frame<'_>,
    outline: &Outline,
    payload: &[u8],
    space: Space,
    at: usize,
) {
    let addresses = (outline.source, outline.destination);
    let length = payload.len();
    match outline.protocol {
        icmpv4::PROTOCOL => _ = stack.take(framewise_ip::describe_icmp(payload), space, at, length),
        ICMPV6 => {
            let described = match addresses {
                (IpAddr::V6(from), IpAddr::V6(to)) => {
                    framewise_ip::describe_icmpv6_between(payload, outline.length, from, to)
                }
                _ => framewise_ip::describe_icmpv6(payload),
            };
            stack.take(described, space, at, length);
        }
        UDP => udp(stack, payload, outline, space, at),
        TCP => {
            let facts = frame.segment().map(|segment| &segment.facts);
            let (from, to) = addresses;
            let described = framewise_tcp::describe_of_length(payload, outline.length, from, to, facts);
            if stack.take(described, space, at, length) {
                taken_all_the_same(stack, frame);
                inner_layers(stack, frame);
            }
        }
        _ => {}
    }
}

/// Says of a checksum that is wrong that the segment was taken all the same, if it was.
fn taken_all_the_same(stack: &mut Stack, frame: &Frame<'_>) {
    let Some(said) = frame.segment().and_then(wrong_yet_taken) else { return };
    let fields = stack.layers.last_mut().map(|layer| &mut layer.description.fields);
    let checksum = fields.and_then(|fields| fields.iter_mut().find(|field| field.name == "checksum"));
    if let Some(checksum) = checksum {
        checksum.meaning = said.replacen('w', "W", 1);
    }
}

fn udp(stack: &mut Stack, datagram: &[u8], outline: &Outline, space: Space, at: usize) {
    let addresses = Some((outline.source, outline.destination));
    let described = framewise_udp::describe_of_length(datagram, outline.length, addresses);
    if !stack.take(described, space, at, datagram.len()) {
        return;
    }
    let ports = [u16_at(datagram, 0), u16_at(datagram, 2)];
    let data = datagram.get(framewise_udp::header::HEADER..).unwrap_or_default();
    if ports.contains(&Some(framewise_dns::PORT)) && !data.is_empty() {
        let at = at + framewise_udp::header::HEADER;
        if datagram.len() < outline.length {
            let (there, all) = (datagram.len(), outline.length);
            stack.troubles.push(format!(
                "{there} of {all} bytes of the datagram were captured: the message in it is not read"
            ));
            return;
        }
        stack.take(framewise_dns::describe(data), space, at, data.len());
    }
}
