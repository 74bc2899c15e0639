//! What an objective can ask for: pairs by number, constants for draws, dreams, more of each site.

use ppl::autodiff::try_grad;
use ppl::infer::pair::Ask;
use ppl::infer::runs::{Programs, Runs};
use ppl::infer::{Loss, Sgd, Svi, TraceElbo};
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::trace::Keep;
use ppl::{Cpu, Error};

use crate::chain::{Scalar, chain, chain_guide};

#[test]
fn a_function_is_an_objective() {
    let x = Scalar::scalar(2.0);
    let elbo = |runs: &mut dyn Runs<f64, Cpu>| {
        let pair = runs.pair(0, Ask::default())?;
        Ok(pair.guide.log_prob_sum() - pair.model.log_prob_sum())
    };
    let mut own = Svi::new(chain, chain_guide, Sgd::new(0.1), Loss::new(elbo)).seed(5);
    let mut built_in = Svi::new(chain, chain_guide, Sgd::new(0.1), TraceElbo::default()).seed(5);
    for _ in 0..5 {
        let (loss, expected) = (own.step(&x).unwrap(), built_in.step(&x).unwrap());
        assert!((loss - expected).abs() < 1e-12, "{loss}, not {expected}");
    }
    assert_eq!(
        own.params().constrained("loc").unwrap().to_vec(),
        built_in.params().constrained("loc").unwrap().to_vec()
    );
}

/// The guide's density at a constant, with its slopes in loc and ln scale: (z − m) / s², (z − m)² / s² − 1.
fn score(z: f64) -> [f64; 3] {
    let (m, s) = (0.5, 0.8);
    let ratio: f64 = (z - m) / s;
    [-0.5 * ratio * ratio - f64::ln(s) - 0.5 * (2.0 * std::f64::consts::PI).ln(), ratio / s, ratio * ratio - 1.0]
}

/// ln q, its gradient, z and x as the runs show them.
fn ln_q(ask_for: impl Fn(&mut dyn Runs<f64, Cpu>) -> Result<ppl::infer::pair::Pair<f64, Cpu>, Error>) -> [f64; 5] {
    let (x, mut params, rng) = (Scalar::scalar(2.0), ParamStore::new(0), |p| Rng::stream(3, p));
    let (value, (z, x), grads) = try_grad(|| {
        let programs = (&chain, &chain_guide);
        let mut runs = Programs { programs, args: (&x,), params: &mut params, rng: &rng, validate: true };
        let pair = ask_for(&mut runs)?;
        let of = |name: &str| pair.model.value::<Scalar>(name).expect("the model has it").item();
        Ok::<_, Error>((pair.guide.log_prob_sum(), (of("z"), of("x"))))
    })
    .expect("a run without mistakes");
    let of = |name: &str| grads.get(&params.get::<Scalar>(name).expect("the guide has it")).expect("a leaf").item();
    [value.item(), of("loc"), of("scale"), z, x]
}

#[test]
fn detached_pairs_have_the_score_of_their_draws() {
    let found = ln_q(|runs| runs.pair(4, Ask { detached: true, ..Ask::default() }));
    let expected = score(found[3]);
    assert!((0..3).all(|i| (found[i] - expected[i]).abs() < 1e-12), "{found:?} {expected:?}");
    assert_eq!(found[4], 2.0);
    // With the pathwise part the density of a draw does not depend on loc.
    assert!(ln_q(|runs| runs.pair(4, Ask::default()))[1].abs() < 1e-12);
}

#[test]
fn dreams_are_draws_of_the_model_under_which_the_guide_is_scored() {
    let dreams: Vec<[f64; 5]> = (0..400).map(|p| ln_q(|runs| runs.dream(p, Keep::default()))).collect();
    for found in &dreams {
        let expected = score(found[3]);
        assert!((0..3).all(|i| (found[i] - expected[i]).abs() < 1e-12), "{found:?} {expected:?}");
    }
    // z ~ N(0, 1), x ~ N(z, 1): six standard errors of 400 draws, false alarms below 1e-8.
    let of = |f: &dyn Fn(&[f64; 5]) -> f64| crate::estimate::Estimate::of(&dreams.iter().map(f).collect::<Vec<_>>());
    of(&|d| d[3]).agrees("mean of z", 0.0, 0.0, 0.06);
    of(&|d| d[4]).agrees("mean of x", 0.0, 0.0, 0.1);
    of(&|d| d[4] * d[4]).agrees("variance of x", 2.0, 0.0, 0.2);
    of(&|d| d[3] * d[4]).agrees("covariance", 1.0, 0.0, 0.12);
}

#[test]
fn runs_keep_elements_and_families_where_asked() {
    let (x, mut params, rng) = (Scalar::scalar(2.0), ParamStore::new(0), |p| Rng::stream(3, p));
    let programs = (&chain, &chain_guide);
    let mut runs = Programs { programs, args: (&x,), params: &mut params, rng: &rng, validate: true };
    let plain = runs.pair(0, Ask::default()).unwrap();
    assert!(plain.model.sites().all(|site| site.elements.is_none() && site.family.is_none()));
    let keep = Keep { elements: true, families: true, ..Keep::NOTHING };
    let kept = runs.pair(0, Ask { keep, ..Ask::default() }).unwrap();
    for (site, before) in kept.model.sites().zip(plain.model.sites()) {
        assert_eq!(site.elements.as_ref().unwrap().to_vec(), [before.log_prob.item()]);
        let family = site.family.as_ref().unwrap();
        assert_eq!((family.name, family.len, family.parameters.len()), ("Normal", 1, 2));
    }
}
