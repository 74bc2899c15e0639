//! The Bernoulli distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;

use crate::backend::Backend;
use crate::constraint::{Boolean, Real, Support, UNIT_INTERVAL};
use crate::distribution::{Distribution, Expand, Family, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::functions::{apply, apply_sum};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::shapes::{batch_shape, elements, number_at};
use super::weights::Form;

// One element.
mod element;

use element::{Cdf, Entropy, Icdf, LogProbability, LogitEntropy, LogitProbability};

/// One with probability `probs`, zero otherwise; given by `probs` or by their log-odds `logits`.
///
/// Probability: p for x = 1, 1 − p for x = 0. A value between the two, such as a grey pixel, scores
/// x ln p + (1 − x) ln(1 − p), the cross-entropy; beyond them the log-probability is −∞.
///
/// Shapes: `probs` or `logits` have the batch's shape. Values are floats of the same shape.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Bernoulli};
/// let pixels = Bernoulli::from_logits(Tensor::<_, f64>::from([0.0, 800.0]));
/// let log_prob = pixels.log_prob(&Tensor::from([1.0, 0.0])).to_vec();
/// assert_eq!(log_prob, [-(2.0_f64.ln()), -800.0]);
/// ```
///
/// Reference: Johnson, Kemp, Kotz, *Univariate Discrete Distributions*, ch. 3.
#[derive(Clone, Debug)]
pub struct Bernoulli<S: Shape, E: Dtype, D: Backend<E>> {
    parameter: Parameter<S, E, D>,
    shape: S,
}

/// How the distribution was given.
#[derive(Clone, Debug)]
enum Parameter<S: Shape, E: Dtype, D: Backend<E>> {
    Probs(Operand<S, E, D>),
    Logits(Operand<S, E, D>),
}

impl<S: Shape, E: Dtype, D: Backend<E>> Bernoulli<S, E, D> {
    /// The probabilities of a one: a tensor of the batch's shape, or a number where the batch is a
    /// single one.
    ///
    /// # Panics
    /// If the batch has axes and `probs` is a number.
    #[track_caller]
    pub fn new(probs: impl IntoTensor<S, E, D>) -> Self {
        let probs = probs.into_operand();
        let shape = batch_shape("Bernoulli", &[("probs", &probs)]);
        Bernoulli { parameter: Parameter::Probs(probs), shape }
    }

    /// The log-odds ln(p / (1 − p)) of a one: numerically the better form, for the outputs of a
    /// network.
    ///
    /// # Panics
    /// If the batch has axes and `logits` is a number.
    #[track_caller]
    pub fn from_logits(logits: impl IntoTensor<S, E, D>) -> Self {
        let logits = logits.into_operand();
        let shape = batch_shape("Bernoulli", &[("logits", &logits)]);
        Bernoulli { parameter: Parameter::Logits(logits), shape }
    }

    /// The same probability everywhere, in the shape given.
    pub fn filled(shape: S, probs: f64) -> Self {
        Bernoulli { parameter: Parameter::Probs(Operand::Number(probs)), shape }
    }

    /// The probability of a one.
    pub fn probs(&self) -> Tensor<S, E, D> {
        match &self.parameter {
            Parameter::Probs(probs) => probs.spread(self.shape),
            Parameter::Logits(logits) => logits.spread(self.shape).sigmoid(),
        }
    }

    /// The probability of a zero, which keeps its digits where it is small and logits were given.
    fn complement(&self) -> Tensor<S, E, D> {
        match &self.parameter {
            Parameter::Probs(probs) => -probs.spread(self.shape) + E::of(1.0),
            Parameter::Logits(logits) => (-logits.spread(self.shape)).sigmoid(),
        }
    }

    /// Something from 0 up to 1, and what it is `below` that and `above`.
    fn stepped(&self, value: &Tensor<S, E, D>, below: f64, inside: Tensor<S, E, D>, above: f64) -> Tensor<S, E, D> {
        let values = elements("Bernoulli", value, self.shape).to_vec();
        let between = |x: &E| *x >= E::of(0.0) && *x < E::of(1.0);
        let beyond = |x: &E| E::of(if *x < E::of(0.0) { below } else { above });
        let outside = Tensor::<S, E, D>::from_vec(values.iter().map(beyond).collect(), self.shape);
        inside.select(&values.iter().map(between).collect::<Vec<_>>(), outside)
    }

    /// The form of the parameter, and it.
    pub(super) fn given(&self) -> (Form, [Flat<E, D>; 1]) {
        match &self.parameter {
            Parameter::Probs(probs) => (Form::Probs, [probs.flat()]),
            Parameter::Logits(logits) => (Form::Logits, [logits.flat()]),
        }
    }

    fn beside(&self, value: &Tensor<S, E, D>, parameter: &Operand<S, E, D>) -> [Flat<E, D>; 2] {
        [elements("Bernoulli", value, self.shape), parameter.flat()]
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for Bernoulli<S, E, D> {
    type Expanded = Bernoulli<R, E, D>;
    type ExpandedBatch = R;

    #[track_caller]
    fn expand(&self, shape: R) -> Bernoulli<R, E, D> {
        let parameter = match &self.parameter {
            Parameter::Probs(probs) => Parameter::Probs(probs.expand(shape)),
            Parameter::Logits(logits) => Parameter::Logits(logits.expand(shape)),
        };
        Bernoulli { parameter, shape }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Bernoulli<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "Bernoulli"
    }

    fn batch_shape(&self) -> S {
        self.shape
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let mut one = |p: E| E::of(f64::from(rng.r#gen::<f64>() < p.wide()));
        let values = self.probs().read(|probs| probs.iter().map(|&p| one(p)).collect());
        Tensor::from_vec(values, self.shape)
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        match &self.parameter {
            Parameter::Probs(probs) => apply(LogProbability, self.beside(value, probs), self.shape),
            Parameter::Logits(logits) => apply(LogitProbability, self.beside(value, logits), self.shape),
        }
    }

    fn log_prob_sum(&self, value: &Tensor<S, E, D>) -> Tensor<(), E, D> {
        let numel = self.shape.num_elements();
        match &self.parameter {
            Parameter::Probs(probs) => apply_sum(LogProbability, self.beside(value, probs), numel),
            Parameter::Logits(logits) => apply_sum(LogitProbability, self.beside(value, logits), numel),
        }
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Boolean)
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        Some(self.probs())
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(self.probs() * self.complement())
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        Some(match &self.parameter {
            Parameter::Probs(probs) => apply(Entropy, [probs.flat()], self.shape),
            Parameter::Logits(logits) => apply(LogitEntropy, [logits.flat()], self.shape),
        })
    }

    fn has_cdf(&self) -> bool {
        true
    }

    fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let value = elements("Bernoulli", value, self.shape);
        Some(apply(Cdf, [value, self.complement().flat()], self.shape))
    }

    fn survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.stepped(value, 1.0, self.probs(), 0.0))
    }

    fn log_cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let zero = self.log_prob(&Tensor::full_like(E::of(0.0), self.shape));
        Some(self.stepped(value, f64::NEG_INFINITY, zero, 0.0))
    }

    fn log_survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let one = self.log_prob(&Tensor::full_like(E::of(1.0), self.shape));
        Some(self.stepped(value, 0.0, one, f64::NEG_INFINITY))
    }

    /// The smaller value whose cdf reaches the probability; a step, without a gradient.
    fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let probability = elements("Bernoulli", probability, self.shape);
        Some(apply(Icdf, [probability, self.complement().flat()], self.shape))
    }

    fn enumerate_support(&self) -> Option<Vec<Tensor<S, E, D>>> {
        Some([0.0, 1.0].map(|v| Tensor::full_like(E::of(v), self.shape)).to_vec())
    }

    fn family(&self) -> Option<Family<E, D>> {
        let (form, [parameter]) = self.given();
        let name = match form {
            Form::Probs => "Bernoulli",
            Form::Logits => "Bernoulli of logits",
        };
        let len = self.shape.num_elements();
        Some(Family { name, parameters: [parameter].into_iter().collect(), len, event: 1, mask: None })
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        match &self.parameter {
            Parameter::Probs(probs) => check_parameter("probs", probs, &UNIT_INTERVAL),
            Parameter::Logits(logits) => check_parameter("logits", logits, &Real),
        }
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![match &self.parameter {
            Parameter::Probs(probs) => ("probs", number_at(probs, element)),
            Parameter::Logits(logits) => ("logits", number_at(logits, element)),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;
    use crate::autodiff::grad;

    /// Log-probability and its gradient with respect to the probability.
    fn scored(x: f64, p: f64) -> (f64, f64) {
        let probs = Tensor::<(), f64, Cpu>::scalar(p).tracked();
        let (value, grads) = grad(|| Bernoulli::new(&probs).log_prob(&Tensor::scalar(x)));
        (value.item(), grads.get(&probs).unwrap().item())
    }

    #[test]
    fn certain_probabilities_score_without_nan() {
        assert_eq!(scored(1.0, 1.0), (0.0, 1.0));
        assert_eq!(scored(0.0, 0.0), (0.0, -1.0));
        assert_eq!(scored(0.0, 1.0), (f64::NEG_INFINITY, 0.0));
        assert_eq!(scored(1.0, 0.0), (f64::NEG_INFINITY, 0.0));
    }

    #[test]
    fn a_grey_pixel_scores_its_cross_entropy() {
        let expected = 0.25 * 0.7_f64.ln() + 0.75 * 0.3_f64.ln();
        let logit = Tensor::<(), f64, Cpu>::scalar((0.7_f64 / 0.3).ln());
        assert!((scored(0.25, 0.7).0 - expected).abs() < 1e-14);
        assert!((Bernoulli::from_logits(logit).log_prob(&Tensor::scalar(0.25)).item() - expected).abs() < 1e-14);
    }

    #[test]
    fn extreme_logits_keep_their_digits() {
        let sure = Bernoulli::<(), f64, Cpu>::from_logits(50.0);
        let miss = (-50.0_f64).exp();
        assert!((sure.log_prob(&Tensor::scalar(1.0)).item() / -miss - 1.0).abs() < 1e-12);
        assert!((sure.variance().unwrap().item() / miss - 1.0).abs() < 1e-12);
        assert!((sure.entropy().unwrap().item() / (51.0 * miss) - 1.0).abs() < 1e-12);
    }
}
