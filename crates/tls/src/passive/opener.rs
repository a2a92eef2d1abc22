//! Opens the records of one side, in the order in which they were sent.
//!
//! Read first: RFC 8446 sections 4.6.3 (KeyUpdate), 5.2 (what a record truly holds) and 2.3 (early data); RFC 5246 section
//! 7.1 (ChangeCipherSpec).
//!
//! In TLS 1.3 nobody says in the clear when a key changes. Who can't open a record by the key in use tries those that
//! may follow: what the key log lacks costs only the records that need it.

use super::keys::{Key, next_secret};
use super::log::{KeyLog, Label, Random};
use super::messages::Ends;
use super::suite::Suite;
use super::{Side, Unopened};
use crate::record::{ContentType, HEADER, Record};

/// Keys that one side of a connection may use one after the other.
pub const MOST_KEYS: usize = 1_024;

/// Types of handshake messages after which a key changes (RFC 8446, section 4).
const END_OF_EARLY_DATA: u8 = 5;
const FINISHED: u8 = 20;
const KEY_UPDATE: u8 = 24;

/// By which key, and as which record under it, a record was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seal {
    key: u16,
    /// How many records were sealed by this key before.
    pub number: u64,
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What it truly is.
    pub content_type: ContentType,
    /// Where in the record the content's first byte stands, in the clear or sealed.
    pub content_at: usize,
    /// How it was sealed; `None`: it was not.
    pub seal: Option<Seal>,
}

/// Opens the records of one side.
pub struct Opener {
    protocol: Protocol,
    /// All keys that were used, for [`reopen`](Self::reopen).
    keys: Vec<Key>,
    /// How many records were sealed by the key in use.
    number: u64,
    ends: Ends,
}

enum Protocol {
    /// What is sealed stays so.
    Unknown {
        why: Unopened,
        /// Whether ChangeCipherSpec was seen: what follows may be sealed, whatever its type.
        changed: bool,
    },
    Tls12 {
        suite: Suite,
        state: Tls12,
    },
    Tls13 {
        suite: Suite,
        /// The secrets that may be in use, the one in use first.
        stages: Vec<Stage>,
    },
}

enum Tls12 {
    /// With the key that is used after ChangeCipherSpec, if it can be made.
    InTheClear(Result<Box<Key>, Unopened>),
    Sealed,
    Failed(Unopened),
}

/// A secret of TLS 1.3, as far as it is known, and the place of its key.
struct Stage {
    label: Label,
    secret: Result<Vec<u8>, Unopened>,
    key: Option<u16>,
}

/// What an opener has to know.
pub(super) struct Agreed<'a> {
    pub(super) suite: Suite,
    pub(super) is_tls13: bool,
    pub(super) client_random: Random,
    pub(super) server_random: Random,
    pub(super) log: &'a KeyLog,
}

impl Opener {
    pub(super) fn new(side: Side, agreed: Result<Agreed<'_>, Unopened>) -> Self {
        let protocol = match agreed {
            Err(why) => Protocol::Unknown { why, changed: false },
            Ok(agreed) if agreed.is_tls13 => tls13(side, &agreed),
            Ok(agreed) => tls12(side, &agreed),
        };
        Opener { protocol, keys: Vec::new(), number: 0, ends: Ends::default() }
    }

    /// Opens the next record; its content goes to `content`, which is emptied first.
    ///
    /// # Errors
    /// Why the record stays sealed. Later ones may be opened all the same.
    pub fn open(&mut self, record: &Record<'_>, content: &mut Vec<u8>) -> Result<Opened, Unopened> {
        content.clear();
        match &mut self.protocol {
            Protocol::Tls12 { suite, state } => {
                let suite = *suite;
                if record.content_type == ContentType::ChangeCipherSpec {
                    state.change_cipher_spec(&mut self.keys);
                }
                match state {
                    Tls12::InTheClear(_) => Ok(in_the_clear(record, content)),
                    _ if record.content_type == ContentType::ChangeCipherSpec => {
                        Ok(in_the_clear(record, content))
                    }
                    Tls12::Sealed => self.open_tls12(record, content, suite),
                    Tls12::Failed(why) => Err(*why),
                }
            }
            Protocol::Unknown { why, changed } => {
                *changed |= record.content_type == ContentType::ChangeCipherSpec;
                match record.content_type {
                    ContentType::ApplicationData => Err(*why),
                    ContentType::Handshake if *changed => Err(*why),
                    // An alert in the clear has two bytes.
                    ContentType::Alert if record.fragment.len() != 2 => Err(*why),
                    _ => Ok(in_the_clear(record, content)),
                }
            }
            Protocol::Tls13 { .. } if record.content_type == ContentType::ApplicationData => {
                self.open_tls13(record, content)
            }
            _ => Ok(in_the_clear(record, content)),
        }
    }

    /// Opens a record once more, by what [`open`](Self::open) has told of it. Returns its content type.
    ///
    /// # Errors
    /// The record is another one.
    pub fn reopen(
        &self,
        record: &Record<'_>,
        seal: Option<Seal>,
        content: &mut Vec<u8>,
    ) -> Result<ContentType, Unopened> {
        content.clear();
        let Some(seal) = seal else {
            return Ok(in_the_clear(record, content).content_type);
        };
        let key = self.keys.get(usize::from(seal.key)).ok_or(Unopened::TagWrong)?;
        key.open(record, seal.number, content)?;
        match self.protocol {
            Protocol::Tls13 { .. } => take_content_type(content),
            _ => Ok(record.content_type),
        }
    }

    fn open_tls12(
        &mut self,
        record: &Record<'_>,
        content: &mut Vec<u8>,
        suite: Suite,
    ) -> Result<Opened, Unopened> {
        let number = self.number;
        self.number += 1;
        let key = self.keys.first().ok_or(Unopened::NoHello)?;
        key.open(record, number, content)?;
        Ok(Opened {
            content_type: record.content_type,
            content_at: HEADER + suite.explicit_nonce,
            seal: Some(Seal { key: 0, number }),
        })
    }

    fn open_tls13(&mut self, record: &Record<'_>, content: &mut Vec<u8>) -> Result<Opened, Unopened> {
        let Protocol::Tls13 { suite, stages } = &mut self.protocol else { return Err(Unopened::NoHello) };
        let mut first_failure = None;
        for at in 0..stages.len() {
            let number = if at == 0 { self.number } else { 0 };
            let opened = stages[at].key(suite, &mut self.keys).and_then(|key| {
                let keyed = self.keys.get(usize::from(key)).ok_or(Unopened::TagWrong)?;
                keyed.open(record, number, content)?;
                Ok(Opened {
                    content_type: take_content_type(content)?,
                    content_at: keyed.content_at(),
                    seal: Some(Seal { key, number }),
                })
            });
            match opened {
                Ok(opened) => {
                    stages.drain(..at);
                    self.number = number + 1;
                    self.follow(&opened, content);
                    return Ok(opened);
                }
                Err(why) => _ = first_failure.get_or_insert(why),
            }
        }
        content.clear();
        self.number += 1;
        Err(first_failure.unwrap_or(Unopened::TagWrong))
    }

    /// Changes the key where a message says so.
    fn follow(&mut self, opened: &Opened, content: &[u8]) {
        let Protocol::Tls13 { suite, stages } = &mut self.protocol else { return };
        if opened.content_type != ContentType::Handshake {
            return;
        }
        let number = &mut self.number;
        self.ends.take(content, |message| {
            match message {
                END_OF_EARLY_DATA | FINISHED if stages.len() > 1 => drop(stages.remove(0)),
                KEY_UPDATE => stages.iter_mut().for_each(|stage| stage.update(suite)),
                _ => return,
            }
            *number = 0;
        });
    }
}

impl std::fmt::Debug for Opener {
    /// Without keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let protocol = match &self.protocol {
            Protocol::Unknown { .. } => "unknown",
            Protocol::Tls12 { .. } => "TLS 1.2",
            Protocol::Tls13 { .. } => "TLS 1.3",
        };
        write!(f, "Opener({protocol}, {} keys)", self.keys.len())
    }
}

fn tls12(side: Side, agreed: &Agreed<'_>) -> Protocol {
    let label = Label::ClientRandom;
    let master = agreed.log.secret(&agreed.client_random, label).ok_or(Unopened::NoSecret { label });
    let key = master.and_then(|master| {
        let key = Key::tls12(&agreed.suite, side, master, &agreed.client_random, &agreed.server_random);
        key.map(Box::new).ok_or(Unopened::BadSecret { label })
    });
    Protocol::Tls12 { suite: agreed.suite, state: Tls12::InTheClear(key) }
}

fn tls13(side: Side, agreed: &Agreed<'_>) -> Protocol {
    let labels: &[Label] = match side {
        Side::Client => &[Label::ClientEarly, Label::ClientHandshake, Label::ClientTraffic],
        Side::Server => &[Label::ServerHandshake, Label::ServerTraffic],
    };
    let stage = |&label: &Label| {
        let secret = agreed.log.secret(&agreed.client_random, label);
        // Most connections have no early data, and nothing is said about a secret that nobody needs.
        let is_wanted = label != Label::ClientEarly || secret.is_some();
        let secret = secret.map(<[u8]>::to_vec).ok_or(Unopened::NoSecret { label });
        is_wanted.then_some(Stage { label, secret, key: None })
    };
    Protocol::Tls13 { suite: agreed.suite, stages: labels.iter().filter_map(stage).collect() }
}

impl Tls12 {
    fn change_cipher_spec(&mut self, keys: &mut Vec<Key>) {
        *self = match std::mem::replace(self, Tls12::Sealed) {
            Tls12::InTheClear(Ok(key)) => {
                keys.push(*key);
                Tls12::Sealed
            }
            Tls12::InTheClear(Err(why)) => Tls12::Failed(why),
            Tls12::Sealed => Tls12::Failed(Unopened::Renegotiated),
            failed => failed,
        };
    }
}

impl Stage {
    /// The place of its key, which is made when it is wanted first.
    fn key(&mut self, suite: &Suite, keys: &mut Vec<Key>) -> Result<u16, Unopened> {
        if let Some(key) = self.key {
            return Ok(key);
        }
        let secret = self.secret.as_ref().map_err(|why| *why)?;
        if keys.len() >= MOST_KEYS {
            return Err(Unopened::TooManyKeys);
        }
        let key = Key::tls13(suite, secret).ok_or(Unopened::BadSecret { label: self.label })?;
        keys.push(key);
        let place = (keys.len() - 1) as u16;
        self.key = Some(place);
        Ok(place)
    }

    /// Goes on to the secret that follows from this one.
    fn update(&mut self, suite: &Suite) {
        self.key = None;
        if let Ok(secret) = &self.secret {
            self.secret = next_secret(suite, secret).ok_or(Unopened::BadSecret { label: self.label });
        }
    }
}

fn in_the_clear(record: &Record<'_>, content: &mut Vec<u8>) -> Opened {
    content.extend_from_slice(record.fragment);
    Opened { content_type: record.content_type, content_at: HEADER, seal: None }
}

/// Takes padding and the true content type off the end of what was sealed (RFC 8446, section 5.2).
fn take_content_type(content: &mut Vec<u8>) -> Result<ContentType, Unopened> {
    let last = content.iter().rposition(|byte| *byte != 0).ok_or(Unopened::NoContentType)?;
    let content_type = content.get(last).and_then(|byte| ContentType::from_byte(*byte));
    content.truncate(last);
    content_type.ok_or(Unopened::NoContentType)
}
