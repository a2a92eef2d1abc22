//! The Internet checksum (RFC 1071), which IPv4, ICMP, TCP and UDP share.

use std::net::IpAddr;

/// A sum under way: 16-bit words in ones' complement, folded at the end.
///
/// ```
/// use framewise_core::checksum::Sum;
/// // The example of RFC 1071, section 3.
/// let mut sum = Sum::default();
/// sum.add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
/// assert_eq!(sum.folded(), 0xddf2);
/// assert_eq!(sum.checksum(), !0xddf2);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// Adds bytes that begin at an even offset; an odd last byte counts as if a zero followed.
    pub fn add(&mut self, bytes: &[u8]) {
        // Words of 64 bits, each carry added in at once: the sum of wider words has the same remainder (RFC 1071,
        // section 2 (C)). Four sums side by side, since none has to wait for the others.
        let (blocks, rest) = bytes.as_chunks::<32>();
        let mut sums = [0_u64; 4];
        for block in blocks {
            for (sum, word) in sums.iter_mut().zip(block.as_chunks::<8>().0) {
                let (added, carry) = sum.overflowing_add(u64::from_ne_bytes(*word));
                *sum = added + u64::from(carry);
            }
        }
        // Summed in the machine's own byte order and turned round at the end (section 2 (B)).
        let native = fold16(sums.map(fold32).iter().sum());
        let mut sum = u64::from(u16::from_be_bytes(native.to_ne_bytes()));
        let (words, last) = rest.as_chunks::<2>();
        for word in words {
            sum += u64::from(u16::from_be_bytes(*word));
        }
        if let [last] = last {
            sum += u64::from(*last) << 8;
        }
        self.0 = fold32(self.0) + sum;
    }

    /// Adds one 16-bit word.
    pub fn add_u16(&mut self, word: u16) {
        self.0 += u64::from(word);
    }

    /// Adds the pseudo-header of an upper-layer checksum (RFC 9293, section 3.1; RFC 8200, section 8.1).
    pub fn add_pseudo_header(&mut self, source: IpAddr, destination: IpAddr, protocol: u8, length: usize) {
        for address in [source, destination] {
            match address {
                IpAddr::V4(address) => self.add(&address.octets()),
                IpAddr::V6(address) => self.add(&address.octets()),
            }
        }
        self.add_u16(u16::from(protocol));
        let length = length as u64;
        self.0 += (length >> 16) + (length & 0xffff);
    }

    /// The sum in 16 bits.
    pub fn folded(self) -> u16 {
        fold16(self.0)
    }

    /// What goes into a header's checksum field: the complement of the sum.
    pub fn checksum(self) -> u16 {
        !self.folded()
    }

    /// Whether the sum over data that includes its checksum is right.
    pub fn is_valid(self) -> bool {
        self.folded() == 0xffff
    }
}

fn fold16(sum: u64) -> u16 {
    let mut sum = fold32(sum);
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}

fn fold32(sum: u64) -> u64 {
    (sum >> 32) + (sum & 0xffff_ffff)
}

/// The checksum of `bytes` alone.
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = Sum::default();
    sum.add(bytes);
    sum.checksum()
}
