//! The same model with other arguments, sites that are drawn anew, and interventions.

use ppl::infer::Predictive;
use ppl::infer::draws::Role;
use ppl::prelude64::*;

use crate::by_hand::draws;

type Scalar = Tensor<()>;
type Groups = Tensor<(usize,)>;

#[model]
fn groups(n: usize, y: Option<&Groups>) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 10.0));
    plate!("groups", n, |_| {
        let theta: Groups = sample!("theta", Normal::new(mu.spread((n,)), 1e-3));
        sample!("y", Normal::new(theta, 1e-3), obs = y);
    });
}

fn posterior() -> ppl::infer::Draws {
    let row = |mu: f64| vec![mu, 100.0, 200.0, 300.0];
    draws(&[("mu", &[]), ("theta", &[3])], &[(0..40).map(|i| row(f64::from(i))).collect()])
}

/// Whether all numbers of a row are near what they should be: within 6 of at most 1.5e-3, 2e-9 for each.
fn near(found: &[f64], expected: impl IntoIterator<Item = f64>) -> bool {
    found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 9e-3)
}

#[test]
fn data_that_are_not_given_are_new_sites() {
    let draws = posterior();
    let predictive = Predictive::posterior(groups, (3, None), &draws);
    let error = predictive.collect().unwrap_err().to_string();
    assert!(error.starts_with("draw 0 of chain 0: site `y`") && error.contains("allow_new_sites"), "{error}");
    let allowed = predictive.clone().allow_new_sites().collect().unwrap();
    let named = predictive.redraw(["y"]).collect().unwrap();
    let data = Groups::vector(vec![0.0; 3]);
    let given = Predictive::posterior(groups, (3, Some(&data)), &draws).collect().unwrap();
    assert_eq!((allowed.chains(), named.chains()), (given.chains(), given.chains()));
    assert_eq!((allowed.variables()[0].role, given.variables()[0].role), (Role::Latent, Role::Predicted));
    assert!(given.values("y").unwrap().iter().all(|y| near(y, [100.0, 200.0, 300.0])));
}

#[test]
fn elements_that_the_draws_do_not_know_are_drawn_anew() {
    let (draws, data) = (posterior(), Groups::vector(vec![0.0; 5]));
    let predictive = Predictive::posterior(groups, (5, Some(&data)), &draws);
    let error = predictive.collect().unwrap_err().to_string();
    assert!(error.contains("site `theta`") && error.contains("[3]") && error.contains("[5]"), "{error}");
    for anew in [predictive.clone().allow_new_sites(), predictive.redraw(["theta"])] {
        let found = anew.collect().unwrap();
        assert_eq!(found.variables().iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["theta", "y"]);
        for name in ["theta", "y"] {
            let rows = found.values(name).unwrap();
            assert!(rows.iter().zip(0..).all(|(row, mu)| near(row, [f64::from(mu); 5])), "{name}");
        }
    }
}

#[test]
fn other_groups_of_the_same_number_are_drawn_anew_by_name() {
    let (draws, data) = (posterior(), Groups::vector(vec![0.0; 3]));
    let same = Predictive::posterior(groups, (3, Some(&data)), &draws).allow_new_sites().collect().unwrap();
    assert!(same.values("y").unwrap().iter().all(|y| near(y, [100.0, 200.0, 300.0])));
    let anew = Predictive::posterior(groups, (3, Some(&data)), &draws).redraw(["theta"]).collect().unwrap();
    assert!(anew.values("y").unwrap().iter().zip(0..).all(|(row, mu)| near(row, [f64::from(mu); 3])));
}

#[test]
fn interventions_stay_and_need_no_draws() {
    let (draws, data) = (posterior(), Groups::vector(vec![0.0; 3]));
    let doing =
        groups.intervene(GroupsValues { theta: Some(Groups::vector(vec![7.0, 8.0, 9.0])), ..Default::default() });
    let found = Predictive::posterior(doing, (3, Some(&data)), &draws).keep(["y", "mu"]).collect().unwrap();
    assert!(found.values("y").unwrap().iter().all(|y| near(y, [7.0, 8.0, 9.0])));
    assert!(found.quantity("mu").unwrap()[0].iter().copied().eq((0..40).map(f64::from)));
}
