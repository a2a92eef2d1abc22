//! What every picture is drawn with, the figures of a run and the plots of the lab: shapes and text, colours, scales.

pub(crate) mod palette;
pub(crate) mod scale;
pub(crate) mod svg;
