//! Draws by rejection against exact conditional probabilities.

use ppl::infer::Rejection;
use ppl::infer::monte_carlo::MonteCarloError;
use ppl::prelude64::*;

use crate::closed_forms::{Scalar, log_evidence, normal, posterior};
use crate::threads::same_on_any;

/// Three coins of which at least two show heads.
#[model]
fn coins() {
    let a: Scalar = sample!("a", Bernoulli::new(0.3));
    let b: Scalar = sample!("b", Bernoulli::new(0.6));
    let c: Scalar = sample!("c", Bernoulli::new(0.5));
    let heads = (a + b + c).item();
    factor!("two", Scalar::scalar(if heads >= 2.0 { 0.0 } else { f64::NEG_INFINITY }));
}

/// Within five standard errors of 2000 draws: false alarms below 6e-7 each.
#[test]
fn coins_given_that_two_show_heads() {
    let found = Rejection::new(coins, ()).draws(2000).seed(1).run().expect("draws");
    // P(a, b), P(a, c), P(b, c) without the third, and all three.
    let [ab, ac, bc, abc] = [0.3 * 0.6 * 0.5, 0.3 * 0.4 * 0.5, 0.7 * 0.6 * 0.5, 0.3 * 0.6 * 0.5];
    let evidence: f64 = ab + ac + bc + abc;
    let estimate = found.log_evidence();
    assert!((estimate.mean - evidence.ln()).abs() < 5.0 * estimate.standard_error && estimate.standard_error < 0.03);
    for (what, mean, exact) in [
        ("a", found.expectation(|t| t.a.value.item()), ab + ac + abc),
        ("a and b", found.expectation(|t| t.a.value.item() * t.b.value.item()), ab + abc),
        ("all", found.expectation(|t| t.a.value.item() * t.b.value.item() * t.c.value.item()), abc),
    ] {
        assert!((mean.mean - exact / evidence).abs() < 5.0 * mean.standard_error, "{what}: {mean:?}");
    }
}

#[model]
fn one_mean(x: f64, sd: f64) {
    let mu: Scalar = sample!("mu", Normal::new(0.3, 1.5));
    sample!("x", Normal::new(mu, sd), obs = Scalar::scalar(x));
}

#[test]
fn a_bounded_density_gives_exact_draws() {
    let (x, bound) = (1.2, normal(0.0, 0.0, 0.8));
    let found = Rejection::new(one_mean, (x, 0.8)).log_bound(bound).draws(2000).seed(2).run().expect("draws");
    let [loc, sd] = posterior([0.3, 1.5], &[x]);
    let mean = found.expectation(|t| t.mu.value.item());
    let variance = found.expectation(|t| (t.mu.value.item() - loc).powi(2));
    assert!((mean.mean - loc).abs() < 5.0 * mean.standard_error, "{mean:?} {loc}");
    assert!((variance.mean - sd * sd).abs() < 5.0 * variance.standard_error, "{variance:?} {sd}");
    let evidence = found.log_evidence();
    let exact = log_evidence([0.3, 1.5], &[x]);
    assert!((evidence.mean - exact).abs() < 5.0 * evidence.standard_error, "{evidence:?} {exact}");
}

#[test]
fn what_cannot_be_exact_is_an_error() {
    let above = Rejection::new(one_mean, (0.3, 0.1)).run().expect_err("a density above 1");
    assert!(matches!(&above, MonteCarloError::Bound { site, .. } if site == "x"), "{above}");
    assert!(above.to_string().contains("above the bound 0, most of it from site `x`"), "{above}");
    let spent = Rejection::new(one_mean, (50.0, 0.8)).budget(3000).draws(5).run().expect_err("too far");
    assert_eq!(spent, MonteCarloError::Budget { accepted: 0, wanted: 5, attempts: 3000 });
}

#[test]
fn threads_do_not_change_what_is_accepted() {
    same_on_any(|| {
        let found = Rejection::new(coins, ()).draws(1500).seed(3).run().expect("draws");
        (found.attempts(), found.traces().iter().map(|t| t.a.value.item()).sum::<f64>())
    });
}
