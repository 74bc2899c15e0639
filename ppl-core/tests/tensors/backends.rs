//! The CPU's kernels as the layers of a model call them: fused linear maps and sums.

use crate::finite_differences::Step::Absolute;
use crate::finite_differences::{Vector, check, close, gradients, irregular, weigh};
use ppl_core::backend::{Activation, Backend, Product};
use ppl_core::functions::Function;
use ppl_core::{Cpu, Dtype, Tensor};

const ACTIVATIONS: [Activation; 5] =
    [Activation::Identity, Activation::Relu, Activation::Softplus, Activation::Tanh, Activation::Sigmoid];

fn sizes(m: usize, k: usize, n: usize) -> Product {
    Product { batch: 1, m, k, n, shared_right: true }
}

#[test]
fn linear_maps_have_the_gradient_of_finite_differences() {
    let (x, w, b) = (irregular(6), irregular(12), [0.3, -0.2, 0.9, 0.05]);
    for activation in ACTIVATIONS {
        let map = |[x, w, b]: [&Vector; 3]| Cpu::linear(x.clone(), w.clone(), b.clone(), sizes(2, 3, 4), activation);
        check(&format!("{activation:?}"), [&x, &w, &b], Absolute, |all| weigh(&map(all)));
    }
}

#[test]
fn one_tensor_may_be_input_and_weight() {
    let (x, b) = (irregular(9), irregular(3));
    check("x · x + b", [&x, &b], Absolute, |[x, b]| {
        weigh(&Cpu::linear(x.clone(), x.clone(), b.clone(), sizes(3, 3, 3), Activation::Tanh))
    });
}

#[test]
fn saturated_activations_are_sound() {
    let (w, b) = (Vector::vector(vec![1.0]), Vector::vector(vec![0.0]));
    let inputs = [-800.0, 800.0, 0.0];
    let run = |x: &Vector, activation| Cpu::linear(x.clone(), w.clone(), b.clone(), sizes(3, 1, 1), activation);
    let value = |activation| run(&Vector::vector(inputs.to_vec()), activation).to_vec();
    assert_eq!(value(Activation::Softplus), [0.0, 800.0, std::f64::consts::LN_2]);
    assert_eq!(value(Activation::Sigmoid), [0.0, 1.0, 0.5]);
    let slope = |activation| gradients([&inputs], |[x]| run(x, activation).sum_all())[0].clone();
    assert_eq!(slope(Activation::Softplus), [0.0, 1.0, 0.5]);
    assert_eq!(slope(Activation::Relu), [0.0, 1.0, 0.0]);
    let nan = run(&Vector::vector(vec![f64::NAN; 3]), Activation::Relu).to_vec();
    assert!(nan.iter().all(|v| v.is_nan()), "{nan:?}");
}

#[test]
fn linear_maps_of_nothing() {
    let (x, w, b) = (vec![], vec![], [1.0, 2.0]);
    let [_, _, gb] = gradients([&x, &w, &b], |[x, w, b]| {
        // Three rows without columns: the bias alone.
        Cpu::linear(x.clone(), w.clone(), b.clone(), sizes(3, 0, 2), Activation::Softplus).sum_all()
    });
    gb.iter().zip(b).for_each(|(g, b)| close("bias", *g, 3.0 / (1.0 + (-b).exp())));
}

/// a · b − c², as a user would write a fused operation.
#[derive(Clone, Copy)]
struct Fused;

impl<E: Dtype> Function<E, 3> for Fused {
    fn name(&self) -> &'static str {
        "fused"
    }
    fn value(&self, [a, b, c]: [E; 3]) -> E {
        a * b - c * c
    }
    fn partials(&self, [a, b, c]: [E; 3], _: E) -> [E; 3] {
        [b, a, -(c + c)]
    }
}

#[test]
fn functions_of_three_arguments_spread_scalars_and_repeat_tensors() {
    let (x, y, s) = (irregular(5), irregular(5), [0.7]);
    let map = |args: [&Vector; 3]| Cpu::elementwise(Fused, args.map(Vector::clone), 5);
    check("three", [&x, &y, &s], Absolute, |[x, y, s]| weigh(&map([x, y, s])));
    check("repeated", [&x, &s], Absolute, |[x, s]| weigh(&map([x, s, x])));
    check("repeated scalar", [&x, &s], Absolute, |[x, s]| weigh(&map([s, x, s])));
    check("thrice", [&x], Absolute, |[x]| weigh(&map([x, x, x])));
    let sum = |args: [&Vector; 3]| Cpu::elementwise_sum(Fused, args.map(Vector::clone), 5).exp();
    check("sum", [&x, &y, &s], Absolute, |[x, y, s]| sum([x, y, s]));
    check("sum of repeated", [&x, &s], Absolute, |[x, s]| sum([x, s, x]));
    check("sum of thrice", [&x], Absolute, |[x]| sum([x, x, x]));
    check("scalars over many", [&s], Absolute, |[s]| sum([s, s, s]));
}

#[test]
fn fused_sums_are_accurate_in_f32() {
    let n = 3_000_000;
    let x = Tensor::<(usize,), f32>::vector(vec![0.1; n]);
    let one = Tensor::<(usize,), f32>::vector(vec![1.0]);
    let zero = Tensor::<(usize,), f32>::vector(vec![0.0]);
    let total = Cpu::elementwise_sum(Fused, [x, one, zero], n).item();
    assert_eq!(total, (0.1f32 as f64 * n as f64) as f32);
}

#[test]
#[should_panic(expected = "an argument of 3 elements among 5")]
fn arguments_of_another_length_are_refused() {
    let t = |n: usize| Vector::vector(irregular(n));
    let _ = Cpu::elementwise(Fused, [t(5), t(3), t(1)], 5);
}
