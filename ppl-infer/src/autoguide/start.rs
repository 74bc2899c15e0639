//! Where the locations of a guide begin: at numbers where the model has a density and a gradient.

use ppl_core::backend::Backend;
use ppl_core::model::Model;
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};

use crate::density::LogDensity;
use crate::model_density::ModelDensity;
use crate::target::{InitStrategy, Target};

/// How often a start is tried.
const TRIES: usize = 100;

/// # Errors
/// The first error of a run; if no start has a finite density and gradient, the sites of the last one with theirs.
pub(super) fn find<A, M, E, D>(
    density: &mut ModelDensity<M, A, E, D>,
    strategy: &InitStrategy,
    rng: &mut Rng,
    name: &'static str,
) -> Result<Vec<E>, Error>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    let mut last = Vec::new();
    for _ in 0..TRIES {
        let Some(position) = density.candidate(strategy, rng)? else { continue };
        let mut gradient = vec![E::of(0.0); position.len()];
        let value = density.evaluate(&position, &mut gradient)?;
        if value.is_finite() && gradient.iter().all(|g| g.is_finite()) {
            return Ok(position);
        }
        last = position;
    }
    let explained = density.explain(&last)?;
    let bad = explained
        .terms
        .iter()
        .find(|term| !term.log_density.is_finite() || term.gradient.iter().any(|slope| !slope.is_finite()));
    let problem = format!("none of {TRIES} starts has a finite density and gradient; give initial values");
    match bad {
        Some(term) => Err(Error::Site {
            site: term.name.clone(),
            problem: format!("{problem} (at the last one its log-density was {}, at {})", term.log_density, term.value),
        }),
        None => Err(Error::Site { site: name.to_owned(), problem }),
    }
}
