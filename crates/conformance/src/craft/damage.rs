//! Arbitrary bytes, and valid ones with a fault, for law 5.

use framewise_core::{Buf, Rng};

/// Between 0 and `most` arbitrary bytes; the first few often small, as lengths, types and counts are.
pub fn arbitrary(rng: &mut Rng, most: u64) -> Vec<u8> {
    let length = rng.below(most + 1) as usize;
    let mut bytes = vec![0; length];
    rng.fill(&mut bytes);
    if rng.chance(0.5) {
        bytes.iter_mut().take(32).for_each(|byte| *byte &= 0x0f);
    }
    bytes
}

/// One fault: a bit turned over, a byte made 0 or 255, the end cut off, or bytes added.
pub fn damage(buf: &mut Buf, rng: &mut Rng) {
    let length = buf.len();
    let place = rng.below(length as u64) as usize;
    match rng.below(5) {
        0 => buf.truncate(place),
        1 => buf.append(7).fill(0xff),
        fault => {
            if let Some(byte) = buf.get_mut(place) {
                *byte = match fault {
                    2 => 0,
                    3 => 0xff,
                    _ => *byte ^ (1 << rng.below(8)),
                };
            }
        }
    }
}

/// The same for bytes of a stream, which never become more: the sender has no credit for that.
pub fn damaged(bytes: &[u8], rng: &mut Rng) -> bytes::Bytes {
    let mut buf = Buf::copy_from_slice(bytes);
    damage(&mut buf, rng);
    buf.truncate(bytes.len());
    bytes::Bytes::copy_from_slice(&buf)
}
