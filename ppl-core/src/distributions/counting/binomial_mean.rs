//! Means of functions of a binomial count, by sums of a bounded number of terms.

use super::saddle_point::{gap, log_binomial};

/// Standard deviations from the mean to where the sum ends.
const REACH: f64 = 12.0;

/// Further counts above the mean, for the heavier tail of small means.
const MORE: f64 = 40.0;

/// More terms than there ever are.
const MOST_TERMS: u32 = 1000;

/// E f(X, n − X) for a binomial X of n trials with probabilities p and q, each with its own digits: over
/// every h-th count, times h, where the deviation is 4h or more, as in [`entropy`](super::entropy::entropy). There
/// f must be smooth. NaN for p that is not a probability.
pub(in crate::distributions) fn binomial_mean<const K: usize>(
    n: f64,
    [p, q]: [f64; 2],
    f: impl Fn(f64, f64) -> [f64; K],
) -> [f64; K] {
    if !(p >= 0.0 && q >= 0.0) {
        return [f64::NAN; K];
    }
    // The rarer outcome is counted.
    let mean = n * p.min(q);
    let deviation = (mean * p.max(q)).sqrt();
    let step = (0.25 * deviation).floor().max(1.0);
    let first = (mean - REACH * deviation).floor().max(0.0);
    let last = (mean + REACH * deviation + MORE).min(n);
    let ln = |own: f64, other: f64| if own < 0.5 { own.ln() } else { (-other).ln_1p() };
    let mut sum = [0.0; K];
    for k in (0..MOST_TERMS).map(|j| first + f64::from(j) * step).take_while(|&k| k <= last) {
        let [x, y] = if p <= q { [k, n - k] } else { [n - k, k] };
        let mass = step * log_binomial(x, y, gap(x, y, p, q), || ln(p, q), || ln(q, p)).exp();
        if mass > 0.0 {
            sum.iter_mut().zip(f(x, y)).for_each(|(s, f)| *s += mass * f);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_variance_are_those_of_the_textbook() {
        for (n, p) in
            [(1.0, 0.5), (7.0, 1e-9), (40.0, 0.75), (1e4, 0.999), (1e12, 0.3), (1e18, 1e-16), (5.0, 0.0), (5.0, 1.0)]
        {
            let [one, mean, variance] = binomial_mean(n, [p, 1.0 - p], |x, _| [1.0, x, (x - n * p) * (x - n * p)]);
            assert!((one - 1.0).abs() < 1e-13, "{n}, {p}: {:e}", one - 1.0);
            assert!((mean - n * p).abs() <= 1e-13 * n * p, "{n}, {p}: {mean:e}");
            assert!((variance - n * p * (1.0 - p)).abs() <= 1e-10 * n * p * (1.0 - p), "{n}, {p}: {variance:e}");
        }
    }
}
