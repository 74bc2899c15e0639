//! Stein variational gradient descent: its direction by the formula, and known posteriors.

use std::convert::Infallible;

use ppl::infer::optim::AdamRule;
use ppl::infer::svgd::{Bandwidth, Coordinates, SteinKernel, SvgdError, direction};
use ppl::infer::{InitStrategy, LogDensity, ModelDensity, Svgd, SvgdOptions, Target};
use ppl::prelude64::*;

const POSITIONS: [f64; 8] = [0.3, -1.0, 1.2, 0.4, -0.7, 2.1, 0.9, -0.2];
const SCORES: [f64; 8] = [0.5, 0.1, -2.0, 0.3, 1.1, -0.4, 0.2, 0.7];

/// The direction term by term, the kernel's gradient by central differences.
fn by_formula(kernel: impl Fn(&[f64], &[f64]) -> f64) -> Vec<f64> {
    let row = |i: usize| POSITIONS[2 * i..2 * i + 2].to_vec();
    let mut found = Vec::new();
    for (i, at) in (0..4).flat_map(|i| [(i, 0), (i, 1)]) {
        let mut sum = 0.0;
        for j in 0..4 {
            let moved = |by: f64| {
                let mut x = row(j);
                x[at] += by;
                kernel(&x, &row(i))
            };
            sum += moved(0.0) * SCORES[2 * j + at] + (moved(1e-5) - moved(-1e-5)) / 2e-5;
        }
        found.push(sum / 4.0);
    }
    found
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-8), "{found:?}, not {expected:?}");
}

fn square(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum()
}

fn middle(mut squares: Vec<f64>) -> f64 {
    squares.sort_by(f64::total_cmp);
    0.5 * (squares[2] + squares[3])
}

fn pairs(of: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..4).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| of(i, j)).collect()
}

#[test]
fn the_direction_is_the_formula() {
    let found = |kernel, coordinates| direction(kernel, coordinates, 2, &POSITIONS, &SCORES);
    let row = |i: usize| &POSITIONS[2 * i..2 * i + 2];
    let h = middle(pairs(|i, j| square(row(i), row(j)))) / 5.0_f64.ln();
    let rbf = by_formula(|x, y| (-square(x, y) / h).exp());
    assert_near(&found(SteinKernel::default(), Coordinates::Joint), &rbf);
    let imq = by_formula(|x, y| (1.0 + square(x, y) / 1.7).powf(-0.5));
    assert_near(&found(SteinKernel::Imq(Bandwidth::Fixed(1.7), -0.5), Coordinates::Joint), &imq);

    let each = found(SteinKernel::imq(), Coordinates::Each);
    for at in 0..2 {
        let h = middle(pairs(|i, j| square(&row(i)[at..=at], &row(j)[at..=at]))) / 5.0_f64.ln();
        let one = by_formula(|x, y| (1.0 + square(&x[at..=at], &y[at..=at]) / h).powf(-0.5));
        let of = |all: &[f64]| all.iter().skip(at).step_by(2).copied().collect::<Vec<_>>();
        assert_near(&of(&each), &of(&one));
    }
}

/// A normal of two numbers with means 1 and −1, variances 1 and 2, covariance 0.8.
#[derive(Clone)]
struct Correlated;

impl LogDensity<f64> for Correlated {
    type Error = Infallible;

    fn dim(&self) -> usize {
        2
    }

    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64, Infallible> {
        let (a, b, det) = (x[0] - 1.0, x[1] + 1.0, 2.0 - 0.64);
        gradient[0] = -(2.0 * a - 0.8 * b) / det;
        gradient[1] = -(b - 0.8 * a) / det;
        Ok(0.5 * (a * gradient[0] + b * gradient[1]))
    }
}

impl Target<f64> for Correlated {}

/// Means and second central moments of the particles: two means, two variances, the covariance.
fn moments(svgd: &Svgd<Correlated, AdamRule, f64>) -> [f64; 5] {
    let rows: Vec<&[f64]> = svgd.positions().collect();
    let mean = |f: &dyn Fn(&[f64]) -> f64| rows.iter().map(|row| f(row)).sum::<f64>() / rows.len() as f64;
    let (a, b) = (mean(&|x| x[0]), mean(&|x| x[1]));
    let product = |i: usize, j: usize| mean(&|x| (x[i] - [a, b][i]) * (x[j] - [a, b][j]));
    [a, b, product(0, 0), product(1, 1), product(0, 1)]
}

/// Finite particles lie closer together than draws do: means within 0.02, the rest within 15 %.
#[test]
fn a_correlated_normal() {
    for kernel in [SteinKernel::default(), SteinKernel::imq()] {
        let options = SvgdOptions { num_particles: 60, kernel, seed: 3, ..SvgdOptions::default() };
        let mut svgd = Svgd::new(Correlated, AdamRule::default(), 0.05, options).unwrap();
        let report = svgd.run(600).unwrap();
        let found = moments(&svgd);
        assert!((found[0] - 1.0).abs() < 0.02 && (found[1] + 1.0).abs() < 0.02, "{kernel:?}: {found:?}");
        for (found, exact) in found[2..].iter().zip([1.0, 2.0, 0.8]) {
            assert!((found / exact - 1.0).abs() < 0.15, "{kernel:?}: {found}, not {exact}");
        }
        assert!(report[599].direction < 0.05 * report[0].direction, "{:?} {:?}", report[0], report[599]);
        assert_eq!(report[599].step, 600);
    }
}

#[model]
fn waiting(x: &Tensor<Rank1<3>>) {
    let rate: Tensor<()> = sample!("rate", Gamma::new(2.0, 0.9));
    let rate = rate.broadcast::<Rank1<3>, _>();
    plate!("data", 3, |_| {
        sample!("x", Exponential::new(rate), obs = x);
    });
}

/// The posterior is Gamma(5, 3.9), of mean 1.282 and sd 0.573.
#[test]
fn particles_of_a_model_are_constrained_draws_by_name() {
    let x: Tensor<Rank1<3>> = Tensor::from([0.7, 1.9, 0.4]);
    let run = || {
        let options = SvgdOptions { num_particles: 50, init: InitStrategy::Prior, ..SvgdOptions::default() };
        let mut svgd = Svgd::new(ModelDensity::new(waiting, &x).unwrap(), AdamRule::default(), 0.05, options).unwrap();
        svgd.run(300).unwrap();
        svgd.draws().unwrap()
    };
    let draws = run();
    let rates = &draws.quantity("rate").unwrap()[0];
    assert_eq!(rates.len(), 50);
    let mean = rates.iter().sum::<f64>() / 50.0;
    let sd = (rates.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 50.0).sqrt();
    assert!(rates.iter().all(|&r| r > 0.0) && (mean - 1.282).abs() < 0.05 && (sd - 0.573).abs() < 0.08, "{mean} {sd}");
    assert_eq!(draws, run(), "the same seed, the same particles");
}

#[test]
fn a_target_without_a_prior_says_so() {
    let options = SvgdOptions { init: InitStrategy::Prior, ..SvgdOptions::default() };
    let error = Svgd::<_, _, f64>::new(Correlated, AdamRule::default(), 0.1, options).map(|_| ()).unwrap_err();
    assert!(matches!(error, SvgdError::Strategy { .. }) && error.to_string().contains("Uniform"), "{error}");
}
