//! A number with its derivatives with respect to the two parameters, and what it shares with `f64`.

use std::ops::{Add, Div, Mul, Sub};

/// What the expansions are written for: plain numbers where the value is enough, [`Slopes`] where its
/// derivatives are wanted.
pub(super) trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + From<f64>
{
    /// The largest of |value| and its derivatives, each over the same of `whole`.
    fn share_of(self, whole: Self) -> f64;
}

impl Number for f64 {
    fn share_of(self, whole: f64) -> f64 {
        (self / whole).abs()
    }
}

/// A number with its derivatives with respect to a and b.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slopes {
    pub(super) value: f64,
    pub(super) by: [f64; 2],
}

impl Slopes {
    /// The first parameter itself.
    pub(super) fn of_a(a: f64) -> Self {
        Slopes { value: a, by: [1.0, 0.0] }
    }

    /// The second parameter itself.
    pub(super) fn of_b(b: f64) -> Self {
        Slopes { value: b, by: [0.0, 1.0] }
    }
}

impl From<f64> for Slopes {
    fn from(value: f64) -> Self {
        Slopes { value, by: [0.0; 2] }
    }
}

impl Number for Slopes {
    fn share_of(self, whole: Slopes) -> f64 {
        let share = |part: f64, whole: f64| if part == 0.0 { 0.0 } else { (part / whole).abs() };
        share(self.value, whole.value).max(share(self.by[0], whole.by[0])).max(share(self.by[1], whole.by[1]))
    }
}

impl Add for Slopes {
    type Output = Slopes;

    fn add(self, other: Slopes) -> Slopes {
        Slopes { value: self.value + other.value, by: [self.by[0] + other.by[0], self.by[1] + other.by[1]] }
    }
}

impl Sub for Slopes {
    type Output = Slopes;

    fn sub(self, other: Slopes) -> Slopes {
        Slopes { value: self.value - other.value, by: [self.by[0] - other.by[0], self.by[1] - other.by[1]] }
    }
}

impl Mul for Slopes {
    type Output = Slopes;

    #[expect(clippy::suspicious_arithmetic_impl, reason = "the derivative of a product is a sum")]
    fn mul(self, other: Slopes) -> Slopes {
        let by = |i: usize| self.by[i] * other.value + self.value * other.by[i];
        Slopes { value: self.value * other.value, by: [by(0), by(1)] }
    }
}

impl Div for Slopes {
    type Output = Slopes;

    fn div(self, other: Slopes) -> Slopes {
        let r = 1.0 / other.value;
        let value = self.value * r;
        let by = |i: usize| (self.by[i] - value * other.by[i]) * r;
        Slopes { value, by: [by(0), by(1)] }
    }
}
