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

    /// Whether its gradient is best found together with its value, by
    /// [`RowFunction::value_and_slopes`]: where the output is one number, and the two have most of their
    /// work in common.
    fn slopes_with_value(&self) -> bool {
        false
    }

    /// The one number of the output, and into `slopes`, which holds zeros, its derivatives.
    fn value_and_slopes(&self, row: usize, x: &[E], slopes: &mut [E]) -> E {
        let mut y = [E::of(0.0)];
        self.value(row, x, &mut y);
        self.pullback(row, x, &y, &[E::of(1.0)], slopes);
        y[0]
    }

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
