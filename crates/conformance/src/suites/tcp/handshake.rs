//! How connections begin, and what segments of no connection get. RFC 9293 sections 3.5 and 3.10.7.1.

use std::time::Duration;

use super::*;
use crate::craft::tcp::RST;

pub(super) fn cases(setup: TcpSetup) -> Vec<Script> {
    vec![
        passive(setup),
        active(setup),
        refused(setup),
        syn_again(setup),
        closed_to_syn(setup),
        closed_to_ack(setup),
    ]
}

fn passive(setup: TcpSetup) -> Script {
    accepted(Case::new("accepts a connection by the three-way handshake", "RFC 9293 section 3.5"), setup)
        .hint("SYN is answered with SYN and ACK in one segment; it is open when that is acknowledged, not before.")
        .expect_nothing_outbound("there is nothing to acknowledge")
}

fn active(setup: TcpSetup) -> Script {
    Case::new("opens a connection by the three-way handshake", "RFC 9293 section 3.5")
        .hint("SYN goes out first; the answer's number plus 1 is what the third segment acknowledges.")
        .then(|case| connecting(case, setup))
        .hears("SYN and ACK, number 1000", move |notes| answer_syn(setup, notes, SYN | ACK))
        .await_outbound("ACK of 1001", SOON, |down, notes| {
            let segment = flags(down, ACK)?;
            same("the sequence number", segment.sequence, next(notes, 0))?;
            same("the acknowledgment", segment.acknowledgment, PEER_FIRST + 1)
        })
        .await_inbound("that the connection is open", SOON, move |up, _| match up {
            StreamUp::Opened { conn, info } => {
                same("the name", *conn, connection())?;
                same("the peer", info.remote, setup.remote)
            }
            _ => Err("that does not say so".into()),
        })
}

fn refused(setup: TcpSetup) -> Script {
    Case::new("reports a refused connection", "RFC 9293 section 3.10.7.3")
        .hint("RST with an ACK of our SYN means that nobody listens there.")
        .then(|case| connecting(case, setup))
        .hears("RST and ACK of the SYN", move |notes| answer_syn(setup, notes, RST | ACK))
        .await_inbound("that it was refused", SOON, is_closed(|reason| *reason == CloseReason::Refused))
}

fn syn_again(setup: TcpSetup) -> Script {
    Case::new(
        "sends the SYN again when nobody answers, and gives up at last",
        "RFC 9293 section 3.8.3, RFC 6298",
    )
    .hint("The first time after about a second, then each time after twice as long.")
    .then(|case| connecting(case, setup))
    .await_outbound("the same SYN again", Duration::from_secs(4), |down, notes| {
        let segment = flags(down, SYN)?;
        same("the sequence number", segment.sequence, notes.recall("isn"))
    })
    .await_inbound("that there was no answer in time", Duration::from_secs(3_600), |up, notes| {
        is_closed(|reason| *reason == CloseReason::TimedOut)(up, notes)
    })
}

fn closed_to_syn(setup: TcpSetup) -> Script {
    Case::new("refuses a SYN to a port where nobody listens", "RFC 9293 section 3.10.7.1")
        .hint("RST with number 0 and an ACK of the SYN, so that the peer knows at once.")
        .hears("SYN, number 1000", move |_| from_peer(setup, seg(setup, SYN, PEER_FIRST, 0)))
        .await_outbound("RST and ACK of 1001", SOON, move |down, _| {
            let segment = flags(down, RST | ACK)?;
            same("the sequence number", segment.sequence, 0)?;
            same("the acknowledgment", segment.acknowledgment, PEER_FIRST + 1)?;
            same("the destination port", segment.destination_port, setup.remote.port())
        })
        .expect_nothing_inbound("the application has not asked for it")
}

fn closed_to_ack(setup: TcpSetup) -> Script {
    Case::new("resets whoever speaks of a connection that is not there", "RFC 9293 section 3.10.7.1")
        .hint(
            "The RST takes its number from the segment's acknowledgment: only then will the peer believe it.",
        )
        .hears("ACK of 7777 for no connection", move |_| from_peer(setup, seg(setup, ACK, PEER_FIRST, 7_777)))
        .await_outbound("RST, number 7777", SOON, |down, _| {
            let segment = read(down)?;
            must(segment.has(RST), "it is no RST")?;
            same("the sequence number", segment.sequence, 7_777)
        })
        .hears("RST for no connection", move |_| from_peer(setup, seg(setup, RST, PEER_FIRST, 0)))
        .expect_nothing("a RST is never answered")
}

/// The layer connects; `isn` and its `port` are noted.
fn connecting(case: Script, setup: TcpSetup) -> Script {
    case.says(format!("connect to {}", setup.remote), move |_| StreamDown::Connect {
        conn: connection(),
        remote: setup.remote,
        security: Security::Plain,
    })
    .await_outbound("SYN", SOON, move |down, notes| {
        let segment = flags(down, SYN)?;
        same("the destination port", segment.destination_port, setup.remote.port())?;
        notes.keep("isn", segment.sequence);
        notes.keep("port", segment.source_port);
        Ok(())
    })
    .expect_nothing_inbound("it is not open yet")
}

fn answer_syn(setup: TcpSetup, notes: &Notes, flags: u8) -> SegmentUp {
    let mut to = setup.local;
    to.set_port(notes.recall("port"));
    let number = if flags & SYN != 0 { PEER_FIRST } else { 0 };
    let segment = Seg::new(setup.remote.port(), to.port(), flags, number, next(notes, 0));
    heard(setup.remote, to, &segment.to_bytes(setup.remote, to))
}
