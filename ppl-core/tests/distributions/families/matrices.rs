//! Distributions over matrices, and over vectors with a matrix for a parameter.

use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{
    InverseWishart, LKJCholesky, LowRankMultivariateNormal, MultivariateNormal, MultivariateStudentT, Normal, Wishart,
};
use ppl_core::{Axes2, Dtype};

use super::domain::{Domain, MATRIX, POSITIVE, REAL};
use crate::multivariate::{Entries, Family, tensors};

type Matrices = (usize, usize, usize);

/// Degrees of freedom for matrices of two and of three rows.
const ABOVE_1: Domain = Domain { words: "greater than 1, and finite", holds: |v| v > 1.0 && v.is_finite() };
const ABOVE_2: Domain = Domain { words: "greater than 2, and finite", holds: |v| v > 2.0 && v.is_finite() };

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
                tensors(loc.shape(), MultivariateNormal::<Matrices, _, _>::new(&loc, p[1].matrices()))
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
                tensors(loc.shape(), MultivariateNormal::<Matrices, _, _>::from_precision(&loc, matrix))
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
                tensors(loc.shape(), MultivariateNormal::<Matrices, _, _>::from_scale_tril(&loc, matrix))
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
        Family {
            name: "MultivariateStudentT",
            build: |p| {
                let loc = p[1].vectors();
                let student = MultivariateStudentT::<Matrices, _, _>::new(p[0].numbers(), &loc, p[2].matrices());
                tensors(loc.shape(), student)
            },
            value: Entries::Free,
            parameters: &[
                ("df", POSITIVE, Entries::Free),
                ("loc", REAL, Entries::Free),
                ("scale_tril", MATRIX, Entries::LowerTriangular),
            ],
            ordinary: 2,
        },
        Family {
            name: "Wishart",
            build: |p| {
                let matrix = p[1].matrices();
                tensors(matrix.shape(), Wishart::<Matrices, _, _>::new(p[0].numbers(), matrix))
            },
            value: Entries::Symmetric,
            parameters: &[("df", ABOVE_1, Entries::Free), ("covariance_matrix", MATRIX, Entries::Symmetric)],
            ordinary: 2,
        },
        Family {
            name: "Wishart (precision)",
            build: |p| {
                let matrix = p[1].matrices();
                tensors(matrix.shape(), Wishart::<Matrices, _, _>::from_precision(p[0].numbers(), matrix))
            },
            value: Entries::Symmetric,
            parameters: &[("df", ABOVE_2, Entries::Free), ("precision_matrix", MATRIX, Entries::Symmetric)],
            ordinary: 2,
        },
        Family {
            name: "Wishart (scale_tril)",
            build: |p| {
                let matrix = p[1].matrices();
                tensors(matrix.shape(), Wishart::<Matrices, _, _>::from_scale_tril(p[0].numbers(), matrix))
            },
            value: Entries::Symmetric,
            parameters: &[("df", ABOVE_2, Entries::Free), ("scale_tril", MATRIX, Entries::LowerTriangular)],
            ordinary: 2,
        },
        Family {
            name: "InverseWishart",
            build: |p| {
                let matrix = p[1].matrices();
                tensors(matrix.shape(), InverseWishart::<Matrices, _, _>::new(p[0].numbers(), matrix))
            },
            value: Entries::Symmetric,
            parameters: &[("df", ABOVE_1, Entries::Free), ("scale_matrix", MATRIX, Entries::Symmetric)],
            ordinary: 2,
        },
        Family {
            name: "InverseWishart (scale_tril)",
            build: |p| {
                let matrix = p[1].matrices();
                tensors(matrix.shape(), InverseWishart::<Matrices, _, _>::from_scale_tril(p[0].numbers(), matrix))
            },
            value: Entries::Symmetric,
            parameters: &[("df", ABOVE_2, Entries::Free), ("scale_tril", MATRIX, Entries::LowerTriangular)],
            ordinary: 2,
        },
        Family {
            name: "LKJCholesky",
            build: |p| {
                let shape = p[0].matrices().shape();
                tensors(shape, LKJCholesky::filled(shape, p[1].numbers()))
            },
            value: Entries::UnitRows,
            parameters: &[("shape", MATRIX, Entries::Constant), ("concentration", POSITIVE, Entries::Free)],
            ordinary: 4,
        },
    ]
}
