//! Normal distributions of sites given others: with the posterior's dependencies they are the posterior.

use ppl::handlers::{Params, Prior, Tracer};
use ppl::infer::AutoStructured;
use ppl::infer::autoguide::{AutoGuideList, Blocks, Conditional, Structured};
use ppl::prelude64::*;

use crate::plane::{close, data, exact, fit, inverse, plane};

fn guide(structure: Structured) -> AutoStructured<plane, f64> {
    let (x, w, y) = data();
    AutoStructured::new(plane, structure, (&x, &w, &y)).unwrap()
}

#[test]
fn with_all_dependencies_it_is_the_posterior() {
    let exact = exact();
    // The order of the model does not matter: `a` comes last.
    let all = Structured::new(Conditional::Normal).depends("b", "c").depends("a", "b").depends("a", "c");
    let guide = guide(all);
    let (params, elbo, error) = fit(guide.clone());
    let normal = guide.posterior(&params);
    close(&normal.loc, &normal.covariance, &exact.mean, &exact.covariance);
    // Five standard errors, and what the fit may lack.
    assert!((elbo - exact.log_evidence).abs() < 5.0 * error + 0.005, "{elbo} ± {error} for {}", exact.log_evidence);
}

/// Given `a`, the numbers `b` and `c` are best with the precisions that they have given all others, and with their exact
/// means, whatever `a` is; so `a` has its exact distribution, and the divergence is that of a mean field of two numbers.
#[test]
fn with_some_dependencies_it_is_the_best_that_has_them() {
    let exact = exact();
    let guide = guide(Structured::new(Conditional::Normal).depends("b", "a").depends("c", "a"));
    let (params, elbo, error) = fit(guide.clone());
    let p = &exact.precision;
    let both = p[1][1] * p[2][2] - p[1][2] * p[2][1];
    let divergence = 0.5 * (p[1][1] * p[2][2] / both).ln();
    assert!(divergence > 0.05, "b and c correlated given a");
    assert!((elbo - (exact.log_evidence - divergence)).abs() < 5.0 * error + 0.005, "{elbo} ± {error}");
    let normal = guide.posterior(&params);
    // The variances are those of the normal distribution whose precision is without the term between b and c, but for
    // that of a, which is exact: its own diagonal is what the others leave.
    let s = &exact.covariance;
    let entry = |i: usize, j: usize| {
        let own = if i == j && i > 0 { p[i][i].recip() } else { 0.0 };
        s[i][0] * s[j][0] / s[0][0] + own
    };
    let covariance = (0..3).map(|i| (0..3).map(|j| entry(i, j)).collect()).collect();
    close(&normal.loc, &normal.covariance, &exact.mean, &covariance);
}

type Pair = Tensor<Rank1<2>>;

#[model]
fn three() {
    let _: Pair = sample!("u", Normal::new(Pair::zeros(), 1.0).to_event::<Axis<0>>());
    let _: Tensor<()> = sample!("v", Normal::new(0.0, 1.0));
    let _: Pair = sample!("w", Normal::new(Pair::zeros(), 1.0).to_event::<Axis<0>>());
}

/// A store in which no parameter is 0, and all differ.
fn store(guide: &AutoStructured<three, f64>) -> ParamStore<f64, Cpu> {
    let mut store = ParamStore::new(0);
    drawn(guide, &mut store, 0);
    let mut next = 0.0;
    store.each_tensor_mut(|_, tensor| {
        let n = tensor.dims().iter().product::<usize>();
        let values: Vec<f64> = (0..n).map(|i| 0.4 * f64::sin(1.7 * i as f64 + next + 1.0)).collect();
        next += 0.9;
        tensor.set(&values).unwrap();
    });
    store
}

/// The unconstrained numbers of a draw of the guide, and their log-density: the values are unconstrained already.
fn drawn(guide: &AutoStructured<three, f64>, store: &mut ParamStore<f64, Cpu>, seed: u64) -> (Vec<f64>, f64) {
    let mut prior = Prior::seeded(seed);
    let mut params = Params::new(store, &mut prior);
    let mut tracer = Tracer::new(&mut params);
    guide.run(&mut tracer, ());
    let trace = tracer.into_trace();
    let numbers = ["u", "v", "w"].map(|name| trace.site(name).unwrap().value.to_f64s().unwrap()).concat();
    (numbers, trace.log_prob_sum().item())
}

#[test]
fn the_density_of_a_draw_is_that_of_the_joint_normal_distribution() {
    for structure in [
        Structured::new(Conditional::MultivariateNormal).depends("v", "u").depends("w", "u").depends("w", "v"),
        Structured::new(Conditional::Normal)
            .site("w", Conditional::MultivariateNormal)
            .depends("u", "w")
            .depends("v", "u"),
    ] {
        let guide = AutoStructured::new(three, structure, ()).unwrap();
        let mut params = store(&guide);
        let normal = guide.posterior(&params);
        let (precision, inverse_det) = inverse(&normal.covariance);
        assert!(normal.covariance[0][4].abs() > 1e-3, "correlated: {:?}", normal.covariance);
        for seed in 0..3 {
            let (numbers, log_density) = drawn(&guide, &mut params, seed);
            let off: Vec<f64> = numbers.iter().zip(&normal.loc).map(|(z, m)| z - m).collect();
            let square: f64 = (0..5).map(|i| (0..5).map(|j| off[i] * precision[i][j] * off[j]).sum::<f64>()).sum();
            let expected = -0.5 * (5.0 * std::f64::consts::TAU.ln() + inverse_det.ln() + square);
            assert!((log_density - expected).abs() < 1e-9, "{log_density} for {expected}");
        }
    }
}

#[test]
fn a_point_follows_what_it_depends_on() {
    let structure =
        Structured::new(Conditional::Normal).site("v", Conditional::Delta).depends("v", "u").depends("w", "v");
    let guide = AutoStructured::new(three, structure, ()).unwrap();
    let mut params = store(&guide);
    let values = |name: &str| params.constrained(name).unwrap().to_vec();
    let (scale, weight) = (values("auto_scale.u"), values("auto_weight.v.u"));
    let normal = guide.posterior(&params);
    let (numbers, _) = drawn(&guide, &mut params, 1);
    let expected: f64 =
        normal.loc[2] + (0..2).map(|k| weight[k] * (numbers[k] - normal.loc[k]) / scale[k]).sum::<f64>();
    assert!((numbers[2] - expected).abs() < 1e-12, "{} for {expected}", numbers[2]);
    assert!((normal.covariance[2][2] - (weight[0].powi(2) + weight[1].powi(2))).abs() < 1e-12);
    assert!((normal.covariance[2][0] - weight[0] * scale[0]).abs() < 1e-12);
}

#[test]
fn circles_and_unknown_names_are_errors_with_the_site() {
    let (x, w, y) = data();
    let refused = |structure: Structured| AutoStructured::new(plane, structure, (&x, &w, &y)).unwrap_err().to_string();
    let normal = || Structured::new(Conditional::Normal);
    let error = refused(normal().depends("c", "a").depends("a", "b").depends("b", "a"));
    assert!(error.contains("site `a`") && error.contains("`a` depends on `b` depends on `a`"), "{error}");
    let error = refused(normal().depends("b", "*"));
    assert!(error.contains("site `b`") && error.contains("upstream of itself"), "{error}");
    let error = refused(normal().depends("b", "slope"));
    assert!(error.contains("`slope`") && error.contains("`a`, `b`, `c`"), "{error}");
    let error = refused(normal().site("slope", Conditional::Delta));
    assert!(error.contains("`slope`"), "{error}");
    // In a block, the sites of other blocks are unknown.
    let blocks = Blocks::new().block(["a", "b"], normal().depends("a", "c")).rest(normal());
    let error = AutoGuideList::<_, f64, Cpu>::of(plane, blocks, (&x, &w, &y)).unwrap_err().to_string();
    assert!(error.contains("`c`") && error.contains("`a`, `b`"), "{error}");
}
