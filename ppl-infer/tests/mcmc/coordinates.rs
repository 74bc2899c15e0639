//! A metric is a change of coordinates: with M⁻¹ = L·Lᵀ, a chain on L·x goes where a chain on x goes with M = 1.

use ppl_core::rng::Rng;
use ppl_infer::mcmc::{Hmc, HmcOptions, Kernel, Length, Metric, Metropolis, Nuts, NutsOptions};

use crate::targets::{Target, quartic};

type Factor = [[f64; 3]; 3];

fn times(factor: &Factor, x: &[f64]) -> Vec<f64> {
    factor.iter().map(|row| row.iter().zip(x).map(|(l, x)| l * x).sum()).collect()
}

/// L⁻¹·y of a lower triangle.
fn divided(factor: &Factor, y: &[f64]) -> Vec<f64> {
    let mut x = vec![0.0; 3];
    for i in 0..3 {
        x[i] = (y[i] - (0..i).map(|j| factor[i][j] * x[j]).sum::<f64>()) / factor[i][i];
    }
    x
}

/// L⁻ᵀ·y.
fn divided_by_transposed(factor: &Factor, y: &[f64]) -> Vec<f64> {
    let mut x = vec![0.0; 3];
    for i in (0..3).rev() {
        x[i] = (y[i] - (i + 1..3).map(|j| factor[j][i] * x[j]).sum::<f64>()) / factor[i][i];
    }
    x
}

/// The density of L·x where x has the quartic one.
fn stretched(factor: Factor) -> impl Fn(&[f64], &mut [f64]) -> f64 {
    move |at, gradient| {
        let mut slope = [0.0; 3];
        let log_density = quartic(&divided(&factor, at), &mut slope);
        gradient.copy_from_slice(&divided_by_transposed(&factor, &slope));
        log_density
    }
}

type Boxed = Box<dyn Fn(&[f64], &mut [f64]) -> f64>;

fn kernels(metric: &Metric<f64>) -> [Box<dyn Kernel<f64, Target<Boxed>>>; 3] {
    let options = HmcOptions { length: Length::Steps(6), jitter: 0.5, ..HmcOptions::default() };
    [
        Box::new(Nuts::new(0.15, metric.clone(), NutsOptions { jitter: 0.1, ..NutsOptions::default() })),
        Box::new(Hmc::new(0.3, metric.clone(), options)),
        Box::new(Metropolis::new(0.7, metric.clone())),
    ]
}

#[test]
fn a_chain_with_a_metric_is_a_chain_in_other_coordinates() {
    let cases: [(Factor, fn(&[f64]) -> Metric<f64>); 3] = [
        ([[3.0, 0.0, 0.0], [0.0, 0.2, 0.0], [0.0, 0.0, 20.0]], |m| {
            Metric::diagonal(&[m[0], m[4], m[8]]).expect("positive")
        }),
        ([[3.0, 0.0, 0.0], [-8.0, 0.2, 0.0], [1.0, 5.0, 20.0]], |m| Metric::dense(3, m).expect("positive definite")),
        ([[3.0, 0.0, 0.0], [-8.0, 0.2, 0.0], [0.0, 0.0, 20.0]], |m| {
            let pair = Metric::dense(2, &[m[0], m[1], m[3], m[4]]).expect("positive definite");
            Metric::blocks(vec![(vec![0, 1], pair), (vec![2], Metric::diagonal(&[m[8]]).expect("positive"))])
                .expect("a partition")
        }),
    ];
    for (factor, metric) in cases {
        let square: Vec<f64> = (0..9).map(|at| (0..3).map(|k| factor[at / 3][k] * factor[at % 3][k]).sum()).collect();
        let mut plain = Target::new(3, Box::new(quartic) as Boxed);
        let mut other = Target::new(3, Box::new(stretched(factor)) as Boxed);
        for (mut here, mut there) in kernels(&Metric::Identity(3)).into_iter().zip(kernels(&metric(&square))) {
            let Ok(mut state) = here.init(&mut plain, &[0.4, -0.3, 0.9]);
            let mut moved = 0;
            for step in 0..200 {
                // From the same point each time, so that roundings do not grow over a chain.
                let Ok(mut mapped) = there.init(&mut other, &times(&factor, &state.position));
                let before = state.clone();
                let Ok(info) = here.step(&mut plain, &mut state, &mut Rng::stream(11, step));
                let Ok(same) = there.step(&mut other, &mut mapped, &mut Rng::stream(11, step));
                moved += u32::from(before != state);
                let back = divided(&factor, &mapped.position);
                let apart = back.iter().zip(&state.position).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(apart < 1e-9, "{apart} apart with {factor:?}");
                assert_eq!((info.depth, info.evaluations), (same.depth, same.evaluations));
                assert!((info.accept_probability - same.accept_probability).abs() < 1e-9);
                assert!((info.energy - same.energy).abs() < 1e-9);
            }
            assert!(moved > 50, "{moved}");
        }
    }
}
