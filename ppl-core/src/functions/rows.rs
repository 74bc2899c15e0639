//! Functions of rows: a row of numbers in, a row out, with what flows back.

use std::fmt::Debug;
use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Flat;

/// A differentiable map of rows of numbers, each by itself. It is used as `dyn`, so that kernels are
/// compiled once a dtype.
pub trait RowFunction<E: Dtype>: Debug + Send + Sync + 'static {
    /// The lengths of a row at the input and at the output.
    fn lens(&self) -> (usize, usize);

    /// Fills `y`, which holds zeros, from `x`; `row` is the row's number.
    fn value(&self, row: usize, x: &[E], y: &mut [E]);

    /// Adds to `gradient`, the gradient of `x`, what flows back from `upstream`, that of `y`.
    fn pullback(&self, row: usize, x: &[E], y: &[E], upstream: &[E], gradient: &mut [E]);
}

/// Applies `f` to `rows` rows.
///
/// # Panics
/// If `x` does not hold that many rows, with both sizes.
#[track_caller]
pub(crate) fn apply_rows<E: Dtype, D: Backend<E>>(
    f: Arc<dyn RowFunction<E>>,
    x: Flat<E, D>,
    rows: usize,
) -> Flat<E, D> {
    let (len, found) = (f.lens().0, x.numel());
    assert!(found == rows * len, "{f:?}: {rows} rows of {len} numbers are not {found} numbers");
    D::rows(f, x, rows)
}
