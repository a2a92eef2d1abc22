//! A PNG picture, made here byte by byte: a shop window in a few colours.
//!
//! Read the PNG specification (W3C), sections 5 (chunks), 10 (compression) and RFC 1950, RFC 1951 section 3.2.4 first: the
//! picture's data is in blocks that are not compressed, which every reader must understand.

/// Width and height in pixels.
const SIDE: usize = 96;
/// Red, green and blue of each colour.
const PALETTE: [[u8; 3]; 4] = [[250, 244, 230], [196, 60, 48], [58, 110, 165], [40, 40, 48]];

/// The picture.
pub(crate) fn png() -> Vec<u8> {
    let side = (SIDE as u32).to_be_bytes();
    let mut header = [side, side].concat();
    // Eight bits for each pixel, which is an index into the palette; no interlacing.
    header.extend_from_slice(&[8, 3, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    chunk(&mut out, b"PLTE", &PALETTE.concat());
    chunk(&mut out, b"IDAT", &stored(&rows()));
    chunk(&mut out, b"IEND", &[]);
    out
}

/// Each row of pixels, with the number of its filter (0: none) in front.
fn rows() -> Vec<u8> {
    (0..SIDE).flat_map(|y| std::iter::once(0).chain((0..SIDE).map(move |x| pixel(x, y)))).collect()
}

/// An awning in stripes, a window and a door below.
fn pixel(x: usize, y: usize) -> u8 {
    match (x, y) {
        (8..88, 16..36) if (x / 8) % 2 == 1 => 1,
        (8..88, 16..36) => 0,
        (16..52, 46..72) => 2,
        (60..80, 46..84) => 3,
        (8..88, 84..88) => 3,
        _ => 0,
    }
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend_from_slice(kind);
    out.extend_from_slice(data);
    let sum = crc32(&out[start..]);
    out.extend_from_slice(&sum.to_be_bytes());
}

/// A zlib stream of one block that is not compressed; `data` is below 64 KiB.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&(!length).to_le_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(&adler32(data).to_be_bytes());
    out
}

/// RFC 1950, section 8.2.
fn adler32(data: &[u8]) -> u32 {
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    (b << 16) | a
}

/// PNG, annex D.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
