//! The leapfrog integrator: reversible, of order two, volume preserving.

use ppl_core::rng::Rng;
use ppl_core::{Dtype, rng};
use ppl_infer::mcmc::{Metric, PhasePoint, State, leapfrog};

use crate::targets::{Target, quartic};

fn metrics<E: Dtype>() -> Vec<Metric<E>> {
    let dense = [2.0, 0.5, 0.1, 0.5, 1.0, -0.3, 0.1, -0.3, 0.7];
    vec![
        Metric::Identity(3),
        Metric::diagonal(&[0.5, 2.0, 1.5]).expect("positive"),
        Metric::dense(3, &dense).expect("positive definite"),
        Metric::blocks(vec![
            (vec![2, 0], Metric::dense(2, &[1.0, 0.4, 0.4, 0.8]).expect("positive definite")),
            (vec![1], Metric::Identity(1)),
        ])
        .expect("a partition"),
    ]
}

fn start<E: Dtype>(metric: &mut Metric<E>, rng: &mut Rng) -> PhasePoint<E> {
    let position = [0.7, -0.4, 0.2].map(E::of);
    let Ok(state) = State::at(&mut Target::new(3, quartic), &position);
    let mut point = PhasePoint::zeros(3);
    point.begin(&state, metric, rng);
    point
}

fn walk<E: Dtype>(metric: &mut Metric<E>, from: &PhasePoint<E>, step: f64, steps: usize) -> PhasePoint<E> {
    let mut density = Target::new(3, quartic);
    let (mut here, mut there) = (from.clone(), PhasePoint::zeros(3));
    for _ in 0..steps {
        let Ok(()) = leapfrog(&mut density, metric, step, &here, &mut there);
        std::mem::swap(&mut here, &mut there);
    }
    here
}

fn goes_back<E: Dtype>(tolerance: f64) {
    let mut rng = Rng::seed(1);
    for mut metric in metrics::<E>() {
        let first = start(&mut metric, &mut rng);
        let last = walk(&mut metric, &first, 0.1, 50);
        let back = walk(&mut metric, &last, -0.1, 50);
        let distance = |a: &[E], b: &[E]| a.iter().zip(b).map(|(a, b)| (*a - *b).wide().abs()).fold(0.0, f64::max);
        assert!(distance(&last.position, &first.position) > 0.1, "it moved");
        assert!(distance(&back.position, &first.position) < tolerance, "{metric:?}");
        assert!(distance(&back.momentum, &first.momentum) < tolerance, "{metric:?}");
        assert!((back.energy - first.energy).abs() < 10.0 * tolerance, "{metric:?}");
    }
}

#[test]
fn a_path_goes_back_to_where_it_began() {
    goes_back::<f64>(1e-13);
    goes_back::<f32>(2e-5);
}

#[test]
fn half_the_step_leaves_a_quarter_of_the_energy_error() {
    let mut rng = Rng::seed(2);
    for mut metric in metrics::<f64>() {
        let first = start(&mut metric, &mut rng);
        let error =
            |metric: &mut Metric<f64>, step: f64, steps: usize| walk(metric, &first, step, steps).energy - first.energy;
        let errors = [100, 200, 400, 800].map(|steps| error(&mut metric, 1.7 / steps as f64, steps));
        for pair in errors.windows(2) {
            let ratio = pair[0] / pair[1];
            assert!((3.9..4.1).contains(&ratio), "{ratio} of {errors:?} with {metric:?}");
        }
        assert!(errors[0].abs() > 1e-8, "the density is not quadratic and the error not rounding: {errors:?}");
    }
}

/// The map of phase space has determinant one: central differences of width 1e-5, error about 1e-9.
#[test]
fn volume_is_preserved() {
    let mut rng = rng::Rng::seed(3);
    for mut metric in metrics::<f64>() {
        let first = start(&mut metric, &mut rng);
        let mut ends = |coordinate: usize, shift: f64| {
            let mut point = first.clone();
            if coordinate < 3 {
                point.position[coordinate] += shift
            } else {
                point.momentum[coordinate - 3] += shift
            }
            let Ok(state) = State::at(&mut Target::new(3, quartic), &point.position);
            point.gradient = state.gradient;
            let end = walk(&mut metric, &point, 0.3, 4);
            [end.position, end.momentum].concat()
        };
        let mut jacobian: Vec<Vec<f64>> = (0..6)
            .map(|at| {
                let [up, down] = [ends(at, 1e-5), ends(at, -1e-5)];
                up.iter().zip(&down).map(|(up, down)| (up - down) / 2e-5).collect()
            })
            .collect();
        let determinant = determinant(&mut jacobian);
        assert!((determinant.abs() - 1.0).abs() < 1e-7, "{determinant} with {metric:?}");
    }
}

/// By elimination with pivots, up to its sign.
fn determinant(rows: &mut [Vec<f64>]) -> f64 {
    let mut product = 1.0;
    for at in 0..rows.len() {
        let pivot = (at..rows.len()).max_by(|&a, &b| rows[a][at].abs().total_cmp(&rows[b][at].abs())).expect("a row");
        rows.swap(at, pivot);
        product *= rows[at][at];
        let row = rows[at].clone();
        for below in &mut rows[at + 1..] {
            let factor = below[at] / row[at];
            below.iter_mut().zip(&row).for_each(|(b, r)| *b -= factor * r);
        }
    }
    product
}
