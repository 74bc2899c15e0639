//! Quantiles of draws, as R, NumPy and ArviZ compute them by default.

use super::chains::Chains;

/// The quantile of all draws at probability `prob`: between the order statistics around
/// 1 + (n − 1) · prob, on a line. NaN for a probability outside [0, 1].
///
/// Reference: type 7 of Hyndman, Fan, *Sample quantiles in statistical packages*, The American
/// Statistician 50, 1996.
pub fn quantile(chains: &Chains<'_>, prob: f64) -> f64 {
    let Some(draws) = chains.finite() else { return f64::NAN };
    quantile_of_sorted(&sorted(draws.values), prob)
}

/// Finite numbers in ascending order.
pub(super) fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Between equal neighbours the quantile is exactly that number, so that draws equal to it count as not
/// above it. (ArviZ weighs them in all cases and may land one rounding below.)
pub(super) fn quantile_of_sorted(sorted: &[f64], prob: f64) -> f64 {
    if !(0.0..=1.0).contains(&prob) {
        return f64::NAN;
    }
    let n = sorted.len();
    if n == 1 {
        return sorted[0];
    }
    let place = n as f64 * prob + (1.0 - prob);
    let below = place.clamp(1.0, (n - 1) as f64).floor();
    let weight = (place - below).clamp(0.0, 1.0);
    let [low, high] = [sorted[below as usize - 1], sorted[below as usize]];
    if low == high { low } else { (1.0 - weight) * low + weight * high }
}

/// The median of finite numbers: the middle one, or the mean of the two in the middle.
pub(super) fn median(values: Vec<f64>) -> f64 {
    let sorted = sorted(values);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return sorted[half];
    }
    let [low, high] = [sorted[half - 1], sorted[half]];
    let middle = (low + high) / 2.0;
    if middle.is_finite() { middle } else { low / 2.0 + high / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_middles_and_ties() {
        let chains = Chains::new(&[&[4.0, 1.0], &[3.0, 2.0]]).unwrap();
        let at = |prob| quantile(&chains, prob);
        assert_eq!([at(0.0), at(0.5), at(1.0)], [1.0, 2.5, 4.0]);
        assert!(at(-0.1).is_nan() && at(1.1).is_nan() && at(f64::NAN).is_nan());
        assert_eq!(quantile(&Chains::new(&[&[7.0]]).unwrap(), 0.3), 7.0);
        // A third of 0.1 and two thirds of it may not add up to it.
        let equal = Chains::new(&[&[0.1; 11]]).unwrap();
        assert!((0..=100).all(|p| quantile(&equal, f64::from(p) / 100.0) == 0.1));
    }

    #[test]
    fn medians_do_not_overflow() {
        assert_eq!(median(vec![1.6e308, 1.4e308]), 1.5e308);
        assert_eq!([median(vec![3.0, 1.0, 2.0]), median(vec![1.0, 4.0])], [2.0, 2.5]);
    }
}
