//! What a gate makes of a distribution at one element.

use std::marker::PhantomData;

use crate::distributions::counting::{Odds, times};
use crate::dtype::Dtype;
use crate::functions::Function;

/// What of the base is gated.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    LogProb,
    Cdf,
    Survival,
    LogCdf,
    LogSurvival,
}

/// Something of a zero-inflated distribution at a value, from the same of the base and the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gated<O> {
    what: What,
    odds: PhantomData<O>,
}

impl<O: Odds> Gated<O> {
    /// With the gate given as `O` says.
    pub(super) fn new(what: What) -> Self {
        Gated { what, odds: PhantomData }
    }
}

impl<E: Dtype, O: Odds> Function<E, 3> for Gated<O> {
    fn name(&self) -> &'static str {
        "ZeroInflated"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [x, base, t] = args.map(E::wide);
        E::of(match self.what {
            What::LogProb if x == 0.0 => log_zero::<O>(base, t),
            What::LogProb if base == f64::NEG_INFINITY => base,
            What::LogProb => O::ln_q(t) + base,
            What::Cdf if x >= 0.0 => at_most_one(O::p(t) + O::q(t) * base),
            What::Survival if x >= 0.0 => O::q(t) * base,
            What::LogCdf if x >= 0.0 => log_zero::<O>(base, t),
            What::LogSurvival if x >= 0.0 && base > f64::NEG_INFINITY => O::ln_q(t) + base,
            What::Cdf | What::Survival | What::LogCdf | What::LogSurvival => base,
        })
    }

    fn partials(&self, args: [E; 3], value: E) -> [E; 3] {
        let [x, base, t] = args.map(E::wide);
        let [along_base, along_gate] = match self.what {
            _ if value == E::neg_infinity() => [0.0, 0.0],
            What::LogProb if x == 0.0 => log_zero_slopes::<O>(base, t),
            What::LogCdf if x >= 0.0 => log_zero_slopes::<O>(base, t),
            What::LogProb => [1.0, -O::slopes(t)[1]],
            What::LogSurvival if x >= 0.0 => [1.0, -O::slopes(t)[1]],
            What::Cdf if x >= 0.0 => [O::q(t), (1.0 - base) * O::slope(t)],
            What::Survival if x >= 0.0 => [O::q(t), -base * O::slope(t)],
            What::Cdf | What::Survival | What::LogCdf | What::LogSurvival => [1.0, 0.0],
        };
        [E::of(0.0), E::of(along_base), E::of(along_gate)]
    }
}

/// A probability that may have been rounded beyond 1.
fn at_most_one(p: f64) -> f64 {
    if p > 1.0 { 1.0 } else { p }
}

/// The slopes of [`log_zero`] along b and t.
fn log_zero_slopes<O: Odds>(b: f64, t: f64) -> [f64; 2] {
    let log = log_zero::<O>(b, t);
    [(O::ln_q(t) + b - log).exp(), times(-b.exp_m1() * (-log).exp(), O::slope(t))]
}

/// ln(p + q eᵇ), with p the gate and b the base's log-mass of 0, or its log-cdf.
fn log_zero<O: Odds>(b: f64, t: f64) -> f64 {
    let (gate, open) = (O::ln_p(t), O::ln_q(t) + b);
    let (most, least) = if gate > open { (gate, open) } else { (open, gate) };
    if most == f64::NEG_INFINITY {
        most
    } else if O::p(t) + O::q(t) * b.exp() > 0.5 {
        // 1 − q (1 − eᵇ), which keeps its digits near 0.
        (O::q(t) * b.exp_m1()).ln_1p()
    } else {
        most + (least - most).exp().ln_1p()
    }
}
