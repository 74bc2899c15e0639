//! Why runs stop, and what they say then.

use std::ops::ControlFlow;

use ppl::Error;
use ppl::infer::svi::Convergence;
use ppl::infer::{RunOptions, Sgd, StopReason, Svi, TraceElbo};
use ppl::prelude64::*;

type Row = Tensor<Rank1<3>>;

/// z ~ N(0, 1) and x ~ N(z, scale) thrice; the scale is a parameter that nothing keeps positive.
#[model]
fn rows_of(x: &Row) {
    let z: Row = sample!("z", Normal::standard());
    let scale: Tensor<()> = param!("scale", Tensor::scalar(1.0));
    sample!("x", Normal::new(z, scale), obs = x);
}

#[guide(rows_of)]
fn point(_x: &Row) {
    let loc: Row = param!("loc", Tensor::zeros());
    sample!("z", Delta::certain(loc));
}

fn svi(rate: f64) -> Svi<rows_of, point, Sgd<f64>, TraceElbo, f64, Cpu> {
    Svi::new(rows_of, point, Sgd::new(rate).rate_for("scale", 0.0), TraceElbo::default())
}

fn data() -> Row {
    Tensor::from([1.0, 2.0, 3.0])
}

#[test]
fn the_budget_is_all_steps() {
    let (x, mut run, mut by_hand) = (data(), svi(0.1), svi(0.1));
    let report = run.run(RunOptions::steps(7), &x).unwrap();
    assert_eq!(report.stop, StopReason::Budget);
    assert_eq!(report.losses, (0..7).map(|_| by_hand.step(&x).unwrap()).collect::<Vec<_>>());
    assert!(run.run(RunOptions::default(), &x).unwrap().losses.is_empty());
    assert_eq!(run.steps(), 7);
}

#[test]
fn a_callback_hears_of_every_step_and_may_end_the_run() {
    let (x, mut svi) = (data(), svi(0.1));
    svi.step(&x).unwrap();
    let (mut batches, mut heard) = (Vec::new(), Vec::new());
    let batch = |number| {
        batches.push(number);
        &x
    };
    let each = |info: ppl::infer::svi::StepInfo| {
        heard.push((info.step, info.loss));
        if info.step == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let report = svi.run_with(RunOptions::steps(10), batch, each).unwrap();
    assert_eq!(report.stop, StopReason::Callback);
    assert_eq!(batches, [0, 1, 2]);
    assert_eq!(heard.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(heard.iter().map(|(_, loss)| *loss).collect::<Vec<_>>(), report.losses);
}

#[test]
fn a_loss_that_settles_has_converged() {
    // The error falls by (1 − 2 · 0.1) a step, its square by 0.64, the loss from 11.8 to 8.3.
    let convergence = Some(Convergence { window: 5, tolerance: 1e-6, confidence: 0.0 });
    let report = svi(0.1).run(RunOptions { steps: 1_000, convergence, ..RunOptions::default() }, &data()).unwrap();
    assert_eq!(report.stop, StopReason::Converged);
    let steps = report.losses.len();
    assert!(steps.is_multiple_of(5) && (30..60).contains(&steps), "{steps}");
    let mean = |w: &[f64]| w.iter().sum::<f64>() / 5.0;
    let fall = |end: usize| 1.0 - mean(&report.losses[end - 5..end]) / mean(&report.losses[end - 10..end - 5]);
    assert!(fall(steps) <= 1e-6 && fall(steps - 5) > 1e-6);
}

#[track_caller]
fn diverged(stop: StopReason) -> Error {
    match stop {
        StopReason::Diverged(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_term_that_is_not_finite_is_named_with_all_about_it() {
    let mut svi = svi(0.1).validate(false);
    let first = svi.run(RunOptions::steps(2), &data()).unwrap();
    let before = svi.params().get::<Row>("loc").unwrap().to_vec();
    let report = svi.run(RunOptions::steps(9), &Tensor::from([1.0, f64::NAN, 3.0])).unwrap();
    let error = diverged(report.stop);
    let Error::NonFinite { site, distribution, element, parameters, step, .. } = &error else { panic!("{error}") };
    assert_eq!((site.as_str(), *distribution, element.as_slice(), *step), ("x", "Normal", &[1][..], Some(3)));
    assert_eq!((first.losses.len(), report.losses.len(), svi.steps()), (2, 0, 2));
    assert!(parameters.contains(&format!("loc = {}", before[1])) && parameters.contains("scale = 1"), "{parameters}");
    let text = error.to_string();
    let words = ["site `x`", "Normal", "NaN", "element [1]", "step 3", parameters];
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    assert_eq!(svi.params().get::<Row>("loc").unwrap().to_vec(), before);
    svi.step(&data()).unwrap();
}

#[guide(rows_of)]
fn spread(_x: &Row) {
    let loc: Row = param!("loc", Tensor::from([0.0, f64::INFINITY, 0.0]));
    sample!("z", Normal::new(loc, 1.0));
}

#[test]
fn the_guides_term_is_named_before_the_models() {
    let mut svi = Svi::new(rows_of, spread, Sgd::new(0.1), TraceElbo::default()).validate(false);
    let error = svi.step(&data()).unwrap_err().to_string();
    let words = ["site `z`", "element [1]", "loc = inf", "step 1"];
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
    let error = svi.validate(true).step(&data()).unwrap_err().to_string();
    let words = ["site `z`", "Normal", "loc = inf", "element [1]", "step 1", "finite"];
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
}

/// Where the scale leaves its domain, on the way down ln scale.
fn scale_falls(validate: bool) -> Error {
    let mut svi = Svi::new(rows_of, point, Sgd::new(0.1), TraceElbo::default()).validate(validate);
    let report = svi.run(RunOptions::steps(100), &Tensor::from([0.0, 0.0, 0.0])).unwrap();
    assert!(!report.losses.is_empty() && report.losses.len() < 100);
    assert!(report.losses.iter().all(|loss| loss.is_finite()));
    let error = diverged(report.stop);
    assert!(error.to_string().contains(&format!("step {}", report.losses.len() + 1)), "{error}");
    error
}

#[test]
fn a_parameter_outside_its_domain_is_named_where_sites_are_checked() {
    let error = scale_falls(true);
    let Error::Parameter { site, distribution, parameter, value, .. } = &error else { panic!("{error}") };
    assert_eq!((site.as_str(), *distribution, *parameter), ("x", "Normal", "scale"));
    assert!(*value <= 0.0 && error.to_string().contains("must be positive"), "{error}");
    let error = scale_falls(false);
    assert!(matches!(&error, Error::NonFinite { site, .. } if site == "x"), "{error}");
}

/// A term whose derivative is infinite at 0.
#[model]
fn rooted() {
    let p: Row = param!("p", Tensor::from([4.0, 0.0, 1.0]));
    factor!("root", p.sqrt().sum_all());
}

#[guide(rooted)]
fn nothing() {}

#[test]
fn a_gradient_that_is_not_finite_is_named_and_its_step_counts() {
    let mut svi = Svi::new(rooted, nothing, Sgd::new(1.0), TraceElbo::default());
    let report = svi.run(RunOptions::steps(5), ()).unwrap();
    let error = diverged(report.stop);
    let Error::NonFiniteGradient { param, element, step, .. } = &error else { panic!("{error}") };
    assert_eq!((param.as_str(), *element, *step), ("p", 1, Some(1)));
    assert_eq!(svi.params().get::<Row>("p").unwrap().to_vec(), [4.25, 0.0, 1.5]);
    assert_eq!((svi.steps(), report.losses.len()), (1, 0));
}

#[test]
fn a_program_that_is_wrong_is_no_divergence() {
    let mut values = ValueMap::new();
    values.put("z", Some(data()));
    let model = rows_of.condition(values);
    let mut svi = Svi::new(model, point, Sgd::new(0.1), TraceElbo::default());
    let error = svi.run(RunOptions::steps(5), &data()).unwrap_err();
    assert!(error.to_string().contains("site `z`"), "{error}");
}

/// Two groups of three numbers, each an event, with a scale that nothing keeps positive.
#[model]
fn groups(x: &Tensor<Rank2<2, 3>>) {
    let z: Tensor<()> = sample!("z", Normal::standard());
    let scale: Tensor<Rank2<2, 3>> = param!("scale", Tensor::full(1.0));
    plate!("groups", 2, |_| {
        sample!("x", Normal::new(z, &scale).to_event::<Axis<1>>(), obs = x);
    });
}

#[guide(groups)]
fn group_point(_x: &Tensor<Rank2<2, 3>>) {
    let loc: Tensor<()> = param!("loc", Tensor::zeros());
    sample!("z", Delta::certain(loc));
}

#[test]
fn the_element_of_an_event_in_a_plate_is_named_and_no_parameter_moves() {
    let data = |bad: f64| Tensor::from([[0.5, 1.0, -1.0], [0.25, 0.75, bad]]);
    let mut svi = Svi::new(groups, group_point, Sgd::new(0.01), TraceElbo::default());
    svi.step(&data(0.5)).unwrap();
    let told = |svi: &Svi<groups, group_point, Sgd<f64>, TraceElbo, f64, Cpu>| {
        let scale = svi.params().get::<Tensor<Rank2<2, 3>>>("scale").unwrap().to_vec();
        (scale, svi.params().get::<Tensor<()>>("loc").unwrap().item(), svi.steps())
    };
    let before = told(&svi);
    for bad in [f64::NAN, f64::INFINITY] {
        let error = svi.step(&data(bad)).unwrap_err().to_string();
        let scale = format!("scale = {}", before.0[5]);
        let words = ["site `x`", "Normal", "element [1, 2]", "step 2", &scale, &format!("value = {bad:?}")];
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert_eq!(told(&svi), before);
    }
    svi.step(&data(0.5)).unwrap();
    assert!(told(&svi) != before);
}
