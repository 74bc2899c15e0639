//! Particle filters against the Kalman filter: the evidence, not its logarithm, is unbiased.

use ppl::Error;
use ppl::infer::SmcFilter;
use ppl::infer::monte_carlo::{Filtered, MonteCarloError, Resampling, StateSpace};
use ppl::prelude64::*;

use crate::closed_forms::Scalar;
use crate::estimate::Estimate;
use crate::kalman::{DATA, Kalman, best_init, best_step, init, kalman, step};
use crate::threads::same_on_any;

type Filter<S> = SmcFilter<S, f64, Cpu>;

fn over_seeds<S>(filter: &Filter<S>, seeds: u64) -> Vec<Filtered<Scalar>>
where
    S: StateSpace<Scalar, f64, f64, Cpu> + Clone,
{
    (0..seeds).map(|seed| filter.clone().seed(seed).run(&DATA).expect("particles")).collect()
}

/// The mean of the evidence over 40 seeds, in units of the exact one, is 1 within six standard errors: a false alarm below
/// 6e-7.
#[track_caller]
fn unbiased<S>(what: &str, filter: &Filter<S>, largest_error: f64) -> Estimate
where
    S: StateSpace<Scalar, f64, f64, Cpu> + Clone,
{
    let exact = kalman(&DATA).log_evidence;
    let found = over_seeds(filter, 40);
    let ratios: Vec<f64> = found.iter().map(|filtered| (filtered.log_evidence() - exact).exp()).collect();
    let estimate = Estimate::of(&ratios);
    estimate.agrees(what, 1.0, 0.0, largest_error);
    estimate
}

#[test]
fn evidence_is_unbiased_with_and_without_guides() {
    let bootstrap = SmcFilter::new(init, step).particles(100);
    let guided = bootstrap.clone().with_guides(best_init, best_step);
    let (plain, best) = (unbiased("bootstrap", &bootstrap, 0.08), unbiased("guided", &guided, 0.04));
    assert!(best.sd < 0.8 * plain.sd, "{best:?} {plain:?}");
    // A density of the proposal that counted twice would be off by orders of magnitude.
    unbiased("never resampled", &guided.ess_threshold(0.0), 0.06);
}

#[test]
fn evidence_is_unbiased_by_every_scheme() {
    for scheme in [Resampling::Systematic, Resampling::Stratified, Resampling::Multinomial, Resampling::Residual] {
        let filter = SmcFilter::new(init, step).particles(60).resampling(scheme).ess_threshold(1.1);
        unbiased(&format!("{scheme:?}"), &filter, 0.1);
    }
}

#[test]
fn the_best_guide_at_one_time_is_exact() {
    let found = SmcFilter::new(init, step).with_guides(best_init, best_step).particles(5).run(&DATA[..1]);
    let exact = kalman(&DATA[..1]).log_evidence;
    assert!((found.expect("particles").log_evidence() - exact).abs() < 1e-12);
}

/// Means over 20 seeds within six standard errors (Student's t with 19 degrees of freedom: false alarms below 1e-5 for each
/// of 15) of Kalman's, up to a bias of the order 1 / particles.
#[test]
fn filtered_and_smoothed_means_are_kalmans() {
    let Kalman { filtered, smoothed, log_evidence } = kalman(&DATA);
    let found = over_seeds(&SmcFilter::new(init, step).with_guides(best_init, best_step).particles(200), 20);
    for time in [0, 3, 6, 8, 9] {
        let over = |f: &dyn Fn(&Filtered<Scalar>) -> f64| Estimate::of(&found.iter().map(f).collect::<Vec<_>>());
        let [mean, variance] = filtered[time];
        let now = over(&|found| found.generations()[time].mean(|x| x.item()).mean);
        now.agrees("the filtered mean", mean, 0.01, 0.03);
        let spread = over(&|found| found.generations()[time].mean(|x| (x.item() - mean).powi(2)).mean);
        spread.agrees("the filtered variance", variance, 0.01, 0.03);
        let all = over(&|found| found.smoothed_mean(time, |x| x.item()));
        all.agrees("the smoothed mean", smoothed[time][0], 0.01, 0.05);
    }
    let sum: f64 = found[0].generations().iter().map(|g| g.log_evidence()).sum();
    assert!((sum - found[0].log_evidence()).abs() < 1e-12 && (sum - log_evidence).abs() < 1.0);
}

#[test]
fn trajectories_follow_parents() {
    let found = SmcFilter::new(init, step).particles(50).ess_threshold(0.7).run(&DATA).expect("particles");
    assert!(found.generations().iter().any(|g| g.resampled()) && !found.generations()[0].resampled());
    let numbers = found.ancestry(17);
    assert_eq!(numbers[9], 17);
    for time in 1..10 {
        assert_eq!(found.generations()[time].parents()[numbers[time]], numbers[time - 1]);
    }
    assert!((0..10).all(|time| found.ancestors(time)[17] == numbers[time]));
    let path: Vec<f64> = found.trajectory(17).iter().map(|x| x.item()).collect();
    assert_eq!(path[4], found.generations()[4].states()[numbers[4]].item());
    let survivors: Vec<usize> = (0..10).map(|time| found.survivors(time)).collect();
    assert!(survivors.is_sorted() && survivors[0] < 50 && survivors[9] == 50, "{survivors:?}");
}

/// A state of one's own: a place and how long it has been walked.
#[derive(Clone, Debug)]
struct Walker {
    place: Scalar,
    steps: usize,
}

#[model]
fn stand(_wall: f64) -> Walker {
    let place: Scalar = sample!("place", Normal::standard());
    Walker { place, steps: 0 }
}

#[model]
fn walk(before: &Walker, time: usize, wall: f64) -> Walker {
    let place: Scalar = sample!("place", Normal::new(&before.place, 1.0));
    let inside = if place.item() < wall { 0.0 } else { f64::NEG_INFINITY };
    factor!("wall", Scalar::scalar(inside));
    assert_eq!(before.steps + 1, time);
    Walker { place, steps: time }
}

#[test]
fn states_are_ordinary_structs_and_errors_name_site_and_time() {
    let filter = SmcFilter::new(stand, walk).particles(80);
    let found = filter.run(&[0.0, 2.0, 1.0]).expect("most particles are within the walls");
    assert!(found.generations()[2].states().iter().all(|walker| walker.steps == 2));
    let error = filter.run(&[0.0, 2.0, -1e9, 1.0]).expect_err("nobody is there");
    let MonteCarloError::Impossible { site, count, time, .. } = &error else { panic!("{error}") };
    assert_eq!((site.as_str(), *count, *time), ("wall", 80, Some(2)));
    assert!(error.to_string().contains("in 80 of 80 draws at time 2"), "{error}");
    assert!(matches!(filter.run(&[0.0; 0]), Err(MonteCarloError::Options(_))));
    assert!(matches!(filter.clone().particles(0).run(&[0.0]), Err(MonteCarloError::Options(_))));
}

#[model]
fn broken(before: &Scalar, time: usize, y: f64) -> Scalar {
    let sd = if time == 2 { -1.0 } else { 1.0 };
    let x: Scalar = sample!("x", Normal::new(before, sd));
    sample!("y", Normal::new(&x, 1.0), obs = Scalar::scalar(y));
    x
}

#[test]
fn the_first_error_of_a_run_has_its_time() {
    let error =
        SmcFilter::<_, f64, Cpu>::new(init, broken).particles(10).validate(true).run(&DATA).expect_err("a scale");
    let MonteCarloError::Run { time: Some(2), error: Error::Parameter { site, .. }, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(site, "x");
}

#[test]
fn threads_do_not_change_particles() {
    same_on_any(|| {
        let found = SmcFilter::new(init, step).particles(70).seed(3).run(&DATA).expect("particles");
        let states: Vec<f64> = found.generations()[9].states().iter().map(|x| x.item()).collect();
        (found.log_evidence(), states)
    });
}
