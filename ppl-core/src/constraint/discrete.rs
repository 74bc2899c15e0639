//! Sets of whole numbers, which have no map from the real line.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::Map;

use super::{Constraint, first_outside};

/// 0 or 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boolean;

/// Whole numbers from zero up to a bound.
#[derive(Clone, Copy, Debug)]
pub struct IntegerRange {
    /// The largest admissible number.
    pub high: usize,
}

macro_rules! discrete {
    ($Name:ident, |$this:ident| $describe:expr, |$v:ident| $holds:expr) => {
        impl<E: Dtype, D: Backend<E>> Constraint<E, D> for $Name {
            fn describe(&self) -> String {
                let $this = self;
                $describe
            }
            fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
                let $this = self;
                first_outside(values, |$v| $holds)
            }
            fn is_discrete(&self) -> bool {
                true
            }
            fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
                None
            }
        }
    };
}

discrete!(Boolean, |_this| "0 or 1".into(), |v| v == E::of(0.0) || v == E::of(1.0));
discrete!(IntegerRange, |this| format!("a whole number in 0..={}", this.high), |v| v >= E::of(0.0)
    && v.wide() <= this.high as f64
    && v == v.round());
