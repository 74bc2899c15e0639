//! Entropies of counts by sums of a bounded number of terms, whatever the parameters are.

use crate::distributions::univariate::Dual;

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
