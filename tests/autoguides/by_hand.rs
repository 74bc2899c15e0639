//! Parts of a guide that are written by hand, beside parts of families.

use ppl::address::Address;
use ppl::handler::Handler;
use ppl::infer::autoguide::{AutoGuideList, Blocks, Full, PerSite};
use ppl::infer::optim::Schedule;
use ppl::infer::pair::Pair;
use ppl::infer::{Adam, AutoCallable, InitStrategy, RunOptions, Svi, TraceElbo};
use ppl::prelude64::*;
use ppl::primitives::{param, param_constrained, sample as draw};
use ppl::rng::Rng;

use crate::blocks::best;
use crate::plane::{Args, Vector, data, exact, fit, plane};

/// A guide of `c` alone.
#[guide(plane, observed(a, b))]
fn of_c(_x: &Tensor<(usize,)>, _w: &Tensor<(usize,)>, _y: &Tensor<(usize,)>) {
    let loc: Tensor<()> = param!("c_loc", Tensor::<()>::scalar(0.3));
    let scale: Tensor<()> = param!("c_scale", Tensor::<()>::scalar(0.1), constraint = Positive);
    sample!("c", Normal::new(loc, scale));
}

/// The same as a function.
fn function_of_c(h: &mut dyn Handler<f64, Cpu>, _: Args<'_>) {
    let loc: Tensor<()> = param(h, Address::fixed("c_loc"), |_| Tensor::scalar(0.3));
    let scale: Tensor<()> = param_constrained(h, Address::fixed("c_scale"), |_| Tensor::scalar(0.1), Positive);
    let _: Tensor<()> = draw(h, Address::fixed("c"), Normal::new(loc, scale));
}

#[test]
fn a_part_written_by_hand_and_one_of_a_family_are_one_guide() {
    let ((x, w, y), exact) = (data(), exact());
    let median = |params: &ParamStore<f64, Cpu>, _: Args<'_>| {
        let mut values = ValueMap::new();
        values.put("c", params.get::<Tensor<()>>("c_loc"));
        values
    };
    let blocks =
        Blocks::new().block(["a", "b"], Full::default()).callable(["c"], AutoCallable::new(of_c).median(median));
    let guide = AutoGuideList::of(plane, blocks, (&x, &w, &y)).unwrap();
    let (params, elbo, error) = fit(guide.clone());
    let (covariance, divergence) = best(&exact);
    assert!((elbo - (exact.log_evidence - divergence)).abs() < 5.0 * error + 0.005, "{elbo} ± {error}");
    let numbers = |name| params.constrained(name).unwrap().to_vec()[0];
    let sd = covariance[2][2].sqrt();
    assert!((numbers("c_loc") - exact.mean[2]).abs() < 0.05 * sd && (numbers("c_scale") / sd - 1.0).abs() < 0.03);
    let found = guide.median(&params, (&x, &w, &y)).unwrap();
    assert_eq!(found.c.value.item(), numbers("c_loc"));
    assert!((found.a.value.item() - exact.mean[0]).abs() < 0.05 * exact.covariance[0][0].sqrt());
    let error = guide.posterior(&params).unwrap_err().to_string();
    assert!(error.contains("`c`") && error.contains("no normal distribution"), "{error}");

    // As a function it is the same, run by run.
    let by_function =
        Blocks::new().block(["a", "b"], Full::default()).callable(["c"], AutoCallable::function(function_of_c));
    let by_function = AutoGuideList::of(plane, by_function, (&x, &w, &y)).unwrap();
    let (mut store, mut other) = (ParamStore::new(1), ParamStore::new(1));
    for seed in 0..3 {
        let one = Pair::draw(&plane, &guide, (&x, &w, &y), &mut store, Rng::seed(seed), true).unwrap();
        let two = Pair::draw(&plane, &by_function, (&x, &w, &y), &mut other, Rng::seed(seed), true).unwrap();
        let log_densities = |pair: &Pair<f64, Cpu>| [&pair.model, &pair.guide].map(|trace| trace.log_prob_sum().item());
        assert_eq!(log_densities(&one), log_densities(&two));
    }
    let error = by_function.median(&other, (&x, &w, &y)).unwrap_err().to_string();
    assert!(error.contains("`c`") && error.contains("no median"), "{error}");
}

#[test]
fn a_part_written_by_hand_samples_the_sites_of_its_block() {
    let (x, w, y) = data();
    let run = |names: &[&str]| {
        let part = AutoCallable::new(of_c);
        let blocks = Blocks::new().callable(names.to_vec(), part).rest(PerSite::default());
        let guide = AutoGuideList::of(plane, blocks, (&x, &w, &y)).unwrap();
        Pair::draw(&plane, &guide, (&x, &w, &y), &mut ParamStore::new(0), Rng::seed(0), true).map(|_| ())
    };
    assert_eq!(run(&["c"]), Ok(()));
    let error = run(&["b"]).unwrap_err().to_string();
    assert!(error.contains("`c`") && error.contains("[\"b\"]"), "{error}");
    let error = run(&["b", "c"]).unwrap_err().to_string();
    assert!(error.contains("`b`") && error.contains("written by hand did not"), "{error}");
}

#[test]
fn initial_values_may_be_those_of_any_block() {
    let (x, w, y) = data();
    let beginning = |site: &str| {
        let mut values = ValueMap::new();
        values.put(site, Some(Tensor::<()>::scalar(0.7)));
        let blocks = Blocks::new().callable(["c"], AutoCallable::new(of_c)).rest(PerSite::default());
        AutoGuideList::beginning(plane, blocks, (&x, &w, &y), &InitStrategy::Values(values), 0)
    };
    let guide = beginning("b").unwrap();
    let mut store = ParamStore::new(0);
    Pair::draw(&plane, &guide, (&x, &w, &y), &mut store, Rng::seed(0), true).unwrap();
    assert_eq!(store.constrained("block_rest/auto_loc.b").unwrap().to_vec(), [0.7]);
    assert!(beginning("c").is_ok());
    let error = beginning("d").unwrap_err().to_string();
    assert!(error.contains("`d`") && error.contains("`a`, `b`"), "{error}");
}

/// Each of six rows has a number of its own, seen with noise, around a common level; a run may have a batch of them.
#[model]
fn local(batch: &[usize], y: &Vector) {
    let level: Tensor<()> = sample!("level", Normal::new(0.0, 1.0));
    plate!("rows", 6, rows = batch, |rows| {
        let z: Vector = sample!("z", Normal::new(level.spread((rows.len(),)), 1.0));
        sample!("y", Normal::new(z, 1.0), obs = y.gather::<(usize,)>(&rows.to_vec()));
    });
}

/// A guide of the rows' numbers by their data.
#[guide(local, observed(level))]
fn amortised(batch: &[usize], y: &Vector) {
    let slope: Tensor<()> = param!("slope", Tensor::<()>::scalar(0.1));
    let shift: Tensor<()> = param!("shift", Tensor::<()>::scalar(0.0));
    let scale: Tensor<()> = param!("scale", Tensor::<()>::scalar(0.3), constraint = Positive);
    plate!("rows", 6, rows = batch, |rows| {
        let mean = y.gather::<(usize,)>(&rows.to_vec()) * slope + shift;
        sample!("z", Normal::new(mean, scale.spread((rows.len(),))));
    });
}

#[test]
fn a_part_written_by_hand_may_see_a_batch_of_a_plate() {
    let y = Tensor::vector(vec![0.3, 1.2, -0.5, 2.0, 0.9, 1.7]);
    let all: Vec<usize> = (0..6).collect();
    let blocks = Blocks::new().callable(["z"], AutoCallable::new(amortised)).rest(PerSite::default());
    let guide = AutoGuideList::of(local, blocks, (&all[..2], &y)).unwrap();
    let adam = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: 800, floor: 1e-3 });
    let mut svi = Svi::new(local, guide, adam, TraceElbo::with_particles(16)).seed(1);
    svi.run(RunOptions::steps(800), (&all[..], &y)).unwrap();
    // The best of independent blocks: each number has mean (m + y) / 2 and variance 1/2, the level mean m = Σ y / 8, as in
    // the posterior, and precision 1 + 6.
    let found = |name: &str| svi.params().constrained(name).unwrap().to_vec()[0];
    let m = 5.6 / 8.0;
    assert!((found("slope") - 0.5).abs() < 0.05 && (found("shift") - 0.5 * m).abs() < 0.05);
    assert!((found("scale") - 0.5_f64.sqrt()).abs() < 0.03);
    assert!((found("block_rest/auto_loc.level") - m).abs() < 0.03);
    assert!((found("block_rest/auto_scale.level") - 7.0_f64.sqrt().recip()).abs() < 0.02);
    // A batch's bound is unbiased: that of both halves is on average that of all rows. Five standard errors: a false
    // alarm in two million runs, were the seed not fixed.
    let mut loss = |rows: &[usize]| svi.estimate((rows, &y), 1000).unwrap();
    let (whole, halves) = (loss(&all), [loss(&all[..3]), loss(&all[3..])]);
    let mean = 0.5 * (halves[0].mean + halves[1].mean);
    let error =
        halves.iter().map(|half| 0.25 * half.standard_error.powi(2)).sum::<f64>() + whole.standard_error.powi(2);
    assert!((mean - whole.mean).abs() < 5.0 * error.sqrt(), "{mean} for {whole:?}");
    assert!((halves[0].mean - whole.mean).abs() > 10.0 * error.sqrt(), "the halves differ");
}
