//! Methods that apply a special function to every element.
//!
//! Values are computed in `f64` whatever the dtype; `ppl-core/src/functions/references.rs` says how
//! close each is to mpmath.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::apply;
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
    /// The modified Bessel function of order 0, scaled: e^−|x| I₀(x). Its derivative at the peak, 0, is
    /// given as 0.
    i0e = I0e;
    /// The modified Bessel function of order 1, scaled: e^−|x| I₁(x).
    i1e = I1e;
    /// The logarithm of [`Tensor::i0e`], finite for every finite x: the normaliser of the von Mises
    /// density. Its derivative at the peak, 0, is given as 0.
    log_i0e = LogI0e;
    /// I₁(x) / I₀(x), the derivative of ln I₀(x): the mean resultant length of the von Mises
    /// distribution.
    bessel_ratio = BesselRatio;
    /// ln(1 − e⁻ˣ) for x ≥ 0, exact near 0 and for large x: −∞ at 0, NaN below. The logarithm of
    /// 1 − p, from −ln p.
    log1mexp = Log1mexp;
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
    /// x ln y with this tensor as x: 0 at x = 0, with finite slopes there, whatever y is but NaN.
    xlogy(y) = Xlogy;
    /// x ln(1 + y) with this tensor as x: 0 at x = 0, with finite slopes there, whatever y is but NaN.
    xlog1py(y) = Xlog1py;
    /// ln(eᵃ + eᵇ) without overflow: −∞, with gradient 0, where both are −∞.
    logaddexp(b) = Logaddexp;
}

macro_rules! method_of_three {
    ($($(#[$doc:meta])* $name:ident($second:ident, $third:ident) = $function:expr;)+) => {
        impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {$(
            $(#[$doc])*
            ///
            /// # Panics
            /// If the shapes differ, with two of them.
            #[must_use]
            #[track_caller]
            pub fn $name(&self, $second: impl IntoTensor<S, E, D>, $third: impl IntoTensor<S, E, D>) -> Self {
                let name = stringify!($name);
                let args = [self.flat(), self.operand(name, $second).flat(), self.operand(name, $third).flat()];
                apply($function, args, self.shape())
            }
        )+}
    };
}

method_of_three! {
    /// The regularised incomplete beta function I(x; a, b) for positive a (this tensor) and b and x in
    /// \[0, 1\], differentiable in all three: the cdf of the beta distribution.
    betainc(b, x) = Betainc;
    /// 1 − I(x; a, b), with full relative precision in its tail.
    betaincc(b, x) = Betaincc;
}
