//! One connection: its two streams, and what is above them.

use std::net::SocketAddr;
use std::ops::Range;

use framewise_http::passive::{Message, Unread};
use framewise_tls::passive::Facts;

use super::Dissection;
use super::connections::{Beginning, Record, Segment};
use super::half::{Ending, Half, Piece};
use super::records::{TlsRecord, Unframed};
use super::space::{ConnectionId, Place, Side, Space, StreamId};

/// A TCP connection of a dissection.
#[derive(Clone, Copy)]
pub struct Connection<'d> {
    pub(super) dissection: &'d Dissection,
    pub(super) id: ConnectionId,
    pub(super) record: &'d Record,
}

/// What is spoken in a connection above TCP and TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// Nothing.
    Silent,
    /// HTTP/1, or what began like it.
    Http,
    /// Something that is not known here, or that can't be opened: its bytes are shown and not explained.
    Unknown,
}

/// A request and its response, as far as they were seen.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'d> {
    /// Who asks.
    pub asks: Side,
    /// The request.
    pub request: Option<&'d Message>,
    /// The responses: informational ones, and the one that answers.
    pub responses: &'d [Message],
}

impl<'d> Connection<'d> {
    /// Its number.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The one that asked for it.
    pub fn client(&self) -> SocketAddr {
        self.record.client
    }

    /// The one that was asked.
    pub fn server(&self) -> SocketAddr {
        self.record.server
    }

    /// One of the two.
    pub fn end(&self, side: Side) -> SocketAddr {
        if side == Side::Client { self.record.client } else { self.record.server }
    }

    /// How its beginning was seen.
    pub fn beginning(&self) -> Beginning {
        self.record.beginning
    }

    /// Its segments in the order of their frames.
    pub fn segments(&self) -> &'d [Segment] {
        &self.record.segments
    }

    /// What one side sends.
    pub fn stream(&self, side: Side) -> Stream<'d> {
        let id = StreamId { connection: self.id, side };
        Stream { dissection: self.dissection, id, half: self.record.half(side) }
    }

    /// What is known of TLS in it; `None`: there is none.
    pub fn tls(&self) -> Option<&'d Facts> {
        self.dissection.session(self.id)?.tls.as_ref().map(|tls| &tls.facts)
    }

    /// What is spoken in it above TCP and TLS.
    pub fn application(&self) -> Application {
        let is_silent = Side::BOTH.into_iter().all(|side| {
            let stream = self.stream(side);
            stream.length() == 0
                || (self.tls().is_some() && stream.records().iter().all(TlsRecord::is_tls_alone))
        });
        let speaks_http = Side::BOTH.into_iter().any(|side| {
            let stream = self.stream(side);
            !stream.messages().is_empty() || stream.unread().iter().any(|(_, why)| *why != Unread::Http2)
        });
        match (is_silent, speaks_http) {
            (true, _) => Application::Silent,
            (false, true) => Application::Http,
            (false, false) => Application::Unknown,
        }
    }

    /// The requests in it, each with its responses. What is a response to nothing that was seen comes last.
    pub fn exchanges(&self) -> Vec<Exchange<'d>> {
        let Some(session) = self.dissection.session(self.id) else { return Vec::new() };
        let asks = session.asks;
        let requests = &session.messages(asks).list;
        let mut responses = session.messages(asks.other()).list.as_slice();
        let mut exchanges = Vec::with_capacity(requests.len());
        for (number, request) in requests.iter().enumerate() {
            let own = responses.iter().take_while(|response| response.answers == Some(number)).count();
            let (own, rest) = responses.split_at(own);
            exchanges.push(Exchange { asks, request: Some(request), responses: own });
            responses = rest;
        }
        if !responses.is_empty() {
            exchanges.push(Exchange { asks, request: None, responses });
        }
        exchanges
    }
}

/// What one side of a connection sends.
#[derive(Clone, Copy)]
pub struct Stream<'d> {
    dissection: &'d Dissection,
    id: StreamId,
    half: &'d Half,
}

impl<'d> Stream<'d> {
    /// Whose it is.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// How long it is, in bytes, as far as anybody told: what came, what was acknowledged, where its end is.
    pub fn length(&self) -> u64 {
        self.half.length()
    }

    /// Whether where it begins is only the first number that was seen, not the SYN's.
    pub fn is_inferred(&self) -> bool {
        self.half.inferred
    }

    /// How it ended.
    pub fn ending(&self) -> Ending {
        match (self.half.finished, self.half.reset) {
            (Some((_, frame)), _) => Ending::Finished { frame: frame as usize },
            (None, Some(frame)) => Ending::Reset { frame: frame as usize },
            (None, None) => Ending::Open,
        }
    }

    /// What came first, in the order of the stream: disjoint, with [gaps](Self::gaps) between.
    pub fn pieces(&self) -> impl Iterator<Item = &'d Piece> + use<'d> {
        self.half.pieces()
    }

    /// What came again, all of it or in part, in the order of the stream and then of frames.
    pub fn again(&self) -> &'d [Piece] {
        &self.half.again
    }

    /// The ranges that are missing, in order.
    pub fn gaps(&self) -> impl Iterator<Item = Range<u64>> + use<'d> {
        self.half.gaps()
    }

    /// Segments that were too far ahead to be part of it.
    pub fn outside(&self) -> u64 {
        self.half.outside
    }

    /// The TLS records in it, in order.
    pub fn records(&self) -> &'d [TlsRecord] {
        let session = self.dissection.session(self.id.connection);
        session
            .and_then(|session| session.records(self.id.side))
            .map_or(&[], |records| records.list.as_slice())
    }

    /// The number of the record that byte `at` of the stream is of.
    pub fn record_at(&self, at: u64) -> Option<usize> {
        let records = self.records();
        let number = records.partition_point(|record| record.range.end <= at);
        records.get(number).filter(|record| record.range.contains(&at)).map(|_| number)
    }

    /// The bytes behind the records that are none, and why.
    pub fn unframed(&self) -> Option<&'d (Range<u64>, Unframed)> {
        self.dissection.session(self.id.connection)?.records(self.id.side)?.unframed.as_ref()
    }

    /// How much plaintext could be opened, in bytes. 0 where there is no TLS.
    pub fn plaintext_length(&self) -> u64 {
        let session = self.dissection.session(self.id.connection);
        session.and_then(|session| session.records(self.id.side)).map_or(0, |records| records.plaintext)
    }

    /// The HTTP messages in it, in order. Their places are in [`message_space`](Self::message_space).
    pub fn messages(&self) -> &'d [Message] {
        let session = self.dissection.session(self.id.connection);
        session.map_or(&[], |session| session.messages(self.id.side).list.as_slice())
    }

    /// The number of the message that byte `at` of the [`message_space`](Self::message_space) is of.
    pub fn message_at(&self, at: u64) -> Option<usize> {
        let messages = self.messages();
        let number = messages.partition_point(|message| message.range.end <= at);
        messages.get(number).filter(|message| message.range.contains(&at)).map(|_| number)
    }

    /// The bytes between and behind the messages that were not read, in order, and why.
    pub fn unread(&self) -> &'d [(Range<u64>, Unread)] {
        let session = self.dissection.session(self.id.connection);
        session.map_or(&[], |session| session.messages(self.id.side).unread.as_slice())
    }

    /// Pieces of the messages' bodies that were left out, since there are more tiny ones than are kept.
    pub fn pieces_left_out(&self) -> u64 {
        let session = self.dissection.session(self.id.connection);
        session.map_or(0, |session| session.messages(self.id.side).pieces_left_out)
    }

    /// In which bytes its messages are: the stream, or the plaintext of TLS in it.
    pub fn message_space(&self) -> Space {
        let session = self.dissection.session(self.id.connection);
        session.map_or(Space::Stream(self.id), |session| session.message_space(self.id))
    }

    /// The place of these bytes of a message.
    pub fn place(&self, range: &Range<u64>) -> Place {
        Place::new(self.message_space(), range.clone())
    }
}
