//! Posteriors in closed form: what a prior becomes once a sample of its likelihood was seen.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::distribution::Distribution;
use crate::dtype::Dtype;
use crate::functions::apply;
use crate::tensor::Tensor;

use super::{Beta, Dirichlet, Gamma, InverseGamma, Normal};

// What of a sample the posterior depends on.
mod samples;
// A normal loc between prior and sample.
mod precision;
// Posteriors against sums over grids.
#[cfg(test)]
mod grids;

use precision::{PosteriorLoc, PosteriorScale};
pub use samples::{
    BernoulliSample, CategoricalSample, ExponentialSample, NormalDeviations, NormalSample, PoissonSample,
};

/// A prior that is conjugate to the likelihood of `Sample`: the posterior is of its own family.
///
/// | prior | of | sample |
/// |---|---|---|
/// | [`Beta`] | the probability of a one, of a success | [`BernoulliSample`] |
/// | [`Dirichlet`] | the probabilities of categories | [`CategoricalSample`] |
/// | [`Gamma`] | the rate of counts | [`PoissonSample`] |
/// | [`Gamma`] | the rate of waiting times | [`ExponentialSample`] |
/// | [`Gamma`] | the precision 1 / scale² of normal values with a known loc | [`NormalDeviations`] |
/// | [`InverseGamma`] | the variance of normal values with a known loc | [`NormalDeviations`] |
/// | [`Normal`] | the loc of normal values with a known scale | [`NormalSample`] |
///
/// The posterior of two samples is that of the second with the posterior of the first as its prior.
/// Gradients flow to the prior's parameters and to the sample.
///
/// ```
/// use ppl_core::{Axis, Tensor, distribution::Distribution};
/// use ppl_core::distributions::{Beta, BernoulliSample, Conjugate};
/// // Two coins, three throws of each.
/// let throws = Tensor::<_, f64>::from([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]);
/// let prior = Beta::new(Tensor::from([1.0, 1.0]), 1.0);
/// let posterior = prior.posterior(&BernoulliSample::of::<_, Axis<0>>(&throws));
/// assert_eq!(posterior.mean().unwrap().to_vec(), [0.8, 0.4]);
/// ```
///
/// Reference: Gelman et al., *Bayesian Data Analysis*, 3rd ed., ch. 2 and 3.
pub trait Conjugate<Sample>: Sized {
    /// The distribution given the sample.
    ///
    /// # Panics
    /// If a statistic of the sample has another shape than the prior's batch, with both.
    #[must_use]
    #[track_caller]
    fn posterior(&self, sample: &Sample) -> Self;
}

impl<S: Shape, E: Dtype, D: Backend<E>> Conjugate<BernoulliSample<S, E, D>> for Beta<S, E, D> {
    fn posterior(&self, sample: &BernoulliSample<S, E, D>) -> Self {
        let shape = self.batch_shape();
        Beta::new(self.concentration1() + sample.ones(shape), self.concentration0() + sample.zeros(shape))
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Conjugate<CategoricalSample<S, E, D>> for Dirichlet<S, E, D> {
    fn posterior(&self, sample: &CategoricalSample<S, E, D>) -> Self {
        let concentration = self.concentration();
        let shape = concentration.shape();
        Dirichlet::new(concentration + sample.counts(shape))
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Conjugate<PoissonSample<S, E, D>> for Gamma<S, E, D> {
    fn posterior(&self, sample: &PoissonSample<S, E, D>) -> Self {
        let shape = self.batch_shape();
        Gamma::new(self.concentration() + sample.total(shape), self.rate() + sample.exposure(shape))
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Conjugate<ExponentialSample<S, E, D>> for Gamma<S, E, D> {
    fn posterior(&self, sample: &ExponentialSample<S, E, D>) -> Self {
        let shape = self.batch_shape();
        Gamma::new(self.concentration() + sample.count(shape), self.rate() + sample.total(shape))
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Conjugate<NormalDeviations<S, E, D>> for Gamma<S, E, D> {
    fn posterior(&self, sample: &NormalDeviations<S, E, D>) -> Self {
        let [count, squares] = sample.halves(self.batch_shape());
        Gamma::new(self.concentration() + count, self.rate() + squares)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Conjugate<NormalDeviations<S, E, D>> for InverseGamma<S, E, D> {
    fn posterior(&self, sample: &NormalDeviations<S, E, D>) -> Self {
        let [count, squares] = sample.halves(self.batch_shape());
        InverseGamma::new(self.concentration() + count, self.rate() + squares)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Conjugate<NormalSample<S, E, D>> for Normal<S, E, D> {
    fn posterior(&self, sample: &NormalSample<S, E, D>) -> Self {
        let shape = self.batch_shape();
        let [loc, prior, mean] = [self.loc(), self.scale(), sample.mean(shape)].map(Tensor::into_flat);
        let [scale, count] = [sample.scale(shape), sample.count(shape)].map(Tensor::into_flat);
        let narrowed = apply(PosteriorScale, [prior.clone(), scale.clone(), count.clone()], shape);
        Normal::new(apply(PosteriorLoc, [loc, prior, mean, scale, count], shape), narrowed)
    }
}
