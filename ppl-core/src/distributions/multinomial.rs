//! The multinomial distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, BlockFunction};
use crate::constraint::{Counts, Support};
use crate::distribution::{Distribution, Expand, ParameterError};
use crate::dtype::Dtype;
use crate::functions::gamma_function::{HALF_LN_TWO_PI, stirling_correction};
use crate::rng::Rng;
use crate::tensor::{IntoTensor, Tensor};

use super::counting::{Probs, draw};
use super::relative_entropy::relative_entropy;
use super::rows::batch_of;
use super::shapes::{WithoutLast, elements};
use super::weights::{Form, Weights};

// The entropy.
mod entropy;

use entropy::Entropy;

/// How often each of K categories comes up in `total_count` independent draws, with probabilities
/// proportional to `probs`, or given by their logarithms `logits`.
///
/// Probability: n! Π pₖ^xₖ / xₖ! for whole xₖ ≥ 0 that sum to n, the total count.
///
/// Shapes: `probs` or `logits` have the batch's axes and one more, the last, with the K categories; the
/// total count is one number. Values are floats of the parameter's shape; `f32` holds counts up to 2²⁴.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Multinomial};
/// let votes = Multinomial::new(3, Tensor::<_, f64>::from([0.5, 0.25, 0.25]));
/// let log_prob = votes.log_prob(&Tensor::from([1.0, 1.0, 1.0])).item();
/// assert!((log_prob - (6.0_f64 / 32.0).ln()).abs() < 1e-14);
/// ```
///
/// Reference: Johnson, Kotz, Balakrishnan, *Discrete Multivariate Distributions*, ch. 35.
#[derive(Clone, Debug)]
pub struct Multinomial<S: Shape, E: Dtype, D: Backend<E>> {
    total_count: usize,
    weights: Weights<S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Multinomial<S, E, D> {
    /// The number of draws, and probabilities, or weights in proportion to them, of the categories
    /// along the last axis.
    ///
    /// # Panics
    /// If `probs` is a number or has no categories.
    #[track_caller]
    pub fn new(total_count: usize, probs: impl IntoTensor<S, E, D>) -> Self {
        Multinomial { total_count, weights: Weights::new("Multinomial", Form::Probs, probs.into_operand()) }
    }

    /// The number of draws, and logarithms of the probabilities, up to a constant for each element of
    /// the batch; −∞ for a category that cannot be.
    ///
    /// # Panics
    /// If `logits` is a number or has no categories.
    #[track_caller]
    pub fn from_logits(total_count: usize, logits: impl IntoTensor<S, E, D>) -> Self {
        Multinomial { total_count, weights: Weights::new("Multinomial", Form::Logits, logits.into_operand()) }
    }

    /// The number of draws.
    pub fn total_count(&self) -> usize {
        self.total_count
    }

    /// The normalised log-probabilities of all categories.
    pub fn logits(&self) -> Tensor<S, E, D> {
        self.weights.logits()
    }

    /// The normalised probabilities of all categories.
    pub fn probs(&self) -> Tensor<S, E, D> {
        self.weights.probs()
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for Multinomial<S, E, D> {
    type Expanded = Multinomial<R, E, D>;
    type ExpandedBatch = WithoutLast<R>;

    /// The last axis of `shape` has the categories, as that of the parameter.
    #[track_caller]
    fn expand(&self, shape: R) -> Multinomial<R, E, D> {
        Multinomial { total_count: self.total_count, weights: self.weights.expand(shape) }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Multinomial<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = WithoutLast<S>;

    fn name(&self) -> &'static str {
        "Multinomial"
    }

    fn batch_shape(&self) -> WithoutLast<S> {
        batch_of(self.weights.rows.shape())
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.weights.rows.len()]
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let (rows, form) = (&self.weights.rows, self.weights.form);
        let (own, len) = (rows.own().to_vec(), rows.len());
        let mut values = Vec::with_capacity(rows.count() * len);
        for row in 0..rows.count() {
            let row = &own[row % rows.own_count() * len..][..len];
            let total = form.total(row);
            let probs: Vec<f64> = row.iter().map(|&w| form.prob(w, total)).collect();
            values.extend(counts(self.total_count, &probs, rng).into_iter().map(E::of));
        }
        Tensor::from_vec(values, rows.shape())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<WithoutLast<S>, E, D> {
        let Weights { form, rows } = &self.weights;
        let value = elements("Multinomial", value, rows.shape());
        let f = LogProb { total_count: self.total_count, form: *form, len: rows.len() };
        rows.beside(f, value).reshape_like(&self.batch_shape())
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Counts { total: self.total_count })
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        Some(self.weights.probs() * E::of(self.total_count as f64))
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(self.weights.variances() * E::of(self.total_count as f64))
    }

    /// From means over the binomial count of each category, at a cost that does not grow with the total
    /// count.
    fn entropy(&self) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let Weights { form, rows } = &self.weights;
        let own = rows.map(Entropy { total_count: self.total_count, form: *form, len: rows.len() });
        Some(rows.each(own, 1).reshape_like(&self.batch_shape()))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.weights.check()
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let count = ("total_count", self.total_count as f64);
        std::iter::once(count).chain(self.weights.shown(element)).collect()
    }
}

/// How often each category comes up: each in turn a binomial share of what is left. NaN without
/// probabilities.
pub(super) fn counts(total_count: usize, probs: &[f64], rng: &mut Rng) -> Vec<f64> {
    if !probs.iter().sum::<f64>().is_finite() || probs.iter().all(|&p| p <= 0.0) {
        return vec![f64::NAN; probs.len()];
    }
    // Σ of the probabilities from each category on, from the last, so that none is a difference.
    let mut rest = probs.to_vec();
    (0..probs.len().saturating_sub(1)).rev().for_each(|k| rest[k] += rest[k + 1]);
    let mut left = total_count as f64;
    let share = |(&p, &rest): (&f64, &f64)| {
        let drawn = if p <= 0.0 { 0.0 } else { draw::binomial::<Probs>(left, (p / rest).min(1.0), rng) };
        left -= drawn;
        drawn
    };
    probs.iter().zip(&rest).map(share).collect()
}

/// Whether a row is one of whole numbers from 0 that sum to `total`; NaN if a number is.
pub(super) fn outside(x: &[f64], total: usize) -> Option<f64> {
    if x.iter().any(|v| v.is_nan()) {
        return Some(f64::NAN);
    }
    let whole = x.iter().all(|&v| v >= 0.0 && v == v.floor());
    (!whole || x.iter().sum::<f64>() != total as f64).then_some(f64::NEG_INFINITY)
}

/// The log-probability of a row of counts.
#[derive(Clone, Copy, Debug)]
struct LogProb {
    total_count: usize,
    form: Form,
    len: usize,
}

/// ln n! − (n ln n − n), what the relative entropies leave of a factorial.
pub(super) fn factorial_rest(n: f64) -> f64 {
    if n == 0.0 { 0.0 } else { stirling_correction(n) + 0.5 * n.ln() + HALF_LN_TWO_PI }
}

impl BlockFunction<2> for LogProb {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.len; 2], 1)
    }

    fn work(&self) -> usize {
        40 * self.len
    }

    fn value(&self, [x, weights]: [&[f64]; 2], out: &mut [f64]) {
        if let Some(none) = outside(x, self.total_count) {
            out[0] = none;
            return;
        }
        let n = self.total_count as f64;
        let total = self.form.total(weights);
        out[0] = factorial_rest(n);
        for (&x, &w) in x.iter().zip(weights) {
            let log_prob = self.form.log_prob(w, total);
            let mean = n * self.form.prob(w, total);
            let log_ratio = if log_prob == f64::NEG_INFINITY { f64::INFINITY } else { (x / n).ln() - log_prob };
            out[0] -= factorial_rest(x) + relative_entropy(x, mean, log_ratio);
        }
    }

    fn pullback(
        &self,
        [x, weights]: [&[f64]; 2],
        out: &[f64],
        upstream: &[f64],
        [_, to_weights]: [Option<&mut [f64]>; 2],
    ) {
        let (Some(to_weights), true) = (to_weights, out[0] > f64::NEG_INFINITY) else { return };
        let along: Vec<f64> = x.iter().map(|x| upstream[0] * x).collect();
        self.form.pullback(weights, &along, to_weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::{Const, Cpu};

    #[test]
    fn a_category_that_cannot_be_and_did_not_come_up_costs_nothing() {
        let probs = Tensor::<_, f64, Cpu>::from([[0.5, 0.5, 0.0]; 2]).tracked();
        let value = Tensor::from([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]);
        let (log_prob, grads) = grad(|| {
            let log_prob = Multinomial::new(2, &probs).log_prob(&value);
            assert_eq!(log_prob.to_vec()[1], f64::NEG_INFINITY);
            log_prob.at(0)
        });
        assert!((log_prob.item() - 0.5_f64.ln()).abs() < 1e-15);
        assert_eq!(grads.get(&probs).unwrap().to_vec(), [0.0, 0.0, -2.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn rows_of_another_total_are_impossible() {
        let one = Multinomial::new(3, Tensor::<_, f64, Cpu>::from([0.5, 0.5]));
        let values = Tensor::from([[1.0, 1.0], [1.5, 1.5], [4.0, -1.0], [3.0, 0.0]]);
        let found = one.expand((Const::<4>, Const::<2>)).log_prob(&values).to_vec();
        assert_eq!(found[..3], [f64::NEG_INFINITY; 3]);
        assert!((found[3] - 3.0 * 0.5_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn nothing_drawn_is_certain() {
        let none = Multinomial::new(0, Tensor::<_, f64, Cpu>::from([0.5, 0.5]));
        assert_eq!(none.draw(&mut Rng::seed(1)).to_vec(), [0.0, 0.0]);
        assert_eq!(none.log_prob(&Tensor::from([0.0, 0.0])).item(), 0.0);
    }

    // 1000 draws of 10¹⁵: the mean of the first share is off by more than six standard errors with
    // probability 2e-9.
    #[test]
    fn more_trials_than_a_word_holds_are_drawn() {
        let n = 1_000_000_000_000_000;
        for p in [0.3, 3e-15] {
            let probs = Tensor::<_, f64, Cpu>::from([p, 1.0 - p]);
            let draws = Multinomial::new(n, probs).expand((Const::<1000>, Const::<2>)).draw(&mut Rng::seed(5)).to_vec();
            assert!(draws.chunks_exact(2).all(|row| row[0] + row[1] == n as f64));
            let mean = draws.iter().step_by(2).sum::<f64>() / 1000.0;
            let error = (n as f64 * p * (1.0 - p) / 1000.0).sqrt();
            assert!((mean - n as f64 * p).abs() < 6.0 * error, "{p}: {mean}");
        }
        let most = Multinomial::new(usize::MAX, Tensor::<_, f64, Cpu>::from([0.3, 0.7])).draw(&mut Rng::seed(6));
        assert!((most.to_vec()[0] / (0.3 * usize::MAX as f64) - 1.0).abs() < 1e-8);
    }
}
