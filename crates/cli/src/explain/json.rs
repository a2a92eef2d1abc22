//! The same for programs.

use std::io::{self, Write};

use framewise::core::{Direction, Field};
use framewise_trace::dissect::{
    Astray, Consequence, Dissection, Frame, Kind, Layer, LayerState, Side, Space, Stated, Unusual,
};
use framewise_trace::words::escaped_json;
use serde_json::{Value, json};

use super::fields::{fields, is_wanted};
use crate::args;

/// What the field `version` says: it changes when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// One object, its frames one after the other: there may be more of them than fit into memory as text.
pub(super) fn write(
    out: &mut dyn Write,
    dissection: &Dissection,
    only: Option<Frame<'_>>,
    args: &args::Explain,
) -> io::Result<()> {
    let escaped = |value: &Value| escaped_json(&value.to_string());
    let damage = escaped(&json!(dissection.damage().map(ToString::to_string)));
    write!(out, "{{\"damage\":{damage},\"format\":\"framewise-explain\",\"frames\":[")?;
    let all = only.is_none().then(|| dissection.frames());
    for (index, frame) in only.into_iter().chain(all.into_iter().flatten()).enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}{}", escaped(&frame_value(&frame, args)))?;
    }
    let lost = escaped(&json!(lost_values(dissection)));
    writeln!(out, "],\"lost\":{lost},\"version\":{VERSION}}}")
}

/// Frames to this host that never came.
fn lost_values(dissection: &Dissection) -> Vec<Value> {
    let value = |astray: &Astray| {
        let consequences = dissection.consequences_of(astray);
        json!({
            "after_frame": astray.after,
            "time_ns": u64::try_from(astray.time.as_nanos()).unwrap_or(u64::MAX),
            "length": astray.bytes.len(),
            "consequences": consequences.iter().map(consequence_value).collect::<Vec<_>>(),
        })
    };
    dissection.astray().iter().map(value).collect()
}

fn frame_value(frame: &Frame<'_>, args: &args::Explain) -> Value {
    let stack = frame.layers();
    let chosen = stack.layers.iter().filter(|layer| is_wanted(layer, args));
    let layers: Vec<Value> = chosen.map(|layer| layer_value(layer, args)).collect();
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
        "unusual": unusual_value(frame),
        "consequences": frame.taken_all_the_same().iter().chain(&frame.consequences()).map(consequence_value).collect::<Vec<_>>(),
        "state": args.state.then(|| frame.states().iter().map(state_value).collect::<Vec<_>>()),
        "layers": layers,
        "troubles": stack.troubles,
    })
}

fn unusual_value(frame: &Frame<'_>) -> Vec<Value> {
    let value = |unusual: &Unusual| json!({ "name": unusual.name, "sentence": unusual.sentence, "frame": unusual.frame, "trouble": unusual.is_trouble });
    frame.unusual().iter().map(value).collect()
}

fn consequence_value(consequence: &Consequence) -> Value {
    let kind = match consequence.kind {
        Kind::Happened => "happened",
        Kind::Noticed => "noticed",
        Kind::Caused => "caused",
    };
    json!({ "kind": kind, "sentence": consequence.sentence, "frame": consequence.frame })
}

fn state_value(state: &LayerState) -> Value {
    let field = |stated: &Stated| {
        json!({
            "name": stated.field.name,
            "value": stated.field.value,
            "meaning": stated.field.meaning,
            "source": stated.field.source,
            "inferred": stated.field.inferred,
            "changed": stated.is_changed,
            "before": stated.before,
        })
    };
    let side = state.side.map(|side| if side == Side::Client { "client" } else { "server" });
    json!({
        "protocol": state.protocol,
        "side": side,
        "whose": state.whose,
        "fields": state.fields.iter().map(field).collect::<Vec<_>>(),
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
        "here": [layer.here.start, layer.here.end],
        "length": layer.length,
        "lost": layer.is_lost,
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
