//! Gamma, beta and what is made of them.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::distributions::{Beta, Chi2, Exponential, Gamma, InverseGamma, StudentT};

use super::domain::{POSITIVE, REAL};
use super::{Family, numbers};

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family::continuous("Exponential", |p| numbers(Exponential::new(&p[0])))
            .parameters(&[("rate", POSITIVE)])
            .typical(&[&[1.0], &[0.25], &[3.5]])
            .beyond(&[-1e-3, f64::INFINITY]),
        Family::continuous("Gamma", |p| numbers(Gamma::new(&p[0], &p[1])))
            .parameters(&[("concentration", POSITIVE), ("rate", POSITIVE)])
            .typical(&[&[1.5, 1.0], &[0.5, 2.0], &[30.0, 3.5]])
            .beyond(&[-1e-3, f64::INFINITY]),
        Family::continuous("Beta", |p| numbers(Beta::new(&p[0], &p[1])))
            .parameters(&[("concentration1", POSITIVE), ("concentration0", POSITIVE)])
            .typical(&[&[1.5, 2.0], &[0.5, 0.75], &[30.0, 12.0]])
            .beyond(&[-1e-3, 1.001]),
        Family::continuous("StudentT", |p| numbers(StudentT::new(&p[0], &p[1], &p[2])))
            .parameters(&[("df", POSITIVE), ("loc", REAL), ("scale", POSITIVE)])
            .typical(&[&[5.0, 0.0, 1.0], &[2.5, -1.5, 0.5], &[120.0, 2.0, 3.0]])
            .beyond(&[f64::NEG_INFINITY, f64::INFINITY]),
        Family::continuous("InverseGamma", |p| numbers(InverseGamma::new(&p[0], &p[1])))
            .parameters(&[("concentration", POSITIVE), ("rate", POSITIVE)])
            .typical(&[&[3.5, 1.0], &[0.75, 2.0], &[30.0, 3.5]])
            .beyond(&[-1e-3, f64::INFINITY]),
        Family::continuous("Chi2", |p| numbers(Chi2::new(&p[0])))
            .parameters(&[("df", POSITIVE)])
            .typical(&[&[3.0], &[1.25], &[60.0]])
            .beyond(&[-1e-3, f64::INFINITY]),
    ]
}
