//! Distributions over matrices.

use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::Normal;
use ppl_core::{Axes2, Dtype};

use super::domain::{POSITIVE, REAL};
use crate::multivariate::{Entries, Family, tensors};

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![Family {
        name: "Normal (matrices)",
        build: |p| {
            let (loc, scale) = (p[0].matrices(), p[1].matrices());
            tensors(loc.shape(), Normal::new(loc, scale).to_event::<Axes2<1, 2>>())
        },
        value: Entries::Free,
        parameters: &[("loc", REAL, Entries::Free), ("scale", POSITIVE, Entries::Free)],
        ordinary: 2,
    }]
}
