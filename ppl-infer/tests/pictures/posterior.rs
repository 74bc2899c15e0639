//! Draws to show: eight schools, as a sampler that is stuck now and then would draw them.

use ppl_infer::draws::{ChainDraws, Draws, Role, SampleStats, layout};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Normal, StandardNormal};

/// Chains of a funnel: `mu`, `tau` and eight `theta`, of which few diverge where `tau` is small.
pub(crate) fn draws(chains: usize, length: usize) -> Draws {
    let mut rng = StdRng::seed_from_u64(3);
    let of = |name: &str, dims: &[usize]| (name.to_owned(), dims.to_vec(), Role::Latent);
    let variables = layout([of("mu", &[]), of("tau", &[]), of("school/theta", &[8])]);
    let mut chain = |_| {
        let mut chain = ChainDraws::new(10);
        let mut log_tau = 0.5;
        for _ in 0..length {
            let noise: f64 = StandardNormal.sample(&mut rng);
            log_tau = 0.8 * log_tau + 0.2 + 0.5 * noise;
            let tau = f64::exp(log_tau);
            let mu = Normal::new(4.4, 3.3).unwrap().sample(&mut rng);
            let mut row = vec![mu, tau];
            row.extend((0..8).map(|_| Normal::new(mu, tau).unwrap().sample(&mut rng)));
            let energy = 50.0 + Normal::new(0.0, 3.0).unwrap().sample(&mut rng);
            let stats = SampleStats { energy, evaluations: 7, diverging: tau < 0.9, ..SampleStats::default() };
            chain.push(&row, stats);
        }
        chain
    };
    Draws::new(variables, (0..chains).map(&mut chain).collect())
}
