//! A child process: threads that answer what comes over its socket.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use bytes::{Bytes, BytesMut};
use framewise_http::{Answer, AnswerSink, BodyLength, Gone, Handler, Params, Pieces, Request, ResponseHead};

use super::frame::{Frame, PIECE, WINDOW, Word};
use crate::state::{self, State};

/// A piece of a body that comes in no more than so many bytes waits for the answer's end, if that is to follow.
const SMALL: usize = 16 << 10;

/// Answers what comes over `socket` by `handler`, on so many threads, until the main process ends it.
///
/// # Errors
/// What comes is not what a main process sends; or the system has no more threads.
pub fn work(socket: UnixStream, threads: usize, handler: Arc<dyn Handler>) -> io::Result<()> {
    work_with(socket, threads, |_| Ok(handler))
}

/// The same, where the handler is told by whom it can have it reported what threads do that it has elsewhere.
///
/// # Errors
/// As [`work`]; or `make` fails.
pub fn work_with(
    socket: UnixStream,
    threads: usize,
    make: impl FnOnce(Reports) -> io::Result<Arc<dyn Handler>>,
) -> io::Result<()> {
    let threads = u16::try_from(threads).unwrap_or(u16::MAX);
    let out = Arc::new(Out(Mutex::new(socket.try_clone()?)));
    let lines: Vec<Arc<Line>> = (0..threads).map(|_| Arc::default()).collect();
    let handler = make(Reports { out: out.clone(), lines: lines.clone() })?;
    let mut desks = Vec::new();
    for (number, line) in (0..threads).zip(lines) {
        let (sender, receiver) = channel();
        let worker = Worker { number, out: out.clone(), line: line.clone(), inward: receiver };
        let handler = handler.clone();
        thread::Builder::new()
            .name(format!("worker {}", number + 1))
            .spawn(move || worker.work(&*handler))?;
        desks.push(Desk { inward: sender, line });
    }
    out.say(&Frame { thread: threads, request: 0, word: Word::Ready }.encode());
    read(socket, &desks)
}

/// Reports what threads do that are the other halves of this process's, elsewhere.
pub struct Reports {
    out: Arc<Out>,
    lines: Vec<Arc<Line>>,
}

impl Reports {
    /// The other half of this thread does that now. It comes by another way than the answer, and means nothing any more once
    /// that has begun.
    pub fn says(&self, thread: u16, state: State) {
        if let Some(line) = self.lines.get(usize::from(thread)) {
            // Under the lock, so that the answer's head comes after it.
            let flow = line.lock();
            let request = flow.request;
            if flow.has_begun {
                return;
            }
            self.out.say(&Frame { thread, request, word: Word::State(state) }.encode());
        }
    }
}

thread_local! {
    static NUMBER: Cell<Option<u16>> = const { Cell::new(None) };
}

/// Which of its process's threads this is, counted from 0; `None` if it is none of a child process's.
pub fn thread_number() -> Option<u16> {
    NUMBER.get()
}

/// Reads until the end, and gives each frame to its thread.
fn read(mut socket: UnixStream, desks: &[Desk]) -> io::Result<()> {
    let mut inbox = BytesMut::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match socket.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        inbox.extend_from_slice(&buffer[..read]);
        while let Some(frame) = Frame::decode(&mut inbox).map_err(io::Error::other)? {
            if let Some(desk) = desks.get(usize::from(frame.thread)) {
                desk.take(frame);
            }
        }
    }
}

/// Where a thread gets what is for it.
struct Desk {
    inward: Sender<Inward>,
    line: Arc<Line>,
}

/// What a thread takes in its own time.
enum Inward {
    Request(u64, Box<Request>, u64),
    Piece(Bytes),
    /// Nobody wants the answer any more: what is left of the request will not come.
    Gone,
}

impl Desk {
    fn take(&self, Frame { request, word, .. }: Frame) {
        let inward = match word {
            Word::Request { head, connection, body } => {
                *self.line.lock() = Flow { request, credit: WINDOW, is_gone: false, has_begun: false };
                let params = Params::default();
                let whole = Request { head, connection, params, body: Bytes::new() };
                Inward::Request(request, Box::new(whole), body)
            }
            _ if self.line.lock().request != request => return,
            Word::Body(data) => Inward::Piece(data),
            Word::Grant(bytes) => return self.line.change(|flow| flow.credit += bytes as usize),
            Word::Abort => {
                self.line.change(|flow| flow.is_gone = true);
                Inward::Gone
            }
            _ => return,
        };
        // The thread lives as long as the desk.
        let _ = self.inward.send(inward);
    }
}

/// How much a thread may send of its answer.
#[derive(Default)]
struct Line {
    flow: Mutex<Flow>,
    moved: Condvar,
}

#[derive(Default)]
struct Flow {
    request: u64,
    credit: usize,
    is_gone: bool,
    /// The answer has.
    has_begun: bool,
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Flow)) {
        change(&mut self.lock());
        self.moved.notify_all();
    }

    /// Takes credit for some of so many bytes, after waiting until there is any.
    fn credit(&self, wanted: usize) -> Result<usize, Gone> {
        let mut flow = self.lock();
        while flow.credit == 0 && !flow.is_gone {
            flow = self.moved.wait(flow).unwrap_or_else(PoisonError::into_inner);
        }
        if flow.is_gone {
            return Err(Gone);
        }
        let taken = wanted.min(flow.credit);
        flow.credit -= taken;
        Ok(taken)
    }
}

/// The way back, which all threads share.
struct Out(Mutex<UnixStream>);

impl Out {
    fn say(&self, bytes: &[u8]) {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a main process there is nobody to say it to: the reader ends, and with it all.
        let _ = socket.write_all(bytes);
    }
}

/// One thread.
struct Worker {
    number: u16,
    out: Arc<Out>,
    line: Arc<Line>,
    inward: Receiver<Inward>,
}

impl Worker {
    fn work(self, handler: &dyn Handler) {
        NUMBER.set(Some(self.number));
        let (out, line, thread) = (self.out.clone(), self.line.clone(), self.number);
        state::report_to(Box::new(move |state| {
            // The main process knows by itself when a thread waits, and by the head when it returns.
            if !matches!(state, State::Waits | State::Returns) {
                let request = line.lock().request;
                out.say(&Frame { thread, request, word: Word::State(state) }.encode());
            }
        }));
        while let Ok(inward) = self.inward.recv() {
            if let Inward::Request(id, request, body) = inward {
                self.answer(id, *request, body, handler);
                state::set(State::Waits);
            }
        }
    }

    fn answer(&self, id: u64, mut request: Request, body: u64, handler: &dyn Handler) {
        let sink = Sink {
            thread: self.number,
            request: id,
            out: self.out.clone(),
            line: self.line.clone(),
            pending: BytesMut::new(),
            left: None,
            is_done: false,
        };
        let answer = Answer::new(Box::new(sink), &request.head.method);
        state::set(State::Executes);
        // A panic drops the answer, which sends a 500; the next request finds the thread as it was.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            if let Some(body) = self.body(id, &request, body, handler) {
                request.body = body;
                handler.handle(request, answer);
            }
        }));
    }

    /// Takes the body as it comes, by the handler's intake where it has one. `None`: it will not come.
    fn body(&self, id: u64, request: &Request, length: u64, handler: &dyn Handler) -> Option<Bytes> {
        if length == 0 {
            return Some(Bytes::new());
        }
        let mut intake = handler.intake(request);
        let mut collected = BytesMut::new();
        let mut left = length;
        while left > 0 {
            let Ok(Inward::Piece(data)) = self.inward.recv() else { return None };
            left = left.saturating_sub(data.len() as u64);
            match &mut intake {
                Some(intake) => intake.piece(&data),
                None => collected.extend_from_slice(&data),
            }
            let word = Word::Grant(data.len() as u32);
            self.out.say(&Frame { thread: self.number, request: id, word }.encode());
        }
        Some(intake.map_or_else(|| collected.freeze(), |intake| intake.finish()))
    }
}

/// Where a thread's answer goes.
struct Sink {
    thread: u16,
    request: u64,
    out: Arc<Out>,
    line: Arc<Line>,
    /// What is to leave in one piece with what follows at once.
    pending: BytesMut,
    /// Bytes of the body that are still to come, where that is known.
    left: Option<u64>,
    is_done: bool,
}

impl Sink {
    fn say(&mut self, word: Word) {
        let frame = Frame { thread: self.thread, request: self.request, word };
        self.pending.extend_from_slice(&frame.encode());
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            self.out.say(&self.pending);
            self.pending.clear();
        }
    }

    fn ends(&mut self, word: Word) {
        if !std::mem::replace(&mut self.is_done, true) {
            self.say(word);
            self.flush();
        }
    }
}

impl AnswerSink for Sink {
    fn head(&mut self, head: ResponseHead, length: BodyLength) {
        if head.status.is_informational() {
            return;
        }
        state::set(State::Returns);
        self.line.lock().has_begun = true;
        self.say(Word::Head { head, body: length });
        self.left = match length {
            BodyLength::Known(length) => Some(length),
            BodyLength::None => Some(0),
            BodyLength::Unknown => None,
        };
        // The body of a known length follows, most often at once; when other pieces come, only the application knows.
        if self.left.is_none() {
            self.flush();
        }
    }

    fn body(&mut self, mut data: Bytes) -> Result<(), Gone> {
        while !data.is_empty() {
            let wanted = data.len().min(PIECE);
            // Before it waits, what it has is on its way.
            if self.line.lock().credit == 0 {
                self.flush();
            }
            let size = self.line.credit(wanted)?;
            self.left = self.left.map(|left| left.saturating_sub(size as u64));
            self.say(Word::Body(data.split_to(size)));
            if self.pending.len() > SMALL || self.left != Some(0) {
                self.flush();
            }
        }
        Ok(())
    }

    fn stream(&mut self, pieces: Pieces) {
        super::pour(self, pieces);
    }

    fn end(&mut self) {
        self.ends(Word::End);
    }

    fn abort(&mut self) {
        self.ends(Word::Abort);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.abort();
    }
}
