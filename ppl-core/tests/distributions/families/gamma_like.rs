//! Gamma, beta and what is made of them.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::distributions::Exponential;

use super::domain::POSITIVE;
use super::{Family, numbers};

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family::continuous("Exponential", |p| numbers(Exponential::new(&p[0])))
            .parameters(&[("rate", POSITIVE)])
            .typical(&[&[1.0], &[0.25], &[3.5]])
            .beyond(&[-1e-3, f64::INFINITY]),
    ]
}
