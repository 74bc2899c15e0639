//! Gradients of maps, inverses and Jacobians against finite differences, with respect to arguments and
//! parameters.

use std::sync::Arc;

use ppl_core::autodiff::grad;
use ppl_core::transform::{Affine, Flat, IntoHalfLine, IntoInterval, LowerCholeskyAffine, Map, Power, UnitVector};
use ppl_core::{Cpu, Tensor};

use crate::table::{ELEMENTS, ROWS, points, row, rows, transform, wide};

type Row = Flat<f64, Cpu>;
type Scalar = Tensor<(), f64>;

/// A sum with a weight of its own for each element.
fn weigh(t: &Row) -> Scalar {
    let weights = (0..t.numel()).map(|i| 1.5 + (i as f64).cos()).collect();
    (t * Row::vector(weights)).sum_all()
}

/// The gradient of `f` at `x` against five-point differences.
#[track_caller]
fn check(what: &str, x: &[f64], f: impl Fn(Row) -> Scalar) {
    let leaf = row(x).tracked();
    let (_, grads) = grad(|| f(leaf.clone()));
    let found = wide(&grads.get(&leaf).expect("a leaf"));
    for (i, found) in found.into_iter().enumerate() {
        // Small against the image's smallest coordinates, so that logarithms are smooth on its scale.
        let step = 1e-5 * x[i].abs().clamp(0.1, 1.0);
        let at = |by: f64| {
            let mut x = x.to_vec();
            x[i] += by;
            f(row(&x)).item()
        };
        let expected = (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
        let close = (found - expected).abs() <= 1e-7 * expected.abs().max(1.0);
        assert!(close, "{what}, element {i} of {x:?}: {found}, not {expected}");
    }
}

fn check_map(name: &str, map: &Map<f64, Cpu>, x: &[f64]) {
    check(&format!("{name}, forward"), x, |x| weigh(&map.forward(x)));
    let image = wide(&map.forward(row(x)));
    check(&format!("{name}, inverse"), &image, |y| weigh(&map.inverse(y)));
    if map.is_bijective() {
        check(&format!("{name}, ln |det J|"), x, |x| weigh(&map.log_abs_det(&x, &map.forward(x.clone()))));
    }
}

#[test]
fn elements() {
    for name in ELEMENTS {
        check_map(name, &transform(name, 1), &points(name));
    }
}

#[test]
fn rows_of_numbers() {
    for name in ROWS {
        for x in rows(3).into_iter().chain(rows(6)) {
            check_map(name, &transform(name, x.len()), &x);
        }
    }
    let unit: Map<f64, Cpu> = Arc::new(UnitVector::new(3));
    rows(3).into_iter().for_each(|x| check_map("UnitVector", &unit, &x));
}

#[test]
fn a_batch_of_rows() {
    let two: Vec<f64> = rows(3).concat();
    for name in ROWS {
        check_map(name, &transform(name, 3), &two);
    }
}

#[test]
fn parameters() {
    let (x, y) = ([0.4, 1.3], [0.7, 1.9]);
    let whole = |map: Map<f64, Cpu>| {
        let image = map.forward(row(&x));
        weigh(&map.log_abs_det(&row(&x), &image)) + weigh(&image) + weigh(&map.inverse(row(&y)))
    };
    let (first, second) = ([0.25, -0.5], [2.5, 3.25]);
    check("Affine, loc", &first, |loc| whole(Arc::new(Affine::new(loc, row(&second)))));
    check("Affine, scale", &first, |scale| whole(Arc::new(Affine::new(row(&second), scale))));
    check("Affine, one scale", &[1.5], |scale| whole(Arc::new(Affine::new(row(&[0.5]), scale))));
    check("Power, exponent", &first, |exponent| whole(Arc::new(Power::new(exponent))));
    check("IntoInterval, low", &first, |low| whole(Arc::new(IntoInterval::new(low, row(&second)))));
    check("IntoInterval, high", &second, |high| whole(Arc::new(IntoInterval::new(row(&first), high))));
    check("IntoHalfLine, above", &first, |low| whole(Arc::new(IntoHalfLine::above(low))));
    check("IntoHalfLine, below", &second, |high| whole(Arc::new(IntoHalfLine::below(high))));
    let affine = |loc: Row, tril: Row| whole(Arc::new(LowerCholeskyAffine::new(loc, tril.reshape_like(&(2, 2)))));
    check("LowerCholeskyAffine, loc", &first, |loc| affine(loc, row(&[2.0, 0.0, 0.5, 1.5])));
    // What is above the diagonal has no part.
    check("LowerCholeskyAffine, scale_tril", &[2.0, 7.0, 0.5, 1.5], |tril| affine(row(&first), tril));
}
