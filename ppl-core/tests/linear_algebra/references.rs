//! Values and gradients against torch's, to 1e-9 in `f64` and 1e-5 in `f32`.
//!
//! The table is made by `scripts/reference_linear_algebra.py`.

use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::ops::Triangle;
use ppl_core::{Cpu, Dtype, Tensor};
use serde_json::Value;

/// All matrices of the table, as batches with two axes (vectors: matrices of one column).
type Matrices<E> = Tensor<(usize, usize, usize), E>;
type Vectors<E> = Tensor<(usize, usize), E>;

fn table() -> Value {
    serde_json::from_str(include_str!("../references/linear_algebra.json")).expect("the table is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// The result of an operation, flat, for inputs whose last `rank` axes are not the batch.
fn run<E: Dtype>(operation: &str, inputs: &[(Vec<usize>, Tensor<(usize,), E>)]) -> Tensor<(usize,), E>
where
    Cpu: Backend<E>,
{
    let matrices = |i: usize| -> Matrices<E> {
        let (dims, x) = &inputs[i];
        let [batch @ .., rows, columns] = dims.as_slice() else { panic!("a matrix") };
        x.clone().reshape_like(&(batch.iter().product(), *rows, *columns))
    };
    let vectors = |i: usize| -> Vectors<E> {
        let (dims, x) = &inputs[i];
        let [batch @ .., n] = dims.as_slice() else { panic!("a vector") };
        x.clone().reshape_like(&(batch.iter().product(), *n))
    };
    fn flat<S: ppl_core::Shape, E: Dtype>(t: Tensor<S, E>) -> Tensor<(usize,), E>
    where
        Cpu: Backend<E>,
    {
        let n = t.numel();
        t.reshape_like(&(n,))
    }
    let _ = &vectors;
    let a = matrices(0);
    let solve = |triangle| match inputs {
        // Sharing is by the axes of the batch.
        [(left, t), (right, b)] if left.len() < right.len() => {
            let [rows, columns] = [right[right.len() - 2], right[right.len() - 1]];
            let outer: usize = right[..right.len() - left.len()].iter().product();
            let inner: usize = left[..left.len() - 2].iter().product();
            let t = t.clone().reshape_like(&(inner, rows, rows));
            flat(t.solve_triangular(&b.clone().reshape_like(&(outer, inner, rows, columns)), triangle))
        }
        _ => flat(a.solve_triangular(&matrices(1), triangle)),
    };
    match operation {
        "cholesky" => flat(a.cholesky()),
        "logdet" => flat(a.logdet()),
        "log_abs_det_triangular" => flat(a.log_abs_det_triangular()),
        "solve_lower" => solve(Triangle::Lower),
        "solve_lower_transposed" => solve(Triangle::LowerTransposed),
        "solve_upper" => solve(Triangle::Upper),
        "solve_upper_transposed" => solve(Triangle::UpperTransposed),
        "cholesky_solve" => flat(a.cholesky_solve(&matrices(1))),
        other => panic!("no operation {other}"),
    }
}

const KNOWN: [&str; 8] = [
    "cholesky",
    "logdet",
    "log_abs_det_triangular",
    "solve_lower",
    "solve_lower_transposed",
    "solve_upper",
    "solve_upper_transposed",
    "cholesky_solve",
];

#[track_caller]
fn same<E: Dtype>(what: &str, found: Vec<E>, expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        let f = f.wide();
        assert!((f - e).abs() <= tolerance * e.abs(), "{what}, element {k}: {f:e}, expected {e:e}");
    }
}

fn agree<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    let table = table();
    for row in table["ordinary"].as_array().expect("a list") {
        let operation = row["operation"].as_str().expect("a name");
        if !KNOWN.contains(&operation) {
            continue;
        }
        let shapes = row["shapes"].as_array().expect("a list").iter();
        let shapes = shapes.map(|s| numbers(s).iter().map(|&d| d as usize).collect::<Vec<_>>());
        let inputs: Vec<(Vec<usize>, Tensor<(usize,), E>)> = shapes
            .zip(row["inputs"].as_array().expect("a list"))
            .map(|(shape, x)| (shape, Tensor::vector(numbers(x).into_iter().map(E::of).collect()).tracked()))
            .collect();
        let mut value = Vec::new();
        let (_, grads) = grad(|| {
            let out = run(operation, &inputs);
            value = out.to_vec();
            let weights = (0..value.len()).map(|i| E::of(1.5 + (i as f64).cos())).collect();
            (out * Tensor::vector(weights)).sum_all()
        });
        let name = format!("{operation} of {:?}", row["shapes"].to_string());
        same(&name, value, &numbers(&row["value"]), tolerance);
        for (i, (_, x)) in inputs.iter().enumerate() {
            let gradient = grads.get(x).expect("a leaf").to_vec();
            same(&format!("{name}, gradient {i}"), gradient, &numbers(&row["gradients"][i]), tolerance);
        }
    }
}

#[test]
fn in_double_precision() {
    agree::<f64>(1e-9);
}

#[test]
fn in_single_precision() {
    agree::<f32>(1e-5);
}
