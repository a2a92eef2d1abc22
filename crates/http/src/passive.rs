//! HTTP/1.1 as somebody sees it who only watches: which messages are in the bytes of one direction, and where.
//!
//! Read first: RFC 9112 sections 6.3 (where a message ends), 9.3.2 (which response answers which request) and 11.2 (why a
//! message that breaks a rule of framing ends the reading: whoever is less strict may see another one). What else a server may
//! refuse a message for is left to the server; a rule that is broken though where the message ends is certain is named with it.
//!
//! Where bytes are missing, or the beginning was not seen, nobody knows where the next message begins. Who sends messages mostly
//! begins each in a piece of its own: what is passed over ends at the next piece that begins as a message does.
//!
//! ```text
//!   requests   │ head │ head  body │ head │         read first: their methods say what responses look like
//!   responses  │ head body │ 100 │ head body │ head │
//! ```
//!
//! ```
//! use framewise_http::Limits;
//! use framewise_http::passive::{Reader, Start, Unread};
//!
//! let mut requests = Reader::of_requests(Limits::watching(), Default::default());
//! requests.read(b"GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\nGET /b HTT");
//! requests.end(true);
//! let [first] = requests.messages() else { panic!("one is whole") };
//! assert_eq!(first.head, 0..36);
//! assert_eq!(requests.unread(), [(36..46, Unread::CutShort)]);
//! ```

mod message;
mod progress;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use http::Method;

pub use message::{End, Kind, Message, Most, Start, Unread, begins_http2, kind_of};

use crate::body::{Decoded, Decoder};
use crate::config::Limits;
use crate::head::scan::{Part, Scanner};
use crate::head::watched::{self, Watched};
use crate::rule::Refusal;
use message::begins_message;

/// Reads the messages of one direction.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    most: Most,
    /// `None`: these are the requests.
    asked: Option<Asked>,
    state: State,
    /// After this message, another protocol is spoken.
    switches: bool,
    /// Where the next byte stands.
    at: u64,
    messages: Vec<Message>,
    pieces_left_out: u64,
    unread: Vec<(Range<u64>, Unread)>,
}

/// The requests that are not answered yet.
#[derive(Debug)]
struct Asked {
    methods: VecDeque<Method>,
    answered: usize,
}

#[derive(Debug)]
enum State {
    Head {
        scanner: Box<Scanner>,
        begun: Vec<u8>,
    },
    Body(Box<Decoder>),
    /// Until a piece begins as a message does.
    Lost,
    Over,
}

impl Reader {
    /// Reads requests.
    pub fn of_requests(limits: Limits, most: Most) -> Self {
        Reader::new(limits, most, None)
    }

    /// Reads responses to these requests.
    pub fn of_responses(limits: Limits, most: Most, requests: &[Message]) -> Self {
        let method = |message: &Message| match &message.start {
            Start::Request { method, .. } => Some(method.clone()),
            Start::Response { .. } => None,
        };
        let methods = requests.iter().filter_map(method).collect();
        Reader::new(limits, most, Some(Asked { methods, answered: 0 }))
    }

    fn new(limits: Limits, most: Most, asked: Option<Asked>) -> Self {
        let mut reader = Reader {
            limits,
            most,
            asked,
            state: State::Over,
            switches: false,
            at: 0,
            messages: Vec::new(),
            pieces_left_out: 0,
            unread: Vec::new(),
        };
        reader.begin();
        reader
    }

    /// The beginning was not seen: what comes first may be the middle of a message.
    pub fn join(&mut self) {
        self.lose_track(self.at, Unread::Joined);
    }

    /// Takes the next bytes: a piece as it was sent, in a segment or a record, and not a part of one.
    pub fn read(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Lost) && begins_message(bytes, self.kind()) {
            self.begin();
        }
        let mut rest = Bytes::copy_from_slice(bytes);
        while !rest.is_empty() {
            let before = rest.len();
            match &mut self.state {
                State::Head { .. } => self.read_head(&mut rest),
                State::Body(_) => self.read_body(&mut rest),
                State::Lost | State::Over => rest.clear(),
            }
            self.at += (before - rest.len()) as u64;
            self.settle();
        }
        self.leave_unread();
    }

    /// So many bytes come next that nobody has seen.
    pub fn skip(&mut self, bytes: u64) {
        let can_go_on = match &mut self.state {
            State::Body(decoder) => decoder.skip(bytes),
            State::Head { .. } | State::Lost | State::Over => false,
        };
        if !can_go_on {
            self.lose();
        } else if let Some(message) = self.messages.last_mut() {
            message.missing += bytes;
            message.range.end = self.at + bytes;
            add(
                &mut message.body,
                self.at..self.at + bytes,
                &mut self.most.pieces,
                &mut self.pieces_left_out,
            );
        }
        self.at += bytes;
        self.settle();
        self.leave_unread();
    }

    /// Bytes come next that nobody has seen, and nobody knows how many.
    pub fn lose(&mut self) {
        if !matches!(self.state, State::Over) {
            self.lose_track(self.begun_at(), Unread::AfterGap);
        }
    }

    /// Nothing comes any more; `closed`: since the sender said so.
    pub fn end(&mut self, closed: bool) {
        let begun_at = self.begun_at();
        match std::mem::replace(&mut self.state, State::Over) {
            State::Head { .. } if begun_at < self.at => self.give_up(begun_at, Unread::CutShort),
            State::Body(decoder) => {
                let is_whole = decoder.is_until_close() && closed;
                self.finish(if is_whole { End::Complete } else { End::CutShort });
                self.state = State::Over;
            }
            State::Head { .. } | State::Lost | State::Over => {}
        }
    }

    /// From the message after this one on, another protocol is spoken: the answer to this request said so.
    pub fn end_after(&mut self, message: usize) {
        let kept = message.saturating_add(1);
        let Some(begin) = self.messages.get(message).map(|message| message.range.end) else { return };
        self.messages.truncate(kept);
        self.state = State::Over;
        self.unread.retain(|(range, _)| range.start < begin);
        if begin < self.at {
            self.unread.push((begin..self.at, Unread::OtherProtocol));
        }
    }

    /// The messages whose heads are whole and right.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Those of them in front of which none can be hidden.
    pub fn messages_in_a_row(&self) -> &[Message] {
        let first = self.unread.first().map_or(u64::MAX, |(range, _)| range.start);
        let row = self.messages.partition_point(|message| message.range.start < first);
        self.messages.get(..row).unwrap_or_default()
    }

    /// The bytes between and behind them that were not read, in order, and why.
    pub fn unread(&self) -> &[(Range<u64>, Unread)] {
        &self.unread
    }

    /// Pieces of bodies that were left out, since there are too many.
    pub fn pieces_left_out(&self) -> u64 {
        self.pieces_left_out
    }

    /// The messages, and what was not read.
    pub fn into_parts(self) -> (Vec<Message>, Vec<(Range<u64>, Unread)>) {
        (self.messages, self.unread)
    }

    fn begin(&mut self) {
        let part = if self.asked.is_some() { Part::Response } else { Part::Request };
        let scanner = Box::new(Scanner::watching(part, self.limits));
        self.state = State::Head { scanner, begun: Vec::new() };
    }

    /// Where the head begins that is being read; else where the next byte stands.
    fn begun_at(&self) -> u64 {
        match &self.state {
            State::Head { begun, .. } => self.at - begun.len() as u64,
            State::Body(_) | State::Lost | State::Over => self.at,
        }
    }

    fn kind(&self) -> Kind {
        if self.asked.is_some() { Kind::Responses } else { Kind::Requests }
    }

    /// What is not read reaches up to here.
    fn leave_unread(&mut self) {
        if let (State::Lost | State::Over, Some((range, _))) = (&self.state, self.unread.last_mut()) {
            range.end = self.at;
        }
    }

    fn give_up(&mut self, begin: u64, why: Unread) {
        self.lose_track(begin, why);
        self.state = State::Over;
    }

    /// Nothing is read from byte `begin` on; what was passed over in front of it goes on there.
    fn lose_track(&mut self, begin: u64, why: Unread) {
        // Which of the requests the next response answers, nobody knows behind a gap.
        if let (Unread::AfterGap, Some(asked)) = (why, &mut self.asked) {
            asked.methods.clear();
        }
        self.state = State::Lost;
        match self.unread.last_mut() {
            Some((range, _)) if range.end == begin => range.end = self.at,
            _ => self.unread.push((begin..self.at, why)),
        }
    }

    /// Whether the head that is being read at `begin` was only found by what it begins with.
    fn is_found(&self, begin: u64) -> bool {
        self.unread.last().is_some_and(|(range, _)| range.end == begin)
    }

    fn finish(&mut self, end: End) {
        if let Some(message) = self.messages.last_mut() {
            message.end = end;
            message.range.end = self.at;
        }
        self.begin();
    }

    /// Takes the next message up where a body is complete.
    fn settle(&mut self) {
        if matches!(&self.state, State::Body(decoder) if decoder.is_complete()) {
            self.finish(End::Complete);
            if self.switches {
                self.give_up(self.at, Unread::OtherProtocol);
            }
        }
    }

    fn read_head(&mut self, rest: &mut Bytes) {
        let State::Head { scanner, begun } = &mut self.state else { return };
        let begin = self.at - begun.len() as u64;
        let scanned = scanner.scan(rest);
        let end = match scanned {
            Ok(end) => end,
            Err(refusal) => return self.break_off(begin, refusal, rest),
        };
        begun.extend_from_slice(&rest.split_to(end.unwrap_or(rest.len())));
        if end.is_none() {
            return;
        }
        let (head, scanner) = (std::mem::take(begun), scanner.clone());
        if self.messages.len() >= self.most.messages {
            return self.give_up(begin, Unread::TooMany);
        }
        match self.message(&head, &scanner, begin) {
            Ok(message) => {
                let decoder = Decoder::new(message.framing, u64::MAX, self.limits).behind(head.len());
                self.messages.push(message);
                self.state = State::Body(Box::new(decoder));
            }
            Err(refusal) => self.break_off(begin, refusal, rest),
        }
    }

    /// The message that begins with this head.
    fn message(&mut self, head: &[u8], scanner: &Scanner, begin: u64) -> Result<Message, Refusal> {
        let (start, framing, broken, answers) = match &mut self.asked {
            None => {
                let Watched { head, framing, broken, .. } = watched::request(head, scanner)?;
                (Start::Request { method: head.method, target: head.target }, framing, broken, None)
            }
            Some(asked) => {
                let method = asked.methods.front().cloned();
                let known = method.as_ref().unwrap_or(&Method::GET);
                let Watched { head, framing, broken, .. } = watched::response(head, scanner, known)?;
                let status = head.status.as_u16();
                let is_through = *known == Method::CONNECT && head.status.is_success();
                self.switches = is_through || status == 101;
                let answers = method.map(|_| asked.answered);
                // An informational response is followed by the one that answers; after 101 nothing is.
                if status >= 200 || status == 101 {
                    asked.methods.pop_front();
                    asked.answered += 1;
                }
                (Start::Response { status }, framing, broken, answers)
            }
        };
        let head = begin..begin + head.len() as u64;
        Ok(Message {
            start,
            body: Vec::new(),
            range: head.clone(),
            head,
            framing,
            broken,
            end: End::CutShort,
            missing: 0,
            answers,
        })
    }

    fn break_off(&mut self, begin: u64, refusal: Refusal, rest: &mut Bytes) {
        // What only looked like a head is passed over, too.
        match (&self.state, self.is_found(begin)) {
            (State::Head { .. }, true) => self.lose_track(begin, Unread::Broken(refusal)),
            _ => self.give_up(begin, Unread::Broken(refusal)),
        }
        rest.clear();
    }

    fn read_body(&mut self, rest: &mut Bytes) {
        let State::Body(decoder) = &mut self.state else { return };
        let before = rest.len();
        let decoded = decoder.decode(rest, usize::MAX);
        let at = self.at + (before - rest.len()) as u64;
        let Some(message) = self.messages.last_mut() else { return };
        message.range.end = at;
        match decoded {
            Ok(Decoded::Data(data)) => {
                let range = at - data.len() as u64..at;
                add(&mut message.body, range, &mut self.most.pieces, &mut self.pieces_left_out);
            }
            Ok(Decoded::Complete | Decoded::More) => {}
            Err(refusal) => {
                message.end = End::Broken(refusal);
                self.break_off(at, refusal, rest);
            }
        }
    }
}

/// Adds a piece of a body: to the last one, if it goes on there.
fn add(body: &mut Vec<Range<u64>>, range: Range<u64>, room: &mut usize, left_out: &mut u64) {
    match body.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ if *room == 0 => *left_out += 1,
        _ => {
            *room -= 1;
            body.push(range);
        }
    }
}
