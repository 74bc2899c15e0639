//! Densities of each chain's draws.

use crate::draws::Draws;

use super::kernel_density::KernelDensity;
use super::options::{PictureError, PictureOptions, Quantity, quantities};
use super::palette;
use super::panel::{Mark, Panel};
use super::picture::Picture;
use super::scale::{Scale, Ticks};
use super::trace::chains_legend;

/// The places at which curves are drawn.
pub(super) const PLACES: usize = 200;

/// The [`KernelDensity`] of each quantity, one curve a chain. Draws that are all equal are a line straight up.
///
/// # Errors
/// If there are no draws, there is no variable of that name (the error names it), or a number is not finite.
pub fn density_plot(draws: &Draws, options: &PictureOptions) -> Result<Picture, PictureError> {
    let quantities = quantities(draws, options, 40)?;
    let panels = quantities.iter().map(|quantity| Ok(Some(panel(quantity)?)));
    Ok(Picture {
        title: options.title.clone(),
        legend: chains_legend(draws),
        columns: quantities.len().clamp(1, 3),
        cell: (380, 220),
        edge: (0, 0),
        panels: panels.collect::<Result<_, PictureError>>()?,
    })
}

fn panel(quantity: &Quantity) -> Result<Panel, PictureError> {
    let curves = quantity.chains.iter().map(|chain| curve(chain)).collect::<Result<Vec<_>, PictureError>>()?;
    let highest = highest(&curves);
    let line = |(number, points): (usize, Vec<(f64, f64)>)| Mark::Line {
        points: upright(points, highest),
        colour: palette::chain(number),
        width: 2,
    };
    Ok(Panel {
        title: quantity.name.clone(),
        x: Scale::over(quantity.chains.iter().flatten().copied()),
        y: Scale::from_zero(highest).label("density").ticks(Ticks::None),
        marks: curves.into_iter().enumerate().map(line).collect(),
    })
}

/// The curve of a density; of equal draws, their one value from 0 to ∞.
pub(super) fn curve(draws: &[f64]) -> Result<Vec<(f64, f64)>, PictureError> {
    let density = KernelDensity::new(draws)?;
    Ok(density.map_or_else(|| vec![(draws[0], 0.0), (draws[0], f64::INFINITY)], |density| density.curve(PLACES)))
}

/// The highest finite place of all curves; 1 without one.
pub(super) fn highest(curves: &[Vec<(f64, f64)>]) -> f64 {
    let heights = curves.iter().flatten().map(|point| point.1).filter(|height| height.is_finite());
    Some(heights.fold(0.0, f64::max)).filter(|&highest| highest > 0.0).unwrap_or(1.0)
}

/// A curve whose infinite height is the panel's.
pub(super) fn upright(points: Vec<(f64, f64)>, highest: f64) -> Vec<(f64, f64)> {
    points.into_iter().map(|(x, height)| (x, height.min(highest))).collect()
}
