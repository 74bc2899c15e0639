//! Traces: draws in their order, chain by chain.

use crate::draws::Draws;

use super::options::{PictureError, PictureOptions, Quantity, quantities};
use super::palette;
use super::panel::{Entry, Mark, Panel};
use super::picture::Picture;
use super::scale::Scale;

/// Lines of more points are thinned: to the least and the greatest of neighbours.
const MOST_POINTS: usize = 1200;

/// Each quantity against the number of the draw, one line a chain, with a stroke on the lower edge where a trajectory
/// diverged. Chains that agree and mix well look like one another, and like noise. Of chains of different length, each
/// is as long as the shortest.
///
/// # Errors
/// If there are no draws, there is no variable of that name (the error names it), or a number is not finite.
pub fn trace_plot(draws: &Draws, options: &PictureOptions) -> Result<Picture, PictureError> {
    let quantities = quantities(draws, options, 40)?;
    let divergences = divergences(draws);
    let panels = quantities.iter().map(|quantity| Some(panel(quantity, &divergences))).collect();
    let mut legend = chains_legend(draws);
    if !divergences.is_empty() {
        legend.push(Entry::new("divergence", palette::DIVERGENCE));
    }
    let (columns, cell) = if quantities.len() > 4 { (2, (560, 190)) } else { (1, (960, 210)) };
    Ok(Picture { title: options.title.clone(), legend, columns, cell, edge: (0, 0), panels })
}

/// The numbers of draws whose trajectory diverged, of any chain.
fn divergences(draws: &Draws) -> Vec<f64> {
    let is_any = |&draw: &usize| draws.chains().iter().any(|chain| chain.stats()[draw].diverging);
    (0..draws.num_draws()).filter(is_any).map(|draw| draw as f64).collect()
}

/// One entry a chain; above six, colours repeat, and the legend says so.
pub(super) fn chains_legend(draws: &Draws) -> Vec<Entry> {
    (0..draws.num_chains()).map(|chain| Entry::new(format!("chain {chain}"), palette::chain(chain))).collect()
}

fn panel(quantity: &Quantity, divergences: &[f64]) -> Panel {
    let draws = quantity.chains[0].len();
    let line = |(number, chain): (usize, &Vec<f64>)| Mark::Line {
        points: thinned(chain),
        colour: palette::chain(number),
        width: 1,
    };
    let mut marks: Vec<Mark> = quantity.chains.iter().enumerate().map(line).collect();
    marks.push(Mark::Rug { places: divergences.to_vec(), colour: palette::DIVERGENCE });
    Panel {
        title: quantity.name.clone(),
        x: Scale::over([0.0, (draws - 1) as f64].into_iter()).label("draw"),
        y: Scale::over(quantity.chains.iter().flatten().copied()),
        marks,
    }
}

/// The draws with their numbers; of many, the least and the greatest of each run of neighbours, in their order.
pub(super) fn thinned(draws: &[f64]) -> Vec<(f64, f64)> {
    let point = |at: usize| (at as f64, draws[at]);
    if draws.len() <= MOST_POINTS {
        return (0..draws.len()).map(point).collect();
    }
    let run = (2 * draws.len()).div_ceil(MOST_POINTS);
    let extremes = |from: usize| {
        let places = from..(from + run).min(draws.len());
        let least = places.clone().min_by(|&a, &b| draws[a].total_cmp(&draws[b])).unwrap_or(from);
        let greatest = places.max_by(|&a, &b| draws[a].total_cmp(&draws[b])).unwrap_or(from);
        [point(least.min(greatest)), point(least.max(greatest))]
    };
    (0..draws.len()).step_by(run).flat_map(extremes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_lines_keep_order_and_extremes() {
        let mut draws: Vec<f64> = (0..100_000).map(|i| (f64::from(i) * 0.7).sin()).collect();
        draws[77_777] = 50.0;
        draws[5] = -50.0;
        let points = thinned(&draws);
        assert!(points.len() <= MOST_POINTS, "{}", points.len());
        assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert!(points.contains(&(77_777.0, 50.0)) && points.contains(&(5.0, -50.0)));
        assert_eq!(thinned(&[2.0, 1.0]), [(0.0, 2.0), (1.0, 1.0)]);
    }
}
