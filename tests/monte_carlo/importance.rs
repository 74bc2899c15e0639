//! Importance weights against closed forms: evidence, expectations, and what tells a bad guide.

use ppl::infer::Importance;
use ppl::infer::monte_carlo::{Estimate, MonteCarloError, Resampling};
use ppl::prelude64::*;

use crate::closed_forms::{MeanOfTrace, PRIOR, Points, Scalar, log_evidence, mean_of, normal, points, posterior};
use crate::threads::same_on_any;

#[guide(mean_of)]
fn given(_x: &Points) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.0));
    let sd: Scalar = param!("sd", Scalar::scalar(1.0), constraint = Positive);
    sample!("mu", Normal::new(loc, sd));
}

/// Parameters of the guide, unconstrained ones as the store has them.
fn at(loc: f64, sd: f64) -> ParamStore<f64, Cpu> {
    let mut store = ParamStore::new(0);
    store.set_pending([("loc".to_owned(), (vec![], vec![loc])), ("sd".to_owned(), (vec![], vec![sd.ln()]))]);
    store
}

/// Within five standard errors: a false alarm has a probability below 6e-7.
#[track_caller]
fn near(what: &str, found: Estimate, exact: f64, largest_error: f64) {
    let Estimate { mean, standard_error } = found;
    assert!(standard_error < largest_error, "{what}: {found:?} tells nothing");
    assert!((mean - exact).abs() < 5.0 * standard_error, "{what}: {found:?} for {exact}");
}

#[test]
fn the_posterior_as_a_guide_has_weights_without_variance() {
    let x = points();
    let [loc, sd] = posterior(PRIOR, &x.to_vec());
    let found = Importance::guide(mean_of, given, &at(loc, sd), (&x,)).draws(50).run().expect("draws");
    // Each weight is the evidence: a density that counted twice, or never, would show in every one of them.
    let evidence = found.log_evidence();
    assert!((evidence.mean - log_evidence(PRIOR, &x.to_vec())).abs() < 1e-10, "{evidence:?}");
    assert!(evidence.standard_error < 1e-10 && (found.ess() - 50.0).abs() < 1e-9);
    assert_eq!(found.k_hat(), f64::NEG_INFINITY);
}

#[test]
fn evidence_and_expectations_by_the_prior_and_by_a_guide() {
    let x = points();
    let [loc, sd] = posterior(PRIOR, &x.to_vec());
    let exact = log_evidence(PRIOR, &x.to_vec());
    let by_prior = Importance::prior(mean_of, (&x,)).draws(4000).seed(1).run().expect("draws");
    let store = at(loc + 0.2, 1.3 * sd);
    let by_guide = Importance::guide(mean_of, given, &store, (&x,)).draws(4000).seed(2).run().expect("draws");
    for (what, found) in [("prior", &by_prior), ("guide", &by_guide)] {
        near(what, found.log_evidence(), exact, 0.04);
        near(what, found.expectation(|t| t.mu.value.item()), loc, 0.02);
        near(what, found.expectation(|t| (t.mu.value.item() - loc).powi(2)), sd * sd, 0.02);
        assert!(found.k_hat() < 0.7, "{what}: {}", found.k_hat());
        assert!(found.traces().iter().all(|t: &MeanOfTrace| t.x.observed));
    }
    assert!(by_guide.ess() > 2000.0 && by_prior.ess() < 2500.0, "{} {}", by_guide.ess(), by_prior.ess());
    // Draws by weight have the posterior's mean, with about √2 of the error.
    let drawn = by_guide.resample(Resampling::Systematic, 4000, 3);
    let mean = drawn.iter().map(|t| t.mu.value.item()).sum::<f64>() / 4000.0;
    assert!((mean - loc).abs() < 5.0 * 1.5 * sd / 50.0, "{mean}");
}

#[test]
fn a_guide_far_off_or_too_narrow_is_told_by_its_tail() {
    let x = points();
    let [loc, sd] = posterior(PRIOR, &x.to_vec());
    for (loc, sd) in [(loc + 4.0 * sd, 0.7 * sd), (loc, 0.3 * sd)] {
        let found = Importance::guide(mean_of, given, &at(loc, sd), (&x,)).draws(4000).run().expect("draws");
        assert!(found.k_hat() > 0.7, "{}", found.k_hat());
        assert!(found.smoothed().ess() > 1.0);
    }
}

#[model]
fn coin(x: &Tensor<Rank1<6>>) {
    let p: Scalar = sample!("p", Beta::new(1.5, 2.5));
    plate!("tosses", 6, |_| {
        sample!("x", Bernoulli::new(p.broadcast::<Rank1<6>, _>()), obs = x);
    });
}

#[test]
fn a_coins_evidence() {
    let x = Tensor::from([1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
    let found = Importance::prior(coin, (&x,)).draws(4000).seed(4).run().expect("draws");
    // B(1.5 + 4, 2.5 + 2) / B(1.5, 2.5), the integers as products.
    let exact = (1.5 * 2.5 * 3.5 * 4.5 * 2.5 * 3.5 / (4.0 * 5.0 * 6.0 * 7.0 * 8.0 * 9.0_f64)).ln();
    near("evidence", found.log_evidence(), exact, 0.02);
    near("mean", found.expectation(|t| t.p.value.item()), 0.55, 0.01);
}

#[model]
fn tempered_prior(x: &Points) {
    let mu: Scalar = sample!("mu", Normal::new(0.3, 1.5), scale = 0.5);
    plate!("data", 3, |_| {
        sample!("x", Normal::new(mu.broadcast::<Rank1<3>, _>(), 0.8), obs = x);
    });
}

#[guide(tempered_prior)]
fn wide(_x: &Points) {
    sample!("mu", Normal::new(0.9, 0.7));
}

#[test]
fn a_prior_under_a_power_keeps_its_power() {
    let x = points();
    // N(m, s²)^½ is c·N(m, 2s²) with c = (2πs²)^¼ · √2.
    let c = 0.25 * (std::f64::consts::TAU * PRIOR[1].powi(2)).ln() + 0.5 * 2.0_f64.ln();
    let exact = c + log_evidence([PRIOR[0], PRIOR[1] * 2.0_f64.sqrt()], &x.to_vec());
    let by_prior = Importance::prior(tempered_prior, (&x,)).draws(4000).seed(5).run().expect("draws");
    let store = ParamStore::new(0);
    let by_guide = Importance::guide(tempered_prior, wide, &store, (&x,)).draws(4000).seed(6).run().expect("draws");
    near("prior", by_prior.log_evidence(), exact, 0.05);
    near("guide", by_guide.log_evidence(), exact, 0.03);
}

/// The guide's density is that of an auxiliary variable, stretched.
#[guide(mean_of)]
fn moved(_x: &Points) {
    let u: Scalar = sample!("u", Normal::new(0.4, 0.3), auxiliary);
    let log_density = Scalar::scalar(-(2.0_f64.ln()));
    sample!("mu", Delta::new(u * 2.0, log_density));
}

#[guide(mean_of)]
fn mixed(_x: &Points) {
    let u: Scalar = sample!("u", Normal::new(0.9, 0.4), auxiliary);
    sample!("mu", Normal::new(u, 0.5));
}

#[guide(mean_of)]
fn point(_x: &Points) {
    sample!("mu", Delta::certain(Scalar::scalar(0.9)));
}

#[test]
fn auxiliary_variables_count_where_they_are_the_proposal() {
    let x = points();
    let (exact, store) = (log_evidence(PRIOR, &x.to_vec()), ParamStore::new(0));
    let found = Importance::guide(mean_of, moved, &store, (&x,)).draws(4000).seed(7).run().expect("draws");
    near("a flow", found.log_evidence(), exact, 0.03);
    let found = Importance::guide(mean_of, mixed, &store, (&x,)).draws(4000).seed(8).run().expect("draws");
    near("given an auxiliary variable", found.log_evidence(), exact, 0.05);
    let error = Importance::guide(mean_of, point, &store, (&x,)).run().expect_err("a point");
    assert!(error.to_string().contains("site `mu`: the guide proposes a single point"), "{error}");
}

#[model]
fn walls(low: f64) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 1.0));
    let inside = if mu.item() > low { 0.0 } else { f64::NEG_INFINITY };
    factor!("wall", Scalar::scalar(inside));
}

#[test]
fn weights_that_are_all_zero_name_the_site() {
    let found = Importance::prior(walls, (0.0,)).draws(4000).run().expect("half of the draws");
    near("half", found.log_evidence(), 0.5_f64.ln(), 0.02);
    let error = Importance::prior(walls, (9.0,)).draws(100).run().expect_err("no draw is there");
    let MonteCarloError::Impossible { site, count, draws, time, .. } = &error else { panic!("{error}") };
    assert_eq!((site.as_str(), *count, *draws, *time), ("wall", 100, 100, None));
    assert!(error.to_string().starts_with("site `wall`: it is impossible in 100 of 100 draws"), "{error}");
    let error = Importance::prior(walls, (f64::NAN,)).draws(0).run().expect_err("no draws");
    assert!(matches!(error, MonteCarloError::Options(_)), "{error}");
}

/// An unknown number of objects, of which the sum of their sizes is seen.
#[model]
fn objects(y: f64) {
    let number: Scalar = sample!("number", Poisson::new(2.0));
    let mut sum = Scalar::zeros();
    for i in 0..number.item() as usize {
        sum = sum + sample!("size_{i}": Scalar, Normal::new(1.0, 1.0));
    }
    sample!("y", Normal::new(sum, 0.5), obs = Scalar::scalar(y));
}

/// The sum of n sizes is normal with mean and variance n; seven numbers within five standard errors.
#[test]
fn how_many_objects_there_are() {
    let y = 3.2;
    let found = Importance::prior(objects, (y,)).draws(6000).seed(10).run().expect("draws");
    let mut poisson = (-2.0_f64).exp();
    let joint: Vec<f64> = (0..40)
        .map(|n| {
            let sum = normal(y, f64::from(n), (f64::from(n) + 0.25).sqrt()).exp() * poisson;
            poisson *= 2.0 / f64::from(n + 1);
            sum
        })
        .collect();
    let evidence: f64 = joint.iter().sum();
    near("evidence", found.log_evidence(), evidence.ln(), 0.03);
    for (n, joint) in joint.iter().enumerate().take(7).skip(1) {
        let is_n = found.expectation(|t: &ObjectsTrace| f64::from(t.number.value.item() as usize == n));
        near(&format!("{n} objects"), is_n, joint / evidence, 0.02);
    }
    assert!(found.traces().iter().all(|t| t.size.len() == t.number.value.item() as usize));
}

#[model]
fn batch() {
    let mu: Scalar = sample!("mu", Normal::new(0.3, 1.5));
    plate!("data", 3, subsample = 2, |_rows| {
        sample!("x", Normal::new(mu.broadcast::<Rank1<2>, _>(), 0.8), obs = Tensor::from([0.7, 1.9]));
    });
}

#[test]
fn a_subsample_has_no_weight() {
    let error = Importance::prior(batch, ()).run().expect_err("a subsample");
    assert!(error.to_string().contains("plate `data`: it draws a subsample"), "{error}");
}

#[model]
fn positive() {
    sample!("rate": Scalar, Gamma::new(2.0, 0.9));
}

#[guide(positive)]
fn negative() {
    sample!("rate", Normal::new(-5.0, 0.1));
}

#[test]
fn a_guide_that_proposes_impossible_values_is_told_where() {
    let error = Importance::guide(positive, negative, &ParamStore::new(0), ()).draws(20).run().expect_err("no rate");
    assert!(matches!(&error, MonteCarloError::Impossible { site, count: 20, .. } if site == "rate"), "{error}");
}

#[model]
fn family(n: usize) {
    for i in 0..n {
        sample!("z_{i}": Scalar, Normal::standard());
    }
}

#[guide(family)]
fn short(n: usize) {
    for i in 0..n - 1 {
        sample!("z_{i}", Normal::standard());
    }
}

#[test]
fn a_guide_that_does_not_fit_is_named_as_in_variational_inference() {
    let error = Importance::guide(family, short, &ParamStore::new(0), (3,)).run().expect_err("no `z_2`");
    assert!(error.to_string().contains("site `z_2`: the model `family` samples it, but the guide `short`"), "{error}");
}

#[test]
fn threads_do_not_change_weights() {
    let x = points();
    same_on_any(|| {
        let found = Importance::prior(mean_of, (&x,)).draws(100).seed(9).run().expect("draws");
        (found.weights().clone(), found.iter().map(|(t, _)| t.mu.value.item()).collect::<Vec<_>>())
    });
}
