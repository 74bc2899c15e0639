//! Gradients of images, origins and Jacobians in arguments and in all parameters, against five-point
//! differences.

use ppl_core::autodiff::grad;
use ppl_core::flows::Flow;
use ppl_core::params::ErasedModule;
use ppl_core::{Cpu, Tensor};

use crate::table::{FLOWS, Row, alter, flow, row, rows, wide};

type Scalar = Tensor<(), f64>;

/// A sum with a weight of its own for each element.
fn weigh(t: &Row<f64>) -> Scalar {
    let weights = (0..t.numel()).map(|i| 1.5 + (i as f64).cos()).collect();
    (t * Row::<f64>::vector(weights)).sum_all()
}

fn five_points(at: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 1e-4;
    (8.0 * (at(STEP) - at(-STEP)) - (at(2.0 * STEP) - at(-2.0 * STEP))) / (12.0 * STEP)
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() <= 2e-7 * expected.abs().max(1.0), "{what}: {found}, not {expected}");
}

/// The gradients of `f` in the argument and in each parameter.
fn check(what: &str, flow: &dyn Flow<f64, Cpu>, x: &Row<f64>, f: impl Fn(&dyn Flow<f64, Cpu>, Row<f64>) -> Scalar) {
    let mut tracked = flow.copied();
    {
        let module: &mut dyn ErasedModule<f64, Cpu> = &mut *tracked;
        module.each_mut("", &mut |_, tensor| tensor.track());
    }
    let leaf = x.tracked();
    let (_, mut grads) = grad(|| f(&*tracked, leaf.clone()));
    let found = wide(&grads.get(&leaf).expect("a leaf"));
    let x = wide(x);
    for (i, found) in found.into_iter().enumerate() {
        let at = |by: f64| {
            let mut x = x.clone();
            x[i] += by;
            f(&*flow.copied(), row(&x)).item()
        };
        close(&format!("{what}, element {i}"), found, five_points(at));
    }
    let mut all: Vec<(String, Vec<f64>)> = Vec::new();
    let module: &mut dyn ErasedModule<f64, Cpu> = &mut *tracked;
    module.each_mut("", &mut |name, tensor| {
        let mut gradient = Vec::new();
        tensor.update(&mut grads, &mut |_, g| gradient.extend_from_slice(g)).expect("a gradient");
        all.push((name.to_owned(), gradient));
    });
    for (name, gradient) in all {
        for (i, found) in gradient.into_iter().enumerate() {
            let at = |by: f64| {
                let (mut moved, mut place) = (flow.copied(), 0);
                alter(&mut *moved, |n, v| {
                    place += usize::from(n == name);
                    if n == name && place == i + 1 { v + by } else { v }
                });
                f(&*moved, row(&x)).item()
            };
            close(&format!("{what}, {name}[{i}]"), found, five_points(at));
        }
    }
}

fn check_all(name: &str) {
    let (flow, x) = (flow::<f64>(name, 8), rows::<f64>(3));
    check(&format!("{name}, forward"), &*flow, &x, |flow, x| weigh(&flow.forward(x)));
    check(&format!("{name}, inverse"), &*flow, &x, |flow, y| weigh(&flow.inverse(y)));
    check(&format!("{name}, ln |det J|"), &*flow, &x, |flow, x| {
        let y = flow.copied().forward(x.clone());
        weigh(&flow.log_abs_det(&x, &y))
    });
    check(&format!("{name}, ln |det J| on the way back"), &*flow, &x, |flow, y| {
        let x = flow.inverse(y.clone());
        weigh(&flow.log_abs_det(&x, &y))
    });
    // What a guide does: a draw and the density there.
    check(&format!("{name}, a draw with its density"), &*flow, &x, |flow, x| {
        let y = flow.forward(x);
        let x = flow.inverse(y.clone());
        weigh(&flow.log_abs_det(&x, &y)) + weigh(&x.square()) + weigh(&y)
    });
}

#[test]
fn gradients_are_differences() {
    for name in FLOWS {
        check_all(name);
    }
}

/// Outside of a spline's interval there is the identity, whatever its parameters.
#[test]
fn a_spline_has_no_gradient_outside() {
    let flow = flow::<f64>("Spline", 8);
    check("Spline", &*flow, &row(&[3.0, -3.0, 2.6, 100.0]), |flow, x| {
        let y = flow.forward(x.clone());
        weigh(&flow.log_abs_det(&x, &y)) + weigh(&y)
    });
}
