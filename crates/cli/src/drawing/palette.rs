//! Colours: the hues of the terminal's tables, made for paper and for slides.

use anstyle::{AnsiColor, Color};

use crate::table::style_of;

/// Text, and lines that matter.
pub(crate) const INK: &str = "#1f2430";
/// Text beside it.
pub(crate) const GREY: &str = "#5b6472";
/// Lines in the background.
pub(crate) const FAINT: &str = "#d5dae1";
/// What stands out of a row without a colour of its own.
pub(crate) const PALE: &str = "#f3f5f8";
/// What went wrong: sent again, refused, missing.
pub(crate) const RED: &str = "#c62828";
/// What came late.
pub(crate) const LATE: &str = "#b45309";
pub(crate) const WHITE: &str = "#ffffff";

/// The colours of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hue {
    /// Dark enough for text on white, and on `fill`.
    pub(crate) ink: &'static str,
    /// Light enough for text in `ink`.
    pub(crate) fill: &'static str,
}

/// The hue of a layer, the same as everywhere.
pub(crate) fn hue_of(protocol: &str) -> Hue {
    match style_of(protocol).get_fg_color() {
        Some(Color::Ansi(AnsiColor::Yellow)) => Hue { ink: "#8a5a00", fill: "#ffedc2" },
        Some(Color::Ansi(AnsiColor::Magenta)) => Hue { ink: "#8e24aa", fill: "#f3def8" },
        Some(Color::Ansi(AnsiColor::Cyan)) => Hue { ink: "#006f87", fill: "#cfeef5" },
        Some(Color::Ansi(AnsiColor::Green)) => Hue { ink: "#2e7031", fill: "#d8f0d9" },
        _ => Hue { ink: "#1d4ed8", fill: "#dae5fd" },
    }
}
