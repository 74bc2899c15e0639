//! The contract of a device: what kernels need beyond dfdx, with a default for any device.
//!
//! Kernels take flat tensors (one axis), so that they are compiled once a dtype and function and
//! not once a shape. The defaults are composed of dfdx's own operations, or go through the host
//! where dfdx has none; the CPU overrides them with threaded ones, and tests compare the two.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::autodiff::DfdxGradients;
use crate::dtype::Dtype;
use crate::functions::{Function, RowFunction};
use crate::shared::Shared;
use crate::tensor::{Flat, Inner, Tensor};

// Functions of whole blocks of elements, one matrix of a batch for example.
mod blocks;
// The order in which a recurrent map passes over sequences.
mod recurrence;
// The defaults, for any device of dfdx.
mod composed;
// The CPU's kernels.
mod cpu;
// dfdx's CUDA device.
#[cfg(feature = "cuda")]
mod cuda;
// The two against each other.
#[cfg(test)]
mod agreement;

pub use blocks::{BlockFunction, Blocks};
pub use recurrence::{Direction, Recurrence};

/// A device that our tensors can live on, whatever their elements.
pub trait Device: Sized + Shared + 'static {
    /// Whether tensors and gradients are vectors of the host's and not dfdx's.
    const ON_HOST: bool = false;

    /// The handle that new tensors of this thread are made with.
    fn current() -> Self;

    /// Lends that handle to `f`.
    fn with_current<R>(f: impl FnOnce(&Self) -> R) -> R {
        f(&Self::current())
    }

    /// A fresh handle whose own generator starts at `seed`: for dfdx's initialisers, which draw from
    /// the device.
    fn seeded(seed: u64) -> Self;
}

/// How a reduction joins elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The sum, accumulated in `f64`.
    Sum,
    /// ln Σ eˣ, with −∞ for a sum of nothing but −∞.
    LogSumExp,
    /// The largest element; ties share the gradient.
    Max,
}

/// A flat tensor seen as `outer` × `axis` × `inner`, of which the middle one is reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// Sizes before the reduced axis, multiplied.
    pub outer: usize,
    /// The size of the reduced axis.
    pub axis: usize,
    /// Sizes after it, multiplied.
    pub inner: usize,
}

/// The sizes of a matrix product: `batch` × (`m` × `k`) · (`k` × `n`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// How many products.
    pub batch: usize,
    /// Rows of the left matrix.
    pub m: usize,
    /// Columns of the left matrix, rows of the right one.
    pub k: usize,
    /// Columns of the right matrix.
    pub n: usize,
    /// Whether the right matrix is one for the whole batch.
    pub shared_right: bool,
}

/// The function behind a linear map, fused with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// None.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
    /// ln(1 + eˣ).
    Softplus,
    /// Hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
}

/// A device with kernels for elements of type `E`.
///
/// Implemented for [`Cpu`](crate::Cpu) and, with the feature `cuda`, for dfdx's `Cuda` (which is
/// type-checked but has never been run by us).
pub trait Backend<E: Dtype>: Device + dfdx::tensor_ops::Device<E> {
    /// Adds numbers of the host to the gradient that dfdx's operations have of a tensor.
    ///
    /// # Errors
    /// If the device fails.
    fn add_to_dfdx<S: Shape>(
        grads: &mut DfdxGradients<E, Self>,
        tensor: &Inner<S, E, Self>,
        gains: Vec<E>,
    ) -> Result<(), Self::Err> {
        composed::add_to_dfdx(grads, tensor, gains)
    }

    /// `f` of each element of tensors with `numel` elements or one.
    fn elementwise<F: Function<E, N>, const N: usize>(f: F, args: [Flat<E, Self>; N], numel: usize) -> Flat<E, Self> {
        composed::elementwise(f, args, numel)
    }

    /// The sum of `f` over all elements.
    fn elementwise_sum<F: Function<E, N>, const N: usize>(
        f: F,
        args: [Flat<E, Self>; N],
        numel: usize,
    ) -> Tensor<(), E, Self> {
        composed::elementwise_sum(f, args, numel)
    }

    /// `f` of each of `rows` rows.
    fn rows(f: Arc<dyn RowFunction<E>>, x: Flat<E, Self>, rows: usize) -> Flat<E, Self> {
        composed::rows(&*f, x, rows)
    }

    /// Joins the elements of the middle layer.
    fn reduce(x: Flat<E, Self>, layers: Layers, reduction: Reduction) -> Flat<E, Self> {
        composed::reduce(x, layers, reduction)
    }

    /// The elements at the given positions; a position may occur more than once.
    fn take(x: Flat<E, Self>, positions: Arc<[usize]>) -> Flat<E, Self> {
        composed::take(x, positions)
    }

    /// The `len` elements from `start` on.
    fn window(x: Flat<E, Self>, start: usize, len: usize) -> Flat<E, Self> {
        Self::take(x, (start..start + len).collect())
    }

    /// The sum of tensors of one element each, in `f64`.
    fn add_up(terms: Vec<Flat<E, Self>>) -> Flat<E, Self> {
        composed::add_up(terms)
    }

    /// All elements of the parts, one part after the other.
    fn join(parts: Vec<Flat<E, Self>>) -> Flat<E, Self> {
        composed::join(parts)
    }

    /// The matrix product of row-major matrices.
    fn matmul(a: Flat<E, Self>, b: Flat<E, Self>, sizes: Product) -> Flat<E, Self> {
        composed::matmul(a, b, sizes)
    }

    /// `activation(x · w + b)` for `x` of m × k, `w` of k × n and `b` of n elements.
    fn linear(
        x: Flat<E, Self>,
        w: Flat<E, Self>,
        b: Flat<E, Self>,
        sizes: Product,
        activation: Activation,
    ) -> Flat<E, Self> {
        composed::linear(x, w, b, sizes, activation)
    }

    /// The states of a recurrent map at every step, 0 behind the ends of sequences. The arguments are the
    /// inputs (steps × sequences × size), the initial states (sequences × size), the weight (size × size) and
    /// the bias.
    fn recurrent(args: [Flat<E, Self>; 4], map: Recurrence) -> Flat<E, Self> {
        composed::recurrent(args, &map)
    }

    /// `f` of each block of the arguments, computed in `f64`.
    fn blocks<F: BlockFunction<N>, const N: usize>(f: F, args: [Flat<E, Self>; N], blocks: Blocks<N>) -> Flat<E, Self> {
        composed::blocks(f, args, blocks)
    }
}
