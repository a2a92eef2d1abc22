//! Whoever watches two of rustls' connections with their key log reads what they say.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use framewise_tls::passive::{KeyLog, Label, Session, Side, Unopened};
use framewise_tls::record::{ContentType, records};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

/// What both sides sent, and the lines of the key log.
struct Watched {
    sent: [Vec<u8>; 2],
    log: String,
}

#[derive(Debug, Default)]
struct Lines(Mutex<String>);

impl rustls::KeyLog for Lines {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        *self.0.lock().unwrap() += &format!("{label} {} {}\n", hex(client_random), hex(secret));
    }
}

struct Pair {
    client: ClientConnection,
    server: ServerConnection,
    watched: Watched,
    lines: Arc<Lines>,
}

/// How both sides are set up, and where the key log goes.
struct Setup {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    lines: Arc<Lines>,
}

impl Setup {
    fn new(suite: rustls::SupportedCipherSuite) -> Self {
        let provider = Arc::new(rustls::crypto::CryptoProvider {
            cipher_suites: vec![suite],
            ..rustls::crypto::ring::default_provider()
        });
        let mut params = rcgen::CertificateParams::new(vec!["shop.test".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "the shop");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let lines = Arc::new(Lines::default());
        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[suite.version()])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.key_log = lines.clone();
        client.alpn_protocols = vec![b"http/1.1".to_vec(), b"other".to_vec()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[suite.version()])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        client.enable_early_data = true;
        server.max_early_data_size = 1_000;
        Setup { client: Arc::new(client), server: Arc::new(server), lines }
    }

    /// A connection that has not begun.
    fn pair(&self) -> Pair {
        Pair {
            client: ClientConnection::new(self.client.clone(), "shop.test".try_into().unwrap()).unwrap(),
            server: ServerConnection::new(self.server.clone()).unwrap(),
            watched: Watched { sent: Default::default(), log: String::new() },
            lines: self.lines.clone(),
        }
    }
}

impl Pair {
    /// A connection whose keys are agreed on.
    fn new(suite: rustls::SupportedCipherSuite) -> Self {
        let mut pair = Setup::new(suite).pair();
        pair.exchange();
        pair
    }

    /// Carries bytes both ways until nobody has any.
    fn exchange(&mut self) {
        loop {
            let (mut up, mut down) = (Vec::new(), Vec::new());
            while self.client.wants_write() {
                self.client.write_tls(&mut up).unwrap();
            }
            while self.server.wants_write() {
                self.server.write_tls(&mut down).unwrap();
            }
            if up.is_empty() && down.is_empty() {
                return;
            }
            let mut rest = &up[..];
            while !rest.is_empty() {
                self.server.read_tls(&mut rest).unwrap();
                self.server.process_new_packets().unwrap();
            }
            let mut rest = &down[..];
            while !rest.is_empty() {
                self.client.read_tls(&mut rest).unwrap();
                self.client.process_new_packets().unwrap();
            }
            self.watched.sent[0].extend(up);
            self.watched.sent[1].extend(down);
        }
    }

    fn say(&mut self, text: &[u8]) {
        self.client.writer().write_all(text).unwrap();
        self.exchange();
        let mut heard = vec![0; text.len()];
        self.server.reader().read_exact(&mut heard).unwrap();
        self.server.writer().write_all(&heard).unwrap();
        self.exchange();
        self.client.reader().read_exact(&mut heard).unwrap();
        assert_eq!(heard, text);
    }

    fn end(mut self) -> Watched {
        self.client.send_close_notify();
        self.server.send_close_notify();
        self.exchange();
        self.watched.log = self.lines.0.lock().unwrap().clone();
        self.watched
    }
}

/// The application data of each side, why records stayed sealed, and what was learnt.
fn read(watched: &Watched, log: &KeyLog) -> ([Vec<u8>; 2], Vec<Unopened>, Session) {
    let mut session = Session::default();
    for (side, sent) in [(Side::Server, &watched.sent[1]), (Side::Client, &watched.sent[0])] {
        for record in records(sent) {
            if !session.learn_in_the_clear(side, &record.unwrap()) {
                break;
            }
        }
    }
    let (mut said, mut sealed) = ([Vec::new(), Vec::new()], Vec::new());
    let sides = [(Side::Client, &watched.sent[0]), (Side::Server, &watched.sent[1])];
    for ((side, sent), said) in sides.into_iter().zip(&mut said) {
        let mut opener = session.opener(side, log);
        let (mut content, mut again) = (Vec::new(), Vec::new());
        for record in records(sent).map(Result::unwrap) {
            match opener.open(&record, &mut content) {
                Ok(opened) => {
                    let content_type = opener.reopen(&record, opened.seal, &mut again);
                    assert_eq!(
                        (content_type, &again),
                        (Ok(opened.content_type), &content),
                        "once more the same"
                    );
                    assert!(opened.content_at + content.len() <= record.wire_len());
                    match opened.content_type {
                        ContentType::ApplicationData => said.extend_from_slice(&content),
                        ContentType::Handshake if opened.seal.is_some() => session.learn(side, &content),
                        _ => {}
                    }
                }
                Err(why) => sealed.push(why),
            }
        }
    }
    (said, sealed, session)
}

fn suites() -> Vec<rustls::SupportedCipherSuite> {
    let all = rustls::crypto::ring::ALL_CIPHER_SUITES.iter().copied();
    // The certificate's key is of ECDSA.
    all.filter(|suite| !format!("{:?}", suite.suite()).contains("RSA")).collect()
}

#[test]
fn every_suite_is_opened() {
    assert_eq!(suites().len(), 6);
    for suite in suites() {
        let mut pair = Pair::new(suite);
        pair.say(b"GET / HTTP/1.1\r\n\r\n");
        pair.say(&[7; 15_000]);
        let watched = pair.end();
        let (said, sealed, session) = read(&watched, &KeyLog::parse(&watched.log));
        let expected = [&b"GET / HTTP/1.1\r\n\r\n"[..], &[7; 15_000]].concat();
        assert!(said[0] == expected && said[1] == expected, "{suite:?}");
        assert_eq!(sealed, [], "{suite:?}");
        let facts = session.facts();
        assert_eq!(facts.server_name.as_deref(), Some("shop.test"));
        assert_eq!(facts.offered_protocols, ["http/1.1", "other"]);
        assert_eq!(facts.protocol.as_deref(), Some("http/1.1"));
        assert_eq!(facts.certificate.as_deref(), Some("the shop"));
        let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
        assert_eq!(facts.cipher_suite_name(), Some(name));
        assert_eq!(
            facts.version_name().unwrap(),
            format!("{:?}", suite.version().version).replace("v1_", " 1.")
        );
    }
}

#[test]
fn new_keys_are_followed() {
    let mut pair = Pair::new(rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256);
    for round in 0..5_u8 {
        pair.say(&[round; 100]);
        pair.client.refresh_traffic_keys().unwrap();
        pair.say(&[round; 100]);
        pair.server.refresh_traffic_keys().unwrap();
    }
    let watched = pair.end();
    let (said, sealed, _) = read(&watched, &KeyLog::parse(&watched.log));
    assert_eq!(sealed, []);
    assert_eq!(said[0], (0..5).flat_map(|round| [round; 200]).collect::<Vec<u8>>());
    assert_eq!(said[0], said[1]);
}

#[test]
fn what_a_client_sends_early_is_read() {
    for suite in
        suites().into_iter().filter(|suite| suite.version().version == rustls::ProtocolVersion::TLSv1_3)
    {
        let setup = Setup::new(suite);
        let mut first = setup.pair();
        first.exchange();
        first.say(b"first");
        first.end();
        let mut second = setup.pair();
        second.client.early_data().expect("a ticket came").write_all(b"early, ").unwrap();
        second.exchange();
        let mut heard = Vec::new();
        second.server.early_data().expect("it is taken").read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"early, ");
        second.say(b"then late");
        let watched = second.end();
        let log = KeyLog::parse(&watched.log);
        let (said, sealed, session) = read(&watched, &log);
        assert_eq!((&said[0][..], &said[1][..]), (&b"early, then late"[..], &b"then late"[..]), "{suite:?}");
        assert_eq!(sealed, [], "{suite:?}");
        assert_eq!(session.facts().certificate, None, "a ticket stands for it");

        let without: Vec<&str> = watched.log.lines().filter(|line| !line.contains("EARLY")).collect();
        let (said, sealed, _) = read(&watched, &KeyLog::parse(&without.join("\n")));
        assert_eq!(said[0], b"then late", "{suite:?}");
        assert!(!sealed.is_empty(), "{suite:?}: what came early stays sealed");
    }
}

#[test]
fn what_the_log_lacks_stays_sealed_and_the_rest_does_not() {
    let mut pair = Pair::new(rustls::crypto::ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256);
    pair.say(b"hello");
    let watched = pair.end();
    let without: Vec<&str> = watched.log.lines().filter(|line| !line.contains("HANDSHAKE")).collect();
    let (said, sealed, session) = read(&watched, &KeyLog::parse(&without.join("\n")));
    assert_eq!(said, [b"hello", b"hello"]);
    assert!(sealed.contains(&Unopened::NoSecret { label: Label::ServerHandshake }), "{sealed:?}");
    assert_eq!(session.facts().certificate, None, "it is in the part that stays sealed");

    let (said, sealed, _) = read(&watched, &KeyLog::default());
    assert_eq!(said, [b"", b""]);
    assert!(sealed.iter().all(|why| matches!(why, Unopened::NoSecret { .. })), "{sealed:?}");
}

#[test]
fn why_it_stays_sealed_fits_a_phrase() {
    let label = Label::ClientRandom;
    let all = [
        Unopened::NoHello,
        Unopened::NoSecret { label },
        Unopened::BadSecret { label },
        Unopened::CipherSuite { number: 0 },
        Unopened::Version { number: 0 },
        Unopened::TagWrong,
        Unopened::NoContentType,
        Unopened::Renegotiated,
        Unopened::TooManyKeys,
    ];
    for why in all {
        assert!(why.in_short().chars().count() <= 34, "{:?}", why.in_short());
        assert!(why.to_string().len() > why.in_short().len(), "the sentence says more: {why}");
    }
}

#[test]
fn one_changed_byte_costs_one_record() {
    for suite in suites() {
        let mut pair = Pair::new(suite);
        pair.say(b"first");
        let begin = pair.watched.sent[0].len();
        pair.say(b"second");
        let middle = pair.watched.sent[0].len();
        pair.say(b"third");
        let mut watched = pair.end();
        watched.sent[0][(begin + middle) / 2] ^= 1;
        let (said, sealed, _) = read(&watched, &KeyLog::parse(&watched.log));
        assert_eq!(said[0], b"firstthird", "{suite:?}");
        assert_eq!(sealed, [Unopened::TagWrong], "{suite:?}");
    }
}
