//! Many threads in one shop, as a pool has them: they share nothing but the database, and nothing is lost.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use common::config;
use framewise::core::Rng;
use framewise::core::seams::stream::ConnInfo;
use framewise::http::{
    Answer, AnswerSink, BodyLength, Gone, Handler, Headers, Method, Params, Pieces, Request, RequestHead,
    ResponseHead, Version,
};
use framewise_shop::{Config, Doing, Place, Shop};

const THREADS: usize = 8;

/// What one request got.
#[derive(Default)]
struct Answered {
    status: u16,
    cookie: Option<String>,
    text: String,
}

struct Sink(Arc<Mutex<Answered>>);

impl AnswerSink for Sink {
    fn head(&mut self, head: ResponseHead, _: BodyLength) {
        let mut answered = self.0.lock().unwrap();
        answered.status = head.status.as_u16();
        let field = head.headers.text("set-cookie");
        answered.cookie = field.and_then(|field| field.split(';').next()).map(str::to_owned);
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        self.0.lock().unwrap().text.push_str(&String::from_utf8_lossy(&data));
        Ok(())
    }

    fn stream(&mut self, _: Pieces) {}
    fn end(&mut self) {}
    fn abort(&mut self) {}
}

/// Asks the handler itself, on this thread.
fn ask(shop: &Shop, method: Method, target: &str, cookie: &str, body: String) -> Answered {
    let mut headers = Headers::new();
    headers.push("Cookie", cookie);
    headers.push("Content-Type", "application/x-www-form-urlencoded");
    let end = "192.0.2.1:80".parse().unwrap();
    let request = Request {
        head: RequestHead {
            method: method.clone(),
            target: target.to_owned(),
            version: Version::Http11,
            headers,
        },
        connection: ConnInfo { local: end, remote: end, tls: None },
        params: Params::default(),
        body: body.into(),
    };
    let answered = Arc::new(Mutex::new(Answered::default()));
    shop.handle(request, Answer::new(Box::new(Sink(answered.clone())), &method));
    std::mem::take(&mut *answered.lock().unwrap())
}

/// Creates an account and writes a review.
fn visit(shop: &Shop, number: usize) {
    let mut cookie = String::new();
    for (path, fields) in [
        ("/account/new", format!("name=N{number}&email=n{number}@example.com&password=analytical+engine")),
        ("/products/1/review", format!("rating=4&text=Review+{number}.")),
    ] {
        let form = ask(shop, Method::GET, path, &cookie, String::new());
        assert_eq!(form.status, 200, "{}", form.text);
        cookie = form.cookie.unwrap_or(cookie);
        let (_, rest) = form.text.split_once("csrf_token\" value=\"").unwrap();
        let token = rest.split_once('"').unwrap().0;
        let sent = ask(shop, Method::POST, path, &cookie, format!("{fields}&csrf_token={token}"));
        assert_eq!(sent.status, 303, "{}", sent.text);
        cookie = sent.cookie.unwrap_or(cookie);
    }
}

fn write_at_once(place: Place, connections: usize) {
    let shop = Shop::new(Config { place, connections, patience: Duration::from_secs(60), ..config() });
    thread::scope(|scope| {
        for number in 0..THREADS {
            let shop = &shop;
            scope.spawn(move || visit(shop, number));
        }
    });
    let page = ask(&shop, Method::GET, "/products/1", "", String::new());
    for number in 0..THREADS {
        assert!(page.text.contains(&format!("Review {number}.")), "{}", page.text);
    }
    assert!(page.text.contains(&format!("from {THREADS} reviews")), "{}", page.text);
}

#[test]
fn all_that_many_threads_write_into_a_file_is_there() {
    let folder = tempfile::tempdir().unwrap();
    write_at_once(Place::File(folder.path().join("few.db")), 2);
    write_at_once(Place::File(folder.path().join("many.db")), THREADS);
}

#[test]
fn all_that_many_threads_write_into_memory_is_there() {
    write_at_once(Place::Memory, THREADS);
}

#[test]
fn shops_that_make_the_same_file_at_once_agree_on_it() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let file = folder.path().join(format!("{round}.db"));
        let together = Barrier::new(THREADS);
        // As processes would: each has its own connections, and would choose another key.
        let open = |number: u64| {
            let patience = Duration::from_secs(60);
            let randomness = Rng::from_seed(number);
            let shop =
                Shop::new(Config { place: Place::File(file.clone()), patience, randomness, ..config() });
            together.wait();
            shop.check().unwrap();
            shop
        };
        let shops: Vec<Shop> = thread::scope(|scope| {
            let open = &open;
            let opening: Vec<_> =
                (0..THREADS as u64).map(|number| scope.spawn(move || open(number))).collect();
            opening.into_iter().map(|shop| shop.join().unwrap()).collect()
        });
        // A session that one has signed is believed by all.
        let cookie = ask(&shops[0], Method::GET, "/", "", String::new()).cookie.unwrap();
        for shop in &shops {
            assert_eq!(ask(shop, Method::GET, "/", &cookie, String::new()).cookie, None);
        }
    }
}

#[test]
fn while_a_password_is_hashed_others_get_the_connection() {
    // Another visitor comes whenever code of the shop's own is about to run: before a controller, and before it hashes.
    let shop = Arc::new(Mutex::new(None::<Shop>));
    let got = Arc::new(Mutex::new(Vec::new()));
    let (inner, statuses) = (shop.clone(), got.clone());
    let watch = move |doing: Doing| {
        let visited = if doing == Doing::Executes { inner.lock().unwrap().take() } else { None };
        if let Some(shop) = visited {
            statuses.lock().unwrap().push(ask(&shop, Method::GET, "/", "", String::new()).status);
            *inner.lock().unwrap() = Some(shop);
        }
    };
    let made = Shop::new(Config { watch: Arc::new(watch), ..config() });
    let form = ask(&made, Method::GET, "/sign-in", "", String::new());
    let (_, rest) = form.text.split_once("csrf_token\" value=\"").unwrap();
    let token = rest.split_once('"').unwrap().0;
    let cookie = form.cookie.unwrap();
    for (path, fields, status) in [
        ("/account/new", "name=Ada&email=ada@example.com&password=analytical+engine", 303),
        ("/sign-in", "email=ada@example.com&password=analytical+engine", 303),
        ("/sign-in", "email=eve@example.com&password=analytical+engine", 422),
    ] {
        *shop.lock().unwrap() = Some(made.clone());
        let sent = ask(&made, Method::POST, path, &cookie, format!("{fields}&csrf_token={token}"));
        *shop.lock().unwrap() = None;
        assert_eq!(sent.status, status, "{path}: {}", sent.text);
        let got = std::mem::take(&mut *got.lock().unwrap());
        assert_eq!(got, [503, 200], "{path}: busy, then hashing");
    }
}

#[test]
fn who_gets_no_connection_in_time_is_told_to_come_again() {
    // In the middle of one visit, which has the only connection, another visitor comes.
    let (shop, other) = (Arc::new(Mutex::new(None::<Shop>)), Arc::new(Mutex::new(None::<Answered>)));
    let (inner, told) = (shop.clone(), other.clone());
    let watch = move |doing: Doing| {
        let visited = if doing == Doing::Executes { inner.lock().unwrap().take() } else { None };
        if let Some(shop) = visited {
            *told.lock().unwrap() = Some(ask(&shop, Method::GET, "/", "", String::new()));
        }
    };
    let made = Shop::new(Config { watch: Arc::new(watch), ..config() });
    *shop.lock().unwrap() = Some(made.clone());
    assert_eq!(ask(&made, Method::GET, "/", "", String::new()).status, 200);
    let other = other.lock().unwrap().take().expect("another visitor came");
    assert_eq!(other.status, 503);
    let words = "All of the shop&#39;s connections to its database are in use.";
    assert!(other.text.contains(words), "{}", other.text);
}
