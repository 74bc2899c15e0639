//! A slice of the normal density between two bounds, in units of its scale and counted from the bound
//! that is nearer to the mode: so nothing underflows or cancels, however far the slice is from it.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use crate::functions::error_function::{erf, inverse_mills, normal_cdf, normal_quantile};

use super::super::quadrature::integral;

/// How often a quantile is improved at most; it takes less than ten.
const STEPS: usize = 60;

/// √(π / 2).
const ROOT_HALF_PI: f64 = 1.253_314_137_315_500_3;

/// The slice and where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    parameters: [f64; 4],
    /// The bounds' distances from the mode.
    a: f64,
    b: f64,
    /// The distance between them.
    length: f64,
}

/// The integral of e^(−from · s − s² / 2) over [0, length], for from ≥ 0.
fn tail(from: f64, length: f64) -> f64 {
    if length == 0.0 {
        return 0.0;
    }
    let exponent = length * (from + 0.5 * length);
    if exponent < 1.0 {
        return integral(0.0, length, 1, |s| (-s * (from + 0.5 * s)).exp());
    }
    inverse_mills(-from).recip() - (-exponent).exp() * inverse_mills(-from - length).recip()
}

/// The integral of e^(−t² / 2) between points on both sides of 0.
fn around(a: f64, b: f64) -> f64 {
    ROOT_HALF_PI * (erf(b * FRAC_1_SQRT_2) - erf(a * FRAC_1_SQRT_2))
}

/// factor · of, but 0 where the factor is 0 and the other infinite.
fn times(factor: f64, of: f64) -> f64 {
    if factor == 0.0 { 0.0 } else { factor * of }
}

impl Slice {
    pub(super) fn new(parameters: [f64; 4]) -> Self {
        let [loc, scale, low, high] = parameters;
        Slice { parameters, a: (low - loc) / scale, b: (high - loc) / scale, length: (high - low) / scale }
    }

    /// The slice of −x.
    pub(super) fn mirrored(self) -> Self {
        let [loc, scale, low, high] = self.parameters;
        Slice { parameters: [-loc, scale, -high, -low], a: -self.b, b: -self.a, length: self.length }
    }

    /// The distances of a value from the mode and from both bounds.
    fn distances(&self, x: f64) -> [f64; 3] {
        let [loc, scale, low, high] = self.parameters;
        [(x - loc) / scale, (x - low) / scale, (high - x) / scale]
    }

    /// −(z² − c²) / 2, with c the bound that is nearer to the mode, or 0 with the mode inside.
    pub(super) fn log_weight(&self, x: f64) -> f64 {
        let [z, from, to] = self.distances(x);
        if self.a > 0.0 {
            -times(from, self.a + 0.5 * from)
        } else if self.b < 0.0 {
            -times(to, 0.5 * to - self.b)
        } else {
            -0.5 * z * z
        }
    }

    /// Its derivatives along the value and the parameters.
    pub(super) fn log_weight_slopes(&self, x: f64) -> (f64, [f64; 4]) {
        let [z, from, to] = self.distances(x);
        let scale = self.parameters[1];
        let (along_loc, along_low, along_high) = if self.a > 0.0 {
            (from, self.a, 0.0)
        } else if self.b < 0.0 {
            (-to, 0.0, self.b)
        } else {
            (z, 0.0, 0.0)
        };
        let along_scale = -2.0 * self.log_weight(x);
        (-z / scale, [along_loc, along_scale, along_low, along_high].map(|d| d / scale))
    }

    /// The integral of the weight.
    pub(super) fn area(&self) -> f64 {
        if self.a > 0.0 {
            tail(self.a, self.length)
        } else if self.b < 0.0 {
            tail(-self.b, self.length)
        } else {
            around(self.a, self.b)
        }
    }

    /// The derivatives of ln(scale · area).
    pub(super) fn log_area_slopes(&self) -> [f64; 4] {
        let (area, scale) = (self.area(), self.parameters[1]);
        let across = (-self.length * (0.5 * self.length + self.a.abs().min(self.b.abs()))).exp() / area;
        // The density at the bounds, and the bound that weights are counted from.
        let (at_a, at_b, nearest) = if self.a > 0.0 {
            (area.recip(), across, self.a)
        } else if self.b < 0.0 {
            (across, area.recip(), self.b)
        } else {
            ((-0.5 * self.a * self.a).exp() / area, (-0.5 * self.b * self.b).exp() / area, 0.0)
        };
        let along_scale = 1.0 + times(at_a, self.a) - times(at_b, self.b) - nearest * nearest;
        let along_low = if self.a > 0.0 { self.a - at_a } else { -at_a };
        let along_high = if self.b < 0.0 { self.b + at_b } else { at_b };
        [at_a - at_b - nearest, along_scale, along_low, along_high].map(|d| d / scale)
    }

    /// The probabilities below and above a value inside, with the mode inside or below.
    fn shares(&self, x: f64) -> (f64, f64) {
        let ([z, from, to], area) = (self.distances(x), self.area());
        if self.a > 0.0 {
            return (tail(self.a, from) / area, self.log_weight(x).exp() * tail(z, to) / area);
        }
        let weight = self.log_weight(x).exp();
        if z > 0.0 {
            (around(self.a, z) / area, weight * tail(z, to) / area)
        } else {
            (weight * tail(-z, from) / area, around(z, self.b) / area)
        }
    }

    /// The probability of a value at most x.
    #[allow(clippy::manual_clamp, reason = "clamp keeps the NaN of bounds whose distance overflows")]
    pub(super) fn cdf(&self, x: f64) -> f64 {
        let [_, _, low, high] = self.parameters;
        if x <= low || x >= high {
            return f64::from(x >= high);
        }
        let share = if self.b < 0.0 { self.mirrored().shares(-x).1 } else { self.shares(x).0 };
        // A scale that is no size against the bounds leaves a uniform density, or a point: the only bound.
        let share = match (share.is_nan(), high == f64::INFINITY) {
            (false, _) => share,
            (true, false) => (x - low) / (high - low),
            (true, true) => 1.0,
        };
        share.max(0.0).min(1.0)
    }

    /// The logarithms of [`Slice::shares`].
    fn log_shares(&self, x: f64) -> [f64; 2] {
        let ([z, from, to], (below, above)) = (self.distances(x), self.shares(x));
        let beyond = |tail: f64| self.log_weight(x) + tail.ln() - self.area().ln();
        if self.a > 0.0 || z > 0.0 { [below.ln(), beyond(tail(z, to))] } else { [beyond(tail(-z, from)), above.ln()] }
    }

    /// The logarithm of the probability of a value at most x.
    pub(super) fn log_cdf(&self, x: f64) -> f64 {
        let [_, _, low, high] = self.parameters;
        if x <= low || x >= high {
            return if x >= high { 0.0 } else { f64::NEG_INFINITY };
        }
        let [below, above] = if self.b < 0.0 {
            let [above, below] = self.mirrored().log_shares(-x);
            [below, above]
        } else {
            self.log_shares(x)
        };
        if below.is_nan() || above.is_nan() {
            return self.cdf(x).ln();
        }
        if above < -LN_2 { (-above.exp()).ln_1p() } else { below.min(0.0) }
    }

    /// dx/dθ at a draw.
    pub(super) fn draw_slopes(&self, x: f64) -> [f64; 4] {
        if self.b < 0.0 {
            let [loc, scale, low, high] = self.mirrored().slopes_above(-x);
            return [loc, -scale, high, low];
        }
        self.slopes_above(x)
    }

    /// The same with the mode inside or below: how much the value follows each bound, from
    /// (1 − F) φ(a) / φ(z) and F φ(b) / φ(z).
    fn slopes_above(&self, x: f64) -> [f64; 4] {
        let ([z, from, to], area) = (self.distances(x), self.area());
        let (below, above) = self.shares(x);
        let with_low = if self.a > 0.0 {
            tail(z, to) / area
        } else if z > 0.0 {
            (-0.5 * self.a * self.a).exp() * tail(z, to) / area
        } else {
            above * (0.5 * from * (z + self.a)).exp()
        };
        let with_high = if z < 0.0 {
            (-0.5 * self.b * self.b).exp() * tail(-z, from) / area
        } else {
            below * (-0.5 * to * (z + self.b)).exp()
        };
        let with_loc = 1.0 - with_low - with_high;
        let with_scale = if self.a > 0.0 {
            from + self.a * with_loc - times(with_high, self.length)
        } else {
            z - times(with_low, self.a) - times(with_high, self.b)
        };
        [with_loc, with_scale, with_low, with_high]
    }

    /// The value whose cdf is q.
    pub(super) fn quantile(&self, q: f64) -> f64 {
        let [loc, scale, low, high] = self.parameters;
        let x = if self.a > 0.0 {
            low + scale * self.distance_from_low(q, 1.0 - q)
        } else if self.b < 0.0 {
            high - scale * self.mirrored().distance_from_low(1.0 - q, q)
        } else {
            loc + scale * self.distance_from_mode(q)
        };
        x.max(low).min(high)
    }

    /// The quantile of q = 1 − r, from the lower bound, with the mode below: Newton's method on the
    /// probability below it or on the logarithm of that above, both of which approach from one side.
    fn distance_from_low(&self, q: f64, r: f64) -> f64 {
        let (a, length, area) = (self.a, self.length, self.area());
        if q == 0.0 || r == 0.0 {
            return if q == 0.0 { 0.0 } else { length };
        }
        let mut t = if q <= 0.5 { q * area } else { 0.0 };
        for _ in 0..STEPS {
            let growth = t * (a + 0.5 * t);
            let step = if q <= 0.5 {
                (q * area - tail(a, t)) * growth.exp()
            } else {
                let left = tail(a + t, length - t);
                ((left / area).ln() - growth - r.ln()) * left
            };
            let before = t;
            // Not beyond the upper bound, where nothing is left.
            t = if t + step < length { (t + step).max(0.0) } else { 0.5 * (t + length) };
            if (t - before).abs() <= 2.0 * f64::EPSILON * t || t.is_nan() {
                break;
            }
        }
        t
    }

    /// The quantile of q, from the mode inside: by the normal quantile, then improved by the
    /// probability on its smaller side where the slice is narrow.
    fn distance_from_mode(&self, q: f64) -> f64 {
        let (a, b, area, r) = (self.a, self.b, self.area(), 1.0 - q);
        if q == 0.0 || r == 0.0 {
            return if q == 0.0 { a } else { b };
        }
        let mass = area / (2.0 * PI).sqrt();
        let below = normal_cdf(a) + q * mass;
        let mut z = if below <= 0.5 { normal_quantile(below) } else { -normal_quantile(normal_cdf(-b) + r * mass) };
        for _ in 0..2 {
            let step = if q <= 0.5 {
                let reached = if z > 0.0 { around(a, z) } else { (-0.5 * z * z).exp() * tail(-z, z - a) };
                (q * area / reached).ln() * reached
            } else {
                let left = if z < 0.0 { around(z, b) } else { (-0.5 * z * z).exp() * tail(z, b - z) };
                -(r * area / left).ln() * left
            } * (0.5 * z * z).exp();
            let moved = z + step;
            if moved > a && moved < b {
                z = moved;
            }
        }
        z
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Reference values: mpmath with 50 digits. The rounding of z in erfc(z) costs z² times as much.
    #[test]
    fn tails_are_exact() {
        let cases = [
            (0.0, 0.001, 0.0009999998333333584),
            (0.0, 5.0, 1.253313418786565),
            (1.5, 0.5, 0.34016281026656847),
            (1.5, 0.25, 0.20652054469912487),
            (19.5, 3.0, 0.05114823751858488),
            (20.5, 0.01, 0.009041451295167266),
            (300.0, 1.0, 0.0033332962975307955),
            (300.0, 0.003, 0.001978098806166293),
            (100000.0, 1e-06, 9.516258196402495e-07),
            (100000.0, 10.0, 9.999999999e-6),
        ];
        for (from, length, expected) in cases {
            let found = tail(from, length);
            assert!((found - expected).abs() <= 1e-13 * expected, "{from} {length}: {found}, {expected}");
        }
    }
}
