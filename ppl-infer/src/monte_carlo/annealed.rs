//! A model whose data count under a power: from the prior, at 0, to the posterior, at 1.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::Effect;
use ppl_core::site::{SampleSite, SiteKind};
use ppl_core::trace::{SiteRecord, Trace};
use ppl_core::{Dtype, Error};

use crate::pair::scale;

/// Multiplies the log-densities of data and factors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Anneal(pub(super) f64);

struct Annealed<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    power: f64,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Annealed<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if site.is_observed() || site.state().kind == SiteKind::Factor {
            site.state_mut().scale *= self.power;
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Anneal {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut Annealed { inner, power: self.0 });
    }
}

/// The log-density of data and factors in a run in which they count under `power`.
///
/// # Errors
/// One that is NaN or ∞, and latent sites whose densities are not those that they are drawn from.
pub(super) fn log_likelihood<E: Dtype, D: Backend<E>>(trace: &Trace<E, D>, power: f64) -> Result<f64, Error> {
    let mut total = 0.0;
    for site in trace.sites() {
        if site.is_latent() {
            check_latent(site)?;
            continue;
        }
        let term = site.log_prob.item().wide();
        if term.is_nan() || term == f64::INFINITY {
            let unexplained =
                || Error::Site { site: site.address.to_string(), problem: format!("its log-density is {term}") };
            return Err(site.problem.clone().unwrap_or_else(unexplained));
        }
        total += term;
    }
    Ok(total / power)
}

fn check_latent<E: Dtype, D: Backend<E>>(site: &SiteRecord<E, D>) -> Result<(), Error> {
    let problem = if site.enumerate {
        "it is to be summed out, so that data have no density of their own under a power; leave out `enumerate`, or use \
         importance sampling"
            .to_owned()
    } else if (site.scale - 1.0).abs() > 1e-12 {
        let plates = scale(&site.frames);
        format!(
            "its log-density is multiplied by {}, {plates} of it by plates, so that draws of the prior, where annealing \
             begins, do not have it; give plates all their rows, and the site no scale",
            site.scale
        )
    } else {
        return Ok(());
    };
    Err(Error::Site { site: site.address.to_string(), problem })
}
