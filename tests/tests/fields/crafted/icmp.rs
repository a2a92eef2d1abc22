//! ICMP and ICMPv6 of the types that no healthy run has.

use framewise::core::checksum::{Sum, checksum};

use super::{HERE_6, THERE_6, ethernet, packet, packet_6, udp};

pub(super) fn frames() -> Vec<Vec<u8>> {
    version_4().into_iter().chain(version_6()).collect()
}

fn version_4() -> Vec<Vec<u8>> {
    let quoted = packet(17, &udp(4000, 53, b"q"));
    let error = |head: [u8; 8]| [&head[..], &quoted].concat();
    let timestamp = [vec![13, 0, 0, 0, 0, 1, 0, 2], vec![0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5]].concat();
    let messages = [
        [&[8, 0, 0, 0, 0, 1, 0, 7][..], &[b'p'; 24]].concat(),
        error([3, 3, 0, 0, 0, 0, 0, 0]),
        error([3, 4, 0, 0, 0, 0, 5, 0]),
        error([5, 1, 0, 0, 192, 0, 2, 1]),
        error([11, 0, 0, 0, 0, 0, 0, 0]),
        error([12, 0, 0, 0, 8, 0, 0, 0]),
        timestamp,
    ];
    let sum = |mut message: Vec<u8>| {
        let sum = checksum(&message).to_be_bytes();
        message[2..4].copy_from_slice(&sum);
        message
    };
    messages.into_iter().map(|message| ethernet(0x0800, &packet(1, &sum(message)))).collect()
}

fn version_6() -> Vec<Vec<u8>> {
    let quoted = packet_6(17, 64, &[0x0f, 0xa0, 0, 53, 0, 8, 0, 0]);
    let error = |head: [u8; 8]| [&head[..], &quoted].concat();
    let target = THERE_6.octets();
    let messages = [
        [&[128, 0, 0, 0, 0, 1, 0, 7][..], b"ping"].concat(),
        error([1, 4, 0, 0, 0, 0, 0, 0]),
        error([2, 0, 0, 0, 0, 0, 5, 0]),
        error([3, 0, 0, 0, 0, 0, 0, 0]),
        error([4, 1, 0, 0, 0, 0, 0, 6]),
        [&[133, 0, 0, 0, 0, 0, 0, 0][..], &[1, 1, 2, 0, 0, 0, 0, 1]].concat(),
        router_advertisement(),
        [&[135, 0, 0, 0, 0, 0, 0, 0][..], &target, &[14, 1, 1, 2, 3, 4, 5, 6]].concat(),
        [&[136, 0, 0, 0, 0xe0, 0, 0, 0][..], &target, &[2, 1, 2, 0, 0, 0, 0, 2]].concat(),
        [&[137, 0, 0, 0, 0, 0, 0, 0][..], &target, &target].concat(),
        [&[132, 0, 0, 0, 0, 0, 0, 0][..], &target].concat(),
    ];
    messages.into_iter().map(|message| ethernet(0x86dd, &packet_6(58, 255, &summed(message)))).collect()
}

fn router_advertisement() -> Vec<u8> {
    let mut message = vec![134, 0, 0, 0, 64, 0xc0, 7, 8, 0, 0, 0x75, 0x30, 0, 0, 3, 0xe8];
    message.extend([1, 1, 2, 0, 0, 0, 0, 1]);
    message.extend([5, 1, 0, 0, 0, 0, 5, 0xdc]);
    message.extend([3, 4, 64, 0xc0, 0, 0, 0x0e, 0x10, 0, 0, 7, 8, 0, 0, 0, 0]);
    message.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    message.extend([25, 3, 0, 0, 0, 0, 0x0e, 0x10]);
    message.extend(THERE_6.octets());
    message
}

fn summed(mut message: Vec<u8>) -> Vec<u8> {
    let mut sum = Sum::default();
    sum.add_pseudo_header(HERE_6.into(), THERE_6.into(), 58, message.len());
    sum.add(&message);
    message[2..4].copy_from_slice(&sum.checksum().to_be_bytes());
    message
}
