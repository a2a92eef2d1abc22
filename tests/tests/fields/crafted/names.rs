//! DNS messages with records of every kind that is read.

use super::{ethernet, packet, udp};

pub(super) fn frames() -> Vec<Vec<u8>> {
    let message = |number: u16, bytes: &[u8]| ethernet(0x0800, &packet(17, &udp(53, number, bytes)));
    vec![message(5000, &answer()), message(5001, &denial())]
}

/// The question after `shop.test`, whose name stands at byte 12 from then on.
fn begun(flags: [u8; 2], counts: [u8; 3]) -> Vec<u8> {
    let [answers, authority, additional] = counts;
    let mut message = vec![0x12, 0x34, flags[0], flags[1], 0, 1, 0, answers, 0, authority, 0, additional];
    message.extend(b"\x04shop\x04test\x00");
    message.extend([0, 1, 0, 1]);
    message
}

/// An alias, the address of what it stands for, and what the server can do.
fn answer() -> Vec<u8> {
    let mut message = begun([0x85, 0xa0], [2, 0, 1]);
    message.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 6]);
    message.extend(b"\x03www\xc0\x0c");
    message.extend([0xc0, 39, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 80]);
    message.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0]);
    message
}

/// No such name, says the zone.
fn denial() -> Vec<u8> {
    let mut message = begun([0x85, 0x83], [0, 1, 0]);
    message.extend([0xc0, 17, 0, 6, 0, 1, 0, 0, 0, 60, 0, 36]);
    message.extend(b"\x02ns\xc0\x11\x08keeper\x5fx\xc0\x11");
    message.extend([0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5]);
    message
}
