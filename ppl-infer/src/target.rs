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

/// A number between −radius and radius.
pub(crate) fn uniform(radius: f64, rng: &mut Rng) -> f64 {
    radius * rng.gen_range(-1.0..1.0)
}
