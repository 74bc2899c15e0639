//! What a strategy does with a site: it makes another one, which is latent in its place.

use std::fmt::Debug;

use crate::backend::Backend;
use crate::distribution::BaseForm;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::shared::Shared;
use crate::site::{SampleSite, SiteKind};

/// A way to give a latent site its value by way of another site.
pub trait Strategy<E: Dtype, D: Backend<E>>: Debug + Shared + 'static {
    /// Makes another site, lets `handler` have it, and sets the site's value from it; the site's kind becomes
    /// [`SiteKind::Deterministic`]. The site is random and not observed; if it has a value, it keeps it.
    /// Errors leave the site as it was.
    ///
    /// # Errors
    /// If the site has no such form, with its name.
    fn reparameterise(&self, site: &mut dyn SampleSite<E, D>, handler: &mut dyn Handler<E, D>) -> Result<(), Error>;
}

/// Gives the site its value by way of the site of its distribution's base, whose name has the suffix.
/// `Ok(false)`, and nothing done, where there is no such form.
pub(super) fn through_base<E: Dtype, D: Backend<E>>(
    site: &mut dyn SampleSite<E, D>,
    form: BaseForm,
    suffix: &str,
    handler: &mut dyn Handler<E, D>,
) -> Result<bool, Error> {
    let Some((mut base, map)) = site.base(form) else { return Ok(false) };
    base.state_mut().address = site.state().address.with_suffix(suffix);
    if site.has_value() {
        base.set_flat(&map.inverse(site.flat()?))?;
        handler.sample(&mut *base);
    } else {
        handler.sample(&mut *base);
        site.set_flat(&map.forward(base.flat()?))?;
    }
    site.state_mut().kind = SiteKind::Deterministic;
    Ok(true)
}

/// The error of a site whose distribution has no such form.
pub(super) fn no_form<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, lacks: &str, instead: &str) -> Error {
    let problem = format!("{} has {lacks}; {instead}", site.distribution());
    Error::Site { site: site.name().to_owned(), problem }
}
