//! Divergences from Normal, Laplace, Gumbel and Cauchy, whose values are all numbers.

use std::f64::consts::{FRAC_2_PI, LN_2, SQRT_2};

use crate::distributions::{
    Beta, Cauchy, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Normal, Pareto, Uniform,
};
use crate::distributions::{gumbel, laplace, normal};

use super::cross_entropy::{Under, abs, erf, excess, from_normal, ln_gamma};
use super::{divergences, infinite_divergences};

divergences! {
    Normal, Normal, 4: |[m, s, n, t]| 0.5 * (excess(s.square(), t.square()) + ((m - n) / t).square());
    Normal, Laplace, 4: |p| {
        let ([m, s, n, t], under) = (p, Under::of::<normal::Law, 2>(p));
        let ratio = (m - n) / s;
        // The mean of |x − n| / s.
        let distance = (-0.5 * ratio.square()).exp() * FRAC_2_PI.sqrt() + ratio * erf(ratio / SQRT_2);
        under.negentropy + t.ln() + LN_2 + distance * s / t
    };
    Normal, Gumbel, 4: |p| {
        let [m, s, n, t] = p;
        Under::of::<normal::Law, 2>(p).gumbel((0.5 * (s / t).square() - m / t).exp(), [n, t])
    };
    Laplace, Laplace, 4: |[m, s, n, t]| {
        let distance = abs(m - n);
        (t / s).ln() + distance / t + (s / t) * (-(distance / s)).exp() - 1.0
    };
    Laplace, Normal, 4: from_normal::<laplace::Law, 2, 4>;
    Gumbel, Gumbel, 4: |p| {
        let [m, s, n, t] = p;
        // The mean of e^(−x / t).
        let mean_exp = (ln_gamma(s / t + 1.0) - m / t).exp();
        Under::of::<gumbel::Law, 2>(p).gumbel(mean_exp, [n, t])
    };
    Gumbel, Normal, 4: from_normal::<gumbel::Law, 2, 4>;
    Cauchy, Cauchy, 4: |[m, s, n, t]| {
        // 1 + ((s − t)² + (m − n)²) / (4 s t)
        (((s - t) / s * ((s - t) / t) + (m - n) / s * ((m - n) / t)) * 0.25).ln_1p()
    };
}

infinite_divergences! {
    Normal: Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform;
    Laplace: Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform;
    Gumbel: Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform;
}
