//! Runs: the same numbers for any number of threads and across a checkpoint, reasons to stop, and
//! evaluations that change nothing.

#[path = "svi/coin.rs"]
mod coin;
#[path = "svi/control.rs"]
mod control;
#[path = "svi/network.rs"]
mod network;
#[path = "svi/stops.rs"]
mod stops;

use network::{narrow, wide};
use ppl::infer::optim::AdamRule;
use ppl::infer::{Adam, ClippedAdam, Sgd, Svi, TraceElbo};

macro_rules! svi {
    ($dtype:ident, $optimizer:expr) => {
        Svi::new($dtype::network, $dtype::network_guide, $optimizer, TraceElbo::with_particles(2)).seed(9)
    };
}

/// Losses and parameters after some steps with that many threads.
macro_rules! with_threads {
    ($dtype:ident, $threads:expr) => {{
        let pool = rayon::ThreadPoolBuilder::new().num_threads($threads).build().unwrap();
        pool.install(|| {
            let (x, mut svi) = ($dtype::images(), svi!($dtype, Adam::new(0.01)));
            let losses: Vec<u64> = (0..4).map(|_| svi.step(&x).unwrap().to_bits()).collect();
            (losses, svi.evaluate(&x).unwrap().to_bits(), $dtype::values(svi.params()))
        })
    }};
}

#[test]
fn one_and_two_threads_give_the_same_numbers() {
    assert!(with_threads!(narrow, 1) == with_threads!(narrow, 2));
    assert!(with_threads!(wide, 1) == with_threads!(wide, 2));
}

#[test]
fn the_seed_decides() {
    let x = narrow::images();
    let first = |seed| svi!(narrow, Adam::new(0.01)).seed(seed).step(&x).unwrap();
    assert_eq!(first(9).to_bits(), first(9).to_bits());
    assert_ne!(first(9).to_bits(), first(10).to_bits());
}

/// A run that is saved, loaded into one of another seed and past, and gone on with.
macro_rules! resumes {
    ($dtype:ident, $optimizer:expr) => {{
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.safetensors");
        let x = $dtype::images();
        let mut unbroken = svi!($dtype, $optimizer);
        for _ in 0..3 {
            unbroken.step(&x).unwrap();
        }
        unbroken.evaluate(&x).unwrap();
        unbroken.save(&path).unwrap();

        let mut resumed = svi!($dtype, $optimizer).seed(77);
        resumed.step(&x).unwrap();
        resumed.load(&path, &x).unwrap();
        assert_eq!(resumed.steps(), 3);
        assert!($dtype::values(resumed.params()) == $dtype::values(unbroken.params()));
        for _ in 0..3 {
            assert_eq!(resumed.evaluate(&x).unwrap().to_bits(), unbroken.evaluate(&x).unwrap().to_bits());
            assert_eq!(resumed.step(&x).unwrap().to_bits(), unbroken.step(&x).unwrap().to_bits());
        }
        assert!($dtype::values(resumed.params()) == $dtype::values(unbroken.params()));
        assert!(resumed.optimizer().clone().state_eq(unbroken.optimizer()));
    }};
}

/// Whether two optimisers remember the same.
trait StateEq {
    fn state_eq(&self, other: &Self) -> bool;
}

impl<R: ppl::infer::optim::Rule, E: ppl::Dtype> StateEq for ppl::infer::optim::Optim<R, E>
where
    ppl::Cpu: ppl::backend::Backend<E>,
{
    fn state_eq(&self, other: &Self) -> bool {
        use ppl::infer::Optimizer;
        Optimizer::<E, ppl::Cpu>::state(self) == Optimizer::<E, ppl::Cpu>::state(other)
    }
}

#[test]
fn a_resumed_run_is_the_unbroken_one_in_f32() {
    resumes!(narrow, Adam::new(0.01));
    resumes!(narrow, Sgd::with_momentum(1e-5, 0.9));
}

#[test]
fn a_resumed_run_is_the_unbroken_one_in_f64() {
    resumes!(wide, Adam::with_rule(AdamRule { weight_decay: 0.1, ..AdamRule::default() }, 0.01));
    resumes!(wide, ClippedAdam::new(0.01));
    resumes!(wide, Sgd::new(1e-5));
}

#[test]
fn evaluations_change_nothing() {
    let x = wide::images();
    let (mut busy, mut quiet) = (svi!(wide, Adam::new(0.01)), svi!(wide, Adam::new(0.01)));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend([busy.evaluate(&x).unwrap(), busy.evaluate(&x).unwrap()]);
        assert_eq!(busy.step(&x).unwrap().to_bits(), quiet.step(&x).unwrap().to_bits());
        assert!(wide::values(busy.params()) == wide::values(quiet.params()));
    }
    let before = wide::values(busy.params());
    busy.evaluate(&x).unwrap();
    assert!(wide::values(busy.params()) == before);
    // Each draws numbers of its own.
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

#[test]
fn parameters_of_one_run_start_another() {
    let x = wide::images();
    let mut first = svi!(wide, Adam::new(0.01));
    first.step(&x).unwrap();
    let trained = wide::values(first.params());
    let mut second = svi!(wide, Adam::new(0.01)).with_params(first.into_params());
    assert!(wide::values(second.params()) == trained);
    second.step(&x).unwrap();
    assert!(wide::values(second.params()) != trained);
}
