//! Distributions with a location and a scale, and those on an interval or a circle.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::distributions::{HalfCauchy, Uniform};

use super::domain::{POSITIVE, REAL};
use super::{Family, numbers};

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family::continuous("HalfCauchy", |p| numbers(HalfCauchy::new(&p[0])))
            .parameters(&[("scale", POSITIVE)])
            .typical(&[&[1.0], &[0.25], &[5.0]])
            .beyond(&[-1e-3, f64::INFINITY]),
        Family::continuous("Uniform", |p| numbers(Uniform::new(&p[0], &p[1])))
            .parameters(&[("low", REAL), ("high", REAL)])
            .joint("high", |p| p[0] < p[1])
            .typical(&[&[0.0, 1.0], &[-2.0, 0.5], &[3.0, 10.0]])
            .beyond(&[-1e-3, 1.001]),
    ]
}
