//! The small shop at `shop.test`: the same bytes in every run.

use bytes::Bytes;
use framewise_http::{Body, Method, Problem, Request, Response, StatusCode, escape, page};

use crate::form::{Field, FormLimits, form};
use crate::lessons::with_lessons;
use crate::picture::png;
use crate::router::Router;
use crate::sink::Sink;

/// Bytes of `/large`.
pub const LARGE_BYTES: u64 = 1_000_000;
/// Bytes of one piece of `/large`.
const PIECE: u64 = 64 * 1024;

/// What the shop sells.
const ITEMS: [(&str, &str); 4] = [
    ("tea", "A packet of tea. It travels well."),
    ("frame", "A frame, 14 bytes of wood around any picture."),
    ("envelope", "An envelope. Put another one into it."),
    ("stamp", "A stamp, valid for 64 hops."),
];

/// The first page: short enough to be seen whole, letter by letter, in a walk.
const HOME: &str =
    "<h1>shop</h1>\n<a href=/items/1>tea</a> <a href=/form>order</a> <a href=/about>about</a>\n";

/// The shop.
pub fn builtin() -> Router {
    let picture = Bytes::from(png());
    let shop = Router::new()
        .get("/", |_: Request| Response::html(HOME))
        .get("/about", |_: Request| about())
        .get("/items/{id}", |request: Request| item(&request))
        .get("/picture.png", move |_: Request| Response::bytes("image/png", picture.clone()))
        .get("/large", |request: Request| large(&request))
        .get("/form", |_: Request| order_form())
        .post("/form", |request: Request| ordered(&request))
        .get("/echo", |request: Request| echo(&request))
        .post("/echo", |request: Request| echo(&request))
        .route(Method::PUT, "/echo", |request: Request| echo(&request))
        .post("/sink", Sink)
        .route(Method::PUT, "/sink", Sink);
    with_lessons(shop)
}

fn about() -> Response {
    let body = "<p>This shop sells four things and exists so that a page can travel.</p>\n\
                <p><img src=\"/picture.png\" alt=\"the shop's window\" width=\"96\" height=\"96\"></p>\n\
                <p><a href=\"/\">To the shop</a>, <a href=\"/large\">1 MB to download</a></p>";
    page("About the shop", body)
}

fn item(request: &Request) -> Response {
    let id = request.params.get("id").unwrap_or_default();
    let number = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
    match number.and_then(|index| ITEMS.get(index)) {
        Some((name, about)) => page(name, &format!("<p>{about}</p>\n<p><a href=\"/\">To the shop</a></p>")),
        None => {
            Problem::new(StatusCode::NOT_FOUND, format!("There is no item {id}."), "There are items 1 to 4:")
                .by("RFC 9110 §15.5.5")
                .link("/items/1", "/items/1")
                .answer(request)
        }
    }
}

/// The byte of `/large` at `offset`: whoever gets it can check it without having it.
pub fn large_byte(offset: u64) -> u8 {
    // The upper bits of a multiplication by an odd number: no short period, and no memory.
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// `/large`, and `/large?chunked`: the same bytes, whose length is not told before.
fn large(request: &Request) -> Response {
    let is_chunked = request.query() == Some("chunked");
    let pieces = (0..LARGE_BYTES.div_ceil(PIECE)).map(|piece| {
        let start = piece * PIECE;
        let end = (start + PIECE).min(LARGE_BYTES);
        Ok((start..end).map(large_byte).collect())
    });
    Response::status(StatusCode::OK)
        .header("Content-Type", "application/octet-stream")
        .with_body(Body::Stream { length: (!is_chunked).then_some(LARGE_BYTES), pieces: Box::new(pieces) })
}

fn order_form() -> Response {
    let body = "<form method=\"post\">\n<p><label>Item <input name=\"item\" value=\"tea\"></label></p>\n\
                <p><label>How many <input name=\"count\" value=\"2\"></label></p>\n\
                <p><button>Order</button></p>\n</form>";
    page("Order", body)
}

fn ordered(request: &Request) -> Response {
    let fields = match form(request, &FormLimits::default()) {
        Ok(fields) => fields,
        Err(error) => return error.answer(request),
    };
    let rows: Vec<String> = fields.iter().map(row).collect();
    page("Ordered", &format!("<ul>\n{}\n</ul>", rows.join("\n")))
}

/// A field as it came; of a file its name and length.
fn row(field: &Field) -> String {
    let name = escape(&field.name);
    match &field.file {
        Some(file) => format!("<li>{name}: the file {}, {} bytes", escape(file), field.value.len()),
        None => format!("<li>{name}: {}", escape(&field.text())),
    }
}

/// The request as it came: as text, so that nothing in it is obeyed.
fn echo(request: &Request) -> Response {
    let head = &request.head;
    let mut text = format!("{} {} {}\n", head.method, head.target, head.version);
    for (name, value) in head.headers.iter() {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value)));
    }
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(&request.body));
    Response::text(text).header("X-Content-Type-Options", "nosniff")
}
