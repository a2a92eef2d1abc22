//! Pages of the shop from which one learns what may come instead of a page, or around it: a redirect, a question who asks, a
//! cookie, a content coding, a request to come later.

use framewise_http::{Problem, Request, Response, StatusCode, accept, escape, page};

use crate::router::Router;

/// Redirects one after the other that `/redirect/{count}` makes at most.
const MOST_REDIRECTS: u32 = 1_000;

/// `me:tea`, as Basic writes it (RFC 7617).
const PRIVATE: &str = "bWU6dGVh";

/// The line that `/verse` repeats, and how often.
const LINE: &str = "What is said often needs few words.\n";
const LINES: usize = 200;

/// All of `/verse`, in gzip (RFC 1952).
#[rustfmt::skip]
const VERSE: [u8; 91] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xed, 0xca, 0xb1, 0x09,
    0xc0, 0x20, 0x10, 0x00, 0xc0, 0x3e, 0x53, 0xfc, 0x04, 0x59, 0xc7, 0x5a, 0x50, 0x89,
    0x8d, 0x42, 0x14, 0x5c, 0x3f, 0x7b, 0x84, 0xbb, 0xfa, 0xd2, 0x93, 0x77, 0xf4, 0x15,
    0x2b, 0xf7, 0x12, 0xb3, 0xed, 0x3a, 0x62, 0xd4, 0x5a, 0x56, 0xb4, 0x7a, 0xe2, 0xcc,
    0xb7, 0xac, 0xfb, 0x4a, 0x8e, 0xe3, 0x38, 0x8e, 0xe3, 0x38, 0x8e, 0xe3, 0x38, 0x8e,
    0xe3, 0x38, 0x8e, 0xe3, 0x38, 0x8e, 0xe3, 0x38, 0x8e, 0xe3, 0xfc, 0xe2, 0x7c, 0x88,
    0x1f, 0x90, 0x28, 0x20, 0x1c, 0x00, 0x00,
];

/// The shop with these pages.
pub(crate) fn with_lessons(shop: Router) -> Router {
    shop.get("/redirect", |request: Request| to(&request, "/items/1"))
        .get("/redirect/{count}", |request: Request| redirect(&request))
        .get("/private", |request: Request| private(&request))
        .get("/cookie", |request: Request| cookie(&request))
        .get("/verse", |request: Request| verse(&request))
        .get("/busy", |request: Request| busy(&request))
}

/// RFC 9110, section 15.4.3.
fn to(request: &Request, place: &str) -> Response {
    Problem::new(StatusCode::FOUND, "It is elsewhere.", "Namely there:")
        .link(place, place)
        .by("RFC 9110 §15.4.3")
        .answer(request)
        .header("Location", place)
}

/// So many redirects, and then the first page.
fn redirect(request: &Request) -> Response {
    match request.params.get("count").unwrap_or_default().parse::<u32>() {
        Ok(0 | 1) => to(request, "/"),
        Ok(count) if count <= MOST_REDIRECTS => to(request, &format!("/redirect/{}", count - 1)),
        _ => Problem::new(StatusCode::NOT_FOUND, "That is no number of redirects.", "1 to 1000 are.")
            .answer(request),
    }
}

/// RFC 9110, section 11.6.
fn private(request: &Request) -> Response {
    if request.header("Authorization").and_then(basic) == Some(PRIVATE) {
        return page("Private", "<p>You are who you say you are.</p>");
    }
    let whom = "Who knows that the user is called me, and the password tea, may come in.";
    Problem::new(StatusCode::UNAUTHORIZED, "This page is not for everybody.", whom)
        .by("RFC 9110 §11.6.1")
        .answer(request)
        .header("WWW-Authenticate", "Basic realm=\"shop\"")
}

/// What Basic says of who asks: behind the scheme's name, in letters of any case, and spaces (RFC 9110, sections 11.1 and 11.4).
fn basic(credentials: &str) -> Option<&str> {
    let (scheme, rest) = credentials.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Basic").then(|| rest.trim_start_matches(' '))
}

/// How often one was here, which only the visitor keeps (RFC 6265).
fn cookie(request: &Request) -> Response {
    let cookies = request.header("Cookie").unwrap_or_default();
    let visits = cookies.split("; ").find_map(|pair| pair.strip_prefix("visits="));
    let visits = visits.and_then(|visits| visits.parse::<u32>().ok()).unwrap_or(0).saturating_add(1);
    let told = format!("<p>Your visit number {visits}. You sent: {}</p>", escape(cookies));
    page("Cookie", &told).header("Set-Cookie", &format!("visits={visits}; Path=/; Max-Age=86400"))
}

/// RFC 9110, section 8.4.
fn verse(request: &Request) -> Response {
    let response =
        match request.list("Accept-Encoding").is_some_and(|codings| accept::prefers_coding(&codings, "gzip"))
        {
            true => Response::bytes("text/plain", &VERSE[..]).header("Content-Encoding", "gzip"),
            false => Response::bytes("text/plain", LINE.repeat(LINES)),
        };
    response.header("Vary", "Accept-Encoding")
}

/// RFC 9110, section 15.6.4.
fn busy(request: &Request) -> Response {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "There is too much to do.",
        "In two seconds it may be better.",
    )
    .by("RFC 9110 §15.6.4")
    .answer(request)
    .header("Retry-After", "2")
}
