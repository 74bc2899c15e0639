//! Pairs: each two quantities against one another, with the draws whose trajectories diverged.

use crate::draws::Draws;

use super::density::{curve, highest, upright};
use super::options::{PictureError, PictureOptions, Quantity, quantities};
use super::palette;
use super::panel::{Entry, Mark, Panel};
use super::picture::Picture;
use super::render::EDGE;
use super::scale::{Scale, Ticks};

/// More draws than these are thinned evenly; those that diverged are all shown.
const MOST_DOTS: usize = 1500;

/// A matrix of scatter plots of each two quantities below the diagonal, and the density of each on it. Draws whose
/// trajectory diverged are marked: where they crowd together, the density has a place that steps cannot enter.
///
/// # Errors
/// If there are no draws, there is no variable of that name (the error names it), or a number is not finite.
pub fn pair_plot(draws: &Draws, options: &PictureOptions) -> Result<Picture, PictureError> {
    let quantities = quantities(draws, options, 8)?;
    let length = draws.num_draws();
    let diverging = draws.chains().iter().flat_map(|chain| chain.stats()[..length].iter().map(|s| s.diverging));
    let diverging: Vec<bool> = diverging.collect();
    let columns: Vec<Vec<f64>> = quantities.iter().map(|quantity| quantity.chains.concat()).collect();
    let size = quantities.len();
    let mut panels = Vec::with_capacity(size * size);
    for row in 0..size {
        for column in 0..size {
            let edge = Edge { left: column == 0, bottom: row + 1 == size };
            panels.push(match column.cmp(&row) {
                std::cmp::Ordering::Less => Some(scatter([column, row], &quantities, &columns, &diverging, edge)),
                std::cmp::Ordering::Equal => Some(marginal(&quantities[row], &columns[row], edge)?),
                std::cmp::Ordering::Greater => None,
            });
        }
    }
    let count = diverging.iter().filter(|&&diverging| diverging).count();
    let mut legend = vec![Entry::new("draw", palette::chain(0))];
    if count > 0 {
        legend.push(Entry::new(format!("divergence ({count})"), palette::DIVERGENCE));
    }
    let side = if size <= 4 { 230 } else { 160 };
    Ok(Picture { title: options.title.clone(), legend, columns: size, cell: (side, side), edge: EDGE, panels })
}

/// Where a panel stands in the matrix: names and numbers are written at its left and lower edge.
#[derive(Clone, Copy)]
struct Edge {
    left: bool,
    bottom: bool,
}

impl Edge {
    fn x(self, quantity: &Quantity, values: &[f64]) -> Scale {
        let scale = Scale::over(values.iter().copied());
        if self.bottom { scale.label(&quantity.name) } else { scale.ticks(Ticks::None) }
    }

    fn y(self, quantity: &Quantity, values: &[f64]) -> Scale {
        let scale = Scale::over(values.iter().copied());
        if self.left { scale.label(&quantity.name) } else { scale.ticks(Ticks::None) }
    }
}

fn scatter([x, y]: [usize; 2], quantities: &[Quantity], columns: &[Vec<f64>], diverging: &[bool], edge: Edge) -> Panel {
    let point = |draw: usize| (columns[x][draw], columns[y][draw]);
    let calm: Vec<usize> = (0..diverging.len()).filter(|&draw| !diverging[draw]).collect();
    let step = calm.len().div_ceil(MOST_DOTS).max(1);
    let dots = calm.into_iter().step_by(step).map(point).collect();
    let marked = (0..diverging.len()).filter(|&draw| diverging[draw]).map(point).collect();
    Panel {
        title: String::new(),
        x: edge.x(&quantities[x], &columns[x]),
        y: edge.y(&quantities[y], &columns[y]),
        marks: vec![
            Mark::Dots { points: dots, colour: palette::chain(0), radius: 2, opacity: 0.3 },
            Mark::Dots { points: marked, colour: palette::DIVERGENCE, radius: 3, opacity: 0.9 },
        ],
    }
}

fn marginal(quantity: &Quantity, values: &[f64], edge: Edge) -> Result<Panel, PictureError> {
    let curve = curve(values)?;
    let highest = highest(std::slice::from_ref(&curve));
    let y = Scale::from_zero(highest).ticks(if edge.left { Ticks::Hidden } else { Ticks::None });
    Ok(Panel {
        title: quantity.name.clone(),
        x: edge.x(quantity, values),
        y,
        marks: vec![Mark::Line { points: upright(curve, highest), colour: palette::chain(0), width: 2 }],
    })
}
