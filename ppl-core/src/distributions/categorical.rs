//! The categorical distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;

use crate::backend::Backend;
use crate::constraint::{IntegerRange, Support};
use crate::distribution::{Distribution, Expand, Family, ParameterError, log_probability};
use crate::dtype::Dtype;
use crate::functions::{Function, apply};
use crate::rng::Rng;
use crate::tensor::{IntoTensor, Tensor};

use super::rows::batch_of;
use super::shapes::{LastAxis, WithoutLast, check_value_shape};
use super::univariate::draws::draws;
use super::weights::{Form, Weights};

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
    pub(super) weights: Weights<S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Categorical<S, E, D> {
    /// Probabilities, or weights in proportion to them, of the categories along the last axis.
    ///
    /// # Panics
    /// If `probs` is a number or has no categories.
    #[track_caller]
    pub fn new(probs: impl IntoTensor<S, E, D>) -> Self {
        Categorical { weights: Weights::new("Categorical", Form::Probs, probs.into_operand()) }
    }

    /// Logarithms of the probabilities, up to a constant for each element of the batch; −∞ for a
    /// category that cannot be.
    ///
    /// # Panics
    /// If `logits` is a number or has no categories.
    #[track_caller]
    pub fn from_logits(logits: impl IntoTensor<S, E, D>) -> Self {
        Categorical { weights: Weights::new("Categorical", Form::Logits, logits.into_operand()) }
    }

    /// Under the name of a distribution that is made of this one.
    #[track_caller]
    pub(super) fn named(name: &'static str, form: Form, parameter: impl IntoTensor<S, E, D>) -> Self {
        Categorical { weights: Weights::new(name, form, parameter.into_operand()) }
    }

    /// How many categories there are.
    pub fn categories(&self) -> usize {
        self.weights.rows.len()
    }

    /// The normalised log-probabilities of all categories.
    pub fn logits(&self) -> Tensor<S, E, D> {
        self.weights.logits()
    }

    /// The normalised probabilities of all categories.
    pub fn probs(&self) -> Tensor<S, E, D> {
        self.weights.probs()
    }

    /// The probability of a category up to the value's, or beyond it.
    fn portions(&self, value: &Tensor<WithoutLast<S>, usize, D>, beyond: bool) -> Tensor<WithoutLast<S>, E, D> {
        let shape = batch_of(self.weights.rows.shape());
        check_value_shape("Categorical", value.shape(), shape);
        self.weights.portions(value.to_vec().into(), beyond).reshape_like(&shape)
    }

    /// The logarithm of [`Categorical::portions`]: of a sum of weights, or, where that is too small for a
    /// number with all its digits, of their logarithms.
    fn log_portions(&self, value: &Tensor<WithoutLast<S>, usize, D>, beyond: bool) -> Tensor<WithoutLast<S>, E, D> {
        let portions = self.portions(value, beyond);
        let known = |p: &E| p.is_nan() || *p >= E::min_positive_value() / E::epsilon();
        let known: Vec<bool> = portions.read(|p| p.iter().map(known).collect());
        if known.iter().all(|&it| it) {
            return portions.ln();
        }
        let (last, count) = (value.to_vec(), self.categories());
        let counted: Vec<bool> = (0..last.len() * count).map(|at| (at % count > last[at / count]) == beyond).collect();
        let logits = self.logits().select(&counted, f64::NEG_INFINITY);
        log_probability(portions).select(&known, logits.logsumexp::<WithoutLast<S>, LastAxis<S>>())
    }

    /// One category of each element, drawn.
    pub(super) fn draw_indices(&self, rng: &mut Rng) -> Vec<usize> {
        let (form, rows) = (self.weights.form, &self.weights.rows);
        let (own, own_count, len) = (rows.own().to_vec(), rows.own_count(), rows.len());
        let one = |row: usize, rng: &mut Rng| {
            let row = &own[row % own_count * len..][..len];
            let (total, noise) = (form.total(row), rng.r#gen::<f64>());
            reaching(row.iter().map(|&w| form.prob(w, total)), |sum| sum > noise) as f64
        };
        draws::<f64>(rows.count(), rng, one).into_iter().map(|k| k as usize).collect()
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for Categorical<S, E, D> {
    type Expanded = Categorical<R, E, D>;
    type ExpandedBatch = WithoutLast<R>;

    /// The last axis of `shape` has the categories, as that of the parameter.
    #[track_caller]
    fn expand(&self, shape: R) -> Categorical<R, E, D> {
        Categorical { weights: self.weights.expand(shape) }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Categorical<S, E, D> {
    type Value = Tensor<WithoutLast<S>, usize, D>;
    type Batch = WithoutLast<S>;

    fn name(&self) -> &'static str {
        "Categorical"
    }

    fn batch_shape(&self) -> WithoutLast<S> {
        batch_of(self.weights.rows.shape())
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        Tensor::from_vec(self.draw_indices(rng), self.batch_shape())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<WithoutLast<S>, E, D> {
        let shape = self.batch_shape();
        check_value_shape("Categorical", value.shape(), shape);
        self.weights.picked(value.to_vec().into()).reshape_like(&shape)
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(IntegerRange { high: self.categories() - 1 })
    }

    fn entropy(&self) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let shape = self.weights.rows.shape();
        Some(apply(Surprise, [self.logits().into_flat()], shape).sum::<WithoutLast<S>, LastAxis<S>>())
    }

    fn has_cdf(&self) -> bool {
        true
    }

    fn cdf(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        Some(self.portions(value, false))
    }

    fn survival(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        Some(self.portions(value, true))
    }

    fn log_cdf(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        Some(self.log_portions(value, false))
    }

    fn log_survival(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        Some(self.log_portions(value, true))
    }

    /// The smallest category whose cdf reaches the probability; a step, without a gradient. A
    /// probability that none reaches gives the last category that can be.
    fn icdf(&self, probability: &Tensor<WithoutLast<S>, E, D>) -> Option<Self::Value> {
        check_value_shape("Categorical", probability.shape(), self.batch_shape());
        let (form, parameter) = (self.weights.form, self.weights.rows.tensor().to_vec());
        let rows = parameter.chunks_exact(self.categories()).zip(probability.to_vec());
        let quantile = |(row, q): (&[E], E)| {
            let weights = form.weights(row);
            let all: f64 = weights.iter().sum();
            reaching(weights.into_iter(), |sum| E::of(sum / all) >= q)
        };
        Some(Tensor::from_vec(rows.map(quantile).collect(), self.batch_shape()))
    }

    fn enumerate_support(&self) -> Option<Vec<Self::Value>> {
        Some((0..self.categories()).map(|k| Tensor::full_like(k, self.batch_shape())).collect())
    }

    fn family(&self) -> Option<Family<E, D>> {
        let weights = &self.weights;
        Some(weights.rows.family(weights.form.named(["Categorical", "Categorical of logits"])))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.weights.check()
    }

    /// The parameter of each category, of the first eight where there are more.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.weights.shown(element)
    }
}

/// The first category whose cumulative probability is enough, or else the last, of those that can
/// be.
pub(super) fn reaching(probs: impl Iterator<Item = f64>, enough: impl Fn(f64) -> bool) -> usize {
    let (mut sum, mut last) = (0.0, 0);
    for (k, p) in probs.enumerate().filter(|(_, p)| *p > 0.0) {
        sum += p;
        last = k;
        if enough(sum) {
            break;
        }
    }
    last
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
    fn what_is_up_to_the_last_category_that_can_be_is_certain() {
        let probs = Tensor::<_, f32, Cpu>::from([[0.1, 0.2, 0.7, 0.0], [0.3, 0.3, 0.3, 0.1]]);
        let one = Categorical::new(&probs);
        for value in [[2, 3], [3, 3], [7, usize::MAX]] {
            assert_eq!(one.cdf(&Tensor::from(value)).unwrap().to_vec(), [1.0, 1.0]);
            assert_eq!(one.survival(&Tensor::from(value)).unwrap().to_vec(), [0.0, 0.0]);
        }
        let rare = Categorical::from_logits(Tensor::<_, f64, Cpu>::from([600.0, 0.0, 0.0]));
        let beyond = rare.survival(&Tensor::from(0)).unwrap().item();
        assert!((beyond / (2.0 * (-600.0_f64).exp()) - 1.0).abs() < 1e-12, "{beyond:e}");
    }

    #[test]
    fn weights_whose_sum_overflows_are_probabilities() {
        let one = Categorical::new(Tensor::<_, f64, Cpu>::from([1.5e308, 0.5e308, 1e308]));
        let near = |(a, b): (&f64, f64)| (a - b).abs() < 1e-15;
        assert!(one.probs().to_vec().iter().zip([0.5, 0.5 / 3.0, 1.0 / 3.0]).all(near));
        // The logarithms of such weights are known to 1e-13.
        assert!((one.log_prob(&Tensor::from(0)).item() - 0.5_f64.ln()).abs() < 1e-12);
        assert!((one.cdf(&Tensor::from(1)).unwrap().item() - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(one.icdf(&Tensor::from(0.6)).unwrap().to_vec(), [1]);
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
