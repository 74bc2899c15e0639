//! Hostile parameters and values: nothing panics or hangs, errors name the parameter and its entry,
//! and impossible values score −∞.

use ppl_core::backend::Backend;
use ppl_core::{Dtype, rng::Rng};

use super::{Boxed, Case, Entries, Family, Nested, families};
use crate::families::{Row, row, wide};
use crate::hostile::{HOSTILE, in_time};

/// Everything that can be asked, for a panic or a hang.
fn exercise<E: Dtype, D: Backend<E>>(distribution: &Boxed<E, D>, value: &Row<E, D>) {
    distribution.log_prob(value);
    distribution.log_prob_sum(value);
    distribution.draw(&mut Rng::seed(1));
    let _ = (distribution.mean(), distribution.variance(), distribution.entropy());
}

/// Each entry of each parameter in turn takes each hostile number, at the second of three elements.
fn hostile_parameters<E: Dtype, D: Backend<E>>(family: &Family<E, D>, case: &Case) {
    let point = case.possible_points().next().expect("a point").entries.repeat(3);
    for (which, (name, domain, entries)) in family.parameters.iter().enumerate() {
        let Nested { dims, entries: numbers } = &case.parameters[which];
        if *entries == Entries::Constant {
            continue;
        }
        for at in 0..numbers.len() {
            for hostile in HOSTILE {
                let mut arguments = super::arguments::<E, D>(&case.parameters, 3);
                let mut changed = numbers.repeat(3);
                changed[numbers.len() + at] = hostile;
                arguments[which].entries = row(&changed);
                let distribution = (family.build)(&arguments);
                let place = format!("{} with {name}[{at}] = {hostile}", family.name);
                let checked = distribution.check_parameters();
                let seen = E::of(hostile).wide();
                if let Err(error) = &checked {
                    assert_eq!(error.parameter, *name, "{place}");
                }
                if !(domain.holds)(seen) {
                    let error = checked.expect_err(&place);
                    let mut index = vec![1];
                    let strides = (0..dims.len()).map(|axis| dims[axis + 1..].iter().product::<usize>());
                    index.extend(strides.zip(dims).map(|(stride, size)| at / stride % size));
                    assert_eq!((error.element, error.constraint.as_str()), (index, domain.words), "{place}");
                }
                exercise(&distribution, &row(&point));
            }
        }
    }
}

/// Each entry of a possible value in turn takes each hostile number.
fn hostile_values<E: Dtype, D: Backend<E>>(family: &Family<E, D>, case: &Case) {
    let distribution = family.filled(&case.parameters, 1);
    let point = &case.possible_points().next().expect("a point").entries;
    assert_eq!(distribution.outside(&row(point)), None, "{} {point:?}", family.name);
    for at in 0..point.len() {
        for hostile in HOSTILE.into_iter().filter(|v| !v.is_nan()) {
            let mut changed = point.clone();
            changed[at] = hostile;
            let log_prob = wide(&distribution.log_prob(&row(&changed)))[0];
            let place = format!("{} {:?} at {changed:?}: {log_prob}", family.name, case.parameters);
            assert!(!log_prob.is_nan(), "{place}");
            let outside = distribution.outside(&row(&changed)).is_some();
            assert!(!outside || log_prob == f64::NEG_INFINITY, "{place}, outside the support");
        }
    }
}

fn nothing_panics_or_hangs<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        in_time(family.name, move || {
            for case in family.ordinary_cases() {
                hostile_parameters(&family, &case);
                hostile_values(&family, &case);
            }
        });
    }
}

both_dtypes! {
    numbers = nothing_panics_or_hangs;
}
