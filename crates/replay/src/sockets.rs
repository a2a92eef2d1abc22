//! An application that does as it is told: it stands where a host has HTTP, and speaks to TCP itself.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use framewise::core::id::ConnId;
use framewise::core::seams::exchange::{ExchangeDown, ExchangeUp};
use framewise::core::seams::stream::{Endpoint, Security, StreamDown, StreamUp};
use framewise::core::seams::{Exchanges, Streams};
use framewise::core::{Cx, Instant, Layer};

use crate::live::connection;
use crate::script::{Deed, Heard};

/// How much is granted at first where the application takes what comes at once.
const FIRST_GRANT: usize = 1 << 20;

/// What the application was told and has heard; shared with the player.
pub(crate) struct Stage {
    reads_at_once: bool,
    told: VecDeque<StreamDown>,
    /// What was heard, and when.
    heard: VecDeque<(Instant, Heard)>,
    /// The connection that was opened last.
    current: Option<ConnId>,
    connects: u32,
    /// What waits for room.
    unsent: VecDeque<Bytes>,
    room: usize,
    /// To be closed when all is sent.
    is_closing: bool,
    /// What came and nobody has asked for, and when the last of it did.
    came: Vec<u8>,
    came_at: Instant,
}

impl Stage {
    pub(crate) fn new(reads_at_once: bool) -> Self {
        Stage {
            reads_at_once,
            told: VecDeque::new(),
            heard: VecDeque::new(),
            current: None,
            connects: 0,
            unsent: VecDeque::new(),
            room: 0,
            is_closing: false,
            came: Vec::new(),
            came_at: Instant::ZERO,
        }
    }

    pub(crate) fn perform(&mut self, deed: &Deed) {
        match deed {
            Deed::Fetch(_) => {}
            Deed::Listen(port) => {
                let endpoint = Endpoint { address: None, port: *port };
                self.told.push_back(StreamDown::Listen { endpoint, security: Security::Plain });
            }
            Deed::Connect(remote) => {
                let conn = connection(self.connects);
                self.connects += 1;
                self.begin(conn);
                self.told.push_back(StreamDown::Connect { conn, remote: *remote, security: Security::Plain });
            }
            Deed::Send(data) => {
                self.unsent.push_back(data.clone());
                self.send();
            }
            Deed::Grant(bytes) => {
                if let Some(conn) = self.current {
                    self.told.push_back(StreamDown::Grant { conn, bytes: *bytes });
                }
            }
            Deed::Close => {
                self.is_closing = true;
                self.send();
            }
            Deed::Abort => {
                if let Some(conn) = self.current.take() {
                    self.told.push_back(StreamDown::Abort { conn });
                }
            }
        }
    }

    /// A new connection is the one that is spoken of from now on.
    fn begin(&mut self, conn: ConnId) {
        self.current = Some(conn);
        self.unsent.clear();
        self.came.clear();
        (self.room, self.is_closing) = (0, false);
    }

    /// Sends what there is room for, and closes when all is sent and that was asked for.
    fn send(&mut self) {
        let Some(conn) = self.current else { return };
        while self.room > 0
            && let Some(mut data) = self.unsent.pop_front()
        {
            let rest = data.split_off(data.len().min(self.room));
            if !rest.is_empty() {
                self.unsent.push_front(rest);
            }
            self.room -= data.len();
            self.told.push_back(StreamDown::Send { conn, data });
        }
        if self.is_closing && self.unsent.is_empty() {
            self.is_closing = false;
            self.told.push_back(StreamDown::Close { conn });
        }
    }

    fn hear(&mut self, message: StreamUp, now: Instant) {
        match message {
            StreamUp::Listening { .. } | StreamUp::Asked { .. } => {}
            StreamUp::Opened { conn, .. } => {
                if self.current != Some(conn) {
                    self.begin(conn);
                }
                if self.reads_at_once {
                    self.told.push_back(StreamDown::Grant { conn, bytes: FIRST_GRANT });
                }
                self.say(Heard::Opened, now);
            }
            StreamUp::Data { conn, data } => {
                if self.reads_at_once {
                    self.told.push_back(StreamDown::Grant { conn, bytes: data.len() });
                }
                self.came.extend_from_slice(&data);
                self.came_at = now;
            }
            StreamUp::Writable { conn, bytes } => {
                if self.current == Some(conn) {
                    self.room += bytes;
                    self.send();
                }
            }
            StreamUp::PeerClosed { .. } => self.say(Heard::PeerClosed, now),
            StreamUp::Closed { conn, reason } => {
                if self.current == Some(conn) {
                    self.current = None;
                }
                self.say(Heard::Closed(reason.to_string()), now);
            }
        }
    }

    /// What came before this was heard before it.
    fn say(&mut self, heard: Heard, now: Instant) {
        self.flush();
        self.heard.push_back((now, heard));
    }

    fn flush(&mut self) {
        if !self.came.is_empty() {
            self.heard.push_back((self.came_at, Heard::Text(std::mem::take(&mut self.came))));
        }
    }

    /// Whether something was heard that nobody has asked for.
    pub(crate) fn has_heard(&self) -> bool {
        !self.heard.is_empty() || !self.came.is_empty()
    }

    /// What was heard next and not asked for yet, and when.
    pub(crate) fn next_heard(&mut self) -> Option<(Instant, Heard)> {
        if self.heard.is_empty() {
            self.flush();
        }
        self.heard.pop_front()
    }
}

/// The layer in HTTP's place.
pub(crate) struct Sockets(Rc<RefCell<Stage>>);

impl Sockets {
    pub(crate) fn new(stage: Rc<RefCell<Stage>>) -> Self {
        Sockets(stage)
    }
}

impl Layer for Sockets {
    type Upper = Exchanges;
    type Lower = Streams;

    fn name(&self) -> &'static str {
        "sockets"
    }

    fn handle_outbound(&mut self, _message: ExchangeDown, _cx: &mut Cx) {}

    fn handle_inbound(&mut self, message: StreamUp, cx: &mut Cx) {
        self.0.borrow_mut().hear(message, cx.now);
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<StreamDown> {
        self.0.borrow_mut().told.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<ExchangeUp> {
        None
    }

    /// What the player has said since is a timer that is due (law 6): nobody else would ask.
    fn poll_timeout(&self) -> Option<Instant> {
        (!self.0.borrow().told.is_empty()).then_some(Instant::ZERO)
    }
}
