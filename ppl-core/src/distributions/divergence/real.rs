//! Divergences from Normal, Laplace, Gumbel and Cauchy, whose values are all numbers.

use std::f64::consts::{FRAC_2_PI, LN_2, SQRT_2};

use crate::distributions::univariate::Dual;
use crate::distributions::{
    Beta, Cauchy, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Normal, Pareto, Uniform,
};
use crate::distributions::{gumbel, laplace, normal};

use super::cross_entropy::{Under, abs, erf, excess, exp_above_tangent, from_normal, ln_gamma, tangent_gap};
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
        Under::of::<normal::Law, 2>(p).gumbel(0.5 * (s / t).square() + (n - m) / t, [n, t])
    };
    Laplace, Laplace, 4: |[m, s, n, t]| {
        let distance = abs(m - n);
        (t / s).ln() + distance / t + (s / t) * (-(distance / s)).exp() - 1.0
    };
    Laplace, Normal, 4: from_normal::<laplace::Law, 2, 4>;
    Gumbel, Gumbel, 4: |[m, s, n, t]| {
        let ratio = s / t;
        // The logarithm of the mean of e^((n − x) / t).
        let log_mean_exp = (n - m) / t + ln_gamma(ratio + 1.0);
        exp_above_tangent(log_mean_exp) + tangent_gap(Dual::constant(1.0), ratio)
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
