//! Mean and standard deviation of draws of any size, from 1e-308 to 1e308.

use super::chains::{Chains, Draws};

/// The mean of all draws.
pub fn mean(chains: &Chains<'_>) -> f64 {
    chains.finite().map_or(f64::NAN, |draws| Standardised::of(&draws).location)
}

/// The standard deviation of all draws, with n − 1 in the denominator; NaN of a single draw.
pub fn sd(chains: &Chains<'_>) -> f64 {
    chains.finite().map_or(f64::NAN, |draws| Standardised::of(&draws).sd())
}

/// The mean of each number and those before it, `window` of them where there are as many.
///
/// # Panics
/// If the window is 0.
pub fn moving_average(numbers: &[f64], window: usize) -> Vec<f64> {
    assert!(window > 0, "a window of no numbers");
    let mean = |end: usize| average(&numbers[end.saturating_sub(window)..end]);
    (1..=numbers.len()).map(mean).collect()
}

/// Draws as location + scale · deviation. The deviations have mean 0 and are at most about 2 in size, so
/// that their squares neither overflow nor vanish; those of equal draws are exactly 0.
pub(super) struct Standardised {
    pub(super) deviations: Draws,
    /// The mean of the draws.
    pub(super) location: f64,
    /// The power of two at or below the largest draw's size, so that dividing by it is exact.
    pub(super) scale: f64,
}

impl Standardised {
    pub(super) fn of(draws: &Draws) -> Self {
        let largest = draws.values.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let scale = power_of_two(largest);
        let scaled = draws.map(|x| x / scale);
        let middle = average(&scaled.values);
        Standardised { deviations: scaled.map(|x| x - middle), location: middle * scale, scale }
    }

    pub(super) fn sd(&self) -> f64 {
        self.scale * variance(&self.deviations.values).sqrt()
    }

    /// Whether the draws are equal, or differ by no more than rounding does. (ArviZ compares the range
    /// with 1e-15 whatever the draws' size, and so takes draws in tiny units for constant.)
    pub(super) fn is_constant(&self) -> bool {
        let (low, high) = range(&self.deviations.values);
        high - low <= 1e-15
    }
}

/// The power of two at or below a positive number; the least normal one for smaller numbers.
fn power_of_two(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    f64::from_bits(x.to_bits() & EXPONENT).max(f64::MIN_POSITIVE)
}

fn range(x: &[f64]) -> (f64, f64) {
    x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
}

/// The mean, corrected once by the mean of what is left: of equal numbers it is that number.
pub(super) fn average(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let first = x.iter().sum::<f64>() / n;
    first + x.iter().map(|x| x - first).sum::<f64>() / n
}

/// Σ (x − mean)², 0 of equal numbers.
pub(super) fn sum_of_squares(x: &[f64]) -> f64 {
    let middle = average(x);
    x.iter().map(|x| (x - middle).powi(2)).sum()
}

/// The variance with n − 1 in the denominator; NaN of one number.
pub(super) fn variance(x: &[f64]) -> f64 {
    sum_of_squares(x) / (x.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_their_mean_and_no_spread() {
        for x in [0.1, 1e300, -3e-310, 0.0, 1.0 / 3.0] {
            let chain = [x; 7];
            let chains = Chains::new(&[&chain, &chain]).unwrap();
            assert_eq!((mean(&chains), sd(&chains)), (x, 0.0));
            assert!(Standardised::of(&chains.finite().unwrap()).is_constant());
        }
    }

    #[test]
    fn size_does_not_matter() {
        let base = [1.0, 2.0, 4.0, 7.0];
        let expected = (3.5, 7.0_f64.sqrt());
        for exponent in [-1020, -600, 0, 600, 1020] {
            let unit = 2.0_f64.powi(exponent);
            let chain = base.map(|x| x * unit);
            let chains = Chains::new(&[&chain]).unwrap();
            assert_eq!(mean(&chains), expected.0 * unit);
            assert!((sd(&chains) / unit / expected.1 - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn one_draw_has_no_spread_and_a_nan_no_mean() {
        assert!(sd(&Chains::new(&[&[1.0]]).unwrap()).is_nan());
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(mean(&Chains::new(&[&[1.0, bad]]).unwrap()).is_nan());
        }
    }
}
