//! Mean, variance and entropy of a slice of the normal density, by quadrature of its weight: their
//! closed forms cancel where the slice is narrow or far out.

use super::super::quadrature::dual_moments;
use super::super::univariate::Dual;

/// Weights below e^−EXPONENT of the largest are left out.
const EXPONENT: f64 = 45.0;

/// How many stretches the quadrature has; the weight falls by less than e¹² over each.
const PANELS: usize = 12;

/// Mean, variance, entropy.
pub(super) fn moments([loc, scale, low, high]: [Dual<4>; 4]) -> [Dual<4>; 3] {
    let (a, b) = ((low - loc) / scale, (high - loc) / scale);
    if a.value > 0.0 {
        let [mean, variance, entropy] = from_bound(a, (high - low) / scale, scale);
        [low + mean, variance, entropy]
    } else if b.value < 0.0 {
        let [mean, variance, entropy] = from_bound(-b, (high - low) / scale, scale);
        [high - mean, variance, entropy]
    } else {
        let reach = (2.0 * EXPONENT).sqrt();
        let ends = [larger(a, -reach), -larger(-b, -reach)];
        let [mean, variance, square, log_area] = of_weight(ends, scale, |t| (-0.5 * t.square()).exp());
        [loc + mean, variance, scale.ln() + log_area + 0.5 * square]
    }
}

/// The number, or a constant that is larger.
fn larger(x: Dual<4>, constant: f64) -> Dual<4> {
    if x.value < constant { Dual::constant(constant) } else { x }
}

/// The same for a slice that begins at the distance `from` beyond the mode; the mean is the distance
/// from there.
fn from_bound(from: Dual<4>, length: Dual<4>, scale: Dual<4>) -> [Dual<4>; 3] {
    let reach = 2.0 * EXPONENT / (from.value + (from.value * from.value + 2.0 * EXPONENT).sqrt());
    let ends = [Dual::constant(0.0), -larger(-length, -reach)];
    let [mean, variance, square, log_area] = of_weight(ends, scale, |t| (-(t * (from + 0.5 * t))).exp());
    [mean, variance, scale.ln() + log_area + from * (mean / scale) + 0.5 * square]
}

/// Mean and variance times scale, E[t²], and the logarithm of the area.
fn of_weight(ends: [Dual<4>; 2], scale: Dual<4>, weight: impl Fn(Dual<4>) -> Dual<4>) -> [Dual<4>; 4] {
    let [area, first, second] = dual_moments(ends, PANELS, weight);
    let (mean, square) = (first / area, second / area);
    [scale * mean, scale.square() * (square - mean.square()), square, area.ln()]
}
