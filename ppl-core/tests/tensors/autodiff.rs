//! The recorder: nesting, panics, errors, stretches that record nothing, and what gradients keep.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::finite_differences::Scalar;
use ppl_core::autodiff::{Gradients, grad, is_recording, no_grad, try_grad};
use ppl_core::{Cpu, Error, Rank1, Tensor};

fn square_gradient(x: f64) -> f64 {
    let x = Scalar::scalar(x).tracked();
    grad(|| &x * &x).1.get(&x).unwrap().item()
}

#[test]
fn a_panic_closes_its_recorder() {
    for _ in 0..3 {
        let x = Scalar::scalar(3.0).tracked();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            grad(|| {
                let y = &x * &x;
                assert!(is_recording());
                no_grad(|| assert!(y.item() < 0.0, "on purpose"));
                y
            })
        }));
        assert!(outcome.is_err() && !is_recording());
        assert_eq!(square_gradient(2.0), 4.0);
    }
}

#[test]
fn a_panic_inside_leaves_the_recorder_outside_as_it_was() {
    let x = Scalar::scalar(3.0).tracked();
    let (_, grads) = grad(|| {
        let y = &x * 2.0;
        let inner = catch_unwind(AssertUnwindSafe(|| grad::<f64, Cpu>(|| panic!("on purpose"))));
        assert!(inner.is_err() && is_recording());
        y * &x
    });
    assert_eq!(grads.get(&x).unwrap().item(), 12.0);
}

#[test]
fn nested_gradients_are_independent() {
    let x = Scalar::scalar(3.0).tracked();
    let (value, grads) = grad(|| {
        let (inner, inside) = grad(|| x.powi(3));
        assert_eq!(inside.get(&x).unwrap().item(), 27.0);
        // The outer recorder does not see what the inner closure computed: it is a constant there.
        inner * &x + inside.get(&x).unwrap() * &x
    });
    assert_eq!(value.item(), 27.0 * 3.0 + 27.0 * 3.0);
    assert_eq!(grads.get(&x).unwrap().item(), 27.0 + 27.0);
}

#[test]
fn recorders_of_two_dtypes_nest() {
    let x = Scalar::scalar(3.0).tracked();
    let y = Tensor::<(), f32>::from(5.0f32).tracked();
    let (_, outer) = grad(|| {
        let before = &x * &x;
        let (_, inner) = grad(|| &y * &y * &y);
        let unseen = grad(|| {
            let _ = &x * 7.0;
            y.clone()
        })
        .1;
        assert_eq!((inner.get(&y).unwrap().item(), unseen.get(&y).unwrap().item()), (75.0, 1.0));
        before + &x
    });
    assert_eq!(outer.get(&x).unwrap().item(), 7.0);
}

#[test]
fn no_grad_records_nothing() {
    let x = Scalar::scalar(3.0).tracked();
    let (value, grads) = grad(|| {
        let constant = no_grad(|| {
            assert!(!is_recording());
            // A recorder within works as anywhere.
            assert_eq!(square_gradient(5.0), 10.0);
            x.exp()
        });
        assert!(is_recording());
        constant * &x
    });
    assert_eq!(value.item(), 3f64.exp() * 3.0);
    assert_eq!(grads.get(&x).unwrap().item(), 3f64.exp());
    assert!(!is_recording());
}

#[test]
fn an_error_closes_the_recorder() {
    let x = Scalar::scalar(3.0).tracked();
    let failed = try_grad::<f64, Cpu, (), Error>(|| {
        let _ = &x * &x;
        Err(Error::DuplicateSite("z".into()))
    });
    assert_eq!(failed.unwrap_err(), Error::DuplicateSite("z".into()));
    assert!(!is_recording());
    let (value, extra, grads) = try_grad::<_, _, _, Error>(|| Ok((&x * &x, "beside"))).unwrap();
    assert_eq!((value.item(), extra, grads.get(&x).unwrap().item()), (9.0, "beside", 6.0));
}

#[test]
fn a_tensor_that_took_no_part_has_zeros() {
    let x = Scalar::scalar(3.0).tracked();
    let other = Tensor::<Rank1<3>, f64>::ones().tracked();
    let (_, grads) = grad(|| &x * 2.0);
    assert_eq!(grads.get(&other).unwrap().to_vec(), [0.0; 3]);
    // A loss that depends on nothing.
    let (value, grads) = grad(|| Scalar::scalar(4.0));
    assert_eq!((value.item(), grads.get(&x).unwrap().item()), (4.0, 0.0));
}

#[test]
fn leaves_keep_their_gradients_and_intermediate_values_do_not() {
    let x = Scalar::scalar(3.0).tracked();
    let mut middle = None;
    let (value, grads) = grad(|| {
        let y = x.exp();
        middle = Some(y.clone());
        y * &x
    });
    assert!(grads.get(&middle.unwrap()).is_none() && grads.get(&value).is_none());
    assert_eq!(grads.get(&x), grads.get(&x));
    // The loss may be a leaf itself.
    assert_eq!(grad(|| x.clone()).1.get(&x).unwrap().item(), 1.0);
}

#[test]
fn tracking_is_by_identity() {
    let x = Scalar::scalar(3.0);
    let (_, grads) = grad(|| x.tracked() * x.tracked() * &x);
    // The untracked use counts as a constant.
    assert_eq!(grads.get(&x).unwrap().item(), 18.0);
}

#[test]
fn a_detached_value_tracked_again_is_a_new_leaf() {
    let x = Scalar::scalar(3.0).tracked();
    let mut leaf = None;
    let (_, grads) = grad(|| {
        let y = &x * &x;
        let z = y.detach().tracked();
        leaf = Some(z.clone());
        &z * &z
    });
    assert_eq!(grads.get(&x).unwrap().item(), 0.0);
    assert_eq!(grads.get(&leaf.unwrap()).unwrap().item(), 18.0);
}

#[test]
fn values_computed_outside_are_constants_of_the_loss() {
    let x = Scalar::scalar(3.0).tracked();
    let before = &x * &x;
    let (_, grads) = grad(|| &before * &x);
    assert_eq!(grads.get(&x).unwrap().item(), 9.0);
}

#[test]
fn an_update_leaves_clones_alone() {
    let mut param = Tensor::<_, f32>::from([1.0, 2.0, 3.0]).tracked();
    let before = param.clone();
    let (_, mut grads) = grad(|| param.square().sum_all());
    grads
        .update(&mut param, &mut |value, gradient| {
            value.iter_mut().zip(gradient).for_each(|(v, g)| *v -= 0.5 * *g);
        })
        .unwrap();
    assert_eq!((param.to_vec(), before.to_vec()), (vec![0.0; 3], vec![1.0, 2.0, 3.0]));
    assert!(param.is_tracked());
}

#[test]
fn tensors_are_send_and_sync() {
    fn both<T: Send + Sync>() {}
    fn send<T: Send>() {}
    both::<Tensor<Rank1<3>, f32>>();
    both::<Tensor<(usize,), f64>>();
    both::<Tensor<(), usize>>();
    send::<Gradients<f64, Cpu>>();
}
