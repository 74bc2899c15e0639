//! The distribution of a transformed value.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, Layers, Reduction};
use crate::constraint::{Image, Support};
use crate::distribution::{BaseForm, Distribution, Expand, Follows, ParameterError, StartsWith, TakeBase};
use crate::dtype::Dtype;
use crate::ops::expanded_positions;
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor};
use crate::transform::{Map, Transform};

use super::shapes::check_value_shape;

/// The distribution of f(x) where x has the distribution `base`.
///
/// Density: p(x) / |det J(x)| at x = f⁻¹(y); 0 where no x has the image y.
///
/// Shapes: values have those of the base, or the shape given where the transform changes sizes; the
/// batch is the base's. A transform of vectors needs a base whose events are at least these vectors:
/// make one with [`to_event`](Distribution::to_event).
///
/// Over numbers the cdf and its inverse are those of the base, through the transform.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, transform::Exp};
/// use ppl_core::distributions::{LogNormal, Normal, TransformedDistribution};
/// let scale = Tensor::<_, f64>::from([0.5, 2.0]);
/// let made = TransformedDistribution::new(Normal::new(0.0, &scale), Exp);
/// let x = Tensor::from([1.5, 3.0]);
/// let gap = made.log_prob(&x) - LogNormal::new(0.0, scale).log_prob(&x);
/// assert!(gap.to_vec().iter().all(|d| d.abs() < 1e-14));
/// ```
///
/// Reference: Papamakarios et al., *Normalizing Flows for Probabilistic Modeling and Inference*,
/// 2021, sec. 2.1.
#[derive(Clone, Debug)]
pub struct TransformedDistribution<P, V: Shape, E: Dtype, D: Backend<E>> {
    base: P,
    transform: Map<E, D>,
    shape: V,
}

impl<P, V, E, D> TransformedDistribution<P, V, E, D>
where
    P: Distribution<E, D, Value = Tensor<V, E, D>>,
    V: Shape,
    E: Dtype,
    D: Backend<E>,
{
    /// A transform that keeps sizes.
    ///
    /// # Panics
    /// If the transform changes sizes, is not one to one, or maps vectors longer than the base's
    /// events.
    #[track_caller]
    pub fn new(base: P, transform: impl Transform<E, D>) -> Self {
        let mut dims: Vec<usize> = base.batch_shape().concrete().into();
        dims.extend(base.event_dims());
        let shape = crate::tensor::shape_from_dims(&dims).expect("values have the axes of batch and event");
        Self::with_shape(base, Arc::new(transform), shape)
    }
}

impl<P, V: Shape, E: Dtype, D: Backend<E>> TransformedDistribution<P, V, E, D> {
    /// A transform that may change sizes, and the shape of its images.
    ///
    /// # Panics
    /// If the sizes are not those of the transform's images, it is not one to one, or it maps
    /// vectors longer than the base's events.
    #[track_caller]
    pub fn with_shape<U: Shape>(base: P, transform: Map<E, D>, shape: V) -> Self
    where
        P: Distribution<E, D, Value = Tensor<U, E, D>>,
    {
        let (from, to) = transform.event_lens();
        let (batch, event) = (base.batch_shape().num_elements(), base.event_dims().iter().product::<usize>());
        let name = transform.name();
        assert!(transform.is_bijective(), "TransformedDistribution: {name} is not one to one");
        assert!(
            event % from.max(1) == 0,
            "TransformedDistribution: {name} maps vectors of {from} numbers, and events of {} have {event}; see `to_event`",
            base.name()
        );
        let (found, expected) = (shape.num_elements(), batch * event / from.max(1) * to);
        assert!(found == expected, "TransformedDistribution: a shape of {found} numbers for {expected} of {name}");
        TransformedDistribution { base, transform, shape }
    }

    /// The distribution before the transform.
    pub fn base(&self) -> &P {
        &self.base
    }

    /// The transform.
    pub fn transform(&self) -> &Map<E, D> {
        &self.transform
    }
}

/// A point of the base for each value, and which elements of the batch have one.
struct Preimage<U: Shape, E: Dtype, D: Backend<E>> {
    point: Tensor<U, E, D>,
    image: Flat<E, D>,
    exists: Vec<bool>,
}

impl<P, U, V, E, D> TransformedDistribution<P, V, E, D>
where
    P: Distribution<E, D, Value = Tensor<U, E, D>>,
    U: Shape,
    V: Shape,
    E: Dtype,
    D: Backend<E>,
{
    fn base_shape(&self) -> U {
        let mut dims: Vec<usize> = self.base.batch_shape().concrete().into();
        dims.extend(self.base.event_dims());
        crate::tensor::shape_from_dims(&dims).expect("values have the axes of batch and event")
    }

    fn has_cdf_through(&self) -> bool {
        self.transform.event_lens() == (1, 1) && self.base.event_dims().is_empty()
    }

    /// What has the value as its image; where nothing has, an arbitrary point.
    fn preimage(&self, value: &Tensor<V, E, D>) -> Preimage<U, E, D> {
        check_value_shape("TransformedDistribution", value.shape(), self.shape);
        let shape = self.base_shape();
        let (batch, numel) = (self.base.batch_shape().num_elements(), shape.num_elements());
        let point = self.transform.inverse(value.flat());
        // A value that is a number while what should have it as its image is none.
        let row = value.numel() / batch.max(1);
        let known = value.read(|v| (0..batch).map(|b| !v[b * row..(b + 1) * row].iter().any(|x| x.is_nan())).collect());
        let known: Vec<bool> = known;
        let (event, points) = (numel / batch.max(1), point.to_vec());
        let broken = |b: usize| points[b * event..(b + 1) * event].iter().any(|x| x.is_nan());
        let exists: Vec<bool> = (0..batch).map(|b| !(known[b] && broken(b))).collect();
        if exists.iter().all(|&e| e) {
            return Preimage { point: point.reshape_like(&shape), image: value.flat(), exists };
        }
        let spread = |len: usize| -> Vec<bool> { (0..batch * len).map(|i| exists[i / len]).collect() };
        let origin = Flat::vector(vec![E::of(0.5); numel]);
        let image = value.flat().select(&spread(row), self.transform.forward(origin));
        let point = self.transform.inverse(image.clone());
        Preimage { point: point.reshape_like(&shape), image, exists }
    }

    /// For each element of a batch of numbers, whether the transform increases there.
    fn increases(&self) -> Vec<bool> {
        self.transform.increases(self.shape.num_elements())
    }
}

impl<P, V, R, E, D> Expand<R> for TransformedDistribution<P, V, E, D>
where
    P: Distribution<E, D> + Expand<R>,
    V: StartsWith<P::Batch>,
    V::Rest: Follows<P::ExpandedBatch>,
    R: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Expanded = TransformedDistribution<P::Expanded, <V::Rest as Follows<P::ExpandedBatch>>::Whole, E, D>;
    type ExpandedBatch = P::ExpandedBatch;

    /// The shape is that which the base takes. Parameters of the transform repeat with the batch.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let base = self.base.expand(shape);
        let (whole, value): (Vec<usize>, Vec<usize>) = (shape.concrete().into(), self.shape.concrete().into());
        let (from, event) = value.split_at(P::Batch::NUM_DIMS);
        let to = &whole[..P::ExpandedBatch::NUM_DIMS];
        let elements = expanded_positions(from, to);
        let transform = self.transform.repeated(&elements, self.base.batch_shape().num_elements());
        let transform = transform.unwrap_or_else(|| self.transform.clone());
        let shape = crate::tensor::shape_from_dims(&[to, event].concat()).expect("values have the axes of both");
        TransformedDistribution { base, transform, shape }
    }
}

impl<P, U, V, E, D> Distribution<E, D> for TransformedDistribution<P, V, E, D>
where
    P: Distribution<E, D, Value = Tensor<U, E, D>>,
    U: Shape,
    V: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Value = Tensor<V, E, D>;
    type Batch = P::Batch;

    fn name(&self) -> &'static str {
        "TransformedDistribution"
    }

    fn batch_shape(&self) -> P::Batch {
        self.base.batch_shape()
    }

    fn event_dims(&self) -> Vec<usize> {
        let dims: Vec<usize> = self.shape.concrete().into();
        dims[P::Batch::NUM_DIMS..].to_vec()
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<V, E, D> {
        self.transform.forward(self.base.draw(rng).into_flat()).reshape_like(&self.shape)
    }

    fn has_rsample(&self) -> bool {
        self.base.has_rsample()
    }

    fn log_prob(&self, value: &Tensor<V, E, D>) -> Tensor<P::Batch, E, D> {
        let Preimage { point, image, mut exists } = self.preimage(value);
        let base = self.base.log_prob(&point);
        let slopes = self.transform.log_abs_det(&point.flat(), &image);
        let batch = base.shape();
        let layers = Layers { outer: base.numel(), axis: slopes.numel() / base.numel().max(1), inner: 1 };
        let slope = if layers.axis == 1 { slopes } else { D::reduce(slopes, layers, Reduction::Sum) };
        // At an end of the support the slope may be infinite as well: the density is 0 all the same.
        base.read(|b| exists.iter_mut().zip(b).for_each(|(e, b)| *e &= *b != E::neg_infinity()));
        (base - slope.reshape_like(&batch)).select(&exists, f64::NEG_INFINITY)
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Image::new(self.base.support(), self.transform.clone()))
    }

    fn cdf(&self, value: &Tensor<V, E, D>) -> Option<Tensor<P::Batch, E, D>> {
        if !self.has_cdf() {
            return None;
        }
        self.through(value, [0.0, 1.0], |base, point| [base.cdf(point), base.survival(point)])
    }

    fn survival(&self, value: &Tensor<V, E, D>) -> Option<Tensor<P::Batch, E, D>> {
        if !self.has_cdf() {
            return None;
        }
        self.through(value, [1.0, 0.0], |base, point| [base.survival(point), base.cdf(point)])
    }

    fn log_cdf(&self, value: &Tensor<V, E, D>) -> Option<Tensor<P::Batch, E, D>> {
        if !self.has_cdf() {
            return None;
        }
        self.through(value, [f64::NEG_INFINITY, 0.0], |base, point| [base.log_cdf(point), base.log_survival(point)])
    }

    fn log_survival(&self, value: &Tensor<V, E, D>) -> Option<Tensor<P::Batch, E, D>> {
        if !self.has_cdf() {
            return None;
        }
        self.through(value, [0.0, f64::NEG_INFINITY], |base, point| [base.log_survival(point), base.log_cdf(point)])
    }

    fn has_cdf(&self) -> bool {
        self.has_cdf_through() && self.base.has_cdf()
    }

    fn icdf(&self, probability: &Tensor<P::Batch, E, D>) -> Option<Tensor<V, E, D>> {
        if !self.has_cdf_through() {
            return None;
        }
        let increases = self.increases();
        let from_above = -probability + E::of(1.0);
        let point = self.base.icdf(&probability.select(&increases, from_above))?;
        Some(self.transform.forward(point.into_flat()).reshape_like(&self.shape))
    }

    /// The distribution before the transform; its location and scale are not this one's.
    fn with_base<T: TakeBase<E, D, P::Batch>>(&self, form: BaseForm, take: T) -> Option<T::Output> {
        (form == BaseForm::Transform).then(|| take.take(self.base.clone(), self.transform.clone()))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.base.parameters_at(element)
    }
}

impl<P, U, V, E, D> TransformedDistribution<P, V, E, D>
where
    P: Distribution<E, D, Value = Tensor<U, E, D>>,
    U: Shape,
    V: Shape,
    E: Dtype,
    D: Backend<E>,
{
    /// What an increasing transform and what a decreasing one takes from the base, `of` a point of it;
    /// at values that nothing has as its image the numbers `beyond`, for those below it and above it.
    fn through(
        &self,
        value: &Tensor<V, E, D>,
        beyond: [f64; 2],
        of: impl FnOnce(&P, &Tensor<U, E, D>) -> [Option<Tensor<P::Batch, E, D>>; 2],
    ) -> Option<Tensor<P::Batch, E, D>> {
        let Preimage { point, exists, .. } = self.preimage(value);
        let [increasing, decreasing] = of(&self.base, &point);
        let found = increasing?.select(&self.increases(), decreasing?);
        if exists.iter().all(|&e| e) {
            return Some(found);
        }
        let inside = self.transform.forward(Flat::vector(vec![E::of(0.5); self.shape.num_elements()])).to_vec();
        let outside = |(v, inside): (&E, E)| E::of(beyond[usize::from(*v > inside)]);
        let outside = value.read(|values| values.iter().zip(inside).map(outside).collect());
        Some(found.select(&exists, Tensor::<P::Batch, E, D>::from_vec(outside, self.batch_shape())))
    }
}
