//! Somebody who connects, and then says what a test would have him say.

use framewise_core::id::ConnId;
use framewise_tcp::Header;
use framewise_tcp::segment::{Flags, Options};

use crate::guard::forged_between;
use crate::pair::{Pair, TWO};

/// A connection to the second host by somebody who says no more than is said for him, since the link is cut: its name there, and
/// the header of what he would say next.
pub(crate) fn stranger(
    pair: &mut Pair,
    addresses: [&str; 2],
    options: Options,
    window: u16,
) -> (ConnId, Header) {
    pair.listen(TWO, 80);
    pair.cut();
    let ports = Header { source_port: 50_000, destination_port: 80, window, ..Header::default() };
    let syn = Header { flags: Flags::SYN, options, ..ports };
    pair.inject(TWO, forged_between(addresses, syn, b""));
    let (answer, _) = pair.last_sent(TWO);
    let (sequence, acknowledgment) = (syn.sequence.plus(1), answer.sequence.plus(1));
    let ack = Header { sequence, acknowledgment, flags: Flags::ACK, ..ports };
    pair.inject(TWO, forged_between(addresses, ack, b""));
    (pair.accepted(0), ack)
}
