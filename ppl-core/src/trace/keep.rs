//! What a record of a run keeps of each site.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::site::{SampleSite, SiteKind, SiteState};
use crate::tensor::Tensor;

/// What a record of a run keeps of each site beyond its log-density; by default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The log-density of each plate element.
    pub elements: bool,
    /// The distribution, as a [`Family`](crate::distribution::Family).
    pub families: bool,
    /// The numbers of the value, as [`Numbers`].
    pub numbers: bool,
    /// The sites whose log-density is computed; default all.
    pub densities: Densities,
}

impl Keep {
    /// Nothing beyond the log-densities: the default, as a constant.
    pub const NOTHING: Keep = Keep { elements: false, families: false, numbers: false, densities: Densities::All };
}

/// The sites whose log-density is computed; that of others is recorded as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Densities {
    /// All sites.
    #[default]
    All,
    /// Random variables that are not data.
    Latent,
    /// Data and factors: all that is not latent.
    Given,
    /// No site: for what looks at values alone.
    None,
}

impl Densities {
    /// Whether the log-density of a site is computed.
    pub(super) fn are_of(self, site: &SiteState) -> bool {
        let latent = matches!(site.kind, SiteKind::Sample | SiteKind::Auxiliary) && !site.observed;
        match self {
            Densities::All => true,
            Densities::Latent => latent,
            Densities::Given => !latent,
            Densities::None => false,
        }
    }
}

/// The numbers of a site's value.
#[derive(Clone, Debug)]
pub struct Numbers<E: Dtype, D: Backend<E>> {
    /// All of them in row-major order; tracked where the value is.
    pub values: Tensor<(usize,), E, D>,
    /// Which of them no mask leaves out; `None` where all count.
    pub counts: Option<Arc<[bool]>>,
}

impl<E: Dtype, D: Backend<E>> Numbers<E, D> {
    /// Those of a site that has its value; `None` where it is no tensor of the model's dtype.
    pub(super) fn of(site: &dyn SampleSite<E, D>) -> Option<Self> {
        let values = site.flat().ok()?;
        Some(Numbers { values, counts: site.counted() })
    }

    /// Whether the number at this place counts.
    pub fn count_at(&self, at: usize) -> bool {
        self.counts.as_ref().is_none_or(|counts| counts[at])
    }
}
