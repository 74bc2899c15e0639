//! Sizes 0 and 1, large batches, matrices that are not positive definite, shapes that do not fit.

use ppl_core::autodiff::grad;
use ppl_core::ops::{Batch, Triangle, Vectors};
use ppl_core::{Const, Rank1, Rank2, Rank3, Shape, Tensor};

use crate::finite_differences::{irregular, panic_message};

#[test]
fn a_matrix_that_is_not_positive_definite_is_named_and_spoils_no_other() {
    let a = Tensor::<Rank3<2, 2, 2>, f64>::from([[[4.0, 9.0], [2.0, 10.0]], [[1.0, 9.0], [2.0, 3.0]]]).tracked();
    let error = a.try_cholesky().unwrap_err();
    assert_eq!((error.batch.as_slice(), error.pivot, error.value), (&[1][..], 1, -1.0));
    let text = "the matrix at [1] of the batch is not positive definite: pivot 1 of its factorisation is -1";
    assert_eq!(error.to_string(), text);
    let (_, grads) = grad(|| {
        let l = a.cholesky();
        let found = l.to_vec();
        assert_eq!(found[..4], [2.0, 0.0, 1.0, 3.0]);
        assert!(found[4].is_nan() && found[6].is_nan() && found[7].is_nan() && found[5] == 0.0, "{found:?}");
        // Only the first matrix is used.
        l.slice::<Rank3<1, 2, 2>>(&[0..1, 0..2, 0..2]).sum_all()
    });
    assert_eq!(grads.get(&a).unwrap().to_vec()[4..], [0.0; 4]);
}

#[test]
fn hostile_matrices_are_nan() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, -1.0] {
        let a = Tensor::<Rank2<1, 1>, f64>::from([[bad]]);
        assert!(a.cholesky().item().is_nan() && a.logdet().item().is_nan());
        assert_eq!(a.try_cholesky().unwrap_err().batch, [0; 0]);
        let below = Tensor::<Rank2<2, 2>, f64>::from([[1.0, 0.0], [bad.min(-1.0), 1.0]]);
        assert!(below.try_cholesky().is_err(), "{bad}");
    }
    let small = Tensor::<Rank2<1, 1>, f64>::from([[5e-324]]).cholesky().item();
    assert_eq!(small, 5e-324_f64.sqrt());
}

#[test]
fn shapes_that_do_not_fit_are_told() {
    let flat = Tensor::<(usize, usize), f64>::from_vec(vec![0.0; 6], (2, 3));
    for message in [panic_message(|| flat.cholesky()), panic_message(|| flat.diagonal())] {
        assert!(message.contains("not square") && message.contains("[2, 3]"), "{message}");
    }
    let l = Tensor::<(usize, usize), f64>::from_vec(vec![1.0; 4], (2, 2));
    let message = panic_message(|| l.solve_triangular_vector(&Tensor::from([1.0, 2.0, 3.0]), Triangle::Lower));
    assert!(message.contains("[2, 2]") && message.contains("[3]"), "{message}");
    let three = Tensor::<(usize, usize, usize), f64>::from_vec(vec![1.0; 12], (3, 2, 2));
    let two = Tensor::<(usize, usize), f64>::from_vec(vec![1.0; 4], (2, 2));
    let message = panic_message(|| three.solve_triangular_vector(&two, Triangle::Lower));
    assert!(message.contains("[3, 2, 2]") && message.contains("[2, 2]"), "{message}");
}

#[test]
fn no_rows_and_no_matrices() {
    for (batch, n) in [(3, 0), (0, 2), (0, 0)] {
        let a = Tensor::<(usize, usize, usize), f64>::from_vec(vec![0.0; batch * n * n], (batch, n, n)).tracked();
        let b = Tensor::<(usize, usize), f64>::from_vec(vec![0.0; batch * n], (batch, n)).tracked();
        let (_, grads) = grad(|| {
            let l = a.try_cholesky().unwrap();
            assert_eq!(l.log_abs_det_triangular().to_vec(), vec![0.0; batch]);
            assert_eq!(a.slogdet().0.to_vec(), vec![1.0; batch]);
            assert_eq!(a.tril(0).numel() + a.transpose().numel() + l.cholesky_inverse().numel(), 3 * batch * n * n);
            let distance = l.mahalanobis(&b, &b);
            assert_eq!(distance.to_vec(), vec![0.0; batch]);
            let solved = l.solve_triangular_vector(&b, Triangle::Lower).sum_all();
            solved + distance.sum_all() + a.logdet().sum_all() + a.slogdet().1.sum_all() + a.matrix_inverse().sum_all()
        });
        assert_eq!((grads.get(&a).unwrap().numel(), grads.get(&b).unwrap().numel()), (batch * n * n, batch * n));
    }
}

#[test]
fn singular_matrices() {
    for n in [2, 20] {
        for fill in [0.0, 1.0] {
            let a = Tensor::<(usize, usize), f64>::full_like(fill, (n, n)).tracked();
            let (value, grads) = grad(|| {
                let (sign, log) = a.slogdet();
                assert_eq!(sign.item(), 0.0);
                log
            });
            assert_eq!(value.item(), f64::NEG_INFINITY);
            assert!(grads.get(&a).unwrap().to_vec().iter().all(|&g| g == 0.0));
            assert!(a.matrix_inverse().to_vec().iter().all(|v| v.is_nan()));
        }
    }
    let zero = Tensor::<Rank2<2, 2>, f64>::from([[1.0, 0.0], [5.0, 0.0]]);
    assert_eq!(zero.log_abs_det_triangular().item(), f64::NEG_INFINITY);
}

#[test]
fn extreme_scales() {
    for scale in [1e-300, 1e-160, 1e160, 1e300] {
        let a = Tensor::<Rank2<2, 2>, f64>::from([[2.0, 1.0], [1.0, 3.0]]) * scale;
        let logdet = 5.0_f64.ln() + 2.0 * f64::ln(scale);
        for found in [a.logdet().item(), a.slogdet().1.item()] {
            assert!((found - logdet).abs() < 1e-14 * logdet.abs(), "{found} and {logdet}");
        }
        let inverse = a.matrix_inverse().to_vec();
        let exact = [0.6, -0.2, -0.2, 0.4].map(|v| v / scale);
        assert!(inverse.iter().zip(exact).all(|(f, e)| ((f - e) / e).abs() < 1e-14), "{inverse:?} and {exact:?}");
    }
}

#[test]
fn hostile_numbers_are_not_a_panic() {
    for bad in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e308, 1e-320, 0.0] {
        for n in [3, 20] {
            let mut elements = irregular(n * n);
            elements[n + 1] = bad;
            elements[n * n - 1] = bad;
            let a = Tensor::<(usize, usize), f64>::from_vec(elements, (n, n)).tracked();
            let b = Tensor::<(usize, usize), f64>::full_like(bad, (2, n)).tracked();
            let (_, grads) = grad(|| {
                let parts = [
                    a.cholesky().sum_all(),
                    a.matrix_inverse().sum_all(),
                    a.slogdet().1.sum_all(),
                    a.solve_triangular(&a, Triangle::Upper).sum_all(),
                    a.mahalanobis(&b, &b).sum_all(),
                ];
                parts.into_iter().reduce(|sum, part| sum + part).unwrap()
            });
            assert_eq!(grads.get(&a).unwrap().numel(), n * n);
            if !bad.is_finite() {
                assert!(a.try_cholesky().is_err());
                let (sign, log) = a.slogdet();
                assert!(!sign.item().is_finite() || !log.item().is_finite(), "{bad}: {sign:?} {log:?}");
            }
        }
    }
}

#[test]
fn an_infinite_point_is_infinitely_far_with_gradient_0() {
    let inf = f64::INFINITY;
    let l = Tensor::<Rank2<2, 2>, f64>::from([[2.0, 0.0], [0.0, 4.0]]).tracked();
    let x = Tensor::<Rank2<4, 2>, f64>::from([[inf, 0.0], [0.0, -inf], [inf, inf], [0.0, 0.0]]).tracked();
    let loc = Tensor::<Rank1<2>, f64>::from([0.0, 0.0]).tracked();
    let (_, grads) = grad(|| {
        let far = l.mahalanobis(&x, &loc);
        assert_eq!(far.array(), [inf, inf, inf, 0.0]);
        far.sum_all()
    });
    assert_eq!(grads.get(&x).unwrap().to_vec(), [0.0; 8]);
    assert_eq!(grads.get(&l).unwrap().to_vec(), [0.0; 4]);
    assert_eq!(grads.get(&loc).unwrap().to_vec(), [0.0; 2]);
    let nan = l.mahalanobis(&Tensor::<Rank1<2>, f64>::from([f64::NAN, inf]), &loc);
    assert!(nan.item().is_nan());
}

#[test]
fn only_one_triangle_is_read() {
    let nan = f64::NAN;
    let lower = Tensor::<Rank2<2, 2>, f64>::from([[4.0, nan], [2.0, 10.0]]);
    assert_eq!(lower.cholesky().array(), [[2.0, 0.0], [1.0, 3.0]]);
    let b = Tensor::from([8.0, 24.0]);
    assert_eq!(lower.solve_triangular_vector(&b, Triangle::Lower).array(), [2.0, 2.0]);
    assert_eq!(lower.mahalanobis(&b, &Tensor::from([0.0, 0.0])).item(), 8.0);
    assert_eq!(lower.tril(0).array(), [[4.0, 0.0], [2.0, 10.0]]);
    let n = 20;
    let mut large = Tensor::<(usize, usize), f64>::eye_like((n, n)).to_vec();
    (0..n).for_each(|i| large[i * n + i + 1..(i + 1) * n].fill(nan));
    let large = Tensor::from_vec(large, (n, n));
    let eye = Tensor::<(usize, usize), f64>::eye_like((n, n));
    assert_eq!(large.cholesky(), eye);
    assert_eq!(large.solve_triangular(&eye, Triangle::Lower), eye);
    assert_eq!(large.solve_triangular(&eye, Triangle::LowerTransposed), eye);
}

#[test]
fn rearranged_elements() {
    let a = Tensor::<Rank2<2, 3>, f64>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(a.transpose().array(), [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    assert_eq!(a.tril(0).array(), [[1.0, 0.0, 0.0], [4.0, 5.0, 0.0]]);
    assert_eq!(a.tril(1).array(), [[1.0, 2.0, 0.0], [4.0, 5.0, 6.0]]);
    assert_eq!(a.triu(1).array(), [[0.0, 2.0, 3.0], [0.0, 0.0, 6.0]]);
    assert_eq!(a.triu(-5), a);
    let y: Tensor<Rank1<2>, f64> = a.matvec_rectangular(&Tensor::from([1.0, 0.0, -1.0]));
    assert_eq!(y.array(), [-2.0, -2.0]);
    assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).matvec(&y).array(), [-6.0, -14.0]);
    type Pairs = Tensor<(usize, Const<2>, Const<2>), f64>;
    let batch = Pairs::from_vec((1..9).map(f64::from).collect(), (2, Const, Const));
    assert_eq!(batch.transpose().to_vec(), [1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0]);
    assert_eq!(batch.diagonal().to_vec(), [1.0, 4.0, 5.0, 8.0]);
    assert_eq!(Pairs::from_diagonal(&batch.diagonal()).to_vec(), [1.0, 0.0, 0.0, 4.0, 5.0, 0.0, 0.0, 8.0]);
    assert_eq!(batch.symmetrise().to_vec(), [1.0, 2.5, 2.5, 4.0, 5.0, 6.5, 6.5, 8.0]);
    assert_eq!(Tensor::<Rank2<2, 2>, f32>::eye().array(), [[1.0, 0.0], [0.0, 1.0]]);
    let message =
        panic_message(|| Tensor::<Rank2<3, 3>, f64>::outer(&Tensor::from([1.0; 3]), &Tensor::from([1.0, 2.0])));
    assert!(message.contains("[3]") && message.contains("[2]"), "{message}");
}

#[test]
fn matrices_of_200_rows() {
    let n = 200;
    let a = Tensor::<(usize, usize), f64>::from_vec(irregular(n * n), (n, n));
    let positive = a.matmul(&a.transpose()) / n as f64 + Tensor::eye_like((n, n));
    let l = positive.cholesky();
    let near = |found: &Tensor<(usize, usize), f64>, expected: &Tensor<(usize, usize), f64>| {
        let worst = (found - expected).to_vec().iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        assert!(worst < 1e-11, "{worst:e}");
    };
    near(&l.matmul(&l.transpose()), &positive);
    let eye = Tensor::eye_like((n, n));
    near(&positive.matmul(&l.cholesky_inverse()), &eye);
    near(&positive.matmul(&positive.matrix_inverse()), &eye);
    near(&positive.matmul(&l.cholesky_solve(&eye)), &eye);
    let logdet = positive.logdet().item();
    assert!((positive.slogdet().1.item() - logdet).abs() < 1e-11 * logdet.abs());
}

/// −½ |L⁻¹ (x − loc)|² − ln |det L|, and a draw: code over any shape of matrices, without a bound
/// but `Shape`.
fn generic<M: Shape>(
    l: &Tensor<M, f64>,
    x: &Tensor<Vectors<M>, f64>,
) -> (Tensor<Batch<M>, f64>, Tensor<Vectors<M>, f64>) {
    let covariance = Tensor::<M, f64>::outer(x, x).symmetrise() + Tensor::<M, f64>::from_diagonal(&l.diagonal());
    let _: Tensor<M, f64> = covariance.cholesky();
    (l.mahalanobis(x, x) * -0.5 - l.log_abs_det_triangular(), l.matvec(x) + x)
}

#[test]
fn code_over_any_shape() {
    let l = Tensor::<Rank2<2, 2>, f64>::from([[2.0, 0.0], [1.0, 3.0]]);
    let (density, draw) = generic(&l, &Tensor::from([1.0, 1.0]));
    assert_eq!((density.item(), draw.array()), (-6.0_f64.ln(), [3.0, 5.0]));
    let batch = Tensor::<(usize, Const<2>, Const<2>), f64>::from_vec(l.to_vec().repeat(3), (3, Const, Const));
    let (density, draw) = generic(&batch, &Tensor::from_vec(vec![1.0; 6], (3, Const)));
    assert_eq!((density.to_vec(), draw.to_vec()), (vec![-6.0_f64.ln(); 3], [3.0, 5.0].repeat(3)));
}
