//! What two frames have in common: layer by layer, field by field, in the words of the layers themselves.

use std::time::Duration;

use framewise::core::Field;
use framewise_trace::Dissection;
use framewise_trace::dissect::{Frame, Layer, Place, Space};

/// Which fields are compared: everything unless chosen otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// These; none: all of every layer, and what they carry.
    pub chosen: Vec<Chosen>,
    /// But not these.
    pub except: Vec<Chosen>,
}

/// A field, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// All of this layer's, and what it carries.
    Layer(&'static str),
    /// The one of this name; `data` is what the layer carries.
    Field(&'static str, String),
    /// Those that a host draws by chance, and those that follow from them: its ports, identifications, checksums.
    Chance,
}

/// Fields that a host draws by chance, or that follow from such.
const CHANCE: &[(&str, &str)] = &[
    ("IPv4", "identification"),
    ("IPv4", "header checksum"),
    ("IPv6", "flow label"),
    ("TCP", "source port"),
    ("TCP", "destination port"),
    ("TCP", "checksum"),
    ("TCP", "timestamp value"),
    ("UDP", "source port"),
    ("UDP", "destination port"),
    ("UDP", "checksum"),
    ("ICMP", "checksum"),
    ("ICMPv6", "checksum"),
    ("DNS", "id"),
];

impl Chosen {
    fn covers(&self, layer: &str, field: &str) -> bool {
        match self {
            Chosen::Layer(name) => *name == layer,
            Chosen::Field(name, chosen) => *name == layer && is_called(field, chosen),
            Chosen::Chance => CHANCE.contains(&(layer, field)),
        }
    }
}

/// Whether a field has this name, however it is written: case does not count, and hyphens stand for spaces.
pub(crate) fn is_called(field: &str, name: &str) -> bool {
    let plain = |c: char| if c == '-' { ' ' } else { c.to_ascii_lowercase() };
    field.chars().map(plain).eq(name.chars().map(plain))
}

impl Compared {
    /// Whether this field of this layer is compared.
    pub fn has(&self, layer: &str, field: &str) -> bool {
        let is_chosen =
            self.chosen.is_empty() || self.chosen.iter().any(|chosen| chosen.covers(layer, field));
        is_chosen && !self.except.iter().any(|except| except.covers(layer, field))
    }

    fn has_any_of(&self, layer: &Layer) -> bool {
        let name = layer.description.protocol;
        layer.description.fields.iter().any(|field| self.has(name, field.name)) || self.has(name, DATA)
    }
}

impl Compared {
    /// The first of the chosen that none of these frames has: to compare it would be to compare nothing.
    pub(crate) fn nowhere<'d>(&self, frames: impl Iterator<Item = Frame<'d>>) -> Option<&Chosen> {
        let mut missing: Vec<_> = self.chosen.iter().filter(|chosen| **chosen != Chosen::Chance).collect();
        for frame in frames {
            for layer in frame.layers().layers {
                let name = layer.description.protocol;
                let has = |chosen: &Chosen| {
                    let mut fields = layer.description.fields.iter().map(|field| field.name).chain([DATA]);
                    fields.any(|field| chosen.covers(name, field))
                };
                missing.retain(|chosen| !has(chosen));
            }
        }
        missing.first().copied()
    }
}

impl std::fmt::Display for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Chosen::Layer(layer) => f.write_str(layer),
            Chosen::Field(layer, field) => write!(f, "{layer}/{}", field.replace(' ', "-")),
            Chosen::Chance => f.write_str("chance"),
        }
    }
}

/// What a layer carries, as if it were a field.
pub(crate) const DATA: &str = "data";

/// The first thing in which a frame is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A field has another value.
    Field {
        /// The layer.
        layer: String,
        /// The field.
        field: String,
        /// The value that was expected, and what it means.
        expected: Told,
        /// The value that it has.
        got: Told,
        /// RFC and section.
        source: String,
    },
    /// A field is there that was not expected, or is not there.
    Presence {
        /// The layer.
        layer: String,
        /// The field.
        field: String,
        /// Whether it was expected.
        is_missing: bool,
    },
    /// What is carried differs from this byte on.
    Data {
        /// The layer that carries it.
        layer: String,
        /// How many bytes were expected.
        expected: usize,
        /// How many there are.
        got: usize,
        /// The first byte that differs, from 0.
        at: usize,
    },
    /// It is quite another frame.
    Kind {
        /// What was expected, in one line.
        expected: String,
        /// What came, in one line.
        got: String,
    },
    /// It is right, and was sent at another time.
    Time {
        /// When it was expected, since the run began.
        expected: Duration,
        /// When it was sent.
        got: Duration,
    },
}

/// A value, and what it means in a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The value.
    pub value: String,
    /// What it means.
    pub meaning: String,
}

impl Told {
    fn of(field: &Field) -> Self {
        Told { value: field.value.clone(), meaning: field.meaning.clone() }
    }
}

/// A frame with the dissection that knows what lies in it.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'d> {
    pub(crate) dissection: &'d Dissection,
    pub(crate) frame: Frame<'d>,
}

impl Seen<'_> {
    /// The bytes of a field.
    fn raw(&self, layer: &Layer, field: &Field) -> Option<Vec<u8>> {
        self.dissection.bytes(&layer.place(&field.bytes))
    }

    /// What a layer carries of this frame's bytes.
    pub(crate) fn data(&self, layer: &Layer) -> Vec<u8> {
        let mut place: Place = layer.place(&layer.description.payload);
        if let Space::Frame(_) = place.space {
            place.range.end = place.range.end.min(self.frame.bytes().len() as u64);
        }
        self.dissection.bytes(&place).unwrap_or_default()
    }
}

/// The first difference that is compared, if there is one.
pub(crate) fn difference(expected: &Seen<'_>, got: &Seen<'_>, compared: &Compared) -> Option<Difference> {
    let layers = [expected, got].map(|seen| {
        let mut layers = seen.frame.layers().layers;
        layers.retain(|layer| compared.has_any_of(layer));
        layers
    });
    let protocols = layers.each_ref().map(|layers| names(layers));
    if protocols[0] != protocols[1] {
        return Some(Difference::Kind { expected: expected.frame.summary(), got: got.frame.summary() });
    }
    let pairs = || layers[0].iter().zip(&layers[1]);
    let of_fields = |is_consequence| {
        pairs().find_map(|(one, other)| {
            field_difference((expected, one), (got, other), compared, is_consequence)
        })
    };
    let of_data = || data_difference(expected, got, [&layers[0], &layers[1]], compared);
    of_fields(false).or_else(of_data).or_else(|| of_fields(true))
}

fn names(layers: &[Layer]) -> Vec<&'static str> {
    layers.iter().map(|layer| layer.description.protocol).collect()
}

/// Lengths and sums say that something is different, but not what: they are told only where nothing else is.
fn is_consequence(field: &Field) -> bool {
    field.name.contains("checksum") || field.name.contains("length")
}

fn field_difference(
    expected: (&Seen<'_>, &Layer),
    got: (&Seen<'_>, &Layer),
    compared: &Compared,
    consequences: bool,
) -> Option<Difference> {
    let layer = expected.1.description.protocol;
    // A number that is counted from where its connection began reads differently where that was understood differently.
    let is_same = |ours: &Field, theirs: &Field| {
        let raw = expected.0.raw(expected.1, ours);
        ours.value == theirs.value || (raw.is_some() && raw == got.0.raw(got.1, theirs))
    };
    let fields = [expected.1, got.1].map(|described| {
        let fields = described.description.fields.iter();
        fields
            .filter(|field| is_consequence(field) == consequences && compared.has(layer, field.name))
            .collect::<Vec<_>>()
    });
    let [expected, got] = &fields;
    for (place, field) in expected.iter().enumerate() {
        let layer = layer.to_owned();
        let Some(other) = got.get(place) else {
            return Some(Difference::Presence { layer, field: field.name.to_owned(), is_missing: true });
        };
        if field.name != other.name {
            let is_missing = !got.iter().any(|other| other.name == field.name);
            let field = if is_missing { field.name } else { other.name }.to_owned();
            return Some(Difference::Presence { layer, field, is_missing });
        }
        if !is_same(field, other) {
            return Some(Difference::Field {
                layer,
                field: field.name.to_owned(),
                expected: Told::of(field),
                got: Told::of(other),
                source: field.source.to_owned(),
            });
        }
    }
    let more = got.get(expected.len())?;
    let field = more.name.to_owned();
    Some(Difference::Presence { layer: layer.to_owned(), field, is_missing: false })
}

/// The innermost layers that lie in the frames themselves carry what no field tells.
fn data_difference(
    expected: &Seen<'_>,
    got: &Seen<'_>,
    layers: [&[Layer]; 2],
    compared: &Compared,
) -> Option<Difference> {
    let innermost = |layers: &[Layer]| {
        layers.iter().rposition(|layer| matches!(layer.space, Space::Frame(_) | Space::Datagram(_)))
    };
    let place = innermost(layers[0]).filter(|place| innermost(layers[1]) == Some(*place))?;
    let (ours, theirs) = (layers[0].get(place)?, layers[1].get(place)?);
    let layer = ours.description.protocol;
    if !compared.has(layer, DATA) {
        return None;
    }
    let (expected, got) = (expected.data(ours), got.data(theirs));
    if expected == got {
        return None;
    }
    let at = expected.iter().zip(&got).take_while(|(a, b)| a == b).count();
    Some(Difference::Data { layer: layer.to_owned(), expected: expected.len(), got: got.len(), at })
}
