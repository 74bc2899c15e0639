//! Sums, products and choices of two or three numbers, and their forms with a fixed number.

use super::Function;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::{Flat, Taped};

/// dfdx's own operation on two tensors of one length. One side is copied first, since dfdx refuses
/// operands of equal identity.
fn native_pair<E: Dtype, D: Backend<E>>(
    [a, b]: [Flat<E, D>; 2],
    f: impl FnOnce(DfdxFlat<E, D>, DfdxFlat<E, D>) -> DfdxFlat<E, D>,
) -> Option<Flat<E, D>> {
    let n = a.numel().max(b.numel());
    let spread = |t: Flat<E, D>| if t.numel() == n { Some(t) } else { None };
    let (a, b) = (spread(a)?, spread(b)?);
    Some(Flat::from_dfdx(f(a.into_dfdx(), b.into_dfdx() + E::of(0.0))))
}

type DfdxFlat<E, D> = Taped<(usize,), E, D>;

macro_rules! binary {
    ($Name:ident, $name:literal, $doc:literal, |$a:ident, $b:ident, $y:ident| $value:expr, [$da:expr, $db:expr], $native:expr) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $Name;

        impl<E: Dtype> Function<E, 2> for $Name {
            fn name(&self) -> &'static str {
                $name
            }

            #[inline(always)]
            fn value(&self, [$a, $b]: [E; 2]) -> E {
                $value
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn partials(&self, [$a, $b]: [E; 2], $y: E) -> [E; 2] {
                [$da, $db]
            }

            fn native<D: Backend<E>>(&self, args: [Flat<E, D>; 2]) -> Option<Flat<E, D>> {
                native_pair(args, $native)
            }
        }
    };
}

/// The larger of two; NaN if either is, unlike `Float::max`, which would hide it.
#[inline(always)]
pub(crate) fn larger<E: Dtype>(a: E, b: E) -> E {
    if a > b || a.is_nan() { a } else { b }
}

/// The smaller of two; NaN if either is.
#[inline(always)]
fn smaller<E: Dtype>(a: E, b: E) -> E {
    if a < b || a.is_nan() { a } else { b }
}

/// One half where `a == b`, so that a tie shares the gradient; one where `a` wins.
fn share<E: Dtype>(a: E, b: E) -> E {
    if a > b {
        E::of(1.0)
    } else if a < b {
        E::of(0.0)
    } else {
        E::of(0.5)
    }
}

binary!(AddFn, "add", "a + b.", |a, b, y| a + b, [E::of(1.0), E::of(1.0)], |a, b| a + b);
binary!(SubFn, "sub", "a − b.", |a, b, y| a - b, [E::of(1.0), E::of(-1.0)], |a, b| a - b);
binary!(MulFn, "mul", "a · b.", |a, b, y| a * b, [b, a], |a, b| a * b);
binary!(DivFn, "div", "a / b.", |a, b, y| a / b, [E::of(1.0) / b, -y / b], |a, b| a / b);
binary!(
    MaxFn,
    "maximum",
    "The larger; a tie shares the gradient.",
    |a, b, y| larger(a, b),
    [share(a, b), share(b, a)],
    |a, b| a.maximum(b)
);
binary!(
    MinFn,
    "minimum",
    "The smaller; a tie shares the gradient.",
    |a, b, y| smaller(a, b),
    [share(b, a), share(a, b)],
    |a, b| a.minimum(b)
);

/// `base` to the power of a tensor exponent; `base` must be positive where the exponent needs a
/// gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PowFn;

impl<E: Dtype> Function<E, 2> for PowFn {
    fn name(&self) -> &'static str {
        "pow"
    }

    #[inline(always)]
    fn value(&self, [base, exponent]: [E; 2]) -> E {
        base.powf(exponent)
    }

    #[inline(always)]
    fn partials(&self, [base, exponent]: [E; 2], y: E) -> [E; 2] {
        let zero = E::of(0.0);
        // At base 0 or exponent 0 a product below would be 0 · ∞, but the power is constant there.
        let d_base = if exponent == zero { zero } else { exponent * base.powf(exponent - E::of(1.0)) };
        let d_exponent = if base == zero && exponent >= zero { zero } else { y * base.ln() };
        [d_base, d_exponent]
    }
}

/// a + weight · (b − a).
#[derive(Clone, Copy, Debug)]
pub(crate) struct LerpFn;

impl<E: Dtype> Function<E, 3> for LerpFn {
    fn name(&self) -> &'static str {
        "lerp"
    }

    #[inline(always)]
    fn value(&self, [a, b, weight]: [E; 3]) -> E {
        a + weight * (b - a)
    }

    #[inline(always)]
    fn partials(&self, [a, b, weight]: [E; 3], _: E) -> [E; 3] {
        [E::of(1.0) - weight, weight, b - a]
    }
}

/// `a` where the mask is not zero, `b` elsewhere; the side not chosen gets no gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WhereFn;

impl<E: Dtype> Function<E, 3> for WhereFn {
    fn name(&self) -> &'static str {
        "where"
    }

    #[inline(always)]
    fn value(&self, [mask, a, b]: [E; 3]) -> E {
        if mask != E::of(0.0) { a } else { b }
    }

    #[inline(always)]
    fn partials(&self, [mask, _, _]: [E; 3], _: E) -> [E; 3] {
        let chosen = if mask != E::of(0.0) { E::of(1.0) } else { E::of(0.0) };
        [E::of(0.0), chosen, E::of(1.0) - chosen]
    }
}

macro_rules! with_number {
    ($Name:ident, $name:literal, $doc:literal, |$c:ident, $x:ident, $y:ident| $value:expr, $dx:expr, $native:expr) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $Name<E>(pub(crate) E);

        impl<E: Dtype> Function<E, 1> for $Name<E> {
            fn name(&self) -> &'static str {
                $name
            }

            #[inline(always)]
            fn value(&self, [$x]: [E; 1]) -> E {
                let $c = self.0;
                $value
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn partials(&self, [$x]: [E; 1], $y: E) -> [E; 1] {
                let $c = self.0;
                [$dx]
            }

            fn native<D: Backend<E>>(&self, [x]: [Flat<E, D>; 1]) -> Option<Flat<E, D>> {
                let native: fn(DfdxFlat<E, D>, E) -> DfdxFlat<E, D> = $native;
                Some(Flat::from_dfdx(native(x.into_dfdx(), self.0)))
            }
        }
    };
}

with_number!(AddNumber, "add", "x + c.", |c, x, y| x + c, E::of(1.0), |x, c| x + c);
with_number!(MulNumber, "mul", "c · x.", |c, x, y| c * x, c, |x, c| x * c);
with_number!(DivNumber, "div", "x / c.", |c, x, y| x / c, E::of(1.0) / c, |x, c| x / c);
with_number!(NumberSub, "sub", "c − x.", |c, x, y| c - x, E::of(-1.0), |x, c| -x + c);
with_number!(NumberDiv, "div", "c / x.", |c, x, y| c / x, -y / x, |x, c| x.recip() * c);
