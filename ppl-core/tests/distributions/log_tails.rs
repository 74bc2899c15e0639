//! Logarithms of probabilities and their slopes: those of the probabilities where these are numbers, and
//! mpmath's far beyond.

use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::{Cpu, Dtype};
use serde_json::Value;

use crate::families::{Family, Row, Univariate, families, family, row, wide};
use crate::reference::{Scale, cases, difference, number, rows};

/// Made by `scripts/reference_log_tails.py`.
const TABLE: &str = include_str!("../references/log_tails.json");

/// A logarithm of a probability.
type Log<E, D> = fn(&dyn Univariate<E, D>, &Row<E, D>) -> Option<Row<E, D>>;

/// Both.
fn both<E: Dtype, D: Backend<E>>() -> [(&'static str, Log<E, D>); 2] {
    [("log_cdf", |d, x| d.log_cdf(x)), ("log_survival", |d, x| d.log_survival(x))]
}

/// Families without a row in the table of far tails: in another form they have one, or those that they are
/// made of have.
const WITHOUT: [&str; 9] = [
    "ContinuousBernoulli",
    "RelaxedBernoulli",
    "LogitRelaxedBernoulli",
    "Bernoulli",
    "Binomial (logits)",
    "NegativeBinomial (logits)",
    "ZeroInflated (Poisson)",
    "ZeroInflated (negative binomial, logits)",
    "Categorical",
];

/// At all points of the reference tables, a probability that the dtype holds with all its digits has this
/// logarithm; so it is with its complement.
fn logarithms_are_those_of_the_probabilities<E: Dtype, D: Backend<E>>() {
    let smallest = E::min_positive_value().wide() / E::epsilon().wide();
    let mut failures = Vec::new();
    for case in cases().into_iter().filter(|case| case.cdf.is_some()) {
        let family = family::<E, D>(&case.family);
        let (at, points) = (family.filled(&case.parameters, case.points().len()), row(case.points()));
        let survival = wide(&at.survival(&points).expect("there is a cdf"));
        let pairs = [
            ("log_cdf", at.log_cdf(&points), case.cdf.clone().expect("filtered")),
            ("log_survival", at.log_survival(&points), survival),
        ];
        for (what, logs, probabilities) in pairs {
            let logs = wide(&logs.expect("there is a cdf"));
            let held = probabilities.iter().zip(&logs).filter(|(p, _)| **p >= smallest);
            let (expected, found): (Vec<f64>, Vec<f64>) = held.map(|(p, log)| (p.ln(), *log)).unzip();
            let wrong = difference::<E>(&found, &expected, Scale::Logarithm);
            failures.extend(wrong.map(|wrong| format!("{} {:?}: {what}: {wrong}", case.family, case.parameters)));
            let certain = probabilities.iter().zip(&logs).filter(|(p, _)| **p == 1.0);
            assert!(certain.map(|(_, log)| log).all(|log| *log <= 0.0 && *log > -1e-6), "{} {what}", case.family);
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

/// The points and parameters of a row of the table, each as many as there are points.
fn arguments(case: &Value) -> Vec<Vec<f64>> {
    let points = list(&case["points"]);
    let parameters = list(&case["parameters"]).into_iter().map(|p| vec![p; points.len()]);
    std::iter::once(points.clone()).chain(parameters).collect()
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| number(v).expect("a number")).collect()
}

/// The logarithm at rows of a point and parameters, and its slopes along each of them.
fn with_slopes<E: Dtype, D: Backend<E>>(
    family: &Family<E, D>,
    log: Log<E, D>,
    arguments: &[Vec<f64>],
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let leaves: Vec<Row<E, D>> = arguments.iter().map(|a| row(a).tracked()).collect();
    let run = || log(&*(family.build)(&leaves[1..]), &leaves[0]).expect("there is a cdf");
    let (_, grads) = grad(|| run().sum_all());
    (wide(&run()), leaves.iter().map(|leaf| wide(&grads.get(leaf).expect("a leaf"))).collect())
}

fn agrees_far_into_the_tails<E: Dtype, D: Backend<E>>() {
    let mut failures = Vec::new();
    for case in rows(TABLE) {
        let name = case["family"].as_str().expect("a name");
        let (family, arguments) = (family::<E, D>(name), arguments(&case));
        for (what, log) in both::<E, D>() {
            let (found, slopes) = with_slopes(&family, log, &arguments);
            let mut compare = |part: String, found: f64, expected: f64, x: f64| {
                let wrong = difference::<E>(&[found], &[expected], Scale::Relative);
                failures.extend(wrong.map(|wrong| format!("{name} {} at {x}: {part}: {wrong}", case["parameters"])));
            };
            let expected = list(&case[what]);
            for (i, x) in arguments[0].iter().enumerate() {
                compare(what.into(), found[i], expected[i], *x);
                for (which, slope) in slopes.iter().enumerate() {
                    let Some(expected) = number(&case[format!("slopes_of_{what}")][i][which]) else { continue };
                    compare(format!("slope of {what} along {which}"), slope[i], expected, *x);
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_family_with_a_cdf_has_far_tails() {
    let table = rows(TABLE);
    for family in families::<f64, Cpu>() {
        let has = family.filled(family.typical[0], 1).cdf(&row(&[0.0])).is_some() && !WITHOUT.contains(&family.name);
        assert_eq!(has, table.iter().any(|case| case["family"] == family.name), "{}", family.name);
    }
}

both_dtypes! {
    moderate = logarithms_are_those_of_the_probabilities;
    far = agrees_far_into_the_tails;
}
