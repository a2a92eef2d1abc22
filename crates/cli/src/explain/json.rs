//! The same for programs.

use framewise::core::{Direction, Field};
use framewise_trace::dissect::{Dissection, Frame, Layer, Space};
use serde_json::{Value, json};

use super::fields::{chosen, fields};
use crate::args;
use crate::exit::Failure;

/// What the field `version` says: it changes when a field changes its meaning or goes.
const VERSION: u32 = 1;

pub(super) fn render(
    dissection: &Dissection,
    only: Option<Frame<'_>>,
    args: &args::Explain,
) -> Result<String, Failure> {
    let frames: Vec<Frame<'_>> = only.map_or_else(|| dissection.frames().collect(), |frame| vec![frame]);
    let frames: Vec<Value> = frames.iter().map(|frame| frame_value(frame, args)).collect();
    let damage = dissection.damage().map(ToString::to_string);
    let document =
        json!({ "format": "framewise-explain", "version": VERSION, "frames": frames, "damage": damage });
    Ok(format!("{document}\n"))
}

fn frame_value(frame: &Frame<'_>, args: &args::Explain) -> Value {
    let layers: Vec<Value> = chosen(frame, args).iter().map(|layer| layer_value(layer, args)).collect();
    json!({
        "number": frame.number(),
        "time_ns": frame.time().map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        "direction": frame.direction().map(|direction| match direction {
            Direction::Outbound => "outbound",
            Direction::Inbound => "inbound",
        }),
        "length": frame.original_length(),
        "captured": frame.bytes().len(),
        "connection": frame.connection().map(|connection| connection.0 + 1),
        "refused": frame.refused().map(|refused| json!({ "layer": refused.layer, "reason": refused.reason })),
        "comments": frame.comments(),
        "layers": layers,
        "troubles": frame.layers().troubles,
    })
}

fn layer_value(layer: &Layer, args: &args::Explain) -> Value {
    let description = &layer.description;
    let (space, number) = match layer.space {
        Space::Frame(number) => ("frame", Some(number)),
        Space::Datagram(id) => ("datagram", Some(id.0 as usize + 1)),
        Space::Stream(_) => ("stream", None),
        Space::Record(_, number) => ("record", Some(number + 1)),
        Space::Plaintext(_) => ("plaintext", None),
    };
    let fields: Vec<Value> = fields(layer, args).iter().map(|field| field_value(layer, field)).collect();
    let header = layer.place(&description.header).range;
    json!({
        "protocol": description.protocol,
        "unit": description.unit,
        "outbound": description.outbound,
        "inbound": description.inbound,
        "next": description.next,
        "in": space,
        "in_number": number,
        "header": [header.start, header.end],
        "fields": fields,
    })
}

fn field_value(layer: &Layer, field: &Field) -> Value {
    let range = layer.place(&field.bytes).range;
    json!({
        "name": field.name,
        "bytes": [range.start, range.end],
        "bits": field.bits.as_ref().map(|bits| [bits.start, bits.end]),
        "value": field.value,
        "meaning": field.meaning,
        "source": field.source,
    })
}
