//! What a run watches: noise, other data, files.

use ppl::infer::svi::{Checkpoints, Convergence, EarlyStopping};
use ppl::infer::{Adam, RunOptions, Sgd, StopReason, Svi, TraceElbo};
use ppl::prelude64::*;

type Row = Tensor<Rank1<3>>;

#[model]
fn rows_of(x: &Row) {
    let z: Row = sample!("z", Normal::standard());
    sample!("x", Normal::new(z, 0.5), obs = x);
}

#[guide(rows_of)]
fn normal(_x: &Row) {
    let loc: Row = param!("loc", Tensor::zeros());
    let scale: Row = param!("scale", Tensor::from([1.0, 1.0, 1.0]), constraint = Positive);
    sample!("z", Normal::new(loc, scale));
}

fn data() -> Row {
    Tensor::from([1.0, 2.0, 3.0])
}

fn svi(rate: f64, seed: u64) -> Svi<rows_of, normal, Adam<f64>, TraceElbo, f64, Cpu> {
    Svi::new(rows_of, normal, Adam::new(rate), TraceElbo::default()).seed(seed)
}

/// −ln p(x): each x is normal with variance 1.25, and the loss of the exact posterior.
fn least() -> f64 {
    data().to_vec().iter().map(|x| 0.5 * (x * x / 1.25 + 1.25_f64.ln() + std::f64::consts::TAU.ln())).sum()
}

#[test]
fn a_noisy_loss_stops_late_enough_and_not_too_late() {
    // The loss of a step scatters by a nat or so, the share asked for is a fiftieth of one: a rule without an eye for noise stops at
    // its first or second look. Seeds are fixed; a run that stops while the loss still falls would show in the figure.
    for seed in 0..5 {
        let mut run = svi(0.02, seed);
        let convergence = Some(Convergence::new(50, 0.002));
        let report = run.run(RunOptions { steps: 20_000, convergence, ..RunOptions::default() }, &data()).unwrap();
        assert_eq!(report.stop, StopReason::Converged, "seed {seed}");
        let found = run.estimate(&data(), 2000).unwrap();
        assert!(found.standard_error > 0.0 && found.standard_error < 0.05, "{found:?}");
        assert!(found.mean < least() + 0.05 + 5.0 * found.standard_error, "seed {seed}: {found:?} for {}", least());
        let blind = Some(Convergence { window: 50, tolerance: 0.002, confidence: 0.0 });
        let early =
            svi(0.02, seed).run(RunOptions { steps: 20_000, convergence: blind, ..RunOptions::default() }, &data());
        assert!(early.unwrap().losses.len() < report.losses.len(), "seed {seed}");
    }
}

#[test]
fn an_estimate_is_the_mean_of_evaluations_with_its_error() {
    let (mut one, mut two) = (svi(0.1, 4), svi(0.1, 4));
    let losses: Vec<f64> = (0..3).map(|_| one.evaluate(&data()).unwrap()).collect();
    let found = two.estimate(&data(), 3).unwrap();
    let mean = losses.iter().sum::<f64>() / 3.0;
    let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / 2.0;
    assert!((found.mean - mean).abs() < 1e-12 && (found.standard_error - (variance / 3.0).sqrt()).abs() < 1e-12);
}

#[test]
fn a_run_ends_when_the_loss_on_other_data_rises_and_has_its_best_parameters() {
    // The other data lie on the way to the data: their loss falls, and rises again.
    let other = Tensor::from([0.3, 0.6, 0.9]);
    let mut run = svi(0.02, 1);
    let early = EarlyStopping { every: 5, patience: 2, min_delta: 0.0 };
    let mut seen = Vec::new();
    let squared = |svi: &Svi<rows_of, normal, Adam<f64>, TraceElbo, f64, Cpu>| {
        let loc = svi.params().get::<Row>("loc").unwrap();
        (loc - &other).square().sum_all().item()
    };
    let data = data();
    let report = run
        .run_validated(
            RunOptions::steps(5_000),
            early,
            |_| &data,
            |svi| {
                seen.push(svi.params().get::<Row>("loc").unwrap().to_vec());
                Ok(squared(svi))
            },
        )
        .unwrap();
    assert_eq!(report.stop, StopReason::Validation);
    let (step, loss) = report.best.unwrap();
    let least = report.validation.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert_eq!((step, loss), *least);
    assert_eq!(report.validation.len() as u64 * 5, report.losses.len() as u64);
    assert_eq!(report.validation.last().unwrap().0, step + 3 * 5);
    assert_eq!(run.params().get::<Row>("loc").unwrap().to_vec(), seen[(step / 5 - 1) as usize]);
}

#[test]
fn a_run_saves_itself_and_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let checkpoints = Some(Checkpoints { path: path.clone(), every: 4 });
    let mut straight = svi(0.1, 2);
    // Ten steps are saved after the fourth, the eighth and the last.
    straight.run(RunOptions { steps: 10, checkpoints, ..RunOptions::default() }, &data()).unwrap();
    let mut resumed = svi(0.1, 7);
    resumed.load(&path, &data()).unwrap();
    assert_eq!(resumed.steps(), 10);
    for _ in 0..5 {
        assert_eq!(straight.step(&data()).unwrap(), resumed.step(&data()).unwrap());
    }
}

#[test]
fn a_run_that_ends_early_is_saved_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let options = RunOptions {
        steps: 10,
        checkpoints: Some(Checkpoints { path: path.clone(), every: 100 }),
        ..RunOptions::default()
    };
    let mut run = svi(0.1, 2);
    let data = data();
    let end = |info: ppl::infer::svi::StepInfo| match info.step {
        7 => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    };
    assert_eq!(run.run_with(options, |_| &data, end).unwrap().stop, StopReason::Callback);
    let mut resumed = svi(0.1, 2);
    resumed.load(&path, &data).unwrap();
    assert_eq!(resumed.steps(), 7);
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_the_run_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no such folder").join("run.safetensors");
    let checkpoints = Some(Checkpoints { path, every: 3 });
    let mut run = svi(0.1, 2);
    let report = run.run(RunOptions { steps: 10, checkpoints, ..RunOptions::default() }, &data()).unwrap();
    let StopReason::Unsaved(problem) = &report.stop else { panic!("{:?}", report.stop) };
    assert!(problem.contains("no such folder"), "{problem}");
    assert_eq!((report.losses.len(), run.steps()), (3, 3));
    assert!(run.step(&data()).is_ok());
}

#[test]
fn smoothed_losses_are_means_of_what_there_is() {
    let report = ppl::infer::svi::RunReport {
        stop: StopReason::Budget,
        losses: vec![4.0, 2.0, 6.0, 1.0],
        validation: Vec::new(),
        best: None,
    };
    assert_eq!(report.smoothed(1), report.losses);
    assert_eq!(report.smoothed(3), [4.0, 3.0, 4.0, 3.0]);
    // The learning rate of a plateau hears the losses of a run.
    let plateau = ppl::infer::Schedule::Plateau { factor: 0.5, patience: 3, threshold: 0.1, cooldown: 0, window: 10 };
    let mut run = Svi::new(rows_of, normal, Sgd::<f64>::new(0.05).schedule(plateau), TraceElbo::default());
    run.run(RunOptions::steps(2_000), &data()).unwrap();
    assert!(run.optimizer().scheduled_rate() < 0.05);
}
