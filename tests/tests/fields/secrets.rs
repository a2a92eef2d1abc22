//! Captures without the secrets that they carry.

/// A block of secrets (pcapng, section 4.7).
const DECRYPTION_SECRETS: u32 = 10;

/// The same pcapng file, but for its blocks of secrets. Ours are of this byte order.
pub(crate) fn removed(file: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(file.len());
    let mut rest = file;
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (block, after) = rest.split_at(word(4) as usize);
        if word(0) != DECRYPTION_SECRETS {
            kept.extend_from_slice(block);
        }
        rest = after;
    }
    kept
}
