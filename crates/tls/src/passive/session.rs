//! What the messages of a handshake tell somebody who watches.
//!
//! Read first: RFC 8446 section 4.1 (the hellos), RFC 5246 section 7.4 (TLS 1.2).

use super::log::{KeyLog, Random};
use super::messages::Joined;
use super::opener::{Agreed, Opener};
use super::suite::{Suite, is_openable};
use super::{Side, Unopened};
use crate::handshake::{self, ClientHello, Message, ServerHello};
use crate::presented::Presented;
use crate::record::{ContentType, Record};

/// What is known of a connection, as far as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The name of the server that the client asked for, in the clear.
    pub server_name: Option<String>,
    /// The protocols that the client offered.
    pub offered_protocols: Vec<String>,
    /// The protocol that the server chose.
    pub protocol: Option<String>,
    /// The number of the version that the server chose: 0x0304 is TLS 1.3.
    pub version: Option<u16>,
    /// The number of the cipher suite that the server chose.
    pub cipher_suite: Option<u16>,
    /// Whose the server's certificate is, by its common name or its organization.
    pub certificate: Option<String>,
    /// Who signed it.
    pub certificate_issuer: Option<String>,
    /// Whether the server had the client ask again.
    pub retried: bool,
    /// The client's random number, by which secrets are found.
    pub client_random: Option<Random>,
}

impl Facts {
    /// The version as people write it: `TLS 1.3`.
    pub fn version_name(&self) -> Option<String> {
        self.version.map(handshake::version)
    }

    /// The cipher suite's name in its RFC.
    pub fn cipher_suite_name(&self) -> Option<String> {
        self.cipher_suite.map(handshake::cipher_suite)
    }
}

/// A connection as somebody sees it who only watches.
#[derive(Clone, Debug, Default)]
pub struct Session {
    facts: Facts,
    server_random: Option<Random>,
    messages: [Joined; 2],
}

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

impl Session {
    /// What is known so far.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Learns from a record in the clear. `false`: it is none, and what follows is sealed, too.
    pub fn learn_in_the_clear(&mut self, side: Side, record: &Record<'_>) -> bool {
        match record.content_type {
            ContentType::Handshake => self.learn(side, record.fragment),
            ContentType::Alert => {}
            // In TLS 1.3 it means nothing, and may stand between two hellos of the client.
            ContentType::ChangeCipherSpec => {
                return self.facts.version.is_none_or(|version| version == TLS13);
            }
            ContentType::ApplicationData => return false,
        }
        true
    }

    /// Learns from the content of the next handshake record, opened or in the clear.
    pub fn learn(&mut self, side: Side, content: &[u8]) {
        let Session { facts, server_random, messages } = self;
        let [client, server] = messages;
        match side {
            Side::Client => client.take(content, |bytes, message| facts.learn_of_client(bytes, message)),
            Side::Server => server.take(content, |bytes, message| {
                facts.learn_of_server(bytes, message, server_random);
            }),
        }
    }

    /// What opens the records of one side, from its first on, by what was learnt so far.
    pub fn opener(&self, side: Side, log: &KeyLog) -> Opener {
        Opener::new(side, self.agreed(log))
    }

    fn agreed<'a>(&self, log: &'a KeyLog) -> Result<Agreed<'a>, Unopened> {
        let facts = &self.facts;
        let (version, number) = facts.version.zip(facts.cipher_suite).ok_or(Unopened::NoHello)?;
        let randoms = facts.client_random.zip(self.server_random);
        let (client_random, server_random) = randoms.ok_or(Unopened::NoHello)?;
        if !matches!(version, TLS12 | TLS13) {
            return Err(Unopened::Version { number: version });
        }
        let suite = Suite::of(number).filter(|_| is_openable(version, number));
        let suite = suite.ok_or(Unopened::CipherSuite { number })?;
        Ok(Agreed { suite, is_tls13: version == TLS13, client_random, server_random, log })
    }
}

impl Facts {
    fn learn_of_client(&mut self, bytes: &[u8], message: &Message) {
        // One that is sent again, since the server asked for it, has the same number; one within the connection agrees on
        // keys once more, and what was agreed on first counts here.
        if message.number != 1 || self.client_random.is_some() {
            return;
        }
        let hello = ClientHello::read(bytes, message);
        self.client_random = handshake::client_random(bytes, message);
        self.server_name = hello.server_name.map(|(_, name)| name);
        self.offered_protocols = hello.alpn.map(|(_, names)| names).unwrap_or_default();
    }

    fn learn_of_server(&mut self, bytes: &[u8], message: &Message, server_random: &mut Option<Random>) {
        match message.number {
            2 if server_random.is_none() => {
                let hello = ServerHello::read(bytes, message);
                if hello.is_retry() {
                    self.retried = true;
                    return;
                }
                *server_random = hello.random;
                self.version = hello.version.map(|(_, version)| version);
                self.cipher_suite = hello.cipher_suite.map(|(_, suite)| suite);
                self.protocol = hello.alpn.map(|(_, name)| name);
            }
            8 => self.protocol = handshake::chosen_protocol(bytes, message).map(|(_, name)| name),
            11 if self.certificate.is_none() => self.learn_certificate(bytes, message),
            _ => {}
        }
    }

    fn learn_certificate(&mut self, bytes: &[u8], message: &Message) {
        let tls12 = self.version != Some(TLS13);
        let place = handshake::first_certificate(bytes, message, tls12);
        let presented = place.and_then(|place| Presented::read(bytes.get(place)?));
        if let Some(presented) = presented {
            self.certificate = presented.subject();
            self.certificate_issuer = presented.issuer();
        }
    }
}
