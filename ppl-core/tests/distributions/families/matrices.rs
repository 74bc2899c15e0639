//! Distributions over matrices, and over vectors with a matrix for a parameter.

use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{LowRankMultivariateNormal, MultivariateNormal, Normal};
use ppl_core::{Axes2, Dtype};

use super::domain::{MATRIX, POSITIVE, REAL};
use crate::multivariate::{Entries, Family, tensors};

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family {
            name: "Normal (matrices)",
            build: |p| {
                let (loc, scale) = (p[0].matrices(), p[1].matrices());
                tensors(loc.shape(), Normal::new(loc, scale).to_event::<Axes2<1, 2>>())
            },
            value: Entries::Free,
            parameters: &[("loc", REAL, Entries::Free), ("scale", POSITIVE, Entries::Free)],
            ordinary: 2,
        },
        Family {
            name: "MultivariateNormal",
            build: |p| {
                let loc = p[0].vectors();
                tensors(loc.shape(), MultivariateNormal::<(usize, usize, usize), _, _>::new(&loc, p[1].matrices()))
            },
            value: Entries::Free,
            parameters: &[("loc", REAL, Entries::Free), ("covariance_matrix", MATRIX, Entries::Symmetric)],
            ordinary: 2,
        },
        Family {
            name: "MultivariateNormal (precision)",
            build: |p| {
                let loc = p[0].vectors();
                let matrix = p[1].matrices();
                tensors(loc.shape(), MultivariateNormal::<(usize, usize, usize), _, _>::from_precision(&loc, matrix))
            },
            value: Entries::Free,
            parameters: &[("loc", REAL, Entries::Free), ("precision_matrix", MATRIX, Entries::Symmetric)],
            ordinary: 2,
        },
        Family {
            name: "MultivariateNormal (scale_tril)",
            build: |p| {
                let loc = p[0].vectors();
                let matrix = p[1].matrices();
                tensors(loc.shape(), MultivariateNormal::<(usize, usize, usize), _, _>::from_scale_tril(&loc, matrix))
            },
            value: Entries::Free,
            parameters: &[("loc", REAL, Entries::Free), ("scale_tril", MATRIX, Entries::LowerTriangular)],
            ordinary: 2,
        },
        Family {
            name: "LowRankMultivariateNormal",
            build: |p| {
                let loc = p[0].vectors();
                let normal = LowRankMultivariateNormal::new(&loc, p[1].matrices(), p[2].vectors());
                tensors(loc.shape(), normal)
            },
            value: Entries::Free,
            parameters: &[
                ("loc", REAL, Entries::Free),
                ("cov_factor", REAL, Entries::Free),
                ("cov_diag", POSITIVE, Entries::Free),
            ],
            ordinary: 3,
        },
    ]
}
