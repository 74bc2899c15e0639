//! Bartlett's decomposition, which the Wishart distribution and its inverse are made of.
//!
//! A matrix W = A Aᵀ of the Wishart distribution with `df` degrees of freedom and identity scale has a
//! lower factor A of independent entries: standard normal below the diagonal, and on it √(2 uᵢ) with uᵢ of
//! the gamma distribution with concentration kᵢ = (df − i) / 2 and rate 1, for i = 0, …, n − 1.
//!
//! Source: Anderson, *An Introduction to Multivariate Statistical Analysis*, 7.2.

use std::f64::consts::PI;

use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::BlockFunction;
use crate::dtype::Dtype;
use crate::functions::gamma_function::{HALF_LN_TWO_PI, digamma, ln_minus_digamma, stirling_correction, trigamma};
use crate::ops::{Triangle, dense};
use crate::rng::Rng;

use super::deviance::deviance_of_product;
use super::gamma::standard_entropy;
use super::standard_gamma::{log_standard_gamma, log_standard_gamma_slope};
use super::univariate::Dual;
use super::univariate::draws::draws;

/// kᵢ; NaN where that is not positive.
fn concentration(df: f64, i: usize) -> f64 {
    if df > i as f64 { 0.5 * (df - i as f64) } else { f64::NAN }
}

/// The randomness of as many factors as there are `dfs`, of n × n numbers each: below the diagonal
/// normal numbers, on it ln(uᵢ / kᵢ), whose digits are left when kᵢ is large.
pub(super) fn noise<E: Dtype>(dfs: &[f64], n: usize, rng: &mut Rng) -> Vec<E> {
    draws(dfs.len() * n * n, rng, |e, rng| {
        let (i, j) = (e / n % n, e % n);
        if j > i {
            return 0.0;
        }
        if j < i {
            return rng.sample(StandardNormal);
        }
        let k = concentration(dfs[e / (n * n)], i);
        log_standard_gamma(k, rng) - k.ln()
    })
}

/// The factor A of this noise.
pub(super) fn factor(df: f64, noise: &[f64], n: usize) -> Vec<f64> {
    let mut a = noise.to_vec();
    (0..n).for_each(|i| a[i * n + i] = (2.0 * concentration(df, i)).sqrt() * (0.5 * noise[i * n + i]).exp());
    a
}

/// What flows back to `df` from `to_diagonal` on the diagonal of A, with the gammas' cdf held fixed.
pub(super) fn factor_pullback(df: f64, noise: &[f64], n: usize, to_diagonal: impl Fn(usize) -> f64) -> f64 {
    let a = factor(df, noise, n);
    let slope = |i: usize| {
        let k = concentration(df, i);
        0.25 * a[i * n + i] * log_standard_gamma_slope(noise[i * n + i] + k.ln(), k)
    };
    (0..n).map(|i| to_diagonal(i) * slope(i)).sum()
}

/// The weights of ln uᵢ that one family adds to the log-density of A: `each` + i / 2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    pub(super) each: f64,
}

impl Weights {
    fn of(self, i: usize) -> f64 {
        self.each + 0.5 * i as f64
    }
}

/// The logarithm of Π uᵢ^(kᵢ − 1) e^(−uᵢ) / Γ(kᵢ) · Π exp(−½ aᵢⱼ²) / π^(n (n − 1) / 4) · Π uᵢ^weightᵢ; −∞ where an
/// entry is too large.
pub(super) fn log_density(a: &[f64], df: f64, n: usize, weights: Weights) -> f64 {
    let mut sum = -0.25 * (n * n.saturating_sub(1)) as f64 * PI.ln();
    for i in 0..n {
        let below = &a[i * n..][..i];
        sum -= 0.5 * dense::dot(below, below);
        let (u, k) = (half_square(a[i * n + i]), concentration(df, i));
        let log_normalizer = HALF_LN_TWO_PI - 0.5 * k.ln() + stirling_correction(k);
        let (deviance, _) = deviance_of_product(u, 1.0, k);
        if u == f64::INFINITY || sum == f64::NEG_INFINITY {
            return f64::NEG_INFINITY;
        }
        sum += (weights.of(i) - 1.0) * u.ln() - deviance - log_normalizer;
    }
    sum
}

/// uᵢ, which is not 0.
fn half_square(a: f64) -> f64 {
    let u = 0.5 * a * a;
    if u < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { u }
}

/// The slope of [`log_density`] in `df`: ½ Σ ln uᵢ − ψ(kᵢ).
pub(super) fn log_density_along_df(a: &[f64], df: f64, n: usize) -> f64 {
    let term = |i: usize| {
        let k = concentration(df, i);
        deviance_of_product(half_square(a[i * n + i]), 1.0, k).1 + ln_minus_digamma(k)
    };
    0.5 * (0..n).map(term).sum::<f64>()
}

/// Σᵢ H(kᵢ) − weightᵢ ψ(kᵢ) with the gammas' entropies H, and the entropy of the normal numbers with variance
/// ½: an entropy up to the scale, of the argument `df`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entropy {
    pub(super) n: usize,
    pub(super) weights: Weights,
}

impl Entropy {
    fn at(self, df: f64) -> Dual<1> {
        let (n, [df]) = (self.n, Dual::variables([df]));
        let pairs = 0.25 * (n * n.saturating_sub(1)) as f64;
        let mut sum = Dual::constant(pairs * (1.0 + PI.ln()));
        for i in 0..n {
            let k = (df - i as f64) * 0.5;
            sum = sum + standard_entropy(k) - k.map(digamma(k.value), trigamma(k.value)) * self.weights.of(i);
        }
        sum
    }
}

impl BlockFunction<1> for Entropy {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([1], 1)
    }

    fn work(&self) -> usize {
        100 * self.n
    }

    fn value(&self, [df]: [&[f64]; 1], out: &mut [f64]) {
        out[0] = self.at(df[0]).value;
    }

    fn pullback(&self, [df]: [&[f64]; 1], _: &[f64], upstream: &[f64], [to_df]: [Option<&mut [f64]>; 1]) {
        if let Some(to_df) = to_df {
            to_df[0] += upstream[0] * self.at(df[0]).slopes[0];
        }
    }
}

/// A number with its slopes in df, Sᵢⱼ, Sᵢᵢ and Sⱼⱼ.
pub(super) type Dual4 = Dual<4>;

/// A moment of each entry, from `df` and the matrix S: a formula of df, Sᵢⱼ, Sᵢᵢ and Sⱼⱼ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) n: usize,
    /// Its first argument is n.
    pub(super) formula: fn(f64, [Dual4; 4]) -> Dual4,
}

impl Moment {
    fn at(&self, df: f64, s: &[f64], e: usize) -> (Dual4, [usize; 3]) {
        let (n, i, j) = (self.n, e / self.n, e % self.n);
        let places = [e, i * n + i, j * n + j];
        let [ij, ii, jj] = places.map(|place| s[place]);
        ((self.formula)(n as f64, Dual::variables([df, ij, ii, jj])), places)
    }
}

impl BlockFunction<2> for Moment {
    fn lengths(&self) -> ([usize; 2], usize) {
        let size = self.n * self.n;
        ([1, size], size)
    }

    fn work(&self) -> usize {
        20 * self.n * self.n
    }

    fn value(&self, [df, s]: [&[f64]; 2], out: &mut [f64]) {
        out.iter_mut().enumerate().for_each(|(e, out)| *out = self.at(df[0], s, e).0.value);
    }

    fn pullback(
        &self,
        [df, s]: [&[f64]; 2],
        _: &[f64],
        upstream: &[f64],
        [mut to_df, mut to_s]: [Option<&mut [f64]>; 2],
    ) {
        for (e, u) in upstream.iter().enumerate() {
            let (moment, places) = self.at(df[0], s, e);
            if let Some(to_df) = &mut to_df {
                to_df[0] += u * moment.slopes[0];
            }
            if let Some(to_s) = &mut to_s {
                places.iter().zip(&moment.slopes[1..]).for_each(|(&at, slope)| to_s[at] += u * slope);
            }
        }
    }
}

/// C⁻ᵀ · B · C⁻¹ for a lower triangle C and a symmetric B.
pub(super) fn between_inverses(c: &[f64], mut b: Vec<f64>, n: usize) -> Vec<f64> {
    dense::substitute(c, Triangle::LowerTransposed, &mut b, [n, n]);
    let mut result = dense::transposed(&b, n, n);
    dense::substitute(c, Triangle::LowerTransposed, &mut result, [n, n]);
    result
}

/// Whether a value lies in the support, and its lower Cholesky factor if so. The transpose may differ by
/// `slack` times the largest entry.
pub(super) fn value_factor(x: &[f64], n: usize, slack: f64) -> Option<Vec<f64>> {
    let size = x.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let same = |e: usize| (x[e] - x[e % n * n + e / n]).abs() <= slack * size;
    let mut c = vec![0.0; n * n];
    (x.iter().all(|v| v.is_finite()) && (0..n * n).all(same) && dense::cholesky(x, &mut c, n).is_ok()).then_some(c)
}

/// How a dtype rounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounding {
    round: fn(f64) -> f64,
    smallest: f64,
    epsilon: f64,
}

impl Rounding {
    pub(super) fn of<E: Dtype>() -> Self {
        let (smallest, epsilon) = (E::min_positive_value().wide(), E::epsilon().wide());
        Rounding { round: |x| E::of(x).wide(), smallest, epsilon }
    }

    /// Rounds a matrix T · Tᵀ, and raises its diagonal by as little as makes it positive definite again
    /// where rounding has left it with a pivot of no digits.
    pub(super) fn keep_positive_definite(self, x: &mut [f64], n: usize) {
        x.iter_mut().for_each(|v| *v = (self.round)(*v));
        let mut lift = self.epsilon;
        while !is_clearly_positive_definite(x, n) && lift < 1.0 {
            for i in 0..n {
                let raised = (self.round)(x[i * n + i] * (1.0 + lift));
                x[i * n + i] = if raised < self.smallest { self.smallest } else { raised };
            }
            lift *= 2.0;
        }
    }
}

/// Whether each pivot is more than the rounding errors of its computation.
fn is_clearly_positive_definite(x: &[f64], n: usize) -> bool {
    let mut c = vec![0.0; n * n];
    let margin = 8.0 * n as f64 * f64::EPSILON;
    dense::cholesky(x, &mut c, n).is_ok() && (0..n).all(|i| c[i * n + i] * c[i * n + i] > margin * x[i * n + i])
}
