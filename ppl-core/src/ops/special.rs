//! Methods that apply a special function to every element.
//!
//! Values are computed in `f64` whatever the dtype; `ppl-core/src/functions/references.rs` says how
//! close each is to mpmath.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::special::*;
use crate::tensor::{IntoTensor, Tensor};

macro_rules! method {
    ($($(#[$doc:meta])* $name:ident = $function:expr;)+) => {
        impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> Self {
                self.apply($function)
            }
        )+}
    };
}

macro_rules! method_of_two {
    ($($(#[$doc:meta])* $name:ident($other:ident) = $function:expr;)+) => {
        impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {$(
            $(#[$doc])*
            ///
            /// # Panics
            /// If the shapes differ, with both.
            #[must_use]
            #[track_caller]
            pub fn $name(&self, $other: impl IntoTensor<S, E, D>) -> Self {
                self.with($function, $other)
            }
        )+}
    };
}

method! {
    /// ln |Γ(x)|: ∞ at 0 and the negative integers, exact near its zeros at 1 and 2.
    lgamma = Lgamma;
    /// The digamma function, the derivative of [`Tensor::lgamma`]: NaN at the negative integers.
    digamma = Digamma;
    /// The trigamma function, the derivative of [`Tensor::digamma`]: ∞ at 0 and the negative integers.
    trigamma = Trigamma;
}

method_of_two! {
    /// ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b) for positive a (this tensor) and b, without
    /// cancellation for large ones.
    betaln(b) = Betaln;
    /// The regularised lower incomplete gamma function P(a, x) for positive a (this tensor) and x ≥ 0,
    /// differentiable in both: the cdf of the gamma distribution.
    gammainc(x) = Gammainc;
    /// The regularised upper incomplete gamma function Q(a, x) = 1 − P(a, x), with full relative
    /// precision in its tail.
    gammaincc(x) = Gammaincc;
}
