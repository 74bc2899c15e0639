//! A run repeated: replay, substitute and seed.

use std::sync::Arc;

use ppl_core::Cpu;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Prior, Tracer};
use ppl_core::model::{Model, Program};
use ppl_core::primitives::{param, sample, submodel};
use ppl_core::site::SiteKind;
use ppl_core::trace::Trace;
use proptest::prelude::*;

use super::models::*;

proptest! {
    #![proptest_config(few())]

    #[test]
    fn a_run_has_its_log_joint(model in everything(), seed in 0..1000u64) {
        let (loc, trace, error) = run_whole(&model, seed);
        prop_assert_eq!(error, None);
        assert_near(trace.log_prob_sum().item(), model.log_joint(&trace, loc));
    }

    #[test]
    fn replay_is_the_identity(model in everything(), seed in 0..1000u64) {
        let first = run(&model, seed);
        let again = run(&model.replay(shared(&first)), seed + 1);
        prop_assert_eq!(told(&again), told(&first));
    }

    #[test]
    fn a_replay_of_a_replay_is_the_replay(model in everything(), seed in 0..1000u64) {
        let (first, other) = (run(&model, seed), run(&model, seed + 1));
        let again = run(&model.clone().replay(shared(&first)), seed + 2);
        let twice = run(&model.clone().replay(shared(&again)), seed + 3);
        prop_assert_eq!(told(&twice), told(&first));
        // The effect next to the model has the first word, as it sets what has no value yet.
        let both = run(&model.replay(shared(&first)).replay(shared(&other)), seed + 4);
        prop_assert_eq!(told(&both), told(&first));
    }

    #[test]
    fn substituting_all_latents_under_the_same_rows_is_a_replay(model in everything(), seed in 0..1000u64) {
        let first = run(&model, seed);
        let (_, rows) = first.plate("data").unwrap();
        let rows = rows.clone();
        let again = run(&model.substitute(first.latents()).subsample("data", rows), seed + 1);
        prop_assert_eq!(told(&again), told(&first));
    }

    #[test]
    fn a_seed_decides_the_run_and_leaves_the_outer_generator_alone(model in everything(), seed in 0..1000u64) {
        let seeded = model.clone().seed(seed);
        // Without a store, so that parameters come from the seed too.
        let under = |outer: u64| {
            let mut prior = Prior::seeded(outer);
            let before = Handler::<f64, Cpu>::context(&mut prior).rng.clone();
            let mut tracer = Tracer::new(&mut prior);
            let output = seeded.run(&mut tracer, ());
            let trace = tracer.into_trace();
            assert_eq!(prior.into_context().rng, before);
            (output, told(&trace))
        };
        prop_assert_eq!(under(1), under(2));
        prop_assert_eq!(told(&run(&seeded, 1)), told(&run(&model, seed)));
        prop_assert_ne!(told(&run(&model, seed)), told(&run(&model, seed + 1)));
    }
}

#[test]
fn a_seeded_submodel_leaves_what_follows_it_alone() {
    let around = |inner: u64| {
        body(move |h| {
            let z: Scalar = param(&mut *h, fixed("before"), |init| init.normal((), 1.0));
            submodel(&mut *h, fixed("seeded"), &Inner.seed(inner), (z.clone(),));
            sample(&mut *h, fixed("after"), number(z, 1.0));
            let w: Scalar = param(&mut *h, fixed("late"), |init| init.normal((), 1.0));
            sample(h, fixed("last"), number(w, 1.0));
        })
    };
    let value = |t: &Trace<f64, Cpu>, name: &str| t.value::<Scalar>(name).unwrap().item();
    let (one, two) = (run(&around(1), 3), run(&around(2), 3));
    assert_ne!(value(&one, "seeded/a"), value(&two, "seeded/a"));
    assert_eq!(value(&one, "after"), value(&two, "after"));
    assert_eq!(value(&one, "last"), value(&two, "last"));
}

#[test]
fn auxiliary_variables_are_replayed_too() {
    let first = run(&WithAuxiliary, 1);
    let again = run(&WithAuxiliary.replay(shared(&first)), 2);
    assert_eq!(kind(&again, "u"), SiteKind::Auxiliary);
    assert_eq!(told(&again), told(&first));
}

#[test]
fn what_a_run_was_given_is_not_replayed() {
    let plain = body(|h| {
        let z: Scalar = sample(&mut *h, fixed("z"), number(0.0, 1.0));
        sample(h, fixed("y"), number(z, 1.0));
    });
    let given = run(&plain.clone().condition(value("z", 50.0)).intervene(value("y", 60.0)), 1);
    let replayed = run(&plain.replay(Arc::new(given)), 2);
    assert!(replayed.value::<Scalar>("z").unwrap().item() < 10.0);
    assert!(replayed.value::<Scalar>("y").unwrap().item() < 20.0);
}
