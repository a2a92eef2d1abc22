//! How well a mean is known.

/// Parts into which a run is cut: what follows one another depends on one another, what lies in different parts hardly.
const BATCHES: usize = 20;
/// Student's t for 95 % and 19 degrees of freedom.
const T_95: f64 = 2.093;

/// A mean, and what it lies between with a confidence of 95 %: by the means of twenty parts of the run, one after the other
/// (the method of batch means).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Half of the interval's width; `None` where there was too little to tell.
    pub half_width: Option<f64>,
    /// What was averaged.
    pub count: usize,
}

impl Interval {
    /// Of these, in the order in which they came.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len();
        let mean = mean(values);
        let size = count / BATCHES;
        if size == 0 {
            return Interval { mean, half_width: None, count };
        }
        let means: Vec<f64> = values.chunks_exact(size).take(BATCHES).map(self::mean).collect();
        let middle = self::mean(&means);
        let square = |value: &f64| (value - middle) * (value - middle);
        let variance = means.iter().map(square).sum::<f64>() / (BATCHES - 1) as f64;
        let half_width = Some(T_95 * (variance / BATCHES as f64).sqrt());
        Interval { mean, half_width, count }
    }

    /// Whether this lies in it.
    pub fn holds(&self, value: f64) -> bool {
        self.half_width.is_some_and(|half| (value - self.mean).abs() <= half)
    }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use framewise::core::Rng;

    #[test]
    fn little_is_known_of_little() {
        assert_eq!(Interval::of(&[]), Interval { mean: 0.0, half_width: None, count: 0 });
        let few = Interval::of(&[1.0, 3.0]);
        assert_eq!((few.mean, few.half_width), (2.0, None));
        assert!(!few.holds(2.0));
    }

    #[test]
    fn nineteen_of_twenty_intervals_hold_the_mean() {
        let mut rng = Rng::from_seed(1);
        let mut holds = 0;
        for _ in 0..1_000 {
            let values: Vec<f64> =
                (0..400).map(|_| f64::from(rng.next_u32()) / f64::from(u32::MAX)).collect();
            holds += usize::from(Interval::of(&values).holds(0.5));
        }
        assert!((930..=970).contains(&holds), "{holds} of 1000");
    }
}
