//! What a draw of a model holds: latent and deterministic sites by name, constrained, in the order of the model.

use ppl::infer::draws::Role;
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{LogDensity, Mcmc, McmcOptions, ModelDensity, Target};
use ppl::prelude64::*;

type Scalar = Tensor<()>;
type Pair = Tensor<Rank1<2>>;

#[model]
fn inner() -> Scalar {
    let rate: Scalar = sample!("rate", Gamma::new(3.0, 2.0));
    rate
}

#[model]
fn everything(y: &Pair) {
    let weights: Tensor<Rank1<3>> = sample!("weights", Dirichlet::new(Tensor::from([2.0, 3.0, 4.0])));
    let rate: Scalar = submodel!("inner", inner());
    deterministic!("half", &rate * 0.5);
    let mut at = rate;
    for t in 0..2 {
        at = sample!("z_{t}": Scalar, Normal::new(at, 1.0));
    }
    plate!("pair", 2, |_| {
        let effect: Pair = sample!("effect", Normal::new(at.broadcast::<Rank1<2>, _>(), 1.0));
        sample!("y", Normal::new(effect, weights.at(0) + 0.1), obs = y);
    });
}

#[test]
fn every_site_has_its_place_in_the_order_of_the_model() {
    let y = Tensor::from([0.5, -0.5]);
    let mut density = ModelDensity::new(everything, &y).unwrap();
    let variables = density.variables().unwrap();
    let found: Vec<_> = variables.iter().map(|v| (v.name.as_str(), v.dims.clone(), v.role, v.range.clone())).collect();
    let expected = [
        ("weights", vec![3], Role::Latent, 0..3),
        ("inner/rate", vec![], Role::Latent, 3..4),
        ("half", vec![], Role::Deterministic, 4..5),
        ("z_0", vec![], Role::Latent, 5..6),
        ("z_1", vec![], Role::Latent, 6..7),
        ("effect", vec![2], Role::Latent, 7..9),
    ];
    assert_eq!(found, expected);
    assert_eq!(density.dim(), 2 + 1 + 2 + 2);

    // The trace at the position has the same values.
    let position = [0.3, -0.2, 0.7, 1.1, -0.4, 0.9, 0.25];
    let mut row = vec![-7.0];
    density.values(&position, &mut row).unwrap();
    assert_eq!(row[0], -7.0, "numbers are added");
    let trace: EverythingTrace = density.trace(&position).unwrap().typed().unwrap();
    let rate = trace.inner.rate.value.item();
    let (weights, effect) = (trace.weights.value.to_vec(), trace.effect.value.to_vec());
    let expected =
        [&weights[..], &[rate, 0.5 * rate, trace.z[&0].value.item(), trace.z[&1].value.item()], &effect].concat();
    assert_eq!(row[1..], expected);
    assert_eq!(rate, 0.7_f64.exp());
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-15);
}

#[test]
fn draws_are_reached_by_name() {
    let y = Tensor::from([0.5, -0.5]);
    let options = McmcOptions { chains: 2, warmup: 100, draws: 50, ..McmcOptions::default() };
    let mut mcmc = Mcmc::new(everything, &y, NutsOptions::default(), options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    let rate = draws.quantity("inner/rate").unwrap();
    let half = draws.quantity("half").unwrap();
    assert_eq!((rate.len(), rate[0].len()), (2, 50));
    assert_eq!(rate.concat().iter().map(|r| 0.5 * r).collect::<Vec<_>>(), half.concat());
    let weights = draws.values("weights").unwrap();
    assert_eq!(weights.len(), 100);
    assert!(weights.iter().all(|w| (w.iter().sum::<f64>() - 1.0).abs() < 1e-12));
    let second = draws.quantity("weights[1]").unwrap().concat();
    assert_eq!(weights.iter().map(|w| w[1]).collect::<Vec<_>>(), second);
    let names: Vec<String> = draws.summary().unwrap().rows.into_iter().map(|row| row.name).collect();
    assert_eq!(names[..4], ["weights[0]", "weights[1]", "weights[2]", "inner/rate"]);

    let error = draws.quantity("weight").unwrap_err().to_string();
    assert!(error.starts_with("no variable is called `weight`; there are `weights`, `inner/rate`"), "{error}");
    let error = draws.quantity("weights[3]").unwrap_err().to_string();
    assert_eq!(error, "no variable is called `weights[3]`; there are `weights` of sizes [3]");
}

/// Deterministic values that some runs lack are NaN; those of another size are an error.
#[model]
fn sometimes(grows: &bool) {
    let x: Scalar = sample!("x", Normal::new(0.0, 1.0));
    if x.item() <= 0.0 {
        deterministic!("low", &x * 2.0);
    }
    let n = if *grows && x.item() > 0.0 { 3 } else { 2 };
    deterministic!("list", vec![1.0_f64; n]);
}

#[test]
fn deterministic_sites_may_be_absent_but_not_change() {
    let mut density = ModelDensity::new(sometimes, &false).unwrap();
    let mut row = Vec::new();
    density.values(&[-1.5], &mut row).unwrap();
    assert_eq!(row, [-1.5, -3.0, 1.0, 1.0]);
    row.clear();
    density.values(&[1.5], &mut row).unwrap();
    assert!(row[1].is_nan() && row[0] == 1.5 && row[2..] == [1.0, 1.0], "{row:?}");

    let mut density = ModelDensity::new(sometimes, &true).unwrap();
    density.values(&[-1.5], &mut Vec::new()).unwrap();
    let error = density.values(&[1.5], &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "site `list`: it has sizes [3] in this run, but had [2] before");
}
