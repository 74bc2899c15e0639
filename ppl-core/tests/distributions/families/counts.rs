//! Distributions over counts.

use ppl_core::Dtype;
use ppl_core::backend::Backend;

use super::Family;

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![]
}
