//! What steps report, what hostile densities come to, and that warm-up and randomness are as promised.

use std::fmt;

use ppl_core::rng::Rng;
use ppl_infer::LogDensity;
use ppl_infer::mcmc::{
    Adaptation, Hmc, HmcOptions, Kernel, Length, Metric, MetricShape, Metropolis, Nuts, NutsOptions, State, Tunable,
    Warmup, WarmupError, WarmupOptions,
};
use serde_json::Value;

use crate::targets::{NormalChain, Target, funnel, standard_normal};

fn nuts(step_size: f64, dim: usize) -> Nuts<f64> {
    Nuts::new(step_size, Metric::Identity(dim), NutsOptions::default())
}

#[test]
fn every_evaluation_is_counted_and_depth_bounds_them() {
    let mut density = Target::new(5, standard_normal);
    let mut kernel = nuts(0.01, 5);
    let Ok(mut state) = Kernel::<f64, _>::init(&mut kernel, &mut density, &[1.0; 5]);
    let mut counted = u64::from(density.evaluations == 1);
    for step in 0..50 {
        let options = NutsOptions { max_depth: step % 4, ..NutsOptions::default() };
        let mut kernel = Nuts::new(0.01, Metric::Identity(5), options);
        let Ok(info) = kernel.step(&mut density, &mut state, &mut Rng::stream(1, step.into()));
        assert_eq!((info.depth, info.evaluations), (step % 4, (1 << (step % 4)) - 1));
        assert!(info.depth_saturated && info.divergence.is_none());
        counted += u64::from(info.evaluations);
    }
    let Ok(info) = kernel.step(&mut density, &mut state, &mut Rng::stream(1, 99));
    counted += u64::from(info.evaluations);
    assert!(info.depth >= 7 && !info.depth_saturated, "half a turn of a period of 2π is 314 steps: {info:?}");
    assert_eq!(density.evaluations, counted);
    let kinetic = info.energy + state.log_density;
    assert!(kinetic > 0.0 && info.accept_probability > 0.99, "{info:?}");
}

#[test]
fn the_state_is_that_of_its_position() {
    let kernels: [&mut dyn Kernel<f64, Target<fn(&[f64], &mut [f64]) -> f64>>; 3] = [
        &mut nuts(0.5, 2),
        &mut Hmc::new(0.3, Metric::Identity(2), HmcOptions { length: Length::Steps(5), ..HmcOptions::default() }),
        &mut Metropolis::new(1.0, Metric::Identity(2)),
    ];
    for kernel in kernels {
        let mut density = Target::new(2, funnel as fn(&[f64], &mut [f64]) -> f64);
        let Ok(mut state) = kernel.init(&mut density, &[0.3, 0.2]);
        let mut moves = 0;
        for step in 0..200 {
            let before = state.clone();
            let Ok(_) = kernel.step(&mut density, &mut state, &mut Rng::stream(2, step));
            moves += u32::from(before != state);
            assert_eq!(Ok(&state), State::at(&mut density, &state.position).as_ref());
        }
        assert!(moves > 50, "{moves}");
    }
}

#[test]
fn the_same_streams_give_the_same_draws_whatever_was_drawn_before() {
    let mut density = Target::new(2, funnel);
    let Ok(start) = State::at(&mut density, &[0.3, 0.2]);
    let mut kernel = nuts(0.2, 2);
    let mut fresh = start.clone();
    let Ok(info) = kernel.step(&mut density, &mut fresh, &mut Rng::stream(3, 7));
    for step in 0..20 {
        let Ok(_) = kernel.step(&mut density, &mut start.clone(), &mut Rng::stream(3, step));
    }
    let mut again = start.clone();
    let Ok(same) = kernel.step(&mut density, &mut again, &mut Rng::stream(3, 7));
    assert_eq!((fresh, info), (again, same));
}

#[test]
fn a_divergence_says_where() {
    let mut density = Target::new(2, funnel);
    let Ok(start) = State::at(&mut density, &[-8.0, 0.01]);
    for kernel in
        [&mut nuts(2.0, 2) as &mut dyn Kernel<f64, _>, &mut Hmc::new(2.0, Metric::Identity(2), HmcOptions::default())]
    {
        let mut state = start.clone();
        let Ok(info) = kernel.step(&mut density, &mut state, &mut Rng::seed(4));
        let divergence = info.divergence.expect("steps that are far too long");
        assert!(divergence.energy_error.is_nan() || divergence.energy_error > 1000.0);
        assert!(divergence.from != divergence.to && divergence.to.len() == 2);
        assert_eq!(state, start);
        assert_eq!(info.accept_probability, 0.0);
        assert!(!info.depth_saturated);
    }
}

/// A half line with a density that is −∞, NaN or +∞ beyond: no kernel goes there, and nothing hangs.
#[test]
fn kernels_stay_where_the_density_is_finite() {
    for beyond in [f64::NEG_INFINITY, f64::NAN, f64::INFINITY] {
        let mut density = Target::new(1, |x: &[f64], g: &mut [f64]| {
            g[0] = if x[0] > 0.0 { -1.0 } else { f64::NAN };
            if x[0] > 0.0 { -x[0] } else { beyond }
        });
        let kernels: [&mut dyn Kernel<f64, _>; 3] = [
            &mut nuts(0.7, 1),
            &mut Hmc::new(0.7, Metric::Identity(1), HmcOptions::default()),
            &mut Metropolis::new(1.0, Metric::Identity(1)),
        ];
        for kernel in kernels {
            let Ok(mut state) = kernel.init(&mut density, &[1.0]);
            for step in 0..500 {
                let Ok(info) = kernel.step(&mut density, &mut state, &mut Rng::stream(5, step));
                assert!(state.is_finite() && state.position[0] > 0.0);
                assert!((0.0..=1.0).contains(&info.accept_probability));
            }
        }
    }
}

#[test]
fn a_start_that_is_not_finite_is_kept() {
    for value in [f64::NEG_INFINITY, f64::NAN, f64::INFINITY] {
        let mut density = Target::new(1, |_: &[f64], g: &mut [f64]| {
            g[0] = f64::NAN;
            value
        });
        for kernel in [
            &mut nuts(0.7, 1) as &mut dyn Kernel<f64, _>,
            &mut Hmc::new(0.7, Metric::Identity(1), HmcOptions::default()),
        ] {
            let Ok(mut state) = kernel.init(&mut density, &[1.0]);
            assert!(!state.is_finite());
            let Ok(info) = kernel.step(&mut density, &mut state, &mut Rng::seed(6));
            assert_eq!(state.position, [1.0]);
            assert!(info.divergence.is_some());
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct OutOfReach;

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of reach")
    }
}

impl std::error::Error for OutOfReach {}

/// Fails from the given evaluation on.
struct Failing(u32);

impl LogDensity<f64> for Failing {
    type Error = OutOfReach;

    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, OutOfReach> {
        self.0 = self.0.checked_sub(1).ok_or(OutOfReach)?;
        gradient[0] = -position[0];
        Ok(-0.5 * position[0] * position[0])
    }
}

#[test]
fn an_error_of_the_density_leaves_the_state_and_the_kernel_sound() {
    let mut kernel = nuts(0.1, 1);
    let mut state = kernel.init(&mut Failing(1), &[1.0]).expect("one evaluation");
    let before = state.clone();
    for evaluations in 0..8 {
        assert_eq!(kernel.step(&mut Failing(evaluations), &mut state, &mut Rng::seed(7)), Err(OutOfReach));
        assert_eq!(state, before);
    }
    let info = kernel.step(&mut Failing(u32::MAX), &mut state, &mut Rng::seed(7)).expect("a step");
    let mut fresh = before;
    let same = nuts(0.1, 1).step(&mut Failing(u32::MAX), &mut fresh, &mut Rng::seed(7)).expect("a step");
    assert_eq!((state, info), (fresh, same));
    let begun = Warmup::begin(
        &WarmupOptions::default(),
        &mut kernel,
        &mut Failing(0),
        &State::at(&mut Failing(1), &[1.0]).expect("one"),
        &mut Rng::seed(7),
    );
    assert_eq!(begun.err(), Some(WarmupError::Density(OutOfReach)));
}

/// What a warm-up leaves behind: metric and step size, and the mean acceptance with them.
fn warm<F: FnMut(&[f64], &mut [f64]) -> f64>(
    density: &mut Target<F>,
    options: &WarmupOptions,
) -> Result<(Nuts<f64>, f64), WarmupError<std::convert::Infallible>> {
    let dim = density.dim;
    let mut kernel = nuts(1.0, dim);
    let Ok(mut state) = kernel.init(density, &vec![0.5; dim]);
    let mut warmup = Warmup::begin(options, &mut kernel, density, &state, &mut Rng::seed(8))?;
    for step in 0..options.schedule.warmup() {
        assert_eq!((warmup.iteration(), warmup.is_done()), (step, false));
        warmup.step(&mut kernel, density, &mut state, &mut Rng::stream(8, step as u64))?;
    }
    assert!(warmup.is_done());
    let step_size = Tunable::<f64, Target<F>>::step_size(&kernel);
    let mut acceptance = 0.0;
    for step in 0..1000 {
        acceptance +=
            warmup.step(&mut kernel, density, &mut state, &mut Rng::stream(9, step))?.accept_probability / 1e3;
    }
    assert_eq!(Tunable::<f64, Target<F>>::step_size(&kernel), step_size, "a warm-up that is done changes nothing");
    Ok((kernel, acceptance))
}

/// The mean acceptance is NumPyro's for the same target, start and options, within four of the deviations that it has
/// from seed to seed (scripts/reference_warmup.py): each of nine fails by chance with probability 1e-4. It is above what
/// is aimed at in both, since it falls steeply at the greatest stable step. The variances are estimated from 500 draws,
/// whose errors are about 7 % each: six of them.
#[test]
fn a_warmup_comes_to_numpyros_acceptance_and_learns_the_scales() {
    let reference: Value =
        serde_json::from_str(include_str!("../references/warmup.json")).expect("the reference is JSON");
    let target = NormalChain { dim: 4, correlation: 0.3 };
    for shape in [MetricShape::Diagonal, MetricShape::Dense, MetricShape::FisherDiagonal] {
        for run in reference["runs"].as_array().expect("runs") {
            let [target_accept, mean, sd] = ["target", "mean", "sd"].map(|name| run[name].as_f64().expect("a number"));
            let schedule = Adaptation::Stan.schedule(1000);
            let options = WarmupOptions { schedule, target_accept, metric: shape.clone() };
            let mut density = Target::new(4, |x: &[f64], g: &mut [f64]| target.log_density(x, g));
            let (kernel, acceptance) = warm(&mut density, &options).expect("a sound density");
            assert!((acceptance - mean).abs() < 4.0 * sd, "{acceptance}, not {mean}, for {target_accept}");
            knows_the_scales(&kernel, &target, &shape);
        }
    }
}

/// Variances within 1.6 times those of the target.
fn knows_the_scales(kernel: &Nuts<f64>, target: &NormalChain, shape: &MetricShape) {
    let variances = match Tunable::<f64, Target<fn(&[f64], &mut [f64]) -> f64>>::metric(kernel) {
        Metric::Diagonal(metric) => metric.variances().to_vec(),
        Metric::Dense(metric) => (0..4).map(|i| metric.matrix()[5 * i]).collect(),
        other => panic!("{other:?}"),
    };
    for (i, &variance) in variances.iter().enumerate() {
        let ratio = variance / target.covariance(i, i);
        assert!((0.6..1.6).contains(&ratio), "{ratio} at {i} of {shape:?}");
    }
}

/// Overlapping windows average the step size over hundreds of iterations, and come within 0.03 of what is aimed at; over
/// 1000 draws a mean acceptance has a standard error below 0.008. The last window has more than 350 draws.
#[test]
fn overlapping_windows_come_to_the_acceptance_that_they_aim_at_and_learn_the_scales() {
    let target = NormalChain { dim: 4, correlation: 0.3 };
    for shape in [MetricShape::Diagonal, MetricShape::Dense, MetricShape::FisherDiagonal] {
        for target_accept in [0.7, 0.8, 0.9] {
            let schedule = Adaptation::Overlapping.schedule(1000);
            let options = WarmupOptions { schedule, target_accept, metric: shape.clone() };
            let mut density = Target::new(4, |x: &[f64], g: &mut [f64]| target.log_density(x, g));
            let (kernel, acceptance) = warm(&mut density, &options).expect("a sound density");
            assert!((acceptance - target_accept).abs() < 0.03, "{acceptance}, not {target_accept}, for {shape:?}");
            knows_the_scales(&kernel, &target, &shape);
        }
    }
}

#[test]
fn a_warmup_of_no_iterations_finds_a_step_size() {
    for adaptation in [Adaptation::Stan, Adaptation::Overlapping] {
        let options = WarmupOptions { schedule: adaptation.schedule(0), ..WarmupOptions::default() };
        let (kernel, acceptance) = warm(&mut Target::new(3, standard_normal), &options).expect("a sound density");
        let step_size = Tunable::<f64, Target<fn(&[f64], &mut [f64]) -> f64>>::step_size(&kernel);
        assert!((0.25..=4.0).contains(&step_size) && acceptance > 0.3, "{step_size}: {acceptance}");
    }
}

#[test]
fn densities_that_no_step_size_suits_are_errors() {
    let flat = warm(
        &mut Target::new(1, |_: &[f64], g: &mut [f64]| {
            g[0] = 0.0;
            0.0
        }),
        &WarmupOptions::default(),
    );
    assert_eq!(flat.err(), Some(WarmupError::StepSizeTooLarge));
    let mut density = Target::new(1, |x: &[f64], g: &mut [f64]| {
        g[0] = f64::NAN;
        -x[0]
    });
    assert_eq!(warm(&mut density, &WarmupOptions::default()).err(), Some(WarmupError::StepSizeTooSmall));
    let shape = MetricShape::Blocks(vec![(vec![1], MetricShape::Dense)]);
    let options = WarmupOptions { metric: shape, ..WarmupOptions::default() };
    assert!(matches!(warm(&mut Target::new(1, standard_normal), &options), Err(WarmupError::Metric(_))));
}

#[test]
fn nothing_to_sample_is_sampled() {
    let mut density = Target::new(0, |_: &[f64], _: &mut [f64]| 0.0);
    let (mut kernel, _) = warm(&mut density, &WarmupOptions::default()).expect("a sound density");
    let Ok(mut state) = kernel.init(&mut density, &[]);
    let Ok(info) = kernel.step(&mut density, &mut state, &mut Rng::seed(10));
    assert_eq!((info.energy, info.divergence), (0.0, None));
}
