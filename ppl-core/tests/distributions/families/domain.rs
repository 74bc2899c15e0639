//! What a parameter must be: the words of the error, and the test.

/// A domain. The words are those that follow "must be" in the error (a constraint's `describe`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Domain {
    pub(crate) words: &'static str,
    pub(crate) holds: fn(f64) -> bool,
}

/// Any real number.
pub(crate) const REAL: Domain = Domain { words: "a finite real number", holds: f64::is_finite };

/// Numbers above zero.
pub(crate) const POSITIVE: Domain = Domain { words: "positive and finite", holds: |v| v > 0.0 && v.is_finite() };

/// Numbers from zero up.
pub(crate) const NON_NEGATIVE: Domain =
    Domain { words: "not negative, and finite", holds: |v| v >= 0.0 && v.is_finite() };

/// Probabilities.
pub(crate) const UNIT_INTERVAL: Domain = Domain { words: "in [0, 1]", holds: |v| (0.0..=1.0).contains(&v) };

/// Logarithms of weights, and lower bounds: −∞ for none.
pub(crate) const LOG_WEIGHT: Domain = Domain { words: "a number below infinity", holds: |v| v < f64::INFINITY };

/// Upper bounds, ∞ for none.
pub(crate) const UPPER_END: Domain = Domain { words: "a number above -infinity", holds: |v| v > f64::NEG_INFINITY };

/// Matrices of a kind: a matrix is in the set as a whole, so nothing is said of its entries.
pub(crate) const MATRIX: Domain = Domain { words: "a matrix of its kind", holds: |_| true };
