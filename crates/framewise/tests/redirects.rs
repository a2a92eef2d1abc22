//! Where redirects lead, with what request, and what stays at home.

use bytes::Bytes;
use framewise::http::{Method, Request, Response, StatusCode};
use framewise::{CookieJar, Fetch, FetchError, FetchId, Page, RedirectError, World};

/// A world whose server answers by `pages` at http, https and http on port 8080.
fn world(pages: impl Fn(Request) -> Response + Send + Sync + Clone + 'static) -> World {
    let mut world = World::new(21).expect("a world in memory");
    let mut server = world.runner.host(world.server);
    server.return_page(80, pages.clone()).expect("the port is free");
    server.return_page(8080, pages.clone()).expect("the port is free");
    server.return_page_secure(443, pages).expect("the port is free");
    world
}

fn fetch(world: &mut World, fetch: Fetch) -> Result<Page, FetchError> {
    world.runner.host(world.me).fetch(fetch)
}

fn get(url: &str) -> Fetch {
    Fetch::get(url).follow_redirects(5)
}

/// A redirect of the status and to the place that the query names: `/?307=/there`.
fn redirect(request: &Request) -> Option<Response> {
    let (status, to) = request.query()?.split_once('=')?;
    let status = StatusCode::from_bytes(status.as_bytes()).ok()?;
    Some(Response::text("look elsewhere").with_status(status).header("Location", to))
}

/// What came: method, host, path, the fields that matter, body.
fn told(request: &Request) -> Response {
    let mut text =
        format!("{} {}{}", request.head.method, request.header("Host").unwrap_or(""), request.path());
    for name in ["Authorization", "Cookie", "Content-Type", "X-Mine"] {
        if let Some(value) = request.header(name) {
            text.push_str(&format!("; {name}: {value}"));
        }
    }
    text.push_str(&format!("; {}", String::from_utf8_lossy(&request.body)));
    Response::text(text)
}

fn leads(request: Request) -> Response {
    redirect(&request).unwrap_or_else(|| told(&request))
}

#[test]
fn unless_asked_for_a_redirect_is_a_page() {
    let page = fetch(&mut world(leads), Fetch::get("http://shop.test/?301=/there")).unwrap();
    assert_eq!((page.head.status.as_u16(), &page.text()[..]), (301, "look elsewhere"));
    assert!(page.redirects.is_empty());
}

#[test]
fn a_redirect_is_followed_over_scheme_and_port() {
    let mut world = world(leads);
    let page =
        fetch(&mut world, get("http://shop.test/a?301=https://shop.test/b?302=http://shop.test:8080/c"))
            .unwrap();
    assert_eq!(page.text(), "GET shop.test:8080/c; ");
    assert_eq!(page.url, "http://shop.test:8080/c");
    let hops: Vec<_> = page.redirects.iter().map(|hop| (hop.url.as_str(), hop.status.as_u16())).collect();
    assert_eq!(
        hops,
        [
            ("http://shop.test/a?301=https://shop.test/b?302=http://shop.test:8080/c", 301),
            ("https://shop.test/b?302=http://shop.test:8080/c", 302)
        ]
    );
    assert!(page.connection.tls.is_none());
    let page = fetch(&mut world, get("http://shop.test/a/b?302=c")).unwrap();
    assert_eq!((page.text(), page.reused), ("GET shop.test/a/c; ".into(), true), "on the same connection");
}

#[test]
fn a_page_behind_a_long_redirect_comes_on_a_new_connection() {
    let long = |request: Request| match request.path() {
        "/long" => Response::bytes("text/plain", vec![b'x'; 500_000])
            .with_status(StatusCode::FOUND)
            .header("Location", "/short"),
        _ => Response::text("here"),
    };
    let page = fetch(&mut world(long), get("http://shop.test/long")).unwrap();
    assert_eq!((page.text(), page.reused, page.received), ("here".into(), false, 4));
}

#[test]
fn post_becomes_get_or_keeps_its_body() {
    let mut world = world(leads);
    let mut post = |status: u16, to: &str| {
        let url = format!("http://shop.test/?{status}={to}");
        fetch(&mut world, Fetch::post(url, "text/plain", "tea").follow_redirects(5))
            .unwrap()
            .text()
            .into_owned()
    };
    for status in [301, 302, 303] {
        assert_eq!(post(status, "/there"), "GET shop.test/there; ", "{status}");
    }
    for status in [307, 308] {
        assert_eq!(post(status, "/there"), "POST shop.test/there; Content-Type: text/plain; tea", "{status}");
    }
    // Once it is GET, it stays GET.
    assert_eq!(post(303, "/b?307=/c"), "GET shop.test/c; ");
}

#[test]
fn a_body_is_made_again_or_its_end_is_said() {
    let mut world = world(leads);
    let pieces = || -> framewise::http::Pieces { Box::new((0..2).map(|_| Ok(Bytes::from_static(b"tea")))) };
    let url = "http://shop.test/?307=/there";
    let put = || Fetch::new(Method::PUT, url).follow_redirects(5);
    let page = fetch(&mut world, put().body_maker(Some(6), Box::new(move || Ok(pieces())))).unwrap();
    assert_eq!(page.text(), "PUT shop.test/there; teatea");
    let error = fetch(&mut world, put().body_stream(Some(6), pieces())).unwrap_err();
    let FetchError::Redirect(RedirectError::Body { status, to }) = &error else { panic!("{error:?}") };
    assert_eq!((status.as_u16(), to.as_str()), (307, "http://shop.test/there"));
    // A redirect that leaves the body behind needs none.
    let post = Fetch::post("http://shop.test/?303=/there", "text/plain", "").body_stream(None, pieces());
    assert_eq!(fetch(&mut world, post.follow_redirects(5)).unwrap().text(), "GET shop.test/there; ");
}

#[test]
fn what_was_given_for_one_origin_stays_there() {
    let mut world = world(leads);
    let mut text = |url: &str| {
        let secret = get(url).user("me", "secret").header("Cookie", "id=7").header("X-Mine", "yes");
        fetch(&mut world, secret).unwrap().text().into_owned()
    };
    let known = "; Authorization: Basic bWU6c2VjcmV0; Cookie: id=7; X-Mine: yes; ";
    assert_eq!(text("http://shop.test/?302=/b"), format!("GET shop.test/b{known}"));
    for elsewhere in ["https://shop.test/b", "http://shop.test:8080/b", "http://203.0.113.80/b"] {
        let host = elsewhere.split('/').nth(2).unwrap();
        assert_eq!(
            text(&format!("http://shop.test/?302={elsewhere}")),
            format!("GET {host}/b; X-Mine: yes; ")
        );
    }
    // Whoever is led back is known again, as whom the user said and nobody else.
    let back = "http://shop.test/?302=https://shop.test/?302=http://you:other@shop.test/b";
    assert_eq!(text(back), format!("GET shop.test/b{known}"));
}

#[test]
fn a_field_that_shows_a_user_stays_at_home_too() {
    let mut world = world(leads);
    let given = get("http://shop.test/?307=https://shop.test/b")
        .header("authorization", "Bearer 4711")
        .header("Host", "else.test");
    assert_eq!(fetch(&mut world, given).unwrap().text(), "GET shop.test/b; ");
    let given = get("http://shop.test/b").header("Authorization", "Bearer 4711").user("me", "secret");
    assert_eq!(fetch(&mut world, given).unwrap().text(), "GET shop.test/b; Authorization: Bearer 4711; ");
    let in_url = get("http://m%65:p%40ss@shop.test/b");
    let page = fetch(&mut world, in_url).unwrap();
    assert_eq!(page.text(), "GET shop.test/b; Authorization: Basic bWU6cEBzcw==; ");
    assert_eq!(page.url, "http://shop.test/b", "no password is shown");
}

#[test]
fn circles_and_too_many_are_told() {
    let mut world = world(|request: Request| {
        let number: u32 = request.path()[1..].parse().unwrap_or(0);
        let to = if request.query() == Some("circle") {
            "/?circle".to_owned()
        } else {
            format!("/{}", number + 1)
        };
        Response::text("on").with_status(StatusCode::FOUND).header("Location", &to)
    });
    let error = fetch(&mut world, get("http://shop.test/0")).unwrap_err();
    let to = "http://shop.test/6".to_owned();
    assert_eq!(error, FetchError::Redirect(RedirectError::TooMany { limit: 5, to }));
    let error = fetch(&mut world, get("http://shop.test/7?circle")).unwrap_err();
    assert!(matches!(error, FetchError::Redirect(RedirectError::Loop { .. })), "{error}");
}

#[test]
fn a_cookie_on_the_way_opens_a_circle() {
    let mut world = world(|request: Request| match request.header("Cookie") {
        Some(cookie) => Response::text(format!("known by {cookie}")),
        None => Response::text("")
            .with_status(StatusCode::FOUND)
            .header("Location", "/")
            .header("Set-Cookie", "id=7; Path=/"),
    });
    let jar = CookieJar::starting_at(framewise::world::EPOCH).shared();
    let page = fetch(&mut world, get("http://shop.test/").cookies(jar.clone())).unwrap();
    assert_eq!(page.text(), "known by id=7");
    let again = fetch(&mut world, Fetch::get("https://shop.test/else").cookies(jar)).unwrap();
    assert_eq!(again.text(), "known by id=7", "whoever keeps the jar is known again");
}

#[test]
fn a_redirect_to_no_page_is_told() {
    let mut world = world(leads);
    for to in ["ftp://shop.test/", "http://[", "file:///etc/passwd"] {
        let error = fetch(&mut world, get(&format!("http://shop.test/?302={to}"))).unwrap_err();
        assert!(
            matches!(&error, FetchError::Redirect(RedirectError::Location { location, .. }) if location == to),
            "{error}"
        );
    }
    let error = fetch(&mut world, get("http://shop.test/?302=http://nowhere.test/")).unwrap_err();
    assert!(matches!(error, FetchError::Name(_)), "{error}");
    let error = fetch(&mut world, get("http://shop.test/?302=http://shop.test:81/")).unwrap_err();
    assert!(matches!(error, FetchError::Connect { remote, .. } if remote.port() == 81), "{error}");
}

#[test]
fn one_deadline_holds_for_the_whole_way() {
    use std::time::Duration;
    let mut world = world(leads);
    // A round trip to the server takes 20 ms; two connections and requests take at least 80.
    let url = "http://shop.test/?302=http://shop.test:8080/";
    let error = fetch(&mut world, get(url).max_time(Duration::from_millis(70))).unwrap_err();
    assert!(matches!(error, FetchError::TimedOut { .. }), "{error}");
    // Each connection has its own.
    let page = fetch(&mut world, get(url).connect_timeout(Duration::from_millis(50)));
    assert_eq!(page.unwrap().text(), "GET shop.test:8080/; ");
}

#[test]
fn several_fetches_go_their_ways_at_once() {
    let mut world = world(leads);
    let me = world.me;
    let start = |n: u32| -> FetchId {
        world.runner.host(me).start(get(&format!("http://shop.test/?302=https://shop.test/{n}"))).unwrap()
    };
    let fetches: Vec<_> = (0..20).map(start).collect();
    for (n, id) in fetches.into_iter().enumerate() {
        assert_eq!(world.runner.host(me).finish(id).unwrap().text(), format!("GET shop.test/{n}; "));
    }
}
