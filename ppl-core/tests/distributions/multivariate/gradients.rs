//! Gradients with respect to values and parameters against central differences in `f64`, those in
//! `f32` against those in `f64`, and the fused sum against the sum of elements.

use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::{Cpu, Dtype, Tensor};

use super::{Argument, Boxed, Case, Entries, Family, Nested, arguments, families};
use crate::families::{Row, row, wide};
use crate::reference::tolerance;

/// Something of a distribution that has gradients, at a value.
type Quantity<E, D> = fn(&Boxed<E, D>, &Row<E, D>) -> Option<Tensor<(), E, D>>;

/// A weighted sum, in which every entry shows.
fn weighed<E: Dtype, D: Backend<E>>(row: Row<E, D>) -> Tensor<(), E, D> {
    let weights: Vec<f64> = (0..row.numel()).map(|i| 1.5 + (i as f64).cos()).collect();
    (row * crate::families::row(&weights)).sum_all()
}

fn quantities<E: Dtype, D: Backend<E>>() -> [(&'static str, Quantity<E, D>); 5] {
    [
        ("log_prob", |d, x| Some(d.log_prob(x).sum_all())),
        ("log_prob_sum", |d, x| Some(d.log_prob_sum(x))),
        ("mean", |d, _| d.mean().map(weighed)),
        ("variance", |d, _| d.variance().map(weighed)),
        ("entropy", |d, _| d.entropy().map(weighed)),
    ]
}

/// A value and the parameters of one element.
type Inputs = Vec<Nested>;

fn evaluate<E: Dtype, D: Backend<E>>(
    family: &Family<E, D>,
    f: Quantity<E, D>,
    inputs: &[Nested],
) -> Option<Tensor<(), E, D>> {
    f(&family.filled(&inputs[1..], 1), &row(&inputs[0].entries))
}

/// The gradients with respect to the value and each parameter.
fn gradient_of<E: Dtype, D: Backend<E>>(
    family: &Family<E, D>,
    f: Quantity<E, D>,
    inputs: &[Nested],
) -> Option<Vec<Vec<f64>>> {
    evaluate(family, f, inputs)?;
    let tracked = |a: Argument<E, D>| Argument { entries: a.entries.tracked(), dims: a.dims };
    let leaves: Vec<Argument<E, D>> = arguments(inputs, 1).into_iter().map(tracked).collect();
    let (_, grads) = grad(|| f(&(family.build)(&leaves[1..]), &leaves[0].entries).expect("as before"));
    let gradient = |leaf: &Argument<E, D>| wide(&grads.get(&leaf.entries).expect("a leaf"));
    Some(leaves.iter().map(gradient).collect())
}

/// The slope of a quantity when one input moves along a direction.
fn difference(
    family: &Family<f64, Cpu>,
    f: Quantity<f64, Cpu>,
    inputs: &[Nested],
    which: usize,
    direction: &[(usize, f64)],
) -> f64 {
    let h = 1e-5 * direction.iter().map(|(at, _)| inputs[which].entries[*at].abs()).fold(0.05, f64::max);
    let at = |step: f64| {
        let mut moved = inputs.to_vec();
        direction.iter().for_each(|(at, slope)| moved[which].entries[*at] += step * slope);
        evaluate(family, f, &moved).expect("as before").item()
    };
    (at(h) - at(-h)) / (2.0 * h)
}

/// The inputs of each ordinary case at each possible point.
fn inputs(family: &Family<f64, Cpu>) -> Vec<Inputs> {
    let of_case = |case: &Case| -> Vec<Inputs> {
        let with = |point: &Nested| std::iter::once(point.clone()).chain(case.parameters.clone()).collect();
        case.possible_points().map(with).collect()
    };
    family.ordinary_cases().iter().flat_map(of_case).collect()
}

#[test]
fn gradients_are_finite_differences() {
    for family in families::<f64, Cpu>() {
        let moves: Vec<Entries> =
            std::iter::once(family.value).chain(family.parameters.iter().map(|(_, _, entries)| *entries)).collect();
        for inputs in inputs(&family) {
            for (what, f) in quantities() {
                let Some(gradient) = gradient_of(&family, f, &inputs) else { continue };
                for (which, gradient) in gradient.iter().enumerate() {
                    let input = &inputs[which];
                    for direction in moves[which].directions(&input.dims, &input.entries) {
                        let expected = difference(&family, f, &inputs, which, &direction);
                        let found: f64 = direction.iter().map(|(at, slope)| gradient[*at] * slope).sum();
                        let close = (found - expected).abs() <= 1e-6 * expected.abs().max(1.0);
                        let place = format!("{} {inputs:?}: slope of {what} in input {which}", family.name);
                        assert!(close, "{place} along {direction:?}: {found}, {expected}");
                    }
                }
            }
        }
    }
}

/// Every direction that may move, whose gradient matters.
#[test]
fn single_precision_gradients_are_those_of_double() {
    for (family, single) in families::<f64, Cpu>().into_iter().zip(families::<f32, Cpu>()) {
        let moves: Vec<Entries> =
            std::iter::once(family.value).chain(family.parameters.iter().map(|(_, _, entries)| *entries)).collect();
        for inputs in inputs(&family) {
            for ((what, f), (_, g)) in quantities().into_iter().zip(quantities()) {
                let (expected, found) = (gradient_of(&family, f, &inputs), gradient_of(&single, g, &inputs));
                assert_eq!(expected.is_some(), found.is_some(), "{}", family.name);
                for (which, (expected, found)) in expected.iter().flatten().zip(found.iter().flatten()).enumerate() {
                    for direction in moves[which].directions(&inputs[which].dims, &inputs[which].entries) {
                        let along = |g: &[f64]| -> f64 { direction.iter().map(|(at, slope)| g[*at] * slope).sum() };
                        let (expected, found) = (along(expected), along(found));
                        let close = (found - expected).abs() <= 1e-4 * expected.abs().max(1.0);
                        let place = format!("{} {inputs:?}: slope of {what} in input {which}", family.name);
                        assert!(close, "{place}: {found}, {expected}");
                    }
                }
            }
        }
    }
}

fn the_fused_sum_is_the_sum<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        for case in family.ordinary_cases() {
            let points: Vec<f64> = case.possible_points().flat_map(|p| p.entries.clone()).collect();
            let distribution = family.filled(&case.parameters, case.possible_points().count());
            let each = wide(&distribution.log_prob(&row(&points)));
            let (sum, fused) = (each.iter().sum::<f64>(), distribution.log_prob_sum(&row(&points)).item().wide());
            let size: f64 = each.iter().map(|l| l.abs()).sum();
            assert!((sum - fused).abs() <= tolerance::<E>() * size, "{}: {fused}, {sum}", family.name);
        }
    }
}

both_dtypes! {
    fused = the_fused_sum_is_the_sum;
}
