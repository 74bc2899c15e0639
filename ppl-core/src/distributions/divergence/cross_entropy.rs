//! What −ln q is on average under p, where that follows from moments of p; and the functions of
//! [`Dual`] numbers that divergences are made of.
//!
//! The parameters of p come first among those of a pair.

use crate::distributions::univariate::{Dual, Moment, Univariate};
use crate::functions::error_function;
use crate::functions::gamma_function;
use crate::functions::incomplete_gamma::excess_over_log1p;

/// ln √(2π).
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// What a mean is of values that the other family has not.
pub(super) fn infinite<const N: usize>() -> Dual<N> {
    Dual::constant(f64::INFINITY)
}

/// ln Γ(x).
pub(super) fn ln_gamma<const N: usize>(x: Dual<N>) -> Dual<N> {
    x.map(gamma_function::ln_gamma(x.value), gamma_function::digamma(x.value))
}

/// The derivative of ln Γ(x).
pub(super) fn digamma<const N: usize>(x: Dual<N>) -> Dual<N> {
    x.map(gamma_function::digamma(x.value), gamma_function::trigamma(x.value))
}

/// ln Γ(b) − ln Γ(a) − (b − a) ψ(a): how far ln Γ lies above its tangent.
pub(super) fn above_tangent(a: f64, b: f64) -> f64 {
    let growth =
        if b >= a { gamma_function::ln_gamma_ratio(a, b - a) } else { -gamma_function::ln_gamma_ratio(b, a - b) };
    growth - (b - a) * gamma_function::digamma(a)
}

/// The derivatives of [`above_tangent`].
pub(super) fn above_tangent_slopes(a: f64, b: f64) -> [f64; 2] {
    let growth = if b >= a {
        gamma_function::digamma_difference(a, b - a)
    } else {
        -gamma_function::digamma_difference(b, a - b)
    };
    [(a - b) * gamma_function::trigamma(a), growth]
}

/// [`above_tangent`] of numbers with derivatives.
pub(super) fn tangent_gap<const N: usize>(a: Dual<N>, b: Dual<N>) -> Dual<N> {
    let value = above_tangent(a.value, b.value);
    let [by_a, by_b] = above_tangent_slopes(a.value, b.value);
    a.map(value, by_a) + b.map(0.0, by_b)
}

/// The error function.
pub(super) fn erf<const N: usize>(x: Dual<N>) -> Dual<N> {
    let slope = std::f64::consts::FRAC_2_SQRT_PI * (-x.value * x.value).exp();
    x.map(error_function::erf(x.value), slope)
}

/// |x|, with slope 0 at 0.
pub(super) fn abs<const N: usize>(x: Dual<N>) -> Dual<N> {
    let sign = if x.value == 0.0 { 0.0 } else { x.value.signum() };
    x.map(x.value.abs(), sign)
}

/// x ln x, which is 0 at 0.
pub(super) fn x_ln_x<const N: usize>(x: Dual<N>) -> Dual<N> {
    if x.value == 0.0 { Dual::constant(0.0) } else { x.map(x.value * x.value.ln(), x.value.ln() + 1.0) }
}

/// a / b − 1 − ln (a / b), which keeps its digits where the two are close.
pub(super) fn excess<const N: usize>(a: Dual<N>, b: Dual<N>) -> Dual<N> {
    let ratio = a / b;
    let more = (a - b) / b;
    let value =
        if more.value.abs() < 0.5 { excess_over_log1p(more.value) } else { ratio.value - 1.0 - ratio.value.ln() };
    ratio.map(value, more.value / ratio.value)
}

/// eˣ − 1 − x, which keeps its digits near 0.
pub(super) fn exp_above_tangent<const N: usize>(x: Dual<N>) -> Dual<N> {
    let more = x.value.exp_m1();
    let value = if x.value.abs() < 0.5 {
        excess_over_log1p(more)
    } else if more.is_infinite() {
        more
    } else {
        more - x.value
    };
    x.map(value, more)
}

/// A moment of p as a function of all parameters of the pair.
fn lifted<const K: usize, const N: usize>(moment: Option<Moment<K>>, parameters: [Dual<N>; N]) -> Dual<N> {
    let moment = moment.expect("p of a pair has the moments that the pair takes");
    let own = std::array::from_fn(|k| parameters[k].value);
    let Dual { value, slopes } = moment(Dual::variables(own));
    Dual { value, slopes: std::array::from_fn(|i| if i < K { slopes[i] } else { 0.0 }) }
}

/// The means that cross-entropies take, under the family `P` of a pair with `N` parameters.
pub(super) struct Under<const N: usize> {
    /// The mean.
    pub(super) mean: Dual<N>,
    /// The negative of the entropy.
    pub(super) negentropy: Dual<N>,
}

impl<const N: usize> Under<N> {
    /// Mean and entropy of `P`.
    pub(super) fn of<P: Univariate<K>, const K: usize>(parameters: [Dual<N>; N]) -> Self {
        Under { mean: lifted(P::MEAN, parameters), negentropy: -lifted(P::ENTROPY, parameters) }
    }

    /// The divergence from an exponential distribution.
    pub(super) fn exponential(&self, rate: Dual<N>) -> Dual<N> {
        if self.mean.value == f64::INFINITY { infinite() } else { self.negentropy - rate.ln() + rate * self.mean }
    }

    /// The divergence from a gamma distribution, given the mean of ln x.
    pub(super) fn gamma(&self, mean_log: Dual<N>, [concentration, rate]: [Dual<N>; 2]) -> Dual<N> {
        if self.mean.value == f64::INFINITY {
            return infinite();
        }
        let normalizer = ln_gamma(concentration) - concentration * rate.ln();
        self.negentropy + normalizer - (concentration - 1.0) * mean_log + rate * self.mean
    }

    /// The divergence from a Gumbel distribution, given the logarithm of the mean of e^((loc − x) / scale):
    /// e^(loc / scale) itself overflows for locs of a few hundred scales.
    pub(super) fn gumbel(&self, log_mean_exp: Dual<N>, [loc, scale]: [Dual<N>; 2]) -> Dual<N> {
        self.negentropy + scale.ln() + (self.mean - loc) / scale + log_mean_exp.exp()
    }
}

/// The divergence of `P` from an exponential distribution, whose rate is the last parameter.
pub(super) fn from_exponential<P: Univariate<K>, const K: usize, const N: usize>(p: [Dual<N>; N]) -> Dual<N> {
    Under::of::<P, K>(p).exponential(p[N - 1])
}

/// The divergence of `P` from a normal distribution, whose parameters are the last two.
pub(super) fn from_normal<P: Univariate<K>, const K: usize, const N: usize>(p: [Dual<N>; N]) -> Dual<N> {
    let Under { mean, negentropy } = Under::of::<P, K>(p);
    let (variance, [loc, scale]) = (lifted(P::VARIANCE, p), [p[N - 2], p[N - 1]]);
    if !(mean.value.is_finite() && variance.value.is_finite()) {
        return infinite();
    }
    let squares = (variance + (mean - loc).square()) / scale.square();
    negentropy + scale.ln() + HALF_LN_TWO_PI + 0.5 * squares
}
