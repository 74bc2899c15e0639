//! Location and scale, taken out of a distribution by degrees: from the centred to the non-centred form.

use crate::backend::Backend;
use crate::distribution::BaseForm;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::site::SampleSite;

use super::strategy::{Strategy, no_form, through_base};

/// Takes location and scale out of a site `theta`: latent is `theta_decentered`, of the same family with
/// location c · loc and scale scaleᶜ, and
///
/// theta = loc + scale^(1 − c) · (theta_decentered − c · loc)
///
/// is deterministic. With c = 0 (the non-centred form) the latent variable does not know location and scale at
/// all, which is what a sampler wants where the data say little of theta; with c = 1 it is theta.
/// Gradients reach location and scale through both.
///
/// For families over numbers with location and scale: Normal, StudentT, Cauchy, Laplace, AsymmetricLaplace,
/// Logistic, Gumbel, also with `to_event` or `mask` around them.
///
/// ```
/// use ppl_core::{Cpu, Tensor, address::Address, distributions::Normal, primitives::sample};
/// use ppl_core::handler::Handler;
/// use ppl_core::handlers::{Effect, LocScale, Prior, Reparam, Tracer};
///
/// let reparam = Reparam::new().site("theta", LocScale::new(0.0));
/// let (mut prior, mut theta) = (Prior::seeded(1), 0.0);
/// let mut tracer = Tracer::<f64, Cpu>::new(&mut prior);
/// // What `model.reparam(reparam)` does with the model's body.
/// reparam.around(&mut tracer, &mut |h| {
///     let value: Tensor<(), f64> = sample(h, Address::fixed("theta"), Normal::new(10.0, 2.0));
///     theta = value.item();
/// });
/// let trace = tracer.into_trace();
/// let latent = trace.value::<Tensor<(), f64>>("theta_decentered").unwrap().item();
/// assert_eq!(theta, 10.0 + 2.0 * latent);
/// assert!(trace.site("theta_decentered").unwrap().is_latent());
/// assert_eq!(trace.site("theta").unwrap().log_prob.item(), 0.0);
/// ```
///
/// Reference: Gorinova, Moore, Hoffman, *Automatic Reparameterisation of Probabilistic Programs*, ICML 2020;
/// NumPyro's `LocScaleReparam`, which leaves a site with c = 1 as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocScale {
    centered: f64,
}

impl LocScale {
    /// With c = `centered`, from 0 (all of location and scale is in the map) to 1 (none is). Another number is
    /// an error of the run, at the site.
    pub fn new(centered: f64) -> Self {
        LocScale { centered }
    }
}

impl<E: Dtype, D: Backend<E>> Strategy<E, D> for LocScale {
    fn reparameterise(&self, site: &mut dyn SampleSite<E, D>, handler: &mut dyn Handler<E, D>) -> Result<(), Error> {
        let centered = self.centered;
        if !(0.0..=1.0).contains(&centered) {
            let problem = format!("`centered` of LocScale must be in [0, 1], but it is {centered}");
            return Err(Error::Site { site: site.name().to_owned(), problem });
        }
        if through_base(site, BaseForm::LocScale { centered }, "_decentered", handler)? {
            return Ok(());
        }
        let instead = "LocScale takes Normal, StudentT, Cauchy, Laplace, Logistic, Gumbel and the like; \
                       TransformBase takes transformed distributions";
        Err(no_form(site, "no location and scale that only move and stretch its values", instead))
    }
}
