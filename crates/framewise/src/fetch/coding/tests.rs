use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;

/// What the coded pages are when they are decoded.
fn page() -> Vec<u8> {
    "frame in packet in segment, ".repeat(200).into_bytes()
}

/// The same in Brotli, by the library of Google.
const BROTLI: &str = "1bdf15f015a1d2ab8c0e2672c05e0be4a4f2527026577c026528a04fcdc4fb350000";

/// 64 MiB of zeros in Brotli.
const BROTLI_BOMB: &str = "cfffff7ff82700e2b14020f7fe9ffffffff04f00c4610180eefd3fffffffe19f0088c32200ddfbfffcffffc73f0110870500baf7ff";

fn brotli() -> Vec<u8> {
    bytes_of(BROTLI)
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

fn decoder(coding: &str) -> Result<Option<Decoder>, CodingError> {
    Decoder::of(&Headers::from_iter([("Content-Encoding", coding)]), Decoding::default())
}

/// Decodes pieces of this size.
fn decode(coding: &str, coded: &[u8], size: usize) -> Result<Vec<u8>, CodingError> {
    let mut decoder = decoder(coding)?.expect("it is a coding");
    let mut decoded = Vec::new();
    let mut out = |piece: Bytes| -> Result<(), CodingError> {
        assert!(piece.len() <= PIECE, "a piece of {} bytes", piece.len());
        decoded.extend_from_slice(&piece);
        Ok(())
    };
    for piece in coded.chunks(size) {
        decoder.take(Bytes::copy_from_slice(piece), &mut out)?;
    }
    decoder.end(&mut out)?;
    assert_eq!(decoder.decoded(), decoded.len() as u64);
    Ok(decoded)
}

#[test]
fn every_coding_is_undone_however_it_is_cut() {
    for (coding, coded) in [
        ("gzip", gzip(&page())),
        ("X-GZIP", gzip(&page())),
        ("deflate", zlib(&page())),
        ("deflate", deflate(&page())),
        ("br", brotli()),
        ("identity, gzip", gzip(&page())),
        ("gzip, deflate", zlib(&gzip(&page()))),
        ("br , gzip", gzip(&brotli())),
        ("gzip, gzip, deflate, gzip", gzip(&zlib(&gzip(&gzip(&page()))))),
        ("gzip", [gzip(&page()[..77]), gzip(&page()[77..])].concat()),
    ] {
        for size in [1, 2, 7, 1_000_000] {
            let decoded = decode(coding, &coded, size);
            assert!(
                decoded.as_deref() == Ok(&page()[..]),
                "{coding} in pieces of {size}: {:?}",
                decoded.err()
            );
        }
    }
}

#[test]
fn long_pages_come_in_short_pieces() {
    // Of several pieces, and nothing that repeats soon.
    let page: Vec<u8> =
        (0..3_000_000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as u8).collect();
    for (coding, coded) in [("gzip", gzip(&page)), ("deflate", zlib(&page)), ("deflate", deflate(&page))] {
        assert!(decode(coding, &coded, 65_536).as_deref() == Ok(&page[..]), "{coding}");
    }
}

#[test]
fn what_is_cut_short_is_no_page() {
    for (coding, coded) in
        [("gzip", gzip(&page())), ("deflate", zlib(&page())), ("deflate", deflate(&page())), ("br", brotli())]
    {
        for length in 1..coded.len() {
            let cut = decode(coding, &coded[..length], 5);
            assert!(matches!(cut, Err(CodingError::Truncated { .. })), "{coding}, {length} bytes: {cut:?}");
        }
        assert_eq!(decode(coding, &[], 1), Ok(Vec::new()), "a page of no bytes has no coding");
    }
}

#[test]
fn what_is_damaged_is_no_page() {
    for (coding, coded) in [("gzip", gzip(&page())), ("deflate", zlib(&page()))] {
        for at in 0..coded.len() {
            let mut damaged = coded.clone();
            damaged[at] ^= 0x10;
            // A time, a name or an operating system in gzip's header decides nothing.
            let is_idle = coding == "gzip" && (4..10).contains(&at);
            let decoded = decode(coding, &damaged, 9);
            assert!(decoded.is_err() || is_idle, "{coding}: nobody noticed bit 4 of byte {at}");
        }
    }
    let surplus = |coding: &str, coded: Vec<u8>| decode(coding, &[coded, b"more".to_vec()].concat(), 3);
    for (coding, coded) in
        [("gzip", gzip(&page())), ("deflate", zlib(&page())), ("deflate", deflate(&page())), ("br", brotli())]
    {
        assert!(surplus(coding, coded).is_err(), "{coding} has an end");
    }
    let gibberish = decode("br", b"this is no brotli", 4).unwrap_err();
    assert!(matches!(gibberish, CodingError::Corrupt { .. }), "{gibberish}");
}

#[test]
fn what_is_short_and_no_gzip_is_not_called_cut_short() {
    for size in [1, 2, 100] {
        let wrong = |coded: &[u8]| decode("gzip", coded, size).unwrap_err().to_string();
        for coded in [&b"m"[..], b"more", b"\x1fm", b"\x1f\x8b\x07"] {
            let said = wrong(coded);
            assert!(said.contains("damaged") && said.contains("1f 8b 08"), "{coded:?}: {said}");
        }
        for junk in [&b"m"[..], b"more", b"\0\0", b"more than ten bytes"] {
            let said = wrong(&[gzip(&page()), junk.to_vec()].concat());
            assert!(said.contains("there are bytes after its end"), "{junk:?}: {said}");
        }
        assert!(wrong(b"\x1f\x8b").contains("cut short"), "so far it is one");
    }
}

#[test]
fn a_place_is_one_that_there_is() {
    for coding in ["gzip", "deflate"] {
        let wrong = decode(coding, b"\xffmore", 100).unwrap_err().to_string();
        assert!(wrong.contains("breaks where it begins"), "{wrong}");
    }
}

#[test]
fn few_bytes_do_not_become_very_many() {
    let zeros = gzip(&vec![0; 64 << 20]);
    for (coding, coded) in
        [("gzip", zeros.clone()), ("br", bytes_of(BROTLI_BOMB)), ("gzip, gzip", gzip(&zeros))]
    {
        let bomb = decode(coding, &coded, 4_096).unwrap_err();
        assert!(
            matches!(bomb, CodingError::OutOfProportion { decoded, limit: 250, .. } if decoded < 20 << 20),
            "{bomb}"
        );
    }
    let headers = Headers::from_iter([("Content-Encoding", "gzip")]);
    let limits = Decoding { max_bytes: 1_000, max_ratio: u64::MAX };
    let mut decoder = Decoder::of(&headers, limits).unwrap().unwrap();
    let outcome = decoder.take(gzip(&page()).into(), |_| Ok::<_, CodingError>(()));
    assert_eq!(outcome, Err(CodingError::TooLong { limit: 1_000 }));
}

#[test]
fn unknown_codings_are_named() {
    let unknown = decoder("gzip, zstd").err().expect("zstd is not known");
    assert_eq!(unknown, CodingError::Unknown { coding: "zstd".to_owned() });
    assert!(unknown.to_string().contains("zstd") && unknown.to_string().contains("gzip, deflate, br"));
    assert!(matches!(decoder("gzip,gzip,gzip,gzip,gzip"), Err(CodingError::TooMany { count: 5 })));
    assert!(decoder("identity").unwrap().is_none() && decoder("").unwrap().is_none());
}
