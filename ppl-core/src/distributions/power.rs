//! Powers of positive numbers: logarithms of ratios, and the moments of powers of an exponential and of
//! a beta variable.

use crate::functions::gamma_function::{
    digamma, digamma_difference, ln_gamma, ln_gamma_1p, ln_gamma_ratio, tetragamma, trigamma,
};

use super::quadrature::unit_nodes;
use super::univariate::Dual;

/// ln(x / y) of numbers ≥ 0, with its digits where they are near one another or very far.
#[inline]
pub(super) fn log_ratio(x: f64, y: f64) -> f64 {
    let ratio = x / y;
    if (0.5..=2.0).contains(&ratio) {
        ((x - y) / y).ln_1p()
    } else if ratio.is_normal() {
        ratio.ln()
    } else {
        x.ln() - y.ln()
    }
}

/// ln(1 − eˢ) for s ≤ 0.
#[inline]
pub(super) fn ln_one_minus_exp(s: f64) -> f64 {
    if s > -std::f64::consts::LN_2 { (-s.exp_m1()).ln() } else { (-s.exp()).ln_1p() }
}

/// x / (eˣ − 1) for x ≥ 0: 1 at 0, 0 at infinity.
pub(super) fn over_exp_m1(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else if x == f64::INFINITY {
        0.0
    } else {
        x / x.exp_m1()
    }
}

/// ln(1 − exp(−eᵘ)), also where eᵘ is too small for a number.
pub(super) fn ln_one_minus_exp_of_exp(u: f64) -> f64 {
    // The next term is −eᵘ / 2.
    if u < -40.0 { u } else { ln_one_minus_exp(-u.exp()) }
}

/// E[yˢ] for s = h, with y exponential with mean 1, is Γ(1 + h): its logarithm.
pub(super) fn ln_gamma_plus_one<const K: usize>(h: Dual<K>) -> Dual<K> {
    let value = if h.value <= 1.0 { ln_gamma_1p(h.value) } else { ln_gamma(1.0 + h.value) };
    h.map(value, digamma(1.0 + h.value))
}

/// The second difference f(2h) − 2 f(h) + f(0) from f″, for h where that is smooth: the integral of
/// (h − |u − h|) f″(u) over [0, 2h].
fn second_difference(h: f64, second: impl Fn(f64) -> f64) -> f64 {
    let term = |(t, w): (f64, f64)| w * t * (second(h * t) + second(h * (2.0 - t)));
    h * h * unit_nodes().map(term).sum::<f64>()
}

/// ln E[y²ʰ] − 2 ln E[yʰ] for y exponential: ln(1 + variance / mean²) of yʰ.
pub(super) fn log_spread_of_exponential<const K: usize>(h: Dual<K>) -> Dual<K> {
    let v = h.value;
    let value = if v < 0.5 {
        second_difference(v, |s| trigamma(1.0 + s))
    } else {
        ln_gamma(1.0 + 2.0 * v) - 2.0 * ln_gamma(1.0 + v)
    };
    h.map(value, 2.0 * digamma_difference(1.0 + v, v))
}

/// ln E[yˢ] for y with the beta distribution of 1 and b.
fn beta_log_moment(s: f64, b: f64) -> f64 {
    if b < 1.0 {
        return -b * unit_nodes().map(|(t, w)| w * digamma_difference(1.0 + b * t, s)).sum::<f64>();
    }
    ln_gamma(1.0 + s) - ln_gamma_ratio(1.0 + b, s)
}

/// A function of h and b with these derivatives.
fn of_two<const K: usize>(h: Dual<K>, b: Dual<K>, value: f64, along: [f64; 2]) -> Dual<K> {
    h.map(value, along[0]) + b.map(0.0, along[1])
}

/// ln E[yʰ] for y with the beta distribution of 1 and b.
pub(super) fn log_moment_of_beta<const K: usize>(h: Dual<K>, b: Dual<K>) -> Dual<K> {
    let (s, n) = (h.value, b.value);
    of_two(h, b, beta_log_moment(s, n), [-digamma_difference(1.0 + s, n), -digamma_difference(1.0 + n, s)])
}

/// ln E[y²ʰ] − 2 ln E[yʰ] for y with the beta distribution of 1 and b.
pub(super) fn log_spread_of_beta<const K: usize>(h: Dual<K>, b: Dual<K>) -> Dual<K> {
    let (s, n) = (h.value, b.value);
    let value = if s < 0.5 {
        second_difference(s, |u| trigamma_drop(1.0 + u, n))
    } else {
        beta_log_moment(2.0 * s, n) - 2.0 * beta_log_moment(s, n)
    };
    let along_h = 2.0 * (digamma_difference(1.0 + s, n) - digamma_difference(1.0 + 2.0 * s, n));
    let along_b = 2.0 * digamma_difference(1.0 + n, s) - digamma_difference(1.0 + n, 2.0 * s);
    of_two(h, b, value, [along_h, along_b])
}

/// ψ′(x) − ψ′(x + b).
fn trigamma_drop(x: f64, b: f64) -> f64 {
    if b < 1.0 {
        return -b * unit_nodes().map(|(t, w)| w * tetragamma(x + b * t)).sum::<f64>();
    }
    trigamma(x) - trigamma(x + b)
}
