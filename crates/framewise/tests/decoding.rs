//! Pages that were made shorter for the way.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use framewise::core::seams::exchange::{BodyLength, ResponseHead};
use framewise::http::{Method, Request, Response};
use framewise::{BodySink, CodingError, Decoding, Fetch, FetchError, Form, Page, Part, World};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

/// Fetches from a server whose page is coded so.
fn fetch(
    coding: &'static str,
    coded: Vec<u8>,
    change: impl FnOnce(Fetch) -> Fetch,
) -> Result<Page, FetchError> {
    let mut world = World::new(24).expect("a world in memory");
    let page = move |request: Request| match request.header("Accept-Encoding") {
        Some("gzip, deflate, br") => {
            Response::bytes("text/plain", coded.clone()).header("Content-Encoding", coding)
        }
        accepted => Response::text(format!("{accepted:?}")),
    };
    world.runner.host(world.server).return_page(80, page).expect("the port is free");
    world.runner.host(world.me).fetch(change(Fetch::get("http://shop.test/")))
}

fn decode(fetch: Fetch) -> Fetch {
    fetch.decode(Decoding::default())
}

#[test]
fn a_coded_page_is_decoded_if_it_was_asked_for() {
    let text = "a frame in a wire, ".repeat(10_000);
    let coded = gzip(text.as_bytes());
    let page = fetch("gzip", coded.clone(), decode).unwrap();
    assert!(page.text() == text, "{} bytes", page.body.len());
    assert_eq!((page.received, page.decoded), (coded.len() as u64, Some(text.len() as u64)));
    assert_eq!(page.head.headers.text("Content-Encoding"), Some("gzip"), "the head stays as it came");
    let page = fetch("gzip", coded, |fetch| fetch).unwrap();
    assert_eq!((page.text(), page.decoded), ("None".into(), None));
}

#[test]
fn a_page_without_a_coding_comes_as_it_is() {
    let page = fetch("identity", b"as it is".to_vec(), decode).unwrap();
    assert_eq!((page.text(), page.decoded), ("as it is".into(), None));
    let own = |fetch| decode(fetch).header("Accept-Encoding", "gzip;q=0.5");
    assert_eq!(fetch("gzip", gzip(b"x"), own).unwrap().text(), "Some(\"gzip;q=0.5\")");
    let head = |fetch: Fetch| {
        let _ = fetch;
        decode(Fetch::new(Method::HEAD, "http://shop.test/"))
    };
    assert_eq!(fetch("zstd", b"x".to_vec(), head).unwrap().received, 0, "a head alone has no page to decode");
}

#[test]
fn what_can_t_be_decoded_is_told() {
    let mut cut = gzip(b"a page that is not complete");
    cut.truncate(20);
    let error = |coding, coded| match fetch(coding, coded, decode) {
        Err(FetchError::Coding(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(error("gzip", cut), CodingError::Truncated { received: 20, .. }));
    assert!(matches!(error("gzip", b"no gzip at all".to_vec()), CodingError::Corrupt { .. }));
    assert!(matches!(error("zstd", b"x".to_vec()), CodingError::Unknown { .. }));
    assert!(matches!(error("gzip", gzip(&vec![0; 32 << 20])), CodingError::OutOfProportion { .. }));
}

/// Keeps the longest piece and the sum.
struct Longest(Rc<RefCell<(usize, usize)>>);

impl BodySink for Longest {
    fn head(&mut self, _: &ResponseHead, length: BodyLength) -> io::Result<()> {
        assert_eq!(length, BodyLength::Unknown, "how long it will be, nobody knows");
        Ok(())
    }
    fn piece(&mut self, data: &Bytes) -> io::Result<()> {
        let mut seen = self.0.borrow_mut();
        *seen = (seen.0.max(data.len()), seen.1 + data.len());
        Ok(())
    }
}

#[test]
fn a_long_page_is_decoded_in_little_memory() {
    let seen = Rc::new(RefCell::new((0, 0)));
    let sink = Longest(seen.clone());
    let limits = Decoding { max_ratio: 2_000, ..Decoding::default() };
    let page = fetch("gzip", gzip(&vec![7; 40 << 20]), |fetch| fetch.decode(limits).to_sink(sink)).unwrap();
    assert_eq!(page.decoded, Some(40 << 20));
    let (longest, sum) = *seen.borrow();
    assert!(sum == 40 << 20 && longest <= 64 << 10, "{sum} bytes, of which {longest} at a time");
}

#[test]
fn a_limit_counts_what_was_decoded() {
    let coded = gzip(&[1; 100_000]);
    let error = fetch("gzip", coded.clone(), |fetch| decode(fetch).max_body(50_000)).unwrap_err();
    assert_eq!(error, FetchError::TooLarge { limit: 50_000 });
    assert!(fetch("gzip", coded, |fetch| decode(fetch).max_body(100_000)).is_ok());
}

#[test]
fn a_form_of_several_parts_comes_as_it_was_given() {
    let mut world = World::new(25).expect("a world in memory");
    let page = |request: Request| {
        let content_type = request.header("Content-Type").unwrap_or_default().to_owned();
        let length = request.header("Content-Length").map(str::to_owned);
        Response::text(format!("{content_type}\n{length:?}\n{}", String::from_utf8_lossy(&request.body)))
    };
    world.runner.host(world.server).return_page(80, page).expect("the port is free");
    let form = || {
        let pieces = |_| -> io::Result<Bytes> { Ok(Bytes::from_static(b"page")) };
        let file = Part::stream("file", Some(12), Box::new((0..3).map(pieces))).file_name("a.txt");
        Form::new().part(Part::bytes("item", "tea")).part(file)
    };
    let post = || Fetch::new(Method::POST, "http://shop.test/").form(form());
    let mut told = || world.runner.host(world.me).fetch(post()).unwrap().text().into_owned();
    let text = told();
    let (content_type, rest) = text.split_once('\n').unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").expect(content_type);
    let (length, body) = rest.split_once('\n').unwrap();
    assert_eq!(length, format!("Some(\"{}\")", body.len()));
    let parts: Vec<_> = body.split(&format!("--{boundary}")).collect();
    assert_eq!(
        parts,
        [
            "",
            "\r\nContent-Disposition: form-data; name=\"item\"\r\n\r\ntea\r\n",
            "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\npagepagepage\r\n",
            "--\r\n"
        ]
    );
    assert_ne!(text, told(), "what stands between parts is drawn anew");
}

#[test]
fn what_can_t_be_sent_is_refused_before_anything_is() {
    let mut world = World::new(26).expect("a world in memory");
    let mut refused = |fetch: Fetch| match world.runner.host(world.me).start(fetch) {
        Err(FetchError::Field(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let get = || Fetch::get("http://shop.test/");
    assert!(refused(get().header("Content-Length", "5")).contains("Content-Length"));
    assert!(refused(get().header("transfer-encoding", "chunked")).contains("transfer-encoding"));
    assert!(refused(get().header("Host", "a").header("Host", "b")).contains("twice"));
    assert!(refused(get().user("a:b", "c")).contains("colon"));
    assert!(refused(Fetch::get("http://a%3Ab:c@shop.test/")).contains("colon"));
}
