//! Objectives of weighed runs against quadrature over the values of two runs: Rényi's bound, reweighted wake-sleep,
//! tail-adaptive weights.

use ppl::infer::{Objective, RenyiElbo, ReweightedWakeSleep, Sgd, Svi, TailAdaptive};
use ppl::prelude64::*;
use ppl::{Cpu, Error};

use crate::estimate::Estimate;
use crate::gradients::{estimates_of, loss_and_gradient};
use crate::scored::Scored;

type Scalar = Tensor<()>;

#[model]
pub(crate) fn shifted(x: &Scalar) {
    let theta: Scalar = param!("theta", Scalar::scalar(0.2));
    let z: Scalar = sample!("z", Normal::new(theta, 1.0));
    sample!("x", Normal::new(z, 1.0), obs = x);
}

#[guide(shifted)]
pub(crate) fn pathwise(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    sample!("z", Normal::new(loc, scale));
}

#[guide(shifted)]
pub(crate) fn scored(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    sample!("z", Scored(Normal::new(loc, scale)));
}

const X: f64 = 2.0;
/// loc, ln scale, theta: in the order of the parameters.
const AT: [f64; 3] = [0.5, -0.223_143_551_314_209_7, 0.2];

fn ln_normal(x: f64, loc: f64, ln_scale: f64) -> f64 {
    -0.5 * ((x - loc) / ln_scale.exp()).powi(2) - ln_scale - 0.5 * (2.0 * std::f64::consts::PI).ln()
}

fn ln_weight(z: f64, [loc, ln_scale, theta]: [f64; 3]) -> f64 {
    ln_normal(z, theta, 0.0) + ln_normal(X, z, 0.0) - ln_normal(z, loc, ln_scale)
}

/// The mean of numbers over the values of two independent runs of the guide: the trapezoidal rule.
fn mean_over_two<const N: usize>(at: [f64; 3], f: impl Fn([f64; 2]) -> [f64; N]) -> [f64; N] {
    let (steps, reach) = (300, 8.0);
    let width = 2.0 * reach / f64::from(steps);
    let nodes: Vec<(f64, f64)> = (0..=steps)
        .map(|i| f64::from(i) * width - reach)
        .map(|e| (at[0] + at[1].exp() * e, ln_normal(e, 0.0, 0.0).exp() * width))
        .collect();
    let mut mean = [0.0; N];
    for &(a, p) in &nodes {
        for &(b, q) in &nodes {
            mean.iter_mut().zip(f([a, b])).for_each(|(mean, number)| *mean += p * q * number);
        }
    }
    mean
}

/// −E of Rényi's bound of two runs, and its derivatives by central differences.
fn renyi_of_two(alpha: f64) -> [f64; 4] {
    let power = 1.0 - alpha;
    let loss = |at| {
        let bound = |z: [f64; 2]| (0.5 * z.map(|z| (power * ln_weight(z, at)).exp()).iter().sum::<f64>()).ln() / power;
        -mean_over_two(at, |z| [bound(z)])[0]
    };
    let slope = |i: usize| {
        let moved = |by: f64| loss(std::array::from_fn(|j| if i == j { AT[j] + by } else { AT[j] }));
        (moved(1e-4) - moved(-1e-4)) / 2e-4
    };
    [loss(AT), slope(0), slope(1), slope(2)]
}

/// Normalised weights of two runs.
fn shares(z: [f64; 2]) -> [f64; 2] {
    let first = 1.0 / (1.0 + (ln_weight(z[1], AT) - ln_weight(z[0], AT)).exp());
    [first, 1.0 - first]
}

/// Thousands of steps: within six standard errors (false alarms below 1e-8 each), which must be small.
pub(crate) fn check(what: &str, found: &[Estimate], exact: &[f64], slack: f64) {
    assert_eq!(found.len(), exact.len(), "{what}");
    for (i, (found, &exact)) in found.iter().zip(exact).enumerate() {
        found.agrees(&format!("{what}, number {i}"), exact, slack, 0.08);
    }
}

fn estimated(objective: impl Objective<f64, Cpu>, runs: u64) -> Vec<Estimate> {
    estimates_of((&shifted, &pathwise), (&Scalar::scalar(X),), objective, runs, 10_000)
}

fn estimated_by_scores(objective: impl Objective<f64, Cpu>, runs: u64) -> Vec<Estimate> {
    estimates_of((&shifted, &scored), (&Scalar::scalar(X),), objective, runs, 10_000)
}

#[test]
fn renyi_bounds_of_two_runs() {
    for alpha in [0.0, 0.5, -0.5, 2.0] {
        let exact = renyi_of_two(alpha);
        check(&format!("order {alpha}"), &estimated(RenyiElbo::new(alpha, 2), 2), &exact, 1e-6);
        check(&format!("order {alpha}, scored"), &estimated_by_scores(RenyiElbo::new(alpha, 2), 2), &exact, 1e-6);
    }
    let twice = RenyiElbo::importance_weighted(2).doubly_reparameterized();
    check("doubly reparameterised", &estimated(twice, 2), &renyi_of_two(0.0), 1e-6);
}

/// Of one run every order is the evidence lower bound.
#[test]
fn of_one_run_every_order_is_the_evidence_lower_bound() {
    let ([m, ln_s, theta], s2) = (AT, 0.64);
    let ln_two_pi = (2.0 * std::f64::consts::PI).ln();
    let square = |c: f64| (c - m).powi(2) + s2;
    let loss = 0.5 * (square(theta) + square(X)) + 0.5 * (ln_two_pi - 1.0) - ln_s;
    let exact = [loss, 2.0 * m - X - theta, 2.0 * s2 - 1.0, theta - m];
    for alpha in [0.0, 0.5] {
        check("one run", &estimated(RenyiElbo::new(alpha, 1), 1), &exact, 0.0);
    }
    check("one scored run", &estimated_by_scores(RenyiElbo::new(0.0, 1), 1), &exact, 0.0);
}

/// −loss of each of 1600 steps.
fn bounds(alpha: f64, runs: u64) -> Vec<f64> {
    let (x, mut store, mut objective) = (Scalar::scalar(X), ParamStore::new(0), RenyiElbo::new(alpha, runs));
    (0..1600)
        .map(|t| -loss_and_gradient((&shifted, &pathwise), (&x,), &mut objective, &mut store, |p| t * runs + p)[0])
        .collect()
}

#[test]
fn the_importance_weighted_bound_grows_with_runs_towards_the_evidence() {
    let evidence = ln_normal(X, 0.2, 0.5 * 2.0_f64.ln());
    let found = [1, 4, 64].map(|runs| Estimate::of(&bounds(0.0, runs)));
    // The gaps to the evidence are about 0.4, 0.1 and 0.01; six standard errors of the differences, false alarms
    // below 1e-8.
    for pair in found.windows(2) {
        assert!(pair[1].mean - pair[0].mean > 6.0 * pair[0].se.hypot(pair[1].se), "{found:?}");
    }
    assert!(found[2].mean < evidence + 6.0 * found[2].se && evidence - found[2].mean < 0.05, "{found:?}, {evidence}");
}

/// On the same runs, as power means do.
#[test]
fn the_bound_falls_with_its_order() {
    let by_order = [-1.0, 0.0, 0.5, 0.999, 1.001, 3.0].map(|alpha| bounds(alpha, 8));
    for pair in by_order.windows(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(above, below)| above > below), "{by_order:?}");
    }
}

#[test]
fn wake_and_sleep_phases_of_two_runs() {
    let [m, _, theta] = AT;
    let s2 = 0.64;
    let [wake_loc, wake_scale, wake_theta] = mean_over_two(AT, |z| {
        let mut sum = [0.0; 3];
        for (z, w) in z.into_iter().zip(shares(z)) {
            sum[0] -= w * (z - m) / s2;
            sum[1] -= w * ((z - m).powi(2) / s2 - 1.0);
            sum[2] -= w * (z - theta);
        }
        sum
    });
    // Dreams have z ~ N(theta, 1).
    let sleep_loc = (m - theta) / s2;
    let sleep_scale = 1.0 - (1.0 + (theta - m).powi(2)) / s2;
    let loss = renyi_of_two(0.0)[0];

    let exact = [loss, wake_loc, wake_scale, wake_theta];
    check("wake", &estimated(ReweightedWakeSleep::with_particles(2), 2), &exact, 1e-6);
    check("wake, scored", &estimated_by_scores(ReweightedWakeSleep::with_particles(2), 2), &exact, 1e-6);

    let mixed = ReweightedWakeSleep { num_sleep_particles: Some(3), ..ReweightedWakeSleep::default() }.insomnia(0.3);
    let of = |wake: f64, sleep: f64| 0.3 * wake + 0.7 * sleep;
    let exact = [loss, of(wake_loc, sleep_loc), of(wake_scale, sleep_scale), wake_theta];
    // Dreams have the numbers after those of the two runs: five a step.
    check("wake and sleep", &estimated(mixed, 5), &exact, 1e-6);
}

#[test]
fn tail_adaptive_weights_of_two_runs() {
    let [m, _, theta] = AT;
    let exact = |greater: f64| {
        mean_over_two(AT, |z| {
            let [a, b] = z.map(|z| ln_weight(z, AT));
            let first = if a > b { greater } else { 1.0 - greater };
            let mut sum = [0.0; 4];
            for (z, w) in z.into_iter().zip([first, 1.0 - first]) {
                let slope = (theta - z) + (X - z) + (z - m) / 0.64;
                let terms = [ln_weight(z, AT), slope, slope * (z - m), z - theta];
                sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum -= w * term);
            }
            sum
        })
    };
    // The tail of the greater weight is half of the runs, of the lesser one all: 2 and 1. The quadrature cuts
    // its nodes' cells at the jump: 0.003.
    check("ranks", &estimated(TailAdaptive::with_particles(2), 2), &exact(2.0 / 3.0), 0.003);
    let alike = TailAdaptive { beta: 0.0, num_particles: 2 };
    check("alike", &estimated(alike, 2), &exact(0.5), 0.003);
}

#[test]
fn what_needs_pathwise_draws_names_the_site() {
    fn problem(objective: impl Objective<f64, Cpu>) -> String {
        let found: Result<f64, Error> = Svi::new(shifted, scored, Sgd::new(0.1), objective).step(&Scalar::scalar(X));
        found.expect_err("draws are scored").to_string()
    }
    let text = problem(TailAdaptive::with_particles(2));
    assert!(
        text.contains("site `z`") && text.contains("Scored") && text.contains("use TraceElbo or RenyiElbo"),
        "{text}"
    );
    let text = problem(RenyiElbo::importance_weighted(2).doubly_reparameterized());
    assert!(text.contains("site `z`") && text.contains("leave the option out"), "{text}");
}

#[test]
#[should_panic(expected = "use TraceElbo")]
fn order_one_is_another_objective() {
    let _ = RenyiElbo::new(1.0, 2);
}

#[test]
#[should_panic(expected = "order of RenyiElbo")]
fn a_doubly_reparameterised_gradient_is_of_order_zero() {
    let _ = RenyiElbo::new(0.5, 2).doubly_reparameterized();
}
