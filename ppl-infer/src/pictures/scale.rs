//! What an axis spans, and the numbers along it.

use std::ops::Range;

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    /// What it is of; may be empty.
    pub(super) label: String,
    pub(super) span: Range<f64>,
    pub(super) ticks: Ticks,
}

/// What is written along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticks {
    /// Numbers.
    Numbers,
    /// Whole numbers only.
    Whole,
    /// Nothing.
    None,
    /// Nothing, with the room for numbers and a label, so that panels stand in line.
    Hidden,
}

impl Scale {
    /// An axis over all of these, with some air on both sides.
    pub(super) fn over(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        // Equal values still need an axis that spans something, and ticks that differ in their digits.
        let air = (0.04 * (high - low)).max(1e-6 * low.abs().max(high.abs())).max(1e-9);
        Scale { label: String::new(), span: low - air..high + air, ticks: Ticks::Numbers }
    }

    /// An axis from 0 up, with some air above.
    pub(super) fn from_zero(highest: f64) -> Self {
        let highest = if highest > 0.0 { highest } else { 1.0 };
        Scale { label: String::new(), span: 0.0..1.06 * highest, ticks: Ticks::Numbers }
    }

    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Scale { label: label.into(), ..self }
    }

    pub(super) fn ticks(self, ticks: Ticks) -> Self {
        Scale { ticks, ..self }
    }

    /// What is written at a tick.
    pub(super) fn tick(&self, x: f64) -> String {
        match self.ticks {
            Ticks::None | Ticks::Hidden => String::new(),
            // The end of the axis is no whole number of anything.
            Ticks::Whole if (x - x.round()).abs() > 1e-6 || x > self.span.end - 0.5 => String::new(),
            Ticks::Whole => format!("{}", x.round()),
            Ticks::Numbers => number(x, self.span.end - self.span.start),
        }
    }
}

/// A number among ticks over a span of that width: with as many digits as tell neighbours apart.
fn number(x: f64, width: f64) -> String {
    let step = (width / 10.0).log10().floor();
    let largest = x.abs().max(width);
    if !(1e-3..1e5).contains(&largest) {
        // One digit before the point, and those behind it that a step changes.
        let digits = (largest.log10().floor() - step).clamp(0.0, 8.0) as usize;
        return if x == 0.0 { "0".to_owned() } else { format!("{x:.digits$e}") };
    }
    let digits = (-step).clamp(0.0, 9.0) as usize;
    let text = format!("{x:.digits$}");
    // A tick at zero may have come out as −1e-17.
    if text.trim_matches(['-', '0', '.']).is_empty() { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_the_digits_that_tell_them_apart() {
        let at = |x: f64, width: f64| number(x, width);
        assert_eq!([at(0.5, 4.0), at(-1.25, 0.9), at(300.0, 900.0)], ["0.5", "-1.25", "300"]);
        assert_eq!([at(-1e-17, 2.0), at(0.0, 1e-8), at(0.0, 4.0)], ["0", "0", "0"]);
        assert_eq!([at(2e6, 4e6), at(1.5e-7, 3e-7)], ["2.0e6", "1.5e-7"]);
    }

    #[test]
    fn an_axis_spans_something() {
        for value in [0.0, 3.0, -1e200, 1e-200] {
            let span = Scale::over([value].into_iter()).span;
            assert!(span.start < value && value < span.end, "{span:?}");
        }
    }
}
