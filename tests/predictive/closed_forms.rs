//! Predictive distributions that are known: of a Normal mean with Normal data.

use ppl::infer::Predictive;
use ppl::infer::draws::Role;
use ppl::prelude64::*;
use rand_distr::{Distribution as _, StandardNormal};
use statrs::function::erf::erfc;

use crate::by_hand::{covariance, mean, numbers};

type Scalar = Tensor<()>;
type Four = Tensor<Rank1<4>>;

/// How many standard errors a figure may be off: two-sided, 5.7e-7 for each.
const ERRORS: f64 = 5.0;

#[model]
pub(crate) fn normal(loc: f64, scale: f64, noise: f64, y: &Four) {
    let mu: Scalar = sample!("mu", Normal::new(loc, scale));
    plate!("data", 4, |_| {
        let y: Four = sample!("y", Normal::new(mu.broadcast::<Rank1<4>, _>(), noise), obs = y);
        deterministic!("largest", y.to_vec().into_iter().fold(f64::NEG_INFINITY, f64::max));
    });
}

/// Fails if mean, variance or covariance of draws of Normal numbers differs from what it should be.
fn check_moments(x: &[f64], y: &[f64], loc: f64, variance: f64, between: f64) {
    let n = x.len() as f64;
    let off = (mean(x) - loc) / (variance / n).sqrt();
    assert!(off.abs() < ERRORS, "mean: {off} standard errors");
    let off = (covariance(x, x) - variance) / (variance * (2.0 / n).sqrt());
    assert!(off.abs() < ERRORS, "variance: {off} standard errors");
    let off = (covariance(x, y) - between) / ((variance * variance + between * between) / n).sqrt();
    assert!(off.abs() < ERRORS, "covariance: {off} standard errors");
}

#[test]
fn data_under_the_prior_have_its_moments() {
    let data = Four::full(9.0);
    let prior = Predictive::prior(normal, (1.0, 2.0, 0.5, &data)).draws(20_000).seed(1).collect().unwrap();
    let roles: Vec<_> = prior.variables().iter().map(|v| (v.name.as_str(), v.dims.clone(), v.role)).collect();
    let expected =
        [("mu", vec![], Role::Latent), ("y", vec![4], Role::Predicted), ("largest", vec![], Role::Deterministic)];
    assert_eq!(roles, expected);
    let of = |name: &str| prior.quantity(name).unwrap().concat();
    let (mu, first, last) = (of("mu"), of("y[0]"), of("y[3]"));
    // Nine figures: a false alarm in 5e-6 of all seeds.
    check_moments(&mu, &mu, 1.0, 4.0, 4.0);
    check_moments(&first, &last, 1.0, 4.25, 4.0);
    check_moments(&last, &mu, 1.0, 4.25, 4.0);
    let largest = prior.values("y").unwrap().into_iter().map(|y| y.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    assert!(largest.eq(of("largest")), "deterministic sites are computed of the data drawn");
}

#[test]
fn data_under_a_conjugate_posterior_have_its_moments() {
    // Prior N(0, 1), four data of variance 1 with sum 8: the posterior is N(1.6, 0.2).
    let data = Four::from([1.0, 3.0, 2.5, 1.5]);
    let mut rng = ppl::rng::Rng::seed(7);
    let posterior = (0..20_000).map(|_| {
        let z: f64 = StandardNormal.sample(&mut rng);
        1.6 + 0.2_f64.sqrt() * z
    });
    let draws = numbers("mu", posterior);
    let found = Predictive::posterior(normal, (0.0, 1.0, 1.0, &data), &draws).seed(3).collect().unwrap();
    assert_eq!(found.variables().iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["y", "largest"]);
    let of = |name: &str| found.quantity(name).unwrap().concat();
    // Six figures: 3.4e-6.
    check_moments(&of("y[0]"), &of("y[1]"), 1.6, 1.2, 0.2);
    check_moments(&of("y[3]"), &draws.quantity("mu").unwrap()[0], 1.6, 1.2, 0.2);
}

#[test]
fn a_posterior_in_one_point_predicts_the_sampling_distribution() {
    let (n, data) = (5000, Four::full(0.0));
    let draws = numbers("mu", std::iter::repeat_n(0.7, n));
    let found = Predictive::posterior(normal, (0.0, 1.0, 0.3, &data), &draws).seed(5).collect().unwrap();
    for name in ["y[0]", "y[1]", "y[2]", "y[3]"] {
        let mut y = found.quantity(name).unwrap().concat();
        y.sort_by(f64::total_cmp);
        let cdf = |x: f64| 0.5 * erfc(-(x - 0.7) / (0.3 * std::f64::consts::SQRT_2));
        let n = n as f64;
        let gap = |(i, &x): (usize, &f64)| (cdf(x) - i as f64 / n).max((i + 1) as f64 / n - cdf(x));
        let distance = y.iter().enumerate().map(gap).fold(0.0, f64::max);
        // Kolmogorov: P(√n·D > 2.8) = 2·exp(−2·2.8²) = 3.1e-7 for each of the four.
        assert!(n.sqrt() * distance < 2.8, "{name}: {distance}");
    }
}
