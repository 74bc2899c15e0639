//! The Bernoulli distribution of one element.

use crate::dtype::Dtype;
use crate::functions::Function;
use crate::functions::unary::{sigmoid, softplus};

/// Whether a value lies outside [0, 1], where the cross-entropy means nothing.
#[inline(always)]
fn outside<E: Dtype>(x: E) -> bool {
    (x < E::of(0.0)) | (x > E::of(1.0))
}

/// factor · of, but 0 where the factor is 0 and the other infinite.
#[inline(always)]
fn times<E: Dtype>(factor: E, of: E) -> E {
    if factor == E::of(0.0) { factor } else { factor * of }
}

/// x ln p + (1 − x) ln(1 − p).
#[derive(Clone, Copy, Debug)]
pub(super) struct LogProbability;

impl<E: Dtype> Function<E, 2> for LogProbability {
    fn name(&self) -> &'static str {
        "Bernoulli::log_prob"
    }

    #[inline(always)]
    fn value(&self, [x, p]: [E; 2]) -> E {
        if outside(x) { E::neg_infinity() } else { times(x, p.ln()) + times(E::of(1.0) - x, (-p).ln_1p()) }
    }

    #[inline(always)]
    fn partials(&self, [x, p]: [E; 2], value: E) -> [E; 2] {
        if value == E::neg_infinity() {
            return [E::of(0.0); 2];
        }
        let one = E::of(1.0);
        let log_odds = p.ln() - (-p).ln_1p();
        // Where p is 0 or 1 only one value is possible, and there is no slope along the values.
        let slope = if log_odds.is_infinite() { E::of(0.0) } else { log_odds };
        [slope, times(x, one / p) - times(one - x, one / (one - p))]
    }
}

/// l x − max(l, 0) − ln(1 + e^−|l|) with log-odds l, which neither overflows nor cancels.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogitProbability;

impl<E: Dtype> Function<E, 2> for LogitProbability {
    fn name(&self) -> &'static str {
        "Bernoulli::log_prob"
    }

    // Computed first and chosen after, so that loops become vector code.
    #[inline(always)]
    fn value(&self, [x, logit]: [E; 2]) -> E {
        let value = (logit * x - logit.max(E::of(0.0))) - (-logit.abs()).quick_exp().quick_ln_1p();
        if outside(x) { E::neg_infinity() } else { value }
    }

    #[inline(always)]
    fn partials(&self, [x, logit]: [E; 2], _: E) -> [E; 2] {
        let (outside, slope) = (outside(x), x - sigmoid(logit));
        [logit, slope].map(|slope| if outside { E::of(0.0) } else { slope })
    }
}

/// −p ln p − (1 − p) ln(1 − p).
#[derive(Clone, Copy, Debug)]
pub(super) struct Entropy;

impl<E: Dtype> Function<E, 1> for Entropy {
    fn name(&self) -> &'static str {
        "Bernoulli::entropy"
    }

    fn value(&self, [p]: [E; 1]) -> E {
        -times(p, p.ln()) - times(E::of(1.0) - p, (-p).ln_1p())
    }

    fn partials(&self, [p]: [E; 1], _: E) -> [E; 1] {
        [(-p).ln_1p() - p.ln()]
    }
}

/// The entropy at log-odds l: p softplus(−l) + (1 − p) softplus(l).
#[derive(Clone, Copy, Debug)]
pub(super) struct LogitEntropy;

impl<E: Dtype> Function<E, 1> for LogitEntropy {
    fn name(&self) -> &'static str {
        "Bernoulli::entropy"
    }

    fn value(&self, [logit]: [E; 1]) -> E {
        sigmoid(logit) * softplus(-logit) + sigmoid(-logit) * softplus(logit)
    }

    fn partials(&self, [logit]: [E; 1], _: E) -> [E; 1] {
        [-logit * sigmoid(logit) * sigmoid(-logit)]
    }
}

/// The probability of a value at most x, given that of a zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cdf;

impl<E: Dtype> Function<E, 2> for Cdf {
    fn name(&self) -> &'static str {
        "Bernoulli::cdf"
    }

    fn value(&self, [x, zero]: [E; 2]) -> E {
        if x < E::of(0.0) {
            E::of(0.0)
        } else if x < E::of(1.0) {
            zero
        } else {
            E::of(1.0)
        }
    }

    fn partials(&self, [x, _]: [E; 2], _: E) -> [E; 2] {
        let between = x >= E::of(0.0) && x < E::of(1.0);
        [E::of(0.0), E::of(f64::from(between))]
    }
}

/// 0 up to the probability of a zero, 1 above it: NaN outside [0, 1].
#[derive(Clone, Copy, Debug)]
pub(super) struct Icdf;

impl<E: Dtype> Function<E, 2> for Icdf {
    fn name(&self) -> &'static str {
        "Bernoulli::icdf"
    }

    fn value(&self, [q, zero]: [E; 2]) -> E {
        if outside(q) || q.is_nan() { E::nan() } else { E::of(f64::from(q > zero)) }
    }

    fn partials(&self, _: [E; 2], _: E) -> [E; 2] {
        [E::of(0.0); 2]
    }
}
