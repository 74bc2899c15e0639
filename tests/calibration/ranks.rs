//! Ranks of the truth among draws of its posterior, over many simulations, and how far from uniform they are.

use std::ops::ControlFlow;

use ppl::Cpu;
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{InitStrategy, Mcmc, McmcOptions, ModelDensity, Target};
use ppl::model::{Model, trace};
use ppl::values::SiteValue;
use rayon::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Simulations of a model.
const SIMULATIONS: u64 = 320;
/// Draws of each posterior, so that a rank is one of 64 numbers.
const DRAWS: usize = 63;
/// Iterations from one draw to the next: enough that draws are all but independent.
const THIN: usize = 6;
/// Bins of equal numbers of ranks; 20 simulations are expected in each.
const BINS: usize = 16;

/// The names of all numbers of the model, each with the p-value of its ranks' uniformity.
pub(crate) fn p_values<Y, M>(model: M) -> Vec<(String, f64)>
where
    Y: SiteValue + Sync,
    M: Model<(Option<Y>,), E = f64, D = Cpu> + Clone + Sync,
{
    judged(|simulation| ranks(&model, &model, simulation))
}

/// [`p_values`] where the sampler takes the square of the whole density for its target: they must be small.
pub(crate) fn sharpened<Y, M>(model: M) -> Vec<(String, f64)>
where
    Y: SiteValue + Sync,
    M: Model<(Option<Y>,), E = f64, D = Cpu> + Clone + Sync,
{
    let squared = model.clone().scale(2.0);
    judged(|simulation| ranks(&model, &squared, simulation))
}

fn judged(ranks: impl Fn(u64) -> Vec<(String, usize)> + Sync) -> Vec<(String, f64)> {
    let all: Vec<Vec<(String, usize)>> = (0..SIMULATIONS).into_par_iter().map(&ranks).collect();
    let of = |at: usize| {
        let mut bins = [0.0; BINS];
        all.iter().for_each(|ranks| bins[ranks[at].1 * BINS / (DRAWS + 1)] += 1.0);
        let expected = SIMULATIONS as f64 / BINS as f64;
        let statistic: f64 = bins.iter().map(|found| (found - expected).powi(2) / expected).sum();
        let law = ChiSquared::new(BINS as f64 - 1.0).expect("positive degrees of freedom");
        (all[0][at].0.clone(), law.sf(statistic))
    };
    (0..all[0].len()).map(of).collect()
}

/// One simulation: of each number of the model the rank of the truth among the draws.
fn ranks<Y, M, T>(model: &M, target: &T, simulation: u64) -> Vec<(String, usize)>
where
    Y: SiteValue,
    M: Model<(Option<Y>,), E = f64, D = Cpu>,
    T: Model<(Option<Y>,), E = f64, D = Cpu> + Clone,
{
    let (_, truth) = trace(model, (None,), simulation).expect("a sound model");
    let data = truth.value::<Y>("y").expect("data called y").clone();
    let mut density = ModelDensity::new(target.clone(), (Some(data.clone()),)).expect("a continuous model");
    let variables = density.variables().expect("a sound model");
    let options = McmcOptions {
        chains: 1,
        warmup: 400,
        draws: DRAWS,
        thin: THIN,
        seed: simulation,
        init: InitStrategy::Uniform(1.0),
        ..McmcOptions::default()
    };
    let mut mcmc = Mcmc::of_target(&density, NutsOptions::default(), options).expect("a place to begin");
    mcmc.run_here(|_| ControlFlow::Continue(())).expect("a sound model");
    let draws = mcmc.into_draws();
    let mut found = Vec::new();
    for variable in &variables {
        let true_numbers = truth.site(&variable.name).and_then(|site| site.value.to_f64s()).expect("numbers");
        for ((name, place), true_number) in variable.quantities().zip(variable.range.clone()).zip(true_numbers) {
            let rank = draws.columns(place)[0].iter().filter(|&&draw| draw < true_number).count();
            found.push((name, rank));
        }
    }
    found
}
