//! Divergences between the same wrapper of two distributions.

use std::any::Any;
use std::sync::Arc;

use dfdx::shapes::{Axes, ReduceShape, Shape};

use crate::backend::Backend;
use crate::distribution::{Distribution, Independent};
use crate::distributions::TransformedDistribution;
use crate::dtype::Dtype;
use crate::tensor::Tensor;
use crate::transform::Map;

use super::KlDivergence;

/// The sum over the axes of an event.
impl<P, Q, Ax, E, D> KlDivergence<Independent<Q, Ax>, E, D> for Independent<P, Ax>
where
    P: KlDivergence<Q, E, D>,
    P::Batch: ReduceShape<Ax>,
    Ax: Axes,
    E: Dtype,
    D: Backend<E>,
{
    #[track_caller]
    fn kl_divergence(&self, other: &Independent<Q, Ax>) -> Tensor<Self::Batch, E, D> {
        self.base().kl_divergence(other.base()).sum::<Self::Batch, Ax>()
    }
}

/// That of the bases, since one transform of both changes nothing.
///
/// # Panics
/// If the transforms are not the same: the same shared one, or two of a type without parameters.
impl<P, Q, U, V, E, D> KlDivergence<TransformedDistribution<Q, V, E, D>, E, D> for TransformedDistribution<P, V, E, D>
where
    TransformedDistribution<P, V, E, D>: Distribution<E, D, Batch = P::Batch>,
    P: KlDivergence<Q, E, D, Value = Tensor<U, E, D>>,
    U: Shape,
    V: Shape,
    E: Dtype,
    D: Backend<E>,
{
    #[track_caller]
    fn kl_divergence(&self, other: &TransformedDistribution<Q, V, E, D>) -> Tensor<P::Batch, E, D> {
        let (ours, theirs) = (self.transform(), other.transform());
        assert!(
            are_same(ours, theirs),
            "KL of transformed distributions: {} and {} are not one transform; give both the same shared `Map`",
            ours.name(),
            theirs.name()
        );
        self.base().kl_divergence(other.base())
    }
}

/// Whether two transforms are one: shared, or of one type without fields.
fn are_same<E: Dtype, D: Backend<E>>(ours: &Map<E, D>, theirs: &Map<E, D>) -> bool {
    let (one, two): (&dyn Any, &dyn Any) = (ours.as_ref(), theirs.as_ref());
    Arc::ptr_eq(ours, theirs) || (one.type_id() == two.type_id() && std::mem::size_of_val(one) == 0)
}
