//! Each composed default against the CPU's kernel: values and gradients, on the same inputs.

use std::sync::Arc;

use dfdx::tensor::Cpu;

use super::{Activation, Backend, BlockFunction, Blocks, Direction, Layers, Product, Recurrence, Reduction, composed};
use crate::autodiff::grad;
use crate::functions::{Function, RowFunction, arithmetic::*, unary::*};
use crate::tensor::{Flat, Tensor};

type Vector = Flat<f64, Cpu>;

fn irregular(n: usize) -> Vec<f64> {
    (0..n).map(|i| 2.0 * (1.7 * i as f64 + 0.3).sin()).collect()
}

fn positive(n: usize) -> Vec<f64> {
    irregular(n).iter().map(|v| v.abs() + 0.1).collect()
}

/// Value and gradients of a weighted sum of what `f` gives.
fn run<const N: usize>(inputs: &[Vec<f64>; N], f: impl Fn([Vector; N]) -> Vector) -> Vec<Vec<f64>> {
    let tensors = inputs.clone().map(|x| Vector::vector(x).tracked());
    let mut value = Vec::new();
    let (_, grads) = grad(|| {
        let out = f(tensors.clone());
        value = out.to_vec();
        let weights = (0..value.len()).map(|i| 1.5 + (i as f64).cos()).collect();
        (out * Vector::vector(weights)).sum_all()
    });
    std::iter::once(value).chain(tensors.iter().map(|t| grads.get(t).unwrap().to_vec())).collect()
}

#[track_caller]
fn agree<const N: usize>(
    name: &str,
    inputs: [Vec<f64>; N],
    cpu: impl Fn([Vector; N]) -> Vector,
    composed: impl Fn([Vector; N]) -> Vector,
) {
    let (left, right) = (run(&inputs, cpu), run(&inputs, composed));
    for (part, (l, r)) in left.iter().zip(&right).enumerate() {
        assert_eq!(l.len(), r.len(), "{name}, part {part}");
        for (k, (l, r)) in l.iter().zip(r).enumerate() {
            let same = l == r || (l - r).abs() <= 1e-12 * (1.0 + r.abs());
            assert!(same, "{name}, part {part} (0 is the value), element {k}: {l} and {r}");
        }
    }
}

/// Element-wise and summed forms of one function, with full and scalar arguments.
#[track_caller]
fn function<F: Function<f64, N>, const N: usize>(f: F, full: [Vec<f64>; N]) {
    let n = full[0].len();
    agree(f.name(), full.clone(), |x| Cpu::elementwise(f, x, n), |x| composed::elementwise(f, x, n));
    let mut scalar = full.clone();
    scalar[N - 1].truncate(1);
    agree(f.name(), scalar.clone(), |x| Cpu::elementwise(f, x, n), |x| composed::elementwise(f, x, n));
    for inputs in [full, scalar] {
        let one = |t: Tensor<(), f64>| t.into_flat();
        let (cpu, other) = (|x| one(Cpu::elementwise_sum(f, x, n)), |x| one(composed::elementwise_sum(f, x, n)));
        agree(f.name(), inputs, cpu, other);
    }
}

#[test]
fn functions_of_one_element() {
    functions_of_one(600);
}

#[test]
fn functions_of_few_elements() {
    functions_of_one(7);
    function(MulFn, [irregular(7), positive(7)]);
    function(LerpFn, [irregular(7), positive(7), irregular(7)]);
}

fn functions_of_one(n: usize) {
    macro_rules! all {
        ($inputs:expr; $($f:expr),*) => { $(function($f, [$inputs]);)* };
    }
    all!(irregular(n); Exp, Expm1, Softplus, Sigmoid, LogSigmoid, Tanh, Relu, Square, Recip, Abs, Sin, Cos);
    all!(irregular(n); Powi(3), Powi(0), Powi(-1), Clamp(-1.0, 1.0));
    all!(irregular(n); AddNumber(2.0), MulNumber(3.0), DivNumber(4.0), NumberSub(5.0), NumberDiv(6.0));
    all!(positive(n); Ln, Log1p, Sqrt, Powf(2.5));
}

/// y = (x₁ x₂, x₂ + x₃², x₁).
#[derive(Debug)]
struct OfRows;

impl RowFunction<f64> for OfRows {
    fn lens(&self) -> (usize, usize) {
        (3, 3)
    }
    fn value(&self, row: usize, x: &[f64], y: &mut [f64]) {
        y.copy_from_slice(&[x[0] * x[1], x[1] + x[2] * x[2], row as f64 * x[0]]);
    }
    fn pullback(&self, row: usize, x: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        gradient[0] += x[1] * upstream[0] + row as f64 * upstream[2];
        gradient[1] += x[0] * upstream[0] + upstream[1];
        gradient[2] += 2.0 * x[2] * upstream[1];
    }
}

#[test]
fn functions_of_rows() {
    for rows in [0, 1, 200] {
        let cpu = |[x]: [Vector; 1]| Cpu::rows(Arc::new(OfRows), x, rows);
        agree("rows", [irregular(3 * rows)], cpu, |[x]| composed::rows(&OfRows, x, rows));
    }
}

#[test]
fn functions_of_two_and_three_elements() {
    let (a, b) = (irregular(600), positive(600));
    macro_rules! all {
        ($($f:expr),*) => { $(function($f, [a.clone(), b.clone()]); function($f, [b.clone(), b.clone()]);)* };
    }
    all!(AddFn, SubFn, MulFn, DivFn, MaxFn, MinFn);
    function(PowFn, [b.clone(), a.clone()]);
    let mask: Vec<f64> = (0..600).map(|i| f64::from(i % 3 == 0)).collect();
    let choose = |[a, b]: [Vector; 2]| [Vector::vector(mask.clone()), a, b];
    let cpu = |x| Cpu::elementwise(WhereFn, choose(x), 600);
    agree("where", [a, b], cpu, |x| composed::elementwise(WhereFn, choose(x), 600));
}

#[test]
fn one_tensor_in_both_places() {
    agree(
        "x / x · x",
        [positive(7)],
        |[x]| Cpu::elementwise(MulFn, [Cpu::elementwise(DivFn, [x.clone(), x.clone()], 7), x], 7),
        |[x]| composed::elementwise(MulFn, [composed::elementwise(DivFn, [x.clone(), x.clone()], 7), x], 7),
    );
}

#[test]
fn the_hosts_route_keeps_infinite_values() {
    let inf = f64::INFINITY;
    let x = Vector::vector(vec![-1.0, inf, -inf, 0.0]).tracked();
    let both = |f: &dyn Fn(&Vector) -> [Vec<f64>; 2]| {
        let [cpu, host] = f(&x);
        assert!(cpu.iter().zip(&host).all(|(c, h)| c == h || (c.is_nan() && h.is_nan())), "{cpu:?} and {host:?}");
    };
    macro_rules! route {
        ($($f:expr),*) => {$(
            both(&|x| [
                Cpu::elementwise($f, [x.clone()], 4).to_vec(),
                composed::elementwise($f, [x.clone()], 4).to_vec(),
            ]);
        )*};
    }
    route!(Log1p, Expm1, Softplus, LogSigmoid, Clamp(-2.0, 2.0), Powi(2), Powf(0.5));
}

#[test]
fn reductions() {
    let shapes = [(1, 24, 1), (4, 6, 1), (1, 6, 4), (2, 3, 4), (24, 1, 1), (3, 1, 8), (0, 3, 2)];
    for (outer, axis, inner) in shapes {
        let layers = Layers { outer, axis, inner };
        let mut x = irregular(outer * axis * inner);
        // Ties in every layout.
        x.iter_mut().for_each(|v| *v = (*v * 2.0).round());
        for reduction in [Reduction::Sum, Reduction::Max, Reduction::LogSumExp] {
            let name = format!("{reduction:?} of {layers:?}");
            let cpu = |[x]: [Vector; 1]| Cpu::reduce(x, layers, reduction);
            agree(&name, [x.clone()], cpu, |[x]| composed::reduce(x, layers, reduction));
        }
    }
}

#[test]
fn reductions_of_infinite_elements() {
    let inf = f64::INFINITY;
    let layers = Layers { outer: 4, axis: 2, inner: 1 };
    let x = vec![-inf, -inf, inf, 0.0, -inf, 1.0, f64::NAN, -inf];
    for reduction in [Reduction::Max, Reduction::LogSumExp] {
        let [cpu, other] = [Cpu::reduce, composed::reduce]
            .map(|reduce| reduce(Vector::vector(x.clone()).tracked(), layers, reduction).to_vec());
        assert_eq!(cpu[..3], [-inf, inf, 1.0]);
        assert_eq!(other[..3], cpu[..3]);
        assert!(cpu[3].is_nan() && other[3].is_nan());
    }
}

#[test]
fn movement() {
    let positions: Vec<usize> = vec![3, 0, 3, 3, 5];
    let take = |[x]: [Vector; 1]| Cpu::take(x, positions.clone().into());
    agree("take", [irregular(6)], take, |[x]| composed::take(x, positions.clone().into()));
    // Often enough to be summed side by side.
    let often: Vec<usize> = (0..50).map(|i| i * i / 9 % 3).collect();
    let take = |[x]: [Vector; 1]| Cpu::take(x, often.clone().into());
    agree("take often", [irregular(3)], take, |[x]| composed::take(x, often.clone().into()));
    let parts = |[a, b]: [Vector; 2]| vec![a.clone(), b, a];
    agree("join", [irregular(4), irregular(3)], |x| Cpu::join(parts(x)), |x| composed::join(parts(x)));
    agree("join one", [irregular(4)], |x| Cpu::join(x.into()), |x| composed::join(x.into()));
    agree("add up", [irregular(1), positive(1)], |x| Cpu::add_up(parts(x)), |x| composed::add_up(parts(x)));
}

#[test]
fn products() {
    let cases = [(1, 2, 3, 4, true), (1, 2, 3, 4, false), (3, 2, 3, 4, true), (3, 2, 3, 4, false), (1, 1, 5, 1, true)];
    let vectors = [(1, 7, 19, 1, true), (1, 4, 8, 1, true), (1, 9, 1, 1, true), (1, 3, 0, 1, true), (1, 0, 3, 1, true)];
    let cases = cases.into_iter().chain(vectors);
    for (batch, m, k, n, shared_right) in cases {
        let sizes = Product { batch, m, k, n, shared_right };
        let right = if shared_right { k * n } else { batch * k * n };
        let inputs = [irregular(batch * m * k), irregular(right)];
        let cpu = |[a, b]: [Vector; 2]| Cpu::matmul(a, b, sizes);
        agree(&format!("{sizes:?}"), inputs, cpu, |[a, b]| composed::matmul(a, b, sizes));
    }
    let sizes = Product { batch: 1, m: 3, k: 3, n: 3, shared_right: true };
    let itself = |[a]: [Vector; 1]| Cpu::matmul(a.clone(), a, sizes);
    agree("x · x", [irregular(9)], itself, |[a]| composed::matmul(a.clone(), a, sizes));
}

#[test]
fn linear_maps() {
    let sizes = Product { batch: 1, m: 5, k: 3, n: 4, shared_right: true };
    let kinds = [Activation::Identity, Activation::Relu, Activation::Softplus, Activation::Tanh, Activation::Sigmoid];
    for activation in kinds {
        let inputs = [irregular(15), irregular(12), irregular(4)];
        let cpu = |[x, w, b]: [Vector; 3]| Cpu::linear(x, w, b, sizes, activation);
        agree(&format!("{activation:?}"), inputs, cpu, |[x, w, b]| composed::linear(x, w, b, sizes, activation));
    }
}

#[test]
fn recurrent_maps() {
    let lengths = [4, 2, 0, 3];
    for direction in [Direction::Forward, Direction::Backward] {
        for activation in [Activation::Relu, Activation::Tanh] {
            let map = Recurrence { lengths: lengths.into(), steps: 4, size: 3, direction, activation };
            let inputs = [irregular(4 * 4 * 3), irregular(4 * 3), irregular(9), irregular(3)];
            let cpu = |x: [Vector; 4]| Cpu::recurrent(x, map.clone());
            agree(&format!("{map:?}"), inputs, cpu, |x| composed::recurrent(x, &map));
        }
    }
}

/// a · b · Σ b of blocks of two and three elements: six, each with all of b.
#[derive(Clone, Copy)]
struct Block;

impl BlockFunction<2> for Block {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([2, 3], 6)
    }

    fn work(&self) -> usize {
        1 << 14
    }

    fn value(&self, [a, b]: [&[f64]; 2], out: &mut [f64]) {
        out.iter_mut().enumerate().for_each(|(e, out)| *out = a[e / 3] * b[e % 3] * b.iter().sum::<f64>());
    }

    fn pullback(&self, [a, b]: [&[f64]; 2], _: &[f64], upstream: &[f64], [to_a, to_b]: [Option<&mut [f64]>; 2]) {
        let sum: f64 = b.iter().sum();
        if let Some(to_a) = to_a {
            (0..6).for_each(|e| to_a[e / 3] += upstream[e] * b[e % 3] * sum);
        }
        if let Some(to_b) = to_b {
            (0..6).for_each(|e| to_b[e % 3] += upstream[e] * a[e / 3] * sum);
            let all: f64 = (0..6).map(|e| upstream[e] * a[e / 3] * b[e % 3]).sum();
            to_b.iter_mut().for_each(|g| *g += all);
        }
    }
}

#[test]
fn functions_of_blocks() {
    // As many of each, one of one for all, two for six, and none; on one thread and on several.
    for (count, of) in [(1, [1, 1]), (4, [4, 4]), (50, [50, 1]), (6, [2, 6]), (60, [60, 20]), (0, [0, 0]), (0, [0, 1])]
    {
        let blocks = Blocks { count, of };
        let inputs = [irregular(2 * of[0]), irregular(3 * of[1])];
        let cpu = |x: [Vector; 2]| Cpu::blocks(Block, x, blocks);
        agree(&format!("{blocks:?}"), inputs, cpu, |x| composed::blocks(Block, x, blocks));
        for constant in 0..2 {
            let held = |mut x: [Vector; 2]| {
                x[constant] = x[constant].untracked();
                x
            };
            let inputs = [irregular(2 * of[0]), irregular(3 * of[1])];
            let cpu = |x| Cpu::blocks(Block, held(x), blocks);
            agree(&format!("{blocks:?}, constant {constant}"), inputs, cpu, |x| {
                composed::blocks(Block, held(x), blocks)
            });
        }
    }
    let itself = |[x]: [Vector; 1]| [x.clone(), Cpu::take(x, vec![0, 1, 1].into())];
    let cpu = |x| Cpu::blocks(Block, itself(x), Blocks::equal(1));
    agree("blocks of one tensor", [irregular(2)], cpu, |x| composed::blocks(Block, itself(x), Blocks::equal(1)));
}

#[test]
fn updates_change_a_value_and_not_its_clones() {
    let mut param = Vector::vector(irregular(3)).tracked();
    let before = param.clone();
    let (_, mut grads) = grad(|| (&param * 2.0).sum_all());
    grads
        .update(&mut param, &mut |value, gradient| value.iter_mut().zip(gradient).for_each(|(v, g)| *v -= *g))
        .unwrap();
    assert_eq!(param.to_vec(), irregular(3).iter().map(|v| v - 2.0).collect::<Vec<_>>());
    assert_eq!(before.to_vec(), irregular(3));
    assert_eq!(grads.get(&param), grads.get(&before));
}
