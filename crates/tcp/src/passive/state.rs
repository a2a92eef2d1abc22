//! The states of a connection's end, by their names in RFC 9293.

use std::fmt;

/// The states of RFC 9293, section 3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// There is no connection.
    Closed,
    /// It waits for anybody's SYN.
    Listen,
    /// It has sent a SYN, and waits for the other's.
    SynSent,
    /// Both have sent a SYN; its own is not acknowledged yet.
    SynReceived,
    /// Data flows both ways.
    Established,
    /// It has sent its FIN, which is not acknowledged yet.
    FinWait1,
    /// Its FIN is acknowledged; the other may go on sending.
    FinWait2,
    /// The other has sent its FIN; this end may go on sending.
    CloseWait,
    /// Both have sent a FIN, and neither has an acknowledgment.
    Closing,
    /// It was the second to send a FIN, and waits for the last acknowledgment.
    LastAck,
    /// All is said and acknowledged; it stays a while in case its last acknowledgment was lost.
    TimeWait,
}

impl State {
    /// Its name in the RFC.
    pub fn name(self) -> &'static str {
        match self {
            State::Closed => "CLOSED",
            State::Listen => "LISTEN",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECEIVED",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::CloseWait => "CLOSE-WAIT",
            State::Closing => "CLOSING",
            State::LastAck => "LAST-ACK",
            State::TimeWait => "TIME-WAIT",
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            State::Closed => "There is no connection (any more).",
            State::Listen => "It waits for anybody who wants to connect.",
            State::SynSent => "It has asked to connect, and waits for an answer.",
            State::SynReceived => "Both have asked; its own SYN is not acknowledged yet.",
            State::Established => "The connection is open: data flows both ways.",
            State::FinWait1 => "It has said that it sends no more, which is not acknowledged yet.",
            State::FinWait2 => "Its end is acknowledged; the other may still send.",
            State::CloseWait => "The other sends no more; this end may still send.",
            State::Closing => "Both said at once that they send no more; neither is acknowledged.",
            State::LastAck => "It sends no more either, and waits for the last acknowledgment.",
            State::TimeWait => "All is said; it stays a while, in case its last acknowledgment was lost.",
        }
    }

    /// Whether the handshake is not done yet.
    pub(crate) fn is_opening(self) -> bool {
        matches!(self, State::Listen | State::SynSent | State::SynReceived)
    }

    /// Whether the peer's FIN has come.
    pub(crate) fn is_after_fin(self) -> bool {
        matches!(self, State::CloseWait | State::Closing | State::LastAck | State::TimeWait)
    }

    /// Whether both sides have sent their FIN.
    pub(crate) fn is_after_both_fins(self) -> bool {
        matches!(self, State::Closing | State::LastAck | State::TimeWait)
    }

    /// Whether something of ours, a SYN or a FIN, waits to be acknowledged.
    pub(crate) fn awaits_ack(self) -> bool {
        matches!(
            self,
            State::SynSent | State::SynReceived | State::FinWait1 | State::Closing | State::LastAck
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
