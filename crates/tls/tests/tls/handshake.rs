//! What a handshake agrees on, and what it says.

use crate::common::{App, NOW, Pair, Way, client_config, server_config};
use framewise_core::Instant;
use framewise_core::seams::stream::{CloseReason, Security, StreamUp, TlsErrorKind};
use framewise_tls::record::{ContentType, records};
use framewise_tls::{Config, TimeSource, Versions};

fn configs(versions: Versions) -> (Config, Config) {
    let (mut client, mut server) = (client_config(7), server_config(7));
    (client.versions, server.versions) = (versions, versions);
    (client, server)
}

#[test]
fn both_versions_fetch_and_finish() {
    for (versions, version) in
        [(Versions::Both, "TLS 1.3"), (Versions::Only13, "TLS 1.3"), (Versions::Only12, "TLS 1.2")]
    {
        let (client, server) = configs(versions);
        let mut pair = Pair::new(client, server);
        pair.connect(0, "shop.test", App::sending(*b"question"));
        let (client, server) = (pair.client_app(0), pair.server_app(0));
        assert_eq!(client.received, b"answer", "{versions:?}");
        assert_eq!(server.received, b"question");
        assert_eq!((client.peer_closed, server.peer_closed), (Some(true), Some(true)));
        assert_eq!(
            (&client.closed, &server.closed),
            (&Some(CloseReason::Finished), &Some(CloseReason::Finished))
        );
        let tls = client.info.as_ref().and_then(|info| info.tls.clone()).expect("agreed on");
        assert_eq!(tls.version, version);
        assert!(tls.cipher_suite.starts_with("TLS_"), "{}", tls.cipher_suite);
        assert!(!tls.cipher_suite.starts_with("TLS_13"), "{}", tls.cipher_suite);
        assert_eq!((tls.alpn.as_deref(), tls.server_name.as_deref()), (Some("http/1.1"), Some("shop.test")));
        assert!(tls.verified && !tls.resumed);
        let seen = server.info.as_ref().and_then(|info| info.tls.clone()).expect("agreed on");
        assert_eq!(seen.server_name.as_deref(), Some("shop.test"));
        assert!(!seen.verified, "a server checks nobody");
        assert_eq!(pair.client.tls.connections() + pair.server.tls.connections(), 0);
    }
}

#[test]
fn the_note_says_whose_the_certificate_is() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    pair.connect(0, "shop.test", App::sending(*b"?"));
    let note = ("handshake", "keys agreed; the certificate is shop.test's".to_owned());
    assert_eq!(pair.client.watcher.notes, [note]);
}

#[test]
fn a_second_visit_is_resumed_in_both_versions() {
    for versions in [Versions::Only12, Versions::Only13] {
        let (client, server) = configs(versions);
        let mut pair = Pair::new(client, server);
        for index in 0..3 {
            pair.connect(index, "shop.test", App::sending(*b"question"));
            let tls =
                pair.client_app(index).info.as_ref().and_then(|info| info.tls.clone()).expect("agreed on");
            assert_eq!(tls.resumed, index > 0, "{versions:?}, visit {index}");
            assert_eq!(pair.client_app(index).received, b"answer");
        }
        assert_eq!(pair.client.watcher.notes[1].1, "keys agreed; shop.test is known from before");
    }
}

#[test]
fn without_resumption_every_visit_is_the_first() {
    let (mut client, server) = configs(Versions::Both);
    client.resumption = false;
    let mut pair = Pair::new(client, server);
    for index in 0..2 {
        pair.connect(index, "shop.test", App::sending(*b"question"));
        let tls = pair.client_app(index).info.as_ref().and_then(|info| info.tls.clone()).expect("agreed on");
        assert!(!tls.resumed);
    }
}

#[test]
fn a_small_request_is_one_record_in_one_send() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    let mut app = App::sending(vec![b'q'; 35]);
    app.close_when_sent = false;
    pair.connect(0, "shop.test", app);
    let (bytes, sends) = pair.log(0, Way::ToServer);
    assert_eq!(sends.last(), Some(&57), "35 bytes and 22 of envelope: {sends:?}");
    let types: Vec<_> = records(bytes).map(|record| record.expect("whole").content_type).collect();
    assert_eq!(types.last(), Some(&ContentType::ApplicationData));
}

#[test]
fn protocols_without_overlap_are_told() {
    let (mut client, mut server) = configs(Versions::Both);
    client.alpn = vec!["h2".into()];
    server.alpn = vec!["http/1.1".into()];
    let mut pair = Pair::new(client, server);
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(
        pair.client_app(0).error_kind(),
        Some(TlsErrorKind::NothingInCommon),
        "{}",
        pair.client_app(0).detail()
    );
}

#[test]
fn versions_without_overlap_are_told() {
    let (mut client, mut server) = configs(Versions::Both);
    (client.versions, server.versions) = (Versions::Only12, Versions::Only13);
    let mut pair = Pair::new(client, server);
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::NothingInCommon));
    assert_eq!(pair.client_app(0).info, None, "never opened");
    assert!(pair.server.apps.is_empty(), "the server's app never heard of it");
    assert_eq!(pair.server.counters.drops("tls", "handshake of an accepted connection failed"), 1);
}

#[test]
fn without_a_name_the_certificate_is_for_the_address() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    pair.connect_as(0, Security::Tls(None), App::sending(*b"?"));
    assert_eq!(pair.client_app(0).received, b"answer", "{}", pair.client_app(0).detail());
}

#[test]
fn a_handshake_that_stalls_times_out() {
    let mut pair = Pair::over(client_config(7), server_config(7), Security::Plain, Default::default());
    pair.server.template = App::default;
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.client_app(0).closed, None);
    pair.wait(Instant::from_secs(9));
    assert_eq!(pair.client_app(0).closed, None, "ten seconds are allowed");
    pair.wait(Instant::from_secs(11));
    assert_eq!(pair.client_app(0).closed, Some(CloseReason::TimedOut));
}

#[test]
fn time_moves_on_with_the_layers_clock() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    pair.wait(Instant::from_secs(200 * 86_400));
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.client_app(0).received, b"answer", "a leaf is issued when it is asked for");
}

#[test]
fn a_host_without_identity_cannot_listen_and_one_without_roots_cannot_connect() {
    let mut pair = Pair::new(
        Config::new(TimeSource::starting_at(NOW), crate::common::simulated(1, "a")),
        client_config(7),
    );
    assert!(matches!(pair.server.listening[..], [StreamUp::Listening { result: Err(_), .. }]));
    pair.connect(0, "shop.test", App::sending(*b"?"));
    assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::NotConfigured));
}

#[test]
fn secrets_are_told_only_when_asked_for() {
    for export in [false, true] {
        let (mut client, mut server) = configs(Versions::Both);
        (client.export_secrets, server.export_secrets) = (export, export);
        let mut pair = Pair::new(client, server);
        pair.connect(0, "shop.test", App::sending(*b"?"));
        let lines = &pair.client.watcher.secrets;
        assert_eq!(lines.is_empty(), !export, "{lines:?}");
        assert_eq!(
            lines.iter().filter(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")).count(),
            usize::from(export)
        );
        let mut both = [lines.clone(), pair.server.watcher.secrets.clone()];
        both.iter_mut().for_each(|lines| lines.sort());
        assert_eq!(both[0], both[1], "both sides know the same secrets");
    }
}
