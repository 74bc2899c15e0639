//! Element functions: a value and its partial derivatives, from which kernels make whole tensors.
//!
//! A [`Function`] says what happens to one element; the backend threads it over tensors, spreads
//! scalar arguments, records the backward pass and sums where a sum is asked for. A new function is
//! one small `impl`.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::{Flat, Tensor};

// + - * / and their forms with a number, maximum, minimum, choice.
pub(crate) mod arithmetic;
// The error function and the normal distribution's cdf, with their inverses.
pub(crate) mod error_function;
// Functions of rows.
pub(crate) mod rows;
// Functions of one variable.
pub(crate) mod unary;
// The gamma function's logarithm, its derivatives, and ratios of gamma functions.
pub(crate) mod gamma_function;
// Logarithms of sums, differences and products.
pub(crate) mod logarithms;
// The incomplete gamma functions, their inverses and their slopes in a.
pub(crate) mod incomplete_gamma;
// The incomplete beta function, its inverses and its slopes in a and b.
pub(crate) mod incomplete_beta;
// The modified Bessel functions of orders 0 and 1, scaled, and their ratio.
pub(crate) mod bessel;
// Special functions as element functions with their derivatives.
pub(crate) mod special;
// Special functions against mpmath.
#[cfg(test)]
mod references;

/// A differentiable function of `N` numbers, applied to each element of `N` tensors.
pub trait Function<E: Dtype, const N: usize>: Copy + Send + Sync + 'static {
    /// Its name in errors.
    fn name(&self) -> &'static str;

    /// The value at one element.
    fn value(&self, args: [E; N]) -> E;

    /// The partial derivatives at one element, given the value there.
    fn partials(&self, args: [E; N], value: E) -> [E; N];

    /// Value and partial derivatives together, for sums, which ask for both in one pass.
    #[inline(always)]
    fn value_and_partials(&self, args: [E; N]) -> (E, [E; N]) {
        let value = self.value(args);
        (value, self.partials(args, value))
    }

    /// The same function from dfdx's own operations, for devices other than the CPU; without it
    /// such a device goes through the host.
    fn native<D: Backend<E>>(&self, args: [Flat<E, D>; N]) -> Option<Flat<E, D>> {
        let _ = args;
        None
    }
}

pub use rows::RowFunction;
pub(crate) use rows::apply_rows;

/// Applies `f` to every element; arguments of one element are spread over the others.
pub(crate) fn apply<S: Shape, E: Dtype, D: Backend<E>, F: Function<E, N>, const N: usize>(
    f: F,
    args: [Flat<E, D>; N],
    shape: S,
) -> Tensor<S, E, D> {
    D::elementwise(f, args, shape.num_elements()).reshape_like(&shape)
}

/// The sum of `f` over all elements, accumulated in `f64`.
pub(crate) fn apply_sum<E: Dtype, D: Backend<E>, F: Function<E, N>, const N: usize>(
    f: F,
    args: [Flat<E, D>; N],
    numel: usize,
) -> Tensor<(), E, D> {
    D::elementwise_sum(f, args, numel)
}
