//! Predictions with latent values from a guide.

use ppl::infer::{Adam, Predictive, RunOptions, Svi, TraceElbo};
use ppl::prelude64::*;

use crate::by_hand::{covariance, mean};

type Scalar = Tensor<()>;

#[model]
fn coin(y: &Scalar) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 1.0));
    sample!("y", Normal::new(mu, 1.0), obs = y);
}

#[guide(coin)]
fn coin_guide(_y: &Scalar) {
    let loc = param!("loc", Scalar::scalar(1.0));
    let scale = param!("scale", Scalar::scalar(0.5), constraint = Positive);
    sample!("mu", Normal::new(loc, scale));
}

#[test]
fn a_guide_with_its_first_parameters_predicts_in_closed_form() {
    let (params, y) = (ParamStore::new(0), Scalar::scalar(0.0));
    let found = Predictive::guide(coin, coin_guide, &params, (&y,)).draws(20_000).seed(6).collect().unwrap();
    let of = |name: &str| found.quantity(name).unwrap().concat();
    let (mu, y) = (of("mu"), of("y"));
    // μ ~ N(1, 0.25) and y ~ N(μ, 1): each within 5 standard errors, 5.7e-7 for each of four.
    let n = 20_000.0_f64;
    assert!((mean(&mu) - 1.0).abs() < 5.0 * (0.25 / n).sqrt());
    assert!((mean(&y) - 1.0).abs() < 5.0 * (1.25 / n).sqrt());
    assert!((covariance(&y, &y) - 1.25).abs() < 5.0 * 1.25 * (2.0 / n).sqrt());
    assert!((covariance(&mu, &y) - 0.25).abs() < 5.0 * ((0.25 * 1.25 + 0.0625) / n).sqrt());
}

#[test]
fn a_fitted_guide_predicts_with_its_parameters() {
    let y = Scalar::scalar(4.0);
    let mut svi = Svi::new(coin, coin_guide, Adam::new(0.05), TraceElbo::with_particles(8)).seed(3);
    svi.run(RunOptions::steps(600), (&y,)).unwrap();
    let loc = svi.params().constrained("loc").unwrap().to_vec()[0];
    let found = Predictive::guide(coin, coin_guide, svi.params(), (&y,)).draws(4000).seed(1).collect().unwrap();
    // The guide's mean is where training left it, near 2; the sample's within 5 standard errors of it.
    assert!((loc - 2.0).abs() < 0.2, "{loc}");
    let scale = svi.params().constrained("scale").unwrap().to_vec()[0];
    let error = (scale * scale / 4000.0).sqrt();
    assert!((mean(&found.quantity("mu").unwrap()[0]) - loc).abs() < 5.0 * error);
}

#[test]
fn a_guide_only_proposes_values() {
    let (params, y) = (ParamStore::new(0), Scalar::scalar(0.0));
    let mut values = ValueMap::new();
    values.put("mu", Some(Scalar::scalar(0.0)));
    let observing = coin_guide.condition(values);
    let error = Predictive::guide(coin, observing, &params, (&y,)).collect().unwrap_err().to_string();
    assert!(error.contains("site `mu`: the guide `coin_guide` observes it"), "{error}");
}

mod disagreeing {
    use super::*;

    #[model]
    fn wider(y: Option<&Scalar>, extra: bool) {
        let mu: Scalar = sample!("mu", Normal::new(0.0, 1.0));
        if extra {
            sample!("nu": Scalar, Normal::standard());
        }
        sample!("y", Normal::new(mu, 1.0), obs = y);
    }

    #[guide(wider)]
    fn narrow(y: Option<&Scalar>, _extra: bool) {
        sample!("mu", Normal::standard());
        if y.is_none() {
            sample!("nu", Normal::standard());
        }
    }

    #[test]
    fn what_only_one_of_them_samples_is_an_error_that_names_it() {
        let (params, y) = (ParamStore::new(0), Scalar::scalar(0.0));
        let predictive = |args| Predictive::guide(wider, narrow, &params, args).draws(3);
        assert_eq!(predictive((Some(&y), false)).collect().unwrap().num_draws(), 3);
        let error = predictive((Some(&y), true)).collect().unwrap_err().to_string();
        assert!(error.contains("site `nu`: the model samples it, but the guide did not"), "{error}");
        assert_eq!(predictive((Some(&y), true)).allow_new_sites().collect().unwrap().num_draws(), 3);
        let error = predictive((None, false)).allow_new_sites().collect().unwrap_err().to_string();
        assert!(error.contains("site `nu`: the guide samples it, but the model did not"), "{error}");
    }
}
