//! A flat prior over a set, which has no finite integral.

use dfdx::shapes::Shape;
use rand::Rng as _;

use crate::backend::Backend;
use crate::constraint::{Support, outside};
use crate::distribution::{Distribution, EndsWith, Expand, ParameterError, StartsWith, check_event};
use crate::dtype::Dtype;
use crate::ops::check_expands;
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor, shape_from_dims};

/// A density of 1 everywhere in a set: a flat prior, of which only a posterior can be a
/// distribution.
///
/// There is nothing to draw from: a draw is a place to start, the image of uniform numbers in
/// (−2, 2) under the set's map from unconstrained numbers (as Stan begins its chains).
///
/// Shapes: values of shape `V`; the batch `B` has its axes without those of one event of the set.
///
/// ```
/// use std::sync::Arc;
/// use ppl_core::{Cpu, Tensor, constraint::Positive, distribution::Distribution, distributions::ImproperUniform};
/// let flat = ImproperUniform::<(), (), f64, Cpu>::new(Arc::new(Positive), (), ());
/// assert_eq!(flat.log_prob(&Tensor::scalar(1e9)).item(), 0.0);
/// assert_eq!(flat.log_prob(&Tensor::scalar(-1.0)).item(), f64::NEG_INFINITY);
/// ```
#[derive(Clone, Debug)]
pub struct ImproperUniform<B: Shape, V: Shape, E: Dtype, D: Backend<E>> {
    support: Support<E, D>,
    batch: B,
    shape: V,
}

impl<B: Shape, V: Shape, E: Dtype, D: Backend<E>> ImproperUniform<B, V, E, D> {
    /// Flat over `support`, for values of the given shape, of which the first axes are the batch.
    ///
    /// # Panics
    /// If the set is discrete and not finite in measure to draw from, or the sizes of the batch are
    /// not the value's without the axes of one event.
    #[track_caller]
    pub fn new(support: Support<E, D>, batch: B, shape: V) -> Self {
        let (outer, dims): (Vec<usize>, Vec<usize>) = (batch.concrete().into(), shape.concrete().into());
        assert!(!support.is_discrete(), "ImproperUniform: a set of real numbers is needed, not {}", support.describe());
        let event = support.event_axes();
        let fits = dims.starts_with(&outer) && dims.len() >= outer.len() + event;
        assert!(fits, "ImproperUniform: values of shape {dims:?} for the batch {outer:?}, with events of {event} axes");
        ImproperUniform { support, batch, shape }
    }
}

impl<B, V, R, E, D> Expand<R> for ImproperUniform<B, V, E, D>
where
    B: Shape,
    V: StartsWith<B>,
    R: EndsWith<V::Rest>,
    E: Dtype,
    D: Backend<E>,
{
    type Expanded = ImproperUniform<R::Rest, R, E, D>;
    type ExpandedBatch = R::Rest;

    /// The shape is the value's. Bounds of the set that differ between elements do not repeat.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let (from, to): (Vec<usize>, Vec<usize>) = (self.shape.concrete().into(), shape.concrete().into());
        check_event(&from, &to, to.len() - R::Rest::NUM_DIMS);
        check_expands(&from, &to);
        let batch = shape_from_dims(&to[..R::Rest::NUM_DIMS]).expect("the batch's axes come first");
        ImproperUniform { support: self.support.clone(), batch, shape }
    }
}

impl<B: Shape, V: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for ImproperUniform<B, V, E, D> {
    type Value = Tensor<V, E, D>;
    type Batch = B;

    fn name(&self) -> &'static str {
        "ImproperUniform"
    }

    fn batch_shape(&self) -> B {
        self.batch
    }

    fn event_dims(&self) -> Vec<usize> {
        let dims: Vec<usize> = self.shape.concrete().into();
        dims[B::NUM_DIMS..].to_vec()
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<V, E, D> {
        let start = (0..self.shape.num_elements()).map(|_| E::of(rng.gen_range(-2.0..2.0))).collect();
        let start = Flat::vector(start);
        let dims: Vec<usize> = self.shape.concrete().into();
        let value = match self.support.transform_to(&dims) {
            Some(map) => map.forward(start),
            None => start,
        };
        value.reshape_like(&self.shape)
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Tensor<V, E, D>) -> Tensor<B, E, D> {
        let len: usize = self.event_dims().iter().product();
        let outside = value.read(|values| outside(&self.support, values, &value.dims(), len));
        let score = |outside: bool| if outside { E::neg_infinity() } else { E::of(0.0) };
        Tensor::from_vec(outside.into_iter().map(score).collect(), self.batch)
    }

    fn support(&self) -> Support<E, D> {
        self.support.clone()
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        Ok(())
    }

    fn parameters_at(&self, _: usize) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}
