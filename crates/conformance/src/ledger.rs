//! The books of a stream seam: who may send how much, and which connections are over.
//!
//! Kept for each of its two sides by whoever stands between them: a player that speaks for one of them, or a fuzzer that
//! lets two layers speak and looks at each word.

use std::collections::BTreeMap;

use framewise_core::id::ConnId;
use framewise_core::seams::stream::{StreamDown, StreamUp};

/// What is open and how much credit is left, on one stream seam.
#[derive(Debug, Default)]
pub struct Ledger {
    connections: BTreeMap<ConnId, Account>,
}

#[derive(Debug, Default)]
struct Account {
    /// Bytes that may still come up.
    granted: usize,
    /// Bytes that may still go down.
    writable: usize,
    opened: bool,
    peer_closed: bool,
    closed: bool,
}

impl Ledger {
    /// The upper side says something to the layer below: what it grants is noted.
    pub fn said(&mut self, message: &StreamDown) {
        match message {
            StreamDown::Connect { conn, .. } => drop(self.connections.insert(*conn, Account::default())),
            StreamDown::Grant { conn, bytes } => {
                let account = self.connections.entry(*conn).or_default();
                account.granted = account.granted.saturating_add(*bytes);
            }
            _ => {}
        }
    }

    /// The layer below says something upward, or breaks a rule of the seam.
    ///
    /// # Errors
    /// Which rule, in one sentence.
    pub fn comes_up(&mut self, message: &StreamUp) -> Result<(), String> {
        let Some(conn) = connection(message) else { return Ok(()) };
        let account = self.connections.entry(conn).or_default();
        if account.closed {
            return Err(format!("something about {conn} came after its Closed, which is the last word"));
        }
        match message {
            StreamUp::Opened { .. } if account.opened => return Err(format!("{conn} was opened twice")),
            StreamUp::Opened { .. } => account.opened = true,
            StreamUp::Data { .. } if !account.opened => {
                return Err(format!("data came before {conn} was open"));
            }
            StreamUp::Data { .. } if account.peer_closed => {
                return Err(format!("data came after the peer had closed {conn}"));
            }
            StreamUp::Data { data, .. } => match account.granted.checked_sub(data.len()) {
                Some(left) => account.granted = left,
                None => {
                    return Err(format!("{} bytes came up, {} were granted", data.len(), account.granted));
                }
            },
            StreamUp::PeerClosed { .. } => account.peer_closed = true,
            StreamUp::Closed { .. } => account.closed = true,
            StreamUp::Writable { .. } | StreamUp::Listening { .. } | StreamUp::Asked { .. } => {}
        }
        Ok(())
    }

    /// The upper side hears something from below: room that it is told of is noted.
    pub fn heard(&mut self, message: &StreamUp) {
        if let StreamUp::Writable { conn, bytes } = message {
            let account = self.connections.entry(*conn).or_default();
            account.writable = account.writable.saturating_add(*bytes);
        }
    }

    /// The upper side says something downward, or exceeds its credit.
    ///
    /// # Errors
    /// By how much.
    pub fn goes_down(&mut self, message: &StreamDown) -> Result<(), String> {
        let StreamDown::Send { conn, data } = message else { return Ok(()) };
        let account = self.connections.entry(*conn).or_default();
        match account.writable.checked_sub(data.len()) {
            Some(left) => account.writable = left,
            None => {
                return Err(format!(
                    "{} bytes were sent, there was room for {}",
                    data.len(),
                    account.writable
                ));
            }
        }
        Ok(())
    }
}

fn connection(message: &StreamUp) -> Option<ConnId> {
    match message {
        StreamUp::Listening { .. } => None,
        StreamUp::Asked { conn, .. }
        | StreamUp::Opened { conn, .. }
        | StreamUp::Data { conn, .. }
        | StreamUp::Writable { conn, .. }
        | StreamUp::PeerClosed { conn, .. }
        | StreamUp::Closed { conn, .. } => Some(*conn),
    }
}
