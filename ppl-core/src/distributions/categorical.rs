//! The categorical distribution.

use std::sync::Arc;

use dfdx::shapes::{ReduceShape, Shape};
use rand::Rng as _;

use crate::backend::Backend;
use crate::constraint::{IntegerRange, Support};
use crate::distribution::{Distribution, ParameterError, unravel};
use crate::dtype::Dtype;
use crate::functions::{Function, apply};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::shapes::{batch_shape, check_value_shape};

/// The axis of categories of a parameter of shape `S`: its last.
type Axis<S> = <S as Shape>::LastAxis;

/// The shape of a batch of categories: that of the parameter without its last axis.
type Batch<S> = <S as ReduceShape<Axis<S>>>::Reduced;

/// One of the categories 0, 1, …, K − 1, with probabilities proportional to `probs`; given by
/// `probs` or by their logarithms `logits`.
///
/// Probability: probs\[k\] / Σ probs, or exp(logits\[k\]) / Σ exp(logits). A category of probability 0
/// scores −∞.
///
/// Shapes: `probs` or `logits` have the batch's axes and one more, the last, with the K categories.
/// Values are tensors of `usize` of the batch's shape.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Categorical};
/// let weather = Categorical::new(Tensor::<_, f64>::from([[0.5, 0.25, 0.25], [0.0, 1.0, 1.0]]));
/// let log_prob = weather.log_prob(&Tensor::from([0, 0])).to_vec();
/// assert_eq!(log_prob, [0.5_f64.ln(), f64::NEG_INFINITY]);
/// ```
///
/// Reference: Bishop, *Pattern Recognition and Machine Learning*, ch. 2.2.
#[derive(Clone, Debug)]
pub struct Categorical<S: Shape, E: Dtype, D: Backend<E>> {
    parameter: Parameter<S, E, D>,
    shape: S,
}

/// How the distribution was given.
#[derive(Clone, Debug)]
enum Parameter<S: Shape, E: Dtype, D: Backend<E>> {
    Probs(Tensor<S, E, D>),
    Logits(Tensor<S, E, D>),
}

impl<S: Shape, E: Dtype, D: Backend<E>> Categorical<S, E, D> {
    /// Probabilities, or weights in proportion to them, of the categories along the last axis.
    ///
    /// # Panics
    /// If `probs` is a number or has no categories.
    #[track_caller]
    pub fn new(probs: impl IntoTensor<S, E, D>) -> Self {
        let (probs, shape) = with_categories("probs", probs.into_operand());
        Categorical { parameter: Parameter::Probs(probs), shape }
    }

    /// Logarithms of the probabilities, up to a constant for each element of the batch; −∞ for a
    /// category that cannot be.
    ///
    /// # Panics
    /// If `logits` is a number or has no categories.
    #[track_caller]
    pub fn from_logits(logits: impl IntoTensor<S, E, D>) -> Self {
        let (logits, shape) = with_categories("logits", logits.into_operand());
        Categorical { parameter: Parameter::Logits(logits), shape }
    }

    /// How many categories there are.
    pub fn categories(&self) -> usize {
        self.shape.concrete().into().last().copied().unwrap_or(1)
    }

    /// The normalised log-probabilities of all categories.
    pub fn logits(&self) -> Tensor<S, E, D> {
        match &self.parameter {
            Parameter::Probs(probs) => {
                let totals = probs.sum::<Batch<S>, Axis<S>>().broadcast_like::<S, Axis<S>>(&self.shape);
                apply(LogRatio, [probs.flat(), totals.flat()], self.shape)
            }
            Parameter::Logits(logits) => {
                let logits = self.centred(logits);
                &logits - logits.logsumexp::<Batch<S>, Axis<S>>().broadcast_like::<S, Axis<S>>(&self.shape)
            }
        }
    }

    /// The normalised probabilities of all categories.
    pub fn probs(&self) -> Tensor<S, E, D> {
        match &self.parameter {
            Parameter::Probs(probs) => {
                probs / probs.sum::<Batch<S>, Axis<S>>().broadcast_like::<S, Axis<S>>(&self.shape)
            }
            Parameter::Logits(_) => self.logits().exp(),
        }
    }

    fn tensor(&self) -> (&'static str, &Tensor<S, E, D>) {
        match &self.parameter {
            Parameter::Probs(probs) => ("probs", probs),
            Parameter::Logits(logits) => ("logits", logits),
        }
    }

    /// The same log-odds with the largest of each element near 0, so that the difference from their
    /// log-sum keeps its digits. A constant shift, which changes no gradient.
    fn centred(&self, logits: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        /// Up to here the digits lost do not matter.
        const NEAR: f64 = 4.0;
        let count = self.categories();
        let largest = |row: &[E]| row.iter().copied().fold(E::neg_infinity(), E::max);
        let shifts: Vec<E> = logits.read(|values| values.chunks_exact(count).map(largest).collect());
        if !shifts.iter().any(|s| s.is_finite() && s.wide().abs() > NEAR) {
            return logits.clone();
        }
        let finite = shifts.iter().map(|&s| if s.is_finite() { s } else { E::of(0.0) });
        logits - Tensor::from_vec(finite.flat_map(|s| std::iter::repeat_n(s, count)).collect(), self.shape)
    }

    /// The elements of `parameter` at the chosen categories; where the choice is no category, at the
    /// first one.
    fn chosen(&self, parameter: &Tensor<S, E, D>, categories: &[usize]) -> Flat<E, D> {
        let count = self.categories();
        let at = |(row, &k): (usize, &usize)| row * count + if k < count { k } else { 0 };
        D::take(parameter.flat(), categories.iter().enumerate().map(at).collect())
    }
}

/// The parameter as a tensor, and its shape.
#[track_caller]
fn with_categories<S: Shape, E: Dtype, D: Backend<E>>(
    name: &'static str,
    operand: Operand<S, E, D>,
) -> (Tensor<S, E, D>, S) {
    let shape = batch_shape("Categorical", &[(name, &operand)]);
    let dims: Vec<usize> = shape.concrete().into();
    assert!(
        dims.last().is_some_and(|&k| k > 0),
        "Categorical: {name} of shape {dims:?} has no categories; they lie along its last axis"
    );
    (operand.spread(shape), shape)
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Categorical<S, E, D> {
    type Value = Tensor<Batch<S>, usize, D>;
    type Batch = Batch<S>;

    fn name(&self) -> &'static str {
        "Categorical"
    }

    fn batch_shape(&self) -> Batch<S> {
        let dims: Vec<usize> = self.shape.concrete().into();
        crate::tensor::shape_from_dims(&dims[..dims.len() - 1]).expect("the batch has all axes but the last")
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let probs = self.probs().to_vec();
        let rows = probs.chunks_exact(self.categories());
        let mut one = |row| {
            let noise: f64 = rng.r#gen();
            reaching(row, |sum| sum > noise)
        };
        let values = rows.map(&mut one).collect();
        Tensor::from_vec(values, self.batch_shape())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<Batch<S>, E, D> {
        let shape = self.batch_shape();
        check_value_shape("Categorical", value.shape(), shape);
        let categories = value.to_vec();
        let log_prob = match &self.parameter {
            Parameter::Probs(probs) => {
                let totals = probs.sum::<Batch<S>, Axis<S>>().into_flat();
                apply(LogRatio, [self.chosen(probs, &categories), totals], shape)
            }
            Parameter::Logits(logits) => {
                let logits = self.centred(logits);
                self.chosen(&logits, &categories).reshape_like(&shape) - logits.logsumexp::<Batch<S>, Axis<S>>()
            }
        };
        let known: Vec<bool> = categories.iter().map(|&k| k < self.categories()).collect();
        if known.iter().all(|&k| k) { log_prob } else { log_prob.select(&known, f64::NEG_INFINITY) }
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(IntegerRange { high: self.categories() - 1 })
    }

    fn entropy(&self) -> Option<Tensor<Batch<S>, E, D>> {
        let terms = apply(Surprise, [self.logits().flat()], self.shape);
        Some(terms.sum::<Batch<S>, Axis<S>>())
    }

    fn has_cdf(&self) -> bool {
        true
    }

    fn cdf(&self, value: &Self::Value) -> Option<Tensor<Batch<S>, E, D>> {
        check_value_shape("Categorical", value.shape(), self.batch_shape());
        let reached = value.to_vec().into_iter().flat_map(|v| (0..self.categories()).map(move |k| k <= v));
        let reached: Vec<bool> = reached.collect();
        Some(self.probs().select(&reached, 0.0).sum::<Batch<S>, Axis<S>>())
    }

    /// The smallest category whose cdf reaches the probability; a step, without a gradient. A
    /// probability that none reaches gives the last category that can be.
    fn icdf(&self, probability: &Tensor<Batch<S>, E, D>) -> Option<Self::Value> {
        check_value_shape("Categorical", probability.shape(), self.batch_shape());
        let (probs, wanted) = (self.probs().to_vec(), probability.to_vec());
        let rows = probs.chunks_exact(self.categories()).zip(wanted);
        let values = rows.map(|(row, q)| reaching(row, |sum| E::of(sum) >= q)).collect();
        Some(Tensor::from_vec(values, self.batch_shape()))
    }

    fn enumerate_support(&self) -> Option<Vec<Self::Value>> {
        Some((0..self.categories()).map(|k| Tensor::full_like(k, self.batch_shape())).collect())
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        let (parameter, tensor) = self.tensor();
        let (lowest, single, together) = match self.parameter {
            Parameter::Probs(_) => (0.0, "not negative, and finite", "above zero for some category"),
            Parameter::Logits(_) => (f64::NEG_INFINITY, "a number below infinity", "finite for some category"),
        };
        let dims = tensor.dims();
        let error = |at: usize, value: E, constraint: &str| ParameterError {
            parameter,
            value: value.wide(),
            element: unravel(at, &dims),
            constraint: constraint.into(),
        };
        tensor.read(|values| {
            let valid = |v: &E| v.wide() >= lowest && v.wide() < f64::INFINITY;
            if let Some(at) = values.iter().position(|v| !valid(v)) {
                return Err(error(at, values[at], single));
            }
            let possible = |row: &[E]| row.iter().any(|v| v.wide() > lowest);
            match values.chunks_exact(self.categories()).position(|row| !possible(row)) {
                Some(row) => Err(error(row * self.categories(), E::of(lowest), together)),
                None => Ok(()),
            }
        })
    }

    /// The parameter of each category, of the first eight where there are more.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let (name, tensor) = self.tensor();
        let (count, start) = (self.categories(), element * self.categories());
        tensor.read(|values| values[start..start + count.min(8)].iter().map(|v| (name, v.wide())).collect())
    }
}

/// The first category whose cumulative probability is enough, or else the last, of those that can
/// be.
fn reaching<E: Dtype>(probs: &[E], enough: impl Fn(f64) -> bool) -> usize {
    let (mut sum, mut last) = (0.0, 0);
    for (k, p) in probs.iter().enumerate().filter(|(_, p)| **p > E::of(0.0)) {
        sum += p.wide();
        last = k;
        if enough(sum) {
            break;
        }
    }
    last
}

/// ln(weight / total): −∞, without a slope, for the weight 0.
#[derive(Clone, Copy, Debug)]
struct LogRatio;

impl<E: Dtype> Function<E, 2> for LogRatio {
    fn name(&self) -> &'static str {
        "Categorical::log_prob"
    }

    #[inline(always)]
    fn value(&self, [weight, total]: [E; 2]) -> E {
        weight.ln() - total.ln()
    }

    #[inline(always)]
    fn partials(&self, [weight, total]: [E; 2], _: E) -> [E; 2] {
        let one = E::of(1.0);
        if weight == E::of(0.0) { [E::of(0.0); 2] } else { [one / weight, -one / total] }
    }
}

/// −p ln p from ln p: 0 for an impossible category.
#[derive(Clone, Copy, Debug)]
struct Surprise;

impl<E: Dtype> Function<E, 1> for Surprise {
    fn name(&self) -> &'static str {
        "Categorical::entropy"
    }

    fn value(&self, [log]: [E; 1]) -> E {
        if log == E::neg_infinity() { E::of(0.0) } else { -log.exp() * log }
    }

    fn partials(&self, [log]: [E; 1], _: E) -> [E; 1] {
        [if log == E::neg_infinity() { E::of(0.0) } else { -log.exp() * (log + E::of(1.0)) }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::{Cpu, Rank2};

    #[test]
    fn a_possible_category_beside_an_impossible_one_has_a_finite_gradient() {
        let probs = Tensor::<_, f64, Cpu>::from([0.0, 0.5, 0.5]).tracked();
        let (value, grads) = grad(|| Categorical::new(&probs).log_prob(&Tensor::from(1)));
        assert_eq!(value.item(), 0.5_f64.ln());
        assert_eq!(grads.get(&probs).unwrap().to_vec(), [-1.0, 1.0, -1.0]);
        let logits = Tensor::<_, f64, Cpu>::from([f64::NEG_INFINITY, 0.0, 0.0]).tracked();
        let (value, grads) = grad(|| Categorical::from_logits(&logits).log_prob(&Tensor::from(1)));
        assert_eq!(value.item(), -(2.0_f64.ln()));
        assert_eq!(grads.get(&logits).unwrap().to_vec(), [0.0, 0.5, -0.5]);
    }

    #[test]
    fn what_is_no_category_is_impossible_and_has_no_slope() {
        let logits = Tensor::<_, f64, Cpu>::from([[0.0, 1.0], [2.0, 3.0]]).tracked();
        let (value, grads) = grad(|| Categorical::from_logits(&logits).log_prob(&Tensor::from([2, 1])).sum_all());
        assert_eq!(value.item(), f64::NEG_INFINITY);
        assert_eq!(grads.get(&logits).unwrap().to_vec()[..2], [0.0, 0.0]);
    }

    #[test]
    fn an_impossible_category_is_never_drawn() {
        let probs = Tensor::<Rank2<500, 3>, f64, Cpu>::from_vec([0.0, 1.0, 0.0].repeat(500), Default::default());
        assert_eq!(Categorical::new(probs).draw(&mut Rng::seed(1)).to_vec(), [1; 500]);
    }

    #[test]
    fn weights_that_cannot_be_are_named() {
        let none = Categorical::new(Tensor::<_, f64, Cpu>::from([[1.0, 1.0], [0.0, 0.0]])).check_parameters();
        assert_eq!(none.as_ref().unwrap_err().element, [1, 0]);
        assert_eq!(none.unwrap_err().constraint, "above zero for some category");
        let logits = [[0.0, f64::NEG_INFINITY], [0.0, f64::INFINITY]];
        let infinite = Categorical::from_logits(Tensor::<_, f64, Cpu>::from(logits)).check_parameters().unwrap_err();
        assert_eq!((infinite.parameter, infinite.element), ("logits", vec![1, 1]));
    }

    #[test]
    #[should_panic(expected = "Categorical: probs of shape [] has no categories")]
    fn a_number_has_no_categories() {
        let _ = Categorical::<(), _, _>::new(Tensor::<(), f64, Cpu>::scalar(1.0));
    }
}
