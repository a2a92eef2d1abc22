//! Which handler answers, and what is said where none does.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use common::{answer, ask, get, request};
use framewise_http::handler::response_head;
use framewise_http::{
    Answer, BodyLength, ConnInfo, Handler, Headers, Method, RefusedRequest, Request, Response, StatusCode,
};
use framewise_site::{Compressed, Dated, Pattern, PatternError, Router};
use proptest::prelude::*;

fn says(text: &'static str) -> impl Handler {
    move |_: Request| Response::text(text)
}

#[test]
fn the_most_exact_pattern_wins_in_any_order() {
    let orders: [[usize; 3]; 3] = [[0, 1, 2], [2, 1, 0], [1, 0, 2]];
    let routes = [("/items/new", "new"), ("/items/{id}", "one"), ("/{*rest}", "rest")];
    for order in orders {
        let mut router = Router::new();
        for (pattern, name) in order.map(|index| routes[index]) {
            router = router.get(pattern, says(name));
        }
        for (path, name) in [
            ("/items/new", "new"),
            ("/items/7?x=/", "one"),
            ("/items/7/8", "rest"),
            ("/", "rest"),
            ("http://shop.test/items/7", "one"),
        ] {
            assert_eq!(get(&router, path).text(), name, "{path} with routes in order {order:?}");
        }
    }
}

#[test]
fn a_fallback_answers_where_no_path_fits_and_nowhere_else() {
    let router = Router::new().get("/", says("home")).post("/form", says("form")).fallback(says("nowhere"));
    assert_eq!(get(&router, "/nothing").text(), "nowhere");
    assert_eq!(ask(&router, Method::POST, "/nothing", &[], "").text(), "nowhere");
    assert_eq!(get(&router, "/").text(), "home");
    assert_eq!(get(&router, "/form").status(), 405, "the path fits, its method does not");
    assert_eq!(ask(&router, Method::OPTIONS, "*", &[], "").status(), 204, "about the server as a whole");
}

#[test]
fn parts_of_a_path_are_decoded() {
    let router = Router::new()
        .get("/a/{one}", |r: Request| Response::text(r.params.get("one").unwrap().to_owned()))
        .get("/b/{*all}", |r: Request| Response::text(r.params.get("all").unwrap().to_owned()));
    assert_eq!(get(&router, "/a/b%20c%2Fd").text(), "b c/d");
    assert_eq!(get(&router, "/b/c/d%3F").text(), "c/d?");
    assert_eq!(get(&router, "/a/%ff").status(), 404, "no UTF-8");
    assert_eq!(get(&router, "/a/").status(), 404, "an empty part");
}

#[test]
fn what_fits_nothing_is_told_what_would() {
    let router = Router::new().get("/", says("x")).post("/form", says("y"));
    let missing = get(&router, "/<script>");
    assert_eq!(missing.status(), 404);
    assert!(missing.text().contains("&lt;script&gt;") && !missing.text().contains("<script>"));
    assert!(missing.text().contains("<a href=\"/form\">"), "{}", missing.text());
    let wrong = ask(&router, Method::DELETE, "/form", &[], "");
    assert_eq!((wrong.status(), wrong.header("Allow")), (405, Some("POST, OPTIONS")));
    let options = ask(&router, Method::OPTIONS, "/", &[], "");
    assert_eq!((options.status(), options.header("Allow")), (204, Some("GET, HEAD, OPTIONS")));
    assert_eq!(ask(&router, Method::OPTIONS, "*", &[], "").status(), 204);
}

#[test]
fn what_fits_several_patterns_is_told_the_methods_of_all() {
    let router = Router::new().get("/items/new", says("new")).post("/items/{id}", says("one"));
    for (method, status) in [(Method::DELETE, 405), (Method::OPTIONS, 204)] {
        let answer = ask(&router, method, "/items/new", &[], "");
        assert_eq!((answer.status(), answer.header("Allow")), (status, Some("GET, POST, HEAD, OPTIONS")));
    }
    assert_eq!(ask(&router, Method::POST, "/items/new", &[], "").text(), "one");
}

/// Counts what it is told that is about no request.
#[derive(Default)]
struct Hears(AtomicUsize, AtomicUsize);

impl Handler for Hears {
    fn handle(&self, _: Request, _: Answer) {}

    fn refused(&self, _: &RefusedRequest) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn left(&self, _: &ConnInfo) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_is_about_no_request_reaches_who_stands_within() {
    let ears: [Arc<Hears>; 3] = Default::default();
    let [one, other, fallback] = ears.clone();
    let router = Router::new().get("/", one).post("/form", other).fallback(fallback);
    let site = Dated::new(Compressed::new(router), Arc::new(SystemTime::now));
    let connection = request(Method::GET, "/", &[], "").connection;
    site.left(&connection);
    let (status, reason) = (StatusCode::BAD_REQUEST, "no request");
    site.refused(&RefusedRequest { connection, line: None, status, reason, answered: 0 });
    for heard in ears {
        assert_eq!([&heard.0, &heard.1].map(|count| count.load(Ordering::Relaxed)), [1, 1]);
    }
}

#[test]
fn head_gets_the_head_of_get() {
    let router = Router::new().get("/", says("page"));
    let head = ask(&router, Method::HEAD, "/", &[], "");
    assert_eq!(head.length, Some(BodyLength::Known(4)));
    assert_eq!(head.body, b"");
}

#[test]
fn an_answer_may_come_later_and_in_pieces_or_not_at_all() {
    let (later, answered) = answer(&Method::GET);
    let handler = |_: Request, answer: Answer| {
        let mut body = answer.begin(response_head(StatusCode::OK, Headers::new()), BodyLength::Unknown);
        body.send(Bytes::from_static(b"pa")).unwrap();
        body.send(Bytes::from_static(b"ge")).unwrap();
        body.finish();
    };
    std::thread::spawn(move || handler(request(Method::GET, "/", &[], ""), later)).join().unwrap();
    let whole = std::mem::take(&mut *answered.lock().unwrap());
    assert_eq!((whole.text().as_str(), whole.ended), ("page", true));

    let (dropped, answered) = answer(&Method::GET);
    drop(dropped);
    assert_eq!(answered.lock().unwrap().status(), 500);

    let (half, answered) = answer(&Method::GET);
    drop(half.begin(response_head(StatusCode::OK, Headers::new()), BodyLength::Unknown));
    assert!(answered.lock().unwrap().aborted, "half an answer is no answer");
}

#[test]
fn dates_come_from_the_clock_that_is_handed_in() {
    let clock = Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
    let site = Dated::new(Router::new().get("/", says("x")), clock);
    assert_eq!(get(&site, "/").header("Date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
}

#[test]
fn patterns_that_are_none() {
    assert!(matches!(Pattern::parse("items"), Err(PatternError::NoSlash(_))));
    assert!(matches!(Pattern::parse("/{}"), Err(PatternError::BadPart(_))));
    assert!(matches!(Pattern::parse("/a{b}"), Err(PatternError::BadPart(_))));
    assert!(matches!(Pattern::parse("/{*a}/b"), Err(PatternError::RestNotLast(_))));
}

proptest! {
    #[test]
    fn any_target_is_answered(target in "\\PC{0,60}") {
        let site = framewise_site::builtin();
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            prop_assert!(ask(&site, method, &target, &[], &target).status() >= 200);
        }
    }
}
