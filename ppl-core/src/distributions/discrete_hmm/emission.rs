//! What an observation distribution gives for each state, and the sequence that is seen of it.

use dfdx::shapes::Shape;

use crate::backend::{Backend, Layers, Reduction};
use crate::dtype::Dtype;
use crate::tensor::{Flat, Tensor, shape_from_dims};
use crate::values::SiteValue;

use super::super::mixture::weighted;
use super::super::mixture_same_family::Mixable;

/// Values of an observation distribution whose batch is `S`, (.., T, K): one for each state at each
/// step.
///
/// Implemented for tensors of numbers and of categories.
pub trait Emission<S: Shape, E: Dtype, D: Backend<E>>: SiteValue {
    /// The value without the axis of states.
    type Sequence: SiteValue;

    /// The sequence, repeated for each state; `dims` are the sizes of the result.
    fn for_states(sequence: &Self::Sequence, layers: Layers, dims: &[usize]) -> Self;

    /// The sequence of the values at a path of states; `dims` are the sizes of the result.
    fn along(&self, path: &[usize], layers: Layers, dims: &[usize]) -> Self::Sequence;

    /// The mean over states of their values, with a weight for each state at each step; `dims` are the
    /// sizes of the result. `None` for categories.
    fn mean_over_states(&self, _weights: Flat<E, D>, _layers: Layers, _dims: &[usize]) -> Option<Self::Sequence> {
        None
    }

    /// The second moment about a centre, of the mean `self` and the variance. `None` for categories.
    fn square_about(&self, _centre: &Self, _variance: &Self) -> Option<Self> {
        None
    }
}

/// For each element of the values of all states, its place in the sequence.
fn repeated(Layers { outer, axis, inner }: Layers) -> impl Iterator<Item = usize> {
    (0..outer).flat_map(move |step| (0..axis).flat_map(move |_| step * inner..(step + 1) * inner))
}

/// For each element of the sequence, its place in the values of all states.
fn chosen(path: &[usize], Layers { axis, inner, .. }: Layers) -> impl Iterator<Item = usize> + '_ {
    path.iter().enumerate().flat_map(move |(step, &k)| (step * axis + k) * inner..(step * axis + k + 1) * inner)
}

fn shape<R: Shape>(dims: &[usize]) -> R {
    shape_from_dims(dims).expect("`Mixable` gives the shape without the axis of states")
}

impl<V: Mixable<S>, S: Shape, E: Dtype, D: Backend<E>> Emission<S, E, D> for Tensor<V, E, D> {
    type Sequence = Tensor<V::Mixed, E, D>;

    fn for_states(sequence: &Self::Sequence, layers: Layers, dims: &[usize]) -> Self {
        D::take(sequence.flat(), repeated(layers).collect()).reshape_like(&shape(dims))
    }

    fn along(&self, path: &[usize], layers: Layers, dims: &[usize]) -> Self::Sequence {
        D::take(self.flat(), chosen(path, layers).collect()).reshape_like(&shape(dims))
    }

    fn mean_over_states(&self, weights: Flat<E, D>, layers: Layers, dims: &[usize]) -> Option<Self::Sequence> {
        let spread = (0..weights.numel()).flat_map(|at| std::iter::repeat_n(at, layers.inner)).collect();
        let each = weighted(D::take(weights, spread), self.flat());
        Some(D::reduce(each, layers, Reduction::Sum).reshape_like(&shape(dims)))
    }

    fn square_about(&self, centre: &Self, variance: &Self) -> Option<Self> {
        Some(variance + (self - centre).square())
    }
}

impl<V: Mixable<S>, S: Shape, E: Dtype, D: Backend<E>> Emission<S, E, D> for Tensor<V, usize, D> {
    type Sequence = Tensor<V::Mixed, usize, D>;

    fn for_states(sequence: &Self::Sequence, layers: Layers, dims: &[usize]) -> Self {
        let all = sequence.to_vec();
        Tensor::from_vec(repeated(layers).map(|i| all[i]).collect(), shape(dims))
    }

    fn along(&self, path: &[usize], layers: Layers, dims: &[usize]) -> Self::Sequence {
        let all = self.to_vec();
        Tensor::from_vec(chosen(path, layers).map(|i| all[i]).collect(), shape(dims))
    }
}
