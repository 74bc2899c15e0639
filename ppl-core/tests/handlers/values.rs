//! Who decides a site's value: condition, uncondition, intervene, substitute and block.

use ppl_core::Cpu;
use ppl_core::distributions::Normal;
use ppl_core::handlers::Block;
use ppl_core::model::{Model, Program};
use ppl_core::primitives::{deterministic, observe, sample};
use ppl_core::site::SiteKind;
use ppl_core::trace::Trace;
use ppl_core::values::ValueMap;
use proptest::prelude::*;

use super::models::*;

/// Some of the latent sites, chosen by the bits of a number.
fn chosen(trace: &Trace<f64, Cpu>, bits: u32) -> Vec<String> {
    let latents = trace.sites().filter(|s| s.is_latent()).map(|s| s.address.to_string());
    latents.enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, name)| name).collect()
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn condition_scores_and_intervene_does_not(model in everything(), seed in 0..1000u64, bits in any::<u32>()) {
        let first = run(&model, seed);
        let names = chosen(&first, bits);
        let picked = |name: &str| names.iter().any(|n| n == name);
        let values = some_latents(&first, picked);
        let conditioned = run(&model.clone().replay(shared(&first)).condition(values.clone()), seed + 1);
        prop_assert_eq!(log_probs(&conditioned), log_probs(&first));
        let intervened = run(&model.replay(shared(&first)).intervene(values), seed + 1);
        for (was, (now, set)) in first.sites().zip(conditioned.sites().zip(intervened.sites())) {
            let picked = picked(was.address.as_str());
            prop_assert_eq!(now.observed, was.observed || picked);
            prop_assert_eq!(set.kind == SiteKind::Intervened, picked);
            prop_assert_eq!(set.is_latent(), was.is_latent() && !picked);
            let expected = if picked { 0.0 } else { was.log_prob.item() };
            prop_assert_eq!(set.log_prob.item(), expected);
        }
    }

    #[test]
    fn uncondition_undoes_observations(model in everything(), seed in 0..1000u64) {
        let open = Everything { observed: false, ..model.clone() };
        let shut = Everything { observed: true, ..model };
        prop_assert_eq!(told(&run(&shut.clone().uncondition(), seed)), told(&run(&open, seed)));
        let data = some_latents(&run(&open, seed + 1), |name| name == "z" || name == "inner/a");
        let undone = open.clone().condition(data.clone()).uncondition();
        prop_assert_eq!(told(&run(&undone, seed)), told(&run(&open, seed)));
        let kept = run(&shut.uncondition().condition(data), seed);
        prop_assert!(kept.site("z").unwrap().observed && !kept.site("x").unwrap().observed);
    }

    #[test]
    fn block_hides_exactly_what_it_names(model in everything(), seed in 0..1000u64, bits in any::<u32>()) {
        let whole = run(&model, seed);
        let all = names(&whole);
        let hidden: Vec<String> = all.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, n)| n.clone()).collect();
        let left: Vec<String> = all.iter().filter(|n| !hidden.contains(n)).cloned().collect();
        let blocked = run(&model.clone().block(Block::Hide(hidden.clone())), seed);
        prop_assert_eq!(names(&blocked), left.clone());
        // Hidden sites are still drawn, from the same generator: the others are what they were.
        for site in blocked.sites() {
            prop_assert_eq!(exact(&*site.value), exact(&*whole.site(site.address.as_str()).unwrap().value));
            prop_assert_eq!(site.log_prob.item(), whole.site(site.address.as_str()).unwrap().log_prob.item());
        }
        prop_assert_eq!(told(&run(&model.clone().block(Block::Expose(left)), seed)), told(&blocked));
        prop_assert_eq!(names(&run(&model.block(Block::All), seed)), Vec::<String>::new());
    }

    #[test]
    fn a_substituted_site_stays_latent(model in everything(), seed in 0..1000u64, z in 0.1..2.0f64) {
        let trace = run(&model.substitute(value("z", z)), seed);
        let site = trace.site("z").unwrap();
        prop_assert!(site.is_latent() && !site.observed);
        prop_assert_eq!(trace.value::<Scalar>("z").unwrap().item(), z);
        prop_assert!(trace.site("extra").is_some());
    }
}

fn z_and_y() -> impl Model<(), E = f64, D = Cpu> + Clone {
    body(|h| {
        let z: Scalar = sample(&mut *h, fixed("z"), number(0.0, 1.0));
        let twice = deterministic(&mut *h, fixed("twice"), &z * 2.0);
        observe(h, fixed("y"), Normal::new(twice, 1.0), Scalar::scalar(0.5));
    })
}

fn at(trace: &Trace<f64, Cpu>, name: &str) -> f64 {
    trace.value::<Scalar>(name).unwrap().item()
}

#[test]
fn the_effect_applied_last_has_the_last_word() {
    let model = z_and_y();
    assert_eq!(at(&run(&model.clone().condition(value("z", 1.0)).condition(value("z", 2.0)), 0), "z"), 2.0);
    assert_eq!(at(&run(&model.clone().intervene(value("z", 1.0)).intervene(value("z", 2.0)), 0), "z"), 2.0);
    assert_eq!(at(&run(&model.clone().substitute(value("z", 1.0)).substitute(value("z", 2.0)), 0), "z"), 2.0);
    let set = run(&model.clone().condition(value("z", 1.0)).intervene(value("z", 2.0)), 0);
    assert_eq!((at(&set, "z"), kind(&set, "z")), (2.0, SiteKind::Intervened));
    assert!(!set.site("z").unwrap().observed);
    // Data are not overruled by a substitution.
    assert_eq!(at(&run(&model.clone().substitute(value("y", 9.0)), 0), "y"), 0.5);
}

#[test]
fn what_was_set_by_an_intervention_is_no_longer_random() {
    let model = z_and_y().intervene(value("z", 1.0));
    for trace in [
        run(&model.clone().condition(value("z", 2.0)), 0),
        run(&model.clone().substitute(value("z", 2.0)), 0),
        run(&model.clone().replay(shared(&run(&z_and_y(), 1))), 0),
    ] {
        assert_eq!((at(&trace, "z"), kind(&trace, "z")), (1.0, SiteKind::Intervened));
        assert_near(trace.log_prob_sum().item(), normal(0.5, 2.0, 1.0));
        assert!(!trace.site("z").unwrap().observed);
    }
}

#[test]
fn a_deterministic_value_follows_its_inputs_unless_it_is_set() {
    let stale = run(&z_and_y(), 1);
    let mut draw = stale.latents();
    draw.put_any("twice", stale.site("twice").unwrap().value.clone());
    draw.put("z", Some(Scalar::scalar(3.0)));
    assert_eq!(at(&run(&z_and_y().substitute(draw), 0), "twice"), 6.0);
    let set = run(&z_and_y().intervene(value("twice", 5.0)), 0);
    assert_eq!(at(&set, "twice"), 5.0);
    assert_near(set.site("y").unwrap().log_prob.item(), normal(0.5, 5.0, 1.0));
    let problem = error(&z_and_y().condition(value("twice", 5.0)));
    assert!(problem.contains("site `twice`") && problem.contains("cannot be observed"), "{problem}");
}

#[test]
fn effects_on_names_that_a_run_does_not_have_do_nothing() {
    let (plain, none) = (run(&z_and_y(), 4), value("nobody", 1.0));
    for trace in [
        run(&z_and_y().condition(none.clone()), 4),
        run(&z_and_y().intervene(none.clone()), 4),
        run(&z_and_y().substitute(none), 4),
        run(&z_and_y().substitute(ValueMap::new()).block(Block::Hide(vec!["nobody".into()])), 4),
    ] {
        assert_eq!(told(&trace), told(&plain));
    }
}
