//! Energies, and how far one transition moves them.

use crate::diagnostics::{Chains, bfmi};
use crate::draws::Draws;

use super::density::{curve, highest, upright};
use super::options::{PictureError, PictureOptions, check_draws, check_values};
use super::palette;
use super::panel::{Entry, Mark, Panel};
use super::picture::Picture;
use super::scale::{Scale, Ticks};

/// The density of all energies less their mean in each chain, and that of the steps from one draw to the next, with each
/// chain's E-BFMI ([`bfmi`]) in the legend. Where steps are much narrower than energies, momenta that are drawn anew move
/// the energy too little to reach the tails. Of the options, only the title matters.
///
/// # Errors
/// If there are no draws, or an energy is not finite.
pub fn energy_plot(draws: &Draws, options: &PictureOptions) -> Result<Picture, PictureError> {
    check_draws(draws)?;
    let length = draws.num_draws();
    let energies = |chain: &crate::draws::ChainDraws| chain.stats()[..length].iter().map(|s| s.energy).collect();
    let chains: Vec<Vec<f64>> = draws.chains().iter().map(energies).collect();
    check_values("energy", &chains)?;
    let fractions = bfmi(&Chains::new(&chains.iter().map(Vec::as_slice).collect::<Vec<_>>())?);
    let mut legend =
        vec![Entry::new("marginal energy", palette::chain(0)), Entry::new("energy transition", palette::chain(1))];
    let fraction = |(chain, fraction): (usize, &f64)| {
        // Too few draws, or all equal, have none.
        let figure = if fraction.is_finite() { format!("E-BFMI {fraction:.2}") } else { "no E-BFMI".to_owned() };
        Entry { name: format!("chain {chain}: {figure}"), colour: None }
    };
    legend.extend(fractions.iter().enumerate().map(fraction));
    Ok(Picture {
        title: options.title.clone(),
        legend,
        columns: 1,
        cell: (720, 340),
        edge: (0, 0),
        panels: vec![Some(panel(&chains)?)],
    })
}

fn panel(chains: &[Vec<f64>]) -> Result<Panel, PictureError> {
    let centred = chains.iter().flat_map(|chain| {
        let mean = chain.iter().sum::<f64>() / chain.len() as f64;
        chain.iter().map(move |energy| energy - mean)
    });
    let steps: Vec<f64> = chains.iter().flat_map(|chain| chain.windows(2).map(|pair| pair[1] - pair[0])).collect();
    let mut values = vec![centred.collect::<Vec<_>>()];
    // A single draw has no step.
    values.extend((!steps.is_empty()).then_some(steps));
    let curves = values.iter().map(|values| curve(values)).collect::<Result<Vec<_>, PictureError>>()?;
    let highest = highest(&curves);
    let line =
        |(number, points)| Mark::Line { points: upright(points, highest), colour: palette::chain(number), width: 2 };
    Ok(Panel {
        title: String::new(),
        x: Scale::over(values.iter().flatten().copied()).label("energy less its mean, and its step (nats)"),
        y: Scale::from_zero(highest).label("density").ticks(Ticks::None),
        marks: curves.into_iter().enumerate().map(line).collect(),
    })
}
