//! Sizes 0 and 1, large batches, matrices that are not positive definite, shapes that do not fit.

use ppl_core::autodiff::grad;
use ppl_core::ops::Triangle;
use ppl_core::{Rank2, Rank3, Tensor};

use crate::finite_differences::panic_message;

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
            l.solve_triangular_vector(&b, Triangle::Lower).sum_all() + a.logdet().sum_all()
        });
        assert_eq!((grads.get(&a).unwrap().numel(), grads.get(&b).unwrap().numel()), (batch * n * n, batch * n));
    }
}
