//! The density with which a statement draws its value, whatever counts of it in the joint density.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::site::{SampleSite, SiteMask};

/// The log-density of a statement's value under its distribution, neither masked nor scaled; all elements together.
pub(crate) fn log_density_of_draw<E: Dtype, D: Backend<E>>(site: &mut dyn SampleSite<E, D>) -> f64 {
    let state = site.state_mut();
    let scale = std::mem::replace(&mut state.scale, 1.0);
    let mask = std::mem::replace(&mut state.mask, SiteMask::All(true));
    let log_density = site.log_prob_sum().item().wide();
    let state = site.state_mut();
    (state.scale, state.mask) = (scale, mask);
    log_density
}
