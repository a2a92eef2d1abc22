//! Which HTTP messages are in what the two sides of a connection say, in the clear or opened.

use framewise_http::Limits;
use framewise_http::passive::{Kind, Message, Most, Reader, Unread, begins_http2, kind_of};

use super::connections;
use super::half::Half;
use super::limits::{allowance, pieces_allowance};
use super::session::{Messages, Session};
use super::space::Side;
use super::store::Store;

impl Session {
    /// Finds who asks and who answers by what the two say first, and reads the requests before the responses.
    pub(super) fn read_messages(&mut self, store: &Store, connection: &connections::Record) {
        let beginnings = Side::BOTH.map(|side| self.beginning(store, connection.half(side), side));
        let chosen = self.tls.as_ref().and_then(|tls| tls.facts.protocol.as_deref());
        if chosen == Some("h2") || beginnings.iter().any(|beginning| begins_http2(beginning)) {
            return self.leave_http2(connection);
        }
        let kinds = beginnings.each_ref().map(|beginning| kind_of(beginning));
        let begins = |side: Side, kind| kinds[side.index()] == Some(kind);
        let asks = Side::BOTH.into_iter().find(|side| begins(*side, Kind::Requests));
        let answers = Side::BOTH.into_iter().find(|side| begins(*side, Kind::Responses));
        let Some(asks) = asks.or(answers.map(Side::other)) else { return };
        self.asks = asks;
        let limits = Limits::watching();
        let most = |side| {
            let known = connection.half(side).known();
            Most { messages: allowance(known), pieces: pieces_allowance(known) }
        };
        let is_joined = |side, kind| {
            let half = connection.half(side);
            half.inferred && half.known() > 0 && !begins(side, kind)
        };
        let mut requests = Reader::of_requests(limits, most(asks));
        if is_joined(asks, Kind::Requests) {
            requests.join();
        }
        self.feed(store, connection.half(asks), asks, &mut requests);
        let mut responses = Reader::of_responses(limits, most(asks.other()), requests.messages_in_a_row());
        if is_joined(asks.other(), Kind::Responses) {
            responses.join();
        }
        self.feed(store, connection.half(asks.other()), asks.other(), &mut responses);
        if let Some(Message { answers: Some(request), .. }) = responses.messages().last()
            && matches!(responses.unread(), [.., (_, Unread::OtherProtocol)])
        {
            requests.end_after(*request);
        }
        for (side, reader) in [(asks, requests), (asks.other(), responses)] {
            let pieces_left_out = reader.pieces_left_out();
            let (list, unread) = reader.into_parts();
            self.messages[side.index()] = Messages { list, unread, pieces_left_out };
        }
    }

    /// All that the two say is HTTP/2.
    fn leave_http2(&mut self, connection: &connections::Record) {
        for side in Side::BOTH {
            let length =
                self.records(side).map_or(connection.half(side).length(), |records| records.plaintext);
            let all = (length > 0).then_some((0..length, Unread::Http2));
            self.messages[side.index()].unread = all.into_iter().collect();
        }
    }

    /// The first bytes that the application sends.
    fn beginning(&self, store: &Store, half: &Half, side: Side) -> Vec<u8> {
        const ENOUGH: u64 = 32;
        let Some((records, opener)) = self.tls.as_ref().map(|tls| tls.side(side)) else {
            let mut bytes = Vec::new();
            store.stream(half, 0..half.contiguous_within(0, ENOUGH), &mut bytes);
            return bytes;
        };
        let first =
            records.list.iter().position(|record| record.plaintext().is_some_and(|range| !range.is_empty()));
        first.and_then(|number| records.content(store, half, opener, number)).unwrap_or_default()
    }

    /// Gives a reader all that a side's application sends.
    fn feed(&self, store: &Store, half: &Half, side: Side, reader: &mut Reader) {
        let Some((records, opener)) = self.tls.as_ref().map(|tls| tls.side(side)) else {
            feed_stream(store, half, reader);
            return reader.end(half.finished.is_some());
        };
        let mut has_begun = false;
        for (number, record) in records.list.iter().enumerate() {
            if record.plaintext().is_some() {
                has_begun = true;
                match records.content(store, half, opener, number) {
                    Some(content) => reader.read(&content),
                    None => reader.lose(),
                }
            } else if has_begun && record.may_hide_data() {
                reader.lose();
            }
        }
        // Whoever breaks a connection off could end a page where it likes: within TLS the end is said (RFC 8446, section 6.1).
        reader.end(records.closed && records.unframed.is_none());
    }
}

fn feed_stream(store: &Store, half: &Half, reader: &mut Reader) {
    let mut at = 0;
    for piece in half.pieces() {
        if piece.at > at {
            reader.skip(piece.at - at);
        }
        reader.read(&store.piece(piece));
        at = piece.range().end;
    }
    if half.length() > at {
        reader.skip(half.length() - at);
    }
}
