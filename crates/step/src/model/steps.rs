//! One frame as steps: its layers in the order in which they work on it.

use std::ops::Range;

use framewise::core::Direction;
use framewise_trace::dissect::{Dissection, Frame, Layer, Place, Side, Space, Stack};

/// The step of the lecture that a protocol is: app 1, HTTP 2, TLS 3, TCP 4, IP 5, Ethernet 6. All fits in somewhere.
pub(crate) fn number_of(protocol: &str) -> u8 {
    match protocol {
        "App" => 1,
        "HTTP" | "DNS" => 2,
        "TLS" => 3,
        "TCP" | "UDP" => 4,
        "IPv4" | "IPv6" | "ICMP" | "ICMPv6" | "NDP" => 5,
        _ => 6,
    }
}

/// What calls itself the program above all layers.
pub(crate) const APP: &str = "App";

/// The layers of a frame, and the program above HTTP, which asked for the page or gets it.
pub(crate) fn stack_of(frame: &Frame<'_>) -> Stack {
    let mut stack = frame.layers();
    // It speaks before the first of its message goes, and has it when the last has come.
    let has_its_say = |layer: &&Layer| {
        let part = layer.part();
        layer.description.protocol == "HTTP" && if is_down(frame) { part.begins() } else { part.ends() }
    };
    let app = stack.layers.last().filter(has_its_say).map(|layer| {
        let description = framewise::http::describe_app(&layer.description);
        Layer { description, ..layer.clone() }
    });
    stack.layers.extend(app);
    stack
}

/// A frame taken apart, and whose each of its bytes is.
pub(crate) struct Scene {
    /// The layers, outermost first, and what could not be taken apart.
    pub(crate) stack: Stack,
    /// Whether it goes down the layers here, and not up.
    pub(crate) is_down: bool,
    /// The bytes of the frame that each layer is in, with all that it carries.
    ranges: Vec<Vec<Range<usize>>>,
    /// The innermost layer of each byte.
    owners: Vec<Option<usize>>,
}

impl Scene {
    /// Of no frame.
    pub(crate) fn nothing() -> Self {
        Scene { stack: Stack::default(), is_down: true, ranges: Vec::new(), owners: Vec::new() }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.owners.is_empty()
    }

    pub(crate) fn of(dissection: &Dissection, frame: &Frame<'_>) -> Self {
        let stack = stack_of(frame);
        let length = frame.bytes().len();
        let ranges: Vec<_> = stack
            .layers
            .iter()
            .map(|layer| {
                // What the program gets is HTTP's bytes, once more.
                if layer.description.protocol == APP {
                    return Vec::new();
                }
                in_frame(dissection, frame.number(), &Place::new(layer.space, layer.here.clone()), length)
            })
            .collect();
        let mut owners = vec![None; length];
        for (index, ranges) in ranges.iter().enumerate() {
            for range in ranges {
                owners.get_mut(range.clone()).unwrap_or_default().fill(Some(index));
            }
        }
        Scene { stack, is_down: is_down(frame), ranges, owners }
    }

    /// How many steps it is; a frame that can't be taken apart is one, too.
    pub(crate) fn steps(&self) -> usize {
        self.stack.layers.len().max(1)
    }

    /// Which layer works in a step, and the other way round: from the innermost down, or from the outermost up.
    pub(crate) fn turned(&self, step: usize) -> usize {
        if self.is_down { (self.steps() - 1).saturating_sub(step) } else { step.min(self.steps() - 1) }
    }

    pub(crate) fn layer(&self, index: usize) -> Option<&Layer> {
        self.stack.layers.get(index)
    }

    /// The places of its bytes.
    pub(crate) fn bytes(&self) -> Range<usize> {
        0..self.owners.len()
    }

    /// The innermost layer of a byte of the frame.
    pub(crate) fn owner(&self, byte: usize) -> Option<usize> {
        *self.owners.get(byte)?
    }

    /// The protocol whose byte it is; empty, where nobody knows.
    pub(crate) fn protocol_at(&self, byte: usize) -> &'static str {
        self.owner(byte).and_then(|index| self.layer(index)).map_or("", |layer| layer.description.protocol)
    }

    /// From the first to the last byte of the frame that a layer is in.
    pub(crate) fn extent(&self, index: usize) -> Range<usize> {
        self.ranges.get(index).map_or(0..0, |ranges| extent(ranges))
    }

    /// From the first to the last byte of the frame that a layer carries for others.
    pub(crate) fn payload(&self, dissection: &Dissection, frame: usize, index: usize) -> Range<usize> {
        let Some(layer) = self.layer(index) else { return 0..0 };
        let place = Place::new(layer.space, payload_here(layer));
        extent(&in_frame(dissection, frame, &place, self.owners.len()))
    }

    /// Who is inside of a layer: the first one of whom a byte lies in its payload.
    pub(crate) fn inside(&self, index: usize, payload: &Range<usize>) -> Option<&Layer> {
        let owners = self.owners.get(payload.clone()).unwrap_or_default();
        owners.iter().flatten().filter(|&&owner| owner > index).min().and_then(|&owner| self.layer(owner))
    }

    /// Who is around a layer: the last one before it that holds its last byte.
    pub(crate) fn around(&self, index: usize) -> Option<&Layer> {
        let own = self.extent(index);
        let holds = |outer: &Range<usize>| outer.start < own.end && own.end <= outer.end;
        (0..index).rev().find(|&outer| holds(&self.extent(outer))).and_then(|outer| self.layer(outer))
    }
}

/// Bytes of a layer that this frame brought, and how many of them are what it carries.
pub(crate) fn sizes(layer: &Layer) -> (u64, u64) {
    let inside = payload_here(layer);
    (layer.here.end.saturating_sub(layer.here.start), inside.end - inside.start)
}

fn payload_here(layer: &Layer) -> Range<u64> {
    let payload = layer.place(&layer.description.payload).range;
    let start = payload.start.clamp(layer.here.start, layer.here.end);
    start..payload.end.min(layer.here.end).max(start)
}

/// Which bytes of this frame stand for those of a place.
fn in_frame(dissection: &Dissection, number: usize, place: &Place, length: usize) -> Vec<Range<usize>> {
    let clip = |range: &Range<u64>| {
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(length);
        usize::try_from(range.start).unwrap_or(usize::MAX).min(end)..end
    };
    match place.space {
        Space::Frame(_) => vec![clip(&place.range)],
        _ => {
            let carriers = dissection.frames_of(place);
            let here = carriers.iter().filter(|carrier| carrier.at.space == Space::Frame(number));
            here.map(|carrier| clip(&carrier.at.range)).collect()
        }
    }
}

fn extent(ranges: &[Range<usize>]) -> Range<usize> {
    let start = ranges.iter().map(|range| range.start).min().unwrap_or(0);
    start..ranges.iter().map(|range| range.end).max().unwrap_or(0).max(start)
}

/// Whether a frame went out from where it was captured; where nobody says, whether the client sent it.
pub(crate) fn is_down(frame: &Frame<'_>) -> bool {
    match frame.direction() {
        Some(direction) => direction == Direction::Outbound,
        None => frame.segment().is_some_and(|segment| segment.side == Side::Client),
    }
}
