//! The base of a transformed distribution in its place.

use crate::backend::Backend;
use crate::distribution::BaseForm;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::site::SampleSite;

use super::strategy::{Strategy, no_form, through_base};

/// Takes the transform out of a site `theta`: latent is `theta_base`, of the base's distribution, and `theta`,
/// its image, is deterministic. It is for transforms whose parameters depend on other latent sites, or that
/// bend what is simple in the base.
///
/// For [`TransformedDistribution`](crate::distributions::TransformedDistribution), and for what is one in disguise,
/// with `to_event` or `mask` around it too:
///
/// - LogNormal, the exponential of a Normal, to which [`LocScale`](super::LocScale) can follow, as `theta_base`;
/// - HalfNormal, HalfCauchy, Exponential, Gamma, InverseGamma, Weibull and Pareto, of the same family with scale (or
///   rate) 1: the scales of a horseshoe prior, for example;
/// - MultivariateNormal and MultivariateStudentT, the image of a standard one under
///   [`LowerCholeskyAffine`](crate::transform::LowerCholeskyAffine).
///
/// ```
/// use ppl_core::{Cpu, Tensor, address::Address, distributions::LogNormal, primitives::sample};
/// use ppl_core::handler::Handler;
/// use ppl_core::handlers::{Effect, Prior, Reparam, Tracer, TransformBase};
///
/// let reparam = Reparam::new().site("theta", TransformBase);
/// let mut prior = Prior::seeded(1);
/// let mut tracer = Tracer::<f64, Cpu>::new(&mut prior);
/// // What `model.reparam(reparam)` does with the model's body.
/// reparam.around(&mut tracer, &mut |h| {
///     let _: Tensor<(), f64> = sample(h, Address::fixed("theta"), LogNormal::new(0.5, 2.0));
/// });
/// let trace = tracer.into_trace();
/// let at = |name: &str| trace.value::<Tensor<(), f64>>(name).unwrap().item();
/// assert_eq!(at("theta"), at("theta_base").exp());
/// assert_eq!(trace.site("theta_base").unwrap().distribution, "Normal");
/// ```
///
/// Reference: NumPyro's `TransformReparam`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransformBase;

impl<E: Dtype, D: Backend<E>> Strategy<E, D> for TransformBase {
    fn reparameterise(&self, site: &mut dyn SampleSite<E, D>, handler: &mut dyn Handler<E, D>) -> Result<(), Error> {
        if through_base(site, BaseForm::Transform, "_base", handler)? {
            return Ok(());
        }
        let instead = "write it as a TransformedDistribution of one, or use LocScale for location and scale";
        Err(no_form(site, "no base of which it is a transform", instead))
    }
}
