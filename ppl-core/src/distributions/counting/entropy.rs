//! Entropies of counts by sums of a bounded number of terms, whatever the parameters are.

use crate::distributions::univariate::Dual;

use super::long_sum::{LongSum, Of};

/// Standard deviations from the mean to where the sum ends.
const REACH: f64 = 12.0;

/// Further counts above the mean, for the heavier tail of small means.
const MORE: f64 = 40.0;

/// From this variance on the normal distribution's entropy has all digits: it is off by 1 / (12 variance)
/// at most.
const WIDE: f64 = 1e12;

/// ln(2πe).
const LN_TWO_PI_E: f64 = 2.837_877_066_409_345_3;

/// More terms than there ever are.
const MOST_TERMS: u32 = 1000;

/// The entropy −Σ p ln p over counts from 0 to `largest`, whose mean is not more than half of it: from
/// the log-mass at real points, and the score, its derivative along the parameter `t`.
///
/// Where the deviation is large the sum is over every h-th count, times h: for a function as smooth as
/// the mass the two differ by less than e⁻¹²⁸ if h is a quarter of the deviation at most. Source:
/// Trefethen and Weideman, *The exponentially convergent trapezoidal rule*, SIAM Review 56, 2014.
pub(in crate::distributions) fn entropy<const K: usize>(
    t: Dual<K>,
    [mean, largest]: [f64; 2],
    variance: Dual<K>,
    log_mass: impl Fn(f64) -> f64,
    score: impl Fn(f64) -> f64,
) -> Dual<K> {
    if variance.value > WIDE {
        return 0.5 * (variance.ln() + LN_TWO_PI_E);
    }
    if variance.value == 0.0 {
        return variance.map(0.0, f64::INFINITY);
    }
    if !(variance.value > 0.0 && mean >= 0.0) {
        return t.map(f64::NAN, f64::NAN);
    }
    let deviation = variance.value.sqrt();
    let step = (0.25 * deviation).floor().max(1.0);
    let first = (mean - REACH * deviation).floor().max(0.0);
    let last = (mean + REACH * deviation + MORE).min(largest);
    // The score is 0 on average, so that a constant may be taken from ln p; this one leaves few digits
    // to cancel.
    let level = log_mass(mean.floor());
    let (mut sum, mut slope) = (0.0, 0.0);
    for k in (0..MOST_TERMS).map(|j| first + f64::from(j) * step).take_while(|&k| k <= last) {
        let log = log_mass(k);
        let mass = log.exp();
        if mass > 0.0 {
            sum -= mass * log;
            slope -= mass * score(k) * (log - level);
        }
    }
    t.map(step * sum, step * slope)
}

/// From this bend of the log-mass along the log-odds of counts on, a law is normal to all digits.
pub(in crate::distributions) const NARROW: f64 = 1e12;

/// The entropy of a normal distribution, by the logarithm of its variance.
pub(in crate::distributions) fn narrow_entropy<const K: usize>(log_variance: Dual<K>) -> Dual<K> {
    0.5 * (log_variance + LN_TWO_PI_E)
}

/// A law over 0, 1, …, n with two parameters, whose mass may be wide or have spikes at the ends, by
/// functions of x and of n − x.
pub(in crate::distributions) struct Law<'a> {
    /// The largest count, or ∞.
    pub(in crate::distributions) n: f64,
    /// The log-odds of the mean, or for an infinite n its logarithm.
    pub(in crate::distributions) centre: f64,
    pub(in crate::distributions) log_mass: &'a dyn Fn(f64, f64) -> f64,
    /// The derivatives of the log-mass along both parameters.
    pub(in crate::distributions) score: Of<'a, 2>,
    /// See [`LongSum`].
    pub(in crate::distributions) shape: Of<'a, 2>,
    /// See [`LongSum`].
    pub(in crate::distributions) falls: [bool; 2],
}

impl Law<'_> {
    /// −Σ m ln m with its derivatives, −Σ m score ln m. As the score is 0 on average, that of the mass at
    /// the mean is taken from ln m, so that fewer digits cancel.
    pub(in crate::distributions) fn entropy(&self) -> [f64; 3] {
        let x = if self.n == f64::INFINITY { self.centre.exp() } else { self.n / (1.0 + (-self.centre).exp()) };
        let level = (self.log_mass)(x.floor(), self.n - x.floor());
        let level = if level.is_finite() { level } else { 0.0 };
        let term = |x: f64, y: f64| {
            let log = (self.log_mass)(x, y);
            let mass = log.exp();
            if mass == 0.0 {
                return [0.0; 3];
            }
            let along = (self.score)(x, y).map(|s| -mass * s * (log - level));
            [-mass * log, along[0], along[1]]
        };
        let sum = LongSum { n: self.n, centre: self.centre, term: &term, shape: self.shape, falls: self.falls };
        let [value, along @ ..] = sum.all();
        // A mass of 1 may be rounded above it.
        [value.max(0.0), along[0], along[1]]
    }
}
