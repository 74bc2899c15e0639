//! A figure's course over the epochs of a training run as SVG.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use plotters::coord::types::{RangedCoordf64, RangedCoordu32};
use plotters::prelude::*;

/// Width and height of the picture.
const SIZE: (u32, u32) = (720, 420);
/// Blue, orange and green, in the order of the lines.
const COLOURS: [RGBColor; 3] = [RGBColor(31, 95, 166), RGBColor(208, 84, 24), RGBColor(46, 125, 50)];
/// Up to this many epochs every one is marked by a dot; more would hide the line.
const MAX_DOTS: usize = 60;

/// Lines of one quantity against the epoch, with a legend.
pub struct LineChart<'a> {
    /// What the lines show: `ELBO`.
    pub quantity: &'a str,
    /// What it is measured in: `nats per image`.
    pub unit: &'a str,
    /// A corner that the lines leave free.
    pub legend: SeriesLabelPosition,
    /// The lines; some of them may have no points.
    pub lines: &'a [Line<'a>],
}

/// A line's name and its points, by ascending epoch.
pub struct Line<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// `(epoch, value)`.
    pub points: &'a [(u32, f64)],
}

/// Why a chart could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LineChartError {
    /// No line has a point.
    #[error("{}: no {quantity} to draw", path.display())]
    Empty {
        /// The picture.
        path: PathBuf,
        /// What was to be shown.
        quantity: String,
    },
    /// A value is infinite or not a number.
    #[error("{}: the {line} {quantity} of epoch {epoch} is {value}, expected a finite number", path.display())]
    Value {
        /// The picture.
        path: PathBuf,
        /// What was to be shown.
        quantity: String,
        /// The line's name.
        line: String,
        /// The value's epoch.
        epoch: u32,
        /// The value.
        value: f64,
    },
    /// The chart could not be laid out.
    #[error("{}: cannot be drawn: {reason}", path.display())]
    Draw {
        /// The picture.
        path: PathBuf,
        /// What the drawing library said.
        reason: String,
    },
    /// The file could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The picture.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LineChart<'_> {
    /// Writes the chart as SVG.
    ///
    /// # Errors
    /// If there are no points, one is not finite, or the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), LineChartError> {
        let (path, quantity) = (path.as_ref(), self.quantity);
        for &Line { name, points } in self.lines {
            if let Some(&(epoch, value)) = points.iter().find(|(_, value)| !value.is_finite()) {
                let (path, quantity, line) = (path.into(), quantity.into(), name.into());
                return Err(LineChartError::Value { path, quantity, line, epoch, value });
            }
        }
        let Some(ranges) = Ranges::of(self.lines) else {
            return Err(LineChartError::Empty { path: path.into(), quantity: quantity.into() });
        };
        let mut svg = String::new();
        self.draw(&mut svg, &ranges)
            .map_err(|error| LineChartError::Draw { path: path.into(), reason: error.to_string() })?;
        std::fs::write(path, svg).map_err(|source| LineChartError::Write { path: path.into(), source })
    }

    fn draw(&self, svg: &mut String, ranges: &Ranges) -> Outcome {
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(84)
            .build_cartesian_2d(ranges.epochs.clone(), ranges.values.clone())?;
        draw_axes(&mut chart, &format!("{} ({})", self.quantity, self.unit), ranges.decimals())?;
        for (line, colour) in self.lines.iter().zip(COLOURS.into_iter().cycle()) {
            draw_line(&mut chart, line, colour)?;
        }
        draw_legend(&mut chart, self.legend.clone())?;
        area.present()?;
        Ok(())
    }
}

/// What the axes span.
struct Ranges {
    epochs: Range<u32>,
    values: Range<f64>,
}

impl Ranges {
    /// The span of all points with some air above and below; `None` without points.
    fn of(lines: &[Line]) -> Option<Self> {
        let points = || lines.iter().flat_map(|line| line.points);
        let first = points().map(|p| p.0).min()?.min(u32::MAX - 1);
        let last = points().map(|p| p.0).max()?;
        let low = points().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let high = points().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
        // A single point, or a flat line, still needs axes that span something.
        let air = (0.06 * (high - low)).max(1e-3 * high.abs()).max(1e-3);
        Some(Self { epochs: first..last.max(first + 1), values: low - air..high + air })
    }

    /// Decimals that tell neighbouring ticks of the values apart.
    fn decimals(&self) -> usize {
        let tick = (self.values.end - self.values.start) / 10.0;
        (-tick.log10().floor()).clamp(0.0, 6.0) as usize
    }
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordu32, RangedCoordf64>>;
type Outcome = Result<(), Box<dyn std::error::Error>>;

fn draw_axes(chart: &mut Chart, title: &str, decimals: usize) -> Outcome {
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc(title)
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

fn draw_line(chart: &mut Chart, line: &Line, colour: RGBColor) -> Outcome {
    let points = line.points.iter().copied();
    if line.points.is_empty() {
        return Ok(());
    }
    let style = colour.stroke_width(2);
    chart
        .draw_series(LineSeries::new(points.clone(), style))?
        .label(line.name)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
    if line.points.len() <= MAX_DOTS {
        chart.draw_series(points.map(|p| Circle::new(p, 3, colour.filled())))?;
    }
    Ok(())
}

fn draw_legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>, corner: SeriesLabelPosition) -> Outcome {
    chart
        .configure_series_labels()
        .position(corner)
        .label_font(("sans-serif", 16))
        .margin(14)
        .legend_area_size(30)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}
