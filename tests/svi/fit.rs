//! Guides that do not fit their model in a run: the first site that shows it is named, with what to
//! do.

use ppl::address::Address;
use ppl::handler::Handler;
use ppl::handlers::Effect;
use ppl::infer::{Sgd, Svi, TraceElbo};
use ppl::prelude64::*;
use ppl::primitives::factor;

use crate::chain::{Scalar, chain, chain_guide};

macro_rules! error_of {
    ($model:expr, $guide:expr, $args:expr) => {{
        let mut svi = Svi::new($model, $guide, Sgd::new(0.1), TraceElbo::default());
        let error = svi.step($args).unwrap_err().to_string();
        assert_eq!(error, svi.evaluate($args).unwrap_err().to_string());
        assert_eq!(svi.steps(), 0);
        error
    }};
}

#[track_caller]
fn assert_says(error: &str, words: &[&str]) {
    assert!(words.iter().all(|word| error.contains(word)), "{error:?} lacks one of {words:?}");
}

#[model]
fn family(model: usize, _guide: usize) {
    for i in 0..model {
        sample!("z_{i}": Scalar, Normal::new(0.0, 1.0));
    }
}

#[guide(family)]
fn family_guide(_model: usize, guide: usize) {
    for i in 0..guide {
        sample!("z_{i}": Scalar, Normal::new(0.0, 1.0));
    }
}

#[test]
fn a_latent_site_that_the_guide_leaves_out() {
    let error = error_of!(family, family_guide, (3, 2));
    assert_says(
        &error,
        &["site `z_2`", "the model `family` samples it", "the guide `family_guide` did not in this run"],
    );
}

#[test]
fn a_site_that_the_model_leaves_out() {
    let error = error_of!(family, family_guide, (2, 3));
    assert_says(
        &error,
        &["site `z_2`", "the guide `family_guide` samples it", "the model `family` did not", "auxiliary"],
    );
}

fn z() -> ppl::values::ValueMap {
    let mut values = ppl::values::ValueMap::new();
    values.put("z", Some(Scalar::scalar(0.5)));
    values
}

#[test]
fn a_site_that_the_model_observes() {
    let error = error_of!(chain.condition(z()), chain_guide, &Scalar::scalar(1.0));
    assert_says(&error, &["site `z`", "the guide `chain_guide` samples it", "the model `chain` observes it"]);
}

#[test]
fn a_site_that_the_model_sets() {
    let error = error_of!(chain.intervene(z()), chain_guide, &Scalar::scalar(1.0));
    assert_says(&error, &["site `z`", "the guide `chain_guide` samples it", "the model `chain` sets it"]);
}

#[test]
fn a_site_that_the_guide_observes() {
    let error = error_of!(chain, chain_guide.condition(z()), &Scalar::scalar(1.0));
    assert_says(&error, &["site `z`", "the guide `chain_guide` observes it", "observe it in the model"]);
}

/// A factor around a program, which `factor!` in a guide would not let through.
#[derive(Clone)]
struct Weigh;

impl Effect<f64, Cpu> for Weigh {
    fn around(&self, inner: &mut dyn Handler<f64, Cpu>, body: &mut dyn FnMut(&mut dyn Handler<f64, Cpu>)) {
        factor(&mut *inner, Address::fixed("weight"), Scalar::scalar(1.0));
        body(inner);
    }
}

#[test]
fn a_factor_in_the_guide() {
    let error = error_of!(chain, chain_guide.with(Weigh), &Scalar::scalar(1.0));
    assert_says(&error, &["site `weight`", "the guide `chain_guide` weighs it", "factors belong into the model"]);
}

type Row = Tensor<(usize,)>;

#[model]
fn plated(_size: usize, _rows: &[usize]) {
    plate!("data", 6, subsample = 2, |rows| {
        sample!("z": Row, Normal::filled((rows.len(),), 0.0, 1.0));
    });
}

#[guide(plated)]
fn outside(_size: usize, _rows: &[usize]) {
    sample!("z": Row, Normal::filled((2,), 0.0, 1.0));
}

#[guide(plated)]
fn other_size(size: usize, _rows: &[usize]) {
    plate!("data", size, subsample = 2, |rows| {
        sample!("z": Row, Normal::filled((rows.len(),), 0.0, 1.0));
    });
}

#[guide(plated)]
fn other_length(_size: usize, _rows: &[usize]) {
    sample!("z": Row, Normal::filled((3,), 0.0, 1.0));
}

#[test]
fn plates_that_scale_differently() {
    let error = error_of!(plated, outside, (6, &[][..]));
    assert_says(
        &error,
        &["site `z`", "scale by 3 in the model `plated`", "by 1 in the guide `outside`", "same plates"],
    );
}

#[test]
fn plates_of_different_sizes() {
    let error = error_of!(plated, other_size, (5, &[][..]));
    assert_says(&error, &["plate `data`", "6 elements here and 5 in the trace"]);
    let mut svi = Svi::new(plated, other_size, Sgd::new(0.1), TraceElbo::default());
    assert!(svi.step((6, &[][..])).is_ok());
}

#[test]
fn values_of_another_shape() {
    let error = error_of!(plated, other_length, (6, &[][..]));
    assert_says(&error, &["site `z`", "[3]", "[2]", "replay"]);
}

#[model]
fn given(_size: usize, _rows: &[usize]) {
    plate!("data", 6, rows = [1, 2], |rows| {
        sample!("z": Row, Normal::filled((rows.len(),), 0.0, 1.0));
    });
}

#[guide(given)]
fn given_guide(_size: usize, rows: &[usize]) {
    plate!("data", 6, rows = rows, |rows| {
        sample!("z": Row, Normal::filled((rows.len(),), 0.0, 1.0));
    });
}

#[test]
fn plates_with_other_rows() {
    let error = error_of!(given, given_guide, (6, &[2, 1][..]));
    assert_says(&error, &["plate `data`", "its rows are given", "not those of the trace"]);
    let mut svi = Svi::new(given, given_guide, Sgd::new(0.1), TraceElbo::default());
    assert!(svi.step((6, &[1, 2][..])).is_ok());
}
