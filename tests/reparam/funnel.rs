//! Neal's funnel: centred, the no-U-turn sampler diverges in its neck; non-centred, it finds the exact marginal.

use ppl::infer::diagnostics::{Chains, Summary};
use ppl::infer::mcmc::{Kernel, Metric, Nuts, NutsOptions, Warmup, WarmupOptions};
use ppl::infer::{LogDensity, ModelDensity};
use ppl::prelude64::*;
use ppl::rng::Rng;

type Scalar = Tensor<()>;

/// v ~ N(0, 3), xᵢ ~ N(0, exp(v / 2)).
#[model]
fn funnel() {
    let v: Scalar = sample!("v", Normal::new(0.0, 3.0));
    plate!("rows", 9, |_| {
        let _: Tensor<Rank1<9>> = sample!("x", Normal::new(Tensor::<Rank1<9>>::zeros(), (v * 0.5).exp()));
    });
}

/// The draws of the first coordinate in four chains, and how many transitions diverged.
pub(crate) fn first_coordinate<D: LogDensity<f64>>(density: &mut D, kept: usize) -> (Vec<Vec<f64>>, usize) {
    let mut divergences = 0;
    let chains = (0..4).map(|chain| {
        let stream = |step: u64| Rng::named(chain, &format!("step {step}"));
        let mut nuts = Nuts::new(1.0, Metric::Identity(density.dim()), NutsOptions::default());
        let mut state = nuts.init(density, &vec![0.1 * chain as f64; density.dim()]).unwrap();
        let options = WarmupOptions::default();
        let mut warmup = Warmup::begin(&options, &mut nuts, density, &state, &mut stream(0)).unwrap();
        let mut draws = Vec::with_capacity(kept);
        for step in 1..=1000 + kept as u64 {
            let info = warmup.step(&mut nuts, density, &mut state, &mut stream(step)).unwrap();
            if step > 1000 {
                divergences += usize::from(info.divergence.is_some());
                draws.push(state.position[0]);
            }
        }
        draws
    });
    (chains.collect(), divergences)
}

#[test]
fn the_marginal_of_the_neck_is_exact_without_centring() {
    let mut centred = ModelDensity::new(funnel, ()).unwrap();
    let (_, divergences) = first_coordinate(&mut centred, 500);
    assert!(divergences > 0, "the centred funnel should diverge");

    let moved = funnel.reparam(Reparam::new().site("x", LocScale::new(0.0)));
    let mut moved = ModelDensity::new(moved, ()).unwrap();
    let (draws, divergences) = first_coordinate(&mut moved, 1500);
    assert_eq!(divergences, 0);
    let chains: Vec<&[f64]> = draws.iter().map(Vec::as_slice).collect();
    let below = |x: f64| draws.iter().flatten().filter(|&&v| v < x).count() as f64 / 6000.0;
    let row = Summary::new(&[("v", Chains::new(&chains).unwrap())]).unwrap().rows.remove(0);
    println!("{row:?}");
    assert!(row.r_hat < 1.01 && row.ess_bulk > 2000.0, "{row:?}");
    // Normal(0, 3): each within 4.5 standard errors, 7e-6 each.
    assert!(row.mean.abs() < 4.5 * row.mcse_mean, "{row:?}");
    assert!((row.sd - 3.0).abs() < 4.5 * row.mcse_sd, "{row:?}");
    // The tenth part lies below −3.845, with the standard error of as many independent draws as the tail is worth.
    let error = (0.1 * 0.9 / row.ess_tail).sqrt();
    assert!((below(3.0 * -1.2815516) - 0.1).abs() < 4.5 * error, "{}", below(3.0 * -1.2815516));
}
