//! There and back again: in batches, in tails, and for numbers that are none.

use ppl_core::backend::Backend;
use ppl_core::{Cpu, Dtype};

use crate::table::{FLOWS, LEN, alter, distance, flow, row, rows, wide};

/// A copy has no memory of what the original mapped, so it must compute.
fn comes_back<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    for name in FLOWS {
        for seed in 0..4 {
            let flow = flow::<E>(name, seed);
            let x = rows::<E>(50);
            let y = flow.forward(x.clone());
            let back = flow.copied().inverse(y.clone());
            let off = distance(&wide(&back), &wide(&x));
            assert!(off < tolerance, "{name} {seed}: x is off by {off}");
            let off = distance(&wide(&flow.copied().log_abs_det(&back, &y)), &wide(&flow.log_abs_det(&x, &y)));
            assert!(off < tolerance, "{name} {seed}: ln |det J| is off by {off}");
            let again = flow.copied().forward(flow.copied().inverse(x.clone()));
            let off = distance(&wide(&again), &wide(&x));
            assert!(off < tolerance, "{name} {seed}: y is off by {off}");
        }
    }
}

#[test]
fn comes_back_in_double_precision() {
    comes_back::<f64>(1e-9);
}

#[test]
fn comes_back_in_single_precision() {
    comes_back::<f32>(2e-3);
}

#[test]
fn large_numbers_come_back() {
    let far = [1e3, -1e4, 1e5, -1e3, 1e8, 1.0, -1e8, 1e-8, -1e12, 1e12, 1e12, 0.0];
    for name in FLOWS.into_iter().filter(|name| *name != "Stack") {
        let flow = flow::<f64>(name, 1);
        let x = row::<f64>(&far);
        let y = flow.forward(x.clone());
        let (found, back) = (wide(&y), wide(&flow.copied().inverse(y.clone())));
        assert!(found.iter().all(|v| v.is_finite()), "{name}: {found:?}");
        // Shifts of a row's size cancel: digits are kept relative to its largest number.
        for (i, (found, expected)) in back.chunks(LEN).zip(far.chunks(LEN)).enumerate() {
            let size = expected.iter().fold(1.0, |max: f64, v| max.max(v.abs()));
            let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max);
            assert!(off < 1e-9, "{name}, row {i}: off by {off}");
        }
        let logs = wide(&flow.log_abs_det(&x, &y));
        assert!(logs.iter().all(|v| v.is_finite()), "{name}: {logs:?}");
    }
}

/// Parameters at which the maps are hardly one to one.
#[test]
fn steep_planar_and_radial_flows_come_back() {
    for name in ["Planar", "Radial"] {
        for by in [-30.0, -5.0, 5.0, 30.0] {
            let mut flow = flow::<f64>(name, 2);
            alter(&mut *flow, |tensor, v| if tensor == "w" || tensor == "center" { v } else { v + by });
            let x = rows::<f64>(20);
            let y = flow.forward(x.clone());
            let back = flow.copied().inverse(y.clone());
            let again = flow.copied().forward(back.clone());
            // Where the map is nearly flat, x is known only as well as y tells it.
            let off = distance(&wide(&again), &wide(&y));
            assert!(off < 1e-9, "{name} {by}: y is off by {off}");
            let logs = wide(&flow.copied().log_abs_det(&x, &y));
            assert!(logs.iter().all(|v| v.is_finite()), "{name} {by}: {logs:?}");
        }
    }
}

#[test]
fn numbers_that_are_none_neither_panic_nor_vanish() {
    let hostile = [f64::NAN, 0.5, -0.5, 1.0, f64::INFINITY, 0.0, 1.0, -1.0, f64::NEG_INFINITY, 1e300, -1e300, 5e-324];
    for name in FLOWS {
        let flow = flow::<f64>(name, 3);
        let x = row::<f64>(&hostile);
        let (y, back) = (flow.forward(x.clone()), flow.copied().inverse(x.clone()));
        assert!(wide(&y)[..LEN].iter().any(|v| v.is_nan()), "{name}: {y:?}");
        assert!(wide(&back)[..LEN].iter().any(|v| v.is_nan()), "{name}: {back:?}");
        flow.log_abs_det(&x, &y);
    }
}

#[test]
fn hostile_parameters_do_not_panic() {
    for name in FLOWS {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e300, -1e300, 5e-324] {
            let mut flow = flow::<f64>(name, 3);
            alter(&mut *flow, |_, _| value);
            let x = rows::<f64>(3);
            let y = flow.forward(x.clone());
            flow.log_abs_det(&x, &y);
            flow.copied().inverse(x);
        }
    }
}

#[test]
fn no_rows_are_rows() {
    for name in FLOWS {
        let (flow, x) = (flow::<f64>(name, 0), row::<f64>(&[]));
        let y = flow.forward(x.clone());
        assert_eq!((y.numel(), flow.log_abs_det(&x, &y).numel(), flow.copied().inverse(x).numel()), (0, 0, 0));
    }
}
