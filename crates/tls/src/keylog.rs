//! Lines of a key log, by which a capture can be opened afterwards.
//!
//! Read first: RFC 9850 (the SSLKEYLOGFILE format), section 2.

use std::fmt::Write as _;

/// `LABEL client-random secret`, both in hexadecimal (RFC 9850, section 2).
pub(crate) fn line(label: &str, client_random: &[u8], secret: &[u8]) -> String {
    let mut line = String::with_capacity(label.len() + 2 * (client_random.len() + secret.len()) + 2);
    line.push_str(label);
    for part in [client_random, secret] {
        line.push(' ');
        for byte in part {
            // Writing to a String cannot fail.
            let _ = write!(line, "{byte:02x}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_has_three_words() {
        assert_eq!(super::line("CLIENT_RANDOM", &[1, 0xab], &[0xff]), "CLIENT_RANDOM 01ab ff");
    }
}
