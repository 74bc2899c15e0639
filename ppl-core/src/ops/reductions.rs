//! Sums, means, log-sums and maxima over axes.

use dfdx::shapes::{Axes, HasAxes, ReduceShapeTo, Shape};

use crate::backend::{Backend, Layers, Reduction};
use crate::dtype::Dtype;
use crate::tensor::{Flat, Tensor, shape_from_dims};

impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {
    /// The sum over some axes, accumulated in `f64`: `t.sum::<Rank1<3>, Axis<0>>()`; the axes are
    /// inferred where only one choice gives the shape.
    #[must_use]
    pub fn sum<R: Shape, Ax: Axes>(&self) -> Tensor<R, E, D>
    where
        S: ReduceShapeTo<R, Ax>,
    {
        self.reduce::<R, Ax>(Reduction::Sum)
    }

    /// The sum of all elements, accumulated in `f64`.
    #[must_use]
    pub fn sum_all(&self) -> Tensor<(), E, D> {
        if self.numel() == 1 {
            return self.clone().reshape_like(&());
        }
        let layers = Layers { outer: 1, axis: self.numel(), inner: 1 };
        D::reduce(self.flat(), layers, Reduction::Sum).reshape_like(&())
    }

    /// The mean over some axes. NaN over an axis without elements.
    #[must_use]
    pub fn mean<R: Shape, Ax: Axes>(&self) -> Tensor<R, E, D>
    where
        S: ReduceShapeTo<R, Ax> + HasAxes<Ax>,
    {
        self.sum::<R, Ax>() / E::of(<S as HasAxes<Ax>>::size(&self.shape()) as f64)
    }

    /// The mean of all elements.
    #[must_use]
    pub fn mean_all(&self) -> Tensor<(), E, D> {
        self.sum_all() / E::of(self.numel() as f64)
    }

    /// ln Σ eˣ over some axes; −∞ (with gradient 0) where all elements are −∞.
    #[must_use]
    pub fn logsumexp<R: Shape, Ax: Axes>(&self) -> Tensor<R, E, D>
    where
        S: ReduceShapeTo<R, Ax>,
    {
        self.reduce::<R, Ax>(Reduction::LogSumExp)
    }

    /// The largest element over some axes; ties share the gradient.
    #[must_use]
    pub fn max<R: Shape, Ax: Axes>(&self) -> Tensor<R, E, D>
    where
        S: ReduceShapeTo<R, Ax>,
    {
        self.reduce::<R, Ax>(Reduction::Max)
    }

    fn reduce<R: Shape, Ax: Axes>(&self, reduction: Reduction) -> Tensor<R, E, D> {
        let dims = self.dims();
        let reduced = reduced_axes::<Ax>(dims.len());
        let kept: Vec<usize> = (0..dims.len()).filter(|&i| !reduced[i]).map(|i| dims[i]).collect();
        let shape = shape_from_dims::<R>(&kept).expect("the trait bound gives the kept axes");
        let (flat, layers) = adjacent(self.flat(), &dims, &reduced);
        D::reduce(flat, layers, reduction).reshape_like(&shape)
    }
}

/// Which axes `Ax` names.
fn reduced_axes<Ax: Axes>(rank: usize) -> Vec<bool> {
    let mut reduced = vec![false; rank];
    for axis in Ax::as_array() {
        // A shape without axes has the formal axis 0.
        if let Some(r) = usize::try_from(axis).ok().and_then(|a| reduced.get_mut(a)) {
            *r = true;
        }
    }
    reduced
}

/// The tensor with its reduced axes next to each other, and its three layers.
fn adjacent<E: Dtype, D: Backend<E>>(flat: Flat<E, D>, dims: &[usize], reduced: &[bool]) -> (Flat<E, D>, Layers) {
    let first = reduced.iter().position(|&r| r).unwrap_or(dims.len());
    let count = reduced.iter().filter(|&&r| r).count();
    let product = |range: &[usize]| range.iter().product::<usize>();
    if reduced.iter().skip(first).take(count).all(|&r| r) {
        let end = first + count;
        let layers =
            Layers { outer: product(&dims[..first]), axis: product(&dims[first..end]), inner: product(&dims[end..]) };
        return (flat, layers);
    }
    let (last, kept): (Vec<usize>, Vec<usize>) = (0..dims.len()).partition(|&i| reduced[i]);
    let order: Vec<usize> = kept.iter().chain(&last).copied().collect();
    let sizes = |axes: &[usize]| axes.iter().map(|&i| dims[i]).product::<usize>();
    let layers = Layers { outer: sizes(&kept), axis: sizes(&last), inner: 1 };
    (D::take(flat, super::movement::permuted_positions(dims, &order).into()), layers)
}
