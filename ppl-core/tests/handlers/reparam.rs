//! Sites by way of other sites: the change of variables, gradients, and what it leaves alone.

use ppl_core::autodiff::grad;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{
    AsymmetricLaplace, Cauchy, Exponential, Gamma, Gumbel, HalfCauchy, HalfNormal, InverseGamma, Laplace, LogNormal,
    Logistic, MultivariateNormal, MultivariateStudentT, Normal, Pareto, StudentT, TransformedDistribution, Weibull,
};
use ppl_core::handlers::{LocScale, Reparam, TransformBase};
use ppl_core::model::Program;
use ppl_core::primitives::{observe, sample};
use ppl_core::shared::Shared;
use ppl_core::site::SiteKind;
use ppl_core::trace::Trace;
use ppl_core::transform::{Affine, Exp, LowerCholeskyAffine};
use ppl_core::values::{AnyValue, SiteValue};
use ppl_core::{Axes2, Axis, Cpu, Tensor};

use super::models::*;

type List = Reparam<f64, Cpu>;

/// How much of location and scale stays in the distribution.
const CENTERED: [f64; 4] = [0.0, 0.3, 0.8, 1.0];

const LOCS: [f64; 6] = [0.5, -1.0, 3.0, 0.0, 10.0, -0.2];
const SCALES: [f64; 6] = [0.7, 2.0, 0.1, 1.0, 4.0, 1.5];

/// The log-densities and values of `theta` and of the site in its place, in runs of the same seed without and
/// with a strategy for `theta`.
fn with_and_without<P: Distribution<f64, Cpu> + Shared>(dist: P, list: List) -> (Trace<f64, Cpu>, Trace<f64, Cpu>) {
    let model = body(move |h| {
        sample(h, fixed("theta"), dist.clone());
    });
    (run(&model, 3), run(&model.reparam(list), 3))
}

fn loc_scale(centered: f64) -> List {
    Reparam::new().site("theta", LocScale::new(centered))
}

/// The numbers of a vector or of a matrix.
fn numbers_of(value: &dyn AnyValue) -> Vec<f64> {
    let value = value.as_any();
    match value.downcast_ref::<Vector>() {
        Some(vector) => vector.to_vec(),
        None => value.downcast_ref::<Matrix>().expect("a vector or a matrix").to_vec(),
    }
}

fn numbers<V: SiteValue + Clone>(trace: &Trace<f64, Cpu>, name: &str, to_vec: fn(&V) -> Vec<f64>) -> Vec<f64> {
    to_vec(trace.value::<V>(name).unwrap_or_else(|| panic!("no site {name}")))
}

#[track_caller]
fn assert_all_near(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).for_each(|(&a, &b)| assert!((a - b).abs() <= 1e-12 * (1.0 + a.abs().max(b.abs())), "{a} and {b}"));
}

/// Whether draws are what they are without a strategy, and densities differ by the Jacobian.
fn check_loc_scale<P: Distribution<f64, Cpu, Value = Vector> + Shared>(
    of: impl Fn(Vector, Vector) -> P,
    counts: &[bool],
) {
    for c in CENTERED {
        let dist = of(Vector::vector(LOCS.into()), Vector::vector(SCALES.into()));
        let name = dist.name();
        let (without, with) = with_and_without(dist, loc_scale(c));
        assert_eq!(names(&with), ["theta_decentered", "theta"], "{name}");
        let [theta, before] = [&with, &without].map(|trace| numbers(trace, "theta", Vector::to_vec));
        assert_all_near(&theta, &before);
        let d = numbers(&with, "theta_decentered", Vector::to_vec);
        let affine = |i: usize| LOCS[i] + SCALES[i].powf(1.0 - c) * (d[i] - c * LOCS[i]);
        assert_all_near(&theta, &(0..6).map(affine).collect::<Vec<_>>());
        let jacobian = |i: usize| if counts[i] { (1.0 - c) * SCALES[i].ln() } else { 0.0 };
        let expected = without.log_prob_sum().item() + (0..6).map(jacobian).sum::<f64>();
        assert_all_near(&[with.log_prob_sum().item()], &[expected]);
        let (latent, site) = (with.site("theta_decentered").unwrap(), with.site("theta").unwrap());
        assert!(latent.is_latent() && latent.distribution == name && latent.has_rsample);
        assert_eq!((site.kind, site.log_prob.item(), site.observed), (SiteKind::Deterministic, 0.0, false));
    }
}

#[test]
fn families_with_location_and_scale_change_their_variables() {
    let all = [true; 6];
    check_loc_scale(Normal::new, &all);
    check_loc_scale(|loc, scale| StudentT::new(3.5, loc, scale), &all);
    check_loc_scale(Cauchy::new, &all);
    check_loc_scale(Laplace::new, &all);
    check_loc_scale(|loc, scale| AsymmetricLaplace::new(loc, scale, 1.7), &all);
    check_loc_scale(Logistic::new, &all);
    check_loc_scale(Gumbel::new, &all);
    let some = [true, false, true, true, false, true];
    check_loc_scale(|loc, scale| Normal::new(loc, scale).to_event::<Axis<0>>(), &all);
    check_loc_scale(move |loc, scale| Laplace::new(loc, scale).mask(some), &some);
    check_loc_scale(move |loc, scale| Normal::new(loc, scale).mask(some).to_event::<Axis<0>>(), &some);
}

#[test]
fn events_and_their_batches_keep_their_shape() {
    for c in CENTERED {
        let scale = Matrix::from_vec(SCALES.into(), (2, 3));
        let (without, with) = with_and_without(Normal::new(2.0, scale).to_event::<Axes2<0, 1>>(), loc_scale(c));
        assert_eq!(with.value::<Matrix>("theta").unwrap().dims(), [2, 3]);
        let jacobian: f64 = SCALES.iter().map(|s| (1.0 - c) * s.ln()).sum();
        assert_near(with.log_prob_sum().item(), without.log_prob_sum().item() + jacobian);
    }
}

/// What flows to location and scale, from a density of what follows and the latent site's own.
fn flows(model: impl Fn(&Scalar, &Scalar) -> Scalar) -> [f64; 3] {
    let (loc, scale) = (Scalar::scalar(1.3).tracked(), Scalar::scalar(2.5).tracked());
    let (value, grads) = grad(|| model(&loc, &scale));
    [value.item(), grads.get(&loc).map_or(0.0, |g| g.item()), grads.get(&scale).map_or(0.0, |g| g.item())]
}

#[test]
fn gradients_reach_location_and_scale_through_both() {
    for c in CENTERED {
        let d = 0.4;
        let through_sites = flows(|loc, scale| {
            let (loc, scale) = (loc.clone(), scale.clone());
            let model = body(move |h| {
                let theta = sample(&mut *h, fixed("theta"), Normal::new(&loc, &scale));
                observe(h, fixed("x"), Normal::new(theta, 0.5), Scalar::scalar(2.0));
            });
            run(&model.reparam(loc_scale(c)).substitute(value("theta_decentered", d)), 0).log_prob_sum()
        });
        let by_hand = flows(|loc, scale| {
            let latent = Scalar::scalar(d);
            let theta = loc + scale.powf(1.0 - c) * (&latent - loc * c);
            let density = Normal::new(theta, 0.5).log_prob(&Scalar::scalar(2.0));
            density + Normal::new(loc * c, scale.powf(c)).log_prob(&latent)
        });
        assert_all_near(&through_sites, &by_hand);
    }
}

#[test]
fn a_scalar_location_under_a_tracked_scale_of_each() {
    let scale = Vector::vector(SCALES.into()).tracked();
    let (value, grads) = grad(|| {
        let scale = scale.clone();
        let model = body(move |h| {
            sample(h, fixed("theta"), Normal::new(1.5, &scale));
        });
        let given = values("theta_decentered", Vector::vector(vec![0.25; 6]));
        let trace = run(&model.reparam(loc_scale(0.3)).substitute(given), 0);
        trace.value::<Vector>("theta").unwrap().sum_all()
    });
    // θ = loc + s^0.7 (d − 0.3 loc)
    let expected: Vec<f64> = SCALES.iter().map(|s| 0.7 * s.powf(-0.3) * (0.25 - 0.45)).collect();
    assert_all_near(&grads.get(&scale).unwrap().to_vec(), &expected);
    assert_near(value.item(), SCALES.iter().map(|s| 1.5 + s.powf(0.7) * (0.25 - 0.45)).sum());
}

/// The base's value, and both runs' log-densities with ln |det J| between them.
fn check_transform<P, B>(dist: P, base: &str, to_vec: fn(&B) -> Vec<f64>, log_det: impl Fn(&[f64]) -> f64) -> Vec<f64>
where
    P: Distribution<f64, Cpu> + Shared,
    B: SiteValue,
{
    let (without, with) = with_and_without(dist, Reparam::new().site("theta", TransformBase));
    assert_eq!(names(&with), ["theta_base", "theta"]);
    let [theta, before] = [&with, &without].map(|trace| {
        let site = trace.site("theta").unwrap();
        numbers_of(&*site.value)
    });
    assert_all_near(&theta, &before);
    assert_eq!(with.site("theta_base").unwrap().distribution, base);
    assert_eq!((kind(&with, "theta"), kind(&with, "theta_base")), (SiteKind::Deterministic, SiteKind::Sample));
    let point = numbers(&with, "theta_base", to_vec);
    assert_all_near(&[with.log_prob_sum().item()], &[without.log_prob_sum().item() + log_det(&point)]);
    point
}

#[test]
fn transformed_distributions_have_their_base_in_their_place() {
    let (loc, scale) = (Vector::vector(vec![0.5, -1.0, 0.25]), Vector::vector(vec![0.7, 0.2, 1.5]));
    let log_scales = || [0.7_f64, 0.2, 1.5].iter().map(|s| s.ln()).sum::<f64>();
    let sum = |x: &[f64]| x.iter().sum::<f64>();
    check_transform(LogNormal::new(&loc, &scale), "Normal", Vector::to_vec, sum);
    let moved = TransformedDistribution::new(standard((3usize,)), Affine::new(loc.clone(), scale.clone()));
    check_transform(moved.clone(), "Normal", Vector::to_vec, |_| log_scales());
    check_transform(moved.to_event::<Axis<0>>(), "Normal", Vector::to_vec, |_| log_scales());
    let twice = TransformedDistribution::new(LogNormal::new(&loc, &scale).mask([true; 3]), Exp);
    check_transform(twice, "LogNormal", Vector::to_vec, sum);
}

#[test]
fn a_multivariate_normal_is_the_image_of_a_standard_one() {
    let factor =
        Tensor::<(usize, usize, usize), f64>::from_vec(vec![2.0, 0.0, 0.5, 1.5, 0.25, 0.0, -1.0, 4.0], (2, 2, 2));
    let loc = Matrix::from_vec(vec![1.0, -1.0, 0.5, 3.0], (2, 2));
    let log_det = (2.0_f64 * 1.5 * 0.25 * 4.0).ln();
    let normal = MultivariateNormal::<_, f64, Cpu>::from_scale_tril(&loc, &factor);
    let df = Vector::vector(vec![3.0, 4.5]);
    let robust = MultivariateStudentT::<_, f64, Cpu>::new(df, &loc, factor);
    check_transform(robust, "MultivariateStudentT", Matrix::to_vec, |_| log_det);
    let z = check_transform(normal, "MultivariateNormal", Matrix::to_vec, |_| log_det);
    assert!(z.iter().all(|z| z.abs() < 5.0));
    // A flow over rows goes the same way.
    let map =
        LowerCholeskyAffine::new(Vector::vector(vec![1.0, -1.0]), Matrix::from_vec(vec![2.0, 0.0, 0.5, 1.5], (2, 2)));
    let rows = standard((5usize, 2usize)).to_event::<Axis<1>>();
    check_transform(TransformedDistribution::new(rows, map), "Normal", Matrix::to_vec, |_| 5.0 * 3.0_f64.ln());
}

#[test]
fn scales_and_rates_are_taken_out_of_their_families() {
    let (shape, scale) = (Vector::vector(vec![2.5, 0.8, 1.5]), Vector::vector(vec![0.7, 0.2, 1.5]));
    let log_scales = [0.7_f64, 0.2, 1.5].iter().map(|s| s.ln()).sum::<f64>();
    check_transform(HalfNormal::new(&scale), "HalfNormal", Vector::to_vec, |_| log_scales);
    check_transform(HalfCauchy::new(&scale), "HalfCauchy", Vector::to_vec, |_| log_scales);
    check_transform(Weibull::new(&scale, &shape), "Weibull", Vector::to_vec, |_| log_scales);
    check_transform(Pareto::new(&scale, &shape), "Pareto", Vector::to_vec, |_| log_scales);
    check_transform(InverseGamma::new(&shape, &scale), "InverseGamma", Vector::to_vec, |_| log_scales);
    check_transform(Gamma::new(&shape, &scale), "Gamma", Vector::to_vec, |_| -log_scales);
    check_transform(Exponential::new(&scale), "Exponential", Vector::to_vec, |_| -log_scales);
    // What flows to a rate: x = base / rate.
    let rate = Scalar::scalar(2.5).tracked();
    let (_, grads) = grad(|| {
        let rate = rate.clone();
        let model = body(move |h| {
            let _: Scalar = sample(h, fixed("theta"), Gamma::new(3.0, &rate));
        });
        let list = Reparam::new().site("theta", TransformBase);
        let trace = run(&model.reparam(list).substitute(value("theta_base", 2.0)), 0);
        trace.value::<Scalar>("theta").unwrap() + trace.log_prob_sum()
    });
    assert_near(grads.get(&rate).unwrap().item(), -2.0 / 6.25);
}

#[test]
fn strategies_follow_one_another() {
    let (loc, scale) = (Vector::vector(LOCS.into()), Vector::vector(SCALES.into()));
    let list = Reparam::new().site("theta", TransformBase).site("theta_base", LocScale::new(0.0));
    let (without, with) = with_and_without(LogNormal::new(loc, scale), list);
    assert_eq!(names(&with), ["theta_base_decentered", "theta_base", "theta"]);
    let [theta, before] = [&with, &without].map(|trace| numbers(trace, "theta", Vector::to_vec));
    assert_all_near(&theta, &before);
    let z = numbers(&with, "theta_base_decentered", Vector::to_vec);
    assert_near(with.log_prob_sum().item(), z.iter().map(|&z| normal(z, 0.0, 1.0)).sum());
}
