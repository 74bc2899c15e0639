//! `+ - * /` and negation: on references and values in either order, with numbers of the dtype on
//! either side, and between a scalar tensor and a tensor of any shape.

use std::ops::{Add, Div, Mul, Neg, Sub};

use dfdx::shapes::{Dim, Shape};

use super::Tensor;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::functions::arithmetic::{AddFn, AddNumber, DivFn, DivNumber, MulFn, MulNumber, NumberDiv, NumberSub, SubFn};
use crate::functions::{Function, apply};

/// Shapes that an operator joins: equal ones, or one of them without axes.
#[diagnostic::on_unimplemented(
    message = "tensors of shapes `{Self}` and `{R}` cannot be joined by an operator",
    note = "the shapes must be equal, or one of them `()`; use `broadcast` to spread a tensor over more axes"
)]
pub trait Joint<R: Shape>: Shape {
    /// The shape of the result.
    type Output: Shape;

    /// The shape of the result; `None` where sizes known only at run time differ.
    fn joint(self, other: R) -> Option<Self::Output>;
}

impl<S: Shape> Joint<S> for S {
    type Output = S;

    fn joint(self, other: S) -> Option<S> {
        (self == other).then_some(self)
    }
}

macro_rules! joint_with_scalar {
    ($(($($dim:ident),+) [usize; $rank:literal]);+) => {$(
        impl<$($dim: Dim),+> Joint<()> for ($($dim,)+) {
            type Output = Self;
            fn joint(self, (): ()) -> Option<Self> {
                Some(self)
            }
        }
        impl<$($dim: Dim),+> Joint<($($dim,)+)> for () {
            type Output = ($($dim,)+);
            fn joint(self, other: ($($dim,)+)) -> Option<Self::Output> {
                Some(other)
            }
        }
        impl Joint<()> for [usize; $rank] {
            type Output = Self;
            fn joint(self, (): ()) -> Option<Self> {
                Some(self)
            }
        }
        impl Joint<[usize; $rank]> for () {
            type Output = [usize; $rank];
            fn joint(self, other: [usize; $rank]) -> Option<Self::Output> {
                Some(other)
            }
        }
    )+};
}

joint_with_scalar! {
    (A) [usize; 1];
    (A, B) [usize; 2];
    (A, B, C) [usize; 3];
    (A, B, C, F) [usize; 4];
    (A, B, C, F, G) [usize; 5];
    (A, B, C, F, G, H) [usize; 6]
}

#[track_caller]
pub(crate) fn join<S, R, E, D, F>(left: Tensor<S, E, D>, right: Tensor<R, E, D>, f: F) -> Tensor<S::Output, E, D>
where
    S: Joint<R>,
    R: Shape,
    E: Dtype,
    D: Backend<E>,
    F: Function<E, 2>,
{
    match left.shape().joint(right.shape()) {
        Some(shape) => apply(f, [left.into_flat(), right.into_flat()], shape),
        None => panic!(
            "{}",
            ShapeError { operation: f.name(), problem: "the shapes differ", left: left.dims(), right: right.dims() }
        ),
    }
}

fn with_number<S: Shape, E: Dtype, D: Backend<E>, F: Function<E, 1>>(t: Tensor<S, E, D>, f: F) -> Tensor<S, E, D> {
    let shape = t.shape();
    apply(f, [t.into_flat()], shape)
}

macro_rules! binary_operator {
    ($Op:ident, $method:ident, $function:expr, $right:expr, $left:expr) => {
        impl<S: Joint<R>, R: Shape, E: Dtype, D: Backend<E>> $Op<Tensor<R, E, D>> for Tensor<S, E, D> {
            type Output = Tensor<S::Output, E, D>;
            #[track_caller]
            fn $method(self, other: Tensor<R, E, D>) -> Self::Output {
                join(self, other, $function)
            }
        }
        impl<S: Joint<R>, R: Shape, E: Dtype, D: Backend<E>> $Op<&Tensor<R, E, D>> for Tensor<S, E, D> {
            type Output = Tensor<S::Output, E, D>;
            #[track_caller]
            fn $method(self, other: &Tensor<R, E, D>) -> Self::Output {
                join(self, other.clone(), $function)
            }
        }
        impl<S: Joint<R>, R: Shape, E: Dtype, D: Backend<E>> $Op<Tensor<R, E, D>> for &Tensor<S, E, D> {
            type Output = Tensor<S::Output, E, D>;
            #[track_caller]
            fn $method(self, other: Tensor<R, E, D>) -> Self::Output {
                join(self.clone(), other, $function)
            }
        }
        impl<S: Joint<R>, R: Shape, E: Dtype, D: Backend<E>> $Op<&Tensor<R, E, D>> for &Tensor<S, E, D> {
            type Output = Tensor<S::Output, E, D>;
            #[track_caller]
            fn $method(self, other: &Tensor<R, E, D>) -> Self::Output {
                join(self.clone(), other.clone(), $function)
            }
        }
        impl<S: Shape, E: Dtype, D: Backend<E>> $Op<E> for Tensor<S, E, D> {
            type Output = Tensor<S, E, D>;
            fn $method(self, number: E) -> Self::Output {
                with_number(self, $right(number))
            }
        }
        impl<S: Shape, E: Dtype, D: Backend<E>> $Op<E> for &Tensor<S, E, D> {
            type Output = Tensor<S, E, D>;
            fn $method(self, number: E) -> Self::Output {
                with_number(self.clone(), $right(number))
            }
        }
        binary_operator!(number f32, $Op, $method, $left);
        binary_operator!(number f64, $Op, $method, $left);
    };
    (number $E:ident, $Op:ident, $method:ident, $left:expr) => {
        impl<S: Shape, D: Backend<$E>> $Op<Tensor<S, $E, D>> for $E {
            type Output = Tensor<S, $E, D>;
            fn $method(self, t: Tensor<S, $E, D>) -> Self::Output {
                with_number(t, $left(self))
            }
        }
        impl<S: Shape, D: Backend<$E>> $Op<&Tensor<S, $E, D>> for $E {
            type Output = Tensor<S, $E, D>;
            fn $method(self, t: &Tensor<S, $E, D>) -> Self::Output {
                with_number(t.clone(), $left(self))
            }
        }
    };
}

binary_operator!(Add, add, AddFn, AddNumber, AddNumber);
binary_operator!(Sub, sub, SubFn, |c: E| AddNumber(-c), NumberSub);
binary_operator!(Mul, mul, MulFn, MulNumber, MulNumber);
binary_operator!(Div, div, DivFn, DivNumber, NumberDiv);

impl<S: Shape, E: Dtype, D: Backend<E>> Neg for Tensor<S, E, D> {
    type Output = Tensor<S, E, D>;
    fn neg(self) -> Self::Output {
        with_number(self, MulNumber(E::of(-1.0)))
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Neg for &Tensor<S, E, D> {
    type Output = Tensor<S, E, D>;
    fn neg(self) -> Self::Output {
        with_number(self.clone(), MulNumber(E::of(-1.0)))
    }
}
