//! Simulation-based calibration of NUTS: of parameters drawn from the prior, and data drawn from them, the rank of each
//! parameter among draws from its posterior is uniform. Talts, Betancourt, Simpson, Vehtari and Gelman, *Validating
//! Bayesian inference algorithms with simulation-based calibration* (2018).

// Ranks, and how far from uniform they are.
mod ranks;

use ppl::ops::stack;
use ppl::prelude64::*;

use ranks::{p_values, sharpened};

type Scalar = Tensor<()>;
type Five = Tensor<Rank1<5>>;

/// A normal mean and standard deviation.
#[model]
fn normal(y: Option<Five>) {
    let mu: Scalar = sample!("mu", Normal::new(1.0, 2.0));
    let sigma: Scalar = sample!("sigma", LogNormal::new(0.0, 0.5));
    plate!("data", 5, |_| {
        sample!("y", Normal::new(mu.broadcast::<Rank1<5>, _>(), sigma), obs = y);
    });
}

/// A rate of counts.
#[model]
fn counts(y: Option<Five>) {
    let rate: Scalar = sample!("rate", Gamma::new(2.0, 0.5));
    plate!("data", 5, |_| {
        sample!("y", Poisson::new(rate.broadcast::<Rank1<5>, _>()), obs = y);
    });
}

/// Proportions that themselves vary.
#[model]
fn proportions(y: Option<Five>) {
    let mean: Scalar = sample!("mean", Beta::new(2.0, 3.0));
    plate!("groups", 5, |_| {
        let p: Five = sample!("p", Beta::new(mean.broadcast::<Rank1<5>, _>() * 6.0, (1.0 - mean) * 6.0));
        sample!("y", Binomial::new(12.0, p), obs = y);
    });
}

/// Effects around a mean, uncentred.
#[model]
fn effects(y: Option<Five>) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 2.0));
    let tau: Scalar = sample!("tau", HalfNormal::new(1.0));
    plate!("groups", 5, |_| {
        let eta: Five = sample!("eta", Normal::standard());
        sample!("y", Normal::new(deterministic!("theta", mu + tau * eta), 1.0), obs = y);
    });
}

/// Weights of categories, and an ordering.
#[model]
fn mixture(y: Option<Five>) {
    let weights: Tensor<Rank1<2>> = sample!("weights", Dirichlet::new(Tensor::from([2.0, 3.0])));
    let apart: Scalar = sample!("apart", Exponential::new(0.5));
    let first: Scalar = sample!("first", Normal::new(0.0, 1.0));
    let places: Tensor<Rank1<2>> = stack(&[first.clone(), first + apart]);
    plate!("data", 5, |_| {
        let weights = weights.broadcast::<Rank2<5, 2>, _>();
        let places = places.broadcast::<Rank2<5, 2>, _>();
        sample!("y", MixtureSameFamily::new(Categorical::new(weights), Normal::new(places, 0.7)), obs = y);
    });
}

/// Each p-value is above this but once in 10⁵ fair runs: all of them together give a false alarm in fewer than 3 of 10⁴.
const LEAST: f64 = 1e-5;

#[track_caller]
fn uniform(found: Vec<(String, f64)>) {
    println!("{found:?}");
    let wrong: Vec<_> = found.iter().filter(|(_, p)| *p < LEAST).collect();
    assert!(!found.is_empty() && wrong.is_empty(), "{wrong:?}");
}

#[test]
#[ignore = "samples 320 posteriors"]
fn fast_a_normal_mean_and_deviation() {
    uniform(p_values(normal));
}

#[test]
#[ignore = "samples 320 posteriors"]
fn fast_a_rate_of_counts() {
    uniform(p_values(counts));
}

#[test]
#[ignore = "samples 320 posteriors"]
fn fast_proportions_of_groups() {
    uniform(p_values(proportions));
}

#[test]
#[ignore = "samples 320 posteriors"]
fn fast_effects_around_a_mean() {
    uniform(p_values(effects));
}

#[test]
#[ignore = "samples 320 posteriors"]
fn fast_a_mixture_with_ordered_places() {
    uniform(p_values(mixture));
}

/// A sampler of the square of prior and likelihood is found out: its posteriors are too narrow.
#[test]
#[ignore = "samples 320 posteriors"]
fn fast_a_squared_density_is_found_out() {
    let found = sharpened(normal);
    assert!(found.iter().all(|(_, p)| *p < 1e-9), "{found:?}");
}
