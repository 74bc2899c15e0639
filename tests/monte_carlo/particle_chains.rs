//! Markov chains made of particle filters: trajectories against the smoother, parameters against quadrature.

use ppl::infer::SmcFilter;
use ppl::infer::diagnostics::{Chains, mcse_mean, mean};
use ppl::infer::monte_carlo::{Ancestry, MonteCarloError, ParticleGibbs, Pmmh, PmmhOptions, StateSpace, Trajectory};
use ppl::prelude64::*;

use crate::closed_forms::{Scalar, normal};
use crate::kalman::{A, DATA, Kalman, Q, R, best_init, best_step, init, kalman, kalman_that_keeps, step};
use crate::threads::same_on_any;

/// The mean of dependent draws is within six of their standard errors, which are below `largest_error`: of 12 such numbers
/// a false alarm has a probability below 1e-6, if the errors were known exactly.
#[track_caller]
fn near(what: &str, chains: &[Vec<f64>], exact: f64, largest_error: f64) {
    let chains: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
    let chains = Chains::new(&chains).expect("chains of one length");
    let (found, error) = (mean(&chains), mcse_mean(&chains));
    assert!(error < largest_error, "{what}: an error of {error} tells nothing");
    assert!((found - exact).abs() < 6.0 * error, "{what}: {found} ± {error} for {exact}");
}

/// Data that draw states to and fro, so that weights matter.
const JUMPS: [f64; 4] = [2.0, -1.5, 1.0, -0.5];

#[track_caller]
fn has_the_smoothed_states<S>(what: &str, filter: &SmcFilter<S, f64, Cpu>, ancestry: Ancestry, sweeps: usize)
where
    S: StateSpace<Scalar, f64, f64, Cpu>,
{
    let chain: Vec<Trajectory<Scalar>> =
        ParticleGibbs::new(filter, &JUMPS).ancestry(ancestry).run(sweeps).expect("trajectories");
    let Kalman { filtered, smoothed, .. } = kalman(&JUMPS);
    for (time, [exact, variance]) in smoothed.iter().copied().enumerate() {
        let path: Vec<f64> = chain[10..].iter().map(|t| t.states()[time].item()).collect();
        let squares: Vec<f64> = path.iter().map(|x| (x - exact).powi(2)).collect();
        near(&format!("{what}, mean at {time}"), &[path], exact, 0.03);
        near(&format!("{what}, variance at {time}"), &[squares], variance, 0.02);
    }
    // States of neighbouring times belong to one another: their covariance is the smoother's gain times a variance.
    let gain = filtered[1][1] * A / (A * A * filtered[1][1] + Q * Q);
    let from_mean = |t: &Trajectory<Scalar>, time: usize| t.states()[time].item() - smoothed[time][0];
    let products: Vec<f64> = chain[10..].iter().map(|t| from_mean(t, 1) * from_mean(t, 2)).collect();
    near(&format!("{what}, covariance"), &[products], gain * smoothed[2][1], 0.02);
}

#[test]
fn trajectories_have_the_smoothed_states() {
    let filter = SmcFilter::new(init, step).seed(1);
    has_the_smoothed_states("kept", &filter.clone().particles(15), Ancestry::Kept, 2000);
    has_the_smoothed_states("chosen", &filter.clone().particles(4), Ancestry::Ahead(1), 3000);
}

#[test]
fn trajectories_by_guides_have_the_smoothed_states() {
    let guided = SmcFilter::new(init, step).seed(4).particles(5).with_guides(best_init, best_step);
    has_the_smoothed_states("guided", &guided, Ancestry::Ahead(1), 2500);
}

/// The same states, out of standard normal draws: a state is not what its step draws.
#[model]
fn init_by_noise(y: f64) -> Scalar {
    let x: Scalar = sample!("noise", Normal::standard());
    sample!("y", Normal::new(&x, R), obs = Scalar::scalar(y));
    x
}

#[model]
fn step_by_noise(before: &Scalar, _time: usize, y: f64) -> Scalar {
    let noise: Scalar = sample!("noise", Normal::standard());
    let x = before * A + noise * Q;
    sample!("y", Normal::new(&x, R), obs = Scalar::scalar(y));
    x
}

#[test]
fn a_past_is_chosen_by_the_whole_rest() {
    let filter = SmcFilter::new(init_by_noise, step_by_noise).particles(5).seed(2);
    has_the_smoothed_states("by noise", &filter, Ancestry::All, 2500);
}

#[guide(step)]
fn auxiliary_step(before: &Scalar, _time: usize, _y: f64) {
    let u: Scalar = sample!("u", Normal::standard(), auxiliary);
    sample!("x", Normal::new(before + u, 1.0));
}

#[test]
fn what_a_trajectory_cannot_keep_is_named() {
    let filter = SmcFilter::new(init, step).particles(5).with_guides(best_init, auxiliary_step);
    let error = ParticleGibbs::new(&filter, &DATA).run(2).expect_err("an auxiliary variable");
    assert!(error.to_string().contains("site `u`: values are given that the guide drew before"), "{error}");
    let one = SmcFilter::new(init, step).particles(1);
    let error = ParticleGibbs::new(&one, &DATA).run(2).expect_err("one particle");
    assert!(matches!(error, MonteCarloError::Options(_)), "{error}");
}

/// Which statement draws a state depends on the state before it.
#[model]
fn step_by_side(before: &Scalar, _time: usize, y: f64) -> Scalar {
    let x: Scalar = if before.item() > 0.0 {
        sample!("up": Scalar, Normal::new(0.8, 1.0))
    } else {
        sample!("down": Scalar, Normal::new(-0.8, 1.0))
    };
    sample!("y", Normal::new(&x, R), obs = Scalar::scalar(y));
    x
}

/// The means of all states given all data, by sums over a grid that has the edge at 0 between two of its points.
fn by_grid(data: &[f64]) -> Vec<f64> {
    let grid: Vec<f64> = (0..300).map(|i| f64::from(i) * 0.04 - 5.98).collect();
    let moved = |from: f64, to: f64| normal(to, if from > 0.0 { 0.8 } else { -0.8 }, 1.0).exp();
    let seen = |x: f64, y: f64| normal(y, x, R).exp();
    let mut forward = vec![grid.iter().map(|&x| normal(x, 0.0, 1.0).exp() * seen(x, data[0])).collect::<Vec<f64>>()];
    for &y in &data[1..] {
        let before = forward.last().expect("a time");
        let into = |&x: &f64| grid.iter().zip(before).map(|(&from, p)| p * moved(from, x)).sum::<f64>() * seen(x, y);
        forward.push(grid.iter().map(into).collect());
    }
    let mut after = vec![1.0; grid.len()];
    let mut means = vec![0.0; data.len()];
    for time in (0..data.len()).rev() {
        let both = || forward[time].iter().zip(&after).map(|(f, a)| f * a);
        means[time] = both().zip(&grid).map(|(p, x)| p * x).sum::<f64>() / both().sum::<f64>();
        let from =
            |&x: &f64| grid.iter().zip(&after).map(|(&to, a)| moved(x, to) * seen(to, data[time]) * a).sum::<f64>();
        after = grid.iter().map(from).collect();
    }
    means
}

#[test]
fn a_past_from_which_other_statements_follow_is_no_past() {
    let data = [0.4, -0.3, 0.6, 0.1];
    let filter = SmcFilter::new(init, step_by_side).particles(6).seed(3);
    let chain = ParticleGibbs::new(&filter, &data).run(1500).expect("trajectories");
    for (time, exact) in by_grid(&data).into_iter().enumerate() {
        let path: Vec<f64> = chain.iter().map(|t| t.states()[time].item()).collect();
        near(&format!("mean at {time}"), &[path], exact, 0.05);
    }
    let other = ParticleGibbs::new(&filter, &data[..3]);
    let error = other.step(chain.last(), 0).expect_err("another number of times");
    assert!(error.to_string().contains("a trajectory of 4 times was given to 3 data"), "{error}");
}

#[test]
fn threads_do_not_change_trajectories() {
    same_on_any(|| {
        let filter = SmcFilter::new(init, step).particles(70);
        let chain = ParticleGibbs::new(&filter, &DATA).ancestry(Ancestry::Ahead(1)).run(3).expect("trajectories");
        chain.iter().flat_map(|t| t.states().iter().map(|x| x.item()).collect::<Vec<_>>()).collect::<Vec<_>>()
    });
}

/// The share of a state that is kept.
#[model]
fn kept() {
    sample!("a": Scalar, Normal::new(0.5, 0.5));
}

#[model]
fn step_that_keeps(before: &Scalar, _time: usize, datum: (f64, f64)) -> Scalar {
    let (a, y) = datum;
    let x: Scalar = sample!("x", Normal::new(before * a, Q));
    sample!("y", Normal::new(&x, R), obs = Scalar::scalar(y));
    x
}

#[model]
fn init_that_keeps(datum: (f64, f64)) -> Scalar {
    let x: Scalar = sample!("x", Normal::new(0.0, 1.0));
    sample!("y", Normal::new(&x, R), obs = Scalar::scalar(datum.1));
    x
}

/// The posterior of a state given the one before it and its datum: estimates of small variance.
#[guide(step_that_keeps)]
fn best_step_that_keeps(before: &Scalar, _time: usize, datum: (f64, f64)) {
    let (a, y) = datum;
    let variance = (Q.powi(-2) + R.powi(-2)).recip();
    sample!("x", Normal::new((before * (a * Q.powi(-2)) + y * R.powi(-2)) * variance, variance.sqrt()));
}

#[guide(init_that_keeps)]
fn best_init_that_keeps(datum: (f64, f64)) {
    let variance = (1.0 + R.powi(-2)).recip();
    sample!("x", Normal::new(variance * datum.1 * R.powi(-2), variance.sqrt()));
}

#[test]
fn parameters_by_estimated_likelihoods() {
    let likelihood = |prior: &KeptTrace, seed: u64| {
        let data = DATA.map(|y| (prior.a.value.item(), y));
        let filter = SmcFilter::new(init_that_keeps, step_that_keeps).particles(12).seed(seed);
        let filter = filter.with_guides(best_init_that_keeps, best_step_that_keeps);
        Ok(filter.run(&data)?.log_evidence())
    };
    let options = PmmhOptions { warmup: 150, draws: 1200, ..PmmhOptions::default() };
    let draws = Pmmh::new(kept, (), likelihood, options).expect("a prior").run().expect("chains");
    let chains: Vec<Vec<f64>> = draws.quantity("a").expect("a").iter().map(|chain| chain.to_vec()).collect();

    let grid: Vec<f64> = (0..=800).map(|i| f64::from(i) * 0.005 - 1.5).collect();
    let weight = |a: f64| (normal(a, 0.5, 0.5) + kalman_that_keeps(a, &DATA).log_evidence).exp();
    let over = |f: &dyn Fn(f64) -> f64| grid.iter().map(|&a| f(a) * weight(a)).sum::<f64>();
    let exact = over(&|a| a) / over(&|_| 1.0);
    let variance = over(&|a| (a - exact).powi(2)) / over(&|_| 1.0);
    near("mean", &chains, exact, 0.03);
    let squares: Vec<Vec<f64>> =
        chains.iter().map(|chain| chain.iter().map(|a| (a - exact).powi(2)).collect()).collect();
    near("variance", &squares, variance, 0.015);
}
