//! Sets of vectors and matrices: what they admit, which element is to blame, and their two maps.

use std::sync::Arc;

use crate::both_dtypes;
use ppl_core::backend::Backend;
use ppl_core::constraint::{
    CorrCholesky, CorrMatrix, Image, Independent, LowerCholesky, OneHot, Ordered, Positive, PositiveDefinite,
    PositiveOrdered, Real, RealVector, Simplex, Sphere, Support,
};
use ppl_core::transform::{Abs, Affine, Exp, Flat, StickBreaking, Transform};
use ppl_core::{Cpu, Dtype, Tensor};
use proptest::prelude::*;

fn row<E: Dtype, D: Backend<E>>(values: &[f64]) -> Flat<E, D> {
    Tensor::vector(values.iter().map(|&v| E::of(v)).collect())
}

fn wide<E: Dtype, D: Backend<E>>(row: &Flat<E, D>) -> Vec<f64> {
    row.to_vec().into_iter().map(E::wide).collect()
}

/// A constraint, the sizes of two good events, and bad values: where, and whom to blame.
struct Case<E: Dtype, D: Backend<E>> {
    constraint: Support<E, D>,
    axes: usize,
    dims: Vec<usize>,
    good: Vec<f64>,
    /// Element, its value, the reported element.
    bad: Vec<(usize, f64, usize)>,
}

fn case<E: Dtype, D: Backend<E>>(
    constraint: Support<E, D>,
    dims: &[usize],
    good: &[f64],
    bad: &[(usize, f64, usize)],
) -> Case<E, D> {
    let axes = dims.len() - 1;
    Case { constraint, axes, dims: dims.into(), good: good.into(), bad: bad.into() }
}

fn cases<E: Dtype, D: Backend<E>>() -> Vec<Case<E, D>> {
    let (inf, vector, matrix) = (f64::INFINITY, [2, 3], [2, 2, 2]);
    let simplex = [0.25, 0.25, 0.5, 0.0, 1.0, 0.0];
    let factor = [2.0, 0.0, -1.0, 0.5, 1e-3, 0.0, 3.0, 1e3];
    let unit = [1.0, 0.0, 0.6, 0.8, 1.0, 0.0, -0.8, 0.6];
    let definite = [2.0, -1.0, -1.0, 1.0, 1e-3, 0.0, 0.0, 1e3];
    let correlation = [1.0, 0.5, 0.5, 1.0, 1.0, -0.9, -0.9, 1.0];
    vec![
        case(Arc::new(Simplex), &vector, &simplex, &[(1, -0.1, 1), (4, 0.9, 3), (3, 0.5, 3), (5, inf, 3)]),
        case(Arc::new(OneHot), &vector, &[0.0, 1.0, 0.0, 1.0, 0.0, 0.0], &[(4, 0.5, 4), (4, 1.0, 3), (1, 0.0, 0)]),
        case(Arc::new(Ordered), &vector, &[-1.0, 0.0, 5.0, 3.0, 4.0, 9.0], &[(1, -1.0, 1), (4, 9.5, 5), (5, inf, 5)]),
        case(
            Arc::new(PositiveOrdered),
            &vector,
            &[0.5, 1.0, 5.0, 3.0, 4.0, 9.0],
            &[(0, 0.0, 0), (3, -1.0, 3), (4, 9.0, 5)],
        ),
        case(Arc::new(RealVector), &vector, &[0.5, -1.0, 5.0, 3.0, 4.0, 9.0], &[(0, inf, 0), (4, -inf, 4)]),
        case(Arc::new(Sphere), &vector, &[0.6, 0.0, -0.8, 0.0, 1.0, 0.0], &[(3, 0.1, 3), (1, 0.1, 0), (4, inf, 4)]),
        case(Arc::new(LowerCholesky), &matrix, &factor, &[(1, 0.1, 1), (4, 0.0, 4), (7, -1.0, 7), (2, inf, 2)]),
        case(Arc::new(CorrCholesky), &matrix, &unit, &[(5, 0.1, 5), (3, -0.8, 3), (6, 0.0, 6), (4, 0.99, 4)]),
        case(Arc::new(PositiveDefinite), &matrix, &definite, &[(1, -0.9, 1), (3, 0.4, 3), (4, -1.0, 4), (7, inf, 7)]),
        case(Arc::new(CorrMatrix), &matrix, &correlation, &[(3, 1.1, 3), (6, 0.5, 5), (1, 0.4, 1)]),
        case(Arc::new(Independent::new(Arc::new(Positive), 1)), &vector, &[1.0; 6], &[(4, -1.0, 4), (0, inf, 0)]),
    ]
}

fn admits_and_blames<E: Dtype, D: Backend<E>>() {
    for Case { constraint, axes, dims, good, bad } in cases::<E, D>() {
        let says = constraint.describe();
        assert_eq!(constraint.event_axes(), axes, "{says}");
        let good: Vec<E> = good.into_iter().map(E::of).collect();
        assert_eq!(constraint.violation(&good, &dims), None, "{says}");
        for (at, value, blamed) in bad {
            let mut values = good.clone();
            values[at] = E::of(value);
            assert_eq!(constraint.violation(&values, &dims), Some(blamed), "{says}: {values:?}");
        }
        for at in 0..good.len() {
            let mut values = good.clone();
            values[at] = E::nan();
            let blamed = constraint.violation(&values, &dims).expect("NaN is outside every set");
            let event = good.len() / 2;
            assert_eq!(blamed / event, at / event, "{says}: {values:?}");
        }
    }
}

/// A number for each unconstrained one, with extremes where they may be.
fn unconstrained(len: usize, size: f64, turn: usize) -> Vec<f64> {
    (0..len).map(|i| [size, -size, 0.0, 0.5 * size, -0.25][(i * 3 + turn) % 5]).collect()
}

/// Both maps give values inside, with the number of values that the sizes say; those of matrices whose
/// product with itself must have a factor, at moderate numbers only.
fn maps_land_inside<E: Dtype, D: Backend<E>>() {
    for Case { constraint, dims, .. } in cases::<E, D>().into_iter().filter(|case| !case.constraint.is_discrete()) {
        let says = constraint.describe();
        let numel: usize = dims.iter().product();
        let is_product = says.contains("definite") || says == "a correlation matrix";
        let sizes: &[f64] = if is_product { &[0.0, 0.5, 2.0] } else { &[0.0, 0.5, 2.0, 40.0, 90.0, 1e4] };
        let whole = constraint.transform_to(&dims).expect("a map");
        let (from, to) = whole.event_lens();
        assert_eq!(from, to, "{says}");
        for map in constraint.biject_to(&dims).into_iter().chain([whole]) {
            let (from, to) = map.event_lens();
            for (&size, turn) in sizes.iter().flat_map(|size| (0..5).map(move |turn| (size, turn))) {
                let x = unconstrained(numel / to * from, size, turn);
                let image = map.forward(row(&x));
                assert_eq!(image.numel(), numel, "{says}");
                assert_eq!(constraint.violation(&image.to_vec(), &dims), None, "{says} at {x:?}: {image:?}");
                let again = wide(&map.forward(map.inverse(image.clone())));
                let close = again.iter().zip(wide(&image)).all(|(a, i)| (a - i).abs() <= 1e-4 * i.abs().max(1.0));
                assert!(close, "{says} at {x:?}: {image:?} became {again:?}");
            }
        }
    }
}

/// Sets with one value have maps from no numbers, and as many values as the sizes say.
fn single_values<E: Dtype, D: Backend<E>>() {
    let constraints: [(Support<E, D>, &[usize]); 3] =
        [(Arc::new(Simplex), &[4, 1]), (Arc::new(CorrCholesky), &[4, 1, 1]), (Arc::new(CorrMatrix), &[4, 1, 1])];
    for (constraint, dims) in constraints {
        let map = constraint.biject_to(dims).expect("a map");
        let image = map.forward(row(&[]));
        assert_eq!((wide(&image), map.log_abs_det(&row(&[]), &image).numel()), (vec![1.0; 4], 4));
        assert_eq!(map.inverse(image).numel(), 0);
        let map = constraint.transform_to(dims).expect("a map");
        assert_eq!(wide(&map.forward(row(&[0.5, -2.0, 0.0, 3.0]))), [1.0; 4]);
    }
}

/// Products whose diagonal is extreme are still inside where they are diagonal.
fn extreme_diagonals<E: Dtype, D: Backend<E>>() {
    let constraint: Support<E, D> = Arc::new(PositiveDefinite);
    let map = constraint.biject_to(&[2, 2]).expect("a map");
    let image = map.forward(row(&[-1e4, 0.0, 1e4]));
    assert_eq!(constraint.violation(&image.to_vec(), &[2, 2]), None, "{image:?}");
}

both_dtypes! {
    admits_and_blames;
    maps_land_inside;
    single_values;
    extreme_diagonals;
}

#[test]
fn the_image_of_a_set_admits_what_comes_from_it() {
    let shared = |t: Arc<dyn Transform<f64, Cpu>>| t;
    let affine = shared(Arc::new(Affine::new(row(&[1.0]), row(&[-2.0]))));
    let below = Image::new(Arc::new(Positive), affine);
    let check = |image: &Image<f64, Cpu>, values: &[f64], dims: &[usize], expected: Option<usize>| {
        let constraint: Support<f64, Cpu> = Arc::new(image.clone());
        assert_eq!(constraint.violation(values, dims), expected, "{} {values:?}", constraint.describe());
    };
    check(&below, &[0.0, -5.0], &[2], None);
    check(&below, &[0.0, 1.5, f64::NAN], &[3], Some(2));
    check(&below, &[0.0, 1.5], &[2], Some(1));
    let positive = Image::new(Arc::new(Real), shared(Arc::new(Exp)));
    check(&positive, &[1e-300, 1.0, 0.0], &[3], Some(2));
    check(&positive, &[1.0, -1.0], &[2], Some(1));
    let folded = Image::new(Arc::new(Real), shared(Arc::new(Abs)));
    check(&folded, &[0.0, 2.0], &[2], None);
    check(&folded, &[0.0, -2.0], &[2], Some(1));
    let stick = Image::new(Arc::new(RealVector), shared(Arc::new(StickBreaking::new(3))));
    check(&stick, &[0.2, 0.3, 0.5, 0.1, 0.1, 0.8], &[2, 3], None);
    check(&stick, &[0.2, 0.3, 0.5, 0.1, 0.1, 0.7], &[2, 3], Some(3));
    check(&stick, &[0.2, 0.3, 0.5, -0.1, 0.3, 0.8], &[2, 3], Some(3));
    check(&stick, &[0.2, 0.3, 0.5, 0.1], &[4], Some(3));
}

#[test]
fn the_image_of_a_set_has_the_composed_map() {
    let stick: Arc<dyn Transform<f64, Cpu>> = Arc::new(StickBreaking::new(3));
    let image: Support<f64, Cpu> = Arc::new(Image::new(Arc::new(Positive), stick));
    assert_eq!((image.event_axes(), image.is_discrete()), (1, false));
    assert_eq!(image.describe(), "the image under StickBreaking of what is positive and finite");
    let map = image.biject_to(&[2, 3]).expect("a map");
    assert_eq!(map.event_lens(), (2, 3));
    let value = map.forward(row(&[0.5, -1.0, 2.0, 0.25]));
    assert_eq!(image.violation(&value.to_vec(), &[2, 3]), None);
    // Shares above one half of what the stick's shift leaves are those of positive numbers.
    assert_eq!(image.violation(&[0.2, 0.3, 0.5, 0.2, 0.3, 0.5], &[2, 3]), Some(0));
}

#[test]
fn sizes_that_do_not_fit_are_outside_and_do_not_panic() {
    for Case { constraint, good, .. } in cases::<f64, Cpu>() {
        for dims in [&[][..], &[0], &[2, 0], &[3, 5], &[7], &[2, 2, 2, 2], &[1, 1]] {
            let _ = constraint.violation(&good, dims);
            let _ = constraint.violation(&[], dims);
            let _ = (constraint.biject_to(dims), constraint.transform_to(dims));
        }
    }
    let matrix: Support<f64, Cpu> = Arc::new(PositiveDefinite);
    assert_eq!(matrix.violation(&[1.0; 6], &[2, 3]), Some(0));
    assert_eq!(matrix.violation(&[1.0, 0.0, 0.0, 1.0], &[]), None);
    assert!(matrix.biject_to(&[2, 3]).is_none());
}

proptest! {
    #[test]
    fn hostile_numbers_do_not_panic(values in proptest::collection::vec(proptest::num::f64::ANY, 8)) {
        for Case { constraint, dims, .. } in cases::<f64, Cpu>() {
            let numel = dims.iter().product();
            let violation = constraint.violation(&values[..numel], &dims);
            prop_assert!(violation.is_none_or(|at| at < numel));
            prop_assert!(violation.is_some() || values[..numel].iter().all(|v| v.is_finite()));
        }
    }
}
