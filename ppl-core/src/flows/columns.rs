//! Columns of rows of numbers: picking, joining, repeating, summing.

use std::ops::Range;

use crate::backend::{Backend, Layers, Reduction};
use crate::dtype::Dtype;
use crate::transform::Flat;

/// Some columns, next to each other, of rows of `width` numbers.
pub(super) fn columns<E: Dtype, D: Backend<E>>(
    x: &Flat<E, D>,
    rows: usize,
    width: usize,
    which: Range<usize>,
) -> Flat<E, D> {
    if which == (0..width) {
        return x.clone();
    }
    D::take(x.clone(), (0..rows).flat_map(|row| which.clone().map(move |column| row * width + column)).collect())
}

/// Rows of `left` numbers and rows of `right` numbers, side by side.
pub(super) fn beside<E: Dtype, D: Backend<E>>(
    a: Flat<E, D>,
    b: Flat<E, D>,
    rows: usize,
    (left, right): (usize, usize),
) -> Flat<E, D> {
    let place = move |row: usize, column: usize| {
        if column < left { row * left + column } else { rows * left + row * right + column - left }
    };
    let positions = (0..rows).flat_map(|row| (0..left + right).map(move |column| place(row, column))).collect();
    D::take(D::join(vec![a, b]), positions)
}

/// The same row, `rows` times.
pub(super) fn repeated<E: Dtype, D: Backend<E>>(row: &Flat<E, D>, rows: usize) -> Flat<E, D> {
    let len = row.numel();
    D::take(row.clone(), (0..rows).flat_map(|_| 0..len).collect())
}

/// The sum of each row of `len` numbers.
pub(super) fn row_sums<E: Dtype, D: Backend<E>>(x: Flat<E, D>, rows: usize, len: usize) -> Flat<E, D> {
    if len == 1 { x } else { D::reduce(x, Layers { outer: rows, axis: len, inner: 1 }, Reduction::Sum) }
}
