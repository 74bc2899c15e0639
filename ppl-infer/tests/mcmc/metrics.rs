//! Metrics: velocities, the covariances of their draws, and what they refuse.

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use ppl_infer::mcmc::{InvalidMetric, Metric};

/// An inverse mass matrix of three coordinates, and the mass matrix, by hand.
type Matrices = ([[f64; 3]; 3], [[f64; 3]; 3]);

fn cases<E: Dtype>() -> Vec<(Metric<E>, Matrices)> {
    let diagonal = |d: [f64; 3]| [[d[0], 0.0, 0.0], [0.0, d[1], 0.0], [0.0, 0.0, d[2]]];
    // The inverse of a tridiagonal matrix with 1, 2, 2 on the diagonal and −1 beside it.
    let mass = [[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]];
    let inverse = [[3.0, 2.0, 1.0], [2.0, 2.0, 1.0], [1.0, 1.0, 1.0]];
    let block = Metric::dense(2, &[2.0, 1.0, 1.0, 1.0]).expect("positive definite");
    // Coordinates 2 and 0 have [[2, 1], [1, 1]], whose inverse is [[1, −1], [−1, 2]].
    let blocks = vec![(vec![2, 0], block), (vec![1], Metric::diagonal(&[4.0]).expect("positive"))];
    let blocks_inverse = [[1.0, 0.0, 1.0], [0.0, 4.0, 0.0], [1.0, 0.0, 2.0]];
    let blocks_mass = [[2.0, 0.0, -1.0], [0.0, 0.25, 0.0], [-1.0, 0.0, 1.0]];
    vec![
        (Metric::Identity(3), (diagonal([1.0; 3]), diagonal([1.0; 3]))),
        (
            Metric::diagonal(&[4.0, 0.25, 2.0]).expect("positive"),
            (diagonal([4.0, 0.25, 2.0]), diagonal([0.25, 4.0, 0.5])),
        ),
        (Metric::dense(3, &inverse.concat()).expect("positive definite"), (inverse, mass)),
        (Metric::blocks(blocks).expect("a partition"), (blocks_inverse, blocks_mass)),
    ]
}

fn velocities<E: Dtype>() {
    for (mut metric, (inverse, _)) in cases::<E>() {
        assert_eq!(metric.dim(), 3);
        let momentum = [1.0, -2.0, 3.0];
        let mut velocity = [E::of(0.0); 3];
        metric.velocity(&momentum.map(E::of), &mut velocity);
        let expected = inverse.map(|row| row.iter().zip(momentum).map(|(m, p)| m * p).sum::<f64>());
        assert_eq!(velocity.map(E::wide), expected, "{metric:?}");
        let energy = 0.5 * expected.iter().zip(momentum).map(|(v, p)| v * p).sum::<f64>();
        assert_eq!(Metric::kinetic_energy(&momentum.map(E::of), &velocity), energy);
    }
}

#[test]
fn velocities_and_energies_are_those_of_the_matrix() {
    velocities::<f64>();
    velocities::<f32>();
}

type Draw<E> = fn(&mut Metric<E>, &mut Rng, &mut [E]);

/// Second moments of n = 40 000 draws within 5.5 standard errors, √((Σᵢᵢ·Σⱼⱼ + Σᵢⱼ²)/n): each fails with
/// probability 4e-8 by chance, the 96 here with 4e-6.
fn covariances<E: Dtype>() {
    let n = 40_000;
    for (mut metric, (inverse, mass)) in cases::<E>() {
        let draws: [(Draw<E>, _); 2] = [(Metric::draw_momentum, mass), (Metric::draw_displacement, inverse)];
        for (draw, expected) in draws {
            let mut rng = Rng::seed(4);
            let mut sums = [[0.0; 3]; 3];
            let mut x = [E::of(0.0); 3];
            for _ in 0..n {
                draw(&mut metric, &mut rng, &mut x);
                for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
                    sums[i][j] += x[i].wide() * x[j].wide() / f64::from(n);
                }
            }
            for (i, j) in (0..3).flat_map(|i| (0..=i).map(move |j| (i, j))) {
                let variance = expected[i][i] * expected[j][j] + expected[i][j] * expected[i][j];
                let error = (sums[i][j] - expected[i][j]) / (variance / f64::from(n)).sqrt();
                assert!(error.abs() < 5.5, "{error} standard errors at {:?} of {metric:?}", (i, j));
            }
        }
    }
}

#[test]
fn momenta_have_the_mass_matrix_for_their_covariance_and_jumps_its_inverse() {
    covariances::<f64>();
    covariances::<f32>();
}

#[test]
fn what_is_no_metric_is_refused_with_its_place() {
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-310] {
        let found = Metric::<f64>::diagonal(&[1.0, bad]).map(|_| ());
        assert!(matches!(found, Err(InvalidMetric::Variance { coordinate: 1, .. })), "{bad}: {found:?}");
    }
    assert!(matches!(Metric::<f32>::diagonal(&[1e-60]), Err(InvalidMetric::Variance { coordinate: 0, .. })));
    let indefinite = Metric::<f64>::dense(2, &[1.0, 2.0, 2.0, 1.0]).map(|_| ());
    assert!(
        matches!(&indefinite, Err(InvalidMetric::NotPositiveDefinite(text)) if text.contains("pivot 1")),
        "{indefinite:?}"
    );
    assert!(matches!(Metric::<f64>::dense(2, &[f64::NAN; 4]), Err(InvalidMetric::NotPositiveDefinite(_))));
    assert_eq!(Metric::<f64>::dense(2, &[1.0; 3]).err(), Some(InvalidMetric::Elements { dim: 2, found: 3 }));
    let blocks = |parts: &[(&[usize], usize)]| {
        let parts = parts.iter().map(|(at, dim)| (at.to_vec(), Metric::<f64>::Identity(*dim)));
        Metric::blocks(parts.collect()).err()
    };
    assert_eq!(blocks(&[(&[0, 1], 2), (&[1], 1)]), Some(InvalidMetric::Partition { coordinate: 1, times: 2 }));
    assert_eq!(blocks(&[(&[0, 3], 2), (&[1], 1)]), Some(InvalidMetric::Partition { coordinate: 2, times: 0 }));
    assert_eq!(blocks(&[(&[0], 1), (&[1], 2)]), Some(InvalidMetric::Block { block: 1, coordinates: 1, dim: 2 }));
    assert_eq!(blocks(&[(&[1], 1), (&[0], 1)]), None);
}
