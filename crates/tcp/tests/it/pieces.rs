//! However a stream is cut into segments, in whatever order and however often they come: it is the same stream.

use framewise_tcp::Config;
use framewise_tcp::segment::{Flags, Header};
use proptest::prelude::*;

use crate::guard::forged;
use crate::pair::{ONE, Pair, TWO, pattern};

/// An open connection, and what the first host would send next on it.
fn opened(receive_window: usize) -> (Pair, Header) {
    let config = Config { receive_window, ..Config::default() };
    let mut pair = Pair::with(1, config, ["192.0.2.1", "192.0.2.2"]);
    pair.connected();
    let (next, _) = pair.last_sent(ONE);
    (pair, next)
}

/// The bytes from `from` on, at most `length` of them, as a segment; the last ones carry the FIN.
fn deliver(pair: &mut Pair, next: &Header, data: &[u8], from: usize, length: usize) {
    let end = (from + length).min(data.len());
    let fin = if end == data.len() { Flags::FIN } else { Flags(0) };
    let header = Header { sequence: next.sequence.plus(from), flags: Flags::ACK | fin, ..*next };
    pair.inject(TWO, forged(header, &data[from..end]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Pieces overlap, repeat and leave gaps; at the end all of it comes once more in order, as a sender repeats it.
    #[test]
    fn any_segments_of_the_same_bytes_give_the_same_stream(
        length in 1usize..20_000,
        pieces in proptest::collection::vec((any::<prop::sample::Index>(), 1usize..1_460), 0..80),
        again in 1usize..1_460,
        large: bool,
    ) {
        let (mut pair, next) = opened(if large { 512 * 1_024 } else { 64 * 1_024 });
        let (two, data) = (pair.accepted(0), pattern(length));
        for (from, size) in pieces {
            deliver(&mut pair, &next, &data, from.index(length), size);
            let received = &pair.stream(TWO, two).received;
            prop_assert!(data.starts_with(received), "{} bytes are not the first of the stream", received.len());
        }
        for from in (0..length).step_by(again) {
            deliver(&mut pair, &next, &data, from, again);
        }
        let stream = pair.stream(TWO, two);
        prop_assert_eq!(stream.received.len(), length);
        prop_assert!(stream.received == data, "the bytes should be the same");
        prop_assert!(stream.peer_closed, "the FIN was with the last byte");
    }
}

/// A FIN that came too early is not kept. Who repeats it with the data in front of it, all of which came meanwhile, is heard.
#[test]
fn a_fin_behind_data_that_came_before_is_taken() {
    let (mut pair, next) = opened(64 * 1_024);
    let (two, data) = (pair.accepted(0), pattern(100));
    deliver(&mut pair, &next, &data, 50, 50);
    deliver(&mut pair, &next, &data, 0, 50);
    assert_eq!(pair.stream(TWO, two).received, data);
    deliver(&mut pair, &next, &data, 50, 50);
    assert!(pair.stream(TWO, two).peer_closed);
}
