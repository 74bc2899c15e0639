//! Posteriors against Bayes' rule on a grid: prior times likelihood, divided by its sum.

use super::*;
use crate::autodiff::grad;
use crate::{Axis, Cpu, Tensor};

/// The posterior's log-density by the trapezoidal rule in a coordinate u on the real line, in which
/// what is summed falls off at both ends, and at some of the grid's points the value with it.
fn by_grid(value: fn(f64) -> (f64, f64), log_joint: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    const STEP: f64 = 0.005;
    let points: Vec<(f64, f64, f64)> = (-8000..=8000)
        .map(|i| {
            let (x, slope) = value(STEP * f64::from(i));
            (x, slope, log_joint(x))
        })
        .collect();
    let top = points.iter().map(|p| p.2).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = points.iter().map(|(_, slope, log)| slope * (log - top).exp() * STEP).sum();
    points.iter().filter(|p| p.2 > top - 30.0).step_by(7).map(|p| (p.0, p.2 - top - total.ln())).collect()
}

/// A positive number, and its derivative.
fn positive(u: f64) -> (f64, f64) {
    (u.exp(), u.exp())
}

/// A number in the unit interval.
fn share(u: f64) -> (f64, f64) {
    let x = 1.0 / (1.0 + (-u).exp());
    (x, x * (1.0 - x))
}

/// The log-density of a distribution of one number.
fn log_density<P>(distribution: &P) -> impl Fn(f64) -> f64
where
    P: Distribution<f64, Cpu, Value = Tensor<(), f64>, Batch = ()>,
{
    |x| distribution.log_prob(&Tensor::scalar(x)).item()
}

fn agree<P>(prior: &P, posterior: &P, value: fn(f64) -> (f64, f64), log_likelihood: impl Fn(f64) -> f64)
where
    P: Distribution<f64, Cpu, Value = Tensor<(), f64>, Batch = ()>,
{
    let log_prior = log_density(prior);
    let expected = by_grid(value, |x| match log_prior(x) {
        // Where a coordinate of the grid rounds to an end.
        infinite if infinite.is_infinite() => f64::NEG_INFINITY,
        log => log + log_likelihood(x),
    });
    assert!(expected.len() > 10, "{} points", expected.len());
    for (x, expected) in expected {
        let found = log_density(posterior)(x);
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "at {x}: {found}, {expected}");
    }
}

fn vector(values: &[f64]) -> Tensor<(usize,), f64> {
    Tensor::vector(values.to_vec())
}

#[test]
fn a_beta_prior_of_zeros_and_ones() {
    let prior = Beta::new(Tensor::scalar(1.5), 2.5);
    let seen = vector(&[1.0, 0.0, 1.0, 1.0, 1.0]);
    let posterior = prior.posterior(&BernoulliSample::of::<_, Axis<0>>(&seen));
    agree(&prior, &posterior, share, |p| 4.0 * p.ln() + (1.0 - p).ln());
    // Four of five.
    let binomial = prior.posterior(&BernoulliSample::new(4.0, 1.0));
    assert_eq!(binomial.concentration1().item(), posterior.concentration1().item());
    assert_eq!(binomial.concentration0().item(), posterior.concentration0().item());
}

#[test]
fn a_gamma_prior_of_counts() {
    let prior = Gamma::new(Tensor::scalar(2.5), 0.7);
    let counts = [3.0, 0.0, 5.0, 1.0];
    let posterior = prior.posterior(&PoissonSample::of::<_, Axis<0>>(&vector(&counts)));
    agree(&prior, &posterior, positive, |rate| counts.iter().map(|k| k * rate.ln() - rate).sum());
}

#[test]
fn a_gamma_prior_of_waiting_times() {
    let prior = Gamma::new(Tensor::scalar(2.5), 0.7);
    let times = [0.3, 2.5, 0.01];
    let posterior = prior.posterior(&ExponentialSample::of::<_, Axis<0>>(&vector(&times)));
    agree(&prior, &posterior, positive, |rate| times.iter().map(|t| rate.ln() - rate * t).sum());
}

#[test]
fn a_normal_prior_of_a_loc() {
    let prior = Normal::new(Tensor::scalar(1.0), 2.0);
    let values = [0.5, 3.0, 2.25, -1.0];
    let posterior = prior.posterior(&NormalSample::of::<_, Axis<0>>(&vector(&values), 1.5));
    let log_likelihood = |loc: f64| values.iter().map(|x| -0.5 * ((x - loc) / 1.5).powi(2)).sum();
    agree(&prior, &posterior, |u| (u, 1.0), log_likelihood);
}

#[test]
fn priors_of_a_variance_and_of_a_precision() {
    let (values, loc) = ([0.5, 3.0, 2.25], Tensor::scalar(1.25));
    let sample = NormalDeviations::of::<_, Axis<0>>(&vector(&values), &loc);
    let square = |x: &f64| (x - 1.25) * (x - 1.25);
    let prior = InverseGamma::new(Tensor::scalar(1.5), 0.8);
    let of_variance = |v: f64| values.iter().map(|x| -0.5 * v.ln() - 0.5 * square(x) / v).sum();
    agree(&prior, &prior.posterior(&sample), positive, of_variance);
    let prior = Gamma::new(Tensor::scalar(1.5), 0.8);
    let of_precision = |p: f64| values.iter().map(|x| 0.5 * p.ln() - 0.5 * square(x) * p).sum();
    agree(&prior, &prior.posterior(&sample), positive, of_precision);
}

/// On a grid of two log-odds against the third category.
#[test]
fn a_dirichlet_prior_of_categories() {
    const STEP: f64 = 0.08;
    let prior = Dirichlet::new(Tensor::<(usize,), f64>::vector(vec![2.0, 1.0, 1.5]));
    let seen: Tensor<(usize,), usize> = Tensor::from_vec(vec![0, 2, 0, 1, 0, 1], (6,));
    let posterior = prior.posterior(&CategoricalSample::of((3,), &seen));
    let density = |d: &Dirichlet<(usize,), f64, Cpu>, p: [f64; 3]| d.log_prob(&vector(&p)).item();
    let joint = |p: [f64; 3]| (density(&prior, p) + 3.0 * p[0].ln() + 2.0 * p[1].ln() + p[2].ln()).exp();
    let point = |i: i32, j: i32| {
        let odds = [(STEP * f64::from(i)).exp(), (STEP * f64::from(j)).exp(), 1.0];
        odds.map(|o| o / odds.iter().sum::<f64>())
    };
    let total: f64 = (-170..=170)
        .flat_map(|i| (-170..=170).map(move |j| point(i, j)))
        .map(|p| joint(p) * p.iter().product::<f64>() * STEP * STEP)
        .sum();
    for (i, j) in [(0, 0), (10, -10), (-30, 5), (25, 20)] {
        let (found, expected) = (density(&posterior, point(i, j)), (joint(point(i, j)) / total).ln());
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found}, {expected}");
    }
}

#[test]
fn each_element_of_a_batch_has_its_own_sample() {
    let counts = Tensor::<_, f64>::from([[1.0, 4.0], [2.0, 0.0], [6.0, 1.0]]);
    let posterior = Gamma::new(Tensor::from([1.0, 2.0]), 0.5).posterior(&PoissonSample::of::<_, Axis<0>>(&counts));
    assert_eq!(posterior.concentration().to_vec(), [10.0, 7.0]);
    assert_eq!(posterior.rate().to_vec(), [3.5, 3.5]);
    let seen: Tensor<(usize, usize), usize> = Tensor::from_vec(vec![0, 1, 0, 0, 1, 1], (3, 2));
    let prior = Dirichlet::new(Tensor::<_, f64>::from([[1.0, 1.0], [1.0, 1.0]]));
    let posterior = prior.posterior(&CategoricalSample::of(Default::default(), &seen));
    assert_eq!(posterior.concentration().to_vec(), [3.0, 2.0, 2.0, 3.0]);
}

#[test]
fn no_values_leave_the_prior_and_scales_do_not_overflow() {
    let prior = Normal::new(Tensor::<(), f32>::scalar(1.0), 1e30);
    let same = prior.posterior(&NormalSample::of::<_, Axis<0>>(&Tensor::<(usize,), f32>::vector(Vec::new()), 1.0));
    assert_eq!(same.loc().item(), 1.0);
    assert!((same.scale().item() / 1e30 - 1.0).abs() < 1e-5, "{:e}", same.scale().item());
    let known = prior.posterior(&NormalSample::new(5.0, 4.0, 1e-30));
    assert_eq!(known.loc().item(), 5.0);
    assert!((known.scale().item() / 5e-31 - 1.0).abs() < 1e-6, "{:e}", known.scale().item());
}

/// Precisions weighed with 50 digits (mpmath).
#[test]
fn a_vague_prior_far_away_leaves_the_sample_its_digits() {
    // loc and scale of the prior; mean, count and scale of the sample; loc and scale of the posterior.
    let cases: [[f64; 7]; 5] = [
        [1e8, 1e12, 0.001, 1.0, 1.0, 0.0010000000000001, 1.0],
        [1e3, 1e6, 1e-10, 4.0, 0.001, 1.0000025e-10, 0.0005],
        [-1e15, 1e20, 3.5, 1e6, 2.0, 3.5, 0.002],
        [2.0, 1e-5, 1e10, 3.0, 1e9, 2.0, 1e-5],
        [1e8, 3.0, 100000001.0, 2.0, 5.0, 100000000.41860466, 2.28747855498907],
    ];
    for [loc, scale, mean, count, sample, expected_loc, expected_scale] in cases {
        let prior = Normal::<(), f64, Cpu>::new(loc, scale);
        let posterior = prior.posterior(&NormalSample::new(mean, count, sample));
        for (found, expected) in [(posterior.loc().item(), expected_loc), (posterior.scale().item(), expected_scale)] {
            assert!((found - expected).abs() <= 1e-14 * expected.abs(), "{found:e}, not {expected:e}");
        }
        let single = |x: f64| x as f32;
        let prior = Normal::<(), f32, Cpu>::new(single(loc), single(scale));
        let posterior = prior.posterior(&NormalSample::new(single(mean), single(count), single(sample)));
        let found = [posterior.loc().item(), posterior.scale().item()].map(f64::from);
        for (found, expected) in found.into_iter().zip([expected_loc, expected_scale]) {
            assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{found:e}, not {expected:e}");
        }
    }
}

/// The posterior's slopes against differences of five points, and the count's where there are no values.
#[test]
fn slopes_of_a_normal_posterior_are_differences() {
    let places: [[f64; 5]; 3] = [[1.0, 2.0, 3.0, 1.5, 4.0], [1e3, 50.0, 0.25, 0.5, 9.0], [-2.0, 0.1, 5.0, 8.0, 2.0]];
    for at in places {
        let posterior = |a: &[Tensor<(), f64>; 5]| {
            Normal::<(), f64, Cpu>::new(&a[0], &a[1]).posterior(&NormalSample::new(&a[2], &a[4], &a[3]))
        };
        let parts: [fn(&Normal<(), f64, Cpu>) -> Tensor<(), f64>; 2] = [|n| n.loc(), |n| n.scale()];
        for part in parts {
            let leaves = at.map(|v| Tensor::<(), f64>::scalar(v).tracked());
            let (_, grads) = grad(|| part(&posterior(&leaves)));
            for i in 0..5 {
                let step = 1e-3 * at[i].abs();
                let moved = |by: f64| {
                    let mut at = at;
                    at[i] += by * step;
                    part(&posterior(&at.map(Tensor::scalar))).item()
                };
                let expected = (8.0 * (moved(1.0) - moved(-1.0)) - (moved(2.0) - moved(-2.0))) / (12.0 * step);
                let found = grads.get(&leaves[i]).map_or(0.0, |g| g.item());
                assert!((found - expected).abs() < 1e-8 * expected.abs().max(1e-3), "{i}: {found}, {expected}");
            }
        }
    }
    let count = Tensor::<(), f64>::scalar(0.0).tracked();
    let (_, grads) = grad(|| {
        let prior = Normal::<(), f64, Cpu>::new(1.0, 2.0);
        let posterior = prior.posterior(&NormalSample::new(4.0, &count, 0.5));
        posterior.loc() + posterior.scale()
    });
    // Of 1 + 48 n / (1 + 16 n) + 2 / √(1 + 16 n).
    assert_eq!(grads.get(&count).expect("a leaf").item(), 48.0 - 16.0);
}

#[test]
fn the_posterior_moves_with_prior_and_sample() {
    let (loc, scale, mean) = (Tensor::<(), f64>::scalar(1.0), Tensor::scalar(2.0), Tensor::scalar(3.0));
    let [loc, scale, mean] = [loc, scale, mean].map(|t: Tensor<(), f64>| t.tracked());
    let (_, grads) = grad(|| Normal::new(&loc, &scale).posterior(&NormalSample::new(&mean, 1.0, 2.0)).loc());
    // Half way to the mean; along the scale the share of the way grows by ¼ · 2 / scale.
    let slope = |of: &Tensor<(), f64>| grads.get(of).expect("a leaf").item();
    for (of, expected) in [(&loc, 0.5), (&mean, 0.5), (&scale, 0.5)] {
        assert!((slope(of) - expected).abs() < 1e-14, "{}", slope(of));
    }
}

/// More than the 2²⁴ that single precision counts one by one.
#[test]
fn a_zero_among_many_ones_is_counted() {
    let mut values = vec![1.0f32; (1 << 24) + 1];
    values[12345] = 0.0;
    let sample = BernoulliSample::of::<_, Axis<0>>(&Tensor::<(usize,), f32>::vector(values));
    let posterior = Beta::new(Tensor::<(), f32>::scalar(1.0), 1.0).posterior(&sample);
    assert_eq!(posterior.concentration0().item(), 2.0);
}

#[test]
#[should_panic(expected = "[3, 2] categories for a prior of shape [3, 2]")]
fn the_last_axes_of_categories_are_the_batch() {
    let seen: Tensor<(usize, usize), usize> = Tensor::from_vec(vec![0, 1, 0, 0, 1, 1], (3, 2));
    let _ = CategoricalSample::<(usize, usize), f64, Cpu>::of((3, 2), &seen);
}
