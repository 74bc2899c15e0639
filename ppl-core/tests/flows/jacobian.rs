//! ln |det J| against the determinant of a Jacobian of five-point differences, and the Jacobian's shape.

use ppl_core::Cpu;
use ppl_core::flows::Flow;

use crate::table::{FLOWS, LEN, flow, row, rows, wide};

/// The derivatives of all coordinates of the image along one of the argument.
fn differences(map: &dyn Flow<f64, Cpu>, x: &[f64], along: usize) -> Vec<f64> {
    const STEP: f64 = 1e-4;
    let at = |by: f64| {
        let mut x = x.to_vec();
        x[along] += by;
        wide(&map.forward(row(&x)))
    };
    let (near, far) = ([at(STEP), at(-STEP)], [at(2.0 * STEP), at(-2.0 * STEP)]);
    (0..LEN).map(|k| (8.0 * (near[0][k] - near[1][k]) - (far[0][k] - far[1][k])) / (12.0 * STEP)).collect()
}

/// ln |det| by elimination with pivots.
fn log_determinant(mut a: Vec<Vec<f64>>) -> f64 {
    let mut sum = 0.0;
    for k in 0..a.len() {
        let pivot = (k..a.len()).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs())).expect("a row");
        a.swap(k, pivot);
        sum += a[k][k].abs().ln();
        for i in k + 1..a.len() {
            let factor = a[i][k] / a[k][k];
            (k..a.len()).for_each(|j| a[i][j] -= factor * a[k][j]);
        }
    }
    sum
}

#[test]
fn determinants_are_those_of_differences() {
    for name in FLOWS {
        let flow = flow::<f64>(name, 5);
        for x in wide(&rows::<f64>(12)).chunks(LEN) {
            let argument = row::<f64>(x);
            let image = flow.forward(argument.clone());
            let columns = (0..LEN).map(|along| differences(&*flow, x, along)).collect();
            let (found, expected) = (flow.log_abs_det(&argument, &image).item(), log_determinant(columns));
            assert!((found - expected).abs() <= 1e-7 * expected.abs().max(1.0), "{name} at {x:?}: {found}, {expected}");
        }
    }
}

/// Each image depends on its own variable and on those before it, and on nothing else; and it does
/// depend on them.
#[test]
fn jacobians_of_autoregressive_flows_are_triangular() {
    for (name, order) in
        [("AffineAutoregressive", [2, 0, 3, 1]), ("Masked", [2, 0, 3, 1]), ("SplineAutoregressive", [1, 3, 0, 2])]
    {
        let flow = flow::<f64>(name, 6);
        let mut touched = [[false; LEN]; LEN];
        for x in wide(&rows::<f64>(8)).chunks(LEN) {
            for (i, &from) in order.iter().enumerate() {
                let column = differences(&*flow, x, from);
                for (j, &to) in order.iter().enumerate() {
                    assert!(j >= i || column[to] == 0.0, "{name}: {to} moves with {from}, which comes later");
                    touched[i][j] |= column[to] != 0.0;
                }
            }
        }
        let dependent = |i: usize| (i..LEN).all(|j| touched[i][j]);
        assert!((0..LEN).all(dependent), "{name}: {touched:?}");
    }
}

/// The first half stays, and moves the second.
#[test]
fn a_coupling_keeps_its_first_half() {
    let flow = flow::<f64>("AffineCoupling", 6);
    let x = wide(&rows::<f64>(1));
    assert_eq!(wide(&flow.forward(row(&x)))[..2], x[..2]);
    let columns: Vec<Vec<f64>> = (0..LEN).map(|along| differences(&*flow, &x, along)).collect();
    assert!(columns[2][3] == 0.0 && columns[3][2] == 0.0);
    assert!(columns[0][2] != 0.0 && columns[1][3] != 0.0);
}
