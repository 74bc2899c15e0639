//! Constraints: what they say, what they admit, and their maps from the real line with the
//! Jacobians, against finite differences.

use std::sync::Arc;

use crate::both_dtypes;
use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::constraint::{
    Boolean, Bounds, Circular, GreaterThan, GreaterThanEq, HalfOpenInterval, IntegerBounds, IntegerInterval,
    IntegerRange, Interval, LessThan, LessThanEq, LowerBound, NonNegative, NonNegativeInteger, Positive,
    PositiveInteger, Real, RealVector, Support, UNIT_INTERVAL, biject_to, transform_to,
};
use ppl_core::transform::Map;
use ppl_core::{Cpu, Dtype, Tensor};

type Row<E, D> = Tensor<(usize,), E, D>;

fn row<E: Dtype, D: Backend<E>>(values: &[f64]) -> Row<E, D> {
    Row::vector(values.iter().map(|&v| E::of(v)).collect())
}

fn wide<E: Dtype, D: Backend<E>>(row: &Row<E, D>) -> Vec<f64> {
    row.to_vec().into_iter().map(E::wide).collect()
}

/// The map onto a set of numbers.
fn map<E: Dtype, D: Backend<E>>(constraint: &Support<E, D>) -> Map<E, D> {
    constraint.biject_to(&[]).expect("the set has a map")
}

/// ln |det J| of that map, summed.
fn log_abs_det<E: Dtype, D: Backend<E>>(constraint: &Support<E, D>, u: Row<E, D>) -> Tensor<(), E, D> {
    let map = map(constraint);
    map.log_abs_det(&u, &map.forward(u.clone())).sum_all()
}

/// Finite numbers, however far out, are mapped inside; both maps are one here.
fn far_numbers_stay_inside<E: Dtype, D: Backend<E>>() {
    for Case { constraint, describe, .. } in continuous::<E, D>() {
        for u in [[-1e4, 0.0, 1e4], [-90.0, 40.0, -800.0], [90.0, -40.0, 800.0]] {
            let maps = [biject_to(&*constraint, &[3]), transform_to(&*constraint, &[3])];
            for map in maps.map(|map| map.expect("a map")) {
                let image = map.forward(row(&u));
                assert_eq!(constraint.violation(&image.to_vec(), &[3]), None, "{describe}: {u:?} {image:?}");
                assert!(wide(&map.inverse(image)).iter().all(|v| v.is_finite()), "{describe}: {u:?}");
            }
        }
    }
    for Case { constraint, .. } in discrete::<E, D>() {
        assert!(constraint.biject_to(&[3]).is_none() && constraint.transform_to(&[3]).is_none());
    }
}

/// A constraint, what it says, and three values inside and outside.
struct Case<E: Dtype, D: Backend<E>> {
    constraint: Support<E, D>,
    describe: &'static str,
    inside: [f64; 3],
    outside: [f64; 3],
}

fn continuous<E: Dtype, D: Backend<E>>() -> Vec<Case<E, D>> {
    let inf = f64::INFINITY;
    vec![
        Case {
            constraint: Arc::new(Real),
            describe: "a finite real number",
            inside: [-3.0, 0.0, 1e30],
            outside: [inf, -inf, f64::NAN],
        },
        Case {
            constraint: Arc::new(Positive),
            describe: "positive and finite",
            inside: [1e-30, 1.0, 1e30],
            outside: [0.0, -1.0, inf],
        },
        Case {
            constraint: Arc::new(NonNegative),
            describe: "not negative, and finite",
            inside: [0.0, 1.0, 1e30],
            outside: [-1e-30, inf, f64::NAN],
        },
        Case {
            constraint: Arc::new(UNIT_INTERVAL),
            describe: "in [0, 1]",
            inside: [0.0, 0.5, 1.0],
            outside: [-0.01, 1.01, f64::NAN],
        },
        Case {
            constraint: Arc::new(Interval { low: -2.5, high: 10.0 }),
            describe: "in [-2.5, 10]",
            inside: [-2.5, 3.0, 10.0],
            outside: [-3.0, 11.0, -inf],
        },
        Case {
            constraint: Arc::new(GreaterThan(-2.0)),
            describe: "greater than -2, and finite",
            inside: [-1.99, 0.5, 1e30],
            outside: [-2.0, inf, f64::NAN],
        },
        Case {
            constraint: Arc::new(GreaterThanEq(-2.0)),
            describe: "at least -2, and finite",
            inside: [-2.0, 0.5, 1e30],
            outside: [-2.01, inf, f64::NAN],
        },
        Case {
            constraint: Arc::new(LessThan(3.0)),
            describe: "less than 3, and finite",
            inside: [2.99, 0.5, -1e30],
            outside: [3.0, -inf, f64::NAN],
        },
        Case {
            constraint: Arc::new(LessThanEq(3.0)),
            describe: "at most 3, and finite",
            inside: [3.0, 0.5, -1e30],
            outside: [3.01, -inf, f64::NAN],
        },
        Case {
            constraint: Arc::new(LowerBound::new(row(&[0.125, -1.0, 0.25]))),
            describe: "at least its own bound, and finite",
            inside: [0.125, 0.5, 1e30],
            outside: [0.1, -1.25, inf],
        },
        Case {
            constraint: Arc::new(HalfOpenInterval { low: -1.0, high: 1.0 }),
            describe: "in [-1, 1)",
            inside: [-1.0, 0.5, 0.99],
            outside: [1.0, -1.01, f64::NAN],
        },
        Case {
            constraint: Arc::new(Circular),
            describe: "an angle in [-π, π)",
            inside: [-3.1, 0.5, 3.1],
            outside: [-3.15, 3.15, std::f64::consts::PI],
        },
        Case {
            constraint: Arc::new(RealVector),
            describe: "a row of finite real numbers",
            inside: [-1.0, 0.5, 1e30],
            outside: [inf, -inf, f64::NAN],
        },
        Case {
            constraint: Arc::new(Bounds::new(row(&[-1.0]), row(&[0.5]))),
            describe: "in [-1, 0.5]",
            inside: [-1.0, 0.0, 0.5],
            outside: [-1.5, 1.0, f64::NAN],
        },
        Case {
            constraint: Arc::new(Bounds::new(row(&[0.125, -inf, -inf]), row(&[inf, 3.0, inf]))),
            describe: "in [its own bound, its own bound], and finite",
            inside: [0.125, 3.0, -1e30],
            outside: [0.1, 3.5, -inf],
        },
        Case {
            constraint: Arc::new(Bounds::new(row(&[0.0, -1.0, 5.0]), row(&[9.0]))),
            describe: "in [its own bound, 9]",
            inside: [0.0, -0.5, 5.0],
            outside: [-0.5, -1.5, 4.0],
        },
    ]
}

fn discrete<E: Dtype, D: Backend<E>>() -> Vec<Case<E, D>> {
    vec![
        Case {
            constraint: Arc::new(Boolean),
            describe: "0 or 1",
            inside: [0.0, 1.0, 1.0],
            outside: [0.5, -1.0, f64::NAN],
        },
        Case {
            constraint: Arc::new(IntegerRange { high: 3 }),
            describe: "a whole number in 0..=3",
            inside: [0.0, 2.0, 3.0],
            outside: [4.0, -1.0, 1.5],
        },
        Case {
            constraint: Arc::new(IntegerInterval { low: -2, high: 3 }),
            describe: "a whole number in -2..=3",
            inside: [-2.0, 2.0, 3.0],
            outside: [4.0, -3.0, 1.5],
        },
        Case {
            constraint: Arc::new(IntegerBounds::new(row(&[0.0]), row(&[3.0, 1.0, 7.0]))),
            describe: "a whole number in 0..=its own bound",
            inside: [3.0, 0.0, 7.0],
            outside: [4.0, 2.0, f64::NAN],
        },
        Case {
            constraint: Arc::new(NonNegativeInteger),
            describe: "a whole number from 0",
            inside: [0.0, 2.0, 1e6],
            outside: [0.5, -1.0, f64::INFINITY],
        },
        Case {
            constraint: Arc::new(PositiveInteger),
            describe: "a whole number from 1",
            inside: [1.0, 2.0, 1e6],
            outside: [0.0, 1.25, f64::INFINITY],
        },
    ]
}

fn admits_and_says<E: Dtype, D: Backend<E>>() {
    for (cases, is_discrete) in [(continuous::<E, D>(), false), (discrete(), true)] {
        for Case { constraint, describe, inside, outside } in cases {
            assert_eq!((constraint.describe().as_str(), constraint.is_discrete()), (describe, is_discrete));
            let inside = inside.map(E::of);
            assert_eq!(constraint.violation(&inside, &[3]), None, "{describe}");
            for (i, bad) in outside.into_iter().enumerate() {
                let mut values = inside;
                values[i] = E::of(bad);
                assert_eq!(constraint.violation(&values, &[3]), Some(i), "{describe}: {bad}");
            }
        }
    }
}

fn maps_there_and_back<E: Dtype, D: Backend<E>>() {
    let tolerance = if E::NAME == "f64" { 1e-12 } else { 1e-4 };
    for Case { constraint, describe, .. } in continuous::<E, D>() {
        for u in [[-4.0, 0.0, 3.0], [0.5, -1.25, 2.0]] {
            let constrained = map(&constraint).forward(row(&u));
            assert_eq!(constraint.violation(&constrained.to_vec(), &[3]), None, "{describe}");
            let again = wide(&map(&constraint).inverse(constrained));
            let off = again.iter().zip(u).map(|(a, u)| (a - u).abs()).fold(0.0, f64::max);
            assert!(off <= tolerance, "{describe}: {u:?} became {again:?}");
        }
    }
}

fn extremes_stay_within_an_interval<E: Dtype, D: Backend<E>>() {
    let interval = Interval { low: 0.1, high: 0.3 };
    let constraint: Support<E, D> = Arc::new(interval);
    let far = map(&constraint).forward(row(&[-1e4, -40.0, 40.0, 1e4]));
    assert_eq!(constraint.violation(&far.to_vec(), &[4]), None, "{far:?}");
    assert!(map(&constraint).forward(row(&[f64::NAN])).item().is_nan());
    let slope = log_abs_det(&constraint, row(&[-1e4, 1e4])).item().wide();
    assert!((slope - (2.0 * 0.2_f64.ln() - 2e4)).abs() < 1e-6 * 2e4, "{slope}");
}

both_dtypes! {
    admits_and_says;
    maps_there_and_back;
    extremes_stay_within_an_interval;
    far_numbers_stay_inside;
    the_jacobian_is_that_of_the_map;
}

/// The map is element by element, so its Jacobian is the diagonal of slopes, which the gradient
/// gives; that of the map itself is held against differences below.
fn the_jacobian_is_that_of_the_map<E: Dtype, D: Backend<E>>() {
    let tolerance = if E::NAME == "f64" { 1e-12 } else { 1e-5 };
    for Case { constraint, describe, .. } in continuous::<E, D>() {
        let u = row(&[-2.0, 0.25, 1.5]).tracked();
        let (_, grads) = grad(|| map(&constraint).forward(u.clone()).sum_all());
        let slopes = wide(&grads.get(&u).expect("a leaf"));
        let expected: f64 = slopes.iter().map(|s| s.abs().ln()).sum();
        let found = log_abs_det(&constraint, u).item().wide();
        assert!((found - expected).abs() < tolerance, "{describe}: {found}, {expected}");
    }
}

/// Central differences of `f` along each element.
fn differences(f: impl Fn(&[f64]) -> f64, at: &[f64]) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let moved = |i: usize, by: f64| {
        let mut x = at.to_vec();
        x[i] += by;
        f(&x)
    };
    (0..at.len()).map(|i| (moved(i, STEP) - moved(i, -STEP)) / (2.0 * STEP)).collect()
}

#[test]
fn gradients_equal_finite_differences() {
    type Map = fn(&Support<f64, Cpu>, Row<f64, Cpu>) -> Tensor<(), f64>;
    let maps: [(&str, Map, [f64; 3]); 3] = [
        ("transform", |c, u| (map(c).forward(u) * row(&[1.0, -2.0, 0.5])).sum_all(), [-2.0, 0.25, 1.5]),
        ("log_abs_det", |c, u| log_abs_det(c, u), [-2.0, 0.25, 1.5]),
        ("inverse", |c, x| (map(c).inverse(x) * row(&[1.0, -2.0, 0.5])).sum_all(), [0.25, 0.4, 0.45]),
    ];
    let mut cases = continuous::<f64, Cpu>();
    // A value that suits all of these lies beyond the bounds of the last one.
    cases.pop();
    for Case { constraint, describe, .. } in cases {
        for (what, f, at) in maps {
            let leaf = row(&at).tracked();
            let (_, grads) = grad(|| f(&constraint, leaf.clone()));
            let found = wide(&grads.get(&leaf).expect("a leaf"));
            let expected = differences(|x| f(&constraint, row(x)).item(), &at);
            let close = found.iter().zip(&expected).all(|(f, e)| (f - e).abs() <= 1e-7 * e.abs().max(1.0));
            assert!(close, "{describe}, {what}: {found:?}, {expected:?}");
        }
    }
}

// An infinite bound does not move: its gradient is 0, as its difference is.
#[test]
fn gradients_reach_the_bounds() {
    let inf = f64::INFINITY;
    for (low, high) in [([0.5, -1.0], [2.0, 4.0]), ([0.5, -inf], [inf, 4.0]), ([-inf, -1.0], [inf, inf])] {
        bounds_have_gradients(low, high);
    }
}

fn bounds_have_gradients(low: [f64; 2], high: [f64; 2]) {
    let u = [0.3, -1.2];
    let whole = |low: Row<f64, Cpu>, high: Row<f64, Cpu>| {
        let bounds: Support<f64, Cpu> = Arc::new(Bounds::new(low, high));
        let x = map(&bounds).forward(row(&u));
        log_abs_det(&bounds, row(&u)) + (&x * &x).sum_all() + map(&bounds).inverse(row(&[1.0, 1.5])).sum_all()
    };
    let leaves = [row(&low).tracked(), row(&high).tracked()];
    let (_, grads) = grad(|| whole(leaves[0].clone(), leaves[1].clone()));
    let expected = [
        differences(|low| whole(row(low), row(&high)).item(), &low),
        differences(|high| whole(row(&low), row(high)).item(), &high),
    ];
    for (leaf, expected) in leaves.iter().zip(expected) {
        let found = wide(&grads.get(leaf).expect("a leaf"));
        assert!(found.iter().zip(&expected).all(|(f, e)| (f - e).abs() < 1e-7), "{found:?}, {expected:?}");
    }
}
