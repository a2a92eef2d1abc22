//! One TLS connection, from the first byte of the handshake to the last word about it.
//!
//! ```text
//!   Connecting ─► Handshaking ─► Open ─┬─► (below closes) ─► Draining ─► Gone
//!        │             │               │                                  ▲
//!        └─────────────┴───────────────┴─► Ending ─► (below closes) ──────┘
//! ```
//!
//! The layer calls one `on_…` method for what happened and then [`pump`](Connection::pump), which moves whatever can
//! move: ciphertext is opened, plaintext sealed, credit passed on, and the end told when it has come.
//!
//! Read first: RFC 8446 sections 6.1 (close_notify and truncation) and 6.2 (errors close at once).

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;
use framewise_core::id::ConnId;
use framewise_core::seams::stream::{CloseReason, ConnInfo, StreamDown, StreamUp, TlsError};
use framewise_core::{Cx, Instant};

use crate::board::Board;
use crate::config::Limits;
use crate::describe;
use crate::errors::{self, Circumstances};
use crate::inbound::Inbound;
use crate::outbound::Outbound;
use crate::record::ContentType;
use crate::session::Session;

/// Messages on their way out of the layer.
#[derive(Default)]
pub(crate) struct Mail {
    pub(crate) up: VecDeque<StreamUp>,
    pub(crate) down: VecDeque<StreamDown>,
}

/// Where a connection is in its life.
enum Stage {
    /// A client's, not open below yet.
    Connecting,
    /// Open below; keys are being agreed on.
    Handshaking,
    /// Bytes go both ways.
    Open,
    /// Over for this reason; the layer below has not confirmed its end yet.
    Ending(CloseReason),
    /// Closed below for this reason; bytes that came before wait for the layer above.
    Draining(CloseReason),
    /// The last word was said.
    Gone,
}

/// A TLS connection.
pub(crate) struct Connection {
    stage: Stage,
    client: bool,
    /// Whether the peer's certificate is checked.
    verified: bool,
    /// Whether the layer above knows of it: a client's from the beginning, an accepted one once it is open.
    announced: bool,
    session: Option<Box<Session>>,
    info: Option<Box<ConnInfo>>,
    local: Option<IpAddr>,
    inbound: Inbound,
    outbound: Outbound,
    /// The first bytes that the peer sent, to tell whether it speaks TLS at all.
    first: Vec<u8>,
    /// Whether the server wanted a certificate of us.
    asked_for_certificate: bool,
    told_peer_closed: bool,
    closed_below: bool,
    must_abort: bool,
    aborted_below: bool,
    deadline: Option<Instant>,
    limits: Limits,
}

impl Connection {
    fn new(client: bool, verified: bool, limits: Limits) -> Self {
        Connection {
            stage: Stage::Connecting,
            client,
            verified,
            announced: client,
            session: None,
            info: None,
            local: None,
            inbound: Inbound::new(limits.window),
            outbound: Outbound::new(limits.window),
            first: Vec::new(),
            asked_for_certificate: false,
            told_peer_closed: false,
            closed_below: false,
            must_abort: false,
            aborted_below: false,
            deadline: None,
            limits,
        }
    }

    /// One that we make; `session` speaks once it is open below.
    pub(crate) fn connecting(session: Session, verified: bool, limits: Limits) -> Self {
        let mut connection = Connection::new(true, verified, limits);
        connection.session = Some(Box::new(session));
        connection
    }

    /// One that was made to us.
    pub(crate) fn accepted(session: Session, limits: Limits) -> Self {
        let mut connection = Connection::new(false, false, limits);
        connection.session = Some(Box::new(session));
        connection
    }

    /// Our address, once it is known.
    pub(crate) fn local(&self) -> Option<IpAddr> {
        self.local
    }

    /// When [`on_timeout`](Self::on_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the last word was said.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Gone)
    }

    /// Whether it only waits for the layer above to take what came.
    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.stage, Stage::Draining(_))
    }

    /// Whether plaintext waits to be sealed, or ciphertext for room below.
    pub(crate) fn is_sending(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Ending(_))
            && !self.closed_below
            && self.outbound.is_sending()
    }

    // What the layer below says.

    pub(crate) fn on_opened(&mut self, info: Box<ConnInfo>, now: Instant) {
        if matches!(self.stage, Stage::Connecting) {
            self.local = Some(info.local.ip());
            self.info = Some(info);
            self.stage = Stage::Handshaking;
            self.deadline = Some(now + self.limits.handshake);
        }
    }

    pub(crate) fn on_data(&mut self, data: Bytes, now: Instant) {
        if !matches!(self.stage, Stage::Handshaking | Stage::Open) {
            return;
        }
        let missing = FIRST.saturating_sub(self.first.len());
        self.first.extend(data.iter().take(missing));
        if let Err(rule) = self.inbound.accept(data) {
            self.break_off(CloseReason::Misuse(rule), now);
        }
    }

    pub(crate) fn on_writable(&mut self, bytes: usize) {
        self.outbound.writable(bytes);
    }

    pub(crate) fn on_peer_closed(&mut self) {
        self.inbound.end();
    }

    /// The layer below has forgotten the connection.
    pub(crate) fn on_closed(&mut self, reason: CloseReason, cx: &mut Cx) {
        if !self.announced && self.is_handshaking() && reason == CloseReason::Reset {
            cx.dropped("tls", self.left().reason());
        }
        self.inbound.end();
        self.aborted_below = true;
        self.deadline = None;
        self.stage = match std::mem::replace(&mut self.stage, Stage::Gone) {
            // What was decided here first is the reason; what waited for the layer above is void with it.
            Stage::Ending(decided) => {
                self.inbound.forget();
                Stage::Draining(decided)
            }
            _ => {
                if reason != CloseReason::Finished {
                    self.inbound.forget();
                }
                Stage::Draining(reason)
            }
        };
    }

    // What the layer above says.

    pub(crate) fn on_send(&mut self, data: Bytes, now: Instant) {
        if !matches!(self.stage, Stage::Connecting | Stage::Handshaking | Stage::Open) {
            return;
        }
        if let Err(rule) = self.outbound.accept(data) {
            self.break_off(CloseReason::Misuse(rule), now);
        }
    }

    pub(crate) fn on_grant(&mut self, bytes: usize) {
        self.inbound.want(bytes);
    }

    pub(crate) fn on_close(&mut self) {
        self.outbound.close();
    }

    pub(crate) fn on_abort(&mut self, now: Instant) {
        match self.stage {
            Stage::Ending(_) | Stage::Draining(_) | Stage::Gone => {
                self.must_abort = true;
                self.inbound.forget();
            }
            _ => self.break_off(CloseReason::Aborted, now),
        }
    }

    // Time.

    pub(crate) fn on_timeout(&mut self, cx: &mut Cx) {
        match self.stage {
            Stage::Ending(_) => {
                self.must_abort = true;
                self.deadline = None;
            }
            _ => {
                if !self.announced {
                    cx.dropped("tls", "handshake of an accepted connection took too long");
                }
                self.break_off(CloseReason::TimedOut, cx.now);
            }
        }
    }

    /// The layer itself gives it up, its place being needed for another.
    pub(crate) fn evict(&mut self, conn: ConnId, mail: &mut Mail) {
        let closed = std::mem::replace(&mut self.stage, Stage::Gone);
        if self.announced && !matches!(closed, Stage::Gone) {
            let reason = CloseReason::Aborted;
            mail.up.push_back(StreamUp::Closed { conn, reason });
        }
    }

    /// Ends it at once, without another word to the peer.
    fn break_off(&mut self, reason: CloseReason, now: Instant) {
        self.end(reason, now);
        self.inbound.forget();
        self.must_abort = true;
    }

    /// Ends it for this reason. What is sealed already, and an alert, still leaves.
    fn end(&mut self, reason: CloseReason, now: Instant) {
        self.outbound.forget_pending();
        self.inbound.forget_ciphertext();
        self.stage = Stage::Ending(reason);
        self.deadline = Some(now + self.limits.linger);
    }

    /// Moves whatever can move now.
    pub(crate) fn pump(&mut self, conn: ConnId, board: &Board, mail: &mut Mail, cx: &mut Cx) {
        loop {
            let opened = self.open(board);
            // What fails may come right behind what completes the handshake.
            self.announce(conn, mail, cx);
            let opened = opened.unwrap_or_else(|(lost, error)| {
                self.fail(lost, error, cx);
                false
            });
            self.send(conn, mail);
            let delivered = self.deliver(conn, mail);
            if !opened && !delivered {
                break;
            }
        }
        self.credit(conn, mail);
        self.conclude(conn, mail);
    }

    /// Opens what came; says whether there was any.
    fn open(&mut self, board: &Board) -> Result<bool, (Lost, TlsError)> {
        if matches!(self.stage, Stage::Connecting | Stage::Ending(_) | Stage::Gone) {
            return Ok(false);
        }
        let Some(session) = &mut self.session else {
            return Ok(false);
        };
        let opened = self.inbound.open(session);
        self.asked_for_certificate |= board.was_asked_for_certificate();
        let over = matches!(self.stage, Stage::Handshaking | Stage::Draining(CloseReason::Finished));
        let unfinished = session.is_handshaking() && self.inbound.has_ended() && over;
        match opened {
            Ok(_) if unfinished => Err((self.left(), errors::hung_up(&self.circumstances(board)))),
            Ok(opened) => Ok(opened),
            Err(error) => {
                let refused = matches!(error, rustls::Error::AlertReceived(_));
                let lost = if refused { Lost::Refused } else { Lost::Failed };
                Err((lost, errors::explain(&error, &self.circumstances(board))))
            }
        }
    }

    /// How a client is counted that went away.
    fn left(&self) -> Lost {
        match self.first.first().map(|first| ContentType::from_byte(*first)) {
            None => Lost::Silent,
            Some(Some(_)) => Lost::Left,
            // It spoke no TLS.
            Some(None) => Lost::Failed,
        }
    }

    fn is_handshaking(&self) -> bool {
        matches!(self.stage, Stage::Handshaking)
    }

    fn circumstances(&self, board: &Board) -> Circumstances<'_> {
        Circumstances {
            client: self.client,
            name: self.session.as_ref().and_then(|session| session.asked()).unwrap_or("the peer"),
            first: &self.first,
            open: matches!(self.stage, Stage::Open),
            asked_for_certificate: self.asked_for_certificate,
            findings: board.take_findings(),
        }
    }

    /// TLS has failed: an alert leaves, then the connection below is closed.
    fn fail(&mut self, lost: Lost, error: TlsError, cx: &mut Cx) {
        cx.note("tls", "failed", || format!("I broke off: {}", error.detail));
        if !self.announced {
            cx.dropped("tls", lost.reason());
        }
        let reason = CloseReason::Tls(error);
        match std::mem::replace(&mut self.stage, Stage::Gone) {
            // Nobody is left below to be told.
            Stage::Draining(_) => {
                self.inbound.forget_ciphertext();
                self.stage = Stage::Draining(reason);
            }
            _ => self.end(reason, cx.now),
        }
    }

    /// Says that the connection is open, once the handshake is done.
    fn announce(&mut self, conn: ConnId, mail: &mut Mail, cx: &mut Cx) {
        let (true, Some(session)) = (self.is_handshaking(), &self.session) else {
            return;
        };
        if session.is_handshaking() {
            return;
        }
        let tls = session.info(self.client && self.verified);
        cx.note("tls", "handshake", || handshake_note(self.client, &tls));
        if let Some(mut info) = self.info.take() {
            info.tls = Some(tls);
            mail.up.push_back(StreamUp::Opened { conn, info });
        }
        self.announced = true;
        self.deadline = None;
        self.stage = Stage::Open;
    }

    /// Seals and sends within the credit of the layer below.
    fn send(&mut self, conn: ConnId, mail: &mut Mail) {
        // After Close nothing may follow, not even an alert.
        let over = self.closed_below || self.aborted_below || self.must_abort;
        let (false, Some(session)) = (over, &mut self.session) else {
            return;
        };
        if matches!(self.stage, Stage::Connecting) {
            return;
        }
        self.outbound.seal(session);
        while let Some(data) = self.outbound.next() {
            mail.down.push_back(StreamDown::Send { conn, data });
            self.outbound.seal(session);
        }
    }

    /// Gives plaintext up within the grant of the layer above; says whether there was any.
    fn deliver(&mut self, conn: ConnId, mail: &mut Mail) -> bool {
        let data = match self.announced {
            true => self.inbound.next(),
            false => None,
        };
        let delivered = data.is_some();
        if let Some(data) = data {
            mail.up.push_back(StreamUp::Data { conn, data });
        }
        let clean = self.session.as_ref().is_some_and(|session| session.peer_closed());
        let over = self.inbound.is_delivered() && (clean || self.inbound.has_ended());
        if over && self.is_conversing() && !self.told_peer_closed {
            self.told_peer_closed = true;
            self.inbound.end();
            mail.up.push_back(StreamUp::PeerClosed { conn, clean });
        }
        delivered
    }

    /// Whether the layer above may still hear of the peer's last bytes.
    fn is_conversing(&self) -> bool {
        match &self.stage {
            Stage::Open => true,
            Stage::Draining(reason) => self.announced && *reason == CloseReason::Finished,
            _ => false,
        }
    }

    /// Passes credit on, both ways.
    fn credit(&mut self, conn: ConnId, mail: &mut Mail) {
        if matches!(self.stage, Stage::Handshaking | Stage::Open)
            && let Some(bytes) = self.inbound.grant()
        {
            mail.down.push_back(StreamDown::Grant { conn, bytes });
        }
        if matches!(self.stage, Stage::Open)
            && let Some(bytes) = self.outbound.promise()
        {
            mail.up.push_back(StreamUp::Writable { conn, bytes });
        }
    }

    /// Ends what is at its end.
    fn conclude(&mut self, conn: ConnId, mail: &mut Mail) {
        if self.must_abort && !self.aborted_below {
            self.aborted_below = true;
            mail.down.push_back(StreamDown::Abort { conn });
        }
        let last_word_sent = match self.stage {
            Stage::Open => self.outbound.is_finished(),
            Stage::Ending(_) => self.outbound.is_flushed(),
            _ => false,
        };
        if last_word_sent && !self.closed_below && !self.aborted_below {
            self.closed_below = true;
            mail.down.push_back(StreamDown::Close { conn });
        }
        if self.is_draining() && (!self.announced || self.inbound.is_empty()) {
            self.say_closed(conn, mail);
        }
    }

    fn say_closed(&mut self, conn: ConnId, mail: &mut Mail) {
        let Stage::Draining(reason) = std::mem::replace(&mut self.stage, Stage::Gone) else {
            return;
        };
        if self.announced {
            mail.up.push_back(StreamUp::Closed { conn, reason });
        }
    }
}

/// What became of a client that connected and was never spoken to.
#[derive(Clone, Copy)]
enum Lost {
    /// It sent an alert.
    Refused,
    /// It left without a byte.
    Silent,
    /// It left in the middle.
    Left,
    /// What it sent can't be gone on with.
    Failed,
}

impl Lost {
    /// As it is counted.
    fn reason(self) -> &'static str {
        match self {
            Lost::Refused => "client refused in the handshake",
            Lost::Silent => "client left before the handshake",
            Lost::Left => "client left in the middle of the handshake",
            Lost::Failed => "handshake of an accepted connection failed",
        }
    }
}

/// How many of the peer's first bytes are kept.
const FIRST: usize = 8;

/// What a handshake came to, in the first person.
fn handshake_note(client: bool, tls: &framewise_core::seams::stream::TlsInfo) -> String {
    let name = tls.server_name.as_deref().unwrap_or("my address");
    match (client, tls.resumed, tls.verified) {
        (true, false, true) => format!("keys agreed; the certificate is {name}'s"),
        (true, true, true) => format!("keys agreed; {name} is known from before"),
        (true, _, false) => describe::UNCHECKED.to_owned(),
        (false, false, _) => format!("keys agreed; I showed the certificate of {name}"),
        (false, true, _) => "keys agreed; the client is known from before".to_owned(),
    }
}
