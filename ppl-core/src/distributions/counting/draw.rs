//! Draws of Poisson and binomial counts for parameters of every size.
//!
//! Our own since `rand_distr`'s are not sound at the edges: its Poisson sampler panics at rate 0 and
//! loses its acceptance ratio to rounding for large rates, its binomial one panics beyond 2⁶³ trials.
//! Small means are drawn by inversion, others by transformed rejection with exact masses. Sources:
//! Hörmann, *The transformed rejection method for generating Poisson random variables*, Insurance:
//! Mathematics and Economics 12, 1993; Hörmann, *The generation of binomial random variates*, Journal
//! of Statistical Computation and Simulation 46, 1993.

use rand::Rng as _;

use super::odds::Odds;
use super::saddle_point::{log_binomial, log_poisson};
use crate::rng::Rng;

/// No right sampler needs as many trials: each is accepted with probability 0.6 at least.
const TRIALS: u32 = 500;

/// Below this mean inversion takes few steps.
const SMALL: f64 = 10.0;

/// The largest number of steps of an inversion, far beyond the last one of any mean below `SMALL`.
const MOST: u32 = 1000;

/// A draw of the Poisson distribution; NaN where the rate is NaN, negative or infinite.
pub(in crate::distributions) fn poisson(rate: f64, rng: &mut Rng) -> f64 {
    if !(rate >= 0.0 && rate.is_finite()) {
        return f64::NAN;
    }
    if rate < SMALL {
        return invert((-rate).exp(), |k| rate / k, f64::INFINITY, rng);
    }
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.024_83 * b;
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    let scale = 1.1239 + 1.1328 / (b - 3.4);
    for _ in 0..TRIALS {
        let u: f64 = rng.r#gen::<f64>() - 0.5;
        let v: f64 = rng.r#gen();
        let edge = 0.5 - u.abs();
        let k = ((2.0 * a / edge + b) * u + rate + 0.43).floor();
        if edge >= 0.07 && v <= squeeze {
            return k;
        }
        if !(k >= 0.0 && k.is_finite()) || (edge < 0.013 && v > edge) {
            continue;
        }
        if (v * scale / (a / (edge * edge) + b)).ln() <= log_poisson(k, rate) {
            return k;
        }
    }
    f64::NAN
}

/// A draw of the binomial distribution; NaN for parameters out of their domain.
pub(in crate::distributions) fn binomial<O: Odds>(n: f64, t: f64, rng: &mut Rng) -> f64 {
    let (p, q) = (O::p(t), O::q(t));
    if !(n >= 0.0 && n.is_finite() && p >= 0.0 && q >= 0.0) {
        return f64::NAN;
    }
    // The rarer outcome is counted.
    let swap = p > q;
    let rare = if swap { q } else { p };
    let count = if n * rare < SMALL {
        let ln_frequent = if swap { O::ln_p(t) } else { O::ln_q(t) };
        let odds = rare / (1.0 - rare);
        invert((super::times(n, ln_frequent)).exp(), |k| (n - k + 1.0) / k * odds, n, rng)
    } else {
        let gap = |k: f64| (n - k) * rare - k * (1.0 - rare);
        let log_mass = |k| log_binomial(k, n - k, gap(k), || rare.ln(), || (-rare).ln_1p());
        reject(n, rare, log_mass, rng)
    };
    if swap { n - count } else { count }
}

/// Transformed rejection for n p ≥ 10 and p ≤ ½.
fn reject(n: f64, p: f64, log_mass: impl Fn(f64) -> f64, rng: &mut Rng) -> f64 {
    let deviation = (n * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * deviation;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let squeeze = 0.92 - 4.2 / b;
    let scale = (2.83 + 5.1 / b) * deviation;
    let mut at_mode = None;
    for _ in 0..TRIALS {
        let u: f64 = rng.r#gen::<f64>() - 0.5;
        let v: f64 = rng.r#gen();
        let edge = 0.5 - u.abs();
        let k = ((2.0 * a / edge + b) * u + n * p + 0.5).floor();
        if edge >= 0.07 && v <= squeeze && k <= n {
            return k;
        }
        if !(k >= 0.0 && k <= n) {
            continue;
        }
        let top = *at_mode.get_or_insert_with(|| log_mass(((n + 1.0) * p).floor().min(n)));
        if (v * scale / (a / (edge * edge) + b)).ln() <= log_mass(k) - top {
            return k;
        }
    }
    f64::NAN
}

/// The first count up to `largest` whose cumulative mass exceeds a uniform number, from the mass of
/// 0 and the ratio of each mass to the one before it.
fn invert(first: f64, ratio: impl Fn(f64) -> f64, largest: f64, rng: &mut Rng) -> f64 {
    let mut left = rng.r#gen::<f64>();
    let (mut k, mut mass) = (0.0, first);
    for _ in 0..MOST {
        // What is left at the far end is rounding.
        if left < mass || k >= largest || (mass == 0.0 && k > SMALL) {
            break;
        }
        left -= mass;
        k += 1.0;
        mass *= ratio(k);
    }
    k
}

#[cfg(test)]
mod tests {
    use super::super::odds::{Logits, Probs};
    use super::*;

    /// Standard errors between the mean and variance of draws and what they should be.
    fn errors(mean: f64, variance: f64, mut draw: impl FnMut(&mut Rng) -> f64) -> [f64; 2] {
        let n = 20_000;
        let mut rng = Rng::seed(3);
        let z: Vec<f64> = (0..n).map(|_| (draw(&mut rng) - mean) / variance.sqrt()).collect();
        let average = |f: &dyn Fn(f64) -> f64| z.iter().map(|&z| f(z)).sum::<f64>() / f64::from(n);
        let (first, second, fourth) = (average(&|z| z), average(&|z| z * z), average(&|z| z * z * z * z));
        let width = f64::from(n).sqrt();
        [first * width, (second - 1.0) * width / (fourth - second * second).max(1e-300).sqrt()]
    }

    // A right sampler is off by 5 standard errors with probability 6e-7 for each of the numbers, of
    // which there are 30 (the variance of the smallest rate has a heavier tail, and is left out).
    #[test]
    fn poisson_draws_have_the_right_moments() {
        for rate in [1e-3, 0.7, 9.99, 10.0, 30.0, 1e4, 1e8, 1e12, 1e15] {
            let [mean, variance] = errors(rate, rate, |rng| poisson(rate, rng));
            assert!(mean.abs() < 5.0 && (rate < 0.1 || variance.abs() < 5.0), "{rate}: {mean}, {variance}");
        }
    }

    #[test]
    fn binomial_draws_have_the_right_moments() {
        for (n, p) in [(3.0, 0.4), (40.0, 0.25), (1e4, 1e-3), (1e6, 0.9), (1e12, 1e-6), (1e15, 0.5)] {
            let [mean, variance] = errors(n * p, n * p * (1.0 - p), |rng| binomial::<Probs>(n, p, rng));
            assert!(mean.abs() < 5.0 && variance.abs() < 5.0, "{n}, {p}: {mean}, {variance}");
        }
    }

    #[test]
    fn extreme_parameters_give_the_only_possible_draws() {
        let mut rng = Rng::seed(0);
        assert_eq!([poisson(0.0, &mut rng), poisson(1e-300, &mut rng)], [0.0, 0.0]);
        assert!((poisson(1e300, &mut rng) / 1e300 - 1.0).abs() < 1e-12);
        for (p, expected) in [(0.0, 0.0), (1.0, 1e9)] {
            assert_eq!(binomial::<Probs>(1e9, p, &mut rng), expected);
        }
        assert_eq!(binomial::<Logits>(1e9, -800.0, &mut rng), 0.0);
        assert_eq!(binomial::<Logits>(1e9, 800.0, &mut rng), 1e9);
        assert_eq!(binomial::<Probs>(0.0, 0.5, &mut rng), 0.0);
        for rate in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(poisson(rate, &mut rng).is_nan() && binomial::<Probs>(rate, 0.5, &mut rng).is_nan());
            assert!(binomial::<Probs>(5.0, rate, &mut rng).is_nan());
        }
    }
}
