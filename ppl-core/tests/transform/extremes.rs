//! Tails beyond the dtype, large batches, and numbers that are none.

use ppl_core::backend::Backend;
use ppl_core::{Cpu, Dtype, Tensor};
use proptest::prelude::*;

use crate::both_dtypes;
use crate::table::{ELEMENTS, ROWS, row, transform, wide};

/// The image of a finite number is finite, and so is its origin, wherever the argument lies.
fn finite_stays_finite<E: Dtype, D: Backend<E>>() {
    let far = [-1e4, -800.0, -90.0, -40.0, 0.0, 40.0, 90.0, 800.0, 1e4];
    for name in ELEMENTS.into_iter().filter(|name| !["Log", "Logit", "Power"].contains(name)) {
        let map = transform::<E, D>(name, 1);
        let image = map.forward(row(&far));
        let all = [wide(&image), wide(&map.inverse(image.clone())), wide(&map.log_abs_det(&row(&far), &image))];
        assert!(all.concat().iter().all(|v| v.is_finite()), "{name}: {all:?}");
    }
    for name in ROWS {
        for first in far {
            for second in far {
                let x = [first, second, -first];
                let map = transform::<E, D>(name, 3);
                let image = map.forward(row(&x));
                assert!(wide(&image).iter().all(|v| v.is_finite()), "{name} {x:?}: {image:?}");
                let log = map.log_abs_det(&row(&x), &image).item();
                assert!(log.is_finite() || !map.is_bijective(), "{name} {x:?}: {log}");
            }
        }
    }
}

fn not_a_number_stays_one<E: Dtype, D: Backend<E>>() {
    for name in ELEMENTS {
        let map = transform::<E, D>(name, 1);
        let nan = row(&[f64::NAN]);
        assert!(map.forward(nan.clone()).item().is_nan() && map.inverse(nan.clone()).item().is_nan(), "{name}");
        let constant = ["Identity", "Affine"].contains(&name);
        assert!(constant || map.log_abs_det(&nan, &nan).item().is_nan(), "{name}");
    }
    for name in ROWS {
        let map = transform::<E, D>(name, 3);
        let image = map.forward(row(&[0.5, f64::NAN, 0.25]));
        assert!(wide(&image).iter().any(|v| v.is_nan()), "{name}");
    }
}

/// Stick-breaking and correlations keep arguments far into the tails, where the image is next to an
/// edge.
#[test]
fn rows_come_back_from_the_tails() {
    for (name, x) in [
        ("StickBreaking", [-300.0, -40.0, -100.0]),
        ("CorrCholesky", [40.0, -200.0, 30.0]),
        ("Ordered", [0.0, -30.0, -25.0]),
        ("LowerCholesky", [-300.0, 40.0, 300.0]),
    ] {
        let map = transform::<f64, Cpu>(name, 3);
        let again = wide(&map.inverse(map.forward(row(&x))));
        // Ordered numbers differ by e^x, of which a number of order 1e-11 keeps few digits.
        let allowed = if name == "Ordered" { 1e-2 } else { 1e-9 };
        assert!(again.iter().zip(x).all(|(a, x)| (a - x).abs() <= allowed * x.abs().max(1.0)), "{name}: {again:?}");
    }
}

/// More rows than one thread takes are the same rows.
#[test]
fn many_rows_are_each_their_own() {
    let one = [0.5, -1.0, 0.25, 1.5, 0.0, -0.75];
    let many: Vec<f64> = one.iter().copied().cycle().take(6 * 20_000).collect();
    for name in ROWS {
        let map = transform::<f64, Cpu>(name, 3);
        let expected = wide(&map.forward(row(&one)));
        let found = wide(&map.forward(row(&many)));
        assert_eq!(found.len(), expected.len() * 20_000);
        assert!(found.chunks(expected.len()).all(|rows| rows == expected), "{name}");
        let leaf = row::<f64, Cpu>(&many).tracked();
        let (_, grads) = ppl_core::autodiff::grad(|| map.forward(leaf.clone()).square().sum_all());
        let gradient = wide(&grads.get(&leaf).expect("a leaf"));
        assert!(gradient.chunks(6).all(|rows| rows == &gradient[..6]), "{name}");
    }
}

fn hostile() -> impl Strategy<Value = f64> {
    let special =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.0, -1.0, f64::MAX, f64::MIN, 5e-324, 1e-310];
    prop_oneof![proptest::num::f64::ANY, proptest::sample::select(special.to_vec()), -50.0..50.0]
}

/// All maps, backwards too, and with gradients, of any numbers.
fn survive<E: Dtype, D: Backend<E>>(x: &[f64]) {
    for name in ELEMENTS.iter().chain(&ROWS) {
        let map = transform::<E, D>(name, 3);
        let leaf = row::<E, D>(x).tracked();
        let (value, _) = ppl_core::autodiff::grad(|| {
            let image = map.forward(leaf.clone());
            map.log_abs_det(&leaf, &image).sum_all() + map.inverse(image).sum_all()
        });
        assert_eq!(value.dims(), Tensor::<(), E, D>::zeros().dims());
        let numbers = x.iter().copied().cycle().take(map.event_lens().1.max(3));
        map.inverse(row(&numbers.collect::<Vec<f64>>()));
    }
}

proptest! {
    #[test]
    fn nothing_panics(x in proptest::collection::vec(hostile(), 3)) {
        survive::<f32, Cpu>(&x);
        survive::<f64, Cpu>(&x);
    }
}

both_dtypes! {
    finite = finite_stays_finite;
    nan = not_a_number_stays_one;
}
