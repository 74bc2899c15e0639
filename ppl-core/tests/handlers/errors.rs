//! What is wrong is an error that names the thing; the run goes on and returns; the first one wins.

use std::sync::Arc;

use ppl_core::distribution::Distribution;
use ppl_core::distributions::{Exponential, Normal};
use ppl_core::model::{Model, Program};
use ppl_core::plate::{PlateRows, Rows as Indices};
use ppl_core::primitives::{factor, observe, plate, sample};
use ppl_core::site::SiteMask;
use ppl_core::values::ValueMap;
use ppl_core::{Axes2, Axis, Cpu, Tensor};

use super::models::*;

/// z ~ N(0, 1).
fn z(h: Handle<'_>) -> Scalar {
    sample(h, fixed("z"), number(0.0, 1.0))
}

/// Whether the error's text has all the parts.
#[track_caller]
fn assert_says(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

#[test]
fn a_site_sampled_twice() {
    let model = body(|h| {
        z(h);
        z(h);
    });
    assert_says(&error(&model), &["site `z`", "twice"]);
    let (_, trace, _) = run_whole(&model, 0);
    assert_eq!(names(&trace), ["z"]);
}

#[test]
fn values_of_the_wrong_type_or_shape() {
    let model = body(|h| {
        z(h);
    });
    let mut float = ValueMap::new();
    float.put("z", Some(1.0f32));
    let mut long = ValueMap::new();
    long.put("z", Some(Tensor::<_, f64>::from([0.0, 1.0])));
    let errors = |values: &ValueMap| {
        let (a, b, c) = (values.clone(), values.clone(), values.clone());
        [
            ("condition", error(&model.clone().condition(a))),
            ("intervene", error(&model.clone().intervene(b))),
            ("substitute", error(&model.clone().substitute(c))),
        ]
    };
    for (action, error) in errors(&float) {
        assert_says(&error, &["site `z`", action, "f32", "Tensor<()"]);
    }
    for (action, error) in errors(&long) {
        assert_says(&error, &["site `z`", action, "Const<2>", "Tensor<()"]);
    }

    let vector = body(|h| {
        sample(h, fixed("v"), standard((3usize,)));
    });
    let mut short = ValueMap::new();
    short.put("v", Some(Vector::vector(vec![0.0, 1.0])));
    let refused = vector.condition(short);
    assert_says(&error(&refused), &["site `v`", "[2]", "[3]", "condition"]);
    let (_, trace, _) = run_whole(&refused, 0);
    assert!(trace.site("v").unwrap().is_latent() && trace.value::<Vector>("v").unwrap().numel() == 3);
}

#[test]
fn a_refused_condition_leaves_the_data_that_were_there() {
    let model = body(|h| {
        observe(h, fixed("x"), number(0.0, 1.0), Scalar::scalar(1.0));
    });
    let mut wrong = ValueMap::new();
    wrong.put("x", Some(true));
    let (_, trace, error) = run_whole(&model.condition(wrong), 0);
    assert!(error.is_some() && trace.site("x").unwrap().observed);
    assert_eq!(trace.value::<Scalar>("x").unwrap().item(), 1.0);
}

#[test]
fn data_of_the_wrong_shape() {
    let model = body(|h| {
        let data = Vector::vector(vec![0.0; 2]);
        observe(h, fixed("x"), standard((3usize,)), data);
    });
    assert_says(&error(&model), &["site `x`", "obs", "[2]", "[3]"]);
    let (_, trace, _) = run_whole(&model, 0);
    assert!(!trace.site("x").unwrap().observed);
}

#[test]
fn replayed_values_and_plates_that_do_not_fit() {
    let sized = |n: usize| {
        body(move |h| {
            plate(h, fixed("data"), n, PlateRows::All, |h, rows| {
                sample(h, fixed("x"), Normal::filled((rows.len(),), 0.0, 1.0));
            });
        })
    };
    let four = Arc::new(run(&sized(4), 0));
    assert_says(&error(&sized(3).replay(four)), &["plate `data`", "3", "4", "replay"]);
    let other = run(&body(|h| drop(sample(h, fixed("z"), standard((2usize,))))), 0);
    let model = body(|h| {
        z(h);
    });
    assert_says(&error(&model.replay(shared(&other))), &["site `z`", "replay", "usize", "Tensor<()"]);
}

#[test]
fn a_site_that_does_not_fit_its_plates() {
    let model = body(|h| {
        plate(h, fixed("outer"), 2, PlateRows::All, |h, _| {
            plate(h, fixed("inner"), 3, PlateRows::All, |h, _| {
                let shape = (2usize, 4usize);
                sample(h, fixed("x"), standard(shape));
            });
        });
    });
    assert_says(&error(&model), &["site `x` in plate `inner`", "[2, 4]", "axis 1", "3 elements"]);
    // A mask of the plates' elements does not fit such a site either, but it is not what went wrong.
    let mask = SiteMask::Elements(vec![true; 6].into());
    assert_says(&error(&model.mask(mask)), &["site `x` in plate `inner`"]);
}

#[test]
fn rows_that_a_plate_cannot_have() {
    let data = Vector::vector(vec![1.0, 2.0, 3.0]);
    let ask = |ask: PlateRows| {
        let data = data.clone();
        body(move |h| {
            plate(h, fixed("data"), 3, ask.clone(), |h, rows| {
                // Picks data by the rows, which would panic beyond the last one.
                let here: Vector = data.gather(&rows.to_vec());
                sample(h, fixed("x"), Normal::<_, f64, Cpu>::new(here, 1.0));
            });
        })
    };
    assert_says(&error(&ask(PlateRows::given([1, 3]))), &["plate `data`", "row 3", "3 elements"]);
    assert_says(&error(&ask(PlateRows::given([]))), &["plate `data`", "no rows"]);
    assert_says(&error(&ask(PlateRows::Subsample(4))), &["plate `data`", "subsample of 4", "3 elements"]);
    assert_says(&error(&ask(PlateRows::Subsample(0))), &["plate `data`", "subsample of 0"]);
    let fixed = |rows: Vec<usize>| ask(PlateRows::All).subsample("data", Indices::some(rows));
    assert_says(&error(&fixed(vec![0, 7])), &["plate `data`", "row 7"]);
    assert_says(&error(&fixed(vec![])), &["plate `data`", "no rows"]);
}

#[test]
fn scales_and_masks_that_are_none() {
    let model = body(|h| {
        z(h);
    });
    for scale in [-1.0, 0.0, f64::NAN, f64::INFINITY] {
        assert_says(&error(&model.clone().scale(scale)), &["site `z`", "scale", &scale.to_string()]);
    }
    let mask = |n: usize| SiteMask::Elements(vec![true; n].into());
    assert_says(&error(&model.clone().mask(mask(2))), &["site `z`", "mask has 2", "have 1"]);
    assert_says(&error(&model.mask(mask(1)).mask(mask(3))), &["site `z`", "1 and 3"]);
}

#[test]
fn parameters_of_distributions_are_checked() {
    let model = body(|h| {
        let scale = Vector::vector(vec![1.0, -2.0]);
        sample(h, fixed("x"), Normal::<_, f64, Cpu>::new(0.0, scale));
    });
    assert_says(&error(&model), &["site `x`", "Normal", "scale = -2", "[1]", "positive"]);
}

/// The explanation of the first density that is not finite.
#[track_caller]
fn problem<M: Model<(), E = f64, D = Cpu>>(model: &M) -> String {
    run_whole(model, 0).1.problem().expect("a problem").to_string()
}

#[test]
fn the_guilty_element_of_an_event_is_named_with_its_parameters_and_value() {
    let rates = || Exponential::new(Matrix::from_vec(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], (2usize, 3usize)));
    let data = |bad: f64| Matrix::from_vec(vec![0.5, 0.5, 0.5, 0.5, 0.5, bad], (2, 3));
    for bad in [-1.5, f64::NAN] {
        let rows = body(move |h| drop(observe(h, fixed("x"), rates().to_event::<Axis<1>>(), data(bad))));
        let log_prob = if bad.is_nan() { "is NaN at" } else { "is -inf at" };
        let value = format!("value = {bad:?}");
        assert_says(&problem(&rows), &["site `x`", "Exponential", log_prob, "[1, 2]", "rate = 6", &value]);
    }
    let mask = [true, true, false, true, true, true];
    let both = body(move |h| {
        let data = Matrix::from_vec(vec![0.5, 0.5, -1.0, 0.5, -2.0, 0.5], (2, 3));
        observe(h, fixed("x"), rates().mask(mask).to_event::<Axes2<0, 1>>(), data);
    });
    assert_says(&problem(&both), &["element [1, 1]", "rate = 5", "value = -2.0"]);
}

#[test]
fn a_value_far_along_a_vector_is_shown() {
    let long = body(|h| {
        let mut data = vec![1.0; 20];
        data[13] = -0.25;
        observe(h, fixed("x"), Exponential::filled((20usize,), 2.0), Vector::vector(data));
    });
    assert_says(&problem(&long), &["element [13]", "rate = 2", "value = -0.25"]);
}

#[test]
fn finite_terms_whose_sum_is_not_blame_no_element() {
    let model = body(|h| {
        z(h);
    });
    let says = problem(&model.scale(f64::MAX).condition(value("z", 2.0)));
    assert_says(&says, &["site `z`", "log-density of Normal is -inf;", "sum is not"]);
}

#[test]
fn the_first_error_wins_and_the_run_returns() {
    let model = body(|h| {
        plate(h, fixed("p"), 2, PlateRows::Subsample(5), |h, _| {
            z(h);
            z(h);
        });
        factor(h, fixed("last"), Scalar::scalar(1.0));
    });
    assert_says(&error(&model), &["plate `p`", "subsample of 5"]);
    let (_, trace, _) = run_whole(&model, 0);
    assert_eq!(names(&trace), ["z", "last"]);
    let (_, trace, error) = run_whole(&model.scale(-1.0).condition(value("z", 1.0)), 0);
    assert_says(&error.unwrap().to_string(), &["plate `p`"]);
    assert_eq!(names(&trace), ["z", "last"]);
}
