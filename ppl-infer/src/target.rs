//! The contract of what a chain samples: a density whose positions have names, where chains can begin, and that
//! can say why a position will not do.

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use ppl_core::values::ValueMap;
use rand::Rng as _;

use crate::density::LogDensity;
use crate::draws::{Role, Variable, layout};

// Why a position will not do, term by term.
mod explanation;

pub use explanation::{Explanation, Term};

/// Where a chain begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InitStrategy {
    /// Unconstrained numbers, each uniform between −radius and radius. Stan's and our default, with radius 2.
    Uniform(f64),
    /// A draw from the prior.
    Prior,
    /// The median of so many draws from the prior, number by number, in unconstrained numbers.
    Median(usize),
    /// These values; sites that have none begin uniformly between −2 and 2, in unconstrained numbers.
    Values(ValueMap),
}

impl Default for InitStrategy {
    fn default() -> Self {
        InitStrategy::Uniform(2.0)
    }
}

/// A density that a chain can sample. Only a model needs the methods: for a bare [`LogDensity`] over a vector,
/// `impl Target<f64> for MyDensity {}` will do, and its draws are called `x`.
pub trait Target<E: Dtype>: LogDensity<E> {
    /// What a draw is made of.
    ///
    /// # Errors
    /// What the caller must mend.
    fn variables(&mut self) -> Result<Vec<Variable>, Self::Error> {
        Ok(layout([("x".to_owned(), vec![self.dim()], Role::Latent)]))
    }

    /// Adds the numbers of the variables at a position to `values`.
    ///
    /// # Errors
    /// As [`LogDensity::evaluate`].
    fn values(&mut self, position: &[E], values: &mut Vec<f64>) -> Result<(), Self::Error> {
        values.extend(position.iter().map(|x| x.wide()));
        Ok(())
    }

    /// A position where a chain may begin, if its density is finite there; `None` where the target does not
    /// know this strategy: a bare density has no prior.
    ///
    /// # Errors
    /// What the caller must mend.
    fn candidate(&mut self, strategy: &InitStrategy, rng: &mut Rng) -> Result<Option<Vec<E>>, Self::Error> {
        let InitStrategy::Uniform(radius) = strategy else { return Ok(None) };
        Ok(Some((0..self.dim()).map(|_| E::of(uniform(*radius, rng))).collect()))
    }

    /// Which terms of the log-density and its gradient are not finite at a position.
    ///
    /// # Errors
    /// As [`LogDensity::evaluate`].
    fn explain(&mut self, position: &[E]) -> Result<Explanation, Self::Error> {
        let mut gradient = vec![E::of(0.0); position.len()];
        let log_density = self.evaluate(position, &mut gradient)?;
        let value = Explanation::shown(position);
        let gradient = gradient.iter().map(|g| g.wide()).collect();
        Ok(Explanation { terms: vec![Term { name: "x".into(), what: "density".into(), value, log_density, gradient }] })
    }
}

/// A position whose log-density and gradient are finite, with them.
pub(crate) struct Start<E> {
    pub(crate) position: Vec<E>,
    pub(crate) log_density: f64,
    pub(crate) gradient: Vec<E>,
}

/// Why there is no start.
pub(crate) enum NoStart<T> {
    /// The target's own error.
    Target(T),
    /// The target does not know this strategy.
    Strategy(String),
    /// None of so many positions has a finite log-density and gradient; why the last has not.
    NotFinite { attempts: usize, last: Explanation },
}

/// How many positions are tried, as many as Stan tries.
const ATTEMPTS: usize = 100;

/// The first candidate whose log-density and gradient are finite.
pub(crate) fn finite_start<E: Dtype, T: Target<E>>(
    target: &mut T,
    init: &InitStrategy,
    rng: &mut Rng,
) -> Result<Start<E>, NoStart<T::Error>> {
    // What does not draw gives the same position again.
    let attempts = if let InitStrategy::Uniform(0.0) = init { 1 } else { ATTEMPTS };
    let mut last = Vec::new();
    for _ in 0..attempts {
        let candidate = target.candidate(init, rng).map_err(NoStart::Target)?;
        let position = candidate.ok_or_else(|| NoStart::Strategy(format!("{init:?}")))?;
        let mut gradient = vec![E::of(0.0); position.len()];
        let log_density = target.evaluate(&position, &mut gradient).map_err(NoStart::Target)?;
        if log_density.is_finite() && gradient.iter().all(|g| g.is_finite()) {
            return Ok(Start { position, log_density, gradient });
        }
        last = position;
    }
    Err(NoStart::NotFinite { attempts, last: target.explain(&last).map_err(NoStart::Target)? })
}

/// A number between −radius and radius.
pub(crate) fn uniform(radius: f64, rng: &mut Rng) -> f64 {
    radius * rng.gen_range(-1.0..1.0)
}
