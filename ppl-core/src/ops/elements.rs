//! Methods that apply a function to every element.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::functions::arithmetic::{LerpFn, MaxFn, MinFn, MulNumber, PowFn, WhereFn};
use crate::functions::error_function::{Erf, ErfInv, Erfc, LogNdtr, Ndtr, Ndtri};
use crate::functions::unary::*;
use crate::functions::{Function, apply};
use crate::tensor::{IntoTensor, Operand, Tensor};

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

method! {
    /// eˣ.
    exp = Exp;
    /// eˣ − 1, exact near 0.
    expm1 = Expm1;
    /// The natural logarithm: −∞ at 0, NaN below.
    ln = Ln;
    /// ln(1 + x), exact near 0.
    log1p = Log1p;
    /// ln(1 + eˣ), without overflow or cancellation.
    softplus = Softplus;
    /// 1 / (1 + e⁻ˣ).
    sigmoid = Sigmoid;
    /// ln sigmoid(x), finite for every finite x.
    log_sigmoid = LogSigmoid;
    /// The hyperbolic tangent.
    tanh = Tanh;
    /// max(x, 0), with derivative 0 at 0.
    relu = Relu;
    /// x².
    square = Square;
    /// The square root: NaN below 0, infinite derivative at 0.
    sqrt = Sqrt;
    /// 1 / x.
    recip = Recip;
    /// |x|, with derivative 0 at 0.
    abs = Abs;
    /// The sine, of radians.
    sin = Sin;
    /// The cosine, of radians.
    cos = Cos;
    /// The error function, 2/√π ∫₀ˣ exp(−t²) dt.
    erf = Erf;
    /// 1 − erf(x), with full relative precision in the upper tail.
    erfc = Erfc;
    /// The inverse of the error function: ±∞ at ±1, NaN beyond.
    erfinv = ErfInv;
    /// The standard normal distribution's cdf, with full relative precision in the lower tail.
    ndtr = Ndtr;
    /// The standard normal distribution's quantile function: ±∞ at 0 and 1, NaN beyond.
    ndtri = Ndtri;
    /// The logarithm of [`Tensor::ndtr`], finite for every finite x down to the largest magnitudes.
    log_ndtr = LogNdtr;
}

impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {
    /// Any function of one element.
    #[must_use]
    pub fn apply<F: Function<E, 1>>(&self, f: F) -> Self {
        apply(f, [self.flat()], self.shape())
    }

    /// xⁿ for a whole n.
    #[must_use]
    pub fn powi(&self, n: i32) -> Self {
        self.apply(Powi(n))
    }

    /// xᵖ for a fixed real p: NaN for negative x unless p is whole.
    #[must_use]
    pub fn powf(&self, p: E) -> Self {
        self.apply(Powf(p))
    }

    /// Each element to the power of the exponent's, which may be a scalar; needs positive elements
    /// where the exponent is tracked.
    ///
    /// # Panics
    /// If the shapes differ, with both.
    #[must_use]
    #[track_caller]
    pub fn pow(&self, exponent: impl IntoTensor<S, E, D>) -> Self {
        self.with(PowFn, exponent)
    }

    /// Each element held between two bounds; derivative 1 within them, 0 outside.
    ///
    /// # Panics
    /// If `low > high`.
    #[must_use]
    #[track_caller]
    pub fn clamp(&self, low: E, high: E) -> Self {
        assert!(low <= high, "clamp: the bounds are {low} and {high}");
        self.apply(Clamp(low, high))
    }

    /// The larger of two elements; a tie shares the gradient.
    ///
    /// # Panics
    /// If the shapes differ, with both.
    #[must_use]
    #[track_caller]
    pub fn maximum(&self, other: impl IntoTensor<S, E, D>) -> Self {
        self.with(MaxFn, other)
    }

    /// The smaller of two elements; a tie shares the gradient.
    ///
    /// # Panics
    /// If the shapes differ, with both.
    #[must_use]
    #[track_caller]
    pub fn minimum(&self, other: impl IntoTensor<S, E, D>) -> Self {
        self.with(MinFn, other)
    }

    /// `self` where the mask is true, `other` elsewhere. The side not chosen gets no gradient, even
    /// where its own derivative is infinite or NaN.
    ///
    /// # Panics
    /// If the mask has another number of elements, or the shapes differ, with both.
    #[must_use]
    #[track_caller]
    pub fn select(&self, mask: &[bool], other: impl IntoTensor<S, E, D>) -> Self {
        let shape = self.shape();
        if mask.len() != shape.num_elements() {
            let problem = "the mask has another number of elements than the tensor";
            panic!("{}", ShapeError { operation: "select", problem, left: vec![mask.len()], right: self.dims() });
        }
        let other = self.operand("select", other);
        let mask = Tensor::vector(mask.iter().map(|&m| if m { E::of(1.0) } else { E::of(0.0) }).collect());
        apply(WhereFn, [mask, self.flat(), other.flat()], shape)
    }

    /// The way from `self` to `other`, of which `weight` is gone: self + weight · (other − self), as
    /// one operation. A gate chooses by it between two maps.
    ///
    /// # Panics
    /// If the shapes differ.
    #[must_use]
    #[track_caller]
    pub fn lerp(&self, other: impl IntoTensor<S, E, D>, weight: impl IntoTensor<S, E, D>) -> Self {
        let (other, weight) = (self.operand("lerp", other), self.operand("lerp", weight));
        apply(LerpFn, [self.flat(), other.flat(), weight.flat()], self.shape())
    }

    #[track_caller]
    pub(super) fn with<F: Function<E, 2>>(&self, f: F, other: impl IntoTensor<S, E, D>) -> Self {
        let other = self.operand(f.name(), other);
        apply(f, [self.flat(), other.flat()], self.shape())
    }

    /// An argument that has this tensor's shape or takes it.
    #[track_caller]
    pub(super) fn operand(&self, operation: &'static str, other: impl IntoTensor<S, E, D>) -> Operand<S, E, D> {
        let other = other.into_operand();
        if let Some(shape) = other.shape().filter(|s| *s != self.shape()) {
            let (left, right) = (self.dims(), shape.concrete().into());
            panic!("{}", ShapeError { operation, problem: "the shapes differ", left, right });
        }
        other
    }
}

impl<E: Dtype, D: Backend<E>> Tensor<(), E, D> {
    /// This number in every element of a tensor of the given shape.
    #[must_use]
    pub fn spread<S: Shape>(&self, shape: S) -> Tensor<S, E, D> {
        apply(MulNumber(E::of(1.0)), [self.flat()], shape)
    }
}
