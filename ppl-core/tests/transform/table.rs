//! Every transform by name, with points of its domain.

use std::sync::Arc;

use ppl_core::backend::Backend;
use ppl_core::transform::{
    Affine, CorrCholesky, CorrMatrix, Exp, Flat, Identity, IntoHalfLine, IntoInterval, Log, Logit, LowerCholesky,
    LowerCholeskyAffine, Map, Ordered, PositiveDefinite, Power, Sigmoid, Softmax, Softplus, StickBreaking, Tanh,
};
use ppl_core::{Dtype, Tensor};

/// A row of numbers as a tensor.
pub(crate) fn row<E: Dtype, D: Backend<E>>(values: &[f64]) -> Flat<E, D> {
    Tensor::vector(values.iter().map(|&v| E::of(v)).collect())
}

/// The numbers of a row.
pub(crate) fn wide<E: Dtype, D: Backend<E>>(row: &Flat<E, D>) -> Vec<f64> {
    row.to_vec().into_iter().map(E::wide).collect()
}

/// The names of element-wise transforms; the parameters are those of the reference table.
pub(crate) const ELEMENTS: [&str; 11] = [
    "Identity",
    "Exp",
    "Log",
    "Sigmoid",
    "Logit",
    "Tanh",
    "Softplus",
    "Affine",
    "Power",
    "IntoInterval",
    "IntoHalfLine",
];

/// The names of transforms of rows.
pub(crate) const ROWS: [&str; 9] = [
    "StickBreaking",
    "Softmax",
    "Ordered",
    "PositiveOrdered",
    "LowerCholesky",
    "PositiveDefinite",
    "CorrCholesky",
    "CorrMatrix",
    "LowerCholeskyAffine",
];

/// The transform of that name for rows of `len` numbers, which is 3 or 6 for those of matrices.
pub(crate) fn transform<E: Dtype, D: Backend<E>>(name: &str, len: usize) -> Map<E, D> {
    let (triangle, strict) = if len == 3 { (2, 3) } else { (3, 4) };
    match name {
        "Identity" => Arc::new(Identity),
        "Exp" => Arc::new(Exp),
        "Log" => Arc::new(Log),
        "Sigmoid" => Arc::new(Sigmoid),
        "Logit" => Arc::new(Logit),
        "Tanh" => Arc::new(Tanh),
        "Softplus" => Arc::new(Softplus),
        "Affine" => Arc::new(Affine::new(row(&[1.5]), row(&[-2.5]))),
        "Power" => Arc::new(Power::new(row(&[-1.5]))),
        "IntoInterval" => Arc::new(IntoInterval::new(row(&[-2.0]), row(&[5.0]))),
        "IntoHalfLine" => Arc::new(IntoHalfLine::above(row(&[3.0]))),
        "StickBreaking" => Arc::new(StickBreaking::new(len + 1)),
        "Softmax" => Arc::new(Softmax::new(len)),
        "Ordered" => Arc::new(Ordered::new(len)),
        "PositiveOrdered" => Arc::new(Ordered::positive(len)),
        "LowerCholesky" => Arc::new(LowerCholesky::new(triangle)),
        "PositiveDefinite" => Arc::new(PositiveDefinite::new(triangle)),
        "CorrCholesky" => Arc::new(CorrCholesky::new(strict)),
        "CorrMatrix" => Arc::new(CorrMatrix::new(strict)),
        "LowerCholeskyAffine" => Arc::new(lower_cholesky_affine(len)),
        _ => panic!("no transform {name}"),
    }
}

/// The location and the matrix of the reference table.
fn lower_cholesky_affine<E: Dtype, D: Backend<E>>(len: usize) -> LowerCholeskyAffine<E, D> {
    let entry = |i: usize, j: usize| match i.cmp(&j) {
        std::cmp::Ordering::Less => 0.0,
        std::cmp::Ordering::Equal => 0.5 + 0.25 * i as f64,
        std::cmp::Ordering::Greater => 0.25 * (i as f64 - 2.0 * j as f64),
    };
    let loc: Vec<f64> = (0..len).map(|i| i as f64 - 1.0).collect();
    let tril: Vec<f64> = (0..len * len).map(|at| entry(at / len, at % len)).collect();
    LowerCholeskyAffine::new(row(&loc), row(&tril).reshape_like(&(len, len)))
}

/// Points inside the domain of an element-wise transform.
pub(crate) fn points(name: &str) -> Vec<f64> {
    match name {
        "Log" | "Power" => vec![0.02, 0.5, 1.75, 30.0],
        "Logit" => vec![0.01, 0.3, 0.5, 0.96],
        _ => vec![-3.0, -0.4, 0.6, 2.5],
    }
}

/// Rows for a transform of rows of `len` numbers, 3 or 6.
pub(crate) fn rows(len: usize) -> Vec<Vec<f64>> {
    let all: [&[f64]; 5] = [
        &[-1.5, 0.25, 0.75],
        &[2.0, -0.5, 0.125],
        &[0.0, 0.3, -0.6],
        &[0.5, -1.0, 1.25, 0.5, -0.75, 0.375],
        &[-0.25, 0.75, 0.1, -0.5, 0.6, -1.25],
    ];
    all.iter().filter(|row| row.len() == len).map(|row| row.to_vec()).collect()
}
