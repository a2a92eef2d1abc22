//! When a value of ours and one of tshark's are the same, though each writes it its own way.

use framewise_tests::peers::PdmlField;

/// Whether they agree.
pub(crate) type Agree = fn(&str, &PdmlField) -> bool;

/// The same words.
pub(crate) fn same(ours: &str, theirs: &PdmlField) -> bool {
    ours == theirs.show
}

/// The same number, with or without a name behind it, in decimal or hexadecimal digits.
pub(crate) fn number(ours: &str, theirs: &PdmlField) -> bool {
    parsed(ours).is_some() && parsed(ours) == parsed(&theirs.show)
}

pub(crate) fn parsed(text: &str) -> Option<u64> {
    let word = text.split([' ', '(']).next()?;
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// Ours counts words of four bytes.
pub(crate) fn words(ours: &str, theirs: &PdmlField) -> bool {
    parsed(ours).is_some_and(|words| Some(words * 4) == parsed(&theirs.show))
}

/// The same bytes, however the digits are spaced; a long row of ours is cut off.
pub(crate) fn bytes(ours: &str, theirs: &PdmlField) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>();
    match ours.split_once('…') {
        Some((begin, _)) => theirs.value.starts_with(begin),
        None => digits(ours) == theirs.value,
    }
}

/// As many bytes.
pub(crate) fn size(ours: &str, theirs: &PdmlField) -> bool {
    parsed(ours) == Some(theirs.place.len() as u64)
}

/// A moment, of which theirs shows the bytes: a tag, a length, and digits; of the year only the last two, unless the tag is that
/// of times beyond 2049 (RFC 5280, section 4.1.2.5).
pub(crate) fn moment(ours: &str, theirs: &PdmlField) -> bool {
    let digits: String = ours.chars().filter(char::is_ascii_digit).collect();
    let is_long = theirs.value.starts_with("18");
    let digits = if is_long { &digits[..] } else { &digits[2..] };
    let written: String = digits.bytes().map(|digit| format!("{digit:02x}")).collect();
    theirs.value.get(4..).is_some_and(|value| value == written + "5a")
}

/// tshark tells that it is there, and where, but nothing of its own.
pub(crate) fn there(_: &str, _: &PdmlField) -> bool {
    true
}

/// The names of TCP's control bits, which theirs adds up with the reserved ones.
pub(crate) fn flags(ours: &str, theirs: &PdmlField) -> bool {
    const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
    let bit = |name| NAMES.iter().position(|known| *known == name).map(|bit| 1 << bit);
    let sum: Option<u64> = ours.split_whitespace().map(bit).sum();
    sum.is_some() && sum == parsed(&theirs.show).map(|all| all & 0xff)
}

/// TCP's reserved bits in that sum.
pub(crate) fn reserved(ours: &str, theirs: &PdmlField) -> bool {
    parsed(ours) == parsed(&theirs.show).map(|all| all >> 8)
}

/// A kind of record, by its name or its number.
pub(crate) fn kind(ours: &str, theirs: &PdmlField) -> bool {
    let number = match ours {
        "A" => 1,
        "CNAME" => 5,
        "SOA" => 6,
        "PTR" => 12,
        "AAAA" => 28,
        "OPT" => 41,
        _ => return false,
    };
    parsed(&theirs.show) == Some(number)
}

/// The class of the Internet.
pub(crate) fn class(ours: &str, theirs: &PdmlField) -> bool {
    ours == "IN" && parsed(&theirs.show) == Some(1)
}

/// The root's name, which theirs writes in brackets.
pub(crate) fn domain(ours: &str, theirs: &PdmlField) -> bool {
    ours == theirs.show || ours == "." && theirs.show == "<Root>"
}

/// The code of a response, by its name.
pub(crate) fn code(ours: &str, theirs: &PdmlField) -> bool {
    let number = match ours {
        "no error" => 0,
        "name error" => 3,
        _ => return false,
    };
    parsed(&theirs.show) == Some(number)
}

/// A number in hexadecimal digits without a mark.
pub(crate) fn hexadecimal(ours: &str, theirs: &PdmlField) -> bool {
    u64::from_str_radix(ours, 16).ok() == parsed(&theirs.show)
}
