//! Distributions over vectors.

use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::Normal;
use ppl_core::{Axis, Dtype};

use super::domain::{POSITIVE, REAL};
use crate::multivariate::{Entries, Family, tensors};

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![Family {
        name: "Normal (vectors)",
        build: |p| {
            let (loc, scale) = (p[0].vectors(), p[1].vectors());
            tensors(loc.shape(), Normal::new(loc, scale).to_event::<Axis<1>>())
        },
        value: Entries::Free,
        parameters: &[("loc", REAL, Entries::Free), ("scale", POSITIVE, Entries::Free)],
        ordinary: 2,
    }]
}
