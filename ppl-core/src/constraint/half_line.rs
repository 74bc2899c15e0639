//! The real line and its halves.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::{Exp, Identity, IntoHalfLine, Map};

use super::interval::{at, one, shown};
use super::{Constraint, Flat, first_outside};

/// Any real number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Real {
    fn describe(&self) -> String {
        "a finite real number".into()
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        first_outside(values, E::is_finite)
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(Identity))
    }
}

macro_rules! bound {
    ($(#[$doc:meta])* $Name:ident, $words:literal, |$v:ident| $holds:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $Name;

        impl<E: Dtype, D: Backend<E>> Constraint<E, D> for $Name {
            fn describe(&self) -> String {
                $words.into()
            }
            fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
                first_outside(values, |$v| $holds)
            }
            fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
                Some(Arc::new(Identity))
            }
        }
    };
}

bound! {
    /// What a lower bound may be: a real number, or −∞ for none.
    LowerEnd, "a number below infinity", |v| v < E::infinity()
}
bound! {
    /// What an upper bound may be: a real number, or ∞ for none.
    UpperEnd, "a number above -infinity", |v| v > E::neg_infinity()
}

/// Numbers above zero, by the exponential.
#[derive(Clone, Copy, Debug, Default)]
pub struct Positive;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Positive {
    fn describe(&self) -> String {
        "positive and finite".into()
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        first_outside(values, |v| v > E::of(0.0) && v.is_finite())
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(Exp))
    }
}

/// Numbers from zero up, by the exponential (which never reaches zero).
#[derive(Clone, Copy, Debug, Default)]
pub struct NonNegative;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for NonNegative {
    fn describe(&self) -> String {
        "not negative, and finite".into()
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        first_outside(values, |v| v >= E::of(0.0) && v.is_finite())
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(Exp))
    }
}

macro_rules! half_line {
    ($(#[$doc:meta])* $Name:ident, $words:literal, $above:ident, $holds:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $Name(pub f64);

        impl<E: Dtype, D: Backend<E>> Constraint<E, D> for $Name {
            fn describe(&self) -> String {
                format!(concat!($words, " {}, and finite"), self.0)
            }
            fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
                let (bound, holds): (E, fn(&E, &E) -> bool) = (E::of(self.0), $holds);
                first_outside(values, |v| holds(&v, &bound) && v.is_finite())
            }
            fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
                Some(Arc::new(IntoHalfLine::$above(one(self.0))))
            }
        }
    };
}

half_line! {
    /// Numbers above a bound, by the exponential.
    GreaterThan, "greater than", above, E::gt
}
half_line! {
    /// Numbers from a bound up, by the exponential (which never reaches the bound).
    GreaterThanEq, "at least", above, E::ge
}
half_line! {
    /// Numbers below a bound, by the exponential.
    LessThan, "less than", below, E::lt
}
half_line! {
    /// Numbers up to a bound, by the exponential (which never reaches the bound).
    LessThanEq, "at most", below, E::le
}

/// Numbers from bounds of their own up, element by element, by the exponential; gradients reach the
/// bounds.
#[derive(Clone, Debug)]
pub struct LowerBound<E: Dtype, D: Backend<E>> {
    low: Flat<E, D>,
}

impl<E: Dtype, D: Backend<E>> LowerBound<E, D> {
    /// The bound: one number for all elements, or as many as there are.
    pub fn new(low: Flat<E, D>) -> Self {
        LowerBound { low }
    }

    fn inside(&self, values: &[E]) -> impl Iterator<Item = bool> {
        let low = self.low.to_vec();
        values.iter().enumerate().map(move |(i, v)| v.is_finite() && at(&low, i).is_some_and(|low| *v >= low))
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for LowerBound<E, D> {
    fn describe(&self) -> String {
        format!("at least {}, and finite", shown(&self.low))
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        self.inside(values).position(|inside| !inside)
    }
    fn each_inside(&self, values: &[E]) -> Option<Vec<bool>> {
        (self.low.numel() != 1).then(|| self.inside(values).collect())
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(IntoHalfLine::above(self.low.clone())))
    }
}
