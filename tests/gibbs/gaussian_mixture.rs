//! A mixture of three normals with 200 data: the components are enumerated, everything else moves by the no-U-turn sampler.

use ppl::distribution::Expand as _;
use ppl::infer::gibbs::Enumerate;
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{Gibbs, McmcOptions};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;

const N: usize = 200;
const WEIGHTS: [f64; 3] = [0.25, 0.45, 0.3];
const MEANS: [f64; 3] = [-4.0, 0.5, 4.5];
const SCALES: [f64; 3] = [0.8, 0.6, 1.2];

type Components = Tensor<Rank1<3>>;
type Data = Tensor<Rank1<N>>;

#[model]
fn gaussian_mixture(data: &Data) {
    let weights: Components = sample!("weights", Dirichlet::new(Tensor::from([2.0, 2.0, 2.0])));
    let (means, scales) = plate!("components", 3, |_| {
        let means: Components = sample!("means", Normal::new(Components::zeros(), 5.0));
        let scales: Components = sample!("scales", LogNormal::new(Components::zeros(), 0.7));
        (means, scales)
    });
    plate!("rows", N, |_| {
        let z: Tensor<Rank1<N>, usize> = sample!("z", Categorical::new(&weights).expand(Rank2::<N, 3>::default()));
        let z = z.to_vec();
        sample!("y", Normal::new(means.gather::<Rank1<N>>(&z), scales.gather::<Rank1<N>>(&z)), obs = data);
    });
}

/// Data, and the component of each.
fn data() -> (Data, Vec<usize>) {
    let mut rng = Rng::seed(11);
    let mut component = || {
        let u: f64 = rng.gen_range(0.0..1.0);
        let k = usize::from(u > WEIGHTS[0]) + usize::from(u > WEIGHTS[0] + WEIGHTS[1]);
        (MEANS[k] + SCALES[k] * rng.sample::<f64, _>(StandardNormal), k)
    };
    let (values, components): (Vec<f64>, Vec<usize>) = (0..N).map(|_| component()).unzip();
    (Tensor::from_vec(values, Default::default()), components)
}

/// Components have no order of their own: draws are read in the order of their means.
#[test]
fn the_components_are_found() {
    let (data, truth) = data();
    let gibbs = Gibbs::new(gaussian_mixture, &data).unwrap();
    let gibbs = gibbs.block(["z"], Enumerate::default()).block(["weights", "means", "scales"], NutsOptions::default());
    let options = McmcOptions { chains: 2, warmup: 300, draws: 500, ..McmcOptions::default() };
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    // Weight, mean and scale of each component.
    let mut found = [[0.0; 3]; 3];
    let mut right = 0;
    for row in draws.chains().iter().flat_map(|chain| chain.rows()) {
        let mut order = [0, 1, 2];
        order.sort_by(|&a, &b| row[3 + a].total_cmp(&row[3 + b]));
        for (found, at) in found.iter_mut().zip(order) {
            (0..3).for_each(|variable| found[variable] += row[3 * variable + at] / 1000.0);
        }
        right += truth.iter().zip(&row[9..]).filter(|&(&k, &z)| order[k] == z as usize).count();
    }
    println!("{found:?}, {right} of {}", 1000 * N);
    // What the data themselves say of each component whose members are known; the posterior is a little wider than that.
    for (k, [weight, loc, scale]) in found.into_iter().enumerate() {
        let own: Vec<f64> = truth.iter().zip(data.to_vec()).filter(|(z, _)| **z == k).map(|(_, y)| y).collect();
        let n = own.len() as f64;
        let mean = own.iter().sum::<f64>() / n;
        let sd = (own.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n).sqrt();
        // Four standard errors each, of estimates that differ by the few data in doubt and by the prior.
        assert!((weight - n / N as f64).abs() < 0.05, "weight {k}: {weight} and {}", n / N as f64);
        assert!((loc - mean).abs() < 4.0 * sd / n.sqrt(), "mean {k}: {loc} and {mean}");
        assert!((scale - sd).abs() < 4.0 * sd / (2.0 * n).sqrt(), "scale {k}: {scale} and {sd}");
    }
    assert!(right > 1000 * N * 94 / 100, "{right} of {} assignments are those that the data came from", 1000 * N);
}
