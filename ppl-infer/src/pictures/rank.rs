//! Ranks of each chain's draws among those of all chains.

use crate::diagnostics::{Chains, ranks};
use crate::draws::Draws;

use super::options::{PictureError, PictureOptions, Quantity, quantities};
use super::palette;
use super::panel::{Mark, Panel};
use super::picture::Picture;
use super::scale::{Scale, Ticks};
use super::trace::chains_legend;

/// How many draws of each chain have a rank in each of so many bins of equal width, by chain. Ranks are those of
/// [`ranks`], from 1 to their number S; a bin holds those above its lower end and up to its upper one. Where chains draw
/// from one distribution, each bin expects as many. Draws that are not finite are in no bin.
///
/// Reference: Vehtari et al. 2021, section 5.
pub fn rank_counts(chains: &Chains<'_>, bins: usize) -> Vec<Vec<usize>> {
    let total = (chains.num_chains() * chains.num_draws()) as f64;
    let count = |ranks: &[f64]| {
        let mut counts = vec![0; bins];
        for rank in ranks.iter().filter(|rank| rank.is_finite()) {
            let bin = (rank * bins as f64 / total).ceil() as usize;
            if let Some(count) = counts.get_mut(bin.saturating_sub(1).min(bins.saturating_sub(1))) {
                *count += 1;
            }
        }
        counts
    };
    ranks(chains).chunks_exact(chains.num_draws()).map(count).collect()
}

/// A histogram of ranks for each chain, one above the other, with the height that all bars have where chains draw from
/// one distribution. A chain that is higher on one side draws values too large or too small; one that is higher in the
/// middle or at the ends draws from a distribution too narrow or too wide.
///
/// # Errors
/// If there are no draws, there is no variable of that name (the error names it), a number is not finite, or there are
/// no bins.
pub fn rank_plot(draws: &Draws, options: &PictureOptions) -> Result<Picture, PictureError> {
    if options.rank_bins == 0 {
        return Err(PictureError::NoBins);
    }
    let quantities = quantities(draws, options, 40)?;
    let panels = quantities.iter().map(|quantity| Ok(Some(panel(quantity, options.rank_bins)?)));
    let height = 90 + 34 * draws.num_chains().clamp(2, 12) as u32;
    Ok(Picture {
        title: options.title.clone(),
        legend: chains_legend(draws),
        columns: quantities.len().clamp(1, 3),
        cell: (380, height),
        edge: (0, 0),
        panels: panels.collect::<Result<_, PictureError>>()?,
    })
}

fn panel(quantity: &Quantity, bins: usize) -> Result<Panel, PictureError> {
    let chains = Chains::new(&quantity.chains.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    let counts = rank_counts(&chains, bins);
    let expected = chains.num_draws() as f64 / bins as f64;
    let most = counts.iter().flatten().copied().max().unwrap_or(0) as f64;
    // The highest bar leaves a gap below the next chain.
    let scale = 0.9 / most.max(expected);
    let total = (chains.num_chains() * chains.num_draws()) as f64;
    let width = total / bins as f64;
    let mut marks = Vec::new();
    for (number, counts) in counts.iter().enumerate() {
        let base = number as f64;
        let bar = |(bin, &count): (usize, &usize)| {
            let [left, right] = [bin as f64 + 0.06, bin as f64 + 0.94].map(|edge| edge * width);
            [(left, base), (right, base + scale * count as f64)]
        };
        let line = base + scale * expected;
        marks
            .push(Mark::Bars { corners: counts.iter().enumerate().map(bar).collect(), colour: palette::chain(number) });
        marks.push(Mark::Line { points: vec![(0.0, line), (total, line)], colour: palette::NEUTRAL, width: 1 });
    }
    Ok(Panel {
        title: quantity.name.clone(),
        x: Scale { label: "rank among all draws".into(), span: 0.0..total, ticks: Ticks::Numbers },
        y: Scale { label: "chain".into(), span: 0.0..counts.len() as f64, ticks: Ticks::Whole },
        marks,
    })
}
