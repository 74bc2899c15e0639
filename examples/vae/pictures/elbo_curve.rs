//! The course of the ELBO over the epochs as SVG.

use std::path::Path;

use plotters::coord::types::{RangedCoordf64, RangedCoordu32};
use plotters::prelude::*;

use super::{PictureError, draw_error, write};

/// Width and height of the picture.
const SIZE: (u32, u32) = (720, 420);
const TRAIN_COLOUR: RGBColor = RGBColor(31, 95, 166);
const TEST_COLOUR: RGBColor = RGBColor(208, 84, 24);
/// Up to this many epochs every one is marked by a dot; more would hide the line.
const MAX_DOTS: usize = 60;

/// Writes an SVG of the ELBO against the epoch: blue for training, orange for test, and a legend.
///
/// The points are `(epoch, ELBO in nats an image)`, by ascending epoch; one of the two may be empty.
pub fn elbo_curve(path: impl AsRef<Path>, train: &[(u32, f64)], test: &[(u32, f64)]) -> Result<(), PictureError> {
    let path = path.as_ref();
    for (series, points) in [("training", train), ("test", test)] {
        if let Some(&(epoch, value)) = points.iter().find(|(_, value)| !value.is_finite()) {
            return Err(PictureError::Elbo { path: path.into(), series, epoch, value });
        }
    }
    let Some(ranges) = Ranges::of(train, test) else {
        return Err(PictureError::Empty { path: path.into(), what: "ELBO" });
    };
    let mut svg = String::new();
    draw_curve(&mut svg, &ranges, train, test).map_err(|error| draw_error(path, error))?;
    write(path, svg.as_bytes())
}

/// What the axes span.
struct Ranges {
    epochs: std::ops::Range<u32>,
    elbo: std::ops::Range<f64>,
}

impl Ranges {
    /// The span of all points with some air above and below; `None` without points.
    fn of(train: &[(u32, f64)], test: &[(u32, f64)]) -> Option<Self> {
        let points = || train.iter().chain(test);
        let first = points().map(|p| p.0).min()?.min(u32::MAX - 1);
        let last = points().map(|p| p.0).max()?;
        let low = points().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let high = points().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
        // A single point, or a flat line, still needs axes that span something.
        let air = (0.06 * (high - low)).max(1e-3 * high.abs()).max(1e-3);
        Some(Self { epochs: first..last.max(first + 1), elbo: low - air..high + air })
    }

    /// Decimals that tell neighbouring ticks of the ELBO apart.
    fn decimals(&self) -> usize {
        let tick = (self.elbo.end - self.elbo.start) / 10.0;
        (-tick.log10().floor()).clamp(0.0, 6.0) as usize
    }
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordu32, RangedCoordf64>>;
type Outcome = Result<(), Box<dyn std::error::Error>>;

fn draw_curve(svg: &mut String, ranges: &Ranges, train: &[(u32, f64)], test: &[(u32, f64)]) -> Outcome {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(84)
        .build_cartesian_2d(ranges.epochs.clone(), ranges.elbo.clone())?;
    draw_axes(&mut chart, ranges.decimals())?;
    draw_series(&mut chart, "training", train, TRAIN_COLOUR)?;
    draw_series(&mut chart, "test", test, TEST_COLOUR)?;
    draw_legend(&mut chart)?;
    area.present()?;
    Ok(())
}

fn draw_axes(chart: &mut Chart, decimals: usize) -> Outcome {
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc("ELBO (nats per image)")
        .x_labels(12)
        .y_labels(8)
        .y_label_formatter(&|v| format!("{v:.decimals$}"))
        .label_style(("sans-serif", 15))
        .axis_desc_style(("sans-serif", 17))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    Ok(())
}

fn draw_series(chart: &mut Chart, name: &str, points: &[(u32, f64)], colour: RGBColor) -> Outcome {
    if points.is_empty() {
        return Ok(());
    }
    let style = colour.stroke_width(2);
    chart
        .draw_series(LineSeries::new(points.iter().copied(), style))?
        .label(name)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
    if points.len() <= MAX_DOTS {
        chart.draw_series(points.iter().map(|&p| Circle::new(p, 3, colour.filled())))?;
    }
    Ok(())
}

fn draw_legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>) -> Outcome {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .label_font(("sans-serif", 16))
        .margin(14)
        .legend_area_size(30)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_has_both_series_with_every_point() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("elbo.svg");
        elbo_curve(&path, &[(1, -180.0), (2, -130.0), (3, -112.0)], &[(1, -140.0), (3, -110.0)]).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        for part in ["training", "test", "epoch", "ELBO (nats per image)", "-120"] {
            assert!(svg.contains(&format!("\n{part}\n")), "no text {part:?}");
        }
        for (colour, points) in [("#1F5FA6", 3), ("#D05418", 2)] {
            let marks = |kind: &str| svg.lines().filter(|line| line.starts_with(kind) && line.contains(colour)).count();
            assert_eq!(marks("<circle"), points, "dots of {colour}");
            assert_eq!(marks("<polyline"), 2, "the line of {colour} and its mark in the legend");
        }
    }

    #[test]
    fn one_point_or_a_flat_line_still_has_axes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("elbo.svg");
        elbo_curve(&path, &[(7, -100.0)], &[]).unwrap();
        elbo_curve(&path, &[], &[(u32::MAX, -100.0)]).unwrap();
        elbo_curve(&path, &[(0, 0.0), (1, 0.0)], &[(u32::MAX, 0.0)]).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("NaN"));
    }

    #[test]
    fn an_elbo_that_is_not_finite_is_named() {
        let path = Path::new("elbo.svg");
        let error = elbo_curve(path, &[(1, -100.0)], &[(4, f64::NAN)]).unwrap_err().to_string();
        assert_eq!(error, "elbo.svg: the test ELBO of epoch 4 is NaN, expected a finite number");
        let error = elbo_curve(path, &[], &[]).unwrap_err().to_string();
        assert_eq!(error, "elbo.svg: no ELBO to draw");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nowhere").join("elbo.svg");
        let error = elbo_curve(&path, &[(1, -100.0)], &[]).unwrap_err().to_string();
        assert!(error.contains("nowhere") && error.contains("cannot be written"), "{error}");
    }
}
