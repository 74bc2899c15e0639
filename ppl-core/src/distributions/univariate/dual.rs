//! Forward-mode numbers: a value with its derivatives along `K` variables, so that moments and
//! divergences are written once, as formulas.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number and its derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::distributions) struct Dual<const K: usize> {
    /// The number.
    pub(in crate::distributions) value: f64,
    /// Its derivatives.
    pub(in crate::distributions) slopes: [f64; K],
}

impl<const K: usize> Dual<K> {
    /// A number that depends on nothing.
    pub(in crate::distributions) fn constant(value: f64) -> Self {
        Dual { value, slopes: [0.0; K] }
    }

    /// The variables themselves, each with derivative 1 along itself.
    pub(in crate::distributions) fn variables(values: [f64; K]) -> [Self; K] {
        std::array::from_fn(|i| Dual { value: values[i], slopes: std::array::from_fn(|k| f64::from(i == k)) })
    }

    /// A function of this number, from its value and derivative there. Along what this number does
    /// not depend on, an infinite derivative is nothing.
    pub(in crate::distributions) fn map(self, value: f64, derivative: f64) -> Self {
        Dual { value, slopes: self.slopes.map(|s| if s == 0.0 { 0.0 } else { derivative * s }) }
    }

    fn join(self, other: Self, value: f64, along: f64, along_other: f64) -> Self {
        let (a, b) = (self.map(value, along), other.map(value, along_other));
        Dual { value, slopes: std::array::from_fn(|i| a.slopes[i] + b.slopes[i]) }
    }

    /// ln x.
    pub(in crate::distributions) fn ln(self) -> Self {
        self.map(self.value.ln(), self.value.recip())
    }

    /// ln(1 + x).
    pub(in crate::distributions) fn ln_1p(self) -> Self {
        self.map(self.value.ln_1p(), (1.0 + self.value).recip())
    }

    /// eˣ.
    pub(in crate::distributions) fn exp(self) -> Self {
        let value = self.value.exp();
        self.map(value, value)
    }

    /// eˣ − 1.
    pub(in crate::distributions) fn exp_m1(self) -> Self {
        self.map(self.value.exp_m1(), self.value.exp())
    }

    /// x².
    pub(in crate::distributions) fn square(self) -> Self {
        self.map(self.value * self.value, 2.0 * self.value)
    }

    /// 1 / x.
    pub(in crate::distributions) fn recip(self) -> Self {
        let value = self.value.recip();
        self.map(value, -value * value)
    }
}

macro_rules! operators {
    ($($Op:ident $op:ident |$a:ident, $b:ident| $value:expr, $da:expr, $db:expr;)+) => {$(
        impl<const K: usize> $Op for Dual<K> {
            type Output = Self;
            fn $op(self, other: Self) -> Self {
                let ($a, $b) = (self.value, other.value);
                self.join(other, $value, $da, $db)
            }
        }
        impl<const K: usize> $Op<f64> for Dual<K> {
            type Output = Self;
            fn $op(self, other: f64) -> Self {
                let ($a, $b) = (self.value, other);
                self.map($value, $da)
            }
        }
        impl<const K: usize> $Op<Dual<K>> for f64 {
            type Output = Dual<K>;
            fn $op(self, other: Dual<K>) -> Dual<K> {
                let ($a, $b) = (self, other.value);
                other.map($value, $db)
            }
        }
    )+};
}

operators! {
    Add add |a, b| a + b, 1.0, 1.0;
    Sub sub |a, b| a - b, 1.0, -1.0;
    Mul mul |a, b| a * b, b, a;
    Div div |a, b| a / b, b.recip(), -a / (b * b);
}

impl<const K: usize> Neg for Dual<K> {
    type Output = Self;
    fn neg(self) -> Self {
        self.map(-self.value, -1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_equal_finite_differences() {
        type Formula = fn([Dual<2>; 2]) -> Dual<2>;
        let formulas: [Formula; 6] = [
            |[a, b]| a * b + 2.0 * a - b / 3.0,
            |[a, b]| a / b - 1.0 / (a + 0.5),
            |[a, b]| (a * 0.3).exp_m1() * b.recip() - a.exp(),
            |[a, b]| a.ln() * b.square() + (a + b).ln_1p(),
            |[a, b]| -(a - b).square().recip() + (3.0 - a),
            |[a, _]| Dual::constant(4.0) - a,
        ];
        for (i, f) in formulas.iter().enumerate() {
            let at = [0.7, 1.9];
            let found = f(Dual::variables(at));
            for k in 0..2 {
                let moved = |h: f64| {
                    let mut there = at;
                    there[k] += h;
                    f(Dual::variables(there)).value
                };
                let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((found.slopes[k] - difference).abs() < 1e-8, "formula {i} along {k}: {found:?}");
            }
        }
    }

    #[test]
    fn what_a_number_does_not_depend_on_stays_zero() {
        let [a, _] = Dual::variables([0.0, 1.0]);
        assert_eq!(a.ln().slopes, [f64::INFINITY, 0.0]);
    }
}
