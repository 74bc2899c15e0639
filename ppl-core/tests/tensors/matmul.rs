//! Matrix products of every pair of ranks, against the definition and finite differences.

use crate::finite_differences::Step::Absolute;
use crate::finite_differences::{Vector, check, close, irregular, panic_message, weigh};
use ppl_core::autodiff::grad;
use ppl_core::{Const, Rank1, Rank2, Rank3, Tensor};

/// `a` (m × k) times `b` (k × n).
fn naive(a: &[f64], b: &[f64], m: usize, k: usize, n: usize) -> Vec<f64> {
    let element = |i: usize, j: usize| (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
    (0..m * n).map(|e| element(e / n, e % n)).collect()
}

#[track_caller]
fn same(found: Vec<f64>, expected: Vec<f64>) {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(&expected).for_each(|(f, e)| close("product", *f, *e));
}

#[test]
fn vector_and_matrix() {
    let (a, b) = (irregular(3), irregular(12));
    let product = |a: &Vector, b: &Vector| {
        let (a, b) = (a.clone().reshape::<Rank1<3>>(), b.clone().reshape::<Rank2<3, 4>>());
        a.matmul(&b)
    };
    same(product(&Vector::vector(a.clone()), &Vector::vector(b.clone())).to_vec(), naive(&a, &b, 1, 3, 4));
    check("v · m", [&a, &b], Absolute, |[a, b]| weigh(&product(a, b)));
}

#[test]
fn matrix_and_vector() {
    let (a, b) = (irregular(12), irregular(3));
    let product = |a: &Vector, b: &Vector| {
        let (a, b) = (a.clone().reshape::<Rank2<4, 3>>(), b.clone().reshape::<Rank1<3>>());
        a.matmul(&b)
    };
    same(product(&Vector::vector(a.clone()), &Vector::vector(b.clone())).to_vec(), naive(&a, &b, 4, 3, 1));
    check("m · v", [&a, &b], Absolute, |[a, b]| weigh(&product(a, b)));
}

#[test]
fn matrix_and_matrix() {
    let (a, b) = (irregular(6), irregular(12));
    let product = |a: &Vector, b: &Vector| {
        let (a, b) = (a.clone().reshape::<Rank2<2, 3>>(), b.clone().reshape::<Rank2<3, 4>>());
        a.matmul(&b)
    };
    same(product(&Vector::vector(a.clone()), &Vector::vector(b.clone())).to_vec(), naive(&a, &b, 2, 3, 4));
    check("m · m", [&a, &b], Absolute, |[a, b]| weigh(&product(a, b)));
}

#[test]
fn a_batch_and_one_matrix() {
    let (a, b) = (irregular(12), irregular(12));
    let product = |a: &Vector, b: &Vector| {
        let (a, b) = (a.clone().reshape::<Rank3<2, 2, 3>>(), b.clone().reshape::<Rank2<3, 4>>());
        a.matmul(&b)
    };
    same(product(&Vector::vector(a.clone()), &Vector::vector(b.clone())).to_vec(), naive(&a, &b, 4, 3, 4));
    check("batch · m", [&a, &b], Absolute, |[a, b]| weigh(&product(a, b)));
}

#[test]
fn a_batch_and_a_batch() {
    let (a, b) = (irregular(12), irregular(24));
    let product = |a: &Vector, b: &Vector| {
        let (a, b) = (a.clone().reshape::<Rank3<2, 2, 3>>(), b.clone().reshape::<Rank3<2, 3, 4>>());
        a.matmul(&b)
    };
    let halves = [naive(&a[..6], &b[..12], 2, 3, 4), naive(&a[6..], &b[12..], 2, 3, 4)].concat();
    same(product(&Vector::vector(a.clone()), &Vector::vector(b.clone())).to_vec(), halves);
    check("batch · batch", [&a, &b], Absolute, |[a, b]| weigh(&product(a, b)));
}

#[test]
fn a_matrix_with_itself() {
    check("x · x", [&irregular(9)], Absolute, |[x]| {
        let x = x.clone().reshape::<Rank2<3, 3>>();
        weigh(&x.matmul(&x))
    });
}

#[test]
fn large_products_on_several_threads() {
    let (m, k, n) = (67, 129, 83);
    let (a, b) = (irregular(m * k), irregular(k * n));
    let left = Tensor::<(usize, usize), f64>::from_vec(a.clone(), (m, k)).tracked();
    let right = Tensor::<(usize, usize), f64>::from_vec(b.clone(), (k, n)).tracked();
    let (_, grads) = grad(|| left.matmul(&right).sum_all());
    same(left.matmul(&right).to_vec(), naive(&a, &b, m, k, n));
    let ones = vec![1.0; m * n];
    let transpose = |x: &[f64], r: usize, c: usize| (0..r * c).map(|e| x[e % r * c + e / r]).collect::<Vec<_>>();
    same(grads.get(&left).unwrap().to_vec(), naive(&ones, &transpose(&b, k, n), m, n, k));
    same(grads.get(&right).unwrap().to_vec(), naive(&transpose(&a, m, k), &ones, k, m, n));
}

#[test]
fn products_over_nothing_are_zero() {
    let left = Tensor::<(usize, usize), f64>::from_vec(vec![], (2, 0)).tracked();
    let right = Tensor::<(usize, usize), f64>::from_vec(vec![], (0, 3)).tracked();
    let (value, grads) = grad(|| left.matmul(&right).sum_all());
    assert_eq!((value.item(), left.matmul(&right).to_vec()), (0.0, vec![0.0; 6]));
    assert_eq!((grads.get(&left).unwrap().numel(), grads.get(&right).unwrap().numel()), (0, 0));
    let none = Tensor::<(usize, usize), f64>::from_vec(vec![], (0, 2));
    let some = Tensor::<(usize, usize), f64>::from_vec(irregular(6), (2, 3)).tracked();
    let (_, grads) = grad(|| none.matmul(&some).sum_all());
    assert_eq!(grads.get(&some).unwrap().to_vec(), [0.0; 6]);
}

#[test]
fn sizes_that_do_not_fit_are_told_with_both_shapes() {
    let a = Tensor::<(usize, usize), f64>::from_vec(vec![0.0; 6], (2, 3));
    let b = Tensor::<(usize, usize), f64>::from_vec(vec![0.0; 8], (4, 2));
    let error = a.try_matmul(&b).unwrap_err().to_string();
    assert!(["matmul", "[2, 3]", "[4, 2]"].iter().all(|part| error.contains(part)), "{error}");
    assert_eq!(panic_message(|| a.matmul(&b)), error);
    let batch = Tensor::<(usize, Const<1>, usize), f64>::from_vec(vec![0.0; 6], (2, Const, 3));
    let other = Tensor::<(usize, usize, usize), f64>::from_vec(vec![0.0; 9], (3, 3, 1));
    let error = batch.try_matmul(&other).unwrap_err().to_string();
    assert!(error.contains("[2, 1, 3]") && error.contains("[3, 3, 1]"), "{error}");
}
