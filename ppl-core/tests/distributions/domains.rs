//! Parameters outside their domain, values outside the support, shapes that do not fit, and shapes
//! known only at run time.

use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{Bernoulli, Categorical, Exponential, Normal, Uniform};
use ppl_core::rng::Rng;
use ppl_core::{Axis, Const, Cpu, Dtype, Tensor};

use crate::families::{Kind, Row, families, family, row, wide};

/// Family, good parameters, then which of them is bad at element 1 and with what value.
type Bad = (&'static str, &'static [f64], usize, f64, &'static str, &'static str);

const BAD: [Bad; 18] = [
    ("Normal", &[0.0, 1.0], 0, f64::NAN, "loc", "a finite real number"),
    ("Normal", &[0.0, 1.0], 0, f64::INFINITY, "loc", "a finite real number"),
    ("Normal", &[0.0, 1.0], 1, 0.0, "scale", "positive and finite"),
    ("Normal", &[0.0, 1.0], 1, -2.0, "scale", "positive and finite"),
    ("LogNormal", &[0.0, 1.0], 0, f64::NEG_INFINITY, "loc", "a finite real number"),
    ("LogNormal", &[0.0, 1.0], 1, f64::NAN, "scale", "positive and finite"),
    ("HalfNormal", &[1.0], 0, -1.0, "scale", "positive and finite"),
    ("HalfCauchy", &[1.0], 0, f64::INFINITY, "scale", "positive and finite"),
    ("Uniform", &[0.0, 1.0], 0, f64::NAN, "low", "a finite real number"),
    ("Uniform", &[0.0, 1.0], 1, f64::INFINITY, "high", "a finite real number"),
    ("Uniform", &[0.0, 1.0], 1, -0.5, "high", "greater than low = 0"),
    ("Exponential", &[1.0], 0, 0.0, "rate", "positive and finite"),
    ("Bernoulli", &[0.5], 0, 1.5, "probs", "in [0, 1]"),
    ("Bernoulli", &[0.5], 0, -0.25, "probs", "in [0, 1]"),
    ("Bernoulli (logits)", &[0.5], 0, f64::NAN, "logits", "a finite real number"),
    ("Categorical", &[0.5, 0.5], 1, -0.5, "probs", "not negative, and finite"),
    ("Categorical", &[0.5, 0.5], 1, f64::NAN, "probs", "not negative, and finite"),
    ("Categorical (logits)", &[0.0, 1.0], 1, f64::INFINITY, "logits", "a number below infinity"),
];

fn bad_parameters_are_named<E: Dtype, D: Backend<E>>() {
    for (name, good, which, bad, parameter, constraint) in BAD {
        let family = family::<E, D>(name);
        let mut columns: Vec<Vec<f64>> = good.iter().map(|&p| vec![p; 3]).collect();
        columns[which][1] = bad;
        let rows: Vec<Row<E, D>> = columns.iter().map(|c| row(c)).collect();
        let error = (family.build)(&rows).check_parameters().expect_err(name);
        let element = if family.kind == Kind::Categories { vec![1, which] } else { vec![1] };
        assert_eq!((error.parameter, error.element, error.constraint.as_str()), (parameter, element, constraint));
        assert!(error.value == bad || (error.value.is_nan() && bad.is_nan()), "{name}: {}", error.value);
    }
}

fn good_parameters_pass_and_are_shown<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        for parameters in family.typical {
            let distribution = family.filled(parameters, 2);
            assert_eq!(distribution.check_parameters(), Ok(()), "{} {parameters:?}", family.name);
            let shown: Vec<f64> = distribution.parameters_at(1).into_iter().map(|(_, value)| value).collect();
            assert_eq!(shown, *parameters, "{}", family.name);
        }
    }
}

fn impossible_values_score_minus_infinity<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        let (name, values) = (family.name, family.beyond);
        let parameters: Vec<Row<E, D>> =
            family.typical[0].iter().map(|&p| row(&vec![p; values.len()]).tracked()).collect();
        let value = row(values).tracked();
        assert_eq!((family.build)(&parameters).outside(&value), Some(0), "{name}");
        let log_prob = (family.build)(&parameters).log_prob(&value);
        assert_eq!(wide(&log_prob), vec![f64::NEG_INFINITY; values.len()], "{name}");
        let (_, grads) = grad(|| (family.build)(&parameters).log_prob(&value).sum_all());
        for leaf in parameters.iter().chain([&value]) {
            assert_eq!(wide(&grads.get(leaf).expect("a leaf")), vec![0.0; values.len()], "{name}");
        }
    }
}

fn a_value_that_is_no_number_scores_nan<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>().into_iter().filter(|f| f.kind != Kind::Categories) {
        let log_prob = family.filled(family.typical[0], 1).log_prob(&row(&[f64::NAN]));
        assert!(log_prob.item().is_nan(), "{}", family.name);
    }
}

both_dtypes! {
    parameters = bad_parameters_are_named;
    typical = good_parameters_pass_and_are_shown;
    beyond = impossible_values_score_minus_infinity;
    nan = a_value_that_is_no_number_scores_nan;
}

fn vector(n: usize) -> Tensor<(usize,), f64> {
    Tensor::full_like(0.5, (n,))
}

#[test]
#[should_panic(expected = "Uniform: low has shape [2] and high has shape [3]; they must be equal")]
fn parameters_of_two_shapes() {
    let _ = Uniform::new(vector(2), vector(3));
}

#[test]
#[should_panic(expected = "Exponential: the parameters are numbers; use `filled(shape, ..)`")]
fn a_number_for_a_batch_with_axes() {
    let _ = Exponential::<(usize,), f64, Cpu>::new(1.0);
}

#[test]
#[should_panic(expected = "Bernoulli: the value's shape is not the distribution's (shapes [1] and [2])")]
fn a_value_is_not_spread_over_the_batch() {
    let _ = Bernoulli::new(vector(2)).log_prob(&vector(1));
}

#[test]
#[should_panic(expected = "Categorical: the value's shape is not the distribution's (shapes [3] and [2])")]
fn categories_of_another_batch() {
    let logits = Tensor::<(usize, usize), f64>::full_like(0.0, (2, 4));
    let _ = Categorical::from_logits(logits).log_prob(&Tensor::full_like(0, (3,)));
}

#[test]
fn a_number_and_a_scalar_tensor_take_the_shape_of_the_other_parameter() {
    let scale = Tensor::<(), f64>::scalar(2.0).tracked();
    let value = Tensor::full_like(1.5, (3,));
    let (sum, grads) = grad(|| Normal::new(vector(3), &scale).log_prob_sum(&value));
    let one = -0.125 - 2.0_f64.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
    assert!((sum.item() - 3.0 * one).abs() < 1e-12);
    assert!((grads.get(&scale).unwrap().item() - 3.0 * (0.25 - 1.0) / 2.0).abs() < 1e-12);
}

#[test]
fn sizes_may_be_known_at_run_time_in_part() {
    let logits = Tensor::<(usize, Const<2>, usize), f64>::from_vec((0..12).map(f64::from).collect(), (2, Const, 3));
    let categorical = Categorical::from_logits(logits);
    let drawn: Tensor<(usize, Const<2>), usize> = categorical.draw(&mut Rng::seed(0));
    assert_eq!(drawn.dims(), [2, 2]);
    assert_eq!(categorical.log_prob(&drawn).shape(), (2, Const));
    let events = categorical.to_event::<Axis<1>>();
    assert_eq!((events.batch_shape(), events.event_dims()), ((2,), vec![2]));
    let filled = Normal::<(usize, Const<2>), f64, Cpu>::filled((3, Const), 1.0, 2.0);
    assert_eq!(filled.mean().unwrap().to_vec(), [1.0; 6]);
}
