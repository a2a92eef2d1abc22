//! What a row's rounds gave, and what is made of them.

use serde_json::{Value, json};
use std::io;

/// What one side did in one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The figure, in the row's unit.
    pub(crate) value: f64,
    /// Processor time of the program that is measured, in the row's unit for it.
    pub(crate) processor: Option<f64>,
}

/// The samples of all rounds. Theirs are empty where a figure stands for itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) ours: Vec<Sample>,
    pub(crate) theirs: Vec<Sample>,
}

/// The middle of several figures, and the ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Nothing can be said of no figures.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Spread { median, least, most })
    }

    pub(crate) fn json(self) -> Value {
        json!({ "median": self.median, "least": self.least, "most": self.most })
    }
}

impl Figures {
    /// Both in turn, the one that begins changing from round to round, after a round of each that does not count.
    pub(crate) fn take_turns(
        rounds: usize,
        mut ours: impl FnMut() -> io::Result<Sample>,
        mut theirs: impl FnMut() -> io::Result<Sample>,
    ) -> io::Result<Self> {
        theirs()?;
        ours()?;
        let mut figures = Figures::default();
        for round in 0..rounds {
            if round % 2 == 0 {
                figures.ours.push(ours()?);
                figures.theirs.push(theirs()?);
            } else {
                figures.theirs.push(theirs()?);
                figures.ours.push(ours()?);
            }
        }
        Ok(figures)
    }

    /// The ratios of the rounds, or our own figures where there is nothing to divide by.
    pub(crate) fn ratio(&self) -> Option<Spread> {
        if self.theirs.is_empty() {
            return self.value(true);
        }
        Spread::of(self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours.value / theirs.value))
    }

    /// One side's own figures.
    pub(crate) fn value(&self, ours: bool) -> Option<Spread> {
        let side = if ours { &self.ours } else { &self.theirs };
        Spread::of(side.iter().map(|sample| sample.value))
    }

    /// One side's processor time.
    pub(crate) fn processor(&self, ours: bool) -> Option<Spread> {
        let side = if ours { &self.ours } else { &self.theirs };
        Spread::of(side.iter().filter_map(|sample| sample.processor))
    }

    /// As one line for another process.
    pub(crate) fn write(&self) -> String {
        let side = |samples: &[Sample]| -> Vec<Value> {
            samples.iter().map(|sample| json!([sample.value, sample.processor])).collect()
        };
        json!({ "ours": side(&self.ours), "theirs": side(&self.theirs) }).to_string()
    }

    /// What [`Figures::write`] wrote.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let all: Value = serde_json::from_str(line).ok()?;
        let sample = |pair: &Value| Some(Sample { value: pair[0].as_f64()?, processor: pair[1].as_f64() });
        let side = |name: &str| all[name].as_array()?.iter().map(sample).collect::<Option<Vec<_>>>();
        Some(Figures { ours: side("ours")?, theirs: side("theirs")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Vec<Sample> {
        values.iter().map(|&value| Sample { value, processor: Some(value / 2.0) }).collect()
    }

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_and_not_of_the_sides() {
        // The machine was slow in the second round, for both: that shows in no ratio.
        let figures = Figures { ours: samples(&[10.0, 1.0, 12.0]), theirs: samples(&[5.0, 0.5, 4.0]) };
        let expected = Spread { median: 2.0, least: 2.0, most: 3.0 };
        assert_eq!(figures.ratio(), Some(expected));
    }

    #[test]
    fn figures_survive_the_way_between_processes() {
        let mut figures = Figures { ours: samples(&[1.5, 2.25]), theirs: samples(&[3.0, 4.0]) };
        figures.theirs[0].processor = None;
        assert_eq!(Figures::read(&figures.write()), Some(figures));
        assert_eq!(Figures::read("wrk: not found"), None);
    }

    #[test]
    fn a_figure_that_stands_for_itself_is_its_own_ratio() {
        let figures = Figures { ours: samples(&[1_300.0]), theirs: Vec::new() };
        assert_eq!(figures.ratio().map(|ratio| ratio.median), Some(1_300.0));
    }

    #[test]
    fn sides_take_turns_and_the_first_round_warms_up() {
        let order = std::cell::RefCell::new(String::new());
        let turn = |who: char| {
            let order = &order;
            move || {
                order.borrow_mut().push(who);
                Ok(Sample { value: 1.0, processor: None })
            }
        };
        let figures = Figures::take_turns(3, turn('o'), turn('t')).unwrap();
        assert_eq!((figures.ours.len(), figures.theirs.len()), (3, 3));
        assert_eq!(order.into_inner(), "to ot to ot".replace(' ', ""));
    }
}
