//! The six reference models' log-densities and gradients against NumPyro's, in both dtypes.

use ppl::backend::Backend;
use ppl::infer::{LogDensity, ModelDensity};
use ppl::model::Model;
use ppl::{Cpu, Dtype};
use serde_json::Value;

use crate::models::{NAMES, Task, with};

/// Log-density, and of the gradient the sum, the sum of squares and the first numbers, by
/// `scripts/reference_nuts_models.py`.
fn reference(name: &str, case: usize) -> Value {
    let all: Value = serde_json::from_str(include_str!("../models/densities.json")).expect("the reference is JSON");
    all["models"][name][case].clone()
}

/// Compares a model's density with the reference.
struct Compare<'a> {
    name: &'a str,
    tolerance: f64,
}

impl<E: Dtype> Task<E> for Compare<'_>
where
    Cpu: Backend<E>,
{
    type Output = ();

    fn run<M: Model<A, E = E, D = Cpu>, A: Clone>(self, mut density: ModelDensity<M, A, E, Cpu>) {
        for case in 0..3 {
            let dim = density.dim();
            let position: Vec<E> = (0..dim).map(|i| E::of(0.7 * (1.3 * i as f64 + case as f64).sin())).collect();
            let mut gradient = vec![E::of(0.0); dim];
            let value = density.evaluate(&position, &mut gradient).unwrap();
            assert_eq!(density.log_density(&position).unwrap(), value);

            let expected = reference(self.name, case);
            let gradient: Vec<f64> = gradient.iter().map(|g| g.wide()).collect();
            let size: f64 = gradient.iter().map(|g| g.abs()).sum();
            let close = |what: &str, found: f64, expected: &Value, scale: f64| {
                let expected = expected.as_f64().expect("a number");
                let error = (found - expected).abs() / (1.0 + scale);
                assert!(error < self.tolerance, "{} {case}, {what}: {found} and {expected}", self.name);
            };
            close("log-density", value, &expected["log_density"], value.abs());
            close("sum of the gradient", gradient.iter().sum(), &expected["sum"], size);
            let squares = gradient.iter().map(|g| g * g).sum::<f64>();
            close("squares of the gradient", squares, &expected["squares"], squares);
            let first = expected["first"].as_array().expect("numbers");
            gradient.iter().zip(first).for_each(|(&found, expected)| close("gradient", found, expected, size));
        }
    }
}

#[test]
fn the_reference_models_have_numpyros_densities_and_gradients() {
    for name in NAMES {
        with::<f64, _>(name, Compare { name, tolerance: 1e-12 });
    }
}

/// Ten thousand terms of single digits of which each is rounded: 2e-6 of the whole.
#[test]
fn in_single_numbers_they_have_them_to_five_digits() {
    for name in NAMES {
        with::<f32, _>(name, Compare { name, tolerance: 1e-5 });
    }
}
