//! A normal's mean and variance under their conjugate prior, each in a block of its own: the posterior is normal-inverse-gamma;
//! and with a flat mean that a kernel of the user's draws exactly.

use std::sync::Arc;

use ppl::Error;
use ppl::infer::gibbs::{BlockKernel, Conditional};
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{Gibbs, McmcOptions};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::estimates::close;

type Scalar = Tensor<()>;

const DATA: [f64; 6] = [0.3, 1.9, -0.4, 2.2, 1.1, 3.0];

/// Prior: σ² ~ InverseGamma(3, 2), μ | σ² ~ N(0.5, σ²/2).
#[model]
fn conjugate(data: &Tensor<Rank1<6>>) {
    let variance: Scalar = sample!("variance", InverseGamma::new(3.0, 2.0));
    let mean: Scalar = sample!("mean", Normal::new(0.5, (&variance / 2.0).sqrt()));
    plate!("rows", 6, |_| {
        let loc: Tensor<Rank1<6>> = data * 0.0 + &mean;
        sample!("y", Normal::new(loc, variance.sqrt()), obs = data);
    });
}

#[test]
fn mean_and_variance_are_those_of_the_closed_form() {
    let n = DATA.len() as f64;
    let average = DATA.iter().sum::<f64>() / n;
    let squares = DATA.iter().map(|y| (y - average).powi(2)).sum::<f64>();
    // Murphy, *Conjugate Bayesian analysis of the Gaussian distribution* (2007), section 6.
    let (weight, shape) = (2.0 + n, 3.0 + n / 2.0);
    let loc = (2.0 * 0.5 + n * average) / weight;
    let scale = 2.0 + 0.5 * squares + 0.5 * 2.0 * n * (average - 0.5).powi(2) / weight;
    let variance = scale / (shape - 1.0);
    let variance_of_variance = variance * variance / (shape - 2.0);

    let data = Tensor::from(DATA);
    let gibbs = Gibbs::new(conjugate, &data).unwrap();
    let gibbs = gibbs.block(["mean"], NutsOptions::default()).block(["variance"], NutsOptions::default());
    let options = McmcOptions { chains: 2, warmup: 300, draws: 3000, ..McmcOptions::default() };
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    close(&draws, "E μ", loc, |row| row[1]);
    close(&draws, "E (μ − loc)²", variance / weight, |row| (row[1] - loc).powi(2));
    close(&draws, "E σ²", variance, |row| row[0]);
    close(&draws, "E (σ² − E σ²)²", variance_of_variance, |row| (row[0] - variance).powi(2));
    close(&draws, "E 1/σ²", shape / scale, |row| 1.0 / row[0]);
}

/// The same with a flat prior of the mean.
#[model]
fn flat(data: &Tensor<Rank1<6>>) {
    let variance: Scalar = sample!("variance", InverseGamma::new(3.0, 2.0));
    let mean: Scalar = sample!("mean", ImproperUniform::new(Arc::new(Real), (), ()));
    plate!("rows", 6, |_| {
        let loc: Tensor<Rank1<6>> = data * 0.0 + &mean;
        sample!("y", Normal::new(loc, variance.sqrt()), obs = data);
    });
}

/// Draws the mean, given the variance.
#[derive(Clone)]
struct DrawMean;

impl BlockKernel for DrawMean {
    fn step(&mut self, block: &mut dyn Conditional, rng: &mut Rng) -> Result<(), Error> {
        let n = DATA.len() as f64;
        let sd = (block.value("variance")?[0] / n).sqrt();
        let draw = DATA.iter().sum::<f64>() / n + sd * rng.sample::<f64, _>(StandardNormal);
        block.set(&[("mean", &[draw])])
    }
}

#[test]
fn an_exact_draw_of_the_users_goes_with_nuts() {
    let n = DATA.len() as f64;
    let average = DATA.iter().sum::<f64>() / n;
    let squares = DATA.iter().map(|y| (y - average).powi(2)).sum::<f64>();
    let (shape, scale) = (3.0 + (n - 1.0) / 2.0, 2.0 + 0.5 * squares);
    let data = Tensor::from(DATA);
    let gibbs = Gibbs::new(flat, &data).unwrap();
    let gibbs = gibbs.block(["mean"], DrawMean).block(["variance"], NutsOptions::default());
    let options = McmcOptions { chains: 2, warmup: 300, draws: 3000, ..McmcOptions::default() };
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    let variance = scale / (shape - 1.0);
    close(&draws, "E μ", average, |row| row[1]);
    close(&draws, "E (μ − average)²", variance / n, |row| (row[1] - average).powi(2));
    close(&draws, "E σ²", variance, |row| row[0]);
    close(&draws, "E 1/σ²", shape / scale, |row| 1.0 / row[0]);
}
