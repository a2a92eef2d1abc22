//! A trace in a file: every crossing of every seam as it happens, each byte once, in little memory.
//!
//! The file is a pcapng capture of one host, which everything that reads captures opens. Between its packets stand blocks of a type for
//! local use, with what no capture tells, as lines of JSON: `docs/src/trace-format.md` describes
//! them, `trace.schema.json` beside this file is their schema.
//!
//! ```text
//!   layers ──Observer──► TraceWriter ──► packet   the frame's bytes, once
//!                            │           custom   {"kind":"crossing","seam":"packet","frame":11,"range":[14,191],...}
//!                            │                    {"kind":"state","frame":11,"side":"client","set":{"SND.NXT":385},...}
//!                            └── held: the last few buffers, connections' ends, a block of lines; nothing else
//! ```
//!
//! A packet and a segment are ranges of their frame: the same buffer, found by its address and its serial number. What crosses
//! the stream seams and the exchange seam is a range of what was said there on that connection, that way. Its bytes are in the
//! frames, sealed or not.

mod ends;
mod lines;
mod recent;

use std::collections::VecDeque;
use std::io::{self, Write};

use framewise_core::message::Subject;
use framewise_core::observe::{Crossing, Dropped, Note};
use framewise_core::{Direction, Instant, Observer};

use crate::pcapng::write::{Blocks, Captured};
use crate::pcapng::{CaptureOptions, custom};
use crate::trace::{WIRE, is_on_the_wire};
use crate::wire;
use ends::EndsTold;
use lines::Lines;
use recent::Recent;

/// What the field `format` of the first line says.
pub const FORMAT: &str = "framewise-trace";
/// What its field `version` says: it changes when a field changes its meaning or goes.
pub const VERSION: u32 = 2;

/// The JSON Schema of a line.
pub const SCHEMA: &str = include_str!("trace.schema.json");

/// Bytes of lines that make a block.
const BLOCK: usize = 64 * 1_024;
/// Frames that came lately: what is still to be taken apart lies in one of them.
const RECENT: usize = 64;
/// Messages on their way down whose frame is still to come. Of more, the oldest are written without one.
const WAITING: usize = 512;
/// Streams that are counted at a time.
const STREAMS: usize = 65_536;

/// An observer that writes a trace while a run goes on. The first error of `out` stops it; [`finish`](Self::finish) tells it.
///
/// ```
/// use framewise_trace::{CaptureOptions, TraceWriter};
/// let mut trace = TraceWriter::new(Vec::new(), "me", CaptureOptions::default())?;
/// // … hand `&mut trace` to whoever runs the host …
/// let file: Vec<u8> = trace.finish()?;
/// assert_eq!(file[..4], [0x0a, 0x0d, 0x0d, 0x0a], "it is a capture");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TraceWriter<W: Write> {
    blocks: Blocks<W>,
    host: String,
    secrets: bool,
    /// The host that speaks now, by its number among `hosts`.
    hosts: Vec<String>,
    speaks: usize,
    lines: Lines,
    /// Events so far.
    events: u64,
    /// Frames so far, as the file counts them.
    frames: u64,
    came: VecDeque<Buffered>,
    waiting: VecDeque<Waiting>,
    streams: Recent<(&'static str, Name, bool), u64>,
    ends: EndsTold,
    /// The last frame that each other host sent, for what the wire may say of it.
    others: Vec<Vec<u8>>,
    has_ended: bool,
    error: Option<io::Error>,
}

/// The name of a connection (0) or of an exchange (1), as a number.
type Name = (u8, u64);

/// Where a frame is in memory, and in the file.
#[derive(Clone, Copy, Debug)]
struct Buffered {
    serial: u64,
    address: usize,
    length: usize,
    frame: u64,
}

/// A message that waits for its frame.
#[derive(Debug)]
struct Waiting {
    serial: u64,
    address: usize,
    length: usize,
    /// Its line, but for the end.
    line: String,
}

impl<W: Write> TraceWriter<W> {
    /// A trace of the host of this name.
    ///
    /// # Errors
    /// `out` can't be written.
    pub fn new(out: W, host: &str, options: CaptureOptions) -> io::Result<Self> {
        // What layers say stands in lines of its own, and a super-frame is written as the frames that it stands for.
        let options = CaptureOptions { comments: false, super_frames: false, ..options };
        let mut lines = Lines::default();
        lines.begin(host, options.epoch);
        Ok(TraceWriter {
            secrets: options.secrets,
            blocks: Blocks::new(out, host, &options)?,
            host: host.to_owned(),
            hosts: vec![host.to_owned()],
            speaks: 0,
            lines,
            events: 0,
            frames: 0,
            came: VecDeque::with_capacity(RECENT),
            waiting: VecDeque::new(),
            streams: Recent::new(STREAMS),
            ends: EndsTold::new(),
            others: Vec::new(),
            has_ended: false,
            error: None,
        })
    }

    /// What went wrong, if something did: nothing is written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// Hands what was written on, so that whoever reads along sees it.
    pub fn flush(&mut self) {
        let result = self.write_lines().and_then(|()| self.blocks.flush());
        self.keep_first_error(result);
    }

    /// Ends the trace and gives `out` back.
    ///
    /// # Errors
    /// Now or before, `out` could not be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.end();
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.blocks.into_inner()),
        }
    }

    /// Writes what is left and the last line; what happens after that is not told. For who can't give the writer away:
    /// [`error`](Self::error) says whether it went well.
    pub fn end(&mut self) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        while let Some(waiting) = self.waiting.pop_front() {
            self.lines.without_frame(&waiting.line, waiting.length);
        }
        self.ends.settle(&mut self.lines);
        self.lines.end(self.events, self.frames);
        self.flush();
    }

    fn keep_first_error(&mut self, result: io::Result<()>) {
        if let (Err(error), None) = (result, &self.error) {
            self.error = Some(error);
        }
    }

    fn write_lines(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let result = self.blocks.custom(&custom::value(self.lines.text()));
        self.lines.clear();
        result
    }

    /// The number of the next event.
    fn next_event(&mut self) -> u64 {
        self.events += 1;
        self.events
    }

    /// Whether nothing is written any more.
    fn is_over(&self) -> bool {
        self.has_ended || self.error.is_some()
    }

    fn is_ours(&self) -> bool {
        self.speaks == 0
    }

    /// A frame between our host and its device: its bytes, and the messages that waited for it.
    fn frame(&mut self, crossing: &Crossing<'_>) -> io::Result<()> {
        let message = crossing.message;
        let (bytes, offload) = (message.bytes(), message.offload_facts());
        let count = wire::count(bytes, offload) as u64;
        self.ends.settle(&mut self.lines);
        self.write_lines_if_many()?;
        self.blocks.frame(&Captured {
            now: crossing.now,
            interface: message.interface().unwrap_or_default(),
            direction: crossing.direction,
            bytes,
            offload,
            comments: Vec::new(),
        })?;
        let first = self.frames + 1;
        self.frames += count;
        let line = self.begin_line(crossing);
        self.lines.with_frame(&line, first, count, 0..bytes.len());
        let Subject::Buffer(serial) = message.subject() else { return Ok(()) };
        let here = Buffered { serial, address: bytes.as_ptr().addr(), length: bytes.len(), frame: first };
        match crossing.direction {
            Direction::Outbound => self.resolve(&here, count),
            Direction::Inbound => {
                if self.came.len() == RECENT {
                    self.came.pop_front();
                }
                self.came.push_back(here);
            }
        }
        if count == 1 {
            self.ends.frame(bytes, first, crossing.now, crossing.direction);
        }
        Ok(())
    }

    /// Writes the messages that are in this frame.
    fn resolve(&mut self, frame: &Buffered, count: u64) {
        let waiting = std::mem::take(&mut self.waiting);
        for waiting in waiting {
            match range_in(frame, waiting.serial, waiting.address, waiting.length) {
                Some(range) => self.lines.with_frame(&waiting.line, frame.frame, count, range),
                None => self.waiting.push_back(waiting),
            }
        }
    }

    /// A packet or a segment: a part of a frame that has come, or of one that is still to go.
    fn part(&mut self, crossing: &Crossing<'_>, serial: u64) {
        let bytes = crossing.message.bytes();
        let (address, length) = (bytes.as_ptr().addr(), bytes.len());
        let line = self.begin_line(crossing);
        if crossing.direction == Direction::Inbound {
            let found =
                self.came.iter().rev().find_map(|frame| {
                    range_in(frame, serial, address, length).map(|range| (frame.frame, range))
                });
            match found {
                Some((frame, range)) => self.lines.with_frame(&line, frame, 1, range),
                // Put together from fragments, in a buffer of its own.
                None => self.lines.without_frame(&line, length),
            }
            return;
        }
        if self.waiting.len() >= WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.lines.without_frame(&oldest.line, oldest.length);
        }
        self.waiting.push_back(Waiting { serial, address, length, line });
    }

    /// A piece of a stream, or of an exchange: a range of what was said there that way.
    fn piece(&mut self, crossing: &Crossing<'_>, key: Name, name: String) {
        let length = crossing.message.bytes().len() as u64;
        let line = self.begin_line(crossing);
        let stream = (crossing.lower, key, crossing.direction == Direction::Outbound);
        let at = self.streams.entry(stream, u64::default);
        let begin = *at;
        *at += length;
        self.lines.in_stream(
            &line,
            if crossing.seam == "exchange" { "exchange" } else { "connection" },
            &name,
            begin..begin + length,
        );
        if crossing.message.kind() == "closed" {
            for is_outbound in [false, true] {
                self.streams.remove(&(crossing.lower, key, is_outbound));
            }
        }
    }

    fn begin_line(&mut self, crossing: &Crossing<'_>) -> String {
        let number = self.next_event();
        lines::crossing(number, crossing)
    }

    fn write_lines_if_many(&mut self) -> io::Result<()> {
        if self.lines.len() >= BLOCK { self.write_lines() } else { Ok(()) }
    }

    /// What another host does is told only where it says what became of our frames.
    fn other_host(&mut self, crossing: &Crossing<'_>) {
        if crossing.direction == Direction::Outbound && is_on_the_wire(crossing.seam, crossing.lower) {
            let place = self.speaks - 1;
            if self.others.len() <= place {
                self.others.resize(place + 1, Vec::new());
            }
            if let Some(last) = self.others.get_mut(place) {
                last.clear();
                last.extend_from_slice(crossing.message.bytes());
            }
        }
    }
}

/// Which bytes of a frame these are, if they are in the same buffer.
fn range_in(frame: &Buffered, serial: u64, address: usize, length: usize) -> Option<std::ops::Range<usize>> {
    let start = address.checked_sub(frame.address).filter(|_| frame.serial == serial)?;
    (start + length <= frame.length).then_some(start..start + length)
}

impl<W: Write> Observer for TraceWriter<W> {
    fn host(&mut self, name: &str) {
        if self.hosts.get(self.speaks).is_some_and(|host| host == name) {
            return;
        }
        self.speaks = self.hosts.iter().position(|host| host == name).unwrap_or_else(|| {
            self.hosts.push(name.to_owned());
            self.hosts.len() - 1
        });
    }

    fn crossed(&mut self, crossing: &Crossing<'_>) {
        if self.is_over() {
            return;
        }
        if !self.is_ours() {
            return self.other_host(crossing);
        }
        if is_on_the_wire(crossing.seam, crossing.lower) {
            let result = self.frame(crossing);
            return self.keep_first_error(result);
        }
        match crossing.message.subject() {
            Subject::Buffer(serial) => self.part(crossing, serial),
            Subject::Connection(conn) => {
                self.piece(crossing, (0, lines::key(conn)), conn.to_string());
            }
            Subject::Exchange(exchange) => {
                self.piece(crossing, (1, lines::key(exchange)), exchange.to_string());
            }
            Subject::None => {
                let line = self.begin_line(crossing);
                self.lines.without_frame(&line, crossing.message.bytes().len());
            }
        }
        let result = self.write_lines_if_many();
        self.keep_first_error(result);
    }

    fn noted(&mut self, note: &Note) {
        if self.is_over() || !(self.is_ours() || note.layer == WIRE) {
            return;
        }
        let sent = self.speaks.checked_sub(1).filter(|place| *place < self.others.len());
        if sent.is_some() && note.topic != "lost" {
            return;
        }
        let number = self.next_event();
        match sent.and_then(|place| self.others.get(place)) {
            // The wire lost what was on its way to us, and nobody but it has the bytes.
            Some(bytes) => self.lines.lost(number, note, &self.hosts[self.speaks], self.frames, bytes),
            None => {
                if note.layer == WIRE && note.topic == "lost" {
                    self.ends.was_lost(self.frames);
                }
                self.lines.note(number, note, self.frames);
            }
        }
    }

    fn dropped(&mut self, dropped: &Dropped) {
        if self.is_over() || !self.is_ours() {
            return;
        }
        let number = self.next_event();
        self.ends.was_refused(self.frames);
        self.lines.dropped(number, dropped, self.frames);
    }

    fn secret(&mut self, _now: Instant, line: &str) {
        if !self.is_ours() || self.is_over() || !self.secrets {
            return;
        }
        let result = self.blocks.secrets(&format!("{line}\n"));
        self.keep_first_error(result);
    }
}

impl<W: Write> TraceWriter<W> {
    /// The host whose trace it is.
    pub fn host_name(&self) -> &str {
        &self.host
    }
}
