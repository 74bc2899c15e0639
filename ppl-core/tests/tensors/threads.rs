//! Tensors and recorders on several threads, and results that do not depend on how many there are.

use ppl_core::autodiff::{grad, is_recording};
use ppl_core::backend::{Activation, Backend, Product};
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{Categorical, Normal};
use ppl_core::{Axis, Cpu, Tensor};

type Vector<E> = Tensor<(usize,), E>;

fn irregular(n: usize) -> Vec<f32> {
    (0..n).map(|i| (0.37 * i as f32 + 0.1).sin() * 3.0).collect()
}

/// The bits of what `f` gives in a pool of so many threads.
fn with_threads(threads: usize, f: impl Fn() -> Vec<Vec<f32>> + Send + Sync) -> Vec<Vec<u32>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(f).into_iter().map(|values| values.into_iter().map(f32::to_bits).collect()).collect()
}

#[track_caller]
fn same_on_any_number_of_threads(f: impl Fn() -> Vec<Vec<f32>> + Send + Sync) {
    let one = with_threads(1, &f);
    assert!(one.iter().all(|values| !values.is_empty()));
    for threads in [2, 3] {
        assert!(one == with_threads(threads, &f), "{threads} threads");
    }
}

#[test]
fn element_wise_operations_and_sums() {
    let n = 123_457;
    let x = Vector::vector(irregular(n)).tracked();
    let s = Tensor::<(), f32>::scalar(0.7).tracked();
    same_on_any_number_of_threads(|| {
        let (value, grads) = grad(|| ((&x * &s).tanh() / (1.0 + x.square()) + x.softplus() * &s).sum_all());
        vec![vec![value.item()], grads.get(&x).unwrap().to_vec(), grads.get(&s).unwrap().to_vec()]
    });
}

/// Of sums that find their slopes in the forward pass: what the elements one by one give.
#[test]
fn sums_of_log_densities() {
    let n = 123_457;
    let x = Vector::vector(irregular(n)).tracked();
    let loc = Vector::vector(irregular(n).iter().map(|v| 0.5 * v).collect()).tracked();
    let scale = Tensor::<(), f32>::scalar(1.7).tracked();
    let logits = Tensor::<(usize, usize), f32>::from_vec(irregular(n * 3), (n, 3)).tracked();
    let picked = Tensor::<(usize,), usize>::from_vec((0..n).map(|i| i % 3).collect(), (n,));
    let run = |fused: bool| {
        let (value, grads) = grad(|| {
            let normal = Normal::new(&loc, &scale);
            let categories = Categorical::from_logits(&logits).log_prob(&picked).sum_all();
            let points = if fused { normal.log_prob_sum(&x) } else { normal.log_prob(&x).sum_all() };
            (points + categories) * -0.5
        });
        let [by_x, by_loc] = [&x, &loc].map(|t| grads.get(t).unwrap().to_vec());
        let numbers = vec![value.item(), grads.get(&scale).unwrap().item()];
        vec![numbers, by_x, by_loc, grads.get(&logits).unwrap().to_vec()]
    };
    same_on_any_number_of_threads(|| run(true));
    let pairs = run(true).into_iter().flatten().zip(run(false).into_iter().flatten());
    for (fused, apart) in pairs {
        assert!((fused - apart).abs() <= 1e-5 * apart.abs().max(1.0), "{fused} and {apart}");
    }
    // The slopes along the logits of a row: ½ of its probabilities, less ½ for the category that was picked.
    let all = run(true);
    let row: Vec<f32> = logits.to_vec()[300_000..300_003].to_vec();
    let total: f32 = row.iter().map(|l| l.exp()).sum();
    for (k, l) in row.iter().enumerate() {
        let expected = 0.5 * (l.exp() / total - f32::from(u8::from(k == 100_000 % 3)));
        assert!((all[3][300_000 + k] - expected).abs() < 1e-6, "{} and {expected}", all[3][300_000 + k]);
    }
}

#[test]
fn reductions_over_an_axis() {
    let x = Tensor::<(usize, usize), f32>::from_vec(irregular(1201 * 101), (1201, 101)).tracked();
    same_on_any_number_of_threads(|| {
        let (value, grads) = grad(|| {
            let rows = x.logsumexp::<(usize,), Axis<1>>().square().sum_all();
            let columns = x.sum::<(usize,), Axis<0>>().tanh().sum_all();
            rows + columns + x.max::<(usize,), Axis<0>>().sum_all() + x.sum::<(usize,), Axis<1>>().mean_all()
        });
        vec![vec![value.item()], grads.get(&x).unwrap().to_vec()]
    });
}

#[test]
fn linear_maps_and_products() {
    let (m, k, n) = (257, 413, 511);
    let x = Vector::vector(irregular(m * k)).tracked();
    let w = Vector::vector(irregular(k * n).iter().map(|v| v / 20.0).collect()).tracked();
    let b = Vector::vector(irregular(n)).tracked();
    let sizes = Product { batch: 1, m, k, n, shared_right: true };
    same_on_any_number_of_threads(|| {
        let (value, grads) = grad(|| {
            let y = Cpu::linear(x.clone(), w.clone(), b.clone(), sizes, Activation::Tanh);
            y.square().sum_all() + Cpu::matmul(x.clone(), w.clone(), sizes).sigmoid().sum_all()
        });
        let parts = [&x, &w, &b].map(|t| grads.get(t).unwrap().to_vec());
        std::iter::once(vec![value.item()]).chain(parts).collect()
    });
}

#[test]
fn a_matrix_and_a_vector() {
    let (rows, k) = (20_011, 17);
    let (a, x) = (Vector::vector(irregular(rows * k)).tracked(), Vector::vector(irregular(k)).tracked());
    let sizes = Product { batch: 1, m: rows, k, n: 1, shared_right: true };
    same_on_any_number_of_threads(|| {
        let (value, grads) = grad(|| Cpu::matmul(a.clone(), x.clone(), sizes).square().sum_all());
        vec![vec![value.item()], grads.get(&a).unwrap().to_vec(), grads.get(&x).unwrap().to_vec()]
    });
}

#[test]
fn gathering_with_repetitions() {
    let n = 100_003;
    let x = Vector::vector(irregular(n)).tracked();
    let indices: Vec<usize> = (0..n).map(|i| i * i % 997).collect();
    same_on_any_number_of_threads(|| {
        let (_, grads) = grad(|| x.gather::<(usize,)>(&indices).exp().sum_all());
        vec![grads.get(&x).unwrap().to_vec()]
    });
}

#[test]
fn gradients_on_several_threads_are_independent() {
    let shared = Tensor::<(), f64>::scalar(2.0).tracked();
    let found: Vec<f64> = std::thread::scope(|scope| {
        let work = |k: i32| {
            let shared = &shared;
            scope.spawn(move || {
                let (_, grads) = grad(|| {
                    assert!(is_recording());
                    (0..200).fold(shared.powi(k), |y, _| y * 1.0 + shared * 0.0)
                });
                grads.get(shared).unwrap().item()
            })
        };
        let handles: Vec<_> = (1..5).map(work).collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    assert_eq!(found, [1.0, 4.0, 12.0, 32.0]);
    assert!(!is_recording());
}

#[test]
fn tensors_move_between_threads() {
    let x = Vector::vector(vec![1.0f32, 2.0]).tracked();
    let y = std::thread::spawn({
        let x = x.clone();
        move || x * 3.0
    })
    .join()
    .unwrap();
    // Made without a recorder over there, it is a leaf here.
    let (_, grads) = grad(|| (&y * &x).sum_all());
    assert_eq!((grads.get(&y).unwrap().to_vec(), grads.get(&x).unwrap().to_vec()), (vec![1.0, 2.0], vec![3.0, 6.0]));
}

#[test]
fn another_threads_recorder_is_not_ours() {
    let x = Tensor::<(), f64>::scalar(2.0).tracked();
    let (_, grads) = grad(|| {
        let elsewhere = std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                assert!(!is_recording());
                x.exp()
            });
            there.join().unwrap()
        });
        elsewhere.detach() * &x
    });
    assert_eq!(grads.get(&x).unwrap().item(), 2f64.exp());
}

#[test]
fn batches_of_matrices() {
    let (batch, n) = (5003, 5);
    let diagonal = |e: usize| if e / n % n == e % n { 30.0 } else { 1.0 };
    let a = irregular(batch * n * n).iter().enumerate().map(|(e, v)| v + diagonal(e)).collect();
    let a = Tensor::<(usize, usize, usize), f32>::from_vec(a, (batch, n, n)).tracked();
    let shared = Tensor::<(usize, usize), f32>::from_vec(a.to_vec()[..n * n].to_vec(), (n, n)).tracked();
    let x = Tensor::<(usize, usize), f32>::from_vec(irregular(batch * n), (batch, n)).tracked();
    same_on_any_number_of_threads(|| {
        let (value, grads) = grad(|| {
            let distances = a.cholesky().mahalanobis(&x, &x.detach()) + shared.mahalanobis(&x, &x.tanh());
            distances.sum_all() + a.slogdet().1.sum_all()
        });
        vec![
            vec![value.item()],
            grads.get(&a).unwrap().to_vec(),
            grads.get(&shared).unwrap().to_vec(),
            grads.get(&x).unwrap().to_vec(),
        ]
    });
}
