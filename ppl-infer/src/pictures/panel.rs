//! What a picture is made of, whoever draws it: panels with axes, and marks on them.

use plotters::style::RGBColor;

use super::scale::Scale;

/// A pair of axes and what is on them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) marks: Vec<Mark>,
}

/// Something on a panel; what comes later is drawn above.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// A line through points.
    Line { points: Vec<(f64, f64)>, colour: RGBColor, width: u32 },
    /// Dots.
    Dots { points: Vec<(f64, f64)>, colour: RGBColor, radius: u32, opacity: f64 },
    /// Filled rectangles from corner to corner.
    Bars { corners: Vec<[(f64, f64); 2]>, colour: RGBColor },
    /// Short strokes that stand on the lower edge.
    Rug { places: Vec<f64>, colour: RGBColor },
}

/// An entry of a legend: a name, and the colour it explains, if any.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) colour: Option<RGBColor>,
}

impl Entry {
    pub(super) fn new(name: impl Into<String>, colour: RGBColor) -> Self {
        Entry { name: name.into(), colour: Some(colour) }
    }
}
