//! The mixture of [`mixture`](crate::mixture) in single precision.

use ppl::distribution::Expand as _;
use ppl::infer::gibbs::Enumerate;
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{Gibbs, McmcOptions};
use ppl::prelude::*;

use crate::estimates::close;
use crate::mixture::{DATA, SPREAD, WEIGHTS, component, expected};

#[model]
fn mixture() {
    let means: Tensor<Rank1<2>> =
        plate!("components", 2, |_| { sample!("means", Normal::new(Tensor::<Rank1<2>>::zeros(), SPREAD as f32)) });
    plate!("rows", 5, |_| {
        let weights = Categorical::new(Tensor::from(WEIGHTS.map(|w| w as f32))).expand(Rank2::<5, 2>::default());
        let z: Tensor<Rank1<5>, usize> = sample!("z", weights);
        let seen = Tensor::from(DATA.map(|y| y as f32));
        sample!("y", Normal::new(means.gather::<Rank1<5>>(&z.to_vec()), 1.0), obs = seen);
    });
}

#[test]
fn assignments_and_means_are_those_of_all_cases() {
    let gibbs = Gibbs::new(mixture, ()).unwrap();
    let gibbs = gibbs.block(["means"], NutsOptions::default()).block(["z"], Enumerate::default());
    let options = McmcOptions { chains: 2, warmup: 300, draws: 5000, ..McmcOptions::default() };
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    assert!(mcmc.samplers().all(|sampler| sampler.coupled().is_empty()));
    let draws = mcmc.into_draws();
    for i in 0..5 {
        close(&draws, &format!("P(z[{i}])"), expected(|z| f64::from(z >> i & 1)), |row| row[2 + i]);
    }
    for k in 0..2 {
        close(&draws, &format!("E means[{k}]"), expected(|z| component(k, z).0), |row| row[k]);
    }
}
