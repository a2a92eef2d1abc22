//! Headers with options and extensions, fragments, segments with every option.

use framewise::ip::{FragmentHeader, Ipv4Header};

use super::{ethernet, header, packet, packet_6, tcp, udp, with_header};

pub(super) fn frames() -> Vec<Vec<u8>> {
    let mut frames = vec![fragment(), with_options()];
    frames.extend(extensions());
    frames.extend(segments());
    frames
}

fn fragment() -> Vec<u8> {
    let header = Ipv4Header {
        traffic_class: 46 << 2 | 3,
        more_fragments: true,
        fragment_offset: 1480,
        time_to_live: 1,
        ..header()
    };
    ethernet(0x0800, &with_header(header, &[1; 48]))
}

fn with_options() -> Vec<u8> {
    let mut bytes = vec![0; 36];
    bytes[20..36].copy_from_slice(&[148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    let payload = udp(4000, 4001, b"with options");
    Ipv4Header { header_len: 36, total_len: 36 + payload.len(), ..header() }.emit(&mut bytes);
    bytes.extend(payload);
    ethernet(0x0800, &bytes)
}

fn extensions() -> Vec<Vec<u8>> {
    let routing = [vec![43, 0, 5, 2, 0, 0, 0, 0], vec![60, 2, 0, 0], vec![0; 4], vec![0x20; 16]].concat();
    let destination = [44, 0, 1, 4, 0, 0, 0, 0];
    let mut fragment = [0; 8];
    let header =
        FragmentHeader { next_header: 17, fragment_offset: 1448, more_fragments: true, identification: 5 };
    header.emit(&mut fragment);
    let whole = [&routing[..], &destination, &fragment, &[1; 32]].concat();
    vec![ethernet(0x86dd, &packet_6(0, 64, &whole)), ethernet(0x86dd, &packet_6(59, 1, &[]))]
}

fn segments() -> Vec<Vec<u8>> {
    let syn = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7];
    let ack = [1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 7, 1, 1, 5, 10, 0, 0, 4, 0, 0, 0, 5, 0];
    let others = [19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 28, 4, 0x80, 60, 0, 0];
    let segment =
        |port, flags, options: &[u8]| ethernet(0x0800, &packet(6, &tcp([port, 4001], flags, options, &[])));
    vec![
        segment(4010, [0, 0xc2], &syn),
        segment(4011, [0, 0x30], &ack),
        segment(4012, [4, 0x11], &others),
        segment(4013, [0, 0x04], &[200, 4, 1, 2, 8, 0, 1, 1]),
    ]
}
