//! Splitting packets that are larger than a link takes: RFC 791 section 3.2 (IPv4), RFC 8200 section 4.5 (IPv6,
//! where only the source may do it).

use framewise_core::Buf;
use framewise_core::buf::{ChecksumState, Offload};
use framewise_core::checksum::checksum;

use crate::extension::{FRAGMENT, FragmentHeader};
use crate::ipv4::{self, Ipv4Header};
use crate::ipv6::{self, Ipv6Header};

/// The fragments of an IPv4 packet, in order, each with the label of the packet. None where the MTU leaves no
/// room for payload.
pub(crate) fn split_ipv4(packet: &Buf, header: &Ipv4Header, mtu: usize) -> Vec<Buf> {
    let options = packet.get(ipv4::HEADER_LEN..header.header_len).unwrap_or_default();
    let copied = copied_options(packet.get(..header.header_len).unwrap_or_default());
    let payload = packet.get(header.header_len..header.total_len).unwrap_or_default();
    let room = mtu.saturating_sub(header.header_len) & !7;
    if room == 0 {
        return Vec::new();
    }
    let pieces = payload.chunks(room).enumerate().map(|(index, piece)| {
        let at = index * room;
        let options = if at == 0 { options } else { &copied };
        let header_len = ipv4::HEADER_LEN + options.len();
        let part = Ipv4Header {
            header_len,
            total_len: header_len + piece.len(),
            more_fragments: header.more_fragments || at + piece.len() < payload.len(),
            fragment_offset: header.fragment_offset + at,
            ..*header
        };
        let mut buf = labelled_copy(packet, piece);
        let bytes = buf.prepend(header_len);
        if let Some(room) = bytes.get_mut(ipv4::HEADER_LEN..) {
            room.copy_from_slice(options);
        }
        part.emit(bytes);
        buf
    });
    pieces.collect()
}

/// The options that every fragment carries, filled up to words of four bytes (RFC 791, section 3.1).
fn copied_options(header: &[u8]) -> Vec<u8> {
    let mut copied: Vec<u8> = ipv4::options(header)
        .flatten()
        .filter(|option| option.kind & 0x80 != 0)
        .filter_map(|option| header.get(option.bytes))
        .flatten()
        .copied()
        .collect();
    copied.resize(copied.len().next_multiple_of(4), ipv4::OPTION_END);
    copied
}

/// The fragments of an IPv6 packet of ours: `payload` is what follows `header`, of type `header.next_header`.
pub(crate) fn split_ipv6(payload: &Buf, header: &Ipv6Header, identification: u32, mtu: usize) -> Vec<Buf> {
    let front = ipv6::HEADER_LEN + FragmentHeader::LEN;
    let room = mtu.saturating_sub(front) & !7;
    if room == 0 {
        return Vec::new();
    }
    let pieces = payload.chunks(room).enumerate().map(|(index, piece)| {
        let at = index * room;
        let part = FragmentHeader {
            next_header: header.next_header,
            fragment_offset: at,
            more_fragments: at + piece.len() < payload.len(),
            identification,
        };
        let mut buf = labelled_copy(payload, piece);
        part.emit(buf.prepend(FragmentHeader::LEN));
        let outer = Ipv6Header { payload_len: buf.len(), next_header: FRAGMENT, ..*header };
        outer.emit(buf.prepend(ipv6::HEADER_LEN));
        buf
    });
    pieces.collect()
}

fn labelled_copy(whole: &Buf, piece: &[u8]) -> Buf {
    let mut buf = Buf::copy_from_slice(piece);
    *buf.label_mut() = whole.label().clone();
    buf.label_mut().offload = Offload::default();
    buf
}

/// Computes a transport checksum that was left to the device, which sees only fragments. The field holds the sum
/// of the pseudo-header.
pub(crate) fn complete_checksum(buf: &mut Buf) {
    let ChecksumState::Partial { start, field } = buf.label().offload.checksum else {
        return;
    };
    buf.label_mut().offload.checksum = ChecksumState::Complete;
    let Some(start) = usize::from(start).checked_sub(buf.position()) else {
        return;
    };
    let Some(sum) = buf.get(start..).map(checksum) else {
        return;
    };
    let at = start + usize::from(field);
    if let Some(field) = buf.get_mut(at..at + 2) {
        // UDP has no checksum of 0: that means none (RFC 768).
        field.copy_from_slice(&if sum == 0 { u16::MAX } else { sum }.to_be_bytes());
    }
}
