//! Evidence and posteriors by particles that go from the prior to the posterior, against closed forms and quadrature.

use ppl::infer::monte_carlo::{MonteCarloError, Moves, Tempered, TemperedDraws, TemperedOptions};
use ppl::prelude64::*;

use crate::closed_forms::{PRIOR, Points, Scalar, log_evidence, mean_of, normal, points, posterior};
use crate::estimate::Estimate;
use crate::threads::same_on_any;

fn options(particles: usize, moves: Moves) -> TemperedOptions {
    TemperedOptions { particles, moves, ..TemperedOptions::default() }
}

/// The evidence in units of the exact one, and the mean of a number of the posterior, over 12 seeds: within six standard
/// errors (Student's t with 11 degrees of freedom: false alarms below 1e-4 each) and a bias of the order 1 / particles.
#[track_caller]
fn agrees(
    what: &str,
    run: impl Fn(TemperedOptions) -> TemperedDraws<f64>,
    options: &TemperedOptions,
    log_evidence: f64,
    (name, f, mean): (&str, fn(f64) -> f64, f64),
) {
    let (mut ratios, mut means) = (Vec::new(), Vec::new());
    for seed in 0..12 {
        let found = run(TemperedOptions { seed, ..options.clone() });
        ratios.push((found.log_evidence() - log_evidence).exp());
        let numbers = found.draws().quantity(name).expect("a variable").concat();
        means.push(numbers.iter().map(|&x| f(x)).sum::<f64>() / numbers.len() as f64);
        let last = found.temperatures().last().expect("a temperature");
        assert!(last.power == 1.0 && last.acceptance > 0.05, "{what}: {last:?}");
        assert!(found.temperatures().iter().map(|t| t.power).is_sorted(), "{what}");
    }
    Estimate::of(&ratios).agrees(&format!("{what}, evidence"), 1.0, 0.02, 0.1);
    Estimate::of(&means).agrees(&format!("{what}, mean"), mean, 0.01, 0.05);
}

#[test]
fn a_conjugate_mean() {
    let x = points();
    let run = |options| Tempered::new(mean_of, (&x,), options).run().expect("particles");
    let (evidence, [loc, _]) = (log_evidence(PRIOR, &x.to_vec()), posterior(PRIOR, &x.to_vec()));
    for moves in [Moves::RandomWalk(4), Moves::Hmc(2), Moves::Nuts(1)] {
        let mean: (&str, fn(f64) -> f64, f64) = ("mu", |x| x, loc);
        agrees(&format!("{moves:?}"), run, &options(100, moves), evidence, mean);
    }
}

#[model]
fn waiting(x: &Points) {
    let rate: Scalar = sample!("rate", Gamma::new(2.0, 0.9));
    plate!("data", 3, |_| {
        sample!("x", Exponential::new(rate.broadcast::<Rank1<3>, _>()), obs = x);
    });
}

#[test]
fn a_positive_rate_with_its_jacobian() {
    // Far from the prior, so that there are temperatures between.
    let x = Tensor::from([0.02, 0.05, 0.01]);
    let (a, b, n) = (2.0, 0.9, 3.0);
    let sum = 0.08;
    // Γ(5) / Γ(2) = 24.
    let evidence = a * f64::ln(b) + 24.0_f64.ln() - (a + n) * f64::ln(b + sum);
    let run = |options| Tempered::new(waiting, (&x,), options).run().expect("particles");
    let options = TemperedOptions { ess: 0.8, ..options(150, Moves::RandomWalk(4)) };
    agrees("a rate", run, &options, evidence, ("rate", |x| x, (a + n) / (b + sum)));
}

/// Two modes of unequal weight, far apart: 0.3 of the likelihood at −3 and 0.7 at 3.
#[model]
fn two_modes() {
    let z: Scalar = sample!("z", Normal::new(0.5, 3.0));
    let near = |at: f64| ((&z - at) / 0.3).powi(2) * -0.5;
    factor!("modes", (near(-3.0).exp() * 0.3 + near(3.0).exp() * 0.7).ln());
}

#[test]
fn two_modes_by_quadrature() {
    let density = |z: f64| {
        let near = |at: f64| (-0.5 * ((z - at) / 0.3_f64).powi(2)).exp();
        normal(z, 0.5, 3.0).exp() * (0.3 * near(-3.0) + 0.7 * near(3.0))
    };
    // The trapezoidal rule is exact to rounding for what is smooth and vanishes at both ends.
    let over = |from: f64, to: f64| {
        let n = 20_000;
        let at = |i: i32| from + (to - from) * f64::from(i) / f64::from(n);
        (1..n).map(|i| density(at(i))).sum::<f64>() * (to - from) / f64::from(n)
    };
    let (left, right) = (over(-8.0, 0.0), over(0.0, 8.0));
    let run = |options| Tempered::new(two_modes, (), options).run().expect("particles");
    let is_right: fn(f64) -> f64 = |z| f64::from(z > 0.0);
    agrees(
        "two modes",
        run,
        &options(250, Moves::RandomWalk(4)),
        (left + right).ln(),
        ("z", is_right, right / (left + right)),
    );
}

#[model]
fn hidden(wall: f64, scale: f64) {
    let z: Scalar = sample!("z", Normal::standard(), scale = scale);
    let inside = if z.item() > wall { 0.0 } else { f64::NEG_INFINITY };
    factor!("wall", Scalar::scalar(inside));
}

#[model]
fn summed() {
    let k: Scalar = sample!("k", Bernoulli::new(0.5), enumerate);
    sample!("y", Normal::new(k, 1.0), obs = Scalar::scalar(0.3));
}

#[test]
fn what_cannot_be_annealed_is_named() {
    let run = |wall: f64, scale: f64| Tempered::new(hidden, (wall, scale), options(60, Moves::RandomWalk(2))).run();
    let half = run(0.0, 1.0).expect("half of the prior");
    assert!(half.positions().iter().all(|z| z[0] > 0.0) && half.temperatures().len() == 1);
    let error = run(9.0, 1.0).expect_err("a wall before all of the prior");
    assert!(matches!(&error, MonteCarloError::Impossible { site, count: 60, .. } if site == "wall"), "{error}");
    let error = run(0.0, 0.5).expect_err("a scaled prior");
    assert!(error.to_string().contains("site `z`: its log-density is multiplied by 0.5"), "{error}");
    let error = Tempered::new(summed, (), TemperedOptions::default()).run().expect_err("a sum");
    assert!(error.to_string().contains("site `k`: it is to be summed out"), "{error}");
    for wrong in
        [TemperedOptions { particles: 1, ..Default::default() }, TemperedOptions { ess: 1.0, ..Default::default() }]
    {
        let error = Tempered::new(two_modes, (), wrong).run().expect_err("options that mean nothing");
        assert!(matches!(error, MonteCarloError::Options(_)), "{error}");
    }
}

#[test]
fn threads_do_not_change_temperatures() {
    same_on_any(|| {
        let found = Tempered::new(two_modes, (), options(70, Moves::Hmc(1))).run().expect("particles");
        (found.temperatures().to_vec(), found.positions().to_vec())
    });
}
