//! Reparameterised sites among the other effects, in families, scopes and plates, and what is wrong.

use ppl_core::Cpu;
use ppl_core::address::Address;
use ppl_core::distributions::{Beta, Normal};
use ppl_core::handlers::{Block, LocScale, Reparam, TransformBase};
use ppl_core::model::{Model, Program};
use ppl_core::plate::PlateRows;
use ppl_core::primitives::{factor, observe, plate, sample, submodel};
use ppl_core::site::{SiteKind, SiteMask};
use ppl_core::trace::Trace;
use ppl_core::values::ValueMap;
use proptest::prelude::*;

use super::models::*;

type List = Reparam<f64, Cpu>;

/// Every latent site of [`Everything`].
fn of_everything(c: f64, steps: usize) -> List {
    let list = Reparam::new().site("z", LocScale::new(c)).site("inner/a", LocScale::new(c));
    let list = list.site("inner/b", LocScale::new(c)).site("local", LocScale::new(c));
    let list = list.optional("extra", LocScale::new(c));
    if steps > 0 { list.site("step_{}", LocScale::new(c)) } else { list }
}

/// ln |det J| of [`of_everything`].
fn jacobian(trace: &Trace<f64, Cpu>, c: f64) -> f64 {
    let count = |start: &str| trace.sites().filter(|s| s.is_latent() && s.address.as_str().starts_with(start)).count();
    (1.0 - c) * (count("step_") as f64 * 0.5_f64.ln() + count("extra") as f64 * 2.0_f64.ln())
}

fn at(trace: &Trace<f64, Cpu>, name: &str) -> f64 {
    trace.value::<Scalar>(name).unwrap_or_else(|| panic!("no site {name}")).item()
}

/// The values of all sites that the first trace has, in both.
fn assert_same_values(a: &Trace<f64, Cpu>, b: &Trace<f64, Cpu>) {
    for site in a.sites().filter(|s| s.kind != SiteKind::Factor) {
        let name = site.address.as_str();
        let numbers = |trace: &Trace<f64, Cpu>| match trace.value::<Vector>(name) {
            Some(vector) => vector.to_vec(),
            None => vec![at(trace, name)],
        };
        numbers(a).into_iter().zip(numbers(b)).for_each(|(a, b)| assert_near(a, b));
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn a_reparameterised_run_is_the_run_in_other_coordinates(
        model in everything(), seed in 0..1000u64, c in prop::sample::select(vec![0.0, 0.3, 1.0]),
    ) {
        let plain = run(&model, seed);
        let moved = run(&model.clone().reparam(of_everything(c, model.steps)), seed);
        // The same draws, and deterministic values that are what they were.
        assert_same_values(&plain, &moved);
        let loc = run_whole(&model, seed).0;
        assert_near(moved.log_prob_sum().item(), model.log_joint(&moved, loc) + jacobian(&moved, c));
        for site in plain.sites().filter(|s| s.is_latent() && s.address.as_str() != "x") {
            let (here, name) = (moved.site(site.address.as_str()).unwrap(), format!("{}_decentered", site.address));
            prop_assert_eq!((here.kind, here.log_prob.item()), (SiteKind::Deterministic, 0.0));
            let latent = moved.site(&name).unwrap();
            prop_assert!(latent.is_latent());
            prop_assert_eq!((&latent.frames, latent.scale), (&site.frames, site.scale));
            prop_assert_eq!(latent.address.scope(), site.address.scope());
            prop_assert_eq!(latent.address.pattern(), format!("{}_decentered", site.address.pattern()));
        }
    }

    #[test]
    fn a_reparameterised_run_can_be_replayed(model in everything(), seed in 0..1000u64) {
        let model = model.clone().reparam(of_everything(0.3, model.steps));
        let first = run(&model, seed);
        prop_assert_eq!(told(&run(&model.clone().replay(shared(&first)), seed + 1)), told(&first));
        prop_assert_eq!(told(&run(&model.clone().seed(seed), 0)), told(&run(&model.clone().seed(seed), 1)));
        let latents = some_latents(&first, |_| true);
        let again = run(&model.replay(shared(&first)).substitute(latents.clone()), seed + 1);
        prop_assert_eq!(told(&again), told(&first));
    }

    #[test]
    fn values_that_the_model_was_given_stay_and_have_their_origin(
        model in everything(), seed in 0..1000u64, c in prop::sample::select(vec![0.0, 0.3, 1.0]),
    ) {
        let plain = run(&model, seed);
        let list = of_everything(c, model.steps);
        let given = run(&model.clone().replay(shared(&plain)).reparam(list.clone()), seed + 1);
        assert_same_values(&plain, &given);
        // The new sites' values give the same ones back.
        let forward = run(&model.replay(shared(&plain)).reparam(list).replay(shared(&given)), seed + 2);
        prop_assert_eq!(told(&forward), told(&given));
        assert_near(given.log_prob_sum().item(), plain.log_prob_sum().item() + jacobian(&given, c));
    }

    #[test]
    fn scales_and_masks_inside_and_outside_are_the_same(model in everything(), seed in 0..1000u64, scale in 0.1..3.0f64) {
        let list = of_everything(0.3, model.steps);
        let inside = run(&model.clone().scale(scale).reparam(list.clone()), seed);
        prop_assert_eq!(told(&run(&model.clone().reparam(list.clone()).scale(scale), seed)), told(&inside));
        let none = SiteMask::All(false);
        let inside = run(&model.clone().mask(none.clone()).reparam(list.clone()), seed);
        prop_assert_eq!(told(&run(&model.reparam(list).mask(none), seed)), told(&inside));
        prop_assert_eq!(inside.log_prob_sum().item(), 0.0);
    }

    #[test]
    fn masks_of_plate_elements_and_subsamples_carry_over(
        data in prop::collection::vec(-2.0..2.0f64, 2..7), seed in 0..1000u64, bits in any::<u32>(),
    ) {
        let (n, b) = (data.len(), data.len() / 2);
        let model = Rows { data, subsample: Some(b) };
        let counts: Vec<bool> = (0..b).map(|i| bits >> i & 1 == 1).collect();
        let mask = SiteMask::Elements(counts.clone().into());
        let masked = model.clone().mask(mask.clone());
        let (plain, moved) = (run(&masked, seed), run(&masked.reparam(local(0.3)), seed));
        let jacobian = 0.7 * 2.0_f64.ln() * counts.iter().filter(|c| **c).count() as f64;
        let scale = n as f64 / b as f64;
        assert_near(moved.log_prob_sum().item(), plain.log_prob_sum().item() + scale * jacobian);
        prop_assert_eq!(told(&run(&model.reparam(local(0.3)).mask(mask), seed)), told(&moved));
    }
}

fn local(c: f64) -> List {
    Reparam::new().site("local", LocScale::new(c))
}

/// z ~ N(2, 3), x ~ N(z, 1) seen as 0.5.
fn pair() -> impl Model<(), E = f64, D = Cpu> + Clone {
    body(|h| {
        let z: Scalar = sample(&mut *h, fixed("z"), number(2.0, 3.0));
        observe(h, fixed("x"), Normal::new(z, 1.0), Scalar::scalar(0.5));
    })
}

fn z(c: f64) -> List {
    Reparam::new().site("z", LocScale::new(c))
}

#[test]
fn conditions_and_interventions() {
    let moved = pair().reparam(z(0.0));
    let seen = run(&moved.clone().condition(value("z_decentered", 0.25)), 0);
    assert_eq!((at(&seen, "z"), seen.site("z_decentered").unwrap().observed), (2.75, true));
    assert_near(seen.log_prob_sum().item(), normal(0.25, 0.0, 1.0) + normal(0.5, 2.75, 1.0));
    // Set from outside, z no longer listens to what is latent; from inside, nothing is latent in its place.
    let outside = run(&moved.clone().intervene(value("z", 1.0)), 0);
    assert_eq!((at(&outside, "z"), kind(&outside, "z")), (1.0, SiteKind::Intervened));
    assert_near(outside.site("x").unwrap().log_prob.item(), normal(0.5, 1.0, 1.0));
    assert!(outside.site("z_decentered").unwrap().is_latent());
    let inside = run(&pair().intervene(value("z", 1.0)).reparam(z(0.0)), 0);
    assert_eq!((names(&inside), kind(&inside, "z")), (vec!["z".to_owned(), "x".to_owned()], SiteKind::Intervened));
    let free = run(&pair().condition(value("z", 1.0)).uncondition().reparam(z(0.0)), 0);
    assert!(free.site("z_decentered").unwrap().is_latent() && free.site("x").unwrap().is_latent());
}

#[test]
fn hidden_sites() {
    let (moved, plain) = (pair().reparam(z(0.0)), run(&pair(), 5));
    let hidden = run(&moved.clone().block(Block::Hide(vec!["z_decentered".into()])), 5);
    assert_eq!(names(&hidden), ["z", "x"]);
    assert_near(at(&hidden, "z"), at(&plain, "z"));
    let error = error(&pair().block(Block::Hide(vec!["z".into()])).reparam(z(0.0)));
    assert!(error.contains("site `z`") && error.contains("no such site"), "{error}");
}

#[test]
fn names_of_families_in_families_of_submodels() {
    let model = body(|h| {
        for i in 0..2 {
            submodel(&mut *h, Address::indexed("group_{}", &[i]), &Inner, (Scalar::scalar(1.0),));
        }
        plate(h, fixed("p"), 2, PlateRows::All, |h, _| {
            sample(&mut *h, Address::indexed("v_{}_{}", &[3, 14]), standard((2usize,)));
            sample(h, Address::indexed("v_{}", &[7]), standard((2usize,)));
        });
    });
    let list = Reparam::new().site("group_{}/a", LocScale::new(0.0)).site("v_{}_{}", LocScale::new(0.0));
    let expected = [
        "group_0/a_decentered",
        "group_0/a",
        "group_0/b",
        "group_1/a_decentered",
        "group_1/a",
        "group_1/b",
        "v_3_14_decentered",
        "v_3_14",
        "v_7",
    ];
    assert_eq!(names(&run(&model.clone().reparam(list), 0)), expected);
    // The first line that fits counts.
    let list = Reparam::new().site("group_1/a", TransformBase).site("group_{}/a", LocScale::new(0.0));
    let error = error(&model.reparam(list));
    assert!(error.contains("site `group_1/a`") && error.contains("no base"), "{error}");
}

#[test]
fn a_submodel_can_be_reparameterised_within_its_scope() {
    let inner = Inner.reparam(Reparam::new().site("outer/a", LocScale::new(0.0)));
    let model = body(move |h| {
        submodel(h, fixed("outer"), &inner, (Scalar::scalar(1.0),));
    });
    assert_eq!(names(&run(&model, 0)), ["outer/a_decentered", "outer/a", "outer/b"]);
}

#[test]
fn what_cannot_be_reparameterised_is_told_by_name() {
    let says = |list: List, parts: &[&str]| {
        let model = body(|h| {
            let rate: Scalar = sample(&mut *h, fixed("rate"), Beta::new(2.0, 3.0));
            observe(&mut *h, fixed("x"), Normal::new(&rate, 1.0), Scalar::scalar(0.5));
            factor(h, fixed("f"), rate);
        });
        let moved = model.clone().reparam(list);
        let error = error(&moved);
        parts.iter().for_each(|part| assert!(error.contains(part), "`{part}` is not in: {error}"));
        // The run goes on, with the site as it was.
        assert_eq!(told(&run_whole(&moved, 0).1), told(&run(&model, 0)));
    };
    let centred = LocScale::new(0.5);
    says(Reparam::new().site("x", centred), &["site `x`", "it is data", "latent sites"]);
    says(Reparam::new().site("f", centred), &["site `f`", "not random"]);
    says(Reparam::new().site("rate", centred), &["site `rate`", "Beta", "no location and scale", "Normal"]);
    says(Reparam::new().site("rate", TransformBase), &["site `rate`", "Beta", "no base", "TransformedDistribution"]);
    says(Reparam::new().site("raet", centred), &["site `raet`", "LocScale", "no such site", "check the name"]);
    says(Reparam::new().site("r_{}", centred), &["site `r_{}`", "no such site"]);
    for c in [-0.1, 1.5, f64::NAN] {
        says(Reparam::new().site("rate", LocScale::new(c)), &["site `rate`", "[0, 1]", &c.to_string()]);
    }
    let twice = Reparam::new().optional("rate", TransformBase).optional("nobody", centred);
    says(twice, &["site `rate`", "no base"]);
}

#[test]
fn values_that_do_not_fit_and_conditions_on_what_is_no_longer_random() {
    let moved = pair().reparam(z(0.0));
    let mut long = ValueMap::new();
    long.put("z_decentered", Some(Vector::vector(vec![0.0, 1.0])));
    let wrong = error(&moved.clone().substitute(long));
    assert!(wrong.contains("site `z_decentered`") && wrong.contains("substitute"), "{wrong}");
    let wrong = error(&moved.condition(value("z", 1.0)));
    assert!(wrong.contains("site `z`") && wrong.contains("cannot be observed"), "{wrong}");
    let wrong = error(&pair().condition(value("z", 1.0)).reparam(z(0.0)));
    assert!(wrong.contains("site `z`") && wrong.contains("it is data"), "{wrong}");
}
