//! Lists of numbers: a whole, then its parts.

use super::told::Told;
use crate::vector::Reader;

/// Tells a list of numbers of two bytes: `list` is the name and the meaning of the whole, `item` the name of each, and
/// `say` gives of a number its name alone, its value, and its meaning.
pub(super) fn numbers(
    mut from: Reader<'_>,
    list: (&'static str, &'static str),
    item: &'static str,
    source: &'static str,
    told: &mut Told,
    say: impl Fn(u16) -> (String, String, String),
) {
    let all: Vec<String> = from.numbers().map(|number| say(number).0).collect();
    told.field(list.0, from.range(), all.join(", "), list.1, source);
    let each = |number| {
        let (_, value, meaning) = say(number);
        (value, meaning)
    };
    while told.u16(&mut from, item, source, each).is_some() {}
    told.unread(&from);
}

/// The same of numbers of one byte, without a whole.
pub(super) fn bytes(
    mut from: Reader<'_>,
    item: &'static str,
    source: &'static str,
    told: &mut Told,
    say: impl Fn(u8) -> (String, String),
) {
    while told.u8(&mut from, item, source, &say).is_some() {}
}
