//! Quantiles of distributions over whole numbers: the smallest number whose cdf reaches a
//! probability, by a search from a good guess.

use crate::functions::error_function::normal_quantile;

/// Mean, standard deviation and skewness.
pub(in crate::distributions) struct Shape {
    pub(in crate::distributions) mean: f64,
    pub(in crate::distributions) deviation: f64,
    pub(in crate::distributions) skewness: f64,
}

impl Shape {
    /// The first terms of the expansion of Cornish and Fisher, *Moments and cumulants in the
    /// specification of distributions*, 1937.
    fn guess(&self, q: f64) -> f64 {
        let z = normal_quantile(q);
        (self.mean + self.deviation * (z + self.skewness * (z * z - 1.0) / 6.0)).floor()
    }
}

/// More steps than a search takes.
const MOST_STEPS: u32 = 1100;

/// After so many doublings of a step it grows faster.
const DOUBLINGS: u32 = 16;

/// The smallest whole number from 0 to `largest` whose `cdf` is at least `q`: `largest` for q = 1,
/// which may be infinite, and NaN for q outside \[0, 1\].
///
/// The search brackets the number by growing steps from the guess, then halves, at first the exponent;
/// numbers beyond 2⁵³ are those that floats can tell apart. It asks for less than 250 values of the cdf.
pub(in crate::distributions) fn smallest_reaching(
    q: f64,
    largest: f64,
    shape: &Shape,
    cdf: impl Fn(f64) -> f64,
) -> f64 {
    if !(0.0..=1.0).contains(&q) || largest.is_nan() {
        return f64::NAN;
    }
    if cdf(0.0) >= q {
        return 0.0;
    }
    if q == 1.0 && largest.is_infinite() {
        return largest;
    }
    let guess = shape.guess(q);
    let start = if guess.is_nan() { 1.0 } else { guess.max(1.0).min(largest.min(f64::MAX)) };
    let (below, above) = bracket(start, largest.min(f64::MAX), |k| cdf(k) >= q);
    halve(below, above, |k| cdf(k) >= q)
}

/// A number that does not reach (0 at least) and one that does (the largest at most).
fn bracket(start: f64, largest: f64, reaches: impl Fn(f64) -> bool) -> (f64, f64) {
    let (mut step, mut at) = (1.0_f64.max(start * f64::EPSILON), start);
    let down = reaches(start);
    let mut growth = 2.0;
    for i in 0..MOST_STEPS {
        let next = if down { (at - step).max(0.0) } else { (at + step).min(largest) };
        if next == 0.0 || next == largest || reaches(next) != down {
            return if down { (next, at) } else { (at, next) };
        }
        growth *= if i > DOUBLINGS { 2.0 } else { 1.0 };
        (at, step) = (next, growth * step);
    }
    if down { (0.0, at) } else { (at, largest) }
}

/// The smallest number that reaches, between one that does not and one that does.
fn halve(mut below: f64, mut above: f64, reaches: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..MOST_STEPS {
        let low = below.max(1.0);
        let apart = above > 4.0 * low;
        let middle = if apart { (low.sqrt() * above.sqrt()).floor() } else { (below + 0.5 * (above - below)).floor() };
        if middle <= below || middle >= above {
            break;
        }
        if reaches(middle) {
            above = middle;
        } else {
            below = middle;
        }
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guess_does_not_matter() {
        // A cdf that is known exactly: k / (k + 1).
        for mean in [0.0, 1.0, 1e6, 1e300, f64::NAN, f64::INFINITY] {
            let shape = Shape { mean, deviation: 1.0, skewness: 0.0 };
            let found = |q| smallest_reaching(q, f64::INFINITY, &shape, |k| k / (k + 1.0));
            assert_eq!([0.0, 0.3, 0.5, 0.51, 0.75, 1.0].map(found), [0.0, 1.0, 1.0, 2.0, 3.0, f64::INFINITY], "{mean}");
            assert!(found(-0.1).is_nan() && found(1.1).is_nan() && found(f64::NAN).is_nan());
        }
    }

    #[test]
    fn few_values_are_asked_for() {
        for mean in [0.0, 1.0, 1e6, 1e17, 1e300, f64::NAN] {
            for at in [1.0, 1e3, 1e9, 1e16, 1e100, 1e300] {
                let count = std::cell::Cell::new(0);
                let cdf = |k| {
                    count.set(count.get() + 1);
                    if k >= at { 1.0 } else { 0.0 }
                };
                let shape = Shape { mean, deviation: 1.0, skewness: 0.0 };
                assert_eq!(smallest_reaching(0.5, f64::INFINITY, &shape, cdf), at);
                assert!(count.get() < 250, "{mean}, {at}: {}", count.get());
            }
        }
    }

    #[test]
    fn a_bound_is_reached_and_not_passed() {
        let shape = Shape { mean: 3.0, deviation: 1.0, skewness: 0.0 };
        let found = |q| smallest_reaching(q, 5.0, &shape, |k| if k >= 5.0 { 1.0 } else { 0.125 });
        assert_eq!([0.1, 0.125, 0.2, 1.0].map(found), [0.0, 0.0, 5.0, 5.0]);
    }
}
