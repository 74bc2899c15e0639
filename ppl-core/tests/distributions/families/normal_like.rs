//! Normal distributions and what is made of them.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::distributions::{HalfNormal, LogNormal, Normal};

use super::domain::{POSITIVE, REAL};
use super::{Family, numbers};

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family::continuous("Normal", |p| numbers(Normal::new(&p[0], &p[1])))
            .parameters(&[("loc", REAL), ("scale", POSITIVE)])
            .typical(&[&[0.0, 1.0], &[-1.5, 0.5], &[2.0, 3.0]])
            .beyond(&[f64::INFINITY, f64::NEG_INFINITY]),
        Family::continuous("LogNormal", |p| numbers(LogNormal::new(&p[0], &p[1])))
            .parameters(&[("loc", REAL), ("scale", POSITIVE)])
            .typical(&[&[0.0, 1.0], &[-1.5, 0.5], &[1.0, 2.0]])
            .beyond(&[0.0, -1.0]),
        Family::continuous("HalfNormal", |p| numbers(HalfNormal::new(&p[0])))
            .parameters(&[("scale", POSITIVE)])
            .typical(&[&[1.0], &[0.25], &[3.0]])
            .beyond(&[-1e-3, f64::INFINITY]),
    ]
}
