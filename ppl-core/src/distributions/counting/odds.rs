//! A probability p and its complement q, given by p itself, by the log-odds ln(p / q), or by the rate
//! q / p: each keeps its digits in tails of its own.

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real};
use crate::dtype::Dtype;
use crate::functions::unary::{sigmoid, softplus};

use crate::distributions::univariate::Dual;

/// How a probability is given, by one number t.
pub(in crate::distributions) trait Odds: Copy + Send + Sync + 'static {
    /// The set that t lives in, unless a family narrows it.
    fn domain<E: Dtype, D: Backend<E>>() -> &'static dyn Constraint<E, D>;
    /// The probability p.
    fn p(t: f64) -> f64;
    /// Its complement.
    fn q(t: f64) -> f64;
    /// ln p.
    fn ln_p(t: f64) -> f64;
    /// ln q.
    fn ln_q(t: f64) -> f64;
    /// ∂ ln p / ∂t and −∂ ln q / ∂t, of one sign; infinite where p or q is 0.
    fn slopes(t: f64) -> [f64; 2];
    /// ∂p / ∂t.
    fn slope(t: f64) -> f64;
    /// p and q with their derivatives.
    fn dual<const K: usize>(t: Dual<K>) -> [Dual<K>; 2] {
        let (p, q) = (Self::p(t.value), Self::q(t.value));
        [t.map(p, Self::slope(t.value)), t.map(q, -Self::slope(t.value))]
    }
    /// The odds p / q with their derivatives.
    fn odds<const K: usize>(t: Dual<K>) -> Dual<K>;
    /// The odds against, q / p, with their derivatives.
    fn odds_against<const K: usize>(t: Dual<K>) -> Dual<K>;
}

/// p itself.
#[derive(Clone, Copy, Debug)]
pub(in crate::distributions) struct Probs;

impl Odds for Probs {
    fn domain<E: Dtype, D: Backend<E>>() -> &'static dyn Constraint<E, D> {
        &crate::constraint::UNIT_INTERVAL
    }
    #[inline(always)]
    fn p(t: f64) -> f64 {
        t
    }
    #[inline(always)]
    fn q(t: f64) -> f64 {
        1.0 - t
    }
    #[inline(always)]
    fn ln_p(t: f64) -> f64 {
        t.ln()
    }
    #[inline(always)]
    fn ln_q(t: f64) -> f64 {
        (-t).ln_1p()
    }
    #[inline(always)]
    fn slopes(t: f64) -> [f64; 2] {
        [1.0 / t, 1.0 / (1.0 - t)]
    }
    fn slope(_: f64) -> f64 {
        1.0
    }
    fn odds<const K: usize>(t: Dual<K>) -> Dual<K> {
        t / (1.0 - t)
    }
    fn odds_against<const K: usize>(t: Dual<K>) -> Dual<K> {
        (1.0 - t) / t
    }
}

/// The log-odds ln(p / q).
#[derive(Clone, Copy, Debug)]
pub(in crate::distributions) struct Logits;

impl Odds for Logits {
    fn domain<E: Dtype, D: Backend<E>>() -> &'static dyn Constraint<E, D> {
        &Real
    }
    #[inline(always)]
    fn p(t: f64) -> f64 {
        sigmoid(t)
    }
    #[inline(always)]
    fn q(t: f64) -> f64 {
        sigmoid(-t)
    }
    #[inline(always)]
    fn ln_p(t: f64) -> f64 {
        -softplus(-t)
    }
    #[inline(always)]
    fn ln_q(t: f64) -> f64 {
        -softplus(t)
    }
    #[inline(always)]
    fn slopes(t: f64) -> [f64; 2] {
        [sigmoid(-t), sigmoid(t)]
    }
    fn slope(t: f64) -> f64 {
        sigmoid(t) * sigmoid(-t)
    }
    fn odds<const K: usize>(t: Dual<K>) -> Dual<K> {
        t.exp()
    }
    fn odds_against<const K: usize>(t: Dual<K>) -> Dual<K> {
        (-t).exp()
    }
}

/// The rate q / p of a gamma distribution, whose Poisson mixture this is.
#[derive(Clone, Copy, Debug)]
pub(in crate::distributions) struct Rate;

impl Odds for Rate {
    fn domain<E: Dtype, D: Backend<E>>() -> &'static dyn Constraint<E, D> {
        &Positive
    }
    #[inline(always)]
    fn p(t: f64) -> f64 {
        1.0 / (1.0 + t)
    }
    #[inline(always)]
    fn q(t: f64) -> f64 {
        t / (1.0 + t)
    }
    #[inline(always)]
    fn ln_p(t: f64) -> f64 {
        -t.ln_1p()
    }
    #[inline(always)]
    fn ln_q(t: f64) -> f64 {
        if t > 1.0 { -t.recip().ln_1p() } else { t.ln() - t.ln_1p() }
    }
    #[inline(always)]
    fn slopes(t: f64) -> [f64; 2] {
        [-1.0 / (1.0 + t), -1.0 / t / (1.0 + t)]
    }
    fn slope(t: f64) -> f64 {
        -1.0 / (1.0 + t) / (1.0 + t)
    }
    fn odds<const K: usize>(t: Dual<K>) -> Dual<K> {
        t.recip()
    }
    fn odds_against<const K: usize>(t: Dual<K>) -> Dual<K> {
        t
    }
}
