//! The relaxed Bernoulli distribution of one element.

use std::f64::consts::PI;
use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Open01;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support, UNIT_INTERVAL};
use crate::distributions::univariate::{Curve, Dual, Moment, Named, Sampler, Univariate};
use crate::dtype::Dtype;
use crate::functions::unary::{sigmoid, softplus};
use crate::tensor::Flat;

/// With a probability (`PROBS`) or log-odds as parameter beside the temperature, over log-odds
/// (`LOGIT`) or numbers between 0 and 1.
#[derive(Clone, Copy, Debug)]
pub(in crate::distributions) struct Law<const PROBS: bool, const LOGIT: bool>;

impl<const PROBS: bool, const LOGIT: bool> Named<2> for Law<PROBS, LOGIT> {
    const NAME: &'static str = if LOGIT { "LogitRelaxedBernoulli" } else { "RelaxedBernoulli" };
    const PARAMETERS: [&'static str; 2] = ["temperature", if PROBS { "probs" } else { "logits" }];
}

/// ln(p / (1 − p)).
fn log_odds(p: f64) -> f64 {
    p.ln() - (-p).ln_1p()
}

impl<const PROBS: bool, const LOGIT: bool> Law<PROBS, LOGIT> {
    /// The parameter's log-odds.
    fn logit(parameter: f64) -> f64 {
        if PROBS { log_odds(parameter) } else { parameter }
    }

    /// Their slope.
    fn logit_slope(parameter: f64) -> f64 {
        if PROBS { 1.0 / (parameter * (1.0 - parameter)) } else { 1.0 }
    }

    /// The value's log-odds.
    fn odds(x: f64) -> f64 {
        if LOGIT { x } else { log_odds(x) }
    }

    /// τ · odds − logit, which is a standard logistic variable.
    fn standard(x: f64, [temperature, parameter]: [f64; 2]) -> f64 {
        temperature * Self::odds(x) - Self::logit(parameter)
    }

    /// The slope of a value along its log-odds.
    fn spread(x: f64) -> f64 {
        if LOGIT { 1.0 } else { x * (1.0 - x) }
    }

    /// The value with these log-odds.
    fn of_odds(odds: f64) -> f64 {
        if LOGIT { odds } else { sigmoid(odds) }
    }

    fn outside(x: f64) -> bool {
        if LOGIT { x.is_infinite() } else { !(0.0..=1.0).contains(&x) && !x.is_nan() }
    }
}

/// The density at the ends 0 and 1 is of order ε^(τ − 1).
fn at_an_end(x: f64, temperature: f64, logit: f64) -> f64 {
    if temperature < 1.0 {
        f64::INFINITY
    } else if temperature > 1.0 {
        f64::NEG_INFINITY
    } else if x == 0.0 {
        -logit
    } else {
        logit
    }
}

/// The log-odds of a probability, as a formula.
fn logit_of<const PROBS: bool>(parameter: Dual<2>) -> Dual<2> {
    if PROBS { parameter.ln() - (-parameter).ln_1p() } else { parameter }
}

impl<const PROBS: bool, const LOGIT: bool> Univariate<2> for Law<PROBS, LOGIT> {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        if PROBS { [&Positive, &UNIT_INTERVAL] } else { [&Positive, &Real] }
    }

    fn conflict([_, parameter]: [f64; 2]) -> Option<(usize, String)> {
        (PROBS && (parameter == 0.0 || parameter == 1.0)).then(|| (1, "strictly between 0 and 1".into()))
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        if LOGIT { Arc::new(Real) } else { Arc::new(UNIT_INTERVAL) }
    }

    fn log_kernel(x: f64, parameters: [f64; 2]) -> f64 {
        if Self::outside(x) {
            return f64::NEG_INFINITY;
        }
        let [temperature, parameter] = parameters;
        if !LOGIT && (x == 0.0 || x == 1.0) {
            return at_an_end(x, temperature, Self::logit(parameter));
        }
        let u = Self::standard(x, parameters).abs();
        if u == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        let jacobian = if LOGIT { 0.0 } else { x.ln() + (-x).ln_1p() };
        temperature.ln() - u - 2.0 * (-u).exp().ln_1p() - jacobian
    }

    fn log_kernel_slopes(x: f64, parameters: [f64; 2]) -> (f64, [f64; 2]) {
        let [temperature, parameter] = parameters;
        let bend = (0.5 * Self::standard(x, parameters)).tanh();
        let at_end = !LOGIT && (x == 0.0 || x == 1.0);
        let own = if LOGIT { 0.0 } else { (1.0 - x).recip() - x.recip() };
        if at_end {
            let along_logit = if temperature == 1.0 { 2.0 * x - 1.0 } else { 0.0 };
            return (0.0, [0.0, along_logit * Self::logit_slope(parameter)]);
        }
        let along_x = own - temperature * bend / Self::spread(x);
        (along_x, [temperature.recip() - bend * Self::odds(x), bend * Self::logit_slope(parameter)])
    }

    const SAMPLER: Sampler<2> = Sampler::Direct(|[temperature, parameter], rng| {
        let noise = log_odds(rng.sample(Open01));
        Self::of_odds((Self::logit(parameter) + noise) / temperature)
    });

    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [temperature, parameter]| {
        let along = Self::spread(x) / temperature;
        [-along * Self::odds(x), along * Self::logit_slope(parameter)]
    });

    const CDF: Option<Curve<2>> = Some(|x, parameters| {
        if !LOGIT && x <= 0.0 {
            return 0.0;
        }
        if !LOGIT && x >= 1.0 {
            return 1.0;
        }
        sigmoid(Self::standard(x, parameters))
    });

    const SURVIVAL: Option<Curve<2>> = Some(|x, parameters| {
        if !LOGIT && x <= 0.0 {
            return 1.0;
        }
        if !LOGIT && x >= 1.0 {
            return 0.0;
        }
        sigmoid(-Self::standard(x, parameters))
    });

    const LOG_CDF: Option<Curve<2>> = Some(|x, parameters| {
        if !LOGIT && x <= 0.0 {
            return f64::NEG_INFINITY;
        }
        if !LOGIT && x >= 1.0 {
            return 0.0;
        }
        -softplus(-Self::standard(x, parameters))
    });

    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, parameters| {
        if !LOGIT && x <= 0.0 {
            return 0.0;
        }
        if !LOGIT && x >= 1.0 {
            return f64::NEG_INFINITY;
        }
        -softplus(Self::standard(x, parameters))
    });

    const ICDF: Option<Curve<2>> = Some(|q, [temperature, parameter]| {
        if !(0.0..=1.0).contains(&q) {
            return f64::NAN;
        }
        Self::of_odds((Self::logit(parameter) + log_odds(q)) / temperature)
    });

    const MEAN: Option<Moment<2>> =
        if LOGIT { Some(|[temperature, parameter]| logit_of::<PROBS>(parameter) / temperature) } else { None };

    const VARIANCE: Option<Moment<2>> =
        if LOGIT { Some(|[temperature, _]| temperature.square().recip() * (PI * PI / 3.0)) } else { None };

    const ENTROPY: Option<Moment<2>> = if LOGIT { Some(|[temperature, _]| 2.0 - temperature.ln()) } else { None };
}
