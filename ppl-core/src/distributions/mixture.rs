//! Mixtures of distributions of different families.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, Layers, Reduction};
use crate::constraint::{Constraint, Real, Support, Union};
use crate::distribution::{Distribution, Expand, Follows, ParameterError, StartsWith};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor, shape_from_dims};

use super::Categorical;
use super::shapes::WithoutLast;

// One face for components of different types.
mod components;

pub use components::Components;

/// A mixture of distributions that may be of different families, with the weights of `mixing`.
///
/// Density: Σₖ wₖ pₖ(x).
///
/// Shapes: values and batch are those of each component; `mixing` has the batch's axes and one
/// more, the last, with a weight for each component. Over numbers, draws carry pathwise gradients
/// where each component's do and has a cdf.
///
/// A component of weight 0 has no part in the moments, whatever its own are. The mean is NaN where infinite
/// means of components are of both signs, for then there is none, and the variance where the mean is not
/// finite.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution};
/// use ppl_core::distributions::{Categorical, Mixture, Normal, Uniform};
/// let weights = Categorical::new(Tensor::<_, f64>::from([0.25, 0.75]));
/// let mixed = Mixture::new(weights, (Normal::new(0.0, 1.0), Uniform::new(0.0, 10.0)));
/// assert!((mixed.mean().unwrap().item() - 3.75).abs() < 1e-12);
/// ```
#[derive(Clone, Debug)]
pub struct Mixture<C, S: Shape, E: Dtype, D: Backend<E>> {
    mixing: Categorical<S, E, D>,
    components: C,
}

impl<C, S: Shape, E: Dtype, D: Backend<E>> Mixture<C, S, E, D> {
    /// The weights, and the components that they belong to.
    ///
    /// # Panics
    /// If there are more or fewer weights than components, or sizes known only at run time differ.
    #[track_caller]
    pub fn new(mixing: Categorical<S, E, D>, components: C) -> Self
    where
        C: Components<E, D, Batch = WithoutLast<S>>,
    {
        let shapes = components.each(|component| component.batch_shape());
        let (count, expected) = (mixing.categories(), mixing.batch_shape());
        assert!(shapes.len() == count, "Mixture: {count} weights for {} components", shapes.len());
        if let Some(other) = shapes.iter().find(|shape| **shape != expected) {
            panic!("Mixture: weights for the batch {expected:?}, and a component with the batch {other:?}");
        }
        Mixture { mixing, components }
    }

    /// The distribution of the component's number.
    pub fn mixing(&self) -> &Categorical<S, E, D> {
        &self.mixing
    }

    /// The components.
    pub fn components(&self) -> &C {
        &self.components
    }
}

/// Products of weights and of what they weigh, which are 0 where the weight is, though the other is
/// infinite. The weight has no gradient there.
pub(super) fn weighted<E: Dtype, D: Backend<E>>(weights: Flat<E, D>, each: Flat<E, D>) -> Flat<E, D> {
    let counts = |(w, x): (&E, &E)| *w != E::of(0.0) || x.is_finite();
    let counts: Vec<bool> = weights.read(|w| each.read(|x| w.iter().zip(x).map(counts).collect()));
    weights * if counts.iter().all(|&it| it) { each } else { each.select(&counts, 0.0) }
}

impl<C, S, V, E, D> Mixture<C, S, E, D>
where
    C: Components<E, D, Value = Tensor<V, E, D>, Batch = WithoutLast<S>>,
    S: Shape,
    V: Shape,
    E: Dtype,
    D: Backend<E>,
{
    /// The components one after another: their number, and elements of each.
    fn layers(&self) -> Layers {
        Layers { outer: 1, axis: self.mixing.categories(), inner: self.mixing.batch_shape().num_elements() }
    }

    fn event_len(&self) -> usize {
        self.event_dims().iter().product()
    }

    /// The weights (or something else by element and component), by component first.
    fn by_component(&self, by_element: Flat<E, D>) -> Flat<E, D> {
        let Layers { axis, inner, .. } = self.layers();
        D::take(by_element, (0..axis).flat_map(|k| (0..inner).map(move |b| b * axis + k)).collect())
    }

    /// The mean over components of something that each has.
    fn averaged(&self, each: Vec<Tensor<V, E, D>>) -> Option<Tensor<V, E, D>> {
        let (shape, layers, len) = (each.first()?.shape(), self.layers(), self.event_len());
        let weights = self.by_component(self.mixing.probs().into_flat());
        let spread = (0..weights.numel()).flat_map(|row| std::iter::repeat_n(row, len)).collect();
        let weighted = weighted(D::take(weights, spread), D::join(each.iter().map(Tensor::flat).collect()));
        let layers = Layers { inner: layers.inner * len, ..layers };
        Some(D::reduce(weighted, layers, Reduction::Sum).reshape_like(&shape))
    }

    /// The probability of something, from that under each component.
    fn probability(&self, each: Vec<Option<Tensor<WithoutLast<S>, E, D>>>) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let each = each.into_iter().map(|p| Some(p?.into_flat())).collect::<Option<_>>()?;
        let weighted = D::join(each) * self.by_component(self.mixing.probs().into_flat());
        Some(D::reduce(weighted, self.layers(), Reduction::Sum).reshape_like(&self.batch_shape()))
    }

    /// The logarithm of a weighted mean of exponentials, one for each component.
    fn log_averaged(&self, each: Vec<Flat<E, D>>) -> Tensor<WithoutLast<S>, E, D> {
        let joint = D::join(each) + self.by_component(self.mixing.logits().into_flat());
        D::reduce(joint, self.layers(), Reduction::LogSumExp).reshape_like(&self.batch_shape())
    }

    /// The draw `x` as a function of the parameters: x − (F(x) − F(x) held fixed) / density.
    fn pathwise(&self, x: Tensor<V, E, D>) -> Option<Tensor<V, E, D>> {
        let cdf = self.cdf(&x)?;
        if !cdf.is_tracked() {
            return Some(x);
        }
        let density = self.log_prob(&x).untracked().exp();
        let moved = (&cdf - cdf.detach()) / density;
        Some(&x - moved.reshape_like(&x.shape()))
    }
}

impl<C, S, R, E, D> Expand<R> for Mixture<C, S, E, D>
where
    C: Expand<R>,
    S: StartsWith<WithoutLast<S>>,
    S::Rest: Follows<C::ExpandedBatch>,
    R: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Expanded = Mixture<C::Expanded, <S::Rest as Follows<C::ExpandedBatch>>::Whole, E, D>;
    type ExpandedBatch = C::ExpandedBatch;

    /// The shape is that which each component takes.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let components = self.components.expand(shape);
        let whole: Vec<usize> = shape.concrete().into();
        let dims = [&whole[..C::ExpandedBatch::NUM_DIMS], &[self.mixing.categories()]].concat();
        let weights = shape_from_dims(&dims).expect("the weights have the batch's axes and one more");
        Mixture { mixing: self.mixing.expand(weights), components }
    }
}

impl<C, S, V, E, D> Distribution<E, D> for Mixture<C, S, E, D>
where
    C: Components<E, D, Value = Tensor<V, E, D>, Batch = WithoutLast<S>>,
    S: Shape,
    V: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Value = Tensor<V, E, D>;
    type Batch = WithoutLast<S>;

    fn name(&self) -> &'static str {
        "Mixture"
    }

    fn batch_shape(&self) -> WithoutLast<S> {
        self.mixing.batch_shape()
    }

    fn event_dims(&self) -> Vec<usize> {
        self.components.each(|component| component.event_dims()).swap_remove(0)
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let (Layers { inner, .. }, len) = (self.layers(), self.event_len());
        let chosen = self.mixing.draw(rng).to_vec();
        let each = self.components.each(|component| component.draw(rng).untracked());
        let shape = each[0].shape();
        let at = |(b, &k): (usize, &usize)| (k * inner + b) * len..(k * inner + b + 1) * len;
        let positions = chosen.iter().enumerate().flat_map(at).collect();
        let x = D::take(D::join(each.into_iter().map(Tensor::into_flat).collect()), positions).reshape_like(&shape);
        if self.has_rsample() { self.pathwise(x.clone()).unwrap_or(x) } else { x }
    }

    fn has_rsample(&self) -> bool {
        let each = self.components.each(|component| component.has_rsample() && component.has_cdf());
        self.event_dims().is_empty() && each.into_iter().all(|it| it)
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<WithoutLast<S>, E, D> {
        self.log_averaged(self.components.each(|component| component.log_prob(value).into_flat()))
    }

    /// The components' where it is one, and otherwise their union.
    fn support(&self) -> Support<E, D> {
        let supports = self.components.each(|component| component.support());
        let same = |one: &&Support<E, D>| supports.iter().all(|other| format!("{other:?}") == format!("{one:?}"));
        let everything = |one: &&Support<E, D>| one.describe() == Constraint::<E, D>::describe(&Real);
        match supports.iter().find(everything).or(supports.first().filter(same)) {
            Some(one) => one.clone(),
            None => Arc::new(Union::new(supports)),
        }
    }

    fn mean(&self) -> Option<Self::Value> {
        self.averaged(self.components.each(|component| component.mean()).into_iter().collect::<Option<_>>()?)
    }

    /// The mean of the components' variances and the variance of their means.
    fn variance(&self) -> Option<Self::Value> {
        let mean = self.mean()?;
        let each = self.components.each(|c| Some(c.variance()? + (c.mean()? - &mean).square()));
        self.averaged(each.into_iter().collect::<Option<_>>()?)
    }

    fn cdf(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        self.probability(self.components.each(|component| component.cdf(value)))
    }

    fn survival(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        self.probability(self.components.each(|component| component.survival(value)))
    }

    fn log_cdf(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let each = self.components.each(|component| Some(component.log_cdf(value)?.into_flat()));
        Some(self.log_averaged(each.into_iter().collect::<Option<_>>()?))
    }

    fn log_survival(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let each = self.components.each(|component| Some(component.log_survival(value)?.into_flat()));
        Some(self.log_averaged(each.into_iter().collect::<Option<_>>()?))
    }

    fn has_cdf(&self) -> bool {
        self.components.each(|component| component.has_cdf()).into_iter().all(|it| it)
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.mixing.check_parameters()?;
        self.components.each(|component| component.check_parameters()).into_iter().collect()
    }

    /// The weights, then the parameters of each component.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let mut all = self.mixing.parameters_at(element);
        all.extend(self.components.each(|component| component.parameters_at(element)).concat());
        all
    }
}
