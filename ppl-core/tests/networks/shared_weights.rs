//! One weight in many products under one recorder, against the same products with a weight of their own each.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::finite_differences::Step::Absolute;
use crate::finite_differences::{check, weigh};
use ppl_core::autodiff::{grad, no_grad, try_grad};
use ppl_core::backend::{Activation, Backend, Product};
use ppl_core::nn::{AutoregressiveNetwork, Initialise, Linear};
use ppl_core::params::{ErasedModule, Init};
use ppl_core::rng::Rng;
use ppl_core::{Axes2, Cpu, Dtype, Error, Rank2, Tensor};

type Matrix<E> = Tensor<(usize, usize), E>;
type Scalar<E> = Tensor<(), E>;

/// Irregular numbers between −1 and 1, others for another seed.
fn matrix<E: Dtype>(rows: usize, columns: usize, seed: usize) -> Matrix<E>
where
    Cpu: Backend<E>,
{
    let at = |i: usize| E::of((1.7 * i as f64 + 0.9 * seed as f64 + 0.3).sin());
    Tensor::from_vec((0..rows * columns).map(at).collect(), (rows, columns)).tracked()
}

/// A leaf of its own with the same values.
fn own<E: Dtype>(t: &Matrix<E>) -> Matrix<E>
where
    Cpu: Backend<E>,
{
    Tensor::from_vec(t.to_vec(), t.shape()).tracked()
}

fn wide<E: Dtype>(t: &Matrix<E>) -> Vec<f64>
where
    Cpu: Backend<E>,
{
    t.to_vec().into_iter().map(Dtype::wide).collect()
}

/// A sum with another weight for each element.
fn total<E: Dtype>(t: &Matrix<E>) -> Scalar<E>
where
    Cpu: Backend<E>,
{
    let weights = (0..t.numel()).map(|i| E::of(0.7 + (i as f64).cos())).collect();
    (t * Tensor::from_vec(weights, t.shape())).sum_all()
}

/// Gradients of Σ f(i, weight) in the weight and in the other leaves: with one weight for all `uses`, or with one each.
fn gradients<E: Dtype>(
    weight: &Matrix<E>,
    leaves: &[Matrix<E>],
    uses: usize,
    shares: bool,
    f: impl Fn(usize, &Matrix<E>) -> Scalar<E>,
) -> Vec<Vec<f64>>
where
    Cpu: Backend<E>,
{
    let weights: Vec<_> = (0..uses).map(|_| if shares { weight.clone() } else { own(weight) }).collect();
    let (value, grads) = grad(|| {
        let terms: Vec<_> = weights.iter().enumerate().map(|(i, w)| f(i, w)).collect();
        terms.into_iter().reduce(|a, b| a + b).expect("a use")
    });
    let of_one = |w: &Matrix<E>| wide(&grads.get(w).expect("a leaf"));
    let add = |a: Vec<f64>, b: Vec<f64>| a.iter().zip(&b).map(|(a, b)| a + b).collect();
    let of_weight = if shares { of_one(weight) } else { weights.iter().map(of_one).reduce(add).expect("a use") };
    [vec![value.item().wide()], of_weight].into_iter().chain(leaves.iter().map(of_one)).collect()
}

#[track_caller]
fn agree(what: &str, found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (part, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}, part {part}");
        // Sums in another order: what is lost is relative to the largest of them.
        let size = expected.iter().fold(1.0_f64, |size, v| size.max(v.abs()));
        for (i, (a, b)) in found.iter().zip(expected).enumerate() {
            let same = (a - b).abs() <= tolerance * size || (a.is_nan() && b.is_nan()) || a == b;
            assert!(same, "{what}, part {part}, element {i}: {a} shared, {b} apart");
        }
    }
}

fn products_of<E: Dtype>(rows: &[usize], (k, n): (usize, usize), tolerance: f64)
where
    Cpu: Backend<E>,
{
    let weight = matrix::<E>(k, n, 1);
    let xs: Vec<_> = rows.iter().enumerate().map(|(i, &rows)| matrix::<E>(rows, k, i + 2)).collect();
    let run = |shares| gradients(&weight, &xs, xs.len(), shares, |i, w| total(&xs[i].matmul(w).tanh()));
    agree(&format!("{} × {rows:?}, {k} × {n}", rows.len()), &run(true), &run(false), tolerance);
}

fn products<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    for rows in [1, 2, 63, 64, 65, 256, 511, 512, 513, 700] {
        products_of::<E>(&[rows; 2], (7, 19), tolerance);
        products_of::<E>(&[rows; 3], (3, 33), tolerance);
    }
    products_of::<E>(&[1; 700], (5, 17), tolerance);
    products_of::<E>(&[1, 700, 64, 0, 512, 2, 511, 65, 1, 447, 0], (9, 16), tolerance);
    products_of::<E>(&[0, 0, 0], (2, 3), tolerance);
    products_of::<E>(&[700, 1, 0], (1, 1), tolerance);
    let many: Vec<usize> = (0..300).map(|i| i * 37 % 71).collect();
    products_of::<E>(&many, (4, 8), tolerance);
    for sizes in [(0, 3), (3, 0), (0, 0)] {
        products_of::<E>(&[2, 0, 5], sizes, tolerance);
    }
}

#[test]
fn few_and_many_rows_few_and_many_times() {
    products::<f32>(2e-5);
    products::<f64>(1e-13);
}

#[test]
fn not_finite_rows() {
    let (weight, rows) = (matrix::<f64>(3, 20, 1), [1, 5, 64]);
    let xs: Vec<_> = rows.iter().map(|&rows| matrix::<f64>(rows, 3, rows)).collect();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut xs = xs.clone();
        let mut values = xs[1].to_vec();
        values[4] = bad;
        xs[1] = Tensor::from_vec(values, (5, 3)).tracked();
        let f = |i: usize, w: &Matrix<f64>| total(&xs[i].matmul(w));
        agree("not finite", &gradients(&weight, &xs, 3, true, f), &gradients(&weight, &xs, 3, false, f), 1e-13);
        // Only the bad row is touched.
        let (_, _) = grad(|| {
            let (_, y) = (xs[0].matmul(&weight), xs[1].matmul(&weight).to_vec());
            assert!(y.iter().enumerate().all(|(i, v)| v.is_finite() == (i / 20 != 1)));
            weight.sum_all()
        });
    }
}

#[test]
fn a_loop_against_finite_differences() {
    let numbers = |n: usize| matrix::<f64>(1, n, n).to_vec();
    check("a loop", [&numbers(9), &numbers(6), &numbers(3)], Absolute, |[w, x, b]| {
        let layer = Linear::<usize, usize, f64> { weight: w.clone().reshape_like(&(3, 3)), bias: b.clone() };
        let x: Matrix<f64> = x.clone().reshape_like(&(2, 3));
        let states =
            (0..4).fold(x.clone(), |h, _| layer.forward_with(&h, Activation::Tanh) + h.matmul(&layer.weight) * &x);
        weigh(&states)
    });
}

#[test]
fn a_weight_that_is_a_product_itself() {
    let (a, b) = (matrix::<f64>(6, 2, 1), matrix::<f64>(2, 17, 2));
    let xs: Vec<_> = (0..90).map(|i| matrix::<f64>(i % 70, 6, i)).collect();
    let f = |i: usize, w: &Matrix<f64>| total(&xs[i].matmul(w).tanh());
    let apart = gradients(&a.matmul(&b), &[], 90, false, f);
    let (value, grads) = grad(|| {
        let w = a.matmul(&b);
        // The product is a right side too: it must have the gradients of all its uses when it runs backwards.
        (0..90).map(|i| f(i, &w)).reduce(|a, b| a + b).unwrap()
    });
    let by_w = Tensor::from_vec(apart[1].clone(), (6, 17));
    let expected =
        [by_w.matmul(&b.permute::<_, Axes2<1, 0>>()), a.permute::<(usize, usize), Axes2<1, 0>>().matmul(&by_w)];
    let found = vec![vec![value.item()], wide(&grads.get(&a).unwrap()), wide(&grads.get(&b).unwrap())];
    agree("a product", &found, &[apart[0].clone(), wide(&expected[0]), wide(&expected[1])], 1e-13);
}

#[test]
fn a_weight_in_layers_products_and_alone() {
    let (weight, bias) = (matrix::<f64>(6, 6, 1), Tensor::<(usize,), f64>::vector(vec![0.3; 6]).tracked());
    let xs: Vec<_> = [3, 3, 3, 6, 2, 80].iter().map(|&rows| matrix::<f64>(rows, 6, rows)).collect();
    let wider = matrix::<f64>(5, 4, 9);
    let f = |i: usize, w: &Matrix<f64>| match i {
        0 | 5 => total(&Linear { weight: w.clone(), bias: bias.clone() }.forward_with(&xs[i], Activation::Softplus)),
        1 => total(&xs[i].matmul(w)),
        // Tied, transposed.
        2 => total(&xs[i].matmul(&w.permute::<(usize, usize), Axes2<1, 0>>())),
        // On both sides of one product, and element by element.
        3 => total(&w.matmul(w)) + total(&(w * w.tanh())),
        // The same data as another matrix, and as rows.
        4 => total(&wider.matmul(&w.clone().reshape_like(&(4usize, 9usize)))) + total(&w.matmul(&own(&xs[3]))),
        _ => total(&xs[i % 6].matmul(w).matmul(w)),
    };
    let leaves: Vec<_> = xs.iter().cloned().chain([wider.clone()]).filter(|x| x.shape().0 != 6).collect();
    agree("mixed", &gradients(&weight, &leaves, 9, true, f), &gradients(&weight, &leaves, 9, false, f), 1e-13);
}

/// Of one element, a matrix and its transpose can share their data while each has its own gradient.
#[test]
fn tensors_that_share_their_data() {
    let w = Tensor::<Rank2<1, 1>, f64>::from([[0.5]]).tracked();
    let x = Tensor::<Rank2<2, 1>, f64>::from([[2.0], [3.0]]);
    for first in [true, false] {
        let (value, grads) = grad(|| {
            let before = if first { x.matmul(&w).sum_all() } else { Tensor::scalar(0.0) };
            let turned = dfdx::tensor_ops::PermuteTo::permute::<Rank2<1, 1>, Axes2<1, 0>>(w.clone().into_dfdx());
            let turned = Tensor::<Rank2<1, 1>, f64>::from_dfdx(turned);
            let uses = [x.matmul(&turned), x.matmul(&w), x.matmul(&turned.tracked()), x.matmul(&w.tracked())];
            uses.iter().fold(before, |sum, y| sum + y.sum_all())
        });
        let uses = if first { 5.0 } else { 4.0 };
        assert_eq!((value.item(), grads.get(&w).unwrap().item()), (2.5 * uses, 5.0 * uses));
    }
}

/// The sums of the columns of `x`, once for each column of the weight: the gradient of Σ x · weight.
fn by_hand(x: &Matrix<f64>, columns: usize, times: f64) -> Vec<f64> {
    let (rows, k) = x.shape();
    let sums = (0..k).map(|j| (0..rows).map(|i| x.to_vec()[i * k + j]).sum::<f64>() * times);
    sums.flat_map(|sum| vec![sum; columns]).collect()
}

#[test]
fn recorders_within_recorders() {
    let (w, x) = (matrix::<f64>(3, 18, 1), matrix::<f64>(4, 3, 2));
    let product = || x.matmul(&w).sum_all();
    for _ in 0..2 {
        let (_, outer) = grad(|| {
            let two = product() + product();
            let (_, inner) = grad(|| product() + product() * 2.0 + no_grad(product) + product() * 4.0);
            agree("inner", &[wide(&inner.get(&w).unwrap())], &[by_hand(&x, 18, 7.0)], 1e-14);
            // Nothing of a failed recorder, nor of one of another type, reaches this one.
            let failed = try_grad::<f64, Cpu, (), Error>(|| {
                let _ = product() + product();
                Err(Error::Device("on purpose".into()))
            });
            assert!(failed.is_err());
            let panicked =
                catch_unwind(AssertUnwindSafe(|| grad(|| if product().item() < 9e9 { panic!() } else { product() })));
            assert!(panicked.is_err());
            let (_, _) = grad(|| {
                let _ = product() + product();
                Tensor::<(), f32>::scalar(1.0)
            });
            // Two whose outputs the loss does not see.
            let _ = (product(), x.matmul(&w));
            two + no_grad(product) + product() * 8.0
        });
        agree("outer", &[wide(&outer.get(&w).unwrap())], &[by_hand(&x, 18, 10.0)], 1e-14);
    }
}

/// A product that panics is not waited for.
#[test]
fn products_that_panic_leave_the_others_gradients_alone() {
    let (w, x, bias) =
        (matrix::<f64>(3, 18, 1), matrix::<f64>(4, 3, 2), Tensor::<(usize,), f64>::vector(vec![0.0; 18]));
    let flat = |t: &Matrix<f64>| t.clone().reshape_like(&(t.numel(),));
    let sizes = Product { batch: 1, m: 7, k: 3, n: 18, shared_right: true };
    for before in [0, 1, 2] {
        let (_, grads) = grad(|| {
            let sum = (0..before).fold(Tensor::scalar(0.0), |sum, _| sum + x.matmul(&w).sum_all());
            let wrong = catch_unwind(AssertUnwindSafe(|| Cpu::matmul(flat(&x), flat(&w), sizes)));
            assert!(wrong.is_err());
            let wrong = || Cpu::linear(flat(&x), flat(&w), bias.clone(), sizes, Activation::Tanh);
            assert!(catch_unwind(AssertUnwindSafe(wrong)).is_err());
            sum + x.matmul(&w).sum_all() + x.matmul(&w).sum_all()
        });
        agree("after panics", &[wide(&grads.get(&w).unwrap())], &[by_hand(&x, 18, f64::from(before) + 2.0)], 1e-14);
    }
}

#[test]
fn weights_that_change_between_steps_and_stay_where_they_are() {
    let (mut w, x) = (matrix::<f64>(5, 20, 1), matrix::<f64>(6, 5, 2));
    let place = |w: &Matrix<f64>| w.read(<[f64]>::as_ptr);
    let (at, mut expected) = (place(&w), w.to_vec());
    for step in 0..5 {
        let (_, mut grads) = grad(|| {
            let apart = x.matmul(&own(&w).detach());
            let (first, second) = (x.matmul(&w), x.matmul(&w));
            agree("now", &[wide(&first), wide(&second)], &[wide(&apart), wide(&apart)], 1e-14);
            (first + second).sum_all()
        });
        grads.update(&mut w, &mut |w, g| w.iter_mut().zip(g).for_each(|(w, g)| *w -= 0.1 * *g)).unwrap();
        expected.iter_mut().zip(by_hand(&x, 20, 2.0)).for_each(|(w, g)| *w -= 0.1 * g);
        agree(&format!("step {step}"), &[wide(&w)], &[expected.clone()], 1e-14);
        // Had anything kept the weight, the update would have copied it.
        assert!(at == place(&w), "the weight is kept after step {step}");
    }
    // Changed within a recorder, after a use: the data of before are in the first product.
    let x = own(&x);
    let (_, grads) = grad(|| {
        let old = x.matmul(&w) + x.matmul(&w);
        let mut w = w.clone();
        let (_, mut inner) = grad(|| w.sum_all());
        inner.update(&mut w, &mut |w, _| w.iter_mut().for_each(|w| *w = 1.0)).unwrap();
        let new = x.matmul(&w) + x.matmul(&w);
        let rows: Vec<f64> = x.to_vec().chunks(5).flat_map(|row| vec![2.0 * row.iter().sum::<f64>(); 20]).collect();
        agree("changed", &[wide(&new)], &[rows], 1e-14);
        (old + new).sum_all()
    });
    let sums = expected.chunks(20).map(|row| 2.0 * row.iter().sum::<f64>() + 40.0).collect::<Vec<_>>();
    agree("by x", &[wide(&grads.get(&x).unwrap())], &[sums.repeat(6)], 1e-13);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let (w, u) = (matrix::<f32>(300, 410, 1), matrix::<f32>(410, 300, 2));
    let start = matrix::<f32>(21, 300, 3);
    let run = || {
        let (value, grads) =
            grad(|| total(&(0..40).fold(start.clone(), |h, _| (h.matmul(&w).tanh().matmul(&u) * 0.01).tanh())));
        let bits = |t: &Matrix<f32>| grads.get(t).unwrap().to_vec().into_iter().map(f32::to_bits).collect::<Vec<_>>();
        (value.item().to_bits(), [&w, &u, &start].map(bits))
    };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(run);
    for threads in [1, 2, 3] {
        assert!(one == pool(threads).install(run), "{threads} threads");
    }
}

/// Outputs, and the gradient of their squares in every parameter.
fn network(net: &AutoregressiveNetwork<f64>, x: &Matrix<f64>) -> Vec<Vec<f64>> {
    let mut net = net.clone();
    let mut found = Vec::new();
    let (_, mut grads) = grad(|| {
        let (first, again) = (net.forward(x), net.clone().forward(x));
        agree("again", &[wide(&again)], &[wide(&first)], 1e-14);
        found.extend([wide(&first), wide(&no_grad(|| net.forward(x)))]);
        (first * again).sum_all()
    });
    found.push(wide(&net.forward(x)));
    net.each_mut("", &mut |_, t| t.update(&mut grads, &mut |_, g| found.push(g.to_vec())).unwrap());
    found
}

/// The same network that has met no input yet.
fn unused(net: &AutoregressiveNetwork<f64>) -> AutoregressiveNetwork<f64> {
    let mut fresh = net.clone();
    fresh.each_mut("", &mut |_, t| t.set(&t.to_vec()).unwrap());
    fresh
}

#[test]
fn masked_weights_follow_the_network_and_its_clones() {
    let mut init = Init::<f64, Cpu>::new(Rng::seed(5));
    let x = matrix::<f64>(4, 3, 1).detach();
    let used = |net: AutoregressiveNetwork<f64>| {
        agree("unused", &network(&net, &x), &network(&unused(&net), &x), 1e-13);
        net
    };
    let mut net = AutoregressiveNetwork::new(&mut init, 3, &[8, 5], 2);
    net.each_mut("", &mut |_, t| t.track());
    let net = used(net);
    let before = network(&net, &x);
    let mut changed = net.clone();
    changed.each_mut("", &mut |_, t| t.set(&t.to_vec().iter().map(|v| 1.5 * v + 0.1).collect::<Vec<_>>()).unwrap());
    let changed = used(changed);
    assert!(network(&changed, &x)[0] != before[0] && network(&net, &x) == before);
    let turned = used(net.clone().with_order(vec![2, 0, 1]));
    let last = |net: &AutoregressiveNetwork<f64>, seen: usize| {
        let moved = |by: f64| {
            let values = x.to_vec().iter().enumerate().map(|(i, v)| if i % 3 == seen { v + by } else { *v }).collect();
            net.forward(&Tensor::from_vec(values, x.shape())).to_vec()
        };
        moved(0.0) == moved(7.0)
    };
    assert!(last(&turned, 1) && !last(&turned, 2) && last(&net, 2) && !last(&net, 1));
    let skipping = used(net.clone().with_skip(&mut init));
    let drawn = used(net.clone().initialised(&mut init, Initialise::Uniform, Initialise::Uniform));
    for other in [turned, skipping, drawn] {
        assert!(network(&other, &x)[0] != before[0]);
    }
    // Under an open recorder, after a first use.
    let (_, _) = grad(|| {
        let mut net = net.clone();
        let (first, mut inner) = grad(|| net.forward(&x).sum_all());
        net.each_mut("", &mut |_, t| {
            t.update(&mut inner, &mut |w, g| w.iter_mut().zip(g).for_each(|(w, g)| *w -= *g)).unwrap()
        });
        let second = net.forward(&x).sum_all();
        assert!(second.item() < first.item() && second.item() == unused(&net).forward(&x).sum_all().item());
        second
    });
    assert!(network(&net, &x) == before);
}
