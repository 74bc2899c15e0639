//! The ordered logistic distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Constraint, IntegerRange, Ordered, Real, Support};
use crate::distribution::{Distribution, Expand, ParameterError, check_parameter, unravel};
use crate::dtype::Dtype;
use crate::functions::unary::{sigmoid, softplus};
use crate::functions::{Function, apply};
use crate::ops::expanded_positions;
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Tensor};

use super::shapes::{batch_shape, check_value_shape};

/// One of the ordered categories 0, 1, …, K − 1: the number of `cutpoints` below `predictor` plus
/// logistic noise, for ordinal regression.
///
/// Probability: P(X ≤ k) = 1 / (1 + exp(predictor − cutpoints\[k\])), and 1 for the last category.
///
/// Shapes: `predictor` has the batch's shape. `cutpoints`, which increase along the last axis, has the
/// batch's axes and one more, of K − 1; or that axis alone, for cutpoints that are shared by the whole
/// batch. Values are tensors of `usize` of the batch's shape.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::OrderedLogistic};
/// let answers = OrderedLogistic::new(Tensor::<_, f64>::from([0.0, 2.0]), Tensor::from([-1.0, 1.0]));
/// let cdf = answers.cdf(&Tensor::from([0, 2])).unwrap().to_vec();
/// assert!((cdf[0] - 1.0 / (1.0 + 1.0_f64.exp())).abs() < 1e-15 && cdf[1] == 1.0);
/// ```
///
/// Reference: McCullagh, *Regression models for ordinal data*, Journal of the Royal Statistical
/// Society B 42, 1980.
#[derive(Clone, Debug)]
pub struct OrderedLogistic<S: Shape, E: Dtype, D: Backend<E>> {
    predictor: Tensor<S, E, D>,
    /// Row after row.
    cutpoints: Flat<E, D>,
    /// The sizes of the tensor of cutpoints.
    dims: Vec<usize>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> OrderedLogistic<S, E, D> {
    /// The predictor of each element, and the cutpoints of each or of all.
    ///
    /// # Panics
    /// If the cutpoints have neither one axis nor the predictor's axes and one more, with both shapes;
    /// if there are none; or if the batch has axes and the predictor is a number.
    #[track_caller]
    pub fn new<C: Shape>(predictor: impl IntoTensor<S, E, D>, cutpoints: impl IntoTensor<C, E, D>) -> Self {
        let (predictor, cutpoints) = (predictor.into_operand(), cutpoints.into_operand());
        let shape = batch_shape("OrderedLogistic", &[("predictor", &predictor)]);
        let dims: Vec<usize> = batch_shape("OrderedLogistic", &[("cutpoints", &cutpoints)]).concrete().into();
        let (batch, rows): (Vec<usize>, _) = (shape.concrete().into(), dims.split_last());
        assert!(
            rows.is_some_and(|(&count, rows)| count > 0 && (rows.is_empty() || rows == batch)),
            "OrderedLogistic: cutpoints of shape {dims:?} for a predictor of shape {batch:?}; they have one axis, or \
             the predictor's axes and one more"
        );
        OrderedLogistic { predictor: predictor.spread(shape), cutpoints: cutpoints.flat(), dims }
    }

    /// How many categories there are.
    pub fn categories(&self) -> usize {
        self.count() + 1
    }

    /// The predictor of each element.
    pub fn predictor(&self) -> Tensor<S, E, D> {
        self.predictor.clone()
    }

    /// How many cutpoints an element has.
    fn count(&self) -> usize {
        self.dims.last().copied().unwrap_or_default()
    }

    /// Where the cutpoints of an element begin.
    fn start(&self, element: usize) -> usize {
        if self.dims.len() == 1 { 0 } else { element * self.count() }
    }

    /// The cutpoint of each element at a place that is asked for, where it has one, or else its first.
    fn cutpoint(&self, places: impl Iterator<Item = Option<usize>>) -> Flat<E, D> {
        let at = |(i, place): (usize, Option<usize>)| self.start(i) + place.filter(|&k| k < self.count()).unwrap_or(0);
        D::take(self.cutpoints.clone(), places.enumerate().map(at).collect())
    }

    /// The log-odds of a category of at most this, and whether it is below the last, where they mean
    /// something.
    fn log_odds_up_to(&self, value: &Tensor<S, usize, D>) -> (Tensor<S, E, D>, Vec<bool>) {
        check_value_shape("OrderedLogistic", value.shape(), self.predictor.shape());
        let categories = value.to_vec();
        let above = self.cutpoint(categories.iter().map(|&k| Some(k)));
        let below_last = categories.iter().map(|&k| k < self.count()).collect();
        (above.reshape_like(&self.predictor.shape()) - &self.predictor, below_last)
    }

    /// The cutpoints of each element, with its predictor.
    fn elements(&self) -> (Vec<E>, Vec<E>) {
        (self.predictor.to_vec(), self.cutpoints.to_vec())
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for OrderedLogistic<S, E, D> {
    type Expanded = OrderedLogistic<R, E, D>;
    type ExpandedBatch = R;

    #[track_caller]
    fn expand(&self, shape: R) -> OrderedLogistic<R, E, D> {
        let (predictor, count) = (self.predictor.expand(shape), self.count());
        if self.dims.len() == 1 {
            return OrderedLogistic { predictor, cutpoints: self.cutpoints.clone(), dims: self.dims.clone() };
        }
        let mut dims: Vec<usize> = shape.concrete().into();
        let rows = expanded_positions(&self.predictor.dims(), &dims);
        let places = rows.into_iter().flat_map(|row| row * count..(row + 1) * count).collect();
        dims.push(count);
        OrderedLogistic { predictor, cutpoints: D::take(self.cutpoints.clone(), places), dims }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for OrderedLogistic<S, E, D> {
    type Value = Tensor<S, usize, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "OrderedLogistic"
    }

    fn batch_shape(&self) -> S {
        self.predictor.shape()
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let (predictor, cutpoints) = self.elements();
        let mut one = |(i, eta): (usize, &E)| {
            let uniform: f64 = rng.sample(Open01);
            let latent = eta.wide() + uniform.ln() - (-uniform).ln_1p();
            let row = &cutpoints[self.start(i)..][..self.count()];
            row.iter().take_while(|c| c.wide() < latent).count()
        };
        Tensor::from_vec(predictor.iter().enumerate().map(&mut one).collect(), self.batch_shape())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<S, E, D> {
        let shape = self.batch_shape();
        check_value_shape("OrderedLogistic", value.shape(), shape);
        let (categories, last) = (value.to_vec(), self.count());
        let place = |&k: &usize| match k {
            0 => Place::Lowest,
            k if k < last => Place::Between,
            k if k == last => Place::Highest,
            _ => Place::Nowhere,
        };
        let places = Flat::vector(categories.iter().map(|k| E::of(place(k) as u8 as f64)).collect());
        let below = self.cutpoint(categories.iter().map(|k| k.checked_sub(1)));
        let above = self.cutpoint(categories.iter().map(|&k| Some(k)));
        apply(LogProbability, [places, self.predictor.flat(), below, above], shape)
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(IntegerRange { high: self.count() })
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        let surprise = |value: Self::Value| apply(Surprise, [self.log_prob(&value).flat()], self.batch_shape());
        self.enumerate_support()?.into_iter().map(surprise).reduce(|sum, more| sum + more)
    }

    fn has_cdf(&self) -> bool {
        true
    }

    fn cdf(&self, value: &Self::Value) -> Option<Tensor<S, E, D>> {
        let (log_odds, below_last) = self.log_odds_up_to(value);
        Some(log_odds.sigmoid().select(&below_last, 1.0))
    }

    fn survival(&self, value: &Self::Value) -> Option<Tensor<S, E, D>> {
        let (log_odds, below_last) = self.log_odds_up_to(value);
        Some((-log_odds).sigmoid().select(&below_last, 0.0))
    }

    fn log_cdf(&self, value: &Self::Value) -> Option<Tensor<S, E, D>> {
        let (log_odds, below_last) = self.log_odds_up_to(value);
        Some(log_odds.log_sigmoid().select(&below_last, 0.0))
    }

    fn log_survival(&self, value: &Self::Value) -> Option<Tensor<S, E, D>> {
        let (log_odds, below_last) = self.log_odds_up_to(value);
        Some((-log_odds).log_sigmoid().select(&below_last, f64::NEG_INFINITY))
    }

    /// The smallest category whose cdf reaches the probability; a step, without a gradient.
    fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Self::Value> {
        check_value_shape("OrderedLogistic", probability.shape(), self.batch_shape());
        let (predictor, cutpoints) = self.elements();
        let one = |(i, (&eta, q)): (usize, (&E, E))| {
            let row = &cutpoints[self.start(i)..][..self.count()];
            row.iter().position(|&c| sigmoid(c - eta) >= q).unwrap_or(self.count())
        };
        let values = predictor.iter().zip(probability.to_vec()).enumerate().map(one).collect();
        Some(Tensor::from_vec(values, self.batch_shape()))
    }

    fn enumerate_support(&self) -> Option<Vec<Self::Value>> {
        Some((0..self.categories()).map(|k| Tensor::full_like(k, self.batch_shape())).collect())
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("predictor", &(&self.predictor).into_operand(), &Real)?;
        let values = self.cutpoints.to_vec();
        let constraints: [&dyn Constraint<E, D>; 2] = [&Real, &Ordered];
        for constraint in constraints {
            if let Some(at) = constraint.violation(&values, &self.dims) {
                return Err(ParameterError {
                    parameter: "cutpoints",
                    value: values[at].wide(),
                    element: unravel(at, &self.dims),
                    constraint: constraint.describe(),
                });
            }
        }
        Ok(())
    }

    /// The predictor, and the cutpoints, of which the first eight where there are more.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let (predictor, cutpoints) = self.elements();
        let row = cutpoints[self.start(element)..].iter().take(self.count().min(8));
        std::iter::once(("predictor", predictor[element].wide())).chain(row.map(|c| ("cutpoints", c.wide()))).collect()
    }
}

/// Where a category lies among the others.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Place {
    Lowest,
    Between,
    Highest,
    Nowhere,
}

/// The log-probability of a category from its [`Place`], the predictor η, and the cutpoints below it, a,
/// and above it, b: ln σ(b − η), ln σ(η − a), or, with neither cancelling,
/// ln(σ(η − a) − σ(η − b)) = ln σ(η − a) + ln σ(b − η) + ln(1 − e^(a − b)).
#[derive(Clone, Copy, Debug)]
struct LogProbability;

impl LogProbability {
    /// Whether a category has a cutpoint below and one above it; `None` for what is no category.
    fn sides(place: f64) -> Option<[bool; 2]> {
        let is = |other: Place| place == f64::from(other as u8);
        (!is(Place::Nowhere)).then(|| [!is(Place::Lowest), !is(Place::Highest)])
    }
}

impl<E: Dtype> Function<E, 4> for LogProbability {
    fn name(&self) -> &'static str {
        "OrderedLogistic::log_prob"
    }

    fn value(&self, args: [E; 4]) -> E {
        let [place, eta, a, b] = args.map(E::wide);
        let Some([below, above]) = Self::sides(place) else { return E::neg_infinity() };
        let from_below = if below { softplus(a - eta) } else { 0.0 };
        let from_above = if above { softplus(eta - b) } else { 0.0 };
        let width = if below && above { log_one_minus_exp(b - a) } else { 0.0 };
        E::of(width - from_below - from_above)
    }

    fn partials(&self, args: [E; 4], value: E) -> [E; 4] {
        let [place, eta, a, b] = args.map(E::wide);
        let sides = Self::sides(place).filter(|_| value != E::neg_infinity());
        let Some([below, above]) = sides else { return [E::of(0.0); 4] };
        let from_below = if below { sigmoid(a - eta) } else { 0.0 };
        let from_above = if above { sigmoid(eta - b) } else { 0.0 };
        let width = if below && above { (b - a).exp_m1().recip() } else { 0.0 };
        [0.0, from_below - from_above, -from_below - width, from_above + width].map(E::of)
    }
}

/// ln(1 − e⁻ᵘ) for u > 0, exact at both ends.
fn log_one_minus_exp(u: f64) -> f64 {
    if u < std::f64::consts::LN_2 { (-(-u).exp_m1()).ln() } else { (-(-u).exp()).ln_1p() }
}

/// −p ln p from ln p: 0 for an impossible category.
#[derive(Clone, Copy, Debug)]
struct Surprise;

impl<E: Dtype> Function<E, 1> for Surprise {
    fn name(&self) -> &'static str {
        "OrderedLogistic::entropy"
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
    use crate::Cpu;
    use crate::autodiff::grad;

    #[test]
    fn shared_cutpoints_are_those_of_every_element() {
        let predictor = Tensor::<_, f64, Cpu>::from([0.3, -2.0]);
        let shared = Tensor::<_, f64, Cpu>::from([-1.0, 0.5, 2.0]).tracked();
        let each = Tensor::<_, f64, Cpu>::from([[-1.0, 0.5, 2.0], [-1.0, 0.5, 2.0]]).tracked();
        let value = Tensor::from([2, 1]);
        let (one, from_shared) = grad(|| OrderedLogistic::new(&predictor, &shared).log_prob(&value).sum_all());
        let (other, from_each) = grad(|| OrderedLogistic::new(&predictor, &each).log_prob(&value).sum_all());
        assert_eq!(one.item(), other.item());
        let rows = from_each.get(&each).unwrap().to_vec();
        let sums: Vec<f64> = (0..3).map(|k| rows[k] + rows[3 + k]).collect();
        assert_eq!(from_shared.get(&shared).unwrap().to_vec(), sums);
    }

    #[test]
    fn close_cutpoints_keep_their_digits() {
        let one = OrderedLogistic::<(), f64, Cpu>::new(0.0, Tensor::from([0.0, 1e-12]));
        assert!((one.log_prob(&Tensor::from(1)).item() - (0.25e-12_f64).ln()).abs() < 1e-11);
        let far = OrderedLogistic::<(), f64, Cpu>::new(-900.0, Tensor::from([0.0, 1.0]));
        assert!((far.log_prob(&Tensor::from(2)).item() + 901.0).abs() < 1e-12);
    }

    #[test]
    fn cutpoints_that_do_not_increase_are_named() {
        let cutpoints = Tensor::<_, f64, Cpu>::from([[0.0, 1.0], [1.0, 1.0]]);
        let error = OrderedLogistic::new(Tensor::from([0.0, 0.0]), &cutpoints).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.element[0]), ("cutpoints", 1));
        assert_eq!(error.constraint, "a row of increasing numbers");
    }

    #[test]
    fn what_is_no_category_is_impossible() {
        let one = OrderedLogistic::<(), f64, Cpu>::new(0.0, Tensor::from([0.0]));
        assert_eq!(one.log_prob(&Tensor::from(2)).item(), f64::NEG_INFINITY);
        assert_eq!(one.cdf(&Tensor::from(2)).unwrap().item(), 1.0);
    }

    #[test]
    #[should_panic(expected = "OrderedLogistic: cutpoints of shape [3, 1] for a predictor of shape [2]")]
    fn cutpoints_of_another_batch() {
        let cutpoints = Tensor::<_, f64, Cpu>::from([[0.0], [1.0], [2.0]]);
        let _ = OrderedLogistic::new(Tensor::from([0.0, 0.0]), cutpoints);
    }
}
