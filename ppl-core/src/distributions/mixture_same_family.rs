//! Mixtures of distributions of one family.

use std::sync::Arc;

use dfdx::shapes::{Dim, Shape};

use crate::backend::{Backend, Layers, Reduction};
use crate::constraint::{OfComponents, Support};
use crate::distribution::{Distribution, Expand, ParameterError};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor, shape_from_dims};

use super::Categorical;
use super::mixture::weighted;
use super::shapes::{LastAxis, WithoutLast, check_value_shape};

/// The shape `Self` of components' values whose batch is `S`, without the axis of components, which
/// is the last of `S`.
#[diagnostic::on_unimplemented(
    message = "values of shape `{Self}` are not those of components with the batch `{S}`",
    note = "the last axis of the components' batch counts the components"
)]
pub trait Mixable<S: Shape>: Shape {
    /// The shape of the mixture's values.
    type Mixed: Shape;
}

macro_rules! mixable {
    ($(($($batch:ident)*) ($($event:ident)*);)+) => {$(
        impl<$($batch: Dim,)* Components: Dim, $($event: Dim,)*> Mixable<($($batch,)* Components,)>
            for ($($batch,)* Components, $($event,)*)
        {
            type Mixed = ($($batch,)* $($event,)*);
        }
    )+};
}

mixable! {
    () ();
    () (A);
    () (A B);
    () (A B C);
    (A) ();
    (A) (B);
    (A) (B C);
    (A) (B C F);
    (A B) ();
    (A B) (C);
    (A B) (C F);
    (A B C) ();
    (A B C) (F);
}

/// A mixture of the components along the last axis of `components`' batch, with the weights of
/// `mixing`.
///
/// Density: Σₖ wₖ pₖ(x).
///
/// Shapes: `mixing` has the batch's axes and one more, the last, with the K weights; the components
/// have exactly these axes as their batch. Values have the components' shape without that axis. Draws
/// of mixtures over numbers carry pathwise gradients of all parameters, the weights' too, where the
/// components' cdf is differentiable: dx/dθ = −(∂F/∂θ) / density.
///
/// The support is that of the components, or their union where they have bounds of their own.
///
/// A component of weight 0 has no part in the moments, whatever its own are. The mean is NaN where infinite
/// means of components are of both signs, for then there is none, and the variance where the mean is not
/// finite.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::{Categorical, MixtureSameFamily, Normal}};
/// let weights = Categorical::new(Tensor::<_, f64>::from([0.5, 0.5]));
/// let two = MixtureSameFamily::new(weights, Normal::new(Tensor::from([-1.0, 1.0]), 1.0));
/// assert!((two.cdf(&Tensor::scalar(0.0)).unwrap().item() - 0.5).abs() < 1e-15);
/// ```
///
/// Reference: Figurnov, Mohamed, Mnih, *Implicit Reparameterization Gradients*, 2018, sec. 4.
#[derive(Clone, Debug)]
pub struct MixtureSameFamily<P, S: Shape, E: Dtype, D: Backend<E>> {
    mixing: Categorical<S, E, D>,
    components: P,
}

impl<P, S: Shape, E: Dtype, D: Backend<E>> MixtureSameFamily<P, S, E, D> {
    /// The weights, and the components that they belong to.
    ///
    /// # Panics
    /// If sizes known only at run time differ, with both shapes.
    #[track_caller]
    pub fn new(mixing: Categorical<S, E, D>, components: P) -> Self
    where
        P: Distribution<E, D, Batch = S>,
    {
        let dims: Vec<usize> = components.batch_shape().concrete().into();
        let mut weights: Vec<usize> = mixing.batch_shape().concrete().into();
        weights.push(mixing.categories());
        assert!(
            dims == weights,
            "MixtureSameFamily: weights of shape {weights:?} for components with the batch {dims:?}"
        );
        MixtureSameFamily { mixing, components }
    }

    /// The distribution of the component's number.
    pub fn mixing(&self) -> &Categorical<S, E, D> {
        &self.mixing
    }

    /// The components.
    pub fn components(&self) -> &P {
        &self.components
    }
}

impl<P, S, V, E, D> MixtureSameFamily<P, S, E, D>
where
    P: Distribution<E, D, Value = Tensor<V, E, D>, Batch = S>,
    S: Shape,
    V: Mixable<S>,
    E: Dtype,
    D: Backend<E>,
{
    /// Elements before the axis of components, along it, and in one event.
    fn layers(&self) -> Layers {
        let axis = self.mixing.categories();
        let outer = self.components.batch_shape().num_elements() / axis;
        Layers { outer, axis, inner: self.components.event_dims().iter().product() }
    }

    /// The shape of the mixture's values.
    fn value_shape(&self) -> V::Mixed {
        let mut dims: Vec<usize> = self.components.batch_shape().concrete().into();
        dims.pop();
        dims.extend(self.components.event_dims());
        shape_from_dims(&dims).expect("`Mixable` gives the shape without the axis of components")
    }

    /// Something of the mixture for each of its components.
    fn for_components(&self, value: &Tensor<V::Mixed, E, D>) -> Tensor<V, E, D> {
        let Layers { outer, axis, inner } = self.layers();
        check_value_shape("MixtureSameFamily", value.shape(), self.value_shape());
        let one = |b: usize| (0..axis).flat_map(move |_| b * inner..(b + 1) * inner);
        let mut dims: Vec<usize> = self.components.batch_shape().concrete().into();
        dims.extend(self.components.event_dims());
        let shape = shape_from_dims::<V>(&dims).expect("the components' values have this shape");
        D::take(value.flat(), (0..outer).flat_map(one).collect()).reshape_like(&shape)
    }

    /// The mean over components of something that each of them has.
    fn averaged(&self, each: &Tensor<V, E, D>) -> Tensor<V::Mixed, E, D> {
        let layers = self.layers();
        let spread = (0..layers.outer * layers.axis).flat_map(|row| std::iter::repeat_n(row, layers.inner)).collect();
        let weights: Flat<E, D> = D::take(self.mixing.probs().into_flat(), spread);
        D::reduce(weighted(weights, each.flat()), layers, Reduction::Sum).reshape_like(&self.value_shape())
    }

    /// The draw `x` as a function of the parameters: x − (F(x) − F(x) held fixed) / density.
    fn pathwise(&self, x: Tensor<V::Mixed, E, D>) -> Option<Tensor<V::Mixed, E, D>> {
        let cdf = self.cdf(&x)?;
        if !cdf.is_tracked() {
            return Some(x);
        }
        let density = self.log_prob(&x).untracked().exp();
        let moved = (&cdf - cdf.detach()) / density;
        Some(&x - moved.reshape_like(&x.shape()))
    }
}

impl<P, S, R, E, D> Expand<R> for MixtureSameFamily<P, S, E, D>
where
    P: Expand<R>,
    S: Shape,
    R: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Expanded = MixtureSameFamily<P::Expanded, P::ExpandedBatch, E, D>;
    type ExpandedBatch = WithoutLast<P::ExpandedBatch>;

    /// The shape is that of the components, whose number stays.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let dims: Vec<usize> = shape.concrete().into();
        let batch = shape_from_dims(&dims[..P::ExpandedBatch::NUM_DIMS]).expect("the batch's axes come first");
        MixtureSameFamily { mixing: self.mixing.expand(batch), components: self.components.expand(shape) }
    }
}

impl<P, S, V, E, D> Distribution<E, D> for MixtureSameFamily<P, S, E, D>
where
    P: Distribution<E, D, Value = Tensor<V, E, D>, Batch = S>,
    S: Shape,
    V: Mixable<S>,
    E: Dtype,
    D: Backend<E>,
{
    type Value = Tensor<V::Mixed, E, D>;
    type Batch = WithoutLast<S>;

    fn name(&self) -> &'static str {
        "MixtureSameFamily"
    }

    fn batch_shape(&self) -> WithoutLast<S> {
        self.mixing.batch_shape()
    }

    fn event_dims(&self) -> Vec<usize> {
        self.components.event_dims()
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let Layers { axis, inner, .. } = self.layers();
        let chosen = self.mixing.draw(rng).to_vec();
        let each = self.components.draw(rng).untracked();
        let at = |(b, &k): (usize, &usize)| (b * axis + k) * inner..(b * axis + k + 1) * inner;
        let positions = chosen.iter().enumerate().flat_map(at).collect();
        let x = D::take(each.into_flat(), positions).reshape_like(&self.value_shape());
        if self.has_rsample() { self.pathwise(x.clone()).unwrap_or(x) } else { x }
    }

    fn has_rsample(&self) -> bool {
        self.components.has_rsample() && self.components.event_dims().is_empty() && self.components.has_cdf()
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<WithoutLast<S>, E, D> {
        let joint = self.components.log_prob(&self.for_components(value)) + self.mixing.logits();
        joint.logsumexp::<WithoutLast<S>, LastAxis<S>>()
    }

    fn support(&self) -> Support<E, D> {
        let each = self.components.support();
        // Where components have bounds of their own, the support is what they cover together.
        match each.each_inside(&[]) {
            None => each,
            Some(_) => Arc::new(OfComponents::new(each, self.layers())),
        }
    }

    fn mean(&self) -> Option<Self::Value> {
        Some(self.averaged(&self.components.mean()?))
    }

    /// The mean of the components' variances and the variance of their means.
    fn variance(&self) -> Option<Self::Value> {
        let (means, variances) = (self.components.mean()?, self.components.variance()?);
        let apart = &means - self.for_components(&self.averaged(&means));
        Some(self.averaged(&(variances + apart.square())))
    }

    fn cdf(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let each = self.components.cdf(&self.for_components(value))?;
        Some((each * self.mixing.probs()).sum::<WithoutLast<S>, LastAxis<S>>())
    }

    fn has_cdf(&self) -> bool {
        self.components.has_cdf()
    }

    fn survival(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let each = self.components.survival(&self.for_components(value))?;
        Some((each * self.mixing.probs()).sum::<WithoutLast<S>, LastAxis<S>>())
    }

    fn log_cdf(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let joint = self.components.log_cdf(&self.for_components(value))? + self.mixing.logits();
        Some(joint.logsumexp::<WithoutLast<S>, LastAxis<S>>())
    }

    fn log_survival(&self, value: &Self::Value) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let joint = self.components.log_survival(&self.for_components(value))? + self.mixing.logits();
        Some(joint.logsumexp::<WithoutLast<S>, LastAxis<S>>())
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.mixing.check_parameters()?;
        self.components.check_parameters()
    }

    /// The weights, then the parameters of the first component.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let mut all = self.mixing.parameters_at(element);
        all.extend(self.components.parameters_at(element * self.mixing.categories()));
        all
    }
}
