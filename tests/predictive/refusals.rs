//! What predictions refuse, in words that name the site and what to do.

use ppl::infer::draws::{ChainDraws, Draws, Role, SampleStats, layout};
use ppl::infer::predictive::PredictiveError;
use ppl::infer::{Predictive, log_likelihood};
use ppl::prelude64::*;

use crate::by_hand::{draws, numbers};

type Scalar = Tensor<()>;
type Pair = Tensor<Rank1<2>>;

#[model]
fn pair(y: Option<&Pair>) {
    let mu: Pair = sample!("mu", Normal::new(Pair::zeros(), 1.0));
    sample!("y", Normal::new(mu, 1.0), obs = y);
}

#[track_caller]
fn says<T>(result: Result<T, PredictiveError>, parts: &[&str]) {
    let error = result.err().expect("it is refused").to_string();
    parts.iter().for_each(|part| assert!(error.contains(part), "`{part}` is not in: {error}"));
}

#[test]
fn sites_that_only_one_of_draws_and_model_has() {
    let y = Pair::zeros();
    let lacking = draws(&[("nu", &[2])], &[vec![vec![0.0, 1.0]; 2]]);
    let predictive = Predictive::posterior(pair, (Some(&y),), &lacking);
    says(predictive.collect(), &["draw 0 of chain 0", "site `mu`", "draws do not have it", "redraw"]);
    says(predictive.clone().allow_new_sites().collect(), &["site `nu`", "the draws have it", "did not sample it"]);
    let ignoring = predictive.ignore(["nu"]).unwrap();
    says(ignoring.collect(), &["site `mu`"]);
    assert_eq!(ignoring.clone().allow_new_sites().collect().unwrap().num_draws(), 2);
    says(ignoring.allow_new_sites().log_likelihood(), &["site `mu`", "draws do not have it"]);
    let error = Predictive::posterior(pair, (Some(&y),), &lacking).ignore(["xi"]).err().unwrap();
    assert_eq!(error.to_string(), "no variable is called `xi`; there are `nu`");
}

#[test]
fn names_that_no_run_has() {
    let (y, draws) = (Pair::zeros(), draws(&[("mu", &[2])], &[vec![vec![0.0, 1.0]; 2]]));
    let predictive = Predictive::posterior(pair, (Some(&y),), &draws);
    says(predictive.clone().redraw(["nu"]).collect(), &["site `nu`", "to be drawn anew"]);
    says(predictive.keep(["y", "eta"]).collect(), &["site `eta`", "was to be kept"]);
}

#[test]
fn a_latent_site_of_the_draws_that_is_data_here() {
    let y = Pair::zeros();
    let draws = draws(&[("mu", &[2]), ("y", &[2])], &[vec![vec![0.0, 1.0, 2.0, 3.0]; 2]]);
    let predictive = Predictive::posterior(pair, (Some(&y),), &draws);
    says(predictive.collect(), &["site `y`", "the model observes it"]);
    assert_eq!(predictive.ignore(["y"]).unwrap().collect().unwrap().variables()[0].role, Role::Predicted);
    let imputed = Predictive::posterior(pair, (None,), &draws).traces().next().unwrap().unwrap().1;
    assert_eq!(imputed.value::<Pair>("y").unwrap().to_vec(), [2.0, 3.0], "data that inference imputed");
}

#[test]
fn sizes_that_differ_are_both_named() {
    let y = Pair::zeros();
    for dims in [&[3][..], &[1, 2], &[]] {
        let draws = draws(&[("mu", dims)], &[vec![vec![0.5; dims.iter().product()]]]);
        let predictive = Predictive::posterior(pair, (Some(&y),), &draws);
        says(predictive.collect(), &["site `mu`", &format!("shape {dims:?}"), "shape [2]"]);
        says(predictive.allow_new_sites().collect(), &["site `mu`", &format!("shape {dims:?}"), "shape [2]"]);
    }
}

#[test]
fn no_draws() {
    let y = Pair::zeros();
    let none = Draws::new(layout([("mu".to_owned(), vec![2], Role::Latent)]), vec![]);
    let predictive = Predictive::posterior(pair, (Some(&y),), &none);
    assert_eq!(predictive.collect(), Err(PredictiveError::NoDraws));
    assert_eq!((predictive.traces().count(), predictive.map(|(), _| ()).unwrap().len()), (0, 0));
    assert_eq!(log_likelihood(pair, (Some(&y),), &none).unwrap_err(), PredictiveError::NoDraws);
    assert_eq!(Predictive::prior(pair, (Some(&y),)).draws(0).collect(), Err(PredictiveError::NoDraws));
}

#[model]
fn sampled_rows(n: usize) {
    plate!("rows", 6, subsample = n, |rows| {
        let n = rows.len();
        let z: Tensor<(usize,)> = sample!("z", Normal::new(Tensor::<(usize,)>::vector(vec![0.0; n]), 1.0));
        sample!("y", Normal::new(z, 1.0), obs = Tensor::<(usize,)>::vector(vec![0.0; n]));
    });
}

#[test]
fn subsamples_of_which_nobody_knows_the_rows() {
    let draws = draws(&[("z", &[2])], &[vec![vec![0.0, 1.0]; 2]]);
    let predictive = Predictive::posterior(sampled_rows, (2,), &draws);
    says(predictive.collect(), &["site `z`", "plate `rows`", "subsample"]);
    says(predictive.log_likelihood(), &["site `z`", "plate `rows`"]);
    let fixed = sampled_rows.subsample("rows", Rows::some([4, 1]));
    assert_eq!(Predictive::posterior(fixed.clone(), (2,), &draws).collect().unwrap().num_draws(), 2);
    says(log_likelihood(fixed, (2,), &draws), &["plate `rows`", "2 of its 6 rows", "`y`", "all rows"]);
    assert_eq!(Predictive::posterior(sampled_rows, (2,), &draws).redraw(["z"]).collect().unwrap().num_draws(), 2);
}

#[model]
fn growing(n: usize) {
    let mu: Scalar = sample!("mu", Normal::standard());
    let long = mu.item() > 0.5;
    if long {
        sample!("late": Scalar, Normal::standard());
    }
    deterministic!("list", vec![1.0; n + usize::from(long)]);
}

#[test]
fn sites_that_change_from_draw_to_draw_make_no_array() {
    let draws = numbers("mu", [0.0, 0.2, 1.0]);
    let predictive = Predictive::posterior(growing, (1,), &draws).allow_new_sites();
    says(predictive.collect(), &["draw 2 of chain 0", "site `late`", "others do not"]);
    says(predictive.clone().keep(["list"]).collect(), &["draw 2 of chain 0", "`list`", "[2]", "[1]", "traces"]);
    assert_eq!(predictive.keep(["mu"]).collect().unwrap().values("mu").unwrap().concat(), [0.0, 0.2, 1.0]);
    says(log_likelihood(growing, (1,), &numbers("mu", [0.0])), &["`growing` observes no data"]);
}

#[test]
fn deterministic_variables_of_draws_are_computed_again() {
    let variables = [("mu".to_owned(), vec![], Role::Latent), ("list".to_owned(), vec![1], Role::Deterministic)];
    let mut chain = ChainDraws::new(2);
    chain.push(&[0.25, 77.0], SampleStats::default());
    let draws = Draws::new(layout(variables), vec![chain]);
    let found = Predictive::posterior(growing, (1,), &draws).collect().unwrap();
    assert_eq!(found.values("list").unwrap(), [[1.0]]);
}

#[model]
fn scaled() {
    let scale: Scalar = sample!("scale", Normal::standard());
    sample!("y", Normal::new(0.0, scale), obs = Scalar::scalar(0.0));
}

#[test]
fn an_error_of_a_run_names_draw_and_site() {
    let draws = draws(&[("scale", &[])], &[vec![vec![1.0], vec![1.0]], vec![vec![1.0], vec![-2.0]]]);
    let predictive = Predictive::posterior(scaled, (), &draws).validate(true);
    says(predictive.collect(), &["draw 1 of chain 1", "site `y`", "-2"]);
    let runs: Vec<bool> = predictive.traces().map(|run| run.is_ok()).collect();
    assert_eq!(runs, [true, true, true, false]);
}
