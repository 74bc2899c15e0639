//! What tables hold: numbers, or numbers with their derivative along one direction.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Mul};

/// A number that variables are eliminated with.
pub trait Number: Copy + Debug + Add<Output = Self> + AddAssign + Mul<f64, Output = Self> + Mul<Output = Self> {
    /// A constant.
    fn constant(value: f64) -> Self;
    /// The number itself.
    fn value(self) -> f64;
    /// eˣ.
    fn exp(self) -> Self;
    /// ln x.
    fn ln(self) -> Self;
}

impl Number for f64 {
    fn constant(value: f64) -> Self {
        value
    }

    fn value(self) -> f64 {
        self
    }

    fn exp(self) -> Self {
        self.exp()
    }

    fn ln(self) -> Self {
        self.ln()
    }
}

/// A number, and its derivative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dual {
    /// The number.
    pub value: f64,
    /// Its derivative.
    pub slope: f64,
}

impl Add for Dual {
    type Output = Dual;

    fn add(self, other: Dual) -> Dual {
        Dual { value: self.value + other.value, slope: self.slope + other.slope }
    }
}

impl AddAssign for Dual {
    fn add_assign(&mut self, other: Dual) {
        *self = *self + other;
    }
}

impl Mul for Dual {
    type Output = Dual;

    fn mul(self, other: Dual) -> Dual {
        Dual { value: self.value * other.value, slope: self.slope * other.value + self.value * other.slope }
    }
}

impl Mul<f64> for Dual {
    type Output = Dual;

    fn mul(self, factor: f64) -> Dual {
        Dual { value: self.value * factor, slope: self.slope * factor }
    }
}

impl Number for Dual {
    fn constant(value: f64) -> Self {
        Dual { value, slope: 0.0 }
    }

    fn value(self) -> f64 {
        self.value
    }

    fn exp(self) -> Self {
        let value = self.value.exp();
        Dual { value, slope: value * self.slope }
    }

    fn ln(self) -> Self {
        Dual { value: self.value.ln(), slope: self.slope / self.value }
    }
}
