//! Where chains begin: by each strategy, and what is said where no position will do.

use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{InitStrategy, LogDensity, Mcmc, McmcOptions, ModelDensity, Target};
use ppl::prelude64::*;
use ppl::rng::Rng;

type Scalar = Tensor<()>;

#[model]
fn scaled(y: &Scalar) {
    let mu: Scalar = sample!("mu", Normal::new(3.0, 0.5));
    let tau: Scalar = sample!("tau", HalfCauchy::new(5.0));
    let x: Tensor<Rank1<2>> = sample!("x", Normal::new(mu.broadcast::<Rank1<2>, _>(), &tau));
    sample!("y", Normal::new(x.sum_all(), 1.0), obs = y);
}

fn positions(strategy: &InitStrategy, count: u64) -> Vec<Vec<f64>> {
    let y = Tensor::scalar(1.0);
    let mut density = ModelDensity::new(scaled, &y).unwrap();
    let position = |stream| density.candidate(strategy, &mut Rng::stream(5, stream)).unwrap().unwrap();
    (0..count).map(position).collect()
}

fn column(positions: &[Vec<f64>], at: usize) -> Vec<f64> {
    let mut column: Vec<f64> = positions.iter().map(|p| p[at]).collect();
    column.sort_by(f64::total_cmp);
    column
}

/// The greatest distance between an empirical distribution and a cdf.
fn kolmogorov(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let n = sorted.len() as f64;
    let gap = |(i, &x): (usize, &f64)| (cdf(x) - i as f64 / n).abs().max((cdf(x) - (i + 1) as f64 / n).abs());
    sorted.iter().enumerate().map(gap).fold(0.0, f64::max)
}

/// Kolmogorov's distance of 2,000 draws is above 0.0602 with probability 1e-6: 2·exp(−2·n·d²).
const FAR: f64 = 0.0602;

#[test]
fn uniform_numbers_fill_their_range() {
    let found = positions(&InitStrategy::Uniform(2.0), 2000);
    for at in 0..4 {
        let sorted = column(&found, at);
        assert!(sorted[0] >= -2.0 && sorted[1999] <= 2.0);
        assert!(kolmogorov(&sorted, |x| 0.25 * (x + 2.0)) < FAR);
    }
}

#[test]
fn prior_draws_have_the_priors_distribution() {
    let found = positions(&InitStrategy::Prior, 2000);
    let normal = |x: f64| Normal::new(Scalar::scalar(3.0), 0.5).cdf(&Scalar::scalar(x)).unwrap().item();
    assert!(kolmogorov(&column(&found, 0), normal) < FAR);
    // The unconstrained number of τ is its logarithm: P(τ ≤ t) = 2/π·atan(t / 5).
    assert!(kolmogorov(&column(&found, 1), |x| 2.0 / std::f64::consts::PI * (x.exp() / 5.0).atan()) < FAR);
    // x is drawn around its own run's μ with its own τ: (x − μ) / τ is a standard normal.
    let mut residuals: Vec<f64> = found.iter().map(|p| (p[2] - p[0]) / p[1].exp()).collect();
    residuals.sort_by(f64::total_cmp);
    let normal = |x: f64| Normal::new(Scalar::scalar(0.0), 1.0).cdf(&Scalar::scalar(x)).unwrap().item();
    assert!(kolmogorov(&residuals, normal) < FAR);
}

#[test]
fn medians_lie_in_the_middle_of_the_prior() {
    let found = positions(&InitStrategy::Median(401), 20);
    for position in found {
        // The median of 401 draws has a standard error of 1.2533·σ/√401 = 0.03 for μ, and of π/2/√401 = 0.08 for
        // log τ, whose median is log 5 and whose density there is 1/π: six of them, false alarm below 1e-7 in all.
        assert!((position[0] - 3.0).abs() < 0.19, "{position:?}");
        assert!((position[1] - 5.0_f64.ln()).abs() < 0.48, "{position:?}");
        assert!(
            (position[2] - position[0]).abs() < 6.0 * 1.2533 * position[1].exp() / 401.0_f64.sqrt(),
            "{position:?}"
        );
    }
    assert_eq!(positions(&InitStrategy::Median(1), 3), positions(&InitStrategy::Prior, 3));
}

#[test]
fn given_values_are_where_it_begins_and_the_rest_is_uniform() {
    let values = ScaledValues { mu: Some(Tensor::scalar(7.0)), tau: Some(Tensor::scalar(0.5)), ..Default::default() };
    let strategy = InitStrategy::Values(ppl::values::IntoValueMap::into_value_map(values));
    let found = positions(&strategy, 50);
    assert!(found.iter().all(|p| p[0] == 7.0 && (p[1] - 0.5_f64.ln()).abs() < 1e-15));
    assert!(found.iter().all(|p| p[2].abs() <= 2.0) && found[0][2] != found[1][2]);

    let y = Tensor::scalar(1.0);
    let mut density = ModelDensity::new(scaled, &y).unwrap();
    let mut refused = |values: ValueMap| {
        let strategy = InitStrategy::Values(values);
        density.candidate(&strategy, &mut Rng::seed(0)).unwrap_err().to_string()
    };
    let mut values = ValueMap::new();
    values.put("moo", Some(Scalar::scalar(1.0)));
    let text =
        "site `moo`: an initial value was given, but the model has no such latent site; there are `mu`, `tau`, `x`";
    assert_eq!(refused(values), text);
    let mut values = ValueMap::new();
    values.put("mu", Some(Tensor::<Rank1<2>>::from([1.0, 2.0])));
    assert!(refused(values).starts_with("site `mu`: initial value a value of type"));
}

/// A datum that no position explains.
#[model]
fn impossible(y: &Scalar) {
    let low: Scalar = sample!("low", Normal::new(0.0, 1.0));
    let width: Scalar = sample!("width", Exponential::new(1.0));
    sample!("y", Uniform::new(&low, &low + width), obs = y);
}

#[test]
fn where_no_position_will_do_a_table_shows_which_site_is_at_fault() {
    let y = Tensor::scalar(1e6);
    let error = Mcmc::new(impossible, &y, NutsOptions::default(), McmcOptions::default()).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines[0],
        "chain 0 could not begin: none of 100 initial positions has a finite log-density and gradient; give initial values, \
         or mend what begins with `!` at the last one:"
    );
    assert!(lines[1].starts_with("  site   distribution"), "{error}");
    assert!(lines[2].starts_with("  low    Normal") && lines[3].starts_with("  width  Exponential"), "{error}");
    assert!(lines[4].starts_with("! y      Uniform, observed  1000000.0000") && lines[4].contains("-inf"), "{error}");
}

#[test]
fn a_term_of_the_table_is_the_log_density_with_its_jacobian() {
    let y = Tensor::scalar(1.0);
    let mut density = ModelDensity::new(scaled, &y).unwrap();
    let position = [2.5, 0.4, 1.0, -2.0];
    let explanation = density.explain(&position).unwrap();
    let total: f64 = explanation.terms.iter().map(|term| term.log_density).sum();
    assert!((total - density.log_density(&position).unwrap()).abs() < 1e-12);
    let tau = 0.4_f64.exp();
    let half_cauchy = (2.0 / (std::f64::consts::PI * 5.0 * (1.0 + (tau / 5.0).powi(2)))).ln() + 0.4;
    assert!((explanation.terms[1].log_density - half_cauchy).abs() < 1e-14, "{explanation}");
    let mut gradient = vec![0.0; 4];
    density.evaluate(&position, &mut gradient).unwrap();
    let found: Vec<f64> = explanation.terms.iter().flat_map(|term| term.gradient.clone()).collect();
    assert_eq!(found, gradient);
    assert_eq!(explanation.at_fault().count(), 0);
}
