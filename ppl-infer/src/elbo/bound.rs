//! The evidence lower bound of one pair of runs.

use ppl_core::backend::Backend;
use ppl_core::site::SiteKind;
use ppl_core::trace::SiteRecord;
use ppl_core::{Dtype, Error};

use super::points::check_pathwise_site;
use crate::pair::Pair;

/// The guide's sites that were drawn.
pub(super) fn drawn<E: Dtype, D: Backend<E>>(pair: &Pair<E, D>) -> impl Iterator<Item = &SiteRecord<E, D>> {
    pair.guide.sites().filter(|site| matches!(site.kind, SiteKind::Sample | SiteKind::Auxiliary))
}

/// log p − log q of one pair.
pub(super) fn finite_elbo<E: Dtype, D: Backend<E>>(pair: &Pair<E, D>) -> Result<f64, Error> {
    if let Some(problem) = pair.problem() {
        return Err(problem.clone());
    }
    let model: f64 = pair.model.sites().map(|site| site.log_prob.item().wide()).sum();
    let guide: f64 = drawn(pair).map(|site| site.log_prob.item().wide()).sum();
    Ok(model - guide)
}

/// That all draws of the guide are pathwise, as `what` needs; `remedy` is what else to do.
pub(super) fn check_pathwise<E: Dtype, D: Backend<E>>(
    pair: &Pair<E, D>,
    what: &str,
    remedy: &str,
) -> Result<(), Error> {
    drawn(pair).try_for_each(|site| check_pathwise_site(site, what, remedy))
}
