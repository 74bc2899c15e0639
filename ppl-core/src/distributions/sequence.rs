//! Shapes of sequences: time and what one step has are their last two axes.

use dfdx::shapes::{Dim, Shape};

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::ops::expanded_positions;
use crate::tensor::Flat;

/// A shape (.., T, K) of sequences: T steps with K numbers each. The axes before are the batch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the shape of sequences",
    note = "sequences have two axes or more: the batch's, then time, then what one step has"
)]
pub trait Sequences: Shape {
    /// The last axis.
    type Size: Dim;
    /// One vector for each sequence: (.., A).
    type Vectors<A: Dim>: Shape;
    /// One square matrix for each sequence: (.., A, A).
    type Matrices<A: Dim>: Shape;
    /// One matrix for each step of each sequence: (.., T, A, C).
    type EachStep<A: Dim, C: Dim>: Shape;
}

macro_rules! sequences {
    ($(($($batch:ident)*);)+) => {$(
        impl<$($batch: Dim,)* Steps: Dim, Size: Dim> Sequences for ($($batch,)* Steps, Size) {
            type Size = Size;
            type Vectors<A: Dim> = ($($batch,)* A,);
            type Matrices<A: Dim> = ($($batch,)* A, A);
            type EachStep<A: Dim, C: Dim> = ($($batch,)* Steps, A, C);
        }
    )+};
}

sequences! {
    ();
    (B1);
    (B1 B2);
    (B1 B2 B3);
}

/// A shape (.., N, N) of square matrices.
#[diagnostic::on_unimplemented(message = "`{Self}` is not the shape of square matrices")]
pub trait SquareMatrices: Shape {
    /// The last two axes.
    type Size: Dim;
}

macro_rules! square {
    ($(($($batch:ident)*);)+) => {$(
        impl<$($batch: Dim,)* Size: Dim> SquareMatrices for ($($batch,)* Size, Size) {
            type Size = Size;
        }
    )+};
}

square! {
    ();
    (A);
    (A B);
    (A B C);
}

/// Vectors of shape `Self` that serve a larger batch of them, `Whole`: the last axes of `Whole`.
#[diagnostic::on_unimplemented(
    message = "vectors of shape `{Self}` do not serve a batch of shape `{Whole}`",
    note = "a parameter has the last axes of the whole batch, or all of them"
)]
pub trait VectorsFor<Whole: Shape>: Shape {}

/// Matrices of shape `Self` that serve a larger batch of them, `Whole`: the last axes of `Whole`, the
/// two of the matrix at least.
#[diagnostic::on_unimplemented(
    message = "matrices of shape `{Self}` do not serve a batch of shape `{Whole}`",
    note = "a parameter has the last axes of the whole batch, or all of them: one matrix for all, \
            or one for each step, or one for each step of each sequence"
)]
pub trait MatricesFor<Whole: Shape>: Shape {}

macro_rules! serve {
    ($Trait:ident: $(($($missing:ident)*) ($($axis:ident)+);)+) => {$(
        impl<$($missing: Dim,)* $($axis: Dim,)+> $Trait<($($missing,)* $($axis,)+)> for ($($axis,)+) {}
    )+};
}

serve! {
    VectorsFor:
    () (A);
    (A) (C);
    () (A C);
    (A B) (C);
    (A) (B C);
    () (A B C);
    (A B F) (C);
    (A B) (F C);
    (A) (B F C);
    () (A B F C);
}

serve! {
    MatricesFor:
    () (A C);
    (A) (C F);
    () (A C F);
    (A B) (C F);
    (A) (B C F);
    () (A B C F);
    (A B G) (C F);
    (A B) (G C F);
    (A) (B G C F);
    () (A B G C F);
    (A B G H) (C F);
    (A B G) (H C F);
    (A B) (G H C F);
    (A) (B G H C F);
    () (A B G H C F);
}

/// The sizes of a parameter once the whole batch has been repeated to the sizes `whole`: as they were
/// where they still serve it.
pub(super) fn expanded_dims(dims: &[usize], whole: &[usize]) -> Vec<usize> {
    if whole.ends_with(dims) { dims.to_vec() } else { whole[whole.len() - dims.len()..].to_vec() }
}

/// Numbers of the sizes `from`, repeated to the sizes `to`.
pub(super) fn repeated<E: Dtype, D: Backend<E>>(flat: &Flat<E, D>, from: &[usize], to: &[usize]) -> Flat<E, D> {
    if from == to { flat.clone() } else { D::take(flat.clone(), expanded_positions(from, to).into()) }
}

/// How many blocks of so many numbers a parameter of these sizes holds.
///
/// # Panics
/// If its sizes are not the last ones of `whole`, with both.
#[track_caller]
pub(super) fn blocks_of(name: &'static str, dims: &[usize], whole: &[usize], block: usize) -> usize {
    if !whole.ends_with(dims) {
        let problem = "a parameter's sizes are not the last ones of the whole batch's";
        let (left, right) = (dims.to_vec(), whole.to_vec());
        panic!("{}", crate::error::ShapeError { operation: name, problem, left, right });
    }
    // Blocks without numbers, of sequences without steps, are all one.
    dims.iter().product::<usize>().checked_div(block).unwrap_or(1)
}
