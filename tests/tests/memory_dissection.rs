//! What the passive decoder makes of captures with losses and reordering is what tshark makes of them.

use std::path::Path;
use std::time::Duration;

use framewise::device::ImpairmentConfig;
use framewise::{Fetch, WorldConfig};
use framewise_tests::memory::{LARGE, capture, record, world};
use framewise_tests::peers::{Tshark, body_of};
use framewise_tests::skippable;
use framewise_trace::dissect::{Limits, Place, Side, Space, Stream};
use framewise_trace::{Dissection, Trace};

/// A run in which these pages are fetched over a bad wire.
fn run(seed: u64, damage: f64, urls: &[&str]) -> Trace {
    let impairment = ImpairmentConfig {
        loss: 0.05,
        reordering: 0.1,
        reorder_delay: Duration::from_millis(3),
        duplication: 0.05,
        bit_corruption: damage,
        ..ImpairmentConfig::default()
    };
    let mut world = world(&WorldConfig { seed, impairment, ..WorldConfig::default() });
    let recorder = record(&mut world);
    for url in urls {
        let fetch = Fetch::get(*url).max_time(Duration::from_secs(600));
        let page = world.runner.host(world.me).fetch(fetch);
        page.unwrap_or_else(|error| panic!("{url}: {error}"));
    }
    recorder.borrow().trace()
}

/// Fetches these pages over a wire that damages nothing (tshark takes damaged segments for good ones), and gives the captures
/// of both ends to `judge`.
fn captured(test: &str, seed: u64, urls: &[&str], judge: impl Fn(&str, &Path, &Dissection)) {
    let trace = run(seed, 0.0, urls);
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    skippable(test, || {
        for host in ["me", "shop.test"] {
            let bytes = capture(&trace, host);
            let file = folder.path().join(format!("{host}.pcapng"));
            std::fs::write(&file, &bytes).expect("there is room for a capture");
            let dissection = Dissection::of_capture(&bytes[..], "", Limits::default()).expect("a capture");
            judge(host, &file, &dissection);
        }
    });
}

/// All that one side said, as tshark counts it too: up to what was seen of its end.
fn said(dissection: &Dissection, stream: Stream<'_>) -> Vec<u8> {
    let place = Place::new(Space::Stream(stream.id()), 0..stream.length());
    dissection.bytes(&place).expect("nothing is missing in the end")
}

fn plain(dissection: &Dissection, stream: Stream<'_>) -> Vec<u8> {
    let place = Place::new(Space::Plaintext(stream.id()), 0..stream.plaintext_length());
    dissection.bytes(&place).expect("all of it can be opened")
}

#[test]
fn streams_over_a_bad_wire_are_those_of_tshark() {
    let test = "streams_over_a_bad_wire_are_those_of_tshark";
    captured(test, 11, &["http://shop.test/large", "https://shop.test/large"], |host, file, dissection| {
        let mut again = 0;
        for (number, connection) in dissection.connections().enumerate() {
            let theirs = Tshark::new(file).follow("tcp", number, &connection.client().to_string());
            let ours = Side::BOTH.map(|side| said(dissection, connection.stream(side)));
            assert!(ours == theirs, "{host}, connection {number}: {} and {}", ours[1].len(), theirs[1].len());
            again += connection.stream(Side::Server).again().len();
        }
        assert_eq!(dissection.connections().len(), 2, "{host}");
        assert!(again > 10, "{host}: only {again} segments came again");
    });
}

#[test]
fn plaintext_over_a_bad_wire_is_that_of_tshark() {
    let test = "plaintext_over_a_bad_wire_is_that_of_tshark";
    captured(test, 12, &["https://shop.test/large", "https://shop.test/"], |host, file, dissection| {
        let page = body_of(LARGE);
        for (number, connection) in dissection.connections().enumerate() {
            let ours = Side::BOTH.map(|side| plain(dissection, connection.stream(side)));
            let theirs = Tshark::new(file).follow("tls", number, &connection.client().to_string());
            assert!(ours == theirs, "{host}, connection {number}: {} and {}", ours[1].len(), theirs[1].len());
            assert!(bodies(dissection).contains(&page), "{host}: the page is in it, byte for byte");
        }
    });
}

/// The bodies of all responses.
fn bodies(dissection: &Dissection) -> Vec<Vec<u8>> {
    let streams = dissection.connections().map(|connection| connection.stream(Side::Server));
    let places = streams.flat_map(|stream| {
        let bodies = stream.messages().iter().flat_map(|message| &message.body);
        bodies.map(move |body| stream.place(body))
    });
    places.map(|place| dissection.bytes(&place).expect("it is there")).collect()
}

#[test]
fn a_page_over_a_wire_that_damages_is_the_page() {
    let trace = run(13, 0.03, &["http://shop.test/large", "https://shop.test/large"]);
    let page = body_of(LARGE);
    let run = Dissection::of_trace(&trace, "me", Limits::default());
    let refused = run.frames().filter(|frame| frame.refused().is_some()).count();
    assert!(refused > 10, "only {refused} frames were refused");
    let capture = capture(&trace, "me");
    let capture = Dissection::of_capture(&capture[..], "", Limits::default()).expect("a capture");
    for (dissection, what) in [(&run, "the run"), (&capture, "its capture")] {
        let found = bodies(dissection);
        assert_eq!(found.len(), 2, "{what}");
        assert!(found.iter().all(|body| *body == page), "{what}: both pages, byte for byte");
        let streams = dissection.connections().map(|connection| connection.stream(Side::Server));
        for stream in streams.filter(|stream| !stream.messages().is_empty()) {
            each_byte_is_in_a_frame(dissection, stream, &page);
        }
    }
}

/// Each byte of the page is in a frame that was taken, as it is where nothing is sealed; the others are those sent again.
fn each_byte_is_in_a_frame(dissection: &Dissection, stream: Stream<'_>, page: &[u8]) {
    let body = stream.messages()[0].body[0].clone();
    let mut first = vec![0; page.len()];
    for carrier in dissection.frames_of(&stream.place(&body)) {
        let Space::Frame(number) = carrier.at.space else { panic!("{carrier:?}") };
        let frame = dissection.frame(number).expect("it was named");
        let part = (carrier.part.start - body.start) as usize..(carrier.part.end - body.start) as usize;
        if !carrier.again {
            assert_eq!(frame.refused(), None, "frame {number} brought a byte, so it was taken");
            first[part.clone()].iter_mut().for_each(|times| *times += 1);
        }
        let is_sealed = stream.message_space() != Space::Stream(stream.id());
        if !is_sealed && frame.refused().is_none() {
            let bytes = &frame.bytes()[carrier.at.range.start as usize..carrier.at.range.end as usize];
            assert!(
                carrier.again || bytes == &page[part],
                "frame {number} has the page's bytes where it is said to"
            );
        }
    }
    assert!(first.iter().all(|times| *times == 1), "each byte was brought once for the first time");
}
