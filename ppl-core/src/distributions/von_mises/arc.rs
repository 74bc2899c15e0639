//! Integrals of the von Mises density over arcs, by quadrature to the last digits for every
//! concentration: the cdf, its slopes, quantiles, and how draws move with the concentration.

use std::f64::consts::{PI, TAU};

use crate::functions::bessel::{bessel_shortfall, log_i0e};
use crate::functions::error_function::normal_quantile;
use crate::functions::logarithms::log_of_pair;

use super::super::quadrature::integral;
use super::{LN_TWO_PI, versine};

/// Weights below e^−EXPONENT of the largest are left out.
const EXPONENT: f64 = 42.0;

/// How many stretches an integral has; the weight falls by less than e¹⁰ over each.
const PANELS: usize = 8;

/// How often a quantile is improved at most: bisection alone ends by then.
const STEPS: usize = 80;

/// The density with the mode at 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arc {
    concentration: f64,
    /// The logarithm of what all densities and integrals are divided by.
    over: f64,
}

/// The same angle in [−π, π).
pub(super) fn wrapped(angle: f64) -> f64 {
    if (-PI..PI).contains(&angle) {
        return angle;
    }
    let rest = angle % TAU;
    if rest >= PI {
        rest - TAU
    } else if rest < -PI {
        rest + TAU
    } else {
        rest
    }
}

impl Arc {
    pub(super) fn new(concentration: f64) -> Self {
        Arc { concentration, over: 0.0 }
    }

    /// The logarithm of the density at an angle.
    fn log_density(&self, z: f64) -> f64 {
        -LN_TWO_PI - log_i0e(self.concentration) - self.concentration * versine(z)
    }

    /// The density at an angle.
    fn density(&self, z: f64) -> f64 {
        let log = self.log_density(z) - self.over;
        // Beyond only by the rounding of a huge concentration.
        (if log > 700.0 { 700.0 } else { log }).exp()
    }

    /// The integral of weight · f over [p, q] with 0 ≤ p ≤ q ≤ π, the weight being 1 at p.
    fn weighted(&self, p: f64, q: f64, f: impl Fn(f64) -> f64) -> f64 {
        let k = self.concentration;
        let sine = (0.5 * p).sin();
        let reach = (sine * sine + 0.5 * EXPONENT / k).sqrt();
        let end = if reach < 1.0 { q.min(2.0 * reach.asin()) } else { q };
        let weight = |s: f64| (-2.0 * k * (0.5 * s).sin() * (0.5 * s + p).sin()).exp();
        integral(0.0, (end - p).max(0.0), PANELS, |s| weight(s) * f(p + s))
    }

    /// The integral of density · f, which is even, over [from, to] within [−π, π].
    fn between(&self, from: f64, to: f64, f: impl Fn(f64) -> f64 + Copy) -> f64 {
        let part = |p: f64, q: f64| if q > p { self.density(p) * self.weighted(p, q, f) } else { 0.0 };
        if to <= 0.0 {
            part(-to, -from)
        } else if from >= 0.0 {
            part(from, to)
        } else {
            part(0.0, -from) + part(0.0, to)
        }
    }

    /// The integral of density · f from −π to x, with the mode at `loc`.
    fn upto(&self, x: f64, loc: f64, f: impl Fn(f64) -> f64 + Copy) -> f64 {
        let (start, end) = (wrapped(-PI - loc), wrapped(x - loc));
        // Rounding must not send a value at the start once around the circle.
        if end >= start || x + PI < 1e-12 {
            self.between(start, end.max(start), f)
        } else {
            self.between(start, PI, f) + self.between(-PI, end, f)
        }
    }

    /// The probability of an angle from −π to x.
    pub(super) fn cdf(&self, x: f64, loc: f64) -> f64 {
        if x <= -PI || x >= PI { f64::from(x >= PI) } else { self.upto(x, loc, |_| 1.0).min(1.0) }
    }

    /// ln of [`Arc::cdf`]. Where that is too small for a number it is divided by the larger density of the
    /// arc's ends: the mode is not within.
    pub(super) fn log_cdf(&self, x: f64, loc: f64) -> f64 {
        let pair = [self.cdf(x, loc), self.cdf(-x, -loc)];
        if x <= -PI || x >= PI || pair[0] >= 1e-290 {
            return log_of_pair(pair)[0];
        }
        let over = self.log_density(x - loc).max(self.log_density(PI + loc));
        over + Arc { over, ..*self }.upto(x, loc, |_| 1.0).ln()
    }

    /// The derivatives of the cdf along x, the mode and the concentration, over the exponential of `over`;
    /// from the side with the smaller probability, since the integral over the circle is 0.
    pub(super) fn cdf_slopes(&self, x: f64, loc: f64, over: f64) -> (f64, [f64; 2]) {
        if !(-PI..PI).contains(&x) {
            return (0.0, [0.0; 2]);
        }
        let arc = Arc { over, ..*self };
        if self.cdf(x, loc) > 0.5 {
            let (along_x, [along_loc, along_concentration]) = arc.lower_slopes(-x, -loc);
            return (along_x, [along_loc, -along_concentration]);
        }
        arc.lower_slopes(x, loc)
    }

    /// The same from the lower side.
    fn lower_slopes(&self, x: f64, loc: f64) -> (f64, [f64; 2]) {
        let (here, lack) = (self.density(x - loc), bessel_shortfall(self.concentration));
        let along = self.upto(x, loc, |t| lack - versine(t));
        (here, [self.density(PI + loc) - here, along])
    }

    /// How an angle in [−π, π), counted from the mode, moves with the concentration.
    pub(super) fn draw_slope(&self, z: f64) -> f64 {
        let (p, lack) = (z.abs(), bessel_shortfall(self.concentration));
        let f = |t: f64| lack - versine(t);
        // The integral over half the circle is 0: of its two parts, that in which f keeps its sign.
        let beyond = if versine(p) > lack {
            self.weighted(p, PI, f)
        } else {
            let weight = |t: f64| (2.0 * self.concentration * (0.5 * (p - t)).sin() * (0.5 * (p + t)).sin()).exp();
            -integral(0.0, p, 2, |t| weight(t) * f(t))
        };
        if z < 0.0 { -beyond } else { beyond }
    }

    /// The angle whose cdf is q: NaN outside [0, 1].
    pub(super) fn quantile(&self, q: f64, loc: f64) -> f64 {
        if !(0.0..=1.0).contains(&q) {
            f64::NAN
        } else if q == 0.5 && loc == 0.0 {
            // By symmetry.
            0.0
        } else if q <= 0.5 {
            self.lower_quantile(q, loc)
        } else {
            -self.lower_quantile(1.0 - q, -loc)
        }
    }

    /// For q up to ½, by Newton's method within a bracket.
    #[allow(clippy::manual_clamp, reason = "clamp keeps a NaN, this begins at the end")]
    fn lower_quantile(&self, q: f64, loc: f64) -> f64 {
        let (mut low, mut high) = (-PI, PI);
        if q == 0.0 {
            return low;
        }
        // The normal approximation of the part of the distribution that starts at −π.
        let before = self.between(-PI, wrapped(-PI - loc), |_| 1.0);
        let share = q + before;
        let guess = normal_quantile(if share > 1.0 { share - 1.0 } else { share }) / self.concentration.sqrt();
        let mut x = wrapped(loc + guess.max(-PI).min(PI));
        for _ in 0..STEPS {
            let reached = self.cdf(x, loc);
            if reached < q {
                low = x
            } else {
                high = x
            }
            // On the logarithm, whose slope keeps its size in the tail.
            let step = (q / reached).ln() * reached / self.density(x - loc);
            let moved = if x + step > low && x + step < high { x + step } else { 0.5 * (low + high) };
            let done = (moved - x).abs() <= 2.0 * f64::EPSILON * x.abs();
            x = moved;
            if done || x.is_nan() {
                break;
            }
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_circle_has_probability_one() {
        for k in [1e-300, 1e-3, 1.0, 24.9, 25.1, 1e3, 1e10] {
            let arc = Arc::new(k);
            for (from, to) in [(-PI, 0.0), (0.0, PI)] {
                let half = arc.between(from, to, |_| 1.0);
                assert!((half - 0.5).abs() < 1e-14, "{k}: {half}");
            }
            let balance = arc.between(-PI, PI, |t| bessel_shortfall(k) - versine(t));
            assert!(balance.abs() < 1e-14 * bessel_shortfall(k).max(1e-3), "{k}: {balance}");
        }
    }

    #[test]
    fn angles_wrap() {
        assert_eq!([wrapped(0.5), wrapped(-PI)], [0.5, -PI]);
        assert_eq!([wrapped(PI), wrapped(1.5 * TAU)], [-PI, -PI]);
        assert!((wrapped(4.0) - (4.0 - TAU)).abs() < 1e-15 && (wrapped(-100.0) - (-100.0 + 16.0 * TAU)).abs() < 1e-13);
        assert!((-PI..PI).contains(&wrapped(1e300)));
    }

    #[test]
    fn both_forms_of_the_slope_meet() {
        for k in [0.1, 3.0, 500.0] {
            // Where 1 − cos t is the shortfall.
            let p = (1.0 - bessel_shortfall(k)).acos();
            let (below, above) = (Arc::new(k).draw_slope(p - 1e-9), Arc::new(k).draw_slope(p + 1e-9));
            assert!((below - above).abs() < 1e-7 * above.abs(), "{k}: {below}, {above}");
        }
    }
}
