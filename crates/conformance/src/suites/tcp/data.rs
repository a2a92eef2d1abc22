//! How bytes travel: in order, once, under credit and within the window. RFC 9293 sections 3.8 and 3.10.7.4, RFC 6298.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::law::Law;

pub(super) fn cases(setup: TcpSetup) -> Vec<Script> {
    vec![
        in_order(setup),
        credit(setup),
        out_of_order(setup),
        repeated(setup),
        wrong_checksum(setup),
        sends(setup),
        retransmits(setup),
        window(setup),
        pulls(setup),
        misuse(setup),
    ]
}

fn in_order(setup: TcpSetup) -> Script {
    granted(
        Case::new("delivers data in order and acknowledges it", "RFC 9293 section 3.10.7.4"),
        setup,
        1_000,
    )
    .hint("The next expected number rises by as many bytes as came.")
    .hears("\"hello\"", move |notes| from_peer(setup, reply(setup, notes, ACK, 0).with(b"hello")))
    .await_inbound("\"hello\"", SOON, is_data(b"hello"))
    .await_outbound("ACK of 1006", SOON, acknowledges(5))
}

fn credit(setup: TcpSetup) -> Script {
    granted(Case::new("keeps data back until it is granted", "the stream seam"), setup, 3)
        .hint(
            "What came and was not granted waits in the layer, which offers the peer less window meanwhile.",
        )
        .hears("\"hello\"", move |notes| from_peer(setup, reply(setup, notes, ACK, 0).with(b"hello")))
        .await_inbound("only \"hel\"", SOON, is_data(b"hel"))
        .expect_no_inbound_like("no more than three bytes were granted", any_data)
        .says("2 bytes more may come", |notes| StreamDown::Grant { conn: conn(notes), bytes: 2 })
        .await_inbound("the rest, \"lo\"", SOON, is_data(b"lo"))
        .about(Law::Bounded)
}

fn out_of_order(setup: TcpSetup) -> Script {
    granted(Case::new("lets data that comes too early wait for what is missing", "RFC 9293 section 3.10.7.4"), setup, 1_000)
        .hint("The application sees one stream. An ACK of what is still expected tells the peer of the gap at once.")
        .hears("\"world\", five bytes too early", move |notes| {
            from_peer(setup, reply(setup, notes, ACK, 5).with(b"world"))
        })
        .expect_no_inbound_like("five bytes are missing before it", any_data)
        .await_outbound("ACK of 1001, which is still expected", SOON, acknowledges(0))
        .hears("\"hello\", the missing bytes", move |notes| {
            from_peer(setup, reply(setup, notes, ACK, 0).with(b"hello"))
        })
        .await_inbound("\"hello\" and then \"world\"", SOON, collects(b"helloworld"))
        .await_outbound("ACK of 1011", SOON, acknowledges(10))
}

fn repeated(setup: TcpSetup) -> Script {
    granted(
        Case::new("delivers repeated data once, and acknowledges it again", "RFC 9293 section 3.10.7.4"),
        setup,
        1_000,
    )
    .hint("An ACK may have been lost: the peer asks by sending again.")
    .hears("\"hello\"", move |notes| from_peer(setup, reply(setup, notes, ACK, 0).with(b"hello")))
    .await_inbound("\"hello\"", SOON, is_data(b"hello"))
    .await_outbound("ACK of 1006", SOON, acknowledges(5))
    .hears("\"hello\" again", move |notes| from_peer(setup, reply(setup, notes, ACK, 0).with(b"hello")))
    .expect_no_inbound_like("it was delivered", any_data)
    .await_outbound("ACK of 1006 again", SOON, acknowledges(5))
}

fn wrong_checksum(setup: TcpSetup) -> Script {
    granted(Case::new("drops a segment whose checksum is wrong", "RFC 9293 section 3.1"), setup, 1_000)
        .hint("The sum goes over the pseudo-header, the header and the data.")
        .hears("\"hello\" with one bit turned over", move |notes| {
            let mut bytes = reply(setup, notes, ACK, 0).with(b"hello").to_bytes(setup.remote, setup.local);
            bytes[22] ^= 1;
            heard(setup.remote, setup.local, &bytes)
        })
        .expect_drop("its checksum is wrong", None)
        .expect_nothing("a damaged segment is not even acknowledged")
}

fn sends(setup: TcpSetup) -> Script {
    accepted(Case::new("sends data with the right numbers", "RFC 9293 section 3.8"), setup)
        .hint("The first byte has the number after that of the SYN.")
        .says("send \"page\"", |notes| send(notes, b"page"))
        .await_outbound("\"page\" with the first number", SOON, carries(b"page", 0))
        .hears("ACK of it", move |notes| from_peer(setup, seg(setup, ACK, PEER_FIRST + 1, next(notes, 4))))
        .says("send \"more\"", |notes| send(notes, b"more"))
        .await_outbound("\"more\", four bytes on", SOON, carries(b"more", 4))
}

fn retransmits(setup: TcpSetup) -> Script {
    accepted(Case::new("sends again what nobody acknowledged", "RFC 6298"), setup)
        .hint("A timer runs while something is unacknowledged. The same bytes keep their number.")
        .says("send \"page\"", |notes| send(notes, b"page"))
        .await_outbound("\"page\"", SOON, carries(b"page", 0))
        .await_outbound("\"page\" again", Duration::from_secs(4), carries(b"page", 0))
        .hears("ACK of it", move |notes| from_peer(setup, seg(setup, ACK, PEER_FIRST + 1, next(notes, 4))))
        .wait("nothing is left to be sent again", Duration::from_secs(10))
        .expect_no_outbound_like("it was acknowledged", carries(b"page", 0))
}

fn window(setup: TcpSetup) -> Script {
    accepted(Case::new("sends no more than the peer's window", "RFC 9293 section 3.8.6"), setup)
        .hint("Bytes beyond acknowledgment plus window have to wait until the peer offers more.")
        .hears("ACK with a window of 4 bytes", move |notes| {
            from_peer(setup, reply(setup, notes, ACK, 0).window(4))
        })
        .says("send \"pagemore\"", |notes| send(notes, b"pagemore"))
        .await_outbound("no more than \"page\"", Duration::from_secs(4), carries(b"page", 0))
        .hears("ACK of that, with a window of 0", move |notes| {
            from_peer(setup, seg(setup, ACK, PEER_FIRST + 1, next(notes, 4)).window(0))
        })
        // A probe of one byte is wanted (section 3.8.6.1), the rest is not.
        .expect_no_outbound_like("the window is closed", carries(b"more", 4))
        .hears("ACK with a window of 1,000", move |notes| {
            from_peer(setup, seg(setup, ACK, PEER_FIRST + 1, next(notes, 4)).window(1_000))
        })
        .await_outbound("\"more\"", Duration::from_secs(10), |down, notes| {
            let segment = read(down)?;
            let rest = segment.data == b"more" || segment.data == b"ore";
            must(rest, "it does not bring the rest")?;
            same("its end", segment.end(), next(notes, 8))
        })
}

fn pulls(setup: TcpSetup) -> Script {
    granted(Case::new("makes each segment when it is asked for", "law 7"), setup, 1_000)
        .about(Law::Pull)
        .says("send two segments' worth", |notes| StreamDown::Send {
            conn: conn(notes),
            data: Bytes::from_static(&[7; 2 * MSS]),
        })
        .then(|case| take_all(case, setup))
        .poll_only_when_expected()
        .says("send two segments' worth more", |notes| StreamDown::Send {
            conn: conn(notes),
            data: Bytes::from_static(&[8; 2 * MSS]),
        })
        .expect_outbound("the first of them, acknowledging 1001", acknowledges(0))
        .hears("\"hello\", before the second was asked for", move |notes| {
            let acknowledged = next(notes, 2 * MSS as u32);
            from_peer(setup, seg(setup, ACK, PEER_FIRST + 1, acknowledged).with(b"hello"))
        })
        .expect_outbound("the second, acknowledging 1006", acknowledges(5))
}

/// The peer acknowledges the two segments that were sent.
fn take_all(case: Script, setup: TcpSetup) -> Script {
    let reaches_end = |down: &SegmentDown, notes: &mut Notes| {
        same("its end", read(down)?.end(), next(notes, 2 * MSS as u32))
    };
    case.await_outbound("both segments", SOON, reaches_end).hears("ACK of them", move |notes| {
        from_peer(setup, seg(setup, ACK, PEER_FIRST + 1, next(notes, 2 * MSS as u32)))
    })
}

fn misuse(setup: TcpSetup) -> Script {
    accepted(Case::new("ends a connection whose application exceeds its credit", "the stream seam"), setup)
        .about(Law::Bounded)
        .says("send 64 MB, whatever there is room for", |notes| StreamDown::Send {
            conn: conn(notes),
            data: Bytes::from(vec![0; 64 << 20]),
        })
        .await_inbound(
            "the end, as a misuse",
            SOON,
            is_closed(|reason| matches!(reason, CloseReason::Misuse(_))),
        )
}

/// Passes once all these bytes have come, in however many pieces.
fn collects(data: &'static [u8]) -> impl Fn(&StreamUp, &mut Notes) -> Verdict {
    move |up, notes| {
        let mut all: Vec<u8> = notes.find("collected").unwrap_or_default();
        if let StreamUp::Data { data, .. } = up {
            all.extend(data);
        }
        let verdict = must(all == data, format!("so far {:?} came", String::from_utf8_lossy(&all)));
        notes.keep("collected", all);
        verdict
    }
}

fn send(notes: &Notes, data: &'static [u8]) -> StreamDown {
    StreamDown::Send { conn: conn(notes), data: Bytes::from_static(data) }
}

/// A segment with this data, `at` bytes after the layer's first.
fn carries(data: &'static [u8], at: u32) -> impl Fn(&SegmentDown, &mut Notes) -> Verdict {
    move |down, notes| {
        let segment = flags(down, ACK)?;
        must(segment.data == data, format!("it carries {:?}", String::from_utf8_lossy(&segment.data)))?;
        same("the sequence number", segment.sequence, next(notes, at))
    }
}
