//! Divergences from Uniform, Beta and ContinuousBernoulli, whose values lie in an interval.

use crate::distributions::univariate::Dual;
use crate::distributions::{Beta, Exponential, Gamma, Gumbel, Normal, Pareto, Uniform};
use crate::distributions::{beta, uniform};

use super::cross_entropy::{Under, digamma, from_exponential, from_normal, infinite, ln_gamma, tangent_gap, x_ln_x};
use super::{divergences, infinite_divergences};

divergences! {
    Uniform, Uniform, 4: |[a, b, low, high]| {
        if a.value < low.value || b.value > high.value { infinite() } else { ((high - low) / (b - a)).ln() }
    };
    Uniform, Beta, 4: |[a, b, c, d]| {
        if a.value < 0.0 || b.value > 1.0 {
            return infinite();
        }
        let logs = (c - 1.0) * mean_log(a, b) + (d - 1.0) * mean_log(1.0 - b, 1.0 - a);
        log_beta(c, d) - logs - (b - a).ln()
    };
    Uniform, Exponential, 3: |p| {
        if p[0].value < 0.0 { infinite() } else { from_exponential::<uniform::Law, 2, 3>(p) }
    };
    Uniform, Gamma, 4: |p| {
        let [a, b, concentration, rate] = p;
        if a.value < 0.0 {
            return infinite();
        }
        Under::of::<uniform::Law, 2>(p).gamma(mean_log(a, b), [concentration, rate])
    };
    Uniform, Gumbel, 4: |p| {
        let [a, b, loc, scale] = p;
        let width = (b - a) / scale;
        // E e^(−(x − a) / scale) is (1 − e^(−width)) / width.
        let log_mean_exp = (loc - a) / scale + (-(-width).exp_m1() / width).ln();
        Under::of::<uniform::Law, 2>(p).gumbel(log_mean_exp, [loc, scale])
    };
    Uniform, Normal, 4: from_normal::<uniform::Law, 2, 4>;
    Uniform, Pareto, 4: |[a, b, scale, alpha]| {
        if a.value < scale.value {
            return infinite();
        }
        (alpha + 1.0) * mean_log(a, b) - alpha * scale.ln() - alpha.ln() - (b - a).ln()
    };
    Beta, Beta, 4: |[a, b, c, d]| tangent_gap(a, c) + tangent_gap(b, d) - tangent_gap(a + b, c + d);
    Beta, Exponential, 3: from_exponential::<beta::Law, 2, 3>;
    Beta, Gamma, 4: |p| {
        let [a, b, concentration, rate] = p;
        Under::of::<beta::Law, 2>(p).gamma(digamma(a) - digamma(a + b), [concentration, rate])
    };
    Beta, Normal, 4: from_normal::<beta::Law, 2, 4>;
    Beta, Uniform, 4: |p| {
        let [_, _, low, high] = p;
        let inside = low.value <= 0.0 && high.value >= 1.0;
        if inside { Under::of::<beta::Law, 2>(p).negentropy + (high - low).ln() } else { infinite() }
    };
}

infinite_divergences! {
    Beta: Pareto;
}

/// ln B(a, b).
fn log_beta<const N: usize>(a: Dual<N>, b: Dual<N>) -> Dual<N> {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The mean of ln x for x uniform between `a` and `b`.
fn mean_log<const N: usize>(a: Dual<N>, b: Dual<N>) -> Dual<N> {
    (x_ln_x(b) - x_ln_x(a)) / (b - a) - 1.0
}
