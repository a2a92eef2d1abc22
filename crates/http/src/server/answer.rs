//! The head of an answer, and how its body is framed.
//!
//! Read RFC 9112 section 6.3 and RFC 9110 section 15.2 first.

use bytes::Bytes;
use framewise_core::Instant;
use framewise_core::seams::exchange::{BodyLength, ResponseHead, Version};
use http::{Method, StatusCode};

use super::Exchange;
use crate::body::{Encoder, Framing};
use crate::head::write::{Added, FramingField};
use crate::head::{rules, write};
use crate::layer::Shared;
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
    let bytes = write::response(head, &added)?;
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
    wire.send(write::response(head, &added)?);
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

/// A short page that says which rule was broken.
pub(super) fn refusal_page(refusal: Refusal, server: Option<&str>) -> [Bytes; 2] {
    let Refusal { rule, offset } = refusal;
    let status = rule.status();
    let text = format!("{status}\n\n{}: {rule}.\nSeen at byte {offset}.\n", rule.name());
    let mut head = ResponseHead {
        version: Version::Http11,
        status,
        reason: String::new(),
        headers: [("Content-Type", "text/plain; charset=utf-8")].into_iter().collect(),
    };
    if rule == Rule::TooManyExchanges {
        head.headers.push("Retry-After", "1");
    }
    let added = Added {
        framing: FramingField::Length(text.len() as u64),
        product: server.map(|name| ("Server", name)),
        connection: Some("close"),
    };
    // Only a product's name that is no field value could stand in the way: then the page goes without it.
    let written = write::response(&head, &added).or_else(|_| {
        let nameless = Added { product: None, ..added };
        write::response(&head, &nameless)
    });
    [written.unwrap_or_default(), Bytes::from(text)]
}
