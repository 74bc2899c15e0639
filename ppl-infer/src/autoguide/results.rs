//! What a fitted guide says, in the model's own types.

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior, Tracer};
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::trace::Trace;
use ppl_core::{Dtype, Error};
use statrs::function::erf::erfc_inv;

use super::family::{Family, Located};
use super::gaussian::Gaussian;
use super::joint_normal::Covariance;
use super::rows::pick;
use super::{AutoGuide, Named};
use crate::model_density::ModelDensity;

impl<M, F, E: Dtype> AutoGuide<M, F, E> {
    /// The model's run at the median of each unconstrained number (for a point, there): all sites in their own types,
    /// deterministic ones computed, data as they are.
    ///
    /// # Errors
    /// The first error of the run.
    pub fn median<A: Clone, D: Backend<E>>(
        &self,
        params: &ParamStore<E, D>,
        args: impl IntoArgs<Args = A>,
    ) -> Result<M::Trace, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
        F: Located<E, D>,
    {
        let loc = self.family.location(&self.layout, params);
        let mut density = self.density(params, args)?;
        let position = pick(&self.layout, density.sites(), &loc);
        density.trace(&position)?.typed()
    }

    /// The model's run at a quantile of each unconstrained number, for each of these probabilities. The map onto the
    /// values is monotone where a value is one number, so that it has the value's quantile; not so for simplexes.
    ///
    /// # Errors
    /// The first error of a run.
    ///
    /// # Panics
    /// If a probability is not within (0, 1).
    pub fn quantiles<A: Clone, D: Backend<E>>(
        &self,
        params: &ParamStore<E, D>,
        args: impl IntoArgs<Args = A>,
        probabilities: &[f64],
    ) -> Result<Vec<M::Trace>, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
        F: Covariance<E, D>,
    {
        let posterior = self.posterior(params);
        let mut density = self.density(params, args)?;
        let at = |p: f64| {
            let z = z_score(p);
            let numbers: Vec<f64> = posterior.loc.iter().zip(posterior.scale()).map(|(m, s)| m + z * s).collect();
            let position = pick(&self.layout, density.sites(), &numbers);
            density.trace(&position)?.typed()
        };
        probabilities.iter().copied().map(at).collect()
    }

    /// The normal distribution of the unconstrained numbers.
    pub fn posterior<D: Backend<E>>(&self, params: &ParamStore<E, D>) -> Gaussian
    where
        F: Covariance<E, D>,
    {
        self.family.gaussian(&self.layout, params)
    }

    /// The model's runs at so many draws of the guide, each from a stream of the seed of its own. Of a guide that proposes a
    /// point ([`AutoDelta`](super::AutoDelta), and [`AutoLaplaceApproximation`](super::AutoLaplaceApproximation) before its
    /// [`laplace_approximation`](super::AutoLaplaceApproximation::laplace_approximation)) all are that point.
    ///
    /// # Errors
    /// The first error of a run.
    pub fn draws<A: Clone, D: Backend<E>>(
        &self,
        params: &ParamStore<E, D>,
        args: impl IntoArgs<Args = A>,
        draws: u64,
        seed: u64,
    ) -> Result<Vec<M::Trace>, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
        F: Family<E, D> + Named,
    {
        let args = args.into_args();
        let (mut store, mut density) = (params.clone(), None);
        let mut draw = |number: u64| -> Result<Trace<E, D>, Error> {
            let numbers: Vec<f64> = no_grad(|| {
                let mut prior = Prior::new(Rng::stream(seed, number));
                let mut params = Params::new(&mut store, &mut prior);
                let mut tracer = Tracer::new(&mut params);
                let proposal = self.family.propose(&self.layout, &mut tracer)?;
                let parts = proposal.parts.iter().map(|part| Ok(part.at(None, 1.0, &mut tracer)?.to_vec()));
                let parts = parts.collect::<Result<Vec<_>, Error>>()?.concat();
                params.context().finish(parts.into_iter().map(Dtype::wide).collect())
            })?;
            let density = match &mut density {
                Some(density) => density,
                none => none.insert(self.model_density(params.clone(), args.clone())?),
            };
            let position = pick(&self.layout, density.sites(), &numbers);
            density.trace(&position)
        };
        (0..draws).map(|number| draw(number)?.typed()).collect()
    }

    fn density<A: Clone, D: Backend<E>>(
        &self,
        params: &ParamStore<E, D>,
        args: impl IntoArgs<Args = A>,
    ) -> Result<ModelDensity<M, A, E, D>, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        self.model_density(params.clone(), args.into_args())
    }

    fn model_density<A: Clone, D: Backend<E>>(
        &self,
        params: ParamStore<E, D>,
        args: A,
    ) -> Result<ModelDensity<M, A, E, D>, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        ModelDensity::of_a_batch(self.model.clone(), args, params)
    }
}

/// The quantile of the standard normal distribution.
///
/// # Panics
/// If the probability is not within (0, 1).
pub(super) fn z_score(p: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "the probability of a quantile lies in (0, 1), but it is {p}");
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}
