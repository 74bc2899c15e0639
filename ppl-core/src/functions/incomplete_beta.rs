//! The regularised incomplete beta function I(x; a, b) and its complement, and how they move with a
//! and b: the cdf of the beta distribution and its implicit reparameterisation.
//!
//! A point is given as the pair of x and y = 1 − x wherever digits near 1 count. Our own, since
//! `statrs` keeps neither tail and has no derivatives in a and b. Sources: DiDonato and Morris,
//! *Algorithm 708: Significant digit computation of the incomplete beta function ratios*, ACM
//! Transactions on Mathematical Software 18, 1992; Figurnov, Mohamed and Mnih, *Implicit
//! Reparameterization Gradients*, NeurIPS 2018.

use super::gamma_function::{
    HALF_LN_TWO_PI, digamma, ln_beta, ln_gamma_1p, ln_gamma_ratio, ln_minus_digamma, stirling_correction,
};
use super::incomplete_gamma::excess_over_log1p;
use super::logarithms::log_of_pair;

// Legendre's fraction and the power series, with their slopes in a and b.
mod expansion;
// The inverse functions.
mod quantile;
// A number with its derivatives with respect to a and b.
mod slopes;

use expansion::{fraction, power_series};
pub(crate) use quantile::{beta_quantile, beta_quantile_both};
use slopes::Slopes;

/// From here on, for both parameters, the kernel comes from Stirling's formula.
const LARGE: f64 = 10.0;

/// A point with the parameters, turned so that x is on the lower side of the bulk.
#[derive(Clone, Copy, Debug)]
struct Point {
    a: f64,
    b: f64,
    x: f64,
    y: f64,
}

impl Point {
    /// `None` where a parameter or the point is out of range.
    fn new(a: f64, b: f64, [x, y]: [f64; 2]) -> Option<Self> {
        let positive = |v: f64| v > 0.0 && v < f64::INFINITY;
        let sound = positive(a) && positive(b) && x >= 0.0 && y >= 0.0 && (x + y - 1.0).abs() < 1e-12;
        sound.then_some(Point { a, b, x, y })
    }

    fn swapped(self) -> Self {
        Point { a: self.b, b: self.a, x: self.y, y: self.x }
    }

    /// Whether the expansions for small x serve.
    fn is_lower(&self) -> bool {
        let Point { a, b, x, y } = *self;
        // By the smaller of x and y, which the sum does not drown.
        if x > y { b + 1.0 <= y * (a + b + 2.0) } else { x * (a + b + 2.0) <= a + 1.0 }
    }

    /// Whether the power series does, rather than the fraction.
    fn is_small(&self) -> bool {
        self.a < 1.0 || (self.b * self.x <= 1.0 && self.x <= 0.7)
    }

    /// ln x, from y where x is near 1.
    fn ln_x(&self) -> f64 {
        if self.y < 0.5 { (-self.y).ln_1p() } else { self.x.ln() }
    }

    fn ln_y(&self) -> f64 {
        self.swapped().ln_x()
    }

    /// λ = a y − b x, with relative precision near the mean: the number given exactly is the smaller
    /// of x and y, and the rounding of each product is added back.
    fn distance(&self) -> f64 {
        if self.x > self.y {
            return -self.swapped().distance();
        }
        let [p, q] = [self.a * self.x, self.b * self.x];
        let lost = self.a.mul_add(self.x, -p) + self.b.mul_add(self.x, -q);
        let (first, first_lost) = exact_difference(self.a, p);
        let (second, second_lost) = exact_difference(first, q);
        second + (first_lost + second_lost - lost)
    }

    /// ln (x / mean), where the mean is a / (a + b).
    fn ln_ratio(&self) -> f64 {
        let ratio = -self.distance() / self.a;
        if ratio > -0.5 { ratio.ln_1p() } else { self.ln_x() - (self.a / (self.a + self.b)).ln() }
    }

    /// x / mean − 1 − ln (x / mean).
    fn excess(&self) -> f64 {
        let ratio = -self.distance() / self.a;
        if ratio > -0.5 { excess_over_log1p(ratio) } else { ratio - self.ln_ratio() }
    }

    /// xᵃ yᵇ / B(a, b), which is x y times the density.
    fn kernel(&self) -> f64 {
        let Point { a, b, .. } = *self;
        if a < LARGE || b < LARGE {
            return self.ln_kernel().exp();
        }
        let exponent = a * self.excess() + b * self.swapped().excess();
        let correction = stirling_correction(a) + stirling_correction(b) - stirling_correction(a + b);
        (-exponent - correction - HALF_LN_TWO_PI).exp() * (a / (a + b) * b).sqrt()
    }

    /// ln [`Point::kernel`].
    fn ln_kernel(&self) -> f64 {
        let Point { a, b, .. } = *self;
        if a < LARGE || b < LARGE {
            return a * self.ln_x() + b * self.ln_y() - ln_beta(a, b);
        }
        let exponent = a * self.excess() + b * self.swapped().excess();
        let correction = stirling_correction(a) + stirling_correction(b) - stirling_correction(a + b);
        0.5 * (a.ln() + b.ln() - (a + b).ln()) - exponent - correction - HALF_LN_TWO_PI
    }

    /// The derivative of ln [`Point::kernel`] with respect to a: ln x + ψ(a + b) − ψ(a).
    fn kernel_slope(&self) -> f64 {
        let Point { a, b, .. } = *self;
        if a < LARGE {
            return self.ln_x() + (digamma(a + b) - digamma(a));
        }
        self.ln_ratio() + ln_minus_digamma(a) - ln_minus_digamma(a + b)
    }

    /// I and 1 − I for a point on the lower side.
    fn probabilities(&self) -> [f64; 2] {
        let Point { a, b, .. } = *self;
        if !self.is_small() {
            let p = self.kernel() * fraction(a, b, self.x, self.y, self.distance());
            return [p, 1.0 - p];
        }
        let sum = power_series(a, b, self.x);
        if a >= 1.0 {
            let p = self.kernel() * ((-b * self.ln_y()).exp() * (1.0 / a + sum));
            return [p, 1.0 - p];
        }
        // xᵃ / (a B(a, b)), of which the logarithm vanishes with a.
        let log_power = a * self.ln_x() - ln_gamma_1p(a) + ln_gamma_ratio(b, a);
        let power = log_power.exp();
        let q = -log_power.exp_m1() - power * a * sum;
        let p = power * (1.0 + a * sum);
        if p < 0.5 { [p, 1.0 - p] } else { [1.0 - q, q] }
    }

    /// ln I for a point on the lower side.
    fn ln_probability(&self) -> f64 {
        let Point { a, b, .. } = *self;
        if !self.is_small() {
            return self.ln_kernel() + fraction(a, b, self.x, self.y, self.distance()).max(0.0).ln();
        }
        let sum = power_series(a, b, self.x);
        if a >= 1.0 {
            return self.ln_kernel() - b * self.ln_y() + (1.0 / a + sum).ln();
        }
        a * self.ln_x() - ln_gamma_1p(a) + ln_gamma_ratio(b, a) + (a * sum).ln_1p()
    }

    /// −∂I/∂a and −∂I/∂b over [`Point::kernel`] for a point on the lower side: the derivatives of
    /// the logit of x at a fixed I.
    fn pathwise(&self) -> [f64; 2] {
        let Point { a, b, x, y } = *self;
        let of_b = self.swapped().kernel_slope();
        if !self.is_small() {
            let (a, b) = (Slopes::of_a(a), Slopes::of_b(b));
            let distance = Slopes { value: self.distance(), by: [y, -x] };
            let f = fraction(a, b, x, y, distance);
            return [-(self.kernel_slope() * f.value + f.by[0]), -(of_b * f.value + f.by[1])];
        }
        let sum = power_series(Slopes::of_a(a), Slopes::of_b(b), x);
        // I = xᵃ / (a B(a, b)) · (1 + a Σ), with 1 / a taken out of the logarithm's derivative.
        let of_a = self.ln_x() + (digamma(a + b) - digamma(1.0 + a));
        let of_b = super::gamma_function::digamma_difference(b, a);
        let whole = 1.0 + a * sum.value;
        let scale = -(-b * self.ln_y()).exp() / a;
        [scale * (of_a * whole + sum.value + a * sum.by[0]), scale * (of_b * whole + a * sum.by[1])]
    }
}

/// a − b and what its rounding lost.
fn exact_difference(a: f64, b: f64) -> (f64, f64) {
    let difference = a - b;
    let back = difference - a;
    (difference, (a - (difference - back)) - (b + back))
}

/// I(x; a, b) and 1 − I(x; a, b) at the pair x and y = 1 − x: both with relative precision down to the
/// smallest numbers. NaN outside of a, b > 0 and 0 ≤ x ≤ 1.
pub(crate) fn beta_inc_both(a: f64, b: f64, [x, y]: [f64; 2]) -> [f64; 2] {
    let Some(point) = Point::new(a, b, [x, y]) else { return [f64::NAN; 2] };
    if x == 0.0 || y == 0.0 {
        return if x == 0.0 { [0.0, 1.0] } else { [1.0, 0.0] };
    }
    if point.is_lower() {
        point.probabilities()
    } else {
        let [q, p] = point.swapped().probabilities();
        [p, q]
    }
}

/// ln I(x; a, b) and ln(1 − I(x; a, b)), also where these are too small for numbers.
pub(crate) fn ln_beta_inc_both(a: f64, b: f64, pair: [f64; 2]) -> [f64; 2] {
    let [p, q] = beta_inc_both(a, b, pair);
    let point = match Point::new(a, b, pair) {
        // From here on a probability is a number with all its digits.
        Some(point) if !pair.contains(&0.0) && p.min(q) < 1e-290 => point,
        _ => return log_of_pair([p, q]),
    };
    if p < q {
        let log = point.ln_probability();
        [log, -log.exp()]
    } else {
        let log = point.swapped().ln_probability();
        [-log.exp(), log]
    }
}

/// The regularised incomplete beta function I(x; a, b), the probability of a beta variable to be at
/// most `x`.
pub(crate) fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    beta_inc_both(a, b, [x, 1.0 - x])[0]
}

/// 1 − I(x; a, b).
pub(crate) fn beta_inc_upper(a: f64, b: f64, x: f64) -> f64 {
    beta_inc_both(a, b, [x, 1.0 - x])[1]
}

/// The density of the beta distribution at the pair x and y = 1 − x, both positive.
pub(crate) fn beta_density(a: f64, b: f64, [x, y]: [f64; 2]) -> f64 {
    match Point::new(a, b, [x, y]) {
        Some(point) => point.kernel() / x / y,
        None => f64::NAN,
    }
}

/// ln of xᵃ yᵇ / B(a, b), the density times x y, at the pair x and y = 1 − x, both positive.
pub(crate) fn ln_beta_kernel(a: f64, b: f64, pair: [f64; 2]) -> f64 {
    Point::new(a, b, pair).map_or(f64::NAN, |point| point.ln_kernel())
}

/// The derivatives of logit x = ln (x / y) with respect to a and b at a fixed I(x; a, b).
pub(crate) fn beta_pathwise_logit(a: f64, b: f64, [x, y]: [f64; 2]) -> [f64; 2] {
    match Point::new(a, b, [x, y]) {
        None => [f64::NAN; 2],
        Some(point) if point.is_lower() => point.pathwise(),
        Some(point) => {
            let [of_b, of_a] = point.swapped().pathwise();
            [-of_a, -of_b]
        }
    }
}

/// dx/da and dx/db at a fixed I(x; a, b): the gradient of a draw `x` of the beta distribution.
pub(crate) fn beta_pathwise(x: f64, a: f64, b: f64) -> [f64; 2] {
    let y = 1.0 - x;
    if x == 0.0 || y == 0.0 { [0.0; 2] } else { beta_pathwise_logit(a, b, [x, y]).map(|slope| x * y * slope) }
}

/// The derivatives of I(x; a, b) with respect to a and b.
pub(crate) fn beta_inc_slopes(a: f64, b: f64, x: f64) -> [f64; 2] {
    let pair = [x, 1.0 - x];
    let Some(point) = Point::new(a, b, pair) else { return [f64::NAN; 2] };
    let kernel = if pair.contains(&0.0) { 0.0 } else { point.kernel() };
    if kernel == 0.0 { [0.0; 2] } else { beta_pathwise_logit(a, b, pair).map(|slope| -kernel * slope) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_beside_the_end_is_on_its_side() {
        // No two successes in 10³⁸ trials of probability 10⁻²⁰⁰ or 10⁻¹⁰⁰: the second is missed by (10⁻⁶²)² / 2.
        assert_eq!(beta_inc_both(1e38, 2.0, [1.0, 1e-200])[0], 1.0);
        assert!((beta_inc_both(1e38, 2.0, [1.0, 1e-100])[1] / 0.5e-124 - 1.0).abs() < 1e-13);
    }

    // Reference values: mpmath with 60 digits.
    #[test]
    fn logarithms_go_on_where_probabilities_end() {
        let cases = [
            (3.0, 2.0, 1e-150, -1034.7769974862007),
            (0.5, 3.0, 1e-300, -344.7591552896845),
            (200.0, 300.0, 0.0009765625, -1053.9032451174872),
            (1e4, 1e4, 0.25, -2881.998422075533),
            (2000.0, 0.5, 0.5, -1390.3209159215597),
        ];
        for (a, b, x, expected) in cases {
            let lower = ln_beta_inc_both(a, b, [x, 1.0 - x])[0];
            let upper = ln_beta_inc_both(b, a, [1.0 - x, x])[1];
            assert!([lower, upper].iter().all(|v| (v / expected - 1.0).abs() < 1e-13), "{a} {b} {x}: {lower}, {upper}");
        }
    }
}
