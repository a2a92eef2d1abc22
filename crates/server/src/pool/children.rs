//! A child process as the main process sees it: what is written to its socket, and what it says.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use framewise_core::Instant;
use framewise_http::{Gone, Request};

use super::core::{Core, Crew};
use super::frame::{Frame, PIECE, WINDOW, Word};
use crate::dispatch::{ProcessId, RequestId, ThreadId};

/// The network has to have taken so much of an answer before its thread is told.
const WORTH_TELLING: usize = WINDOW / 4;
/// Bytes that are read of one child before the next has its turn.
const AT_A_TIME: usize = 256 << 10;

/// One child process.
pub(crate) struct Child {
    pub(super) process: process::Child,
    pub(super) socket: Arc<UnixStream>,
    inbox: BytesMut,
    outbox: VecDeque<Bytes>,
    /// What each thread works on.
    running: Vec<Option<Running>>,
}

/// A request that a thread of the child works on.
struct Running {
    request: RequestId,
    /// What is left to send of its body, and how much of that may be sent.
    unsent: Bytes,
    credit: usize,
}

impl Child {
    pub(super) fn new(process: process::Child, socket: UnixStream, threads: usize) -> Self {
        Child {
            process,
            socket: Arc::new(socket),
            inbox: BytesMut::new(),
            outbox: VecDeque::new(),
            running: (0..threads).map(|_| None).collect(),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Whether something is still to be written.
    pub(super) fn wants_to_write(&self) -> bool {
        !self.outbox.is_empty()
    }

    // What is told to it. Each tells whether the keeper has to write the rest.

    pub(super) fn give(&mut self, id: RequestId, thread: u16, request: &Request) -> bool {
        let word = Word::Request {
            head: request.head.clone(),
            connection: request.connection.clone(),
            body: request.body.len() as u64,
        };
        self.say(id, thread, word);
        if let Some(place) = self.running.get_mut(usize::from(thread)) {
            *place = Some(Running { request: id, unsent: request.body.clone(), credit: WINDOW });
        }
        self.send_body(thread);
        self.write()
    }

    pub(super) fn cancel(&mut self, id: RequestId, thread: u16) -> bool {
        self.say(id, thread, Word::Abort);
        self.write()
    }

    /// Tells the thread that the network has `taken` so much, if that is worth it.
    pub(super) fn grant(&mut self, id: RequestId, thread: u16, taken: &mut usize) -> bool {
        if *taken < WORTH_TELLING {
            return false;
        }
        self.say(id, thread, Word::Grant(u32::try_from(std::mem::take(taken)).unwrap_or(u32::MAX)));
        self.write()
    }

    /// Sends of the request's body what there is credit for.
    fn send_body(&mut self, thread: u16) {
        let Some(Some(running)) = self.running.get_mut(usize::from(thread)) else { return };
        let mut pieces = Vec::new();
        while !running.unsent.is_empty() && running.credit > 0 {
            let size = running.unsent.len().min(running.credit).min(PIECE);
            running.credit -= size;
            pieces.push(running.unsent.split_to(size));
        }
        let id = running.request;
        pieces.into_iter().for_each(|piece| self.say(id, thread, Word::Body(piece)));
    }

    fn say(&mut self, request: RequestId, thread: u16, word: Word) {
        self.outbox.push_back(Frame { thread, request: request.0, word }.encode());
    }

    /// Writes what the socket takes; `true` if something is left. A child that is gone is noticed where it is read.
    pub(super) fn write(&mut self) -> bool {
        while let Some(next) = self.outbox.front_mut() {
            match (&*self.socket).write(next) {
                Ok(written) => next.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => {
                    self.outbox.clear();
                    return false;
                }
            }
            if next.is_empty() {
                self.outbox.pop_front();
            }
        }
        false
    }

    /// Reads what has come; `false` at its end.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        let mut all = 0;
        while all < AT_A_TIME {
            match (&*self.socket).read(&mut buffer) {
                Ok(0) => return false,
                Ok(read) => {
                    self.inbox.extend_from_slice(&buffer[..read]);
                    all += read;
                    // What fills no buffer was the last there is.
                    if read < buffer.len() {
                        return true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}

/// Hears what a child says. `false`: it is gone, or says what nobody can understand.
pub(super) fn hear(core: &mut Core, id: ProcessId, now: Instant) -> bool {
    let Some(child) = child_of(core, id) else { return true };
    let goes_on = child.read();
    loop {
        let Some(child) = child_of(core, id) else { return true };
        match Frame::decode(&mut child.inbox) {
            Ok(Some(frame)) => heard(core, id, frame, now),
            Ok(None) => return goes_on,
            Err(_) => return false,
        }
        core.obey(now);
    }
}

fn child_of(core: &mut Core, id: ProcessId) -> Option<&mut Child> {
    match &mut core.crew {
        Crew::Children(children) => children.get_mut(&id),
        Crew::Threads(_) => None,
    }
}

fn heard(core: &mut Core, process: ProcessId, frame: Frame, now: Instant) {
    let Frame { thread, request, word } = frame;
    let (at, id) = (ThreadId { process, thread }, RequestId(request));
    if matches!(word, Word::Ready) {
        return core.dispatcher.handle_ready(process, now);
    }
    // What is said late about a request that the thread has left behind means nothing.
    let Some(child) = child_of(core, process) else { return };
    let Some(Some(running)) = child
        .running
        .get_mut(usize::from(thread))
        .filter(|running| running.as_ref().is_some_and(|running| running.request == id))
    else {
        return;
    };
    match word {
        Word::Grant(bytes) => {
            running.credit = running.credit.saturating_add(bytes as usize);
            child.send_body(thread);
            child.write();
        }
        Word::State(state) => core.dispatcher.handle_state(at, state, now),
        Word::Head { head, body } => {
            core.dispatcher.handle_begun(at, now);
            if let Some(item) = core.under_way.get(&id) {
                // Given up meanwhile: it hears so by its first piece.
                let _ = item.duty.begin(head, body);
            }
        }
        Word::Body(data) => {
            let sent = core.under_way.get(&id).map_or(Err(Gone), |item| item.duty.send(data));
            if sent.is_err()
                && let Some(child) = child_of(core, process)
            {
                child.cancel(id, thread);
            }
        }
        Word::End | Word::Abort => {
            child.running[usize::from(thread)] = None;
            if let Some(work) = core.dispatcher.handle_done(at, now) {
                core.tell_what_was_done(id, at, &work);
            }
            let item = core.under_way.remove(&id);
            match (item, word) {
                (Some(item), Word::End) => item.duty.finish(),
                (Some(item), _) => item.duty.abort(),
                (None, _) => {}
            }
        }
        Word::Ready | Word::Request { .. } => {}
    }
}
