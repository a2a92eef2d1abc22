//! The head of an answer, and how its body is framed.
//!
//! Read RFC 9112 section 6.3 and RFC 9110 section 15.2 first.

use std::time::Duration;

use bytes::Bytes;
use framewise_core::Instant;
use framewise_core::seams::exchange::{BodyLength, ResponseHead, Version};
use http::{Method, StatusCode};

use super::Exchange;
use crate::body::{Encoder, Framing};
use crate::config::Config;
use crate::head::write::{Added, FramingField};
use crate::head::{rules, write};
use crate::layer::Shared;
use crate::message::Body;
use crate::page::Problem;
use crate::rule::{Refusal, Rule};
use crate::transfer::Sending;
use crate::wire::Wire;

/// Writes an informational response; a client of HTTP/1.0 knows none.
pub(super) fn inform(
    exchange: &mut Exchange,
    head: &ResponseHead,
    wire: &mut Wire,
) -> Result<(), &'static str> {
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err("protocols are not switched here");
    }
    exchange.awaits_continue &= head.status != StatusCode::CONTINUE;
    let added = Added { framing: FramingField::Omitted, product: None, connection: None };
    let bytes = write::response(head, None, &added)?;
    if exchange.version == Version::Http11 {
        wire.send(bytes);
    }
    Ok(())
}

/// Writes the head of the answer and prepares for its body.
pub(super) fn answer(
    exchange: &mut Exchange,
    head: &ResponseHead,
    body: BodyLength,
    wire: &mut Wire,
    shared: &Shared,
    now: Instant,
) -> Result<(), &'static str> {
    let (field, encoding) = answer_framing(exchange, head.status, body);
    exchange.persists &= encoding != Some(Framing::UntilClose);
    let connection = match (exchange.persists, exchange.version) {
        (false, _) => Some("close"),
        (true, Version::Http10) => Some("keep-alive"),
        (true, Version::Http11) => None,
    };
    let added = Added {
        framing: field,
        product: shared.config.server.as_deref().map(|name| ("Server", name)),
        connection,
    };
    wire.send(write::response(head, date(&shared.config, now), &added)?);
    exchange.awaits_continue = false;
    exchange.sending = Some(Sending::new(exchange.id, encoding.map(Encoder::new)));
    if encoding.is_some_and(|encoding| encoding != Framing::Length(0)) {
        wire.hold_until(now + shared.config.gather);
    }
    Ok(())
}

/// The framing field of an answer, and how its body is encoded, if it may have one (RFC 9112, section 6.3).
fn answer_framing(
    exchange: &Exchange,
    status: StatusCode,
    body: BodyLength,
) -> (FramingField, Option<Framing>) {
    let old = exchange.version == Version::Http10;
    let (field, encoding) = match body {
        BodyLength::None => (FramingField::Length(0), Framing::Length(0)),
        BodyLength::Known(length) => (FramingField::Length(length), Framing::Length(length)),
        BodyLength::Unknown if old => (FramingField::Omitted, Framing::UntilClose),
        BodyLength::Unknown => (FramingField::Chunked, Framing::Chunked),
    };
    if rules::is_bodyless(status) {
        return (FramingField::Omitted, None);
    }
    match (exchange.method == Method::HEAD, body) {
        (false, _) => (field, Some(encoding)),
        (true, BodyLength::None) => (FramingField::Given, None),
        (true, _) => (field, None),
    }
}

/// When this is written, since 1970, where that is known.
fn date(config: &Config, now: Instant) -> Option<Duration> {
    config.epoch.map(|epoch| epoch.saturating_add(now.saturating_since(Instant::ZERO)))
}

/// A short page that says which rule was broken. Whoever broke it may not have said what it accepts: it gets HTML.
pub(super) fn refusal_page(refusal: Refusal, config: &Config, now: Instant) -> [Bytes; 2] {
    let Refusal { rule, offset } = refusal;
    let wrong = format!("{}: {}. Seen at byte {offset}.", rule.name(), refusal.sentence(&config.limits));
    let mut page = Problem::new(rule.status(), wrong, rule.right()).by(rule.source()).page(None);
    page.head.headers.remove("Vary");
    if rule == Rule::TooManyExchanges {
        page.head.headers.push("Retry-After", "1");
    }
    let Body::Bytes(body) = page.body else { return Default::default() };
    let added = Added {
        framing: FramingField::Length(body.len() as u64),
        product: config.server.as_deref().map(|name| ("Server", name)),
        connection: Some("close"),
    };
    // Only a product's name that is no field value could stand in the way: then the page goes without it.
    let written = write::response(&page.head, date(config, now), &added).or_else(|_| {
        let nameless = Added { product: None, ..added };
        write::response(&page.head, None, &nameless)
    });
    [written.unwrap_or_default(), body]
}
