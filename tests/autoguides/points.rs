//! Point estimates against closed forms, and the curvature there.

use ppl::infer::autoguide::{AutoGuide, Family, Named};
use ppl::infer::optim::Schedule;
use ppl::infer::{Adam, AutoDelta, AutoLaplaceApproximation, RunOptions, Svi, TraceElbo};
use ppl::prelude64::*;

/// Counts with a Gamma prior of shape 3 and rate 2 of their rate: the posterior is Gamma(3 + Σ, 2 + n).
#[model]
fn counts(data: &Tensor<(usize,)>) {
    let rate: Tensor<()> = sample!("rate", Gamma::new(3.0, 2.0));
    sample!("x", Exponential::new(rate.expand(data.shape())), obs = data);
}

fn data() -> Tensor<(usize,)> {
    Tensor::vector(vec![0.4, 1.1, 0.2, 0.7])
}

/// The posterior Gamma's shape and rate: an exponential likelihood adds one to the shape for each datum, and the datum
/// to the rate.
const POSTERIOR: (f64, f64) = (7.0, 4.4);

fn fit<F: Family<f64, Cpu> + Named + Clone>(guide: &AutoGuide<counts, F, f64>) -> ParamStore<f64, Cpu> {
    let adam = Adam::new(0.1).schedule(Schedule::Cosine { warmup: 0, steps: 800, floor: 0.0 });
    let mut svi = Svi::new(counts, guide.clone(), adam, TraceElbo::default());
    svi.run(RunOptions::steps(800), &data()).expect("the guide fits");
    svi.into_params()
}

#[test]
fn the_point_estimate_is_the_mode_of_the_values() {
    let guide = AutoDelta::new(counts, &data()).unwrap();
    let params = fit(&guide);
    let rate = guide.median(&params, &data()).unwrap().rate.value.item();
    assert!((rate - (POSTERIOR.0 - 1.0) / POSTERIOR.1).abs() < 1e-6, "{rate}");
}

#[test]
fn laplace_has_the_mode_and_the_curvature_of_the_unconstrained_density() {
    let guide = AutoLaplaceApproximation::new(counts, &data()).unwrap();
    let params = fit(&guide);
    // Of u = ln rate: the density is a u − b eᵘ, with its mode at ln (a / b) and second derivative −a there.
    let gaussian = guide.laplace(&params, &data()).unwrap();
    assert!((gaussian.loc[0] - (POSTERIOR.0 / POSTERIOR.1).ln()).abs() < 1e-6, "{:?}", gaussian.loc);
    assert!((gaussian.covariance[0][0] * POSTERIOR.0 - 1.0).abs() < 1e-6, "{:?}", gaussian.covariance);
}

#[test]
fn where_the_density_does_not_fall_there_is_no_mode() {
    #[model]
    fn saddle() {
        let a: Tensor<()> = sample!("a", Normal::new(0.0, 1.0));
        let b: Tensor<()> = sample!("b", Normal::new(0.0, 1.0));
        factor!("w", &b * &b + &a * 0.0);
    }
    let guide = AutoLaplaceApproximation::new(saddle, ()).unwrap();
    let error = guide.laplace(&ParamStore::<f64, Cpu>::new(0), ()).unwrap_err().to_string();
    assert!(error.contains("site `b`") && error.contains("no mode"), "{error}");
}
