//! The regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 − P(a, x), and how they move
//! with a: the cdf of the gamma distribution and its implicit reparameterisation.
//!
//! Our own, since `statrs` keeps only six digits of the tails and has no derivative in a. Sources: Gil,
//! Segura and Temme, *Efficient and accurate algorithms for the computation and inversion of the
//! incomplete gamma function ratios*, SIAM Journal on Scientific Computing 34, 2012; Figurnov, Mohamed
//! and Mnih, *Implicit Reparameterization Gradients*, NeurIPS 2018.

use super::gamma_function::{HALF_LN_TWO_PI, digamma, ln_gamma_1p, polynomial, stirling_correction};

// Logarithms of probabilities that are too small for numbers.
mod far;
// The inverse functions.
mod quantile;
// The asymptotic expansion that is uniform in x, for large a.
mod uniform;

pub(crate) use far::ln_gamma_inc_both;
pub(crate) use quantile::{gamma_quantile, gamma_quantile_upper};
use uniform::Uniform;

/// Steps after which a series or continued fraction is given up; where they are used they end after
/// some hundred.
const MOST_STEPS: u32 = 5_000;

/// From here on densities come from Stirling's formula, and probabilities near the mean from
/// [`Uniform`].
const LARGE: f64 = 30.0;

/// t − ln(1 + t) for t > −1, with relative precision near 0.
pub(crate) fn excess_over_log1p(t: f64) -> f64 {
    /// 1 / (2k + 3).
    const C: [f64; 16] = {
        let mut c = [0.0; 16];
        let mut k = 0;
        while k < 16 {
            c[k] = 1.0 / (2 * k + 3) as f64;
            k += 1;
        }
        c
    };
    if !(-0.5..=0.7).contains(&t) {
        return t - t.ln_1p();
    }
    // ln(1 + t) = 2 artanh r, and t − 2r = t r.
    let r = t / (2.0 + t);
    let q = r * r;
    t * r - 2.0 * r * q * polynomial(q, &C)
}

/// What [`gamma_kernel`] of a large `a` is the exponential of, but for its sign and 1 / √(2πa).
fn large_exponent(a: f64, x: f64) -> f64 {
    let ratio = x / a;
    // Far below the mean the difference of 1 and x / a would lose x.
    let excess = if ratio < 0.5 { (ratio - 1.0) - ratio.ln() } else { excess_over_log1p((x - a) / a) };
    a * excess + stirling_correction(a)
}

/// xᵃ e⁻ˣ / Γ(a + 1), which is x / a times the density of the gamma distribution.
pub(crate) fn gamma_kernel(a: f64, x: f64) -> f64 {
    if a >= LARGE {
        return (-large_exponent(a, x) - HALF_LN_TWO_PI).exp() / a.sqrt();
    }
    if x > 2000.0 {
        // Where the power may overflow.
        return 0.0;
    }
    // A power is exact to its last digit, unlike the exponential of a multiple of a logarithm.
    // Of the root, since e⁻ˣ may underflow where its product with the power does not.
    let root = x.powf(0.5 * a) * (-0.5 * x).exp();
    if root == 0.0 { 0.0 } else { root * (root / libm::tgamma(a + 1.0)) }
}

/// The density of the gamma distribution with concentration `a` and rate 1 at `x`.
pub(crate) fn gamma_density(a: f64, x: f64) -> f64 {
    if x.is_infinite() {
        return 0.0;
    }
    if x < f64::MIN_POSITIVE || x.powf(a) < f64::MIN_POSITIVE {
        // The kernel is 0 or has lost digits, where its quotient by x need not.
        let at = x.max(0.0);
        return if at == 0.0 && a == 1.0 {
            1.0
        } else {
            ((a - 1.0) * at.ln() - at - super::gamma_function::ln_gamma(a)).exp()
        };
    }
    gamma_kernel(a, x) / x * a
}

/// P(a, x) and Q(a, x) for a > 0 and x ≥ 0: both with relative precision down to the smallest
/// numbers. NaN outside.
pub(crate) fn gamma_inc_both(a: f64, x: f64) -> [f64; 2] {
    if !(a > 0.0 && x >= 0.0) || a.is_infinite() {
        return [f64::NAN; 2];
    }
    if x == 0.0 || x.is_infinite() {
        return if x == 0.0 { [0.0, 1.0] } else { [1.0, 0.0] };
    }
    if let Some(uniform) = Uniform::at(a, x) {
        return uniform.probabilities();
    }
    if a < 1.0 && x < 1.0 {
        return [gamma_kernel(a, x) * series(a, x)[0], upper_of_small(a, x)];
    }
    if x < a + 1.0 && a >= 1.0 {
        let p = gamma_kernel(a, x) * series(a, x)[0];
        [p, 1.0 - p]
    } else {
        let q = gamma_kernel(a, x) * a * fraction(a, x)[0];
        [1.0 - q, q]
    }
}

/// The regularised lower incomplete gamma function P(a, x), the probability of a gamma variable of
/// concentration `a` and rate 1 to be at most `x`.
pub(crate) fn gamma_inc(a: f64, x: f64) -> f64 {
    gamma_inc_both(a, x)[0]
}

/// The regularised upper incomplete gamma function Q(a, x) = 1 − P(a, x).
pub(crate) fn gamma_inc_upper(a: f64, x: f64) -> f64 {
    gamma_inc_both(a, x)[1]
}

/// d ln x / da at a fixed P(a, x), given ln x: for draws so small that x itself is 0.
pub(crate) fn gamma_pathwise_log(ln_x: f64, a: f64) -> f64 {
    relative_pathwise(a, ln_x.exp(), ln_x)
}

/// The derivative of P(a, x) with respect to a.
pub(crate) fn gamma_inc_slope(a: f64, x: f64) -> f64 {
    if x == 0.0 || x.is_infinite() {
        return 0.0;
    }
    let kernel = gamma_kernel(a, x);
    if kernel == 0.0 { 0.0 } else { -a * kernel * relative_pathwise(a, x, x.ln()) }
}

/// d ln x / da = −(∂P/∂a) / (x · density). The kernel, which P and its derivative share with the
/// density, cancels, so that no tail underflows.
pub(super) fn relative_pathwise(a: f64, x: f64, ln_x: f64) -> f64 {
    if !(a > 0.0 && x >= 0.0) || a.is_infinite() || x.is_infinite() {
        return f64::NAN;
    }
    if let Some(uniform) = Uniform::at(a, x) {
        return uniform.relative_pathwise();
    }
    if x < if a < 1.0 { 1.0 } else { a + 1.0 } {
        let [sum, weighted] = series(a, x);
        ((digamma(a + 1.0) - ln_x) * sum + weighted) / a
    } else {
        let [fraction, slope] = fraction(a, x);
        fraction * (ln_x - digamma(a)) + slope
    }
}

/// Σ tₙ and Σ tₙ hₙ for tₙ = xⁿ / ((a + 1) ⋯ (a + n)) and hₙ = Σ 1 / (a + j): P divided by the kernel,
/// and minus its derivative in a.
fn series(a: f64, x: f64) -> [f64; 2] {
    let (mut term, mut harmonic) = (1.0, 0.0);
    let (mut sum, mut weighted) = (1.0, 0.0);
    for n in 1..MOST_STEPS {
        let r = 1.0 / (a + f64::from(n));
        term *= x * r;
        harmonic += r;
        sum += term;
        weighted += term * harmonic;
        if term * harmonic <= 0.1 * f64::EPSILON * weighted && term <= 0.1 * f64::EPSILON * sum {
            break;
        }
    }
    [sum, weighted]
}

/// Q(a, x) for a, x < 1, where 1 − P would cancel: 1 − xᵃ / Γ(1 + a) · (1 + a Σ (−x)ⁿ / (n! (a + n))).
fn upper_of_small(a: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 0.0);
    for n in 1..30 {
        let n = f64::from(n);
        term *= -x / n;
        sum += term / (a + n);
        if term.abs() <= 0.01 * f64::EPSILON * x {
            break;
        }
    }
    let log_power = a * x.ln() - ln_gamma_1p(a);
    -log_power.exp_m1() - log_power.exp() * a * sum
}

/// Γ(a, x) eˣ / xᵃ and its derivative in a, for x ≥ 1 and x > a, by the continued fraction of
/// Legendre in the form of Lentz, differentiated step by step.
///
/// Source: Press et al., *Numerical Recipes*, 6.2.
fn fraction(a: f64, x: f64) -> [f64; 2] {
    let mut b = x + 1.0 - a;
    // The first denominators and their derivatives in a, of which that of b is always −1.
    let (mut d, mut value) = (1.0 / b, 1.0 / b);
    let (mut d_slope, mut slope) = (d * d, d * d);
    let (mut c, mut c_slope) = (f64::INFINITY, 0.0);
    for i in 1..MOST_STEPS {
        let i = f64::from(i);
        let top = i * (a - i);
        b += 2.0;
        let ratio = if c.is_infinite() { 0.0 } else { 1.0 / c };
        c_slope = -1.0 + (i - top * c_slope * ratio) * ratio;
        c = b + top * ratio;
        d_slope = -(i * d + top * d_slope - 1.0);
        d = 1.0 / (top * d + b);
        d_slope *= d * d;
        let factor = c * d;
        let factor_slope = c_slope * d + c * d_slope;
        slope = slope * factor + value * factor_slope;
        value *= factor;
        let settled = (factor - 1.0).abs() <= f64::EPSILON;
        if settled && (value * factor_slope).abs() <= f64::EPSILON * slope.abs() {
            break;
        }
    }
    [value, slope]
}
