//! A fetch for programs: the page's facts and the walk, as one line of JSON.

use framewise::Page;
use framewise_trace::Walk;
use framewise_trace::walk::{Journey, Step};
use serde_json::json;

use crate::cost::Costs;
use crate::stats::Stats;

/// The facts of a page and the walk, or what it cost, and what was dropped, for programs.
pub(crate) fn of_fetch(page: &Page, walk: Option<&Walk>, costs: Option<&Costs>, stats: &Stats) -> String {
    let headers: Vec<_> =
        page.head.headers.iter().map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect();
    let redirects: Vec<_> = page
        .redirects
        .iter()
        .map(|redirect| json!({ "url": redirect.url, "status": redirect.status.as_u16() }))
        .collect();
    let tls = page.connection.tls.as_ref().map(|tls| {
        json!({
            "version": tls.version, "cipher_suite": tls.cipher_suite, "alpn": tls.alpn,
            "server_name": tls.server_name, "resumed": tls.resumed, "verified": tls.verified,
        })
    });
    let micros = |at: framewise::core::Instant| (at - page.timings.started).as_micros() as u64;
    json!({
        "format": "framewise-fetch", "version": 1,
        "url": page.url,
        "status": page.head.status.as_u16(), "reason": page.head.reason, "headers": headers,
        "body_bytes": page.received, "decoded_bytes": page.decoded, "redirects": redirects,
        "local": page.connection.local.to_string(), "remote": page.remote.to_string(), "tls": tls,
        "microseconds": {
            "resolved": micros(page.timings.resolved), "connected": micros(page.timings.connected),
            "head": micros(page.timings.head), "complete": micros(page.timings.complete),
        },
        "walk": walk.map(walk_json),
        "cost": costs.map(Costs::json),
        "stats": stats.json(),
    })
    .to_string()
}

fn walk_json(walk: &Walk) -> serde_json::Value {
    let before: Vec<_> = walk
        .before
        .iter()
        .map(|p| json!({ "protocol": p.protocol, "text": p.text, "frames": p.frames, "microseconds": p.took.as_micros() as u64 }))
        .collect();
    json!({
        "before": before,
        "request": journey_json(&walk.request),
        "server": walk.server.as_ref().map(|server| json!({
            "name": server.name,
            "request": journey_json(&server.request), "answer": journey_json(&server.answer),
        })),
        "answer": journey_json(&walk.answer),
        "frames": walk.frames,
    })
}

fn journey_json(journey: &Journey) -> serde_json::Value {
    let step = |step: &Step| {
        json!({
            "protocol": step.protocol, "says": step.says, "next": step.next,
            "front": step.front, "behind": step.behind, "total": step.total,
        })
    };
    json!({
        "direction": journey.direction.to_string(), "frames": journey.frames, "super_frames": journey.super_frames.iter().map(|f| json!({
            "bytes": f.bytes, "frames": f.frames,
        })).collect::<Vec<_>>(), "again": journey.again, "refused": journey.refused,
        "wire_bytes": journey.wire, "steps": journey.steps.iter().map(step).collect::<Vec<_>>(),
    })
}
