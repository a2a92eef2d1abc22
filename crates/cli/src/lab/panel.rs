//! What an experiment has found, before anybody looks at it: the same for the terminal, for SVG, CSV and JSON.

/// An experiment.
pub(crate) struct Report {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it is about, in a line or two.
    pub(crate) headline: String,
    pub(crate) panels: Vec<Panel>,
    /// What to notice, made of the figures.
    pub(crate) findings: Vec<String>,
}

/// One question: figures over a value that was changed.
pub(crate) struct Panel {
    /// The question.
    pub(crate) title: String,
    /// What was changed.
    pub(crate) over: &'static str,
    pub(crate) values: Vec<f64>,
    /// What was looked at, and its unit.
    pub(crate) axis: &'static str,
    pub(crate) scale: Scale,
    pub(crate) curves: Vec<Curve>,
    /// A value worth a mark, and why.
    pub(crate) mark: Option<(f64, String)>,
}

/// How an axis goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// The same again is as long again.
    Linear,
    /// Twice as much is a step further.
    Logarithmic,
}

/// One line of a plot.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    /// What it is called above its column.
    pub(crate) label: &'static str,
    /// What stands for it where there is no colour.
    pub(crate) letter: char,
    pub(crate) kind: CurveKind,
    pub(crate) figures: Vec<f64>,
    /// Half of each interval of confidence, where one is known.
    pub(crate) half_widths: Option<Vec<f64>>,
    /// Digits behind the point.
    pub(crate) digits: usize,
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CurveKind {
    /// What should be.
    Predicted,
    /// What was.
    Measured,
}

impl CurveKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            CurveKind::Predicted => "predicted",
            CurveKind::Measured => "measured",
        }
    }
}

impl Curve {
    pub(crate) fn new(kind: CurveKind, letter: char, name: &'static str, figures: Vec<f64>) -> Self {
        Curve { name, label: name, letter, kind, figures, half_widths: None, digits: 1 }
    }

    pub(crate) fn labelled(self, label: &'static str) -> Self {
        Curve { label, ..self }
    }

    pub(crate) fn with_digits(self, digits: usize) -> Self {
        Curve { digits, ..self }
    }

    pub(crate) fn with_intervals(self, half_widths: Vec<f64>) -> Self {
        Curve { half_widths: Some(half_widths), ..self }
    }

    /// Its figure in this row, and the interval around it, as text.
    pub(crate) fn text(&self, row: usize) -> String {
        let digits = self.digits;
        let figure = self.figures.get(row).copied().unwrap_or(f64::NAN);
        match self.half_width(row) {
            Some(half) => format!("{figure:.digits$} ±{half:.digits$}"),
            // No figure here is below zero, and none reads so for being hardly above it.
            None => format!("{:.digits$}", figure.max(0.0)),
        }
    }

    pub(crate) fn half_width(&self, row: usize) -> Option<f64> {
        self.half_widths.as_ref()?.get(row).copied()
    }
}

/// Requests in a second, as they should be and as they were.
pub(crate) fn throughput(predicted: Vec<f64>, measured: Vec<f64>) -> Vec<Curve> {
    let predicted = Curve::new(CurveKind::Predicted, 'o', "throughput", predicted);
    let measured = Curve::new(CurveKind::Measured, '*', "throughput", measured);
    vec![predicted.labelled("predicted"), measured.labelled("measured")]
}

impl Panel {
    /// The largest of all figures.
    pub(crate) fn most(&self) -> f64 {
        let ends = self.curves.iter().flat_map(|curve| {
            curve
                .figures
                .iter()
                .enumerate()
                .map(|(row, figure)| figure + curve.half_width(row).unwrap_or(0.0))
        });
        ends.filter(|end| end.is_finite()).fold(0.0, f64::max)
    }

    /// The least of all figures that are above zero.
    pub(crate) fn least(&self) -> f64 {
        let all = self.curves.iter().flat_map(|curve| curve.figures.iter().copied());
        all.filter(|figure| *figure > 0.0 && figure.is_finite()).fold(f64::INFINITY, f64::min)
    }

    /// The changed value of this row, as text.
    pub(crate) fn value(&self, row: usize) -> String {
        let value = self.values.get(row).copied().unwrap_or(0.0);
        if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
    }
}

impl Scale {
    /// Where between 0 and 1 a figure is, on an axis that ends at `most`, and begins at `least` if it is logarithmic.
    pub(crate) fn place(self, figure: f64, least: f64, most: f64) -> f64 {
        let place = match self {
            Scale::Linear => figure / most.max(f64::MIN_POSITIVE),
            Scale::Logarithmic => {
                let span = (most / least).ln();
                if figure <= least || span <= 0.0 { 0.0 } else { (figure / least).ln() / span }
            }
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 1.0 }
    }
}
