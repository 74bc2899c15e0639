//! Named arrays in groups: what ArviZ could not open, or would misread, is refused with group and variable.

use std::fs;

use ppl_infer::draws::{Draws, Role, layout};
use ppl_infer::export::{Group, InferenceData, Labels, NamedArray, Numbers};

use crate::runs::{run, variables};

fn array(sizes: &[usize]) -> NamedArray {
    NamedArray { sizes: sizes.to_vec(), numbers: Numbers::Float(vec![0.5; sizes.iter().product()]) }
}

#[test]
fn chains_are_as_long_as_the_shortest() {
    let draws = run(variables(), &[4, 2]);
    let data = InferenceData::from_draws(&draws);
    let theta = data.get(Group::Posterior, "theta").unwrap();
    assert_eq!(theta.sizes, [2, 2, 3]);
    let rows = draws.chains().iter().flat_map(|chain| chain.rows().take(2));
    assert_eq!(theta.numbers, Numbers::Float(rows.flat_map(|row| row[1..4].to_vec()).collect()));
    assert_eq!(data.get(Group::SampleStats, "lp").unwrap().sizes, [2, 2]);
}

type Spoil = fn(&mut InferenceData);

#[test]
fn what_arviz_would_misread_is_refused() {
    let cases: [(Spoil, &str); 13] = [
        (|d| d.insert(Group::Prior, "x", array(&[0, 5])), "group `prior`, variable `x`: there are no chains"),
        (|d| d.insert(Group::Prior, "x", array(&[4, 0])), "group `prior`, variable `x`: there are no draws"),
        (|d| d.insert(Group::Prior, "x", array(&[4])), "variable `x`: sizes [4] have no axes of chains and draws"),
        (
            |d| d.insert(Group::Posterior, "x", array(&[2, 3])),
            "variable `x`: axis `draw` has size 3 here, but 4 in another variable",
        ),
        (
            |d| d.insert(Group::ObservedData, "y", NamedArray { sizes: vec![2, 2], ..array(&[3]) }),
            "group `observed_data`, variable `y`: it has 3 numbers, but sizes [2, 2]",
        ),
        (
            |d| d.insert(Group::ObservedData, "y", NamedArray { sizes: vec![usize::MAX, 2], ..array(&[3]) }),
            "it has 3 numbers, but sizes",
        ),
        (|d| d.set_dims("theta", ["a", "b"]), "2 axes are named [\"a\", \"b\"], but it has 1"),
        (|d| d.set_dims("theta", [""; 0]), "0 axes are named [], but it has 1"),
        (|d| d.set_dims("theta", ["draw"]), "two of its axes are called `draw`, or one as that of chains or draws"),
        (|d| d.set_dims("school/w", ["a", "a"]), "two of its axes are called `a`, or one as that of chains or draws"),
        (|d| d.set_dims("theta", ["mu"]), "variable `theta`: its axis `mu` has the name of a variable"),
        (
            |d| d.set_labels("theta_dim_0", Labels::Integers(vec![1, 2])),
            "variable `theta`: axis `theta_dim_0` has size 3, but 2 labels",
        ),
        (|d| d.insert(Group::Posterior, "chain", array(&[2, 4])), "its axis `chain` has the name of a variable"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    fs::write(&path, "old").unwrap();
    for (spoil, expected) in cases {
        let mut data = InferenceData::from_draws(&run(variables(), &[4, 4]));
        spoil(&mut data);
        let error = data.write_json(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\nexpected: {expected}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }
}

#[test]
fn a_run_without_draws_is_an_error_and_one_without_variables_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    let error = InferenceData::from_draws(&Draws::default()).write_json(&path).unwrap_err();
    assert_eq!(error.to_string(), "group `sample_stats`, variable `lp`: there are no chains");
    InferenceData::from_draws(&run(Vec::new(), &[2])).write_json(&path).unwrap();
    assert!(path.exists());
    let error = InferenceData::default().write_json(folder.path().join("no/such/folder")).unwrap_err().to_string();
    assert!(error.contains("creating a file beside it"), "{error}");
}

#[test]
fn axes_of_size_zero_hide_those_behind_them() {
    let mut data = InferenceData::default();
    data.insert_draws(Group::Prior, &run(layout([("x".into(), vec![2, 0, 3], Role::Latent)]), &[2]));
    data.set_dims("x", ["a", "b", "c"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    data.write_json(&path).unwrap();
    let written: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(written["prior"]["x"], serde_json::json!([[[[], []], [[], []]]]));
    assert_eq!(written["dims"]["x"], serde_json::json!(["a", "b"]));
}
