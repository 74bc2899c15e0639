//! Functions of one variable with their derivatives, sound where the textbook form is not.

use super::Function;
use super::arithmetic::larger;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::{Flat, Taped};

type DfdxFlat<E, D> = Taped<(usize,), E, D>;

/// No operation of dfdx computes this soundly, so other devices go through the host.
fn none<E: Dtype, D: Backend<E>>(_: DfdxFlat<E, D>) -> Option<DfdxFlat<E, D>> {
    None
}

macro_rules! unary {
    ($Name:ident, $name:literal, $doc:literal, |$x:ident, $y:ident| $value:expr, $dx:expr, $native:expr) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $Name;

        impl<E: Dtype> Function<E, 1> for $Name {
            fn name(&self) -> &'static str {
                $name
            }

            #[inline(always)]
            fn value(&self, [$x]: [E; 1]) -> E {
                $value
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn partials(&self, [$x]: [E; 1], $y: E) -> [E; 1] {
                [$dx]
            }

            fn native<D: Backend<E>>(&self, [x]: [Flat<E, D>; 1]) -> Option<Flat<E, D>> {
                let native: fn(DfdxFlat<E, D>) -> Option<DfdxFlat<E, D>> = $native;
                native(x.into_dfdx()).map(Flat::from_dfdx)
            }
        }
    };
}

/// ln(1 + eˣ) without overflow for large x and without cancellation for small.
#[inline(always)]
pub(crate) fn softplus<E: Dtype>(x: E) -> E {
    x.max(E::of(0.0)) + (-x.abs()).quick_exp().quick_ln_1p()
}

/// 1 / (1 + e⁻ˣ), without overflow on either side.
#[inline(always)]
pub(crate) fn sigmoid<E: Dtype>(x: E) -> E {
    let e = (-x.abs()).quick_exp();
    let r = E::of(1.0) / (E::of(1.0) + e);
    if x >= E::of(0.0) { r } else { e * r }
}

/// −1, 0 or 1; 0 at 0, where `|x|` has no derivative.
#[inline(always)]
fn sign<E: Dtype>(x: E) -> E {
    if x > E::of(0.0) {
        E::of(1.0)
    } else if x < E::of(0.0) {
        E::of(-1.0)
    } else {
        E::of(0.0)
    }
}

unary!(Exp, "exp", "eˣ.", |x, y| x.exp(), y, |x| Some(x.exp()));
unary!(Expm1, "expm1", "eˣ − 1, exact near 0.", |x, y| x.exp_m1(), x.exp(), none);
unary!(Ln, "ln", "Natural logarithm; −∞ at 0, NaN below.", |x, y| x.ln(), E::of(1.0) / x, |x| Some(x.ln()));
unary!(Log1p, "log1p", "ln(1 + x), exact near 0.", |x, y| x.ln_1p(), E::of(1.0) / (E::of(1.0) + x), none);
unary!(Softplus, "softplus", "ln(1 + eˣ).", |x, y| softplus(x), sigmoid(x), none);
unary!(Sigmoid, "sigmoid", "1 / (1 + e⁻ˣ).", |x, y| sigmoid(x), y * (E::of(1.0) - y), |x| Some(x.sigmoid()));
unary!(LogSigmoid, "log_sigmoid", "−softplus(−x).", |x, y| -softplus(-x), sigmoid(-x), none);
unary!(Tanh, "tanh", "Hyperbolic tangent.", |x, y| x.tanh(), E::of(1.0) - y * y, |x| Some(x.tanh()));
unary!(
    Relu,
    "relu",
    "max(x, 0); derivative 0 at 0.",
    |x, y| larger(x, E::of(0.0)),
    if x > E::of(0.0) { E::of(1.0) } else { E::of(0.0) },
    |x| Some(x.relu())
);
unary!(Square, "square", "x².", |x, y| x * x, x + x, |x| Some(x.square()));
unary!(Sqrt, "sqrt", "Square root; NaN below 0.", |x, y| x.sqrt(), E::of(0.5) / y, |x| Some(x.sqrt()));
unary!(Recip, "recip", "1 / x.", |x, y| E::of(1.0) / x, -y * y, |x| Some(x.recip()));
unary!(Abs, "abs", "|x|; derivative 0 at 0.", |x, y| x.abs(), sign(x), |x| Some(x.abs()));
unary!(Sin, "sin", "Sine.", |x, y| x.sin(), x.cos(), |x| Some(x.sin()));
unary!(Cos, "cos", "Cosine.", |x, y| x.cos(), -x.sin(), |x| Some(x.cos()));

/// xⁿ for an integer n; derivative 0 for n = 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Powi(pub(crate) i32);

impl<E: Dtype> Function<E, 1> for Powi {
    fn name(&self) -> &'static str {
        "powi"
    }

    #[inline(always)]
    fn value(&self, [x]: [E; 1]) -> E {
        x.powi(self.0)
    }

    #[inline(always)]
    fn partials(&self, [x]: [E; 1], _: E) -> [E; 1] {
        [if self.0 == 0 { E::of(0.0) } else { E::of(self.0.into()) * x.powi(self.0.saturating_sub(1)) }]
    }
}

/// xᵖ for a fixed real p; NaN for negative x unless p is whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Powf<E>(pub(crate) E);

impl<E: Dtype> Function<E, 1> for Powf<E> {
    fn name(&self) -> &'static str {
        "powf"
    }

    #[inline(always)]
    fn value(&self, [x]: [E; 1]) -> E {
        x.powf(self.0)
    }

    #[inline(always)]
    fn partials(&self, [x]: [E; 1], _: E) -> [E; 1] {
        [if self.0 == E::of(0.0) { E::of(0.0) } else { self.0 * x.powf(self.0 - E::of(1.0)) }]
    }
}

/// x held between two bounds; derivative 1 inside (bounds included), 0 outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clamp<E>(pub(crate) E, pub(crate) E);

impl<E: Dtype> Function<E, 1> for Clamp<E> {
    fn name(&self) -> &'static str {
        "clamp"
    }

    #[inline(always)]
    fn value(&self, [x]: [E; 1]) -> E {
        // NaN stays NaN, as neither comparison holds.
        if x < self.0 {
            self.0
        } else if x > self.1 {
            self.1
        } else {
            x
        }
    }

    #[inline(always)]
    fn partials(&self, [x]: [E; 1], _: E) -> [E; 1] {
        [if x < self.0 || x > self.1 { E::of(0.0) } else { E::of(1.0) }]
    }
}
