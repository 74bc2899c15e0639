//! Sums over many whole numbers: term by term beside the ends, and as an integral where the terms are
//! smooth, so that the work is bounded whatever their number is.

use crate::distributions::quadrature::unit_nodes;

/// How many terms are summed beside an end, where they may have a spike.
const BLOCK: f64 = 1024.0;

/// Up to here there are no integrals.
const SHORT: f64 = 4.0 * BLOCK;

/// From here on neighbours are the same to all digits.
const DENSE: f64 = 1e13;

/// Beside the sum this much is nothing.
const NOTHING: f64 = 1e-18;

/// The longest panel of the quadrature, in log-odds.
const LONGEST: f64 = 2.0;

/// More panels than there ever are: half-units of the logarithms of all floats.
const MOST_PANELS: usize = 3000;

/// A function of x and of y = n − x, which are whole numbers or between them.
pub(in crate::distributions) type Of<'a, const K: usize> = &'a dyn Fn(f64, f64) -> [f64; K];

/// Terms over x = 0, 1, …, n. The first of each `K` says how large they are and is not negative.
///
/// Over the line of log-odds ln(x / (n − x)), which is that of ln x for an infinite n, the terms times
/// the numbers of counts have one peak and fall to both sides.
#[derive(Clone, Copy)]
pub(in crate::distributions) struct LongSum<'a, const K: usize> {
    /// The largest number, or ∞.
    pub(in crate::distributions) n: f64,
    /// The log-odds of the peak.
    pub(in crate::distributions) centre: f64,
    /// The terms.
    pub(in crate::distributions) term: Of<'a, K>,
    /// How much the logarithm of a term bends along the log-odds, and how steep it is.
    pub(in crate::distributions) shape: Of<'a, 2>,
    /// Whether the terms themselves fall from the peak towards 0, and towards n.
    pub(in crate::distributions) falls: [bool; 2],
}

/// `sum` + factor · `term`.
fn add<const K: usize>(sum: &mut [f64; K], factor: f64, term: [f64; K]) {
    sum.iter_mut().zip(term).for_each(|(s, t)| *s += factor * t);
}

impl<const K: usize> LongSum<'_, K> {
    /// The sum of all terms.
    pub(in crate::distributions) fn all(&self) -> [f64; K] {
        self.up_to(self.n, if self.n == f64::INFINITY { self.n } else { 0.0 })
    }

    /// The sum of the terms from 0 to k, with n − k, which has its own digits where k is close to n.
    pub(in crate::distributions) fn up_to(&self, k: f64, rest: f64) -> [f64; K] {
        let mut sum = [0.0; K];
        if k < SHORT {
            self.add_ascending(&mut sum, k + 1.0);
            return sum;
        }
        let low = self.point(self.centre)[0] < BLOCK;
        if low && self.add_ascending(&mut sum, BLOCK) {
            return sum;
        }
        let (last, beyond) = if rest > 0.0 && k < f64::INFINITY {
            // Beyond the point and, where it is close to n, beyond what is steep there.
            let count = if k.min(rest) < DENSE { BLOCK + (BLOCK - rest).max(0.0) } else { 0.0 };
            if self.add_descending(&mut sum, [k, rest], count) {
                return sum;
            }
            (k - count, rest + count)
        } else {
            (k - BLOCK, if k == f64::INFINITY { k } else { BLOCK })
        };
        self.correct(&mut sum, [BLOCK - 1.0, self.n - (BLOCK - 1.0)], -1.0);
        self.correct(&mut sum, [last, beyond], 1.0);
        let to = if last == f64::INFINITY { f64::MAX.ln() } else { self.log_odds(last + 0.5, beyond - 0.5) };
        self.add_panels(&mut sum, self.log_odds(BLOCK - 0.5, self.n - (BLOCK - 0.5)), to);
        if rest == 0.0 {
            self.add_end(&mut sum, 1);
        }
        if !low {
            self.add_end(&mut sum, 0);
        }
        sum
    }

    /// x, y, and what a step along the log-odds is in numbers.
    fn point(&self, t: f64) -> [f64; 3] {
        if self.n == f64::INFINITY {
            return [t.exp(), f64::INFINITY, t.exp()];
        }
        let e = (-t.abs()).exp();
        let (less, more) = (self.n * e / (1.0 + e), self.n / (1.0 + e));
        let [x, y] = if t < 0.0 { [less, more] } else { [more, less] };
        [x, y, less / (1.0 + e)]
    }

    fn log_odds(&self, x: f64, y: f64) -> f64 {
        // Of the ratio where there is one: the difference of two large logarithms has fewer digits.
        let ratio = x / y;
        if self.n == f64::INFINITY {
            x.ln()
        } else if ratio > 0.0 && ratio < f64::INFINITY {
            ratio.ln()
        } else {
            x.ln() - y.ln()
        }
    }

    /// Adds the first terms from 0 up; whether there is nothing after them.
    fn add_ascending(&self, sum: &mut [f64; K], count: f64) -> bool {
        let peak = self.point(self.centre)[0];
        let (mut x, mut before) = (0.0, 0.0);
        while x < count {
            let term = (self.term)(x, self.n - x);
            add(sum, 1.0, term);
            if self.falls[1] && x > peak && term[0] <= 1e-2 * NOTHING * sum[0] && term[0] <= 0.9 * before {
                return true;
            }
            before = term[0];
            x += 1.0;
        }
        false
    }

    /// Adds terms from k down; whether there is nothing after them.
    fn add_descending(&self, sum: &mut [f64; K], [k, rest]: [f64; 2], count: f64) -> bool {
        let peak = self.point(self.centre)[0];
        let (mut i, mut before) = (0.0, f64::INFINITY);
        while i < count {
            let (x, y) = (k - i, rest + i);
            let term = (self.term)(x, y);
            add(sum, 1.0, term);
            if self.falls[0] && x < peak && term[0] * x <= NOTHING * sum[0] && term[0] <= before {
                return true;
            }
            before = term[0];
            i += 1.0;
        }
        false
    }

    /// Adds the block at 0 or at n, from its inner end where the terms fall from there.
    fn add_end(&self, sum: &mut [f64; K], end: usize) {
        let [x, y, _] = self.point(self.centre);
        let falls = self.falls[end] && [x, y][end] > BLOCK;
        let mut i = BLOCK - 1.0;
        while i >= 0.0 {
            let term = if end == 0 { (self.term)(i, self.n - i) } else { (self.term)(self.n - i, i) };
            add(sum, 1.0, term);
            if falls && term[0] * i <= NOTHING * sum[0] {
                return;
            }
            i -= 1.0;
        }
    }

    /// Adds `sign` times what the sum of terms up to x has beyond the integral up to x + ½: the first terms
    /// of the formula of Euler and Maclaurin, −f′ / 24 + 7 f‴ / 5760, by differences.
    fn correct(&self, sum: &mut [f64; K], [x, y]: [f64; 2], sign: f64) {
        let nearest = x.min(y);
        if nearest.is_nan() || nearest >= DENSE {
            return;
        }
        const NEAR: f64 = 1.0 / 24.0 + 17.0 / 1920.0;
        const FAR: f64 = 17.0 / 5760.0;
        for (step, weight) in [(-1.0, -FAR), (0.0, NEAR), (1.0, -NEAR), (2.0, FAR)] {
            add(sum, sign * weight, (self.term)(x + step, y - step));
        }
    }

    /// Adds the integral over a stretch of log-odds, from its largest part to both sides until nothing
    /// is added.
    fn add_panels(&self, sum: &mut [f64; K], from: f64, to: f64) {
        let start = self.centre.max(from).min(to);
        for (sign, end) in [(1.0, to), (-1.0, from)] {
            let mut t = start;
            for i in 0..MOST_PANELS {
                let left = sign * (end - t);
                if left.is_nan() || left <= 0.0 {
                    break;
                }
                let length = self.length(t).min(left);
                let part = self.panel(t, sign * length);
                add(sum, 1.0, part);
                t = if length < left { t + sign * length } else { end };
                if part[0] <= NOTHING * sum[0] && (sum[0] > 0.0 || i > 64) {
                    break;
                }
            }
        }
    }

    /// The length of a panel on which 16 points have all digits.
    fn length(&self, t: f64) -> f64 {
        let [x, y, _] = self.point(t);
        let [bend, slope] = (self.shape)(x, y);
        LONGEST.min(2.0 / bend.sqrt()).min(10.0 / slope.abs())
    }

    fn panel(&self, from: f64, length: f64) -> [f64; K] {
        let mut sum = [0.0; K];
        for (u, weight) in unit_nodes() {
            let [x, y, step] = self.point(from + length * u);
            add(&mut sum, weight * length.abs() * step, (self.term)(x, y));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Masses of a geometric distribution with p = 1 − e⁻ʰ, whose sums are known.
    fn geometric(h: f64, k: f64) -> f64 {
        let term = |x: f64, _: f64| [-(-h).exp_m1() * (-h * x).exp()];
        let sum = LongSum {
            n: f64::INFINITY,
            centre: -h.ln(),
            term: &term,
            shape: &|x, _| [h * x, 1.0 - h * x],
            falls: [false, true],
        };
        sum.up_to(k, f64::INFINITY)[0]
    }

    #[test]
    fn geometric_masses_sum_to_their_closed_form() {
        for h in [2.0, 0.01, 1e-3, 1e-5, 1e-12] {
            for k in [3.0, 5000.0, 123_456.0, 1e9, 1e18, f64::INFINITY] {
                let expected = -(-h * (k + 1.0)).exp_m1();
                let found = geometric(h, k);
                assert!((found / expected - 1.0).abs() < 1e-12, "{h}, {k}: {found}, {expected}");
            }
        }
    }

    /// The discrete uniform distribution's, with both ends.
    #[test]
    fn equal_masses_sum_to_one() {
        for n in [10.0, 5000.0, 1e6, 1e12, 1e300] {
            let term = |_: f64, _: f64| [1.0 / (n + 1.0)];
            let shape = |x: f64, y: f64| [x / n * (y / n), 0.0];
            let sum = LongSum { n, centre: 0.0, term: &term, shape: &shape, falls: [false; 2] };
            assert!((sum.all()[0] - 1.0).abs() < 1e-12, "{n}: {:e}", sum.all()[0] - 1.0);
            let half = (0.5 * n).floor();
            assert!((sum.up_to(half, n - half)[0] / ((half + 1.0) / (n + 1.0)) - 1.0).abs() < 1e-12, "{n}");
        }
    }
}
