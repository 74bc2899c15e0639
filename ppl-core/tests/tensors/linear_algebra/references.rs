//! Values and gradients against torch's, to 1e-9 in `f64` and 1e-5 in `f32`.
//!
//! The table is made by `scripts/reference_linear_algebra.py`.

use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::ops::Triangle;
use ppl_core::{Cpu, Dtype, Shape, Tensor};
use serde_json::Value;

/// All matrices and vectors of the table, with the axes of the batch in one.
type Matrices<E> = Tensor<(usize, usize, usize), E>;
type Vectors<E> = Tensor<(usize, usize), E>;

fn table() -> Value {
    serde_json::from_str(include_str!("../../references/linear_algebra.json")).expect("the table is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// One input: its sizes and its elements.
type Input<E> = (Vec<usize>, Tensor<(usize,), E>);

/// An input with the axes of its batch in one, and `kept` axes after it.
fn seen<E: Dtype, S: Shape>((dims, x): &Input<E>, kept: usize) -> Tensor<S, E>
where
    Cpu: Backend<E>,
{
    let (batch, rest) = dims.split_at(dims.len() - kept);
    let mut sizes = S::Concrete::default();
    sizes[0] = batch.iter().product();
    (0..kept).for_each(|i| sizes[i + 1] = rest[i]);
    x.clone().reshape_like(&S::from_concrete(&sizes).expect("sizes that are open"))
}

/// Sizes of the batch of `left` within that of `right`: how many times it is used, and its own.
fn shared<E: Dtype>((left, _): &Input<E>, (right, _): &Input<E>, kept: [usize; 2]) -> [usize; 2] {
    let (left, right) = (&left[..left.len() - kept[0]], &right[..right.len() - kept[1]]);
    let own: usize = left.iter().product();
    [right.iter().product::<usize>() / own, own]
}

fn flat<S: Shape, E: Dtype>(t: &Tensor<S, E>) -> Tensor<(usize,), E>
where
    Cpu: Backend<E>,
{
    t.clone().reshape_like(&(t.numel(),))
}

/// The result of an operation.
fn run<E: Dtype>(operation: &str, inputs: &[Input<E>], sign: &Value) -> Tensor<(usize,), E>
where
    Cpu: Backend<E>,
{
    let a: Matrices<E> = seen(&inputs[0], 2);
    let solve = |triangle| {
        let b: Matrices<E> = seen(&inputs[1], 2);
        let [times, own] = shared(&inputs[0], &inputs[1], [2, 2]);
        let (_, rows, columns) = b.shape();
        flat(&a.solve_triangular(&b.reshape_like(&(times, own, rows, columns)), triangle))
    };
    match operation {
        "cholesky" => flat(&a.cholesky()),
        "logdet" => flat(&a.logdet()),
        "log_abs_det_triangular" => flat(&a.log_abs_det_triangular()),
        "solve_lower" => solve(Triangle::Lower),
        "solve_lower_transposed" => solve(Triangle::LowerTransposed),
        "solve_upper" => solve(Triangle::Upper),
        "solve_upper_transposed" => solve(Triangle::UpperTransposed),
        "cholesky_solve" => flat(&a.cholesky_solve(&seen::<E, (usize, usize, usize)>(&inputs[1], 2))),
        "cholesky_inverse" => flat(&a.cholesky_inverse()),
        "matrix_inverse" => flat(&a.matrix_inverse()),
        "slogdet" => {
            let (found, log) = a.slogdet();
            assert_eq!(found.to_vec().into_iter().map(E::wide).collect::<Vec<_>>(), numbers(sign));
            flat(&log)
        }
        "mahalanobis" => {
            let (x, loc): (Vectors<E>, Vectors<E>) = (seen(&inputs[1], 1), seen(&inputs[2], 1));
            let [times, own] = shared(&inputs[0], &inputs[1], [2, 1]);
            let x = x.clone().reshape_like(&(times, own, x.shape().1));
            flat(&a.mahalanobis(&x, &loc))
        }
        other => panic!("no operation {other}"),
    }
}

#[track_caller]
fn same<E: Dtype>(what: &str, found: Vec<E>, expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        // Beyond the range of `f32` it is infinite.
        let same = *f == E::of(*e) || (f.wide() - e).abs() <= tolerance * e.abs();
        assert!(same, "{what}, element {k}: {f}, expected {e:e}");
    }
}

fn agree<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    let table = table();
    for row in table["ordinary"].as_array().expect("a list") {
        let operation = row["operation"].as_str().expect("a name");
        let shapes = row["shapes"].as_array().expect("a list").iter();
        let shapes = shapes.map(|s| numbers(s).iter().map(|&d| d as usize).collect::<Vec<_>>());
        let inputs: Vec<Input<E>> = shapes
            .zip(row["inputs"].as_array().expect("a list"))
            .map(|(shape, x)| (shape, Tensor::vector(numbers(x).into_iter().map(E::of).collect()).tracked()))
            .collect();
        let mut value = Vec::new();
        let (_, grads) = grad(|| {
            let out = run(operation, &inputs, &row["sign"]);
            value = out.to_vec();
            let weights = (0..value.len()).map(|i| E::of(1.5 + (i as f64).cos())).collect();
            (out * Tensor::vector(weights)).sum_all()
        });
        let name = format!("{operation} of {}", row["shapes"]);
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

/// The largest relative error.
fn error(found: &[f64], exact: &[f64]) -> f64 {
    let pairs = found.iter().zip(exact).filter(|(_, e)| **e != 0.0);
    pairs.map(|(f, e)| ((f - e) / e).abs()).fold(0.0, f64::max)
}

/// Against 60 digits: each element is as good as the condition of the matrix allows, 1.5e10 units of
/// rounding or 3.4e-6 (LAPACK's own errors are printed beside ours). Rows and columns times 1e-10
/// to 1e10 change nothing, though the condition is 1e40 and more then.
#[test]
fn ill_conditioned_matrices() {
    for row in table()["ill_conditioned"].as_array().expect("a list") {
        let name = row["name"].as_str().expect("a name");
        let n = row["n"].as_u64().expect("a size") as usize;
        let a = Tensor::<(usize, usize), f64>::from_vec(numbers(&row["matrix"]), (n, n));
        let check = |what: &str, found: Vec<f64>, exact: &Value| {
            let exact = exact.as_array().map_or_else(|| vec![exact.as_f64().expect("a number")], |_| numbers(exact));
            // An error of the logarithm is relative to the determinant.
            let scale = if what.starts_with("logdet") { exact[0].abs() } else { 1.0 };
            let limit = row["bound"].as_f64().expect("a number") / scale;
            let (found, lapack) = (error(&found, &exact), &row[format!("{what}_error")]);
            println!("{what} of {name}: relative error {found:e}, LAPACK's {lapack}");
            assert!(found <= limit, "{what} of {name}: relative error {found:e}, more than {limit:e}");
        };
        let l = a.try_cholesky().expect("a factor");
        check("cholesky", l.to_vec(), &row["cholesky"]);
        check("inverse_by_cholesky", l.cholesky_inverse().to_vec(), &row["inverse"]);
        check("inverse", a.matrix_inverse().to_vec(), &row["inverse"]);
        check("logdet", a.logdet().to_vec(), &row["logdet"]);
        check("logdet_by_lu", a.slogdet().1.to_vec(), &row["logdet"]);
    }
}
