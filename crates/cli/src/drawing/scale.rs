//! The scale of an axis: where its ticks are, and how they are written.

/// The steps of an axis from 0 to `most`.
pub(crate) fn ticks(most: f64) -> impl Iterator<Item = f64> {
    let step = nice_step(most, 8.0);
    let count = (most / step).floor().clamp(0.0, 50.0) as u32;
    (0..=count).map(move |tick| f64::from(tick) * step)
}

/// A step of 1, 2 or 5 times a power of ten, of which about `count` make `most`.
pub(crate) fn nice_step(most: f64, count: f64) -> f64 {
    let rough = (most / count).max(1e-9);
    let mut power = 1e-9;
    while power * 10.0 <= rough && power < 1e30 {
        power *= 10.0;
    }
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= rough);
    times.unwrap_or(10.0) * power
}

/// A number without the noise of its binary form.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        let steps = [(70.0, 10.0), (8.0, 1.0), (13.0, 2.0), (65_535.0, 10_000.0), (0.9, 0.2)];
        for (most, step) in steps {
            assert!((nice_step(most, 8.0) - step).abs() < step / 1e6, "{most}: {}", nice_step(most, 8.0));
        }
        assert!(ticks(1e300).count() <= 51 && ticks(0.0).count() <= 51);
        assert_eq!([0.30000000000000004, 20.0, 0.0].map(number), ["0.3", "20", "0"]);
    }
}
