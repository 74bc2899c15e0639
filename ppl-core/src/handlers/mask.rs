//! Leaves sites, or some of their plate elements, out of the log-density.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::site::{SampleSite, SiteMask, SiteState};

use super::Effect;

/// Leaves out what is false: everything, or elements of the plates around each site. Nested masks
/// leave out what either leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask(pub SiteMask);

/// The handler of [`Mask`].
struct MaskHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Mask,
}

impl<E: Dtype, D: Backend<E>> MaskHandler<'_, E, D> {
    fn narrow(&self, state: &mut SiteState) -> Result<(), String> {
        join(&mut state.mask, &self.effect.0)?;
        fits(state)
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for MaskHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        let result = if site.state().is_scored() { self.narrow(site.state_mut()) } else { Ok(()) };
        if let Err(problem) = result {
            site.state_mut().mask = SiteMask::All(true);
            self.inner.context().report(Error::Site { site: site.name().to_owned(), problem });
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Mask {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut MaskHandler { inner, effect: self });
    }
}

/// Both masks: what either leaves out is left out.
fn join(mask: &mut SiteMask, other: &SiteMask) -> Result<(), String> {
    *mask = match (&*mask, other) {
        (SiteMask::All(false), _) | (_, SiteMask::All(false)) => SiteMask::All(false),
        (SiteMask::All(true), other) => other.clone(),
        (this, SiteMask::All(true)) => this.clone(),
        (SiteMask::Elements(a), SiteMask::Elements(b)) if a.len() == b.len() => {
            SiteMask::Elements(a.iter().zip(b.iter()).map(|(&a, &b)| a && b).collect::<Arc<[bool]>>())
        }
        (SiteMask::Elements(a), SiteMask::Elements(b)) => {
            return Err(format!("two masks around it have {} and {} elements", a.len(), b.len()));
        }
    };
    Ok(())
}

/// Whether the mask has one flag for each plate element.
fn fits(state: &SiteState) -> Result<(), String> {
    match &state.mask {
        SiteMask::Elements(mask) if mask.len() != state.plate_elements() => {
            let (found, expected) = (mask.len(), state.plate_elements());
            Err(format!("the mask has {found} elements, but the plates around the site have {expected}"))
        }
        _ => Ok(()),
    }
}
