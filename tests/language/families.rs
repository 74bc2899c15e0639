//! Families of sites in loops and closures, and plates in both forms.

use std::collections::BTreeMap;

use ppl::prelude::*;

type Scalar = Tensor<()>;

#[model]
fn walk(steps: usize) -> Scalar {
    let mut position = Scalar::zeros();
    for t in 0..steps {
        position = sample!("x_{t}": Scalar, Normal::new(&position, 1.0));
        if position.item() > 100.0 {
            break;
        }
    }
    let mut n = 0;
    while n < 2 {
        sample!("w_{n}": Scalar, Normal::standard());
        n += 1;
    }
    let grid: Vec<Scalar> = (0..2u8)
        .flat_map(|i| (0..2i64).map(move |j| (i, j)))
        .map(|(i, j)| sample!("g_{i}_{j}": Scalar, Normal::standard()))
        .collect();
    loop {
        n += 1;
        if sample!("until_{n}": Scalar, Normal::standard()).item() > -100.0 {
            break;
        }
    }
    deterministic!("end_{steps}": Scalar, position + &grid[3])
}

#[test]
fn a_family_is_a_map_from_its_indices() {
    let (output, seen) = trace(&walk, (3,), 0).unwrap();
    let typed: WalkTrace = seen.typed().unwrap();
    let x: &BTreeMap<usize, Site<Scalar>> = &typed.x;
    assert_eq!(x.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(x[&2].value, *seen.value::<Scalar>("x_2").unwrap());
    assert_eq!(typed.w.len(), 2);
    let grid: &BTreeMap<(usize, usize), Site<Scalar>> = &typed.g;
    assert_eq!(grid.keys().copied().collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 0), (1, 1)]);
    assert_eq!(typed.until.len(), 1);
    assert_eq!(typed.end[&3].value, output);
}

#[model]
fn closures(n: usize) -> Vec<Scalar> {
    let mut draw = |i: usize| sample!("a_{i}": Scalar, Normal::standard());
    draw(0);
    draw(7);
    let shift = Vec::from([1.0, 2.0]);
    let moved: Vec<Scalar> = (0..n).map(move |i| sample!("b_{i}", Normal::new(shift[i], 0.001))).collect();
    sample!("after": Scalar, Normal::standard());
    moved
}

#[test]
fn closures_may_sample_and_may_move() {
    let (output, seen) = trace(&closures, (2,), 0).unwrap();
    let typed: ClosuresTrace = seen.typed().unwrap();
    assert_eq!(typed.a.into_keys().collect::<Vec<_>>(), [0, 7]);
    assert!((output[1].item() - 2.0).abs() < 0.1);
    assert!(seen.site("b_1").is_some());
}

#[model]
fn plates(data: &[f32], batch: usize) -> usize {
    let loc: Scalar = sample!("loc", Normal::standard());
    let seen: Tensor<(usize,)> = plate!("data", data.len(), subsample = batch, |rows| {
        let values: Vec<f32> = rows.iter().map(|row| data[row]).collect();
        let values = Tensor::vector(values);
        if rows.is_empty() {
            return values;
        }
        sample!("x", Normal::new(loc.broadcast_like::<_, Axis<0>>(&values.shape()), 1.0), obs = &values)
    });
    plate!("given", data.len(), rows = [2, 0], |rows: Rows| assert_eq!(rows.to_vec(), [2, 0]));
    plate!("all", 3, |_| ());
    seen.numel()
}

#[test]
fn a_plate_subsamples_its_rows_and_scales() {
    let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let (seen_rows, seen) = trace(&plates, (&data[..], 2), 0).unwrap();
    assert_eq!(seen_rows, 2);
    let typed: PlatesTrace = seen.typed().unwrap();
    let x = typed.x.unwrap();
    let loc = f64::from(typed.loc.value.item());
    let density: f64 = x.value.to_vec().iter().map(|&x| log_normal(f64::from(x), loc)).sum();
    assert!(x.observed && (x.log_prob - 3.0 * density).abs() < 1e-3, "{} {}", x.log_prob, density);
}

fn log_normal(x: f64, loc: f64) -> f64 {
    -0.5 * (x - loc).powi(2) - 0.5 * (2.0 * std::f64::consts::PI).ln()
}

#[model]
fn loop_plates(n: usize, leave: Option<usize>) -> usize {
    let mut rounds = 0;
    'outer: for i in plate!("rows", n) {
        for j in plate!("columns", 2, rows = [1]) {
            if leave == Some(i) {
                break 'outer;
            }
            sample!("x_{i}_{j}": Scalar, Normal::standard());
            rounds += 1;
        }
    }
    sample!("outside": Scalar, Normal::standard());
    rounds
}

#[test]
fn a_loop_over_a_plate_runs_row_by_row_and_ends_it_however_it_is_left() {
    let (rounds, seen) = trace(&loop_plates, (3, None), 0).unwrap();
    assert_eq!(rounds, 3);
    let site = seen.site("x_2_1").unwrap();
    assert_eq!(site.frames.iter().map(|frame| &*frame.name).collect::<Vec<_>>(), ["rows", "columns"]);
    assert!((site.frames[1].scale() - 2.0).abs() < 1e-12);
    assert!(seen.site("outside").unwrap().frames.is_empty());

    let (rounds, seen) = trace(&loop_plates, (3, Some(1)), 0).unwrap();
    assert_eq!(rounds, 1);
    assert!(seen.site("outside").unwrap().frames.is_empty());
    let typed: LoopPlatesTrace = seen.typed().unwrap();
    assert_eq!(typed.x.into_keys().collect::<Vec<_>>(), [(0, 1)]);
}
