//! The negative binomial law for every form of its probability; for a total count that is not whole
//! it is called after Pólya.

use std::marker::PhantomData;

use crate::distributions::standard_gamma::log_standard_gamma;
use crate::distributions::univariate::Dual;
use crate::functions::gamma_function::digamma_difference;
use crate::functions::incomplete_beta::{beta_inc_both, beta_pathwise_logit, ln_beta_inc_both, ln_beta_kernel};
use crate::rng::Rng;

use super::entropy::{Law, NARROW, narrow_entropy};
use super::odds::Odds;
use super::quantile::{Shape, smallest_reaching};
use super::saddle_point::{gap, log_binomial};
use super::{draw as draws, log_step, log_step_down, on_counts, step, step_down, step_slopes, times};

/// The logarithm of the furthest mean.
const FURTHEST: f64 = 668.0;

/// Γ(x + r) / (x! Γ(r)) qʳ pˣ, with p given by `O`.
pub(in crate::distributions) struct Polya<O>(PhantomData<O>);

impl<O: Odds> Polya<O> {
    /// The logarithm of the mass: r / (x + r) times that of a binomial distribution with x + r trials.
    #[inline]
    pub(in crate::distributions) fn log_mass(x: f64, [r, t]: [f64; 2]) -> f64 {
        on_counts(x, f64::INFINITY, || Self::smooth_log_mass(x, [r, t]))
    }

    /// The same at any x ≥ 0.
    #[inline]
    fn smooth_log_mass(x: f64, [r, t]: [f64; 2]) -> f64 {
        if x == 0.0 {
            return times(r, O::ln_q(t));
        }
        if r == 0.0 || O::ln_p(t) == f64::NEG_INFINITY {
            return f64::NEG_INFINITY;
        }
        let gap = gap(x, r, O::p(t), O::q(t));
        let log_share = if r > x { -(x / r).ln_1p() } else { r.ln() - x.ln() - (r / x).ln_1p() };
        log_binomial(x, r, gap, || O::ln_p(t), || O::ln_q(t)) + log_share
    }

    /// Its derivatives along r and t.
    #[inline]
    pub(in crate::distributions) fn log_mass_slopes(x: f64, [r, t]: [f64; 2]) -> [f64; 2] {
        let [success, failure] = O::slopes(t);
        let more = if x == 0.0 { 0.0 } else { digamma_difference(r, x) };
        [more + O::ln_q(t), times(x, success) - times(r, failure)]
    }

    /// P(X ≤ k) = I(q; r, k + 1), and its complement.
    fn tails(k: f64, [r, t]: [f64; 2]) -> [f64; 2] {
        if r == 0.0 { [1.0, 0.0] } else { beta_inc_both(r, k + 1.0, [O::q(t), O::p(t)]) }
    }

    /// Their logarithms.
    fn log_tails(k: f64, [r, t]: [f64; 2]) -> [f64; 2] {
        if r == 0.0 { [0.0, f64::NEG_INFINITY] } else { ln_beta_inc_both(r, k + 1.0, [O::q(t), O::p(t)]) }
    }

    /// P(X ≤ x).
    pub(in crate::distributions) fn cdf(x: f64, parameters: [f64; 2]) -> f64 {
        step(x, f64::INFINITY, |k| Self::tails(k, parameters)[0])
    }

    /// P(X > x).
    pub(in crate::distributions) fn survival(x: f64, parameters: [f64; 2]) -> f64 {
        step_down(x, f64::INFINITY, |k| Self::tails(k, parameters)[1])
    }

    /// ln P(X ≤ x).
    pub(in crate::distributions) fn log_cdf(x: f64, parameters: [f64; 2]) -> f64 {
        log_step(x, f64::INFINITY, |k| Self::log_tails(k, parameters)[0])
    }

    /// ln P(X > x).
    pub(in crate::distributions) fn log_survival(x: f64, parameters: [f64; 2]) -> f64 {
        log_step_down(x, f64::INFINITY, |k| Self::log_tails(k, parameters)[1])
    }

    /// The cdf's derivatives along r and t, over the exponential of `over`.
    pub(in crate::distributions) fn cdf_slopes(x: f64, [r, t]: [f64; 2], over: f64) -> (f64, [f64; 2]) {
        let (p, q) = (O::p(t), O::q(t));
        step_slopes(x, f64::INFINITY, |k| {
            let along_t = -times((r + k) * (Self::log_mass(k, [r, t]) - over).exp(), O::slopes(t)[1]);
            let weight = if p * q * r > 0.0 { (ln_beta_kernel(r, k + 1.0, [q, p]) - over).exp() } else { 0.0 };
            let along_r = if weight > 0.0 { -weight * beta_pathwise_logit(r, k + 1.0, [q, p])[0] } else { 0.0 };
            [along_r, along_t]
        })
    }

    /// The entropy. NaN where the mean is beyond 10²⁹⁰.
    pub(in crate::distributions) fn entropy<const K: usize>([r, t]: [Dual<K>; 2]) -> Dual<K> {
        let parameters = [r.value, t.value];
        let (p, centre) = (O::p(t.value), r.value.ln() + O::ln_p(t.value) - O::ln_q(t.value));
        if r.value == 0.0 || p == 0.0 {
            let steepest = |varies: bool| if varies { f64::INFINITY } else { 0.0 };
            return r.map(0.0, steepest(p > 0.0)) + t.map(0.0, times(O::slope(t.value), steepest(r.value > 0.0)));
        }
        if r.value * p > NARROW {
            let [success, failure] = O::slopes(t.value);
            let log_variance = centre - O::ln_q(t.value);
            return narrow_entropy(r.map(log_variance, r.value.recip()) + t.map(0.0, success + 2.0 * failure));
        }
        if centre.is_nan() || centre >= FURTHEST {
            return r.map(f64::NAN, f64::NAN) + t.map(f64::NAN, f64::NAN);
        }
        let shape = |x: f64, _: f64| {
            let slope = O::ln_p(t.value) + ((r.value - 1.0) / (x + 1.0)).ln_1p();
            [x / (1.0 + x / r.value), slope * x]
        };
        let law = Law {
            n: f64::INFINITY,
            centre,
            log_mass: &|x, _| Self::smooth_log_mass(x, parameters),
            score: &|x, _| Self::log_mass_slopes(x, parameters),
            shape: &shape,
            falls: [r.value >= 1.0, true],
        };
        let [value, along_r, along_t] = law.entropy();
        r.map(value, along_r) + t.map(0.0, along_t)
    }

    /// The smallest count whose cdf reaches `probability`.
    pub(in crate::distributions) fn icdf(probability: f64, [r, t]: [f64; 2]) -> f64 {
        let (p, q) = (O::p(t), O::q(t));
        let mean = r * p / q;
        let deviation = (mean / q).sqrt();
        let shape = Shape { mean, deviation, skewness: (1.0 + p) / (r * p).sqrt() };
        let largest = if r == 0.0 || p == 0.0 { 0.0 } else { f64::INFINITY };
        smallest_reaching(probability, largest, &shape, |k| Self::cdf(k, [r, t]))
    }
}

/// A Poisson count whose rate is p / q times a gamma variable of concentration r.
pub(in crate::distributions) fn draw<O: Odds>([r, t]: [f64; 2], rng: &mut Rng) -> f64 {
    if r == 0.0 {
        return 0.0;
    }
    let rate = (log_standard_gamma(r, rng) + O::ln_p(t) - O::ln_q(t)).exp();
    // A rate beyond the largest float has counts beyond it, too.
    draws::poisson(if rate == f64::INFINITY { f64::MAX } else { rate }, rng)
}
