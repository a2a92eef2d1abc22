//! What is above TCP in a connection: TLS records, the application's bytes, HTTP messages.
//!
//! ```text
//!   streams ─► begins with a record? ─┬─ no ──────────────────────────► HTTP in the stream
//!                                     └─ yes ─► records ─► opened ────► HTTP in the plaintext
//! ```
//!
//! It is found when somebody asks, and kept; plaintext is not: a record is opened once more when its bytes are wanted.

use std::ops::Range;

use framewise_http::passive::{End, Message, Unread};
use framewise_tcp::passive::Finding;
use framewise_tls::Context;
use framewise_tls::describe::{describe_content, describe_watched, in_part, said};
use framewise_tls::handshake::{Message as HandshakeMessage, messages};
use framewise_tls::passive::{Facts, MOST_LISTED, Opener, Progress, Session as Handshake, Side as TlsSide};
use framewise_tls::record::{ContentType, HEADER, Record};

use super::Dissection;
use super::connections;
use super::frame::Frame;
use super::half::Half;
use super::layers::{Layer, Stack, part_of};
use super::records::{Records, begins_with_record};
use super::space::{ConnectionId, Side, Space, StreamId, common, overlap};
use super::store::Store;

/// What is above TCP in a connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) tls: Option<Tls>,
    /// Who sends requests, if anybody does.
    pub(super) asks: Side,
    pub(super) messages: [Messages; 2],
}

/// TLS in a connection.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) facts: Facts,
    sides: [(Records, Opener); 2],
    /// Where in each side's stream its handshake messages end, and their types.
    spoken: [Vec<(u64, u8)>; 2],
    /// Who sent the ClientHello.
    client: Side,
}

/// The HTTP messages of one side.
#[derive(Debug, Default)]
pub(super) struct Messages {
    pub(super) list: Vec<Message>,
    pub(super) unread: Vec<(Range<u64>, Unread)>,
    pub(super) pieces_left_out: u64,
}

impl Session {
    pub(super) fn of(dissection: &Dissection, connection: &connections::Record) -> Self {
        let store = &dissection.store;
        let is_tls = Side::BOTH.into_iter().any(|side| begins_with_record(store, connection.half(side)));
        let tls = is_tls.then(|| Tls::of(dissection, connection));
        let mut session = Session { tls, asks: Side::Client, messages: Default::default() };
        session.read_messages(store, connection);
        session
    }

    pub(super) fn messages(&self, side: Side) -> &Messages {
        let [client, server] = &self.messages;
        if side == Side::Client { client } else { server }
    }

    pub(super) fn records(&self, side: Side) -> Option<&Records> {
        self.tls.as_ref().map(|tls| &tls.side(side).0)
    }

    /// The content of a record.
    pub(super) fn content(&self, store: &Store, half: &Half, side: Side, number: usize) -> Option<Vec<u8>> {
        let (records, opener) = self.tls.as_ref()?.side(side);
        records.content(store, half, opener, number)
    }

    /// In which bytes the messages are.
    pub(super) fn message_space(&self, stream: StreamId) -> Space {
        if self.tls.is_some() { Space::Plaintext(stream) } else { Space::Stream(stream) }
    }
}

impl Tls {
    fn of(dissection: &Dissection, connection: &connections::Record) -> Self {
        let (store, log) = (&dissection.store, &dissection.key_log);
        let mut records = Side::BOTH.map(|side| Records::of(store, connection.half(side)));
        let client = match begins_with_client_hello(store, connection.half(Side::Server), &records[1]) {
            true => Side::Server,
            false => Side::Client,
        };
        let role = |side| if side == client { TlsSide::Client } else { TlsSide::Server };
        let mut handshake = Handshake::default();
        // The version that the server chose says how the client's records are to be read.
        for side in [client.other(), client] {
            learn_in_the_clear(
                store,
                connection.half(side),
                &records[side.index()],
                role(side),
                &mut handshake,
            );
        }
        let mut openers = Side::BOTH.map(|side| handshake.opener(role(side), log));
        for side in [client.other(), client] {
            let (records, opener) = (&mut records[side.index()], &mut openers[side.index()]);
            records.open(store, connection.half(side), opener, |opened, content| {
                if opened.seal.is_some() && opened.content_type == ContentType::Handshake {
                    handshake.learn(role(side), content);
                }
            });
        }
        let spoken = Side::BOTH.map(|side| {
            let (records, opener) = (&records[side.index()], &openers[side.index()]);
            spoken(store, connection.half(side), records, opener)
        });
        let [first, second] = records;
        let [one, two] = openers;
        Tls { facts: handshake.facts().clone(), sides: [(first, one), (second, two)], spoken, client }
    }

    pub(super) fn side(&self, side: Side) -> &(Records, Opener) {
        let [client, server] = &self.sides;
        if side == Side::Client { client } else { server }
    }

    /// How far the handshake has come where the two streams have come so far.
    pub(super) fn progress(&self, reached: &[u64; 2]) -> Progress {
        let mut progress = Progress::default();
        for side in Side::BOTH {
            let reached = reached[side.index()];
            let role = usize::from(side != self.client);
            let spoken = self.spoken[side.index()].iter().take_while(|(end, _)| *end <= reached);
            progress.messages[role] = spoken.map(|(_, number)| *number).collect();
            let list = &self.side(side).0.list;
            let come =
                list.get(..list.partition_point(|record| record.range.end <= reached)).unwrap_or_default();
            let sealed = come.iter().filter(|record| record.is_unsealed() || record.inner.is_err());
            progress.sealed[role] = sealed.count() as u64;
            progress.is_hidden |= come.iter().any(|record| record.inner.is_err());
        }
        progress
    }

    /// What the description of a record of this side has to know.
    pub(super) fn context(&self, side: Side, sealed: bool) -> Context {
        let peer = if side == self.client { self.facts.server_name.clone() } else { None };
        let tls12 = self.facts.version.is_some_and(|version| version < 0x0304);
        let protocol = self.facts.protocol.clone();
        Context { peer, unchecked: false, tls12, sealed, cipher_suite: self.facts.cipher_suite, protocol }
    }
}

/// Records that are looked through for handshake messages: whole handshakes are in far fewer.
const HANDSHAKE: usize = 256;
/// Bytes of the longest handshake message that is waited for.
const LONGEST_MESSAGE: usize = 1 << 18;

/// Where a side's handshake messages end in its stream, and their types: those that are listed, and one more.
fn spoken(store: &Store, half: &Half, records: &Records, opener: &Opener) -> Vec<(u64, u8)> {
    let (mut spoken, mut begun) = (Vec::new(), Vec::new());
    for (number, record) in records.list.iter().enumerate().take(HANDSHAKE) {
        if record.inner != Ok(ContentType::Handshake) {
            continue;
        }
        let Some(content) = records.content(store, half, opener, number) else { continue };
        begun.extend_from_slice(&content);
        let messages = messages(&begun);
        spoken.extend(messages.iter().map(|message| (record.range.end, message.number)));
        let whole = messages.last().map_or(0, |message| message.bytes.end);
        begun.drain(..whole);
        if begun.len() > LONGEST_MESSAGE || spoken.len() > MOST_LISTED {
            break;
        }
    }
    spoken.truncate(MOST_LISTED + 1);
    spoken
}

fn begins_with_client_hello(store: &Store, half: &Half, records: &Records) -> bool {
    let first = records.list.first().map(|record| record.content().start);
    let mut bytes = Vec::new();
    let is_there = first.is_some_and(|at| store.stream(half, at..at + 1, &mut bytes));
    is_there && records.list.first().is_some_and(|r| r.outer == ContentType::Handshake) && bytes == [1]
}

fn learn_in_the_clear(
    store: &Store,
    half: &Half,
    records: &Records,
    role: TlsSide,
    handshake: &mut Handshake,
) {
    let mut bytes = Vec::new();
    for entry in &records.list {
        bytes.clear();
        store.stream(half, entry.range.clone(), &mut bytes);
        let Ok(record) = Record::parse(&bytes) else { return };
        if !handshake.learn_in_the_clear(role, &record) {
            return;
        }
    }
}

/// The layers above TCP of which a frame brought something.
pub(super) fn inner_layers(stack: &mut Stack, frame: &Frame<'_>) {
    let dissection = frame.dissection;
    let place = frame.connection().zip(frame.segment());
    let Some((connection, segment)) = place else { return };
    let Some(range) = segment.range() else { return };
    // What a keep-alive repeats, its sender need not even have kept (RFC 9293, section 3.8.4).
    if frame.unusual().iter().any(|unusual| unusual.finding == Finding::KeepAlive) {
        return;
    }
    let Some((record, session)) = dissection.record(connection).zip(dissection.session(connection)) else {
        return;
    };
    let above = Above {
        dissection,
        session,
        half: record.half(segment.side),
        stream: StreamId { connection, side: segment.side },
    };
    match &session.tls {
        Some(tls) => above.records(stack, tls, &range),
        None => _ = above.messages(stack, &range, 0),
    }
}

/// What the layers above TCP are made from.
pub(super) struct Above<'d> {
    pub(super) dissection: &'d Dissection,
    pub(super) session: &'d Session,
    pub(super) half: &'d Half,
    pub(super) stream: StreamId,
}

impl Above<'_> {
    fn records(&self, stack: &mut Stack, tls: &Tls, range: &Range<u64>) {
        let (records, _) = tls.side(self.stream.side);
        let mut next_message = 0;
        let mut handshake = Vec::new();
        for number in records.in_stream(range) {
            let Some(record) = records.list.get(number) else { continue };
            let mut bytes = Vec::new();
            self.dissection.store.stream(self.half, record.range.clone(), &mut bytes);
            let sealed = record.inner.is_err() || record.is_unsealed();
            let context = tls.context(self.stream.side, sealed);
            match describe_watched(&bytes, &context, record.inner_place()) {
                Ok(description) => {
                    let here = common(&record.range, range);
                    let description = in_part(description, &part_of(&here, &record.range));
                    let space = Space::Stream(self.stream);
                    stack.layers.push(Layer::in_part(description, space, &record.range, here));
                }
                Err(error) => stack.troubles.push(error.to_string()),
            }
            if let Err(why) = record.inner {
                stack.troubles.push(format!("record {number} of this stream stays sealed: {why}"));
            }
            let here = record.content_of(range);
            let before = handshake.len();
            if let Some(plaintext) = record.plaintext() {
                // What is opened and no message of HTTP is bytes all the same, which can be read.
                if record.is_unsealed() && self.session.messages(self.stream.side).list.is_empty() {
                    self.content(stack, number, ContentType::ApplicationData, &context, here.clone());
                }
                let here = plaintext.start + here.start..plaintext.start + here.end;
                next_message = self.messages(stack, &here, next_message);
            } else if let Ok(content_type) = record.inner
                && record.is_unsealed()
            {
                handshake.extend(self.content(stack, number, content_type, &context, here));
            } else if record.inner == Ok(ContentType::Handshake) {
                handshake.extend(messages(bytes.get(HEADER..).unwrap_or_default()));
            }
            // The last record says what all of them say, if it goes on with what those before it said.
            let goes_on = (1..handshake.len()).contains(&before);
            stack.together = match record.outer {
                // It means next to nothing: what came in front of it is said.
                ContentType::ChangeCipherSpec => stack.said_before(),
                _ => goes_on.then(|| said(&handshake)),
            };
        }
        self.not_framed(stack, tls, range);
    }

    /// What is in a record that was opened; the messages of the handshake in it.
    fn content(
        &self,
        stack: &mut Stack,
        number: usize,
        content_type: ContentType,
        context: &Context,
        here: Range<u64>,
    ) -> Vec<HandshakeMessage> {
        let store = &self.dissection.store;
        let content = self.session.content(store, self.half, self.stream.side, number);
        let Some(content) = content else { return Vec::new() };
        let whole = 0..content.len() as u64;
        let description = describe_content(content_type, &content, context);
        let description = in_part(description, &part_of(&here, &whole));
        stack.layers.push(Layer::in_part(description, Space::Record(self.stream, number), &whole, here));
        if content_type == ContentType::Handshake { messages(&content) } else { Vec::new() }
    }

    /// The messages from the one of this number on of which there is something in `here`; the number of the one after them.
    fn messages(&self, stack: &mut Stack, here: &Range<u64>, from: usize) -> usize {
        let messages = self.session.messages(self.stream.side);
        let space = self.session.message_space(self.stream);
        let begin = messages.list.partition_point(|message| message.range.end <= here.start);
        let end = messages.list.partition_point(|message| message.range.start < here.end).max(begin);
        for (number, message) in messages.list.iter().enumerate().take(end).skip(begin) {
            let mut brought = common(&message.range, here);
            if number < from {
                brought.start = take_back(stack, space, message.range.start).unwrap_or(brought.start);
            }
            let head = self.dissection.bytes(&super::Place::new(space, message.head.clone()));
            let part = part_of(&brought, &message.range);
            let described = head.and_then(|head| framewise_http::describe_part(&head, &part));
            let told =
                described.map(|description| Layer::in_part(description, space, &message.range, brought));
            stack.layers.extend(told);
            if number < from {
                continue;
            }
            if let End::Broken(refusal) = message.end {
                stack.troubles.push(refusal.to_string());
            }
            if let Some(refusal) = message.broken.filter(|_| overlap(&message.head, here)) {
                stack.troubles.push(format!("{refusal}; where it ends is certain all the same"));
            }
        }
        self.not_read(stack, here);
        end
    }
}

/// Takes a message off the list that goes on behind what is listed by now; where it begins here.
fn take_back(stack: &mut Stack, space: Space, offset: u64) -> Option<u64> {
    let listed = stack.layers.iter().rposition(|layer| layer.space == space && layer.offset == offset)?;
    Some(stack.layers.remove(listed).here.start)
}

impl Dissection {
    pub(super) fn session(&self, id: ConnectionId) -> Option<&Session> {
        let cell = self.sessions.get(id.0 as usize)?;
        let record = self.record(id)?;
        Some(cell.get_or_init(|| Box::new(Session::of(self, record))))
    }
}
