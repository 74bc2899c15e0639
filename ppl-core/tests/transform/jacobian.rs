//! ln |det J| against the determinant of a Jacobian of five-point differences, in the free
//! coordinates of the image.

use ppl_core::Cpu;
use ppl_core::transform::Map;

use crate::table::{ELEMENTS, ROWS, points, row, rows, transform, wide};

/// The coordinates of the image that are free, for rows of `len` numbers.
fn free(name: &str, len: usize, image: usize) -> Vec<usize> {
    let n = image.isqrt();
    match name {
        "LowerCholesky" | "PositiveDefinite" => (0..image).filter(|at| at % n <= at / n).collect(),
        "CorrCholesky" | "CorrMatrix" => (0..image).filter(|at| at % n < at / n).collect(),
        _ => (0..len).collect(),
    }
}

/// The derivatives of all coordinates of the image along one of the argument.
fn differences(map: &Map<f64, Cpu>, x: &[f64], along: usize) -> Vec<f64> {
    let step = 1e-3 * x[along].abs().clamp(1e-2, 1.0);
    let at = |by: f64| {
        let mut x = x.to_vec();
        x[along] += by;
        wide(&map.forward(row(&x)))
    };
    let (near, far) = ([at(step), at(-step)], [at(2.0 * step), at(-2.0 * step)]);
    (0..near[0].len()).map(|k| (8.0 * (near[0][k] - near[1][k]) - (far[0][k] - far[1][k])) / (12.0 * step)).collect()
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

fn check(name: &str, x: &[f64]) {
    let map = transform::<f64, Cpu>(name, x.len());
    let argument = row(x);
    let image = map.forward(argument.clone());
    let free = free(name, x.len(), image.numel());
    let columns: Vec<Vec<f64>> = (0..x.len()).map(|along| differences(&map, x, along)).collect();
    let jacobian = columns.iter().map(|column| free.iter().map(|&at| column[at]).collect()).collect();
    let (found, expected) = (map.log_abs_det(&argument, &image).item(), log_determinant(jacobian));
    assert!((found - expected).abs() <= 1e-7 * expected.abs().max(1.0), "{name} at {x:?}: {found}, not {expected}");
}

#[test]
fn elements() {
    for name in ELEMENTS {
        points(name).into_iter().for_each(|x| check(name, &[x]));
    }
}

#[test]
fn rows_of_numbers() {
    for name in ROWS.into_iter().filter(|name| transform::<f64, Cpu>(name, 3).is_bijective()) {
        rows(3).into_iter().chain(rows(6)).for_each(|x| check(name, &x));
    }
}
