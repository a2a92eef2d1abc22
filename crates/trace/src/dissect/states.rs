//! How each layer stands once a frame has passed: what is known of it then, what has just changed, and what is only inferred.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use framewise_core::read::array_at;
use framewise_core::{Direction, MacAddr, StateField};
use framewise_ethernet::passive::{Heard, Neighbours};
use framewise_ethernet::{EtherType, Link};
use framewise_ip::passive::Way;
use framewise_tcp::passive::Ends;
use framewise_tls::passive::Progress;

use super::Dissection;
use super::analysis::of_tcp;
use super::frame::Frame;
use super::session::Session;
use super::space::{ConnectionId, Side, Space, StreamId};

/// How one layer stands after a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerState {
    /// Of which protocol.
    pub protocol: &'static str,
    /// Of which end of a connection; `None`: of both, or of the link.
    pub side: Option<Side>,
    /// Whose it is, as people call it: an address and a port, `this link`.
    pub whose: String,
    /// What is known.
    pub fields: Vec<Stated>,
}

/// Something that is known after a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// What, and what it means.
    pub field: StateField,
    /// Whether this frame has changed it.
    pub is_changed: bool,
    /// What it was before, if it was known then.
    pub before: Option<String>,
}

/// What the frames say about neighbours, by the interface on which they were seen.
#[derive(Debug, Default)]
pub(super) struct Gossip {
    links: BTreeMap<u16, Said>,
}

/// What the frames of one interface say about neighbours.
#[derive(Debug, Default)]
struct Said {
    /// By the numbers of the frames, in order.
    heard: Vec<(u32, Heard)>,
    /// The neighbours before the first of them, before that [`APART`] further on, ...: they are followed from there.
    kept: Vec<Neighbours>,
}

/// Things said between two for which the neighbours are kept.
const APART: usize = 256;

/// Things said about neighbours that are kept. Of more, the later ones are not.
const MOST: usize = 100_000;

impl Gossip {
    fn of(dissection: &Dissection) -> Self {
        let mut links: BTreeMap<u16, Said> = BTreeMap::new();
        let all = dissection.frames().flat_map(|frame| {
            let (number, interface) = (frame.number() as u32, frame.record.interface);
            said(&frame).into_iter().map(move |heard| (number, interface, heard))
        });
        for (number, interface, heard) in all.take(MOST) {
            links.entry(interface).or_default().heard.push((number, heard));
        }
        links.values_mut().for_each(Said::keep);
        Gossip { links }
    }

    /// Who is where, as far as it was said in frames of this interface up to the one of this number.
    fn until(&self, number: usize, interface: u16) -> Neighbours {
        self.links.get(&interface).map(|said| said.until(number)).unwrap_or_default()
    }
}

impl Said {
    fn keep(&mut self) {
        let mut neighbours = Neighbours::default();
        for some in self.heard.chunks(APART) {
            self.kept.push(neighbours.clone());
            some.iter().for_each(|(_, heard)| neighbours.hear(*heard));
        }
    }

    fn until(&self, number: usize) -> Neighbours {
        let end = self.heard.partition_point(|(frame, _)| *frame as usize <= number);
        let place = (end / APART).min(self.kept.len().saturating_sub(1));
        let mut neighbours = self.kept.get(place).cloned().unwrap_or_default();
        let rest = self.heard.get(place * APART..end).unwrap_or_default();
        rest.iter().for_each(|(_, heard)| neighbours.hear(*heard));
        neighbours
    }
}

/// What a frame says about neighbours.
fn said(frame: &Frame<'_>) -> Vec<Heard> {
    let bytes = frame.bytes();
    let inside = frame.interface().and_then(|interface| interface.link()).and_then(|link| link.inside(bytes));
    let Some((ethertype, at)) = inside.filter(|_| frame.refused().is_none()) else { return Vec::new() };
    let packet = bytes.get(at..).unwrap_or_default();
    match ethertype {
        EtherType::ARP => Heard::of_arp(packet),
        EtherType::IPV6 => {
            let said = framewise_ip::passive::neighbours(packet).into_iter();
            said.map(|(address, mac)| Heard { address, mac }).collect()
        }
        _ => Vec::new(),
    }
}

impl<'d> Frame<'d> {
    /// How each layer stands once it has passed: the link's neighbours first, then IP, both ends of TCP, TLS, HTTP; of those
    /// that this frame has something to do with.
    pub fn states(&self) -> Vec<LayerState> {
        let mut states: Vec<LayerState> = self.link_state().into_iter().chain(self.ip_state()).collect();
        let Some((id, [before, after])) = self.connection().zip(self.ends()) else { return states };
        for side in Side::BOTH {
            states.extend(self.tcp_state(id, side, [&before, &after]));
        }
        if let Some(session) = self.dissection.session(id) {
            let reached = [&before, &after].map(reached);
            states.extend(tls_state(session, &reached));
            states.extend(http_state(session, id, &reached, &after));
        }
        states
    }

    fn gossip(&self) -> &'d Gossip {
        let dissection = self.dissection;
        dissection.gossip.get_or_init(|| Gossip::of(dissection))
    }

    fn link_state(&self) -> Option<LayerState> {
        let neighbours = |number| self.gossip().until(number, self.record.interface);
        let (before, after) = (neighbours(self.number().saturating_sub(1)), neighbours(self.number()));
        let own = self.neighbours(&after);
        let (before, after) = (before.fields(&own), after.fields(&own));
        let protocol = self.layers().layers.first().map_or("Ethernet", |layer| layer.description.protocol);
        stated(protocol, None, "this link".to_owned(), &before, after)
    }

    /// The addresses that this frame has to do with: whose they are, of whom it speaks, who sent it and who gets it.
    fn neighbours(&self, known: &Neighbours) -> Vec<IpAddr> {
        let macs = [0, 6].into_iter().filter_map(|at| Some(MacAddr::new(array_at(self.bytes(), at)?)));
        let stations = macs.filter_map(|mac| known.address(mac));
        let ends = self.addresses().into_iter().flat_map(|(from, to)| [from, to]);
        said(self).into_iter().map(|heard| heard.address).chain(stations).chain(ends).collect()
    }

    fn ip_state(&self) -> Option<LayerState> {
        let bytes = self.bytes();
        let link = self.interface()?.link()?;
        let (ethertype, at) = link.inside(bytes)?;
        let protocol = match ethertype {
            EtherType::IPV4 => "IPv4",
            EtherType::IPV6 => "IPv6",
            _ => return None,
        };
        let (from, to) = self.addresses()?;
        let way = (link == Link::Ethernet).then(|| self.way(to)).flatten();
        let fields = framewise_ip::passive::fields(bytes.get(at..)?, way);
        stated(protocol, None, format!("{from} to {to}"), &fields.clone(), fields)
    }

    /// Whom it was handed to on its link.
    fn way(&self, destination: IpAddr) -> Option<Way> {
        let mac = MacAddr::new(array_at(self.bytes(), 0)?);
        let neighbours = self.gossip().until(self.number(), self.record.interface);
        Some(match neighbours.mac(destination) {
            _ if mac.is_multicast() => Way::Group,
            _ if mac == MacAddr::UNSPECIFIED => Way::Loop,
            Some(known) if known == mac => Way::Direct,
            // Of what comes here, the link's station is this one itself.
            _ if self.direction() == Some(Direction::Inbound) => return None,
            _ => neighbours.address(mac).map_or(Way::Unknown(mac), Way::Gateway),
        })
    }

    fn tcp_state(&self, id: ConnectionId, side: Side, ends: [&Ends; 2]) -> Option<LayerState> {
        let record = self.dissection.record(id)?;
        let whose = if side == Side::Client { record.client } else { record.server };
        // How long an answer takes is the affair of the end that waits for it: seen from the other one, it takes no time.
        let is_far = |ends: &Ends| !ends.of(of_tcp(side)).is_here && ends.of(of_tcp(side.other())).is_here;
        let [before, after] = ends.map(|ends| {
            let mut fields = ends.of(of_tcp(side)).fields(whose.ip());
            fields.retain(|field| field.name != "round trip" || !is_far(ends));
            fields
        });
        stated("TCP", Some(side), whose.to_string(), &before, after)
    }
}

/// How far each side's stream has come without a gap, for both ends.
fn reached(ends: &Ends) -> [u64; 2] {
    // What a side sends is what the other expects the end of; the SYN takes the number 0.
    Side::BOTH.map(|side| {
        let expected = ends.of(of_tcp(side.other())).expected;
        expected.map_or(0, |known| u64::from(known.value.saturating_sub(1)))
    })
}

fn tls_state(session: &Session, [before, after]: &[[u64; 2]; 2]) -> Option<LayerState> {
    let tls = session.tls.as_ref()?;
    let progress = |reached: &[u64; 2]| -> Progress { tls.progress(reached) };
    let [before, after] = [before, after].map(|reached| progress(reached).fields(&tls.facts));
    stated("TLS", None, "both sides".to_owned(), &before, after)
}

fn http_state(
    session: &Session,
    id: ConnectionId,
    [before, after]: &[[u64; 2]; 2],
    ends: &Ends,
) -> Option<LayerState> {
    let fields = |reached: &[u64; 2]| -> Vec<StateField> {
        let both = [session.asks, session.asks.other()].into_iter();
        both.filter_map(|side| {
            let stream = StreamId { connection: id, side };
            let at = session.plain_reached(stream, reached[side.index()]);
            let list = &session.messages(side).list;
            // The last that has begun.
            let begun = list.partition_point(|message| message.range.start < at);
            let expected = ends.of(of_tcp(side.other())).expected;
            let field = list.get(begun.checked_sub(1)?)?.progress(at)?;
            Some(field.inferred_if(expected.is_some_and(|known| known.inferred)))
        })
        .collect()
    };
    let (before, after) = (fields(before), fields(after));
    stated("HTTP", None, "both sides".to_owned(), &before, after)
}

/// What is known, and what has changed.
fn stated(
    protocol: &'static str,
    side: Option<Side>,
    whose: String,
    before: &[StateField],
    after: Vec<StateField>,
) -> Option<LayerState> {
    let known: BTreeSet<(&str, &str)> =
        before.iter().map(|field| (field.name, field.value.as_str())).collect();
    let fields: Vec<Stated> = after
        .into_iter()
        .map(|field| {
            let is_changed = !known.contains(&(field.name, field.value.as_str()));
            let mut same = before.iter().filter(|other| other.name == field.name);
            let single = same.next().filter(|_| same.next().is_none());
            let before = single.filter(|_| is_changed).map(|other| other.value.clone());
            Stated { field, is_changed, before }
        })
        .collect();
    (!fields.is_empty()).then_some(LayerState { protocol, side, whose, fields })
}

impl Session {
    /// How far the bytes in which the messages are have come, where the stream has come so far.
    fn plain_reached(&self, stream: StreamId, reached: u64) -> u64 {
        let Space::Plaintext(_) = self.message_space(stream) else { return reached };
        self.records(stream.side).map_or(0, |records| records.plaintext_until(reached))
    }
}
