//! Which name was meant by one that there is not.

/// The shortest name that is taken for a slip: of two letters, too many others are near.
const SHORTEST: usize = 3;

/// The first of these names that is one slip away: a letter too many, too few, another one, or two in the wrong order.
pub(super) fn near(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let name = letters(name);
    let is_near = |other: &str| name.len() >= SHORTEST && is_one_slip(&name, &letters(other));
    known.iter().copied().find(|other| is_near(other))
}

/// What is left of both without their common beginning and end must be next to nothing.
fn is_one_slip(a: &[char], b: &[char]) -> bool {
    let begin = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let [a, b] = [a, b].map(|letters| letters.get(begin..).unwrap_or_default());
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let [a, b] = [a, b].map(|letters| letters.get(..letters.len() - end).unwrap_or_default());
    match (a, b) {
        ([first, second], [third, fourth]) => (first, second) == (fourth, third),
        _ => a.len() <= 1 && b.len() <= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        const KNOWN: &[&str] = &["<", "tcp", "window", "send", "read"];
        for slip in ["tpc", "tc", "tcpp", "TPC", "widow", "wwindow", "windov"] {
            let meant = if slip.to_lowercase().starts_with('t') { "tcp" } else { "window" };
            assert_eq!(near(slip, KNOWN), (slip.len() > 2).then_some(meant), "{slip}");
        }
        for other in ["", "x", "udp", "windowing", "dnes"] {
            assert_eq!(near(other, KNOWN), None, "{other}");
        }
    }
}
