//! Masks, events and larger batches: what every distribution can be wrapped in keeps its log-densities.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::rng::Rng;

use crate::families::{families, wide};
use crate::reference::tolerance;

fn masks_and_events_commute<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        for parameters in family.typical {
            let distribution = family.filled(parameters, 6);
            let value = distribution.draw(&mut Rng::seed(9)).detach();
            let each = wide(&distribution.log_prob(&value));
            for mask in [[true; 6], [false; 6], [true, false, true, true, false, false]] {
                let expected: Vec<f64> = each.iter().zip(mask).map(|(&l, m)| if m { l } else { 0.0 }).collect();
                let masked = wide(&distribution.masked_log_prob(mask.into(), &value));
                assert_eq!(masked, expected, "{} {parameters:?}", family.name);
                let event = distribution.event_log_prob(mask.into(), &value).item().wide();
                let sum: f64 = expected.iter().sum();
                let size: f64 = expected.iter().map(|l| l.abs()).sum();
                assert!((event - sum).abs() <= tolerance::<E>() * size, "{} {parameters:?}", family.name);
            }
        }
    }
}

fn expanded_batches_repeat<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        for parameters in family.typical {
            let distribution = family.filled(parameters, 4);
            let values = [9, 10].map(|seed| distribution.draw(&mut Rng::seed(seed)).detach());
            let mask = [true, false, true, true];
            let expected: Vec<Vec<f64>> =
                values.iter().map(|value| wide(&distribution.masked_log_prob(mask.into(), value))).collect();
            let [each, events, wrapped_first] = distribution.expanded_log_prob(mask.into(), values.each_ref());
            assert_eq!(wide(&each), expected.concat(), "{} {parameters:?}", family.name);
            assert_eq!(wide(&wrapped_first), wide(&events), "{} {parameters:?}", family.name);
            for (event, row) in wide(&events).into_iter().zip(&expected) {
                let (sum, size): (f64, f64) = (row.iter().sum(), row.iter().map(|l| l.abs()).sum());
                assert!((event - sum).abs() <= tolerance::<E>() * size, "{} {parameters:?}", family.name);
            }
        }
    }
}

both_dtypes! {
    expansion = expanded_batches_repeat;
    masked_events = masks_and_events_commute;
}
