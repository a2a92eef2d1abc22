//! What came of captures and scripts, as JSON.

use std::path::Path;
use std::time::Duration;

use framewise::core::Direction;
use framewise_replay::Outcome;
use framewise_replay::compare::Difference;
use framewise_replay::outcome::{Event, Failure, Kind, Place, Wrong};
use serde_json::{Value, json};

pub(crate) fn render(outcomes: &[(&Path, Outcome)]) -> String {
    let all: Vec<_> = outcomes.iter().map(|(path, outcome)| of_outcome(path, outcome)).collect();
    format!("{:#}", Value::Array(all))
}

fn of_outcome(path: &Path, outcome: &Outcome) -> Value {
    json!({
        "file": path.display().to_string(),
        "title": outcome.title,
        "kind": match outcome.kind {
            Kind::Capture => "capture",
            Kind::Script => "script",
        },
        "as_expected": outcome.is_success(),
        "injected": outcome.injected,
        "matched": outcome.matched,
        "failure": outcome.failure.as_ref().map(of_failure),
    })
}

fn of_failure(failure: &Failure) -> Value {
    let (place, number) = match &failure.place {
        Place::Frame(number) => ("frame", number),
        Place::After(number) => ("after frame", number),
        Place::Line { line, .. } => ("line", line),
    };
    json!({
        "place": place,
        "number": number,
        "sentence": failure.wrong.to_string(),
        "wrong": of_wrong(&failure.wrong),
        "since": failure.since,
        "before": failure.before.iter().map(of_event).collect::<Vec<_>>(),
    })
}

fn of_wrong(wrong: &Wrong) -> Value {
    match wrong {
        Wrong::Different(difference) => of_difference(difference),
        Wrong::Missing { expected, until } => {
            json!({ "kind": "missing", "expected": expected, "until_ns": nanos(*until) })
        }
        Wrong::Unexpected { got, at } => json!({ "kind": "unexpected", "got": got, "at_ns": nanos(*at) }),
        Wrong::Heard { expected, got } => json!({ "kind": "heard", "expected": expected, "got": got }),
        Wrong::HeardAt { expected, due, at } => json!({
            "kind": "heard_time", "expected": expected, "expected_ns": nanos(*due), "got_ns": nanos(*at),
        }),
    }
}

fn of_difference(difference: &Difference) -> Value {
    match difference {
        Difference::Field { layer, field, expected, got, source } => json!({
            "kind": "field", "layer": layer, "field": field, "source": source,
            "expected": expected.value, "expected_meaning": expected.meaning,
            "got": got.value, "got_meaning": got.meaning,
        }),
        Difference::Presence { layer, field, is_missing } => {
            json!({ "kind": "presence", "layer": layer, "field": field, "is_missing": is_missing })
        }
        Difference::Data { layer, expected, got, at } => json!({
            "kind": "data", "layer": layer, "expected_bytes": expected, "got_bytes": got, "first_different": at,
        }),
        Difference::Kind { expected, got } => json!({ "kind": "frame", "expected": expected, "got": got }),
        Difference::Time { expected, got } => {
            json!({ "kind": "time", "expected_ns": nanos(*expected), "got_ns": nanos(*got) })
        }
    }
}

fn of_event(event: &Event) -> Value {
    json!({
        "number": event.number,
        "at_ns": nanos(event.at),
        "direction": event.direction.map(|direction| match direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        }),
        "says": event.says,
        "refused": event.refused,
    })
}

/// Nanoseconds of a run, which lasts at most a year.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
