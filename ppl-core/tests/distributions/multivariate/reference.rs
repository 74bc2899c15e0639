//! Log-densities and moments against scipy and mpmath, to 1e-9 in `f64` and 1e-5 in `f32`.
//!
//! What a table does not have (`null`) the library must not give.

use ppl_core::backend::Backend;
use ppl_core::{Cpu, Dtype};

use super::{Nested, cases, families, family};
use crate::families::{row, wide};
use crate::reference::{Scale, difference};

fn agrees_with_the_tables<E: Dtype, D: Backend<E>>() {
    let mut failures = Vec::new();
    for case in cases() {
        let family = family::<E, D>(&case.family);
        let place = format!("{} {:?}", case.family, case.parameters);
        let (many, one) = (family.filled(&case.parameters, case.points.len()), family.filled(&case.parameters, 1));
        let points: Vec<f64> = case.points.iter().flat_map(|p| p.entries.clone()).collect();
        assert!(case.points.iter().all(|p| p.dims == one.event_dims()), "{place}: events of {:?}", one.event_dims());
        let log_prob = wide(&many.log_prob(&row(&points)));
        let wrong = difference::<E>(&log_prob, &case.log_prob, Scale::Logarithm);
        failures.extend(wrong.map(|wrong| format!("{place}: log_prob: {wrong}")));
        let moments = [
            ("mean", one.mean(), &case.mean, Scale::Relative),
            ("variance", one.variance(), &case.variance, Scale::Relative),
            ("entropy", one.entropy(), &case.entropy, Scale::Logarithm),
        ];
        for (what, found, expected, scale) in moments {
            let wrong = match (found, expected) {
                (None, None) => None,
                (Some(found), Some(Nested { entries, .. })) => difference::<E>(&wide(&found), entries, scale),
                (found, _) => Some(format!("the library has {}, the table does not agree", found.is_some())),
            };
            failures.extend(wrong.map(|wrong| format!("{place}: {what}: {wrong}")));
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

both_dtypes! {
    tables = agrees_with_the_tables;
}

#[test]
fn every_family_has_reference_values() {
    let cases = cases();
    for family in families::<f64, Cpu>() {
        let own: Vec<_> = cases.iter().filter(|case| case.family == family.name).collect();
        assert!(own.len() >= family.ordinary.max(2), "{} has {} sets of values", family.name, own.len());
        let ordinary = &own[..family.ordinary];
        assert!(family.ordinary >= 2, "{}: two ordinary sets or more", family.name);
        assert!(ordinary.iter().all(|c| c.possible_points().count() >= 2), "{}: two points or more", family.name);
        let right = own.iter().all(|case| case.parameters.len() == family.parameters.len());
        assert!(right, "{}: the table has other parameters", family.name);
    }
}
