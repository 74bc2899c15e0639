//! Sums over the masses of the beta-binomial distribution: its entropy, and both tails with their logarithms
//! and slopes, each summed from its own end, so that neither is a difference of larger numbers.

use std::f64::consts::LN_2;

use crate::distributions::counting::entropy::{self, Law, narrow_entropy};
use crate::distributions::counting::long_sum::LongSum;
use crate::distributions::univariate::Dual;
use crate::functions::error_function::log_normal_cdf;
use crate::functions::gamma_function::{HALF_LN_TWO_PI, digamma_difference};
use crate::functions::logarithms::{log_probability, log1mexp};

use super::{gap, log_half_harmonic, log_mass};

/// Up to so many terms are summed by their ratios.
const SHORT: f64 = 4096.0;

/// Where the logarithm of the masses bends more than this along the log-odds, floats beside one another
/// are too far apart to sum, and the distribution is nearly normal.
const NARROW: f64 = 1e14;

/// One end of the distribution from 0 on, for the concentrations of successes and of failures.
#[derive(Clone, Copy)]
struct End {
    a: f64,
    b: f64,
    n: f64,
    /// The logarithm of what masses are divided by, so that the small ones are numbers.
    over: f64,
}

impl End {
    /// The other end.
    fn swapped(self) -> Self {
        End { a: self.b, b: self.a, ..self }
    }

    /// The derivatives of the log-mass along the concentrations.
    fn score(&self, x: f64, y: f64) -> [f64; 2] {
        let all = digamma_difference(self.a + self.b, self.n);
        [digamma_difference(self.a, x) - all, digamma_difference(self.b, y) - all]
    }

    /// How the log-mass bends along the log-odds of x, and its slope.
    fn shape(&self, x: f64, y: f64) -> [f64; 2] {
        let End { a, b, n, .. } = *self;
        let (u, v) = (x / n, y / n);
        let bend = v * v * x / (1.0 + x / a) + u * u * y / (1.0 + y / b);
        let slope = ((a - 1.0) / (x + 1.0)).ln_1p() - ((b - 1.0) / (y + 1.0)).ln_1p();
        [bend, slope * x * v]
    }

    fn mean(&self) -> f64 {
        self.n / (1.0 + self.b / self.a)
    }

    /// The log-odds of the mean.
    fn centre(&self) -> f64 {
        self.a.ln() - self.b.ln()
    }

    /// How narrow it is: the bend at the mean.
    fn narrowness(&self) -> f64 {
        let End { a, b, n, .. } = *self;
        let (p, q) = (1.0 / (1.0 + b / a), 1.0 / (1.0 + a / b));
        self.shape(n * p, n * q)[0]
    }

    /// The count up to k with the largest mass, and the rest of the trials.
    fn largest(&self, [k, rest]: [f64; 2]) -> [f64; 2] {
        let End { a, b, n, .. } = *self;
        let mode = ((n + 1.0) / (1.0 + (b - 1.0) / (a - 1.0))).floor();
        let inside = if a > 1.0 && b > 1.0 { mode.max(0.0).min(k) } else { 0.0 };
        let mass = |[x, y]: [f64; 2]| log_mass(x, y, a, b);
        [0.0, inside]
            .map(|x| [x, n - x])
            .into_iter()
            .fold([k, rest], |best, x| if mass(x) > mass(best) { x } else { best })
    }

    /// Σ over x ≤ k of the mass and of its derivatives, by ratios from the largest on. Without `slopes`
    /// these are 0.
    fn short(&self, k: f64, slopes: bool) -> [f64; 3] {
        let End { a, b, n, .. } = *self;
        let [start, failures] = self.largest([k, n - k]);
        let score = if slopes { self.score(start, failures) } else { [0.0; 2] };
        let mut sum = [1.0, score[0], score[1]];
        let add = |sum: &mut [f64; 3], mass: f64, s: [f64; 2]| {
            let terms = if mass > 0.0 { [mass, mass * s[0], mass * s[1]] } else { [0.0; 3] };
            sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        };
        let (mut x, mut mass, mut s) = (start, 1.0, score);
        while x > 0.0 && !(a >= 1.0 && mass * x <= 1e-18 * sum[0]) {
            let y = n - x;
            mass *= x / (y + 1.0) * ((y + b) / (x - 1.0 + a));
            if slopes {
                s = [s[0] - (x - 1.0 + a).recip(), s[1] + (y + b).recip()];
            }
            x -= 1.0;
            add(&mut sum, mass, s);
        }
        (x, mass, s) = (start, 1.0, score);
        while x < k && !(b >= 1.0 && mass * (k - x) <= 1e-18 * sum[0]) {
            let y = n - x;
            mass *= y / (x + 1.0) * ((x + a) / (y - 1.0 + b));
            if slopes {
                s = [s[0] + (x + a).recip(), s[1] - (y - 1.0 + b).recip()];
            }
            x += 1.0;
            add(&mut sum, mass, s);
        }
        let scale = self.mass(start, failures);
        sum.map(|s| scale * s)
    }

    /// The same of any number of terms.
    fn long<const K: usize>(&self, [k, rest]: [f64; 2], term: impl Fn(f64, f64) -> [f64; K]) -> [f64; K] {
        let falls = [self.a >= 1.0, self.b >= 1.0];
        let shape = |x: f64, y: f64| self.shape(x, y);
        LongSum { n: self.n, centre: self.centre(), term: &term, shape: &shape, falls }.up_to(k, rest)
    }

    fn mass(&self, x: f64, y: f64) -> f64 {
        (log_mass(x, y, self.a, self.b) - self.over).exp()
    }

    /// ln P(X ≤ k) as that of a normal probability of the root of twice the deviance.
    fn narrow(&self, [x, y]: [f64; 2]) -> f64 {
        let End { a, b, n, .. } = *self;
        let sum = a + b;
        let variance = n * (a / sum) * (b / sum) * ((sum + n) / (sum + 1.0));
        let z = -gap([x, y], [a, b], sum) / variance.sqrt();
        if z.abs() < 1.0 || !z.is_finite() {
            return log_normal_cdf(z);
        }
        let width = log_half_harmonic(a, b) - log_half_harmonic(x, y) - log_half_harmonic(x + a, y + b);
        let deviance = 0.5 * width - HALF_LN_TWO_PI - log_mass(x, y, a, b);
        log_normal_cdf((2.0 * deviance.max(0.5)).sqrt().copysign(z))
    }

    /// ln P(X ≤ k), with n − k.
    fn log_probability(&self, [k, rest]: [f64; 2]) -> f64 {
        let other = rest - 1.0;
        if k >= SHORT && other < SHORT {
            let more = End { over: 0.0, ..self.swapped() }.short(other, false)[0];
            if more < 0.5 {
                return (-more).ln_1p();
            }
        }
        if k >= SHORT && self.narrowness() > NARROW {
            return self.narrow([k, rest]);
        }
        let [x, y] = self.largest([k, rest]);
        let over = log_mass(x, y, self.a, self.b);
        let relative = End { over, ..*self };
        let sum = if k < SHORT {
            relative.short(k, false)
        } else {
            relative.long([k, rest], |x, y| [relative.mass(x, y), 0.0, 0.0])
        };
        over + sum[0].ln()
    }

    /// The derivatives of P(X ≤ k) along the concentrations.
    fn slopes(&self, [k, rest]: [f64; 2]) -> [f64; 2] {
        let [_, along_a, along_b] = if k < SHORT {
            self.short(k, true)
        } else if self.narrowness() > NARROW {
            return self.narrow_slopes([k, rest]);
        } else {
            self.long([k, rest], |x, y| {
                let (mass, [s, r]) = (self.mass(x, y), self.score(x, y));
                if mass > 0.0 { [mass, mass * s, mass * r] } else { [0.0; 3] }
            })
        };
        [along_a, along_b]
    }

    /// −(the density at k) · (the slopes of the mean).
    fn narrow_slopes(&self, [k, rest]: [f64; 2]) -> [f64; 2] {
        let End { a, b, n, .. } = *self;
        let mass = self.mass(k, rest);
        let slope = |own: f64, other: f64| mass * (n / (a + b)) * (other / (a + b)) * f64::from(own > 0.0);
        [-slope(a, b), slope(b, a)]
    }
}

/// ln P(X ≤ k) for a whole 0 ≤ k < n, with n − k. What has no number is at its side of the mean.
fn log_lower(end: End, at: [f64; 2]) -> f64 {
    let log = end.log_probability(at);
    if log.is_nan() { log_probability(f64::from(at[0] >= end.mean())) } else { log.min(0.0) }
}

/// The logarithms of P(X ≤ k) and of P(X > k), the larger one from the other.
pub(super) fn logs(k: f64, [a, b, n]: [f64; 3]) -> [f64; 2] {
    let end = End { a, b, n, over: 0.0 };
    let lower = || log_lower(end, [k, n - k]);
    let upper = || log_lower(end.swapped(), [n - k - 1.0, k + 1.0]);
    let expected = if k < end.mean() { lower() } else { upper() };
    // What is beyond the mean may have the larger part, in a spike at the end.
    let (log, is_lower) = match k < end.mean() {
        true if expected > -LN_2 => (upper(), false),
        false if expected > -LN_2 => (lower(), true),
        is_lower => (expected, is_lower),
    };
    if is_lower { [log, log1mexp(-log)] } else { [log1mexp(-log), log] }
}

/// The derivatives of P(X ≤ k) along the concentrations over e^`over`, from the end whose tail is smaller.
pub(super) fn slopes(k: f64, parameters: [f64; 3], over: f64) -> [f64; 2] {
    let [lower, upper] = logs(k, parameters);
    let [a, b, n] = parameters;
    let end = End { a, b, n, over };
    let found = if lower < upper {
        end.slopes([k, n - k])
    } else {
        let [along_b, along_a] = end.swapped().slopes([n - k - 1.0, k + 1.0]);
        [-along_a, -along_b]
    };
    found.map(|slope| if slope.is_nan() { 0.0 } else { slope })
}

/// The entropy.
pub(super) fn entropy([a, b, n]: [Dual<3>; 3]) -> Dual<3> {
    let end = End { a: a.value, b: b.value, n: n.value, over: 0.0 };
    if end.n == 0.0 {
        return Dual::constant(0.0);
    }
    if end.narrowness() > entropy::NARROW {
        // Σ of logarithms, since their product may overflow: n a b (a + b + n) / (a + b)² (a + b + 1).
        let sum = a + b;
        let n = n.value;
        let log_variance = n.ln() + a.ln() + b.ln() + (sum + n).ln() - 2.0 * sum.ln() - (sum + 1.0).ln();
        return narrow_entropy(log_variance);
    }
    let law = Law {
        n: end.n,
        centre: end.centre(),
        log_mass: &|x, y| log_mass(x, y, end.a, end.b),
        score: &|x, y| end.score(x, y),
        shape: &|x, y| end.shape(x, y),
        falls: [end.a >= 1.0, end.b >= 1.0],
    };
    let [value, along_a, along_b] = law.entropy();
    a.map(value, along_a) + b.map(0.0, along_b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How many masses are asked for in a sum up to k.
    fn terms(end: End, k: f64) -> u32 {
        let count = Cell::new(0);
        end.long([k, end.n - k], |x, y| {
            count.set(count.get() + 1);
            [end.mass(x, y)]
        });
        count.get()
    }

    const COUNTS: [f64; 5] = [1e4, 1e6, 1e12, 1e17, 1e300];
    const CONCENTRATIONS: [f64; 6] = [1e-300, 1e-3, 1.0, 1e3, 1e10, 1e300];

    fn hostile() -> impl Iterator<Item = [f64; 4]> {
        let laws = CONCENTRATIONS.into_iter().flat_map(|a| CONCENTRATIONS.into_iter().map(move |b| [a, b]));
        laws.flat_map(|[a, b]| {
            COUNTS.into_iter().flat_map(move |n| {
                let mean = n / (1.0 + b / a);
                [0.0, 5000.0, 0.25 * n, mean, 1.001 * mean, 0.75 * n, n - 5000.0, n - 1.0]
                    .map(|k| [k.floor().max(0.0).min(n - 1.0), a, b, n])
            })
        })
    }

    #[test]
    fn the_number_of_terms_is_bounded() {
        let mut most = (0, [0.0; 4]);
        for [k, a, b, n] in hostile().filter(|&[k, _, _, n]| k < n) {
            let end = End { a, b, n, over: 0.0 };
            if end.narrowness() > NARROW {
                continue;
            }
            let found = terms(end, k);
            if found > most.0 {
                most = (found, [k, a, b, n]);
            }
        }
        assert!(most.0 < 7_000, "{most:?}");
    }

    #[test]
    fn hostile_parameters_have_probabilities_and_slopes() {
        for [k, a, b, n] in hostile().filter(|&[k, _, _, n]| k < n) {
            let [lower, upper] = logs(k, [a, b, n]);
            let context = format!("{k:e}, {a:e}, {b:e}, {n:e}: {lower:e}, {upper:e}");
            assert!(lower <= 0.0 && upper <= 0.0, "{context}");
            assert!((lower.exp() + upper.exp() - 1.0).abs() < 1e-12, "{context}");
            let slopes = slopes(k, [a, b, n], 0.0);
            assert!(slopes[0] <= 0.0 && slopes[1] >= 0.0, "{context}: {slopes:?}");
        }
    }
}
