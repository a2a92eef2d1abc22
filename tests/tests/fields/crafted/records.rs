//! Hellos with every extension that is read, alerts, and the messages of older handshakes.

use super::stream;

pub(super) fn frames() -> Vec<Vec<u8>> {
    let handshake = |number, body: &[u8]| record(22, &message(number, body));
    let streams = [
        handshake(1, &client_hello()),
        handshake(2, &retry()),
        handshake(2, &server_hello()),
        record(21, &[2, 48]),
        record(21, &[1, 0]),
        handshake(13, &certificate_request()),
        handshake(16, &[&[1, 0][..], &[7; 256]].concat()),
        handshake(4, &[&[0, 0, 1, 44, 0, 16][..], &[9; 16]].concat()),
    ];
    streams.iter().zip(6001..).map(|(stream_bytes, port)| stream([port, 443], stream_bytes)).collect()
}

fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(fragment.len() as u16).to_be_bytes(), fragment].concat()
}

fn message(number: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&[number][..], &length[1..], body].concat()
}

fn vector8(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8][..], bytes].concat()
}

fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &vector16(content)].concat()
}

fn client_hello() -> Vec<u8> {
    let ticket = [vector16(&[5; 32]), vec![0, 0, 0, 99]].concat();
    let extensions = [
        extension(0x2a2a, &[]),
        extension(0, &vector16(&[&[0][..], &vector16(b"shop.test")].concat())),
        extension(10, &vector16(&[0x1a, 0x1a, 0x11, 0xec, 0, 0x1d, 1, 0])),
        extension(13, &vector16(&[4, 3, 8, 4, 2, 1])),
        extension(16, &vector16(&[vector8(b"h2"), vector8(b"http/1.1")].concat())),
        extension(18, &[]),
        extension(27, &vector8(&[0, 2])),
        extension(28, &[0x40, 1]),
        extension(35, &[6; 16]),
        extension(42, &[]),
        extension(43, &vector8(&[0x3a, 0x3a, 3, 4, 3, 3])),
        extension(44, &vector16(&[8; 4])),
        extension(45, &vector8(&[1, 0])),
        extension(49, &[]),
        extension(50, &vector16(&[8, 7])),
        extension(51, &vector16(&[vec![0, 0x1d], vector16(&[9; 32])].concat())),
        extension(0xff01, &vector8(&[])),
        extension(21, &[0; 5]),
        extension(41, &[vector16(&ticket), vector16(&vector8(&[4; 32]))].concat()),
    ];
    let mut hello =
        [&[3, 3][..], &[1; 32], &vector8(&[]), &vector16(&[0x4a, 0x4a, 0x13, 1, 0, 0x2f])].concat();
    hello.extend(vector8(&[0]));
    hello.extend(vector16(&extensions.concat()));
    hello
}

/// The random number that asks for another hello, the group that is wanted, and a cookie.
fn retry() -> Vec<u8> {
    const RANDOM: [u8; 32] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
        0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];
    let extensions = [extension(43, &[3, 4]), extension(51, &[0, 0x17]), extension(44, &vector16(&[8; 4]))];
    chosen(RANDOM, &extensions.concat())
}

/// A server that takes the client back.
fn server_hello() -> Vec<u8> {
    let share = [vec![0, 0x1d], vector16(&[9; 32])].concat();
    let extensions = [extension(43, &[3, 4]), extension(51, &share), extension(41, &[0, 0])];
    chosen([2; 32], &extensions.concat())
}

fn chosen(random: [u8; 32], extensions: &[u8]) -> Vec<u8> {
    [&[3, 3][..], &random, &vector8(&[7; 32]), &[0x13, 1, 0], &vector16(extensions)].concat()
}

/// That of TLS 1.2: kinds of keys, ways of signing, one issuer.
fn certificate_request() -> Vec<u8> {
    let issuer = [0x30, 0x0c, 0x31, 0x0a, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, b'x'];
    [vector8(&[1, 64]), vector16(&[4, 3, 8, 4]), vector16(&vector16(&issuer))].concat()
}
