//! Relative entropies of counts and proportions, which densities are made of so that large factorials
//! do not cancel.

use crate::functions::incomplete_gamma::excess_over_log1p;

/// x ln(x / m) + m − x for x, m ≥ 0, given m and ln(x / m): 0 at x = m, and positive elsewhere.
///
/// Source: Loader, *Fast and Accurate Computation of Binomial Probabilities*, 2000.
pub(super) fn relative_entropy(x: f64, m: f64, log_ratio: f64) -> f64 {
    if x == 0.0 {
        return m;
    }
    let t = (m - x) / x;
    // The logarithm of a ratio may be known where the ratio has underflowed.
    if t.abs() < 0.5 { x * excess_over_log1p(t) } else { x * log_ratio + (m - x) }
}

/// Σ x − 1, exact to the last digit though the sum is rounded.
///
/// Source: Neumaier, *Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen*, 1974.
pub(super) fn excess_over_one(x: &[f64]) -> f64 {
    let (mut sum, mut lost) = (-1.0, 0.0);
    for &x in x {
        let next = sum + x;
        let [large, small] = if f64::abs(sum) >= x.abs() { [sum, x] } else { [x, sum] };
        lost += (large - next) + small;
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    // mpmath, 50 digits.
    #[test]
    fn relative_entropies_are_those_of_fifty_digits() {
        let cases = [
            (3.0, 3.0, 0.0),
            (0.0, 2.5, 2.5),
            (1e10, 1e10 + 1.0, 4.999_999_999_666_666_6e-11),
            (5.0, 4.5, 0.026_802_578_289_131_504),
            (1.0, 1e-3, 5.908_755_278_982_137),
        ];
        for (x, m, expected) in cases {
            let found = relative_entropy(x, m, f64::ln(x / m));
            assert!((found - expected).abs() <= 1e-14 * expected, "{x}, {m}: {found:e}");
        }
    }

    #[test]
    fn the_excess_keeps_what_the_sum_loses() {
        assert_eq!(excess_over_one(&[0.5, 0.5, 1e-30]), 1e-30);
        assert_eq!(excess_over_one(&[1.0 / 3.0; 3]), -(2.0_f64.powi(-54)));
    }
}
