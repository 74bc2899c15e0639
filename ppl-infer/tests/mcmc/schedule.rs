//! What a warm-up tells a kernel, and when: a kernel that follows a script records it.

use std::convert::Infallible;

use ppl_core::rng::Rng;
use ppl_infer::LogDensity;
use ppl_infer::mcmc::{
    DualAveraging, Info, Kernel, Metric, MetricShape, OverlappingWindows, Schedule, State, StepSizeSearch, Tunable,
    Warmup, WarmupOptions, Windows,
};

use crate::targets::{Target, standard_normal};

/// Its position is the number of the iteration; it finds the step size ½, and accepts with a probability that changes.
struct Scripted {
    metric: Metric<f64>,
    step_size: f64,
    iteration: usize,
    /// The variances it was given, with the iteration that they came after.
    given: Vec<(usize, f64)>,
    /// The step size of each iteration.
    stepped: Vec<f64>,
}

fn acceptance(iteration: usize) -> f64 {
    [0.3, 0.9, 1.0, 0.7][iteration % 4]
}

fn symmetric(iteration: usize) -> f64 {
    [0.5, 0.8, 0.95][iteration % 3]
}

impl<D: LogDensity<f64, Error = Infallible>> Kernel<f64, D> for Scripted {
    fn step(&mut self, _: &mut D, state: &mut State<f64>, _: &mut Rng) -> Result<Info<f64>, Infallible> {
        state.position[0] = self.iteration as f64;
        self.stepped.push(self.step_size);
        self.iteration += 1;
        Ok(Info {
            accept_probability: acceptance(self.iteration - 1),
            symmetric_acceptance: symmetric(self.iteration - 1),
            energy: 0.0,
            divergence: None,
            depth: 0,
            depth_saturated: false,
            evaluations: 0,
        })
    }
}

impl<D: LogDensity<f64, Error = Infallible>> Tunable<f64, D> for Scripted {
    fn step_size(&self) -> f64 {
        self.step_size
    }

    fn set_step_size(&mut self, step_size: f64) {
        self.step_size = step_size;
    }

    fn metric(&self) -> &Metric<f64> {
        &self.metric
    }

    fn set_metric(&mut self, metric: Metric<f64>) {
        match &metric {
            Metric::Diagonal(metric) => self.given.push((self.iteration, metric.variances()[0])),
            Metric::Dense(metric) => self.given.push((self.iteration, metric.matrix()[0])),
            other => panic!("{other:?}"),
        }
        self.metric = metric;
    }

    fn search_step_size(&mut self, _: &mut D, _: &State<f64>, _: &mut Rng) -> Result<StepSizeSearch, Infallible> {
        Ok(StepSizeSearch::Found(0.5))
    }
}

/// A scripted kernel after its warm-up.
fn warmed(schedule: Schedule, metric: MetricShape) -> Scripted {
    let options = WarmupOptions { schedule, metric, ..WarmupOptions::default() };
    let mut density = Target::new(1, standard_normal);
    let Ok(mut state) = State::at(&mut density, &[0.0_f64]);
    let mut kernel =
        Scripted { metric: Metric::Identity(1), step_size: 9.0, iteration: 0, given: Vec::new(), stepped: Vec::new() };
    let mut rng = Rng::seed(12);
    let mut warmup = Warmup::begin(&options, &mut kernel, &mut density, &state, &mut rng).expect("a step size");
    while !warmup.is_done() {
        warmup.step(&mut kernel, &mut density, &mut state, &mut rng).expect("a step");
    }
    kernel
}

/// n consecutive integers have the variance n(n + 1)/12, shrunk to n/(n + 5) of it and 10⁻³·5/(n + 5).
fn learned(n: usize) -> f64 {
    let n = n as f64;
    n / (n + 5.0) * n * (n + 1.0) / 12.0 + 1e-3 * 5.0 / (n + 5.0)
}

#[track_caller]
fn was_given(kernel: &Scripted, expected: &[(usize, f64)]) {
    assert_eq!(kernel.given.len(), expected.len(), "{:?}", kernel.given);
    for (&(at, variance), &(after, expected)) in kernel.given.iter().zip(expected) {
        assert_eq!(at, after);
        assert!((variance / expected - 1.0).abs() < 1e-12, "{variance}, not {expected}, after {after}");
    }
}

/// The step sizes are those of averages of an acceptance that begin anew after some iterations.
#[track_caller]
fn averaged(kernel: &Scripted, acceptance: fn(usize) -> f64, anew: &[usize]) {
    let mut averaging = DualAveraging::new(0.5, 0.8);
    for (iteration, &step_size) in kernel.stepped.iter().enumerate() {
        assert_eq!(step_size, averaging.step_size(), "in iteration {iteration}");
        averaging.learn(acceptance(iteration));
        if anew.contains(&iteration) {
            averaging = DualAveraging::new(0.5, 0.8);
        }
    }
    assert_eq!(kernel.step_size, averaging.final_step_size());
    assert_ne!(kernel.step_size, averaging.step_size());
}

#[test]
fn each_of_stans_windows_has_its_own_draws_and_begins_the_step_size_anew() {
    let kernel = warmed(Schedule::Stan(Windows::of(300)), MetricShape::Diagonal);
    was_given(&kernel, &[(0, 1.0), (100, learned(25)), (150, learned(50)), (250, learned(100))]);
    averaged(&kernel, acceptance, &[99, 149, 249]);
}

/// Windows change after every ten draws up to 300, then after 80 and 120 more: an estimate is of the draws since the last change
/// but one. The step size begins anew with the first metric.
#[test]
fn overlapping_windows_give_a_metric_after_every_draw() {
    let kernel = warmed(Schedule::Overlapping(OverlappingWindows::of(1000)), MetricShape::Diagonal);
    let mut expected = vec![(0, 1.0)];
    for after in 3..=850 {
        let begin = match after {
            ..=19 => 0,
            20..=300 => 10 * (after / 10 - 1),
            301..=379 => 290,
            380..=499 => 300,
            _ => 380,
        };
        expected.push((after, learned(after - begin)));
    }
    was_given(&kernel, &expected);
    averaged(&kernel, symmetric, &[2]);
}

/// Windows of 80 draws change after 80, 160, 240 and 320 draws, and one of 120 after 440. One of 180 would end at 620, but has
/// not 270 more behind it before 850; so the last estimate is of all draws since 320.
#[test]
fn a_matrix_is_estimated_where_windows_change_and_at_last() {
    let kernel = warmed(Schedule::Overlapping(OverlappingWindows::of(1000)), MetricShape::Dense);
    let expected = [(80, 80), (160, 80), (240, 80), (320, 80), (440, 120), (850, 530)];
    let learned = expected.map(|(after, draws)| (after, learned(draws)));
    was_given(&kernel, &[&[(0, 1.0)], &learned[..]].concat());
    averaged(&kernel, symmetric, &[79]);
}
