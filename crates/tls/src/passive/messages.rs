//! Handshake messages out of the contents of records, in which they are cut and joined as it suits the sender.
//!
//! Read first: RFC 8446 sections 4 (a message's header) and 5.1 (messages over several records).

use crate::handshake::Message;

/// Bytes of a message's header: its type, and a length of three bytes.
const HEADER: usize = 4;

/// Tells which messages end, keeping none of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    header: [u8; HEADER],
    /// Bytes of the header that were seen.
    seen: usize,
    /// Bytes of the body that are to come.
    left: usize,
}

impl Ends {
    /// Takes the next content; calls `ended` with the type of each message that ends in it.
    pub(super) fn take(&mut self, content: &[u8], mut ended: impl FnMut(u8)) {
        let mut rest = content;
        while let Some((&byte, after)) = rest.split_first() {
            if self.seen < HEADER {
                self.header[self.seen] = byte;
                self.seen += 1;
                rest = after;
                let [_, high, middle, low] = self.header;
                self.left = u32::from_be_bytes([0, high, middle, low]) as usize;
            } else {
                let step = self.left.min(rest.len());
                self.left -= step;
                rest = rest.get(step..).unwrap_or_default();
            }
            if self.seen == HEADER && self.left == 0 {
                self.seen = 0;
                ended(self.header[0]);
            }
        }
    }
}

/// Puts whole messages together.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined {
    waiting: Vec<u8>,
    /// A message was longer than is kept: nothing is read any more.
    overflowed: bool,
}

/// Bytes of the longest message that is read: long chains of certificates have some ten thousand.
const LONGEST: usize = 128 * 1_024;

impl Joined {
    /// Takes the next content; calls `read` with each message that is whole, and the bytes in which it stands.
    pub(super) fn take(&mut self, content: &[u8], mut read: impl FnMut(&[u8], &Message)) {
        if self.overflowed {
            return;
        }
        self.waiting.extend_from_slice(content);
        let messages = crate::handshake::messages(&self.waiting);
        for message in &messages {
            read(&self.waiting, message);
        }
        let end = messages.last().map_or(0, |message| message.bytes.end);
        self.waiting.drain(..end);
        if self.waiting.len() > LONGEST {
            self.overflowed = true;
            self.waiting = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(number: u8, length: usize) -> Vec<u8> {
        let mut bytes = (length as u32).to_be_bytes().to_vec();
        bytes[0] = number;
        bytes.resize(HEADER + length, 0xee);
        bytes
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_messages_are_the_same(
            lengths in proptest::collection::vec((0_u8..30, 0_usize..40), 0..12),
            cut in 1_usize..20,
        ) {
            let bytes: Vec<u8> = lengths.iter().flat_map(|(number, length)| message(*number, *length)).collect();
            let (mut ends, mut joined) = (Ends::default(), Joined::default());
            let (mut ended, mut read) = (Vec::new(), Vec::new());
            for content in bytes.chunks(cut) {
                ends.take(content, |number| ended.push(number));
                joined.take(content, |_, message| read.push((message.number, message.bytes.len() - HEADER)));
            }
            prop_assert_eq!(ended, lengths.iter().map(|(number, _)| *number).collect::<Vec<_>>());
            prop_assert_eq!(read, lengths);
        }
    }

    #[test]
    fn a_message_without_end_is_given_up() {
        let mut joined = Joined::default();
        for _ in 0..LONGEST {
            joined.take(&[1, 0xff, 0xff, 0xff], |_, _| panic!("no message is whole"));
            assert!(joined.waiting.len() <= LONGEST);
        }
        assert!(joined.overflowed);
    }
}
