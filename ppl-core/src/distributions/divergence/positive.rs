//! Divergences from Exponential, Gamma, HalfNormal and Pareto, whose values are positive.

use crate::distributions::univariate::Dual;
use crate::distributions::{
    Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, HalfNormal, LogNormal, Normal, Pareto, Uniform,
};
use crate::distributions::{exponential, gamma, pareto};

use super::cross_entropy::{Under, excess, from_exponential, from_normal, infinite, tangent_gap};
use super::{divergences, infinite_divergences};

divergences! {
    Exponential, Exponential, 2: |[rate, other]| excess(other, rate);
    Exponential, Gamma, 3: |[rate, b, other]| from_gamma([Dual::constant(1.0), rate, b, other]);
    Exponential, Gumbel, 3: |p| {
        let [rate, loc, scale] = p;
        // E e^(−x / scale) is 1 / (1 + 1 / (rate · scale)).
        let log_mean_exp = loc / scale - (rate * scale).recip().ln_1p();
        Under::of::<exponential::Law, 1>(p).gumbel(log_mean_exp, [loc, scale])
    };
    Exponential, Normal, 3: from_normal::<exponential::Law, 1, 3>;
    Gamma, Gamma, 4: from_gamma;
    Gamma, Exponential, 3: |[a, rate, other]| from_gamma([a, rate, Dual::constant(1.0), other]);
    Gamma, Gumbel, 4: |p| {
        let [a, rate, loc, scale] = p;
        // E e^(−x / scale) is (1 + 1 / (rate · scale))⁻ᵃ.
        let log_mean_exp = loc / scale - a * (rate * scale).recip().ln_1p();
        Under::of::<gamma::Law, 2>(p).gumbel(log_mean_exp, [loc, scale])
    };
    Gamma, Normal, 4: from_normal::<gamma::Law, 2, 4>;
    HalfNormal, HalfNormal, 2: |[scale, other]| 0.5 * excess(scale.square(), other.square());
    LogNormal, LogNormal, 4: |[m, s, n, t]| 0.5 * (excess(s.square(), t.square()) + ((m - n) / t).square());
    Pareto, Pareto, 4: |[scale, alpha, other, beta]| {
        if scale.value < other.value { infinite() } else { beta * (scale / other).ln() + excess(beta, alpha) }
    };
    Pareto, Exponential, 3: from_exponential::<pareto::Law, 2, 3>;
    Pareto, Gamma, 4: |p| {
        let [scale, alpha, b, rate] = p;
        Under::of::<pareto::Law, 2>(p).gamma(scale.ln() + alpha.recip(), [b, rate])
    };
    Pareto, Normal, 4: from_normal::<pareto::Law, 2, 4>;
}

infinite_divergences! {
    Exponential: Beta, ContinuousBernoulli, Pareto, Uniform;
    Gamma: Beta, ContinuousBernoulli, Pareto, Uniform;
    Pareto: Beta, ContinuousBernoulli, Uniform;
}

/// Between two gamma distributions.
fn from_gamma<const N: usize>([a, rate, b, other]: [Dual<N>; 4]) -> Dual<N> {
    b * excess(other, rate) + (a - b) * ((other - rate) / rate) + tangent_gap(a, b)
}
