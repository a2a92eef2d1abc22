//! The key log: secrets by the random number of the client that they belong to.
//!
//! Read first: RFC 9850 section 2. Lines that are none, and secrets of no use here, are passed over.

use std::collections::BTreeMap;
use std::fmt;

/// Secrets that a key log may hold; those of 13,000 connections.
pub const MOST_SECRETS: usize = 65_536;
/// Bytes of the longest secret: a hash of SHA-384, and the master secret of TLS 1.2.
const LONGEST_SECRET: usize = 48;

/// The random number of a ClientHello.
pub type Random = [u8; 32];

/// Which of a connection's secrets one is (RFC 9850, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// The master secret of TLS 1.2.
    ClientRandom,
    /// For what the client sends before the server has answered.
    ClientEarly,
    /// For the client's part of the handshake.
    ClientHandshake,
    /// For the server's part of the handshake.
    ServerHandshake,
    /// For what the client's application sends, and all that follows from it.
    ClientTraffic,
    /// For what the server's application sends, and all that follows from it.
    ServerTraffic,
}

impl Label {
    /// All of them.
    pub const ALL: [Label; 6] = [
        Label::ClientRandom,
        Label::ClientEarly,
        Label::ClientHandshake,
        Label::ServerHandshake,
        Label::ClientTraffic,
        Label::ServerTraffic,
    ];

    /// The word at the beginning of its line.
    pub fn word(self) -> &'static str {
        match self {
            Label::ClientRandom => "CLIENT_RANDOM",
            Label::ClientEarly => "CLIENT_EARLY_TRAFFIC_SECRET",
            Label::ClientHandshake => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Label::ServerHandshake => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            Label::ClientTraffic => "CLIENT_TRAFFIC_SECRET_0",
            Label::ServerTraffic => "SERVER_TRAFFIC_SECRET_0",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Secrets, by connection.
///
/// ```
/// use framewise_tls::passive::{KeyLog, Label};
/// let random = "07".repeat(32);
/// let log = KeyLog::parse(&format!("# a comment\nCLIENT_RANDOM {random} 0a0b\n"));
/// assert_eq!(log.secret(&[7; 32], Label::ClientRandom), Some(&[10, 11][..]));
/// assert_eq!(log.len(), 1);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KeyLog {
    secrets: BTreeMap<Key, Box<[u8]>>,
    left_out: usize,
}

impl KeyLog {
    /// The secrets in a text of the SSLKEYLOGFILE format.
    pub fn parse(text: &str) -> Self {
        let mut log = KeyLog::default();
        log.add(text);
        log
    }

    /// Takes in the secrets of one more text. What was known already stays.
    pub fn add(&mut self, text: &str) {
        for (key, secret) in text.lines().filter_map(line) {
            if self.secrets.len() >= MOST_SECRETS && !self.secrets.contains_key(&key) {
                self.left_out += 1;
                continue;
            }
            self.secrets.entry(key).or_insert(secret);
        }
    }

    /// A secret of the connection whose ClientHello has this random number.
    pub fn secret(&self, client_random: &Random, label: Label) -> Option<&[u8]> {
        self.secrets.get(&(*client_random, label)).map(|secret| &**secret)
    }

    /// How many secrets it holds.
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Secrets that were left out, since it holds [`MOST_SECRETS`].
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl fmt::Debug for KeyLog {
    /// Without the secrets: they shall not end in a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLog({} secrets)", self.secrets.len())
    }
}

/// Whose secret it is, and which.
type Key = (Random, Label);

fn line(line: &str) -> Option<(Key, Box<[u8]>)> {
    let mut words = line.split_ascii_whitespace();
    let word = words.next()?;
    let label = Label::ALL.into_iter().find(|label| label.word() == word)?;
    let random: Random = bytes(words.next()?, 32)?.try_into().ok()?;
    let secret = bytes(words.next()?, LONGEST_SECRET)?;
    Some(((random, label), secret.into()))
}

/// At most `most` bytes, written in hexadecimal digits.
fn bytes(digits: &str, most: usize) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if digits.len() > 2 * most || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
    digits.as_chunks::<2>().0.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_line_is_passed_over() {
        let random = "ab".repeat(32);
        let text = format!(
            "\r\n# comment\nCLIENT_RANDOM {random}\nCLIENT_RANDOM {random} 0g\nCLIENT_RANDOM 00 00\nOTHER {random} 00\n\
             SERVER_TRAFFIC_SECRET_0 {} 00FF\r\n",
            random.to_uppercase()
        );
        let log = KeyLog::parse(&text);
        assert_eq!(log.len(), 1);
        assert_eq!(log.secret(&[0xab; 32], Label::ServerTraffic), Some(&[0, 0xff][..]));
    }

    #[test]
    fn a_flood_of_secrets_is_bounded_and_counted() {
        let mut log = KeyLog::default();
        for n in 0..MOST_SECRETS + 5 {
            log.add(&format!("CLIENT_RANDOM {n:064x} 00"));
        }
        assert_eq!((log.len(), log.left_out()), (MOST_SECRETS, 5));
        log.add(&format!("CLIENT_RANDOM {:064x} 00", 0));
        assert_eq!(log.left_out(), 5, "what is known needs no room");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".*") {
            prop_assert!(KeyLog::parse(&text).is_empty());
        }
    }
}
