//! The header: what we write, others read alike.

use framewise_tcp::SeqNumber;
use framewise_tcp::segment::{Flags, HEADER_LEN, Header, Options, ParseError, sum, walk_options};
use pnet::packet::tcp::{TcpPacket, ipv4_checksum};
use proptest::prelude::*;

fn options() -> impl Strategy<Value = Options> {
    let number = any::<u32>().prop_map(SeqNumber);
    let block = (number.clone(), number);
    let syn = (any::<Option<u16>>(), proptest::option::of(0u8..15), any::<bool>()).prop_map(
        |(size, window_scale, sack_permitted)| Options {
            maximum_segment_size: size.filter(|size| *size > 0),
            window_scale,
            sack_permitted,
            ..Options::default()
        },
    );
    let other = (any::<Option<(u32, u32)>>(), proptest::collection::vec(block, 0..=3)).prop_map(
        |(timestamps, blocks)| {
            let mut options = Options { timestamps, ..Options::default() };
            for (place, block) in options.sack.iter_mut().zip(blocks) {
                *place = Some(block);
            }
            options
        },
    );
    prop_oneof![syn, other]
}

fn header() -> impl Strategy<Value = Header> {
    let fixed = (any::<[u16; 5]>(), any::<[u32; 2]>(), any::<u8>());
    (fixed, options()).prop_map(
        |(([source, destination, window, sum, urgent], [seq, ack], flags), options)| {
            let mut header = Header {
                source_port: source,
                destination_port: destination,
                sequence: SeqNumber(seq),
                acknowledgment: SeqNumber(ack),
                flags: Flags(flags),
                window,
                checksum: sum,
                urgent_pointer: urgent,
                options,
                length: 0,
            };
            header.length = header.emitted_len();
            header
        },
    )
}

fn emitted(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xaa; header.emitted_len()];
    header.emit(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

proptest! {
    #[test]
    fn what_is_emitted_is_parsed_back(header in header(), payload: Vec<u8>) {
        prop_assert_eq!(Header::parse(&emitted(&header, &payload)), Ok(header));
    }

    #[test]
    fn pnet_reads_the_same(header in header(), payload: Vec<u8>, from: [u8; 4], to: [u8; 4]) {
        use pnet::packet::Packet;
        let bytes = emitted(&header, &payload);
        let theirs = TcpPacket::new(&bytes).unwrap();
        prop_assert_eq!(theirs.get_source(), header.source_port);
        prop_assert_eq!(theirs.get_destination(), header.destination_port);
        prop_assert_eq!(theirs.get_sequence(), header.sequence.0);
        prop_assert_eq!(theirs.get_acknowledgement(), header.acknowledgment.0);
        prop_assert_eq!(usize::from(theirs.get_data_offset()) * 4, header.length);
        prop_assert_eq!(theirs.get_flags(), header.flags.0);
        prop_assert_eq!(theirs.get_window(), header.window);
        prop_assert_eq!(theirs.payload(), &payload[..]);
        let mut unsummed = bytes.clone();
        unsummed[16..18].fill(0);
        let ours = sum(&unsummed, from.into(), to.into()).checksum();
        prop_assert_eq!(ipv4_checksum(&theirs, &from.into(), &to.into()), ours);
    }

    #[test]
    fn etherparse_reads_the_same(header in header(), from: [u8; 16], to: [u8; 16]) {
        use etherparse::TcpOptionElement::*;
        let bytes = emitted(&header, b"");
        let (theirs, _) = etherparse::TcpHeader::from_slice(&bytes).unwrap();
        prop_assert_eq!(theirs.sequence_number, header.sequence.0);
        prop_assert_eq!(theirs.syn, header.has(Flags::SYN));
        prop_assert_eq!(theirs.ack, header.has(Flags::ACK));
        prop_assert_eq!(theirs.window_size, header.window);
        let mut seen = Options::default();
        for element in theirs.options_iterator() {
            match element.unwrap() {
                MaximumSegmentSize(size) => seen.maximum_segment_size = Some(size),
                WindowScale(shift) => seen.window_scale = Some(shift),
                SelectiveAcknowledgementPermitted => seen.sack_permitted = true,
                SelectiveAcknowledgement(first, rest) => {
                    let blocks = std::iter::once(Some(first)).chain(rest).flatten();
                    for (place, (from, to)) in seen.sack.iter_mut().zip(blocks) {
                        *place = Some((SeqNumber(from), SeqNumber(to)));
                    }
                }
                Timestamp(value, echo) => seen.timestamps = Some((value, echo)),
                Noop => {}
            }
        }
        prop_assert_eq!(seen, header.options);
        let mut unsummed = theirs.clone();
        unsummed.checksum = 0;
        let expected = unsummed.calc_checksum_ipv6_raw(from, to, b"").unwrap();
        let mut bytes = bytes;
        bytes[16..18].fill(0);
        prop_assert_eq!(sum(&bytes, from.into(), to.into()).checksum(), expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Ok(header) = Header::parse(&bytes) {
            prop_assert!(header.length >= HEADER_LEN && header.length <= bytes.len());
        }
        let walked: usize = walk_options(&bytes).map(|option| option.range.len()).sum();
        prop_assert!(walked <= bytes.len());
    }
}

fn with_options(options: &[u8]) -> Options {
    let mut bytes = vec![0; HEADER_LEN];
    bytes[12] = (((HEADER_LEN + options.len()) / 4) as u8) << 4;
    bytes.extend_from_slice(options);
    Header::parse(&bytes).unwrap().options
}

#[test]
fn hostile_options_are_ignored_or_clamped() {
    assert_eq!(with_options(&[2, 0, 5, 180]), Options::default(), "length 0 ends the list");
    assert_eq!(with_options(&[2, 1, 5, 180]), Options::default(), "length 1 ends the list");
    assert_eq!(with_options(&[2, 4, 0, 0]).maximum_segment_size, None, "MSS 0 counts as absent");
    assert_eq!(with_options(&[1, 3, 3, 200]).window_scale, Some(14), "a shift over 14 is 14");
    assert_eq!(with_options(&[2, 40, 5, 180]), Options::default(), "longer than the header");
    assert_eq!(with_options(&[0, 3, 3, 7]), Options::default(), "nothing after the end");
    assert!(with_options(&[99, 4, 1, 1, 4, 2, 0, 0]).sack_permitted, "unknown ones are skipped");
}

#[test]
fn errors_say_where_and_how_much() {
    let short = Header::parse(&[0; 19]).unwrap_err();
    assert_eq!(short.to_string(), "tcp: at offset 0 20 bytes are needed, 19 are there");
    let mut bytes = [0; 20];
    bytes[12] = 4 << 4;
    let expected = ParseError::DataOffset { offset: 12, needed: 5, found: 4 };
    assert_eq!(Header::parse(&bytes), Err(expected));
    bytes[12] = 15 << 4;
    assert!(matches!(Header::parse(&bytes), Err(ParseError::TooShort { needed: 60, found: 20, .. })));
}
