//! Altered, cut, flooded, and plain nonsense.

use std::net::SocketAddr;

use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::stream::{
    CloseReason, ConnInfo, Endpoint, Security, StreamDown, StreamUp, TlsErrorKind,
};
use framewise_core::{Instant, Layer};
use framewise_tls::Versions;
use proptest::prelude::*;

use crate::common::{App, Pair, Way, Wire, at_client, client_config, server_config};

fn open_pair() -> Pair {
    let mut pair = Pair::new(client_config(7), server_config(7));
    let quiet = || App { close_when_sent: false, ..App::sending(*b"hello") };
    pair.server.template = quiet;
    pair.connect(0, "shop.test", quiet());
    assert_eq!(pair.client_app(0).received, b"hello");
    pair
}

#[test]
fn an_altered_record_is_found_out() {
    for versions in [Versions::Only12, Versions::Only13] {
        let configs = || {
            let (mut client, mut server) = (client_config(7), server_config(7));
            (client.versions, server.versions) = (versions, versions);
            (client, server)
        };
        let (client, server) = configs();
        let mut healthy = Pair::new(client, server);
        healthy.connect(0, "shop.test", App::sending(vec![b'q'; 1_000]));
        // The question is the last but one record; close_notify comes after it.
        let at = healthy.log(0, Way::ToServer).0.len() - 500;

        let (client, server) = configs();
        let flip = Some((Way::ToServer, at));
        let wire = Wire { flip, ..Wire::default() };
        let mut pair = Pair::over(client, server, Security::Tls(None), wire);
        pair.server.template = || App { close_when_sent: false, ..App::sending(*b"answer") };
        pair.connect(0, "shop.test", App::sending(vec![b'q'; 1_000]));
        assert_eq!(pair.server_app(0).error_kind(), Some(TlsErrorKind::Altered), "{versions:?}");
        assert_eq!(pair.server_app(0).received, b"", "nothing altered is given up");
        assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::Alert));
        let detail = pair.client_app(0).detail();
        assert!(detail.contains("bad_record_mac: something that we sent reached it altered"), "{detail}");
    }
}

/// Who has said all can't send an alert any more; what comes altered is found out all the same.
#[test]
fn an_altered_record_after_our_own_close_is_found_out() {
    let mut pair = open_pair();
    let now = pair.now;
    pair.client.down(now, StreamDown::Close { conn: at_client(0) });
    pair.run();
    let record = [&[23, 3, 3, 0, 40][..], &[1; 40]].concat();
    pair.inject(0, Way::ToClient, &record);
    pair.wait(Instant::from_secs(2));
    assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::Altered));
    assert_eq!(pair.client_app(0).received, b"hello");
}

#[test]
fn an_end_without_close_notify_is_no_clean_end() {
    let mut pair = open_pair();
    pair.cut(0, Way::ToClient);
    assert_eq!(pair.client_app(0).peer_closed, Some(false));
    assert_eq!(pair.client_app(0).closed, None, "what to make of it is for the layer above");
}

#[test]
fn half_a_record_before_the_end_is_no_clean_end() {
    let mut pair = open_pair();
    pair.inject(0, Way::ToClient, &[23, 3, 3, 0, 100, 1, 2, 3]);
    pair.cut(0, Way::ToClient);
    assert_eq!(pair.client_app(0).peer_closed, Some(false));
}

#[test]
fn plain_http_where_tls_was_meant_is_said() {
    let plain = || App::sending(*b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let mut pair = Pair::over(client_config(7), server_config(7), Security::Plain, Wire::default());
    pair.server.template = plain;
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::PlainHttp));
    let sentence = "the server does not speak TLS on this port: it answered in plain HTTP";
    assert_eq!(pair.client_app(0).detail(), sentence);

    let mut pair = Pair::new(client_config(7), server_config(7));
    pair.connect_as(0, Security::Plain, App::sending(*b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"));
    let sentence = "I broke off: the client speaks plain HTTP on this port, which is for TLS";
    assert_eq!(pair.server.watcher.notes, [("failed", sentence.to_owned())]);
    assert!(pair.server.apps.is_empty());
}

#[test]
fn whoever_hangs_up_in_the_handshake_is_told_apart() {
    let mut pair = Pair::over(client_config(7), server_config(7), Security::Plain, Wire::default());
    pair.server.template = || App::sending(*b"");
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.client_app(0).detail(), "the server hung up in the middle of the handshake");
}

/// A server's app that says just this, over a plain connection.
fn server_that_says(template: fn() -> App) -> Pair {
    let mut pair = Pair::over(client_config(7), server_config(7), Security::Plain, Wire::default());
    pair.server.template = template;
    pair.connect(0, "shop.test", App::sending(*b"?"));
    pair
}

#[test]
fn an_alert_before_the_end_is_told_by_its_name() {
    let warned = server_that_says(|| App::sending([21, 3, 3, 0, 2, 1, 112]));
    let sentence = "the server hung up in the handshake, after the alert unrecognized_name";
    assert_eq!(warned.client_app(0).detail(), sentence);
    let refused = server_that_says(|| App::sending([21, 3, 3, 0, 2, 2, 115]));
    let sentence = "the peer refused by the alert unknown_psk_identity: it found a fault in what we sent";
    assert_eq!(refused.client_app(0).detail(), sentence);
}

#[test]
fn an_alert_that_says_little_is_told_as_what_it_may_mean() {
    let refused = server_that_says(|| App::sending([21, 3, 3, 0, 2, 2, 40]));
    let sentence = "the peer refused by the alert handshake_failure: \
                    it found nothing in common with us, or wanted what we don't give";
    assert_eq!(refused.client_app(0).detail(), sentence);
    assert_eq!(refused.client_app(0).error_kind(), Some(TlsErrorKind::NothingInCommon));
}

/// The connection that a client made and broke off so, by what the server counts.
fn counted(what: &str, broken_off: impl FnOnce(&mut Pair), says: &[u8]) {
    let mut pair = Pair::new(client_config(7), server_config(7));
    let silent = App { close_when_sent: false, ..App::sending(says) };
    pair.connect_as(0, Security::Plain, silent);
    broken_off(&mut pair);
    assert_eq!(pair.server.counters.drops("tls", what), 1, "{what}: {:?}", pair.server.watcher.notes);
    let all: u64 =
        framewise_tls::drops::DROPS.iter().map(|drop| pair.server.counters.drops("tls", drop.reason)).sum();
    assert_eq!(all, 1, "{what} is counted once, and for nothing else");
}

#[test]
fn who_leaves_is_not_counted_as_one_who_speaks_no_tls() {
    let close = |pair: &mut Pair| pair.cut(0, Way::ToServer);
    let reset = |pair: &mut Pair| {
        let now = pair.now;
        pair.client.down(now, StreamDown::Abort { conn: at_client(0) });
        pair.run();
    };
    let begun = [22, 3, 1, 0, 200, 1, 0, 0, 196];
    counted("client left before the handshake", close, b"");
    counted("client left before the handshake", reset, b"");
    counted("client left in the middle of the handshake", close, &begun);
    counted("client left in the middle of the handshake", reset, &begun);
    counted("handshake of an accepted connection failed", close, b"GET / HTTP/1.1\r\n\r\n");
    counted("client refused in the handshake", |_| {}, &[21, 3, 3, 0, 2, 2, 46]);
}

#[test]
fn a_client_that_refuses_our_certificate_is_counted_as_that() {
    let mut pair = Pair::new(client_config(7), server_config(8));
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.server.counters.drops("tls", "client refused in the handshake"), 1);
    assert_eq!(pair.server.counters.drops("tls", "handshake of an accepted connection failed"), 0);
}

#[test]
fn a_handshake_message_that_is_too_long_is_answered_by_an_alert() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    // A ClientHello of 128 KiB, in records of 16 KiB.
    let message = [&[1, 2, 0, 0][..], &[0; 128 * 1024]].concat();
    let records = message.chunks(16_384).flat_map(|part| {
        let length = u16::try_from(part.len()).expect("a record").to_be_bytes();
        [&[22, 3, 1, length[0], length[1]][..], part].concat()
    });
    pair.connect_as(0, Security::Plain, App::sending(records.collect::<Vec<u8>>()));
    let sentence = "I broke off: the peer sent a handshake message longer than the 64 KiB that are taken";
    assert_eq!(pair.server.watcher.notes, [("failed", sentence.to_owned())]);
    let (said, _) = pair.log(0, Way::ToClient);
    assert_eq!(said.first().zip(said.get(3..)), Some((&21, &[0, 2, 1, 0][..])), "close_notify: {said:?}");
}

#[test]
fn floods_end_the_connection() {
    let warning: Vec<u8> = [21, 3, 3, 0, 2, 1, 112].repeat(200);
    let empty: Vec<u8> = [22, 3, 3, 0, 0].repeat(2_000);
    let oversize = [&[22, 3, 3, 0xff, 0xff][..], &[0; 20_000]].concat();
    for (what, flood) in [("warnings", warning), ("empty records", empty), ("an oversize record", oversize)] {
        let mut pair = Pair::new(client_config(7), server_config(7));
        pair.connect_as(0, Security::Plain, App::sending(flood));
        let notes = &pair.server.watcher.notes;
        assert!(matches!(notes[..], [("failed", _)]), "{what}: {notes:?}");
        assert_eq!(
            pair.server.counters.drops("tls", "handshake of an accepted connection failed"),
            1,
            "{what}"
        );
        pair.wait(Instant::from_secs(2));
        assert_eq!(pair.server.tls.connections(), 0, "{what}: the peer may hold it open for a second only");
    }
}

#[test]
fn a_server_that_ignores_the_alert_is_reset_after_a_while() {
    let mut pair = open_pair();
    pair.server.tls = framewise_tls::Tls::new(server_config(7)).expect("a layer that knows nothing");
    pair.inject(
        0,
        Way::ToClient,
        &[23, 3, 3, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    assert_eq!(pair.client_app(0).closed, None, "the alert is given a moment");
    pair.wait(Instant::from_secs(2));
    assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::Altered));
    assert_eq!(pair.client.tls.connections(), 0);
}

#[test]
fn sending_more_than_was_writable_is_misuse() {
    let mut pair = open_pair();
    let data = vec![0; 1 << 20].into();
    let now = pair.now;
    pair.client.down(now, StreamDown::Send { conn: at_client(0), data });
    pair.run();
    assert_eq!(pair.client_app(0).closed, Some(CloseReason::Misuse("sent more than was writable")));
    assert_eq!(pair.server_app(0).closed, Some(CloseReason::Reset));
}

#[test]
fn abort_is_confirmed_once_and_resets_the_peer() {
    let mut pair = open_pair();
    let now = pair.now;
    pair.client.down(now, StreamDown::Abort { conn: at_client(0) });
    pair.client.down(now, StreamDown::Abort { conn: at_client(0) });
    pair.run();
    assert_eq!(pair.client_app(0).closed, Some(CloseReason::Aborted));
    assert_eq!(pair.server_app(0).closed, Some(CloseReason::Reset));
}

#[test]
fn more_connections_than_the_limit_are_turned_away() {
    let (mut client, mut server) = (client_config(7), server_config(7));
    (client.limits.connections, server.limits.connections) = (3, 2);
    let mut pair = Pair::new(client, server);
    let quiet = || App { close_when_sent: false, ..App::sending(*b"hello") };
    pair.server.template = quiet;
    for index in 0..4 {
        pair.connect(index, "shop.test", quiet());
    }
    assert_eq!(pair.client_app(1).received, b"hello");
    assert_eq!(pair.client_app(2).closed, Some(CloseReason::Reset), "the server's limit");
    assert_eq!(pair.server.counters.drops("tls", "more connections than the limit"), 2);
    assert_eq!(pair.server.apps.len(), 2, "nobody above heard of the others");
}

#[test]
fn a_second_listener_cannot_take_a_tls_port_for_plain() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    let endpoint = Endpoint { address: None, port: 443 };
    let (now, security) = (pair.now, Security::Plain);
    pair.server.down(now, StreamDown::Listen { endpoint, security });
    pair.run();
    assert!(matches!(
        pair.server.listening[..],
        [StreamUp::Listening { result: Ok(()), .. }, StreamUp::Listening { result: Err(_), .. },]
    ));
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.client_app(0).received, b"answer");
}

#[test]
fn who_reads_too_slowly_gives_way_to_the_next_connection_in_its_place() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    pair.server.template = || App { window: 0, ..App::sending(*b"answer") };
    pair.connect(0, "shop.test", App::sending(*b"question"));
    assert_eq!(pair.client_app(0).closed, Some(CloseReason::Finished));
    assert_eq!(pair.server_app(0).closed, None, "the question waits to be read");
    let (now, conn) = (pair.now, ConnId::new(Opener::Lower, 0, 1));
    let (local, remote) =
        (SocketAddr::from(([203, 0, 113, 80], 443)), SocketAddr::from(([192, 0, 2, 10], 50_000)));
    let info = Box::new(ConnInfo { local, remote, tls: None });
    pair.server.up(now, StreamUp::Opened { conn, info });
    pair.run();
    assert_eq!(pair.server_app(0).closed, Some(CloseReason::Aborted));
    assert_eq!(pair.server.tls.connections(), 1, "the new one shakes hands");
}

#[test]
fn whoever_comes_after_unlisten_is_not_taken_for_plain() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    let (now, endpoint) = (pair.now, Endpoint { address: None, port: 443 });
    pair.server.down(now, StreamDown::Unlisten { endpoint });
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.client_app(0).closed, Some(CloseReason::Reset));
    assert!(pair.server.apps.is_empty());
}

#[test]
fn a_layer_can_move_to_another_thread() {
    fn moves<T: Send>() {}
    moves::<framewise_tls::Tls>();
    moves::<framewise_tls::Config>();
}

#[test]
fn a_poll_that_gave_nothing_gives_nothing_again() {
    let mut pair = open_pair();
    let mut counters = framewise_core::Counters::default();
    let mut cx = framewise_core::Cx::new(pair.now, &mut counters);
    for _ in 0..2 {
        assert!(pair.client.tls.poll_inbound(&mut cx).is_none());
        assert!(pair.client.tls.poll_outbound(&mut cx).is_none());
        assert_eq!(pair.client.tls.poll_timeout(), None, "an idle connection has no timer");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn garbage_never_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        header in prop_oneof![Just(&[][..]), Just(&[22, 3, 1, 0, 200][..]), Just(&[23, 3, 3, 0, 100][..])],
        after_handshake: bool,
        way in prop_oneof![Just(Way::ToServer), Just(Way::ToClient)],
    ) {
        let mut pair = if after_handshake {
            open_pair()
        } else {
            let mut pair = Pair::over(client_config(7), server_config(7), Security::Plain, Wire::default());
            pair.server.template = App::default;
            pair.connect(0, "shop.test", App::sending(*b"?"));
            pair
        };
        pair.inject(0, way, &[header, &bytes].concat());
        pair.cut(0, Way::ToClient);
        pair.cut(0, Way::ToServer);
        pair.wait(Instant::from_secs(60));
        let closed = pair.client.apps.values().chain(pair.server.apps.values()).all(|app| app.closed.is_some());
        prop_assert!(closed || after_handshake, "everybody heard of the end");
    }

    #[test]
    fn one_flipped_bit_never_passes(at in 0usize..1_400, to_server: bool) {
        let way = if to_server { Way::ToServer } else { Way::ToClient };
        let wire = Wire { flip: Some((way, at)), ..Wire::default() };
        let mut pair = Pair::over(client_config(7), server_config(7), Security::Tls(None), wire);
        pair.connect(0, "shop.test", App::sending(*b"question"));
        pair.wait(Instant::from_secs(60));
        let received = &pair.client_app(0).received;
        prop_assert!(received.is_empty() || received == b"answer", "{received:?}");
        if let Some(server) = pair.server.apps.get(&0) {
            prop_assert!(server.received.is_empty() || server.received == b"question");
        }
    }
}
