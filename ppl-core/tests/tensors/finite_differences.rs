//! Central finite differences in f64, against which the gradient of every operation is tested.
#![allow(dead_code, reason = "each test file uses its own part")]

use ppl_core::autodiff::grad;
use ppl_core::{Shape, Tensor};

pub(crate) type Scalar = Tensor<(), f64>;
pub(crate) type Vector = Tensor<(usize,), f64>;

/// How far from a point the differences are taken. The five-point formula errs by h⁴f⁽⁵⁾/30 and by
/// rounding, ε·|f|/h; with h = 1e-3 both lie far below the tolerance of 1e-7.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// h = 1e-3.
    Absolute,
    /// h = 1e-3 · |x|, for functions with a scale of their own such as ln.
    Relative,
}

impl Step {
    fn at(self, x: f64) -> f64 {
        match self {
            Step::Absolute => 1e-3,
            Step::Relative => 1e-3 * x.abs(),
        }
    }
}

/// The gradients that the tape finds.
pub(crate) fn gradients<const N: usize>(inputs: [&[f64]; N], f: impl Fn([&Vector; N]) -> Scalar) -> [Vec<f64>; N] {
    let tensors = inputs.map(|x| Vector::vector(x.to_vec()).tracked());
    let (_, grads) = grad(|| f(tensors.each_ref()));
    tensors.map(|t| grads.get(&t).expect("a leaf keeps its gradient").to_vec())
}

/// The same by five-point central differences.
fn differences<const N: usize>(inputs: [&[f64]; N], step: Step, f: impl Fn([&Vector; N]) -> Scalar) -> [Vec<f64>; N] {
    std::array::from_fn(|i| {
        let one = |k: usize| {
            let h = step.at(inputs[i][k]);
            let at = |shift: f64| {
                let mut moved = inputs.map(|x| x.to_vec());
                moved[i][k] += shift;
                f(moved.map(Vector::vector).each_ref()).item()
            };
            (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
        };
        (0..inputs[i].len()).map(one).collect()
    })
}

/// Checks the gradient of `f` with respect to each of its inputs.
#[track_caller]
pub(crate) fn check<const N: usize>(name: &str, inputs: [&[f64]; N], step: Step, f: impl Fn([&Vector; N]) -> Scalar) {
    let (found, expected) = (gradients(inputs, &f), differences(inputs, step, &f));
    for i in 0..N {
        for k in 0..inputs[i].len() {
            close(&format!("{name}: d/d input {i}[{k}] at {:e}", inputs[i][k]), found[i][k], expected[i][k]);
        }
    }
}

/// Checks that two numbers agree to a relative 1e-7, or an absolute 1e-9 near zero.
#[track_caller]
pub(crate) fn close(what: &str, found: f64, expected: f64) {
    let same = found == expected || (found - expected).abs() <= 1e-7 * expected.abs() + 1e-9;
    assert!(same, "{what}: {found:e}, expected {expected:e}");
}

/// A sum with a weight of its own for each element, so that a gradient in the wrong place shows.
pub(crate) fn weigh<S: Shape>(t: &Tensor<S, f64>) -> Scalar {
    let weights = (0..t.numel()).map(|i| 1.5 + (i as f64).cos()).collect();
    (t * Tensor::from_vec(weights, t.shape())).sum_all()
}

/// Irregular numbers between −2 and 2, the same in every run.
pub(crate) fn irregular(n: usize) -> Vec<f64> {
    (0..n).map(|i| 2.0 * (1.7 * i as f64 + 0.3).sin()).collect()
}

/// The message of a panic in `f`.
pub(crate) fn panic_message<R>(f: impl FnOnce() -> R) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        f();
    }))
    .expect_err("it must panic");
    match panic.downcast_ref::<String>() {
        Some(message) => message.clone(),
        None => panic.downcast_ref::<&str>().expect("a panic with a message").to_string(),
    }
}
