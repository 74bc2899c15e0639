//! Rows and matrices within the elements of a tensor.

use crate::dtype::Dtype;

/// How many elements the trailing `axes` of a tensor hold; all elements where it has fewer axes.
pub(super) fn len(numel: usize, dims: &[usize], axes: usize) -> usize {
    match dims.len().checked_sub(axes) {
        Some(first) => dims[first..].iter().product(),
        None => numel,
    }
}

/// The first index for which `outside` finds one within an event of `len` elements. Elements that are
/// no whole event are outside.
pub(super) fn first_outside<E: Dtype>(
    values: &[E],
    len: usize,
    outside: impl Fn(&[E]) -> Option<usize>,
) -> Option<usize> {
    let in_event = |event: &[E]| if event.len() < len { Some(0) } else { outside(event) };
    values.chunks(len.max(1)).enumerate().find_map(|(i, event)| Some(i * len.max(1) + in_event(event)?))
}

/// The number of rows of the square matrices that a tensor holds; `None` where they are not square.
pub(super) fn order(numel: usize, dims: &[usize]) -> Option<usize> {
    match dims {
        [.., rows, columns] => (rows == columns).then_some(*rows),
        _ => Some(numel.isqrt()).filter(|n| n * n == numel),
    }
}

/// [`first_outside`] for square matrices, given with their number of rows; all others are outside.
pub(super) fn first_matrix_outside<E: Dtype>(
    values: &[E],
    dims: &[usize],
    outside: impl Fn(&[E], usize) -> Option<usize>,
) -> Option<usize> {
    match order(values.len(), dims) {
        Some(n) => first_outside(values, n * n, |matrix| outside(matrix, n)),
        None => (!values.is_empty()).then_some(0),
    }
}

/// How far a sum of `len` numbers of order 1 may be off by rounding, theirs and the caller's.
pub(crate) fn slack<E: Dtype>(len: usize) -> f64 {
    let one = if E::epsilon().wide() > 1e-10 { 1e-6 } else { 1e-9 };
    one * len.max(1) as f64
}

/// How many events a tensor has whose events are all but the leading axes.
pub(super) fn count(dims: &[usize], axes: usize) -> usize {
    dims[..dims.len().saturating_sub(axes)].iter().product()
}
