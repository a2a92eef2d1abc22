//! Segments that no connection's engine makes: RST for what belongs nowhere, and bare acknowledgments.
//!
//! Read RFC 9293 section 3.10.7.1 before changing this file.

use framewise_core::Buf;
use framewise_core::seams::segment::{Segment, TCP};

use crate::flows::FlowKey;
use crate::segment::{Flags, Header, sum};
use crate::sequence::SeqNumber;

/// Where the checksum stands in the header.
pub(crate) const CHECKSUM_FIELD: usize = 16;

/// The RST that answers a segment for which there is no connection; `None` if it is itself a RST.
pub(crate) fn answer(header: &Header, payload: usize) -> Option<Header> {
    if header.has(Flags::RST) {
        return None;
    }
    // With an acknowledgment we know which number its sender waits for; without, we tell what we refuse.
    Some(match header.has(Flags::ACK) {
        true => Header { sequence: header.acknowledgment, flags: Flags::RST, ..Header::default() },
        false => Header {
            sequence: SeqNumber(0),
            acknowledgment: header.sequence.plus(header.sequence_len(payload)),
            flags: Flags::RST | Flags::ACK,
            ..Header::default()
        },
    })
}

/// A segment of nothing but this header, from our end of the flow to the peer's, sum and ports filled in.
pub(crate) fn bare_segment(flow: &FlowKey, header: Header) -> Segment {
    let header =
        Header { source_port: flow.local().port(), destination_port: flow.remote().port(), ..header };
    let length = header.emitted_len();
    let mut buf = Buf::with_capacity(length);
    header.emit(buf.append(length));
    let (source, destination) = (flow.local().ip(), flow.remote().ip());
    let checksum = sum(&buf, source, destination).checksum();
    buf[CHECKSUM_FIELD..CHECKSUM_FIELD + 2].copy_from_slice(&checksum.to_be_bytes());
    Segment::new(buf, source, destination, TCP)
}
