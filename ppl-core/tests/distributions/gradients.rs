//! Gradients with respect to values and parameters against central differences in `f64`, and those
//! in `f32` against those in `f64`; the fused sum against the sum of elements.

use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Dtype};

use crate::families::{Family, Row, Univariate, families, row, wide};
use crate::reference::{cases, tolerance};

/// Something of a distribution that has gradients, at a value (or probability).
type Quantity<E, D> = fn(&dyn Univariate<E, D>, &Row<E, D>) -> Option<Row<E, D>>;

/// What depends on the value, then what depends on the parameters alone.
fn quantities<E: Dtype, D: Backend<E>>() -> [(&'static str, Quantity<E, D>); 7] {
    [
        ("log_prob", |d, x| Some(d.log_prob(x))),
        ("cdf", |d, x| d.cdf(x)),
        ("log_cdf", |d, x| d.log_cdf(x)),
        ("log_survival", |d, x| d.log_survival(x)),
        ("mean", |d, _| d.mean()),
        ("variance", |d, _| d.variance()),
        ("entropy", |d, _| d.entropy()),
    ]
}

/// A value and rows of parameters: four ordinary values of each typical set.
fn arguments(family: &Family<f64, Cpu>) -> Vec<Vec<Vec<f64>>> {
    let values = |parameters: &&[f64]| {
        if family.between.is_empty() { family.ordinary_values(parameters) } else { family.between.to_vec() }
    };
    let with_value = |parameters: &&[f64]| {
        std::iter::once(values(parameters)).chain(parameters.iter().map(|&p| vec![p; 4])).collect()
    };
    family.typical.iter().map(with_value).collect()
}

/// The quantity at each element.
fn value_of<E: Dtype, D: Backend<E>>(family: &Family<E, D>, f: Quantity<E, D>, args: &[Vec<f64>]) -> Option<Vec<f64>> {
    let rows: Vec<Row<E, D>> = args.iter().map(|a| row(a)).collect();
    f(&*(family.build)(&rows[1..]), &rows[0]).map(|y| wide(&y))
}

/// The derivative of each element of the quantity with respect to each argument's same element.
fn gradient_of<E: Dtype, D: Backend<E>>(
    family: &Family<E, D>,
    f: Quantity<E, D>,
    args: &[Vec<f64>],
) -> Option<Vec<Vec<f64>>> {
    let rows: Vec<Row<E, D>> = args.iter().map(|a| row(a).tracked()).collect();
    f(&*(family.build)(&rows[1..]), &rows[0])?;
    let (_, grads) = grad(|| f(&*(family.build)(&rows[1..]), &rows[0]).expect("as before").sum_all());
    Some(rows.iter().map(|r| wide(&grads.get(r).expect("a leaf"))).collect())
}

/// Central differences in the same form: 0 along an infinite number, which does not move.
fn differences(family: &Family<f64, Cpu>, f: Quantity<f64, Cpu>, args: &[Vec<f64>], which: usize) -> Vec<f64> {
    let steps: Vec<f64> = args[which].iter().map(|x| 1e-5 * finite(*x).abs().max(0.05)).collect();
    let moved = |sign: f64| {
        let mut args = args.to_vec();
        args[which].iter_mut().zip(&steps).for_each(|(x, h)| *x += sign * h);
        value_of(family, f, &args).expect("as before")
    };
    moved(1.0).iter().zip(moved(-1.0)).zip(&steps).map(|((up, down), h)| (up - down) / (2.0 * h)).collect()
}

/// The number, or 1 in place of an infinity.
fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { 1.0 }
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) -> bool {
    found.iter().zip(expected).all(|(f, e)| (f - e).abs() <= tolerance * e.abs().max(1.0))
}

#[test]
fn gradients_are_finite_differences() {
    let mut seen = 0;
    for family in families::<f64, Cpu>() {
        for args in arguments(&family) {
            for (what, f) in quantities() {
                let Some(gradient) = gradient_of(&family, f, &args) else { continue };
                let finite = value_of(&family, f, &args).expect("as before").iter().all(|y| y.is_finite());
                // Along whole numbers there is no slope.
                let first = usize::from(family.is_discrete() && family.between.is_empty());
                let tested = if finite { &gradient[..] } else { &[] };
                for (which, gradient) in tested.iter().enumerate().skip(first) {
                    if which > 0 && family.is_fixed(which - 1) {
                        continue;
                    }
                    let expected = differences(&family, f, &args, which);
                    let place = format!("{} {args:?}: slope of {what} along {which}", family.name);
                    assert!(close(gradient, &expected, 1e-6), "{place}: {gradient:?}, {expected:?}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 250, "{seen} gradients");
}

#[test]
fn quantiles_have_a_slope_along_the_probability() {
    let icdf: Quantity<f64, Cpu> = |d, q| d.icdf(q);
    for family in families::<f64, Cpu>().into_iter().filter(|f| !f.is_discrete()) {
        for parameters in family.typical {
            let args: Vec<Vec<f64>> =
                std::iter::once(vec![0.1, 0.25, 0.45, 0.9]).chain(parameters.iter().map(|&p| vec![p; 4])).collect();
            let Some(gradient) = gradient_of(&family, icdf, &args) else { continue };
            for (which, found) in gradient.iter().enumerate() {
                if which > 0 && family.is_fixed(which - 1) {
                    continue;
                }
                let expected = differences(&family, icdf, &args, which);
                assert!(close(found, &expected, 1e-6), "{} {args:?} along {which}: {found:?}", family.name);
            }
        }
    }
}

#[test]
fn single_precision_gradients_are_those_of_double() {
    for (single, double) in families::<f32, Cpu>().into_iter().zip(families::<f64, Cpu>()) {
        for args in arguments(&double) {
            for ((what, f), (_, g)) in quantities().into_iter().zip(quantities()) {
                let (found, expected) = (gradient_of(&single, f, &args), gradient_of(&double, g, &args));
                assert_eq!(found.is_some(), expected.is_some());
                for (which, (found, expected)) in found.iter().flatten().zip(expected.iter().flatten()).enumerate() {
                    if which > 0 && double.is_fixed(which - 1) {
                        continue;
                    }
                    assert!(close(found, expected, 2e-5), "{} {args:?}: {what}: {found:?}, {expected:?}", single.name);
                }
            }
        }
    }
}

/// At every point of the reference table, the impossible and extreme ones too.
fn no_gradient_is_nan<E: Dtype, D: Backend<E>>() {
    for case in cases() {
        let family = crate::families::family::<E, D>(&case.family);
        let n = case.points().len();
        let args: Vec<Vec<f64>> =
            std::iter::once(case.points().to_vec()).chain(case.parameters.iter().map(|&p| vec![p; n])).collect();
        for (what, f) in &quantities::<E, D>()[..4] {
            let Some(values) = value_of(&family, *f, &args) else { continue };
            let gradients = gradient_of(&family, *f, &args).expect("as before");
            for gradient in &gradients {
                let place = format!("{} {:?}: gradient of {what}: {gradient:?}", case.family, case.parameters);
                assert!(gradient.iter().all(|g| !g.is_nan()), "{place}");
                let impossible = values.iter().zip(gradient).filter(|(v, _)| **v == f64::NEG_INFINITY);
                assert!(impossible.map(|(_, g)| g).all(|g| g.is_finite()), "{place}");
            }
        }
    }
}

fn the_fused_sum_is_the_sum<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        for parameters in family.typical {
            let n = 1000;
            let value = family.filled(parameters, n).draw(&mut Rng::seed(3)).detach();
            let run = |fused: bool| {
                let rows: Vec<Row<E, D>> =
                    parameters.iter().map(|&p| row(&vec![p; n]).tracked()).chain([value.tracked()]).collect();
                let (sum, grads) = grad(|| {
                    let distribution = (family.build)(&rows[..parameters.len()]);
                    let value = &rows[parameters.len()];
                    if fused { distribution.log_prob_sum(value) } else { distribution.log_prob(value).sum_all() }
                });
                let gradients: Vec<Vec<f64>> = rows.iter().map(|r| wide(&grads.get(r).expect("a leaf"))).collect();
                (sum.item().wide(), gradients)
            };
            let ((fused, fused_gradients), (sum, gradients)) = (run(true), run(false));
            assert!((fused - sum).abs() <= tolerance::<E>() * sum.abs(), "{}: {fused}, {sum}", family.name);
            assert!(gradients.iter().flatten().any(|g| *g != 0.0), "{}", family.name);
            assert_eq!(fused_gradients, gradients, "{} {parameters:?}", family.name);
        }
    }
}

both_dtypes! {
    never_nan = no_gradient_is_nan;
    fused = the_fused_sum_is_the_sum;
}
