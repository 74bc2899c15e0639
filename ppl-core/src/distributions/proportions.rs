//! Proportions of a Dirichlet distribution: their draws and moments, which counts over them share.

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::{Gamma, Open01};

use crate::backend::{Backend, BlockFunction};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::Tensor;

use super::rows::Rows;
use super::weights::others;

/// The logarithm of a draw of Gamma(α, 1), which a small α would underflow: NaN unless α is positive
/// and finite.
pub(super) fn log_gamma_draw(concentration: f64, rng: &mut Rng) -> f64 {
    if !(concentration > 0.0 && concentration.is_finite()) {
        return f64::NAN;
    }
    let mut at = |shape: f64| Gamma::new(shape, 1.0).map_or(f64::NAN, |gamma| rng.sample(gamma).ln());
    if concentration >= 1.0 {
        return at(concentration);
    }
    // Marsaglia and Tsang 2000: Gamma(α + 1) · U^(1 / α).
    let larger = at(concentration + 1.0);
    larger + rng.sample::<f64, _>(Open01).ln() / concentration
}

/// Rows of the simplex from logarithms of gammas: the larger ones' shares, none of which is 0. Where
/// all are −∞ the first has it all.
pub(super) fn shares(log_gammas: &[f64]) -> Vec<f64> {
    let largest = log_gammas.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let largest = if largest.is_finite() { largest } else { 0.0 };
    let mut shares: Vec<f64> = log_gammas.iter().map(|l| (l - largest).exp()).collect();
    if shares.iter().all(|&s| s == 0.0) {
        shares[0] = 1.0;
    }
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|s| s / sum).collect()
}

/// The nearest positive number; NaN stays.
pub(super) fn positive<E: Dtype>(share: f64) -> E {
    let share = E::of(share);
    if share < E::min_positive_value() { E::min_positive_value() } else { share }
}

/// The log-density of a row that is not on the simplex: −∞, or NaN where a number is. `slack` is how far
/// its sum may be from 1.
pub(super) fn off_simplex(x: &[f64], slack: f64) -> Option<f64> {
    if x.iter().any(|v| v.is_nan()) {
        return Some(f64::NAN);
    }
    let outside = x.iter().any(|&v| v < 0.0) || (x.iter().sum::<f64>() - 1.0).abs() > slack;
    outside.then_some(f64::NEG_INFINITY)
}

/// A moment of proportions, or of that many counts over them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// m = α / Σ α.
    Mean,
    /// m (1 − m) / (Σ α + 1).
    Variance,
    /// n m.
    CountMean(f64),
    /// n m (1 − m) (Σ α + n) / (Σ α + 1).
    CountVariance(f64),
}

impl Moment {
    /// Whether it is about m (1 − m) and not m.
    fn is_variance(self) -> bool {
        matches!(self, Moment::Variance | Moment::CountVariance(_))
    }

    /// The factor beside, and the derivative of its logarithm along Σ α.
    fn factor(self, sum: f64) -> (f64, f64) {
        match self {
            Moment::Mean => (1.0, 0.0),
            Moment::Variance => (1.0 / (sum + 1.0), -1.0 / (sum + 1.0)),
            Moment::CountMean(n) => (n, 0.0),
            Moment::CountVariance(n) => (n * (sum + n) / (sum + 1.0), 1.0 / (sum + n) - 1.0 / (sum + 1.0)),
        }
    }
}

/// A moment of each category.
pub(super) fn moment<S: Shape, E: Dtype, D: Backend<E>>(
    concentration: &Rows<S, E, D>,
    moment: Moment,
) -> Tensor<S, E, D> {
    let own = concentration.map(MomentOf { moment, len: concentration.len() });
    Rows::of(own, concentration.shape()).tensor()
}

/// A moment as a function of rows of concentrations.
#[derive(Clone, Copy, Debug)]
struct MomentOf {
    moment: Moment,
    len: usize,
}

impl BlockFunction<1> for MomentOf {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([self.len], self.len)
    }

    fn work(&self) -> usize {
        4 * self.len
    }

    fn value(&self, [concentration]: [&[f64]; 1], out: &mut [f64]) {
        let sum: f64 = concentration.iter().sum();
        let means: Vec<f64> = concentration.iter().map(|a| a / sum).collect();
        let (factor, _) = self.moment.factor(sum);
        for (k, out) in out.iter_mut().enumerate() {
            *out = factor * means[k] * if self.moment.is_variance() { others(&means, k) } else { 1.0 };
        }
    }

    fn pullback(&self, [concentration]: [&[f64]; 1], out: &[f64], upstream: &[f64], [to]: [Option<&mut [f64]>; 1]) {
        let Some(to) = to else { return };
        let sum: f64 = concentration.iter().sum();
        let (factor, growth) = self.moment.factor(sum);
        let beside = growth * out.iter().zip(upstream).map(|(o, u)| o * u).sum::<f64>();
        let slope = |m: f64| if self.moment.is_variance() { factor * (1.0 - 2.0 * m) } else { factor };
        let along: Vec<f64> = concentration.iter().zip(upstream).map(|(a, u)| u * slope(a / sum)).collect();
        let mean: f64 = concentration.iter().zip(&along).map(|(a, u)| a / sum * u).sum();
        to.iter_mut().zip(along).for_each(|(g, u)| *g += (u - mean) / sum + beside);
    }
}
