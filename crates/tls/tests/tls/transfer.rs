//! Bytes arrive as they were sent, however the wire cuts them and however little credit there is.

use crate::common::{App, Pair, Way, Wire, client_config, server_config};
use framewise_core::Rng;
use framewise_core::seams::stream::{CloseReason, Security};
use framewise_tls::Versions;
use proptest::prelude::*;

fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; count];
    Rng::from_seed(seed).fill(&mut bytes);
    bytes
}

fn wire(window: usize, most: usize, seed: u64) -> Wire {
    Wire { window, most, rng: Rng::from_seed(seed), flip: None }
}

fn big_answer() -> App {
    App { window: 1_000, ..App::sending(bytes(1 << 20, 2)) }
}

#[test]
fn a_megabyte_each_way_with_tiny_credits() {
    for versions in [Versions::Only12, Versions::Only13] {
        let (mut client, mut server) = (client_config(7), server_config(7));
        (client.versions, server.versions) = (versions, versions);
        let mut pair = Pair::over(client, server, Security::Tls(None), wire(700, 500, 3));
        pair.server.template = big_answer;
        let app = App { window: 900, ..App::sending(bytes(1 << 20, 1)) };
        pair.connect(0, "shop.test", app);
        let (client, server) = (pair.client_app(0), pair.server_app(0));
        assert_eq!(client.received.len(), 1 << 20);
        assert!(client.received == server.to_send && server.received == client.to_send, "byte for byte");
        assert_eq!(client.closed, Some(CloseReason::Finished));
    }
}

#[test]
fn large_pieces_fill_large_records() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    pair.connect(0, "shop.test", App::sending(bytes(1 << 20, 1)));
    assert_eq!(pair.server_app(0).received.len(), 1 << 20);
    let (log, sends) = pair.log(0, Way::ToServer);
    let overhead = log.len() - (1 << 20);
    assert!(overhead < 70 * 22 + 600, "about 64 records, not {overhead} bytes of envelopes");
    assert!(sends.len() < 60, "records are gathered into few sends, not {}", sends.len());
}

#[test]
fn plain_connections_pass_through_untouched() {
    let mut pair = Pair::over(client_config(7), server_config(7), Security::Plain, Wire::default());
    pair.connect_as(0, Security::Plain, App::sending(*b"GET / HTTP/1.1\r\n\r\n"));
    assert_eq!(pair.log(0, Way::ToServer).0, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(pair.server_app(0).received, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(pair.client_app(0).received, b"answer");
    assert_eq!(pair.client_app(0).info.as_ref().map(|info| info.tls.is_none()), Some(true));
    assert_eq!(pair.client.tls.connections(), 0);
}

#[test]
fn a_reader_that_takes_nothing_bounds_what_is_taken_from_the_wire() {
    let mut pair =
        Pair::over(client_config(7), server_config(7), Security::Tls(None), wire(1 << 20, usize::MAX, 0));
    pair.server.template = || App { window: 0, close_when_sent: false, ..App::default() };
    let app = App { close_when_sent: false, ..App::sending(bytes(4 << 20, 1)) };
    pair.connect(0, "shop.test", app);
    assert_eq!(pair.server_app(0).received, b"");
    let sent = pair.log(0, Way::ToServer).0.len();
    assert!(sent < (1 << 20) + 400 * 1024, "one window on the wire and one in the layer, not {sent}");
}

#[test]
fn what_was_sent_before_the_close_arrives_at_a_slow_reader() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    pair.server.template = || App { window: 10, ..App::sending(*b"answer") };
    pair.connect(0, "shop.test", App::sending(bytes(40_000, 1)));
    assert_eq!(pair.server_app(0).received, bytes(40_000, 1));
    assert_eq!(pair.server_app(0).closed, Some(CloseReason::Finished));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cut_gives_the_same_bytes(
        window in 1usize..5_000,
        most in 1usize..4_000,
        grant in 1usize..3_000,
        piece in 1usize..6_000,
        count in 0usize..20_000,
        tls12: bool,
        seed: u64,
    ) {
        let (mut client, mut server) = (client_config(7), server_config(7));
        if tls12 {
            (client.versions, server.versions) = (Versions::Only12, Versions::Only12);
        }
        let mut pair = Pair::over(client, server, Security::Tls(None), wire(window, most, seed));
        let app = App { window: grant, piece, ..App::sending(bytes(count, seed)) };
        pair.connect(0, "shop.test", app);
        prop_assert_eq!(&pair.server_app(0).received, &bytes(count, seed));
        prop_assert_eq!(&pair.client_app(0).received, b"answer");
        prop_assert_eq!(pair.client_app(0).peer_closed, Some(true));
        prop_assert_eq!(pair.server_app(0).peer_closed, Some(true));
        prop_assert_eq!(&pair.client_app(0).closed, &Some(CloseReason::Finished));
    }
}
