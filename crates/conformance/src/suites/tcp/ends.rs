//! How connections end. RFC 9293 sections 3.6 and 3.10.7.4; RFC 5961 for ends that somebody else would like.

use std::time::Duration;

use super::*;
use crate::craft::tcp::{FIN, RST};

pub(super) fn cases(setup: TcpSetup) -> Vec<Script> {
    vec![
        peer_closes(setup),
        we_close(setup),
        fin_waits(setup),
        aborts(setup),
        reset(setup),
        inexact_reset(setup),
        syn_in_window(setup),
    ]
}

fn peer_closes(setup: TcpSetup) -> Script {
    accepted(Case::new("tells that the peer has sent all, and finishes", "RFC 9293 section 3.6"), setup)
        .hint("A FIN takes one number. The other direction stays open until the application closes, too.")
        .hears("FIN", move |notes| from_peer(setup, reply(setup, notes, FIN | ACK, 0)))
        .await_inbound("that the peer has sent all", SOON, |up, _| match up {
            StreamUp::PeerClosed { clean: true, .. } => Ok(()),
            _ => Err("that is something else".into()),
        })
        .await_outbound("ACK of 1002", SOON, acknowledges(1))
        .says("nothing more to send", |notes| StreamDown::Close { conn: conn(notes) })
        .await_outbound("FIN", SOON, is_fin)
        .hears("ACK of it", move |notes| from_peer(setup, seg(setup, ACK, PEER_FIRST + 2, next(notes, 1))))
        .await_inbound("that it is finished", SOON, is_closed(|reason| *reason == CloseReason::Finished))
}

fn we_close(setup: TcpSetup) -> Script {
    accepted(Case::new("closes first, and waits for the peer's end", "RFC 9293 section 3.6"), setup)
        .hint("After our FIN the peer may go on sending. Its own FIN is acknowledged; some time later all is over.")
        .says("nothing more to send", |notes| StreamDown::Close { conn: conn(notes) })
        .await_outbound("FIN", SOON, is_fin)
        .hears("ACK of it", move |notes| from_peer(setup, seg(setup, ACK, PEER_FIRST + 1, next(notes, 1))))
        .says("5 bytes may come", |notes| StreamDown::Grant { conn: conn(notes), bytes: 5 })
        .hears("\"later\"", move |notes| {
            from_peer(setup, seg(setup, ACK, PEER_FIRST + 1, next(notes, 1)).with(b"later"))
        })
        .await_inbound("\"later\"", SOON, is_data(b"later"))
        .hears("FIN", move |notes| from_peer(setup, seg(setup, FIN | ACK, PEER_FIRST + 6, next(notes, 1))))
        .await_outbound("ACK of it", SOON, acknowledges(6))
        .await_inbound("that it is finished", Duration::from_secs(300), |up, notes| {
            is_closed(|reason| *reason == CloseReason::Finished)(up, notes)
        })
}

fn fin_waits(setup: TcpSetup) -> Script {
    granted(
        Case::new("does not take a FIN before the data that comes before it", "RFC 9293 section 3.10.7.4"),
        setup,
        1_000,
    )
    .hint("A FIN stands behind the last byte; with bytes missing before it, it has to wait.")
    .hears("FIN, five bytes too early", move |notes| from_peer(setup, reply(setup, notes, FIN | ACK, 5)))
    .expect_no_inbound_like("five bytes are missing", |up, _| {
        must(matches!(up, StreamUp::PeerClosed { .. } | StreamUp::Closed { .. }), "it is no end")
    })
    .hears("\"hello\" and the FIN", move |notes| {
        from_peer(setup, reply(setup, notes, FIN | ACK, 0).with(b"hello"))
    })
    .await_inbound("\"hello\"", SOON, is_data(b"hello"))
    .await_inbound("that the peer has sent all", SOON, |up, _| {
        must(matches!(up, StreamUp::PeerClosed { clean: true, .. }), "that is something else")
    })
}

fn aborts(setup: TcpSetup) -> Script {
    accepted(Case::new("sends a RST when the application gives up", "RFC 9293 section 3.10.5"), setup)
        .hint("The peer must learn of it; the application is told Closed(Aborted) as the last word.")
        .says("give up", |notes| StreamDown::Abort { conn: conn(notes) })
        .await_inbound("the end, as aborted", SOON, is_closed(|reason| *reason == CloseReason::Aborted))
        .await_outbound("RST with the next number", SOON, |down, notes| {
            let segment = read(down)?;
            must(segment.has(RST), "it is no RST")?;
            same("the sequence number", segment.sequence, next(notes, 0))
        })
}

fn reset(setup: TcpSetup) -> Script {
    accepted(Case::new("ends at a RST with exactly the expected number", "RFC 5961 section 3.2"), setup)
        .hint("Only the true peer knows the next number exactly.")
        .hears("RST, number 1001", move |notes| from_peer(setup, reply(setup, notes, RST, 0)))
        .await_inbound("the end, as a reset", SOON, is_closed(|reason| *reason == CloseReason::Reset))
        .expect_no_outbound_like("a RST is never answered", |down, _| read(down).map(|_| ()))
}

fn inexact_reset(setup: TcpSetup) -> Script {
    granted(
        Case::new("asks back at a RST that is only near the expected number", "RFC 5961 section 3.2"),
        setup,
        1_000,
    )
    .hint(
        "Within the window but not exact may be a guess: a challenge ACK goes out, and the connection lives.",
    )
    .hears("RST, number 1101", move |notes| from_peer(setup, reply(setup, notes, RST, 100)))
    .await_outbound("a challenge ACK of 1001", SOON, acknowledges(0))
    .then(|case| still_alive(case, setup))
}

fn syn_in_window(setup: TcpSetup) -> Script {
    granted(Case::new("asks back at a SYN within a connection", "RFC 5961 section 4.2"), setup, 1_000)
        .hint("Whatever its number: a challenge ACK. A peer that began anew answers it with a RST.")
        .hears("SYN, number 1051", move |notes| from_peer(setup, reply(setup, notes, SYN, 50)))
        .await_outbound("a challenge ACK of 1001", SOON, acknowledges(0))
        .then(|case| still_alive(case, setup))
}

fn still_alive(case: Script, setup: TcpSetup) -> Script {
    case.expect_nothing_inbound("the connection lives")
        .hears("\"hello\"", move |notes| from_peer(setup, reply(setup, notes, ACK, 0).with(b"hello")))
        .await_inbound("\"hello\"", SOON, is_data(b"hello"))
}

fn is_fin(down: &SegmentDown, notes: &mut Notes) -> Verdict {
    let segment = flags(down, FIN | ACK)?;
    same("the sequence number", segment.sequence, next(notes, 0))
}
