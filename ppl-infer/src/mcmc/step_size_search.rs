//! A step size to begin with: doubled or halved until a single step is accepted with probability about 0.8.

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use rand::Rng as _;

use super::kernel::{State, StepSizeSearch};
use super::leapfrog::{PhasePoint, leapfrog};
use super::metric::Metric;
use crate::density::LogDensity;

/// The acceptance that a first step size is looked for at.
const ACCEPTANCE: f64 = 0.8;

/// The greatest step size that is tried.
const GREATEST: f64 = 1e7;

/// Doubles the step size while single steps are accepted with more than probability 0.8, or halves it while they
/// are accepted with less, each with a new momentum. Hoffman and Gelman (2014), algorithm 4, with Stan's bounds.
pub(crate) fn search<E: Dtype, D: LogDensity<E>>(
    density: &mut D,
    metric: &mut Metric<E>,
    state: &State<E>,
    begin: f64,
    rng: &mut Rng,
) -> Result<StepSizeSearch, D::Error> {
    let dim = state.position.len();
    if dim == 0 || !(begin > 0.0 && begin <= GREATEST) {
        return Ok(StepSizeSearch::Found(begin));
    }
    let mut points = [PhasePoint::zeros(dim), PhasePoint::zeros(dim)];
    let mut accepts = |step: f64| -> Result<bool, D::Error> {
        let [from, to] = &mut points;
        from.begin(state, metric, rng);
        leapfrog(density, metric, step, from, to)?;
        Ok(from.energy - to.energy > ACCEPTANCE.ln())
    };
    let mut step = begin;
    let grows = accepts(step)?;
    while accepts(step)? == grows {
        step *= if grows { 2.0 } else { 0.5 };
        if step > GREATEST {
            return Ok(StepSizeSearch::TooLarge);
        }
        if E::of(step).wide() == 0.0 {
            return Ok(StepSizeSearch::TooSmall);
        }
    }
    Ok(StepSizeSearch::Found(step))
}

/// A step size of step · (1 ± jitter); draws nothing where there is no jitter.
pub(crate) fn jittered(step: f64, jitter: f64, rng: &mut Rng) -> f64 {
    if jitter > 0.0 { step * (1.0 + jitter * rng.gen_range(-1.0..1.0)) } else { step }
}
