//! Broadcasting, permuting, slicing, joining and gathering.
//!
//! All of these pick elements by position, so the gradient is a scatter-add; all copy.

use std::ops::Range;
use std::sync::Arc;

use dfdx::shapes::{Axes, BroadcastShapeTo, ConstShape, Dim, PermuteShapeTo, Shape};

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::tensor::{Tensor, shape_from_dims, type_sizes};

/// The row-major position in a tensor of shape `from` of each element of a result of shape `to`,
/// whose axes step through the source by `strides`.
fn strided_positions(to: &[usize], strides: &[usize], offset: usize) -> Vec<usize> {
    let mut positions = vec![offset];
    for (&size, &stride) in to.iter().zip(strides) {
        let mut finer = Vec::with_capacity(positions.len() * size);
        positions.iter().for_each(|&p| finer.extend((0..size).map(|i| p + i * stride)));
        positions = finer;
    }
    positions
}

/// Row-major strides.
fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for i in (1..dims.len()).rev() {
        strides[i - 1] = strides[i] * dims[i];
    }
    strides
}

/// Positions that put axis `order[i]` in place `i`.
pub(super) fn permuted_positions(dims: &[usize], order: &[usize]) -> Vec<usize> {
    let old = strides(dims);
    let to: Vec<usize> = order.iter().map(|&i| dims[i]).collect();
    let steps: Vec<usize> = order.iter().map(|&i| old[i]).collect();
    strided_positions(&to, &steps, 0)
}

/// The sizes that an operation gives, and those of the type that was asked for (0 where it leaves
/// them open).
fn not_the_result<R: Shape>(operation: &'static str, left: Vec<usize>) -> ShapeError {
    let problem = "the sizes are not those of the result's type";
    ShapeError { operation, problem, left, right: type_sizes::<R>() }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {
    fn pick<R: Shape>(&self, positions: Vec<usize>, shape: R) -> Tensor<R, E, D> {
        D::take(self.flat(), positions.into()).reshape_like(&shape)
    }

    /// The tensor repeated along new axes `Ax` to a shape known at compile time.
    #[must_use]
    #[track_caller]
    pub fn broadcast<R: ConstShape, Ax: Axes>(&self) -> Tensor<R, E, D>
    where
        S: BroadcastShapeTo<R, Ax>,
    {
        self.broadcast_like::<R, Ax>(&R::default())
    }

    /// The tensor repeated along new axes `Ax` to the given shape.
    ///
    /// # Errors
    /// If a size known only at run time differs.
    pub fn try_broadcast_like<R: Shape, Ax: Axes>(&self, shape: &R) -> Result<Tensor<R, E, D>, ShapeError>
    where
        S: BroadcastShapeTo<R, Ax>,
    {
        let (from, to): (Vec<usize>, Vec<usize>) = (self.dims(), shape.concrete().into());
        let new: Vec<isize> = Ax::as_array().into_iter().collect();
        let kept: Vec<usize> = (0..to.len()).filter(|&i| !new.contains(&(i as isize))).collect();
        if kept.iter().map(|&i| to[i]).ne(from.iter().copied()) {
            let problem = "the axes that are kept differ";
            return Err(ShapeError { operation: "broadcast", problem, left: from, right: to });
        }
        let old = strides(&from);
        let mut steps = vec![0; to.len()];
        kept.iter().zip(old).for_each(|(&i, stride)| steps[i] = stride);
        Ok(self.pick(strided_positions(&to, &steps, 0), *shape))
    }

    /// The tensor repeated along new axes `Ax` to the given shape.
    ///
    /// # Panics
    /// If a size known only at run time differs, with both shapes.
    #[must_use]
    #[track_caller]
    pub fn broadcast_like<R: Shape, Ax: Axes>(&self, shape: &R) -> Tensor<R, E, D>
    where
        S: BroadcastShapeTo<R, Ax>,
    {
        self.try_broadcast_like(shape).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The tensor repeated to a larger shape: axes are matched from the last one, an axis of one
    /// element is repeated, missing ones at the front are added.
    ///
    /// # Panics
    /// If another axis differs, with both shapes.
    #[must_use]
    #[track_caller]
    pub fn expand<R: Shape>(&self, shape: R) -> Tensor<R, E, D> {
        self.pick(expanded_positions(&self.dims(), &shape.concrete().into()), shape)
    }

    /// The axes in another order: `t.permute::<Rank2<3, 2>, Axes2<1, 0>>()`.
    #[must_use]
    pub fn permute<R: Shape, Ax: Axes>(&self) -> Tensor<R, E, D>
    where
        S: PermuteShapeTo<R, Ax>,
    {
        let order: Vec<usize> = Ax::as_array().into_iter().map(|a| a as usize).collect();
        let dims = self.dims();
        let permuted: Vec<usize> = order.iter().map(|&i| dims[i]).collect();
        let shape = shape_from_dims::<R>(&permuted).expect("the trait bound gives the permuted shape");
        self.pick(permuted_positions(&dims, &order), shape)
    }

    /// The elements within a range of each axis, as a tensor of a shape that must have those sizes.
    ///
    /// # Errors
    /// If there are more or fewer ranges than axes, a range leaves its axis, or the sizes are not
    /// the result's.
    pub fn try_slice<R: Shape>(&self, ranges: &[Range<usize>]) -> Result<Tensor<R, E, D>, ShapeError> {
        let dims = self.dims();
        let sizes: Vec<usize> = ranges.iter().map(|r| r.len()).collect();
        let wrong = |problem| ShapeError { operation: "slice", problem, left: dims.clone(), right: sizes.clone() };
        if ranges.len() != dims.len() {
            return Err(wrong("there must be one range for each axis"));
        }
        if ranges.iter().zip(&dims).any(|(r, &d)| r.end > d) {
            return Err(wrong("a range goes beyond its axis"));
        }
        let Some(shape) = shape_from_dims::<R>(&sizes) else {
            return Err(not_the_result::<R>("slice", sizes));
        };
        let steps = strides(&dims);
        let offset = ranges.iter().zip(&steps).map(|(r, s)| r.start * s).sum();
        // Whole entries of all axes behind the first that is cut lie side by side.
        let cut = sizes.iter().position(|&size| size != 1).map_or(dims.len(), |first| first + 1);
        if sizes[cut..] == dims[cut..] {
            // An empty range may start anywhere.
            let len: usize = sizes.iter().product();
            let window = D::window(self.flat(), if len == 0 { 0 } else { offset }, len);
            return Ok(window.reshape_like(&shape));
        }
        Ok(self.pick(strided_positions(&sizes, &steps, offset), shape))
    }

    /// Like [`Tensor::try_slice`].
    ///
    /// # Panics
    /// Where that fails, with both shapes.
    #[must_use]
    #[track_caller]
    pub fn slice<R: Shape>(&self, ranges: &[Range<usize>]) -> Tensor<R, E, D> {
        self.try_slice(ranges).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The given entries along the first axis, in order and with repetitions: rows of data, or the
    /// parameters of chosen categories. The result's first axis has as many.
    ///
    /// # Errors
    /// If an index is beyond the axis, or the sizes are not the result's.
    pub fn try_gather<R: Shape>(&self, indices: &[usize]) -> Result<Tensor<R, E, D>, ShapeError> {
        let dims = self.dims();
        let wrong = |problem, right| ShapeError { operation: "gather", problem, left: self.dims(), right };
        let Some((&rows, rest)) = dims.split_first() else {
            return Err(wrong("a tensor without axes has no rows", vec![]));
        };
        // All are looked at, without leaving early, and the first that is wrong is found after.
        if indices.iter().fold(false, |beyond, &i| beyond | (i >= rows)) {
            let first = indices.iter().copied().filter(|&i| i >= rows).take(1).collect();
            return Err(wrong("an index is beyond the first axis", first));
        }
        let sizes: Vec<usize> = std::iter::once(indices.len()).chain(rest.iter().copied()).collect();
        let Some(shape) = shape_from_dims::<R>(&sizes) else {
            return Err(not_the_result::<R>("gather", sizes));
        };
        let width: usize = rest.iter().product();
        let positions: Arc<[usize]> = match width {
            1 => indices.into(),
            _ => indices.iter().flat_map(|&i| i * width..(i + 1) * width).collect(),
        };
        Ok(D::take(self.flat(), positions).reshape_like(&shape))
    }

    /// Like [`Tensor::try_gather`].
    ///
    /// # Panics
    /// Where that fails, with the shapes.
    #[must_use]
    #[track_caller]
    pub fn gather<R: Shape>(&self, indices: &[usize]) -> Tensor<R, E, D> {
        self.try_gather(indices).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl<N: Dim, E: Dtype, D: Backend<E>> Tensor<(N,), E, D> {
    /// One element.
    ///
    /// # Panics
    /// If there is no such element.
    #[must_use]
    #[track_caller]
    pub fn at(&self, index: usize) -> Tensor<(), E, D> {
        assert!(index < self.numel(), "element {index} of a tensor of shape {:?}", self.dims());
        D::window(self.flat(), index, 1).reshape_like(&())
    }
}

/// Two tensors joined along axis `axis`; the result's shape must have the sizes that gives.
///
/// # Panics
/// If another axis differs, or the sizes are not the result's, with both shapes.
#[must_use]
#[track_caller]
pub fn concat<A: Shape, B: Shape, R: Shape, E: Dtype, D: Backend<E>>(
    axis: usize,
    a: &Tensor<A, E, D>,
    b: &Tensor<B, E, D>,
) -> Tensor<R, E, D> {
    let (left, right) = (a.dims(), b.dims());
    let mut dims = left.clone();
    let fits =
        left.len() == right.len() && axis < left.len() && (0..left.len()).all(|i| i == axis || left[i] == right[i]);
    if fits {
        dims[axis] += right[axis];
    }
    if !fits {
        panic!("{}", ShapeError { operation: "concat", problem: "another axis differs", left, right });
    }
    let Some(shape) = shape_from_dims::<R>(&dims) else {
        panic!("{}", not_the_result::<R>("concat", dims));
    };
    let width = |d: &[usize]| d[axis..].iter().product::<usize>();
    let (wide, narrow, outer) = (width(&left), width(&right), left[..axis].iter().product::<usize>());
    let joined = D::join(vec![a.flat(), b.flat()]);
    if outer == 1 {
        return joined.reshape_like(&shape);
    }
    let positions: Vec<usize> = (0..outer)
        .flat_map(|o| (o * wide..(o + 1) * wide).chain(a.numel() + o * narrow..a.numel() + (o + 1) * narrow))
        .collect();
    D::take(joined, positions.into()).reshape_like(&shape)
}

/// Tensors of one shape as the entries along a new first axis.
///
/// # Panics
/// If a shape differs from the first's, or the sizes are not the result's.
#[must_use]
#[track_caller]
pub fn stack<S: Shape, R: Shape, E: Dtype, D: Backend<E>>(parts: &[Tensor<S, E, D>]) -> Tensor<R, E, D> {
    let rest = parts.first().map(Tensor::dims).unwrap_or_default();
    if let Some(other) = parts.iter().map(Tensor::dims).find(|d| *d != rest) {
        panic!("{}", ShapeError { operation: "stack", problem: "the shapes differ", left: rest, right: other });
    }
    let dims: Vec<usize> = std::iter::once(parts.len()).chain(rest).collect();
    match shape_from_dims::<R>(&dims) {
        Some(shape) => D::join(parts.iter().map(Tensor::flat).collect()).reshape_like(&shape),
        None => panic!("{}", not_the_result::<R>("stack", dims)),
    }
}

/// Checks that a tensor of sizes `from` can be repeated to the sizes `to`.
///
/// # Panics
/// If an axis of more than one element differs, with both shapes.
#[track_caller]
pub(crate) fn check_expands(from: &[usize], to: &[usize]) {
    let fits = from.len() <= to.len()
        && from.iter().rev().zip(to.iter().rev()).all(|(&have, &want)| have == want || have == 1);
    if !fits {
        let problem = "an axis differs and is not of one element";
        panic!("{}", ShapeError { operation: "expand", problem, left: from.to_vec(), right: to.to_vec() });
    }
}

/// Which element of a tensor of sizes `from` each element of one of sizes `to` repeats: axes are
/// matched from the last one.
///
/// # Panics
/// If an axis of more than one element differs, with both shapes.
#[track_caller]
pub(crate) fn expanded_positions(from: &[usize], to: &[usize]) -> Vec<usize> {
    check_expands(from, to);
    let missing = to.len() - from.len();
    let mut steps = vec![0; to.len()];
    for (i, stride) in strides(from).into_iter().enumerate().filter(|&(i, _)| from[i] != 1) {
        steps[missing + i] = stride;
    }
    strided_positions(to, &steps, 0)
}
