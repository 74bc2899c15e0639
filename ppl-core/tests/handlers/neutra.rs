//! All latent sites by way of one vector: the change of variables, what it leaves alone, what is wrong.

use ppl_core::Cpu;
use ppl_core::address::Address;
use ppl_core::distributions::{Bernoulli, LogNormal, Normal};
use ppl_core::flows::AffineCoupling;
use ppl_core::handlers::NeuTra;
use ppl_core::model::{Model, Program};
use ppl_core::params::Init;
use ppl_core::plate::PlateRows;
use ppl_core::primitives::{observe, plate, sample, submodel};
use ppl_core::rng::Rng;
use ppl_core::site::{SiteKind, SiteMask};
use ppl_core::transform::{Affine, Exp, Softmax, Transform};

use super::models::*;

/// rate ~ LogNormal(0, 1), x ~ N(0, rate) for three rows, y ~ N(x, 1) seen as 0.5 each.
fn rows() -> impl Model<(), E = f64, D = Cpu> + Clone {
    body(|h| {
        let rate: Scalar = sample(&mut *h, fixed("rate"), LogNormal::new(0.0, 1.0));
        plate(h, fixed("rows"), 3, PlateRows::All, |h, _| {
            let x: Vector = sample(&mut *h, fixed("x"), Normal::new(0.0, rate.spread((3usize,))));
            observe(h, fixed("y"), Normal::new(x, 1.0), Vector::vector(vec![0.5; 3]));
        });
    })
}

fn map() -> Affine<f64, Cpu> {
    Affine::new(Vector::vector(vec![0.1, 0.2, 0.3, 0.4]), Vector::vector(vec![2.0, 0.5, -1.5, 0.25]))
}

fn z() -> ppl_core::values::ValueMap {
    values("neutra_base", Vector::vector(vec![0.3, -1.0, 0.8, 2.0]))
}

#[test]
fn the_density_is_the_models_at_the_image_with_the_jacobians() {
    let trace = run(&rows().neutra(NeuTra::new(map(), 4)).substitute(z()), 0);
    assert_eq!(names(&trace), ["neutra_base", "rate_log_prob", "rate", "x_log_prob", "x", "y", "neutra_log_det"]);
    let image = map().forward(trace.value::<Vector>("neutra_base").unwrap().clone()).to_vec();
    let rate = image[0].exp();
    assert_near(trace.value::<Scalar>("rate").unwrap().item(), rate);
    assert_eq!(trace.value::<Vector>("x").unwrap().to_vec(), image[1..]);
    let rate_log_prob = normal(image[0], 0.0, 1.0) - image[0];
    assert_near(trace.site("rate_log_prob").unwrap().log_prob.item(), rate_log_prob);
    let x: f64 = image[1..].iter().map(|&x| normal(x, 0.0, rate)).sum();
    assert_near(trace.site("x_log_prob").unwrap().log_prob.item(), x);
    // ln |det| of the affine map, and of the exponential.
    let log_det = (2.0_f64 * 0.5 * 1.5 * 0.25).ln() + image[0];
    assert_near(trace.site("neutra_log_det").unwrap().log_prob.item(), log_det);
    let data: f64 = image[1..].iter().map(|&x| normal(0.5, x, 1.0)).sum();
    assert_near(trace.log_prob_sum().item(), rate_log_prob + x + log_det + data);
    assert_eq!((kind(&trace, "x"), kind(&trace, "x_log_prob")), (SiteKind::Deterministic, SiteKind::Factor));
    let latent: Vec<_> = trace.sites().filter(|s| s.is_latent()).map(|s| s.address.to_string()).collect();
    assert_eq!((latent, trace.site("neutra_base").unwrap().log_prob.item()), (vec!["neutra_base".to_owned()], 0.0));
}

#[test]
fn masks_and_plates_carry_over_to_the_factors() {
    let counts = SiteMask::Elements([true, false, true].into());
    let x_and_data = body(|h| {
        plate(h, fixed("rows"), 3, PlateRows::Subsample(3), |h, _| {
            let x: Vector = sample(&mut *h, fixed("x"), standard((3usize,)));
            observe(h, fixed("y"), Normal::new(x, 1.0), Vector::vector(vec![0.5; 3]));
        });
    });
    let neutra = NeuTra::new(Exp, 3);
    let given = || values("neutra_base", Vector::vector(vec![0.0, 0.5, 1.0]));
    let inside = run(&x_and_data.clone().mask(counts.clone()).scale(2.0).neutra(neutra).substitute(given()), 0);
    let x = [1.0, 0.5_f64.exp(), 1.0_f64.exp()];
    let of = |i: usize| 2.0 * normal(x[i], 0.0, 1.0);
    assert_near(inside.site("x_log_prob").unwrap().log_prob.item(), of(0) + of(2));
    // The Jacobian is not scaled.
    assert_near(inside.site("neutra_log_det").unwrap().log_prob.item(), 1.5);
    assert_eq!(inside.site("x_log_prob").unwrap().frames.len(), 1);
}

#[test]
fn a_run_can_be_replayed_and_draws_are_standard_normal() {
    let model = rows().neutra(NeuTra::new(AffineCoupling::new(&mut Init::new(Rng::seed(1)), 4, &[5]), 4));
    let first = run(&model, 7);
    assert_eq!(told(&run(&model.clone().replay(shared(&first)), 8)), told(&first));
    // 4000 draws: mean and mean square are within 5 standard errors of 0 and 1, but with probability 1e-6 each.
    let draws: Vec<f64> =
        (0..1000).flat_map(|seed| run(&model, seed).value::<Vector>("neutra_base").unwrap().to_vec()).collect();
    let mean = |f: fn(f64) -> f64| draws.iter().map(|&z| f(z)).sum::<f64>() / 4000.0;
    assert!(
        mean(|z| z).abs() < 5.0 / 4000.0_f64.sqrt() && (mean(|z| z * z) - 1.0).abs() < 5.0 * (2.0 / 4000.0_f64).sqrt()
    );
}

#[test]
fn data_and_interventions_are_left_alone() {
    let short = Affine::new(Vector::vector(vec![1.0]), Vector::vector(vec![2.0]));
    let model = rows().condition(values("x", Vector::vector(vec![0.1, 0.2, 0.3])));
    let trace = run(&model.neutra(NeuTra::new(short.clone(), 1)), 0);
    assert!(trace.site("x").unwrap().observed && trace.site("x_log_prob").is_none());
    let set = rows().intervene(values("x", Vector::vector(vec![0.1, 0.2, 0.3])));
    let trace = run(&set.neutra(NeuTra::new(short, 1)), 0);
    assert_eq!(kind(&trace, "x"), SiteKind::Intervened);
}

#[test]
fn each_of_several_submodels_has_its_own_vector() {
    let inner = Inner.neutra(NeuTra::new(Affine::new(Vector::vector(vec![0.0; 2]), Vector::vector(vec![1.0; 2])), 2));
    let model = body(move |h| {
        for i in 0..2 {
            submodel(&mut *h, Address::indexed("part_{}", &[i]), &inner, (Scalar::scalar(1.0),));
        }
    });
    let names = names(&run(&model, 0));
    assert_eq!(names.iter().filter(|name| name.ends_with("neutra_base")).count(), 2);
    assert_eq!((names[0].as_str(), names[5].as_str()), ("part_0/neutra_base", "part_0/neutra_log_det"));
}

#[test]
fn vectors_and_sites_that_do_not_fit_are_told_by_name() {
    let says = |error: String, parts: &[&str]| {
        parts.iter().for_each(|part| assert!(error.contains(part), "`{part}` is not in: {error}"));
    };
    let elementwise = |len: usize| NeuTra::new(Exp, len);
    says(error(&rows().neutra(elementwise(3))), &["site `x`", "needs 3 numbers", "3 numbers 1 are taken"]);
    says(error(&rows().neutra(elementwise(6))), &["site `neutra_base`", "6 numbers", "took 4"]);
    let flow = AffineCoupling::new(&mut Init::new(Rng::seed(1)), 3, &[5]);
    says(
        error(&rows().neutra(NeuTra::new(flow, 4))),
        &["site `neutra_base`", "AffineCoupling", "rows of 3", "4 numbers"],
    );
    says(error(&rows().neutra(NeuTra::new(Softmax::new(4), 4))), &["site `neutra_base`", "Softmax", "one-to-one"]);
    let given = rows().substitute(value("rate", 1.0));
    says(error(&given.neutra(elementwise(4))), &["site `rate`", "has a value already", "`neutra_base`"]);
    let discrete = body(|h| {
        sample(h, fixed("coin"), Bernoulli::<(), f64, Cpu>::new(0.3));
    });
    says(error(&discrete.neutra(elementwise(1))), &["site `coin`", "discrete"]);
    let none = body(|h| {
        observe(h, fixed("x"), number(0.0, 1.0), Scalar::scalar(1.0));
    });
    says(error(&none.neutra(elementwise(1))), &["site `neutra_base`", "took 0"]);
}
