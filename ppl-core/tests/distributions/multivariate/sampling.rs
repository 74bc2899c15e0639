//! Draws lie in the support and have the moments of their distribution; the score has mean zero over
//! them, and pathwise gradients are those of the expectation.
//!
//! All bounds are [`Z`] standard errors of a mean of [`DRAWS`] independent terms, whose standard
//! deviation is estimated from the same draws. For normal means one bound fails with probability 2e-9,
//! and the few thousand of this file together with 1e-5.

use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Dtype};

use super::{Argument, Family, arguments, families};
use crate::families::{Row, row, wide};
use crate::sampling::deviation;

const DRAWS: usize = 20_000;
const Z: f64 = 6.0;

/// Entry `at` of each draw.
fn entry(draws: &[f64], size: usize, at: usize) -> impl Iterator<Item = f64> {
    draws.iter().skip(at).step_by(size).copied()
}

fn draws_have_the_moments<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        for (seed, case) in (20..).zip(family.ordinary_cases()) {
            let (many, one) = (family.filled(&case.parameters, DRAWS), family.filled(&case.parameters, 1));
            let place = format!("{} {:?}", family.name, case.parameters);
            let draws = many.draw(&mut Rng::seed(seed));
            assert_eq!(many.outside(&draws), None, "{place}");
            let draws = wide(&draws);
            let size = draws.len() / DRAWS;
            let Some(mean) = one.mean().map(|m| wide(&m)) else { continue };
            let check = |what: &str, i: usize, j: usize, expected: f64, terms: Vec<f64>| {
                let z = deviation::<E>(&terms, expected);
                assert!(z < Z, "{place}: {what} of entries {i}, {j}: {z} standard errors from {expected}");
            };
            for (i, &m) in mean.iter().enumerate() {
                check("mean", i, i, m, entry(&draws, size, i).collect());
            }
            let product = |i: usize, j: usize| -> Vec<f64> {
                entry(&draws, size, i).zip(entry(&draws, size, j)).map(|(x, y)| (x - mean[i]) * (y - mean[j])).collect()
            };
            for (i, v) in one.variance().map(|v| wide(&v)).into_iter().flatten().enumerate() {
                check("variance", i, i, v, product(i, i));
            }
            for (at, &c) in case.covariance.iter().flat_map(|c| &c.entries).enumerate() {
                check("covariance", at / size, at % size, c, product(at / size, at % size));
            }
        }
    }
}

fn a_seed_gives_the_same_draws<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        let distribution = family.filled(&family.ordinary_cases()[0].parameters, 50);
        let draw = |seed| distribution.draw(&mut Rng::seed(seed));
        assert_eq!(draw(5), draw(5), "{}", family.name);
        assert_ne!(draw(5), draw(6), "{}", family.name);
    }
}

both_dtypes! {
    moments = draws_have_the_moments;
    seeds = a_seed_gives_the_same_draws;
}

type Leaves = Vec<Argument<f64, Cpu>>;

/// The gradient of a sum over draws with respect to the parameters, one of each draw.
fn gradients(leaves: &Leaves, f: impl Fn() -> ppl_core::Tensor<(), f64>) -> Vec<Vec<f64>> {
    let (_, grads) = grad(f);
    leaves.iter().map(|leaf| wide(&grads.get(&leaf.entries).expect("a leaf"))).collect()
}

/// sin of a weighted sum of the entries of each draw.
fn bounded(draws: &Row<f64, Cpu>, size: usize) -> ppl_core::Tensor<(usize,), f64> {
    let weights: Vec<f64> = (0..draws.numel()).map(|i| 0.7 + ((i % size) as f64).cos()).collect();
    let weighed = draws * row::<f64, Cpu>(&weights);
    weighed.reshape_like(&(DRAWS, size)).sum::<(usize,), ppl_core::Axis<1>>().sin()
}

/// Checks that the mean over draws is zero along every direction in which a parameter may move.
fn mean_is_zero(
    what: &str,
    family: &Family<f64, Cpu>,
    parameters: &[super::Nested],
    each: impl Fn(usize, usize, usize) -> f64,
) {
    for (which, ((name, _, moves), parameter)) in family.parameters.iter().zip(parameters).enumerate() {
        for direction in moves.directions(&parameter.dims, &parameter.entries) {
            let along = |draw: usize| direction.iter().map(|(at, slope)| each(which, draw, *at) * slope).sum();
            let terms: Vec<f64> = (0..DRAWS).map(along).collect();
            let z = deviation::<f64>(&terms, 0.0);
            let place = format!("{} {parameters:?}: {name} along {direction:?}", family.name);
            assert!(z < Z, "{place}: {what} is {z} standard errors from zero");
        }
    }
}

// E[∂ ln p(x; θ)/∂θ] = 0, and ∂E[h(x)]/∂θ = E[h(x) ∂ ln p(x; θ)/∂θ], by which the pathwise gradient is
// judged for h = sin of a weighted sum.
#[test]
fn scores_have_mean_zero_and_pathwise_gradients_that_of_the_expectation() {
    for family in families::<f64, Cpu>() {
        for (seed, case) in (40..).zip(family.ordinary_cases()) {
            let tracked = |a: Argument<f64, Cpu>| Argument { entries: a.entries.tracked(), dims: a.dims };
            let leaves: Leaves = arguments(&case.parameters, DRAWS).into_iter().map(tracked).collect();
            let distribution = || (family.build)(&leaves);
            let draws = distribution().draw(&mut Rng::seed(seed)).detach();
            let size = draws.numel() / DRAWS;
            let score = gradients(&leaves, || distribution().log_prob(&draws).sum_all());
            let sizes: Vec<usize> = case.parameters.iter().map(|p| p.entries.len()).collect();
            mean_is_zero("the score", &family, &case.parameters, |p, draw, at| score[p][draw * sizes[p] + at]);
            if !distribution().has_rsample() {
                continue;
            }
            let heights = wide(&bounded(&draws, size));
            let path = gradients(&leaves, || bounded(&distribution().draw(&mut Rng::seed(seed)), size).sum_all());
            mean_is_zero("pathwise less score gradient", &family, &case.parameters, |p, draw, at| {
                let place = draw * sizes[p] + at;
                path[p][place] - heights[draw] * score[p][place]
            });
        }
    }
}
